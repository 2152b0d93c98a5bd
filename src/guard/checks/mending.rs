//! The commands that mend what checks find, for where it was found.

use crate::guard::subject::{Origin, Subject};
use crate::guard::words::shell_word;

/// Seals the path: what was recorded in the clear, or not as the rule wants it.
pub(super) fn seal(subject: &Subject<'_>) -> Vec<String> {
    let path = shell_word(subject.path());
    match subject.origin() {
        Origin::Index => vec![format!("git seal encrypt --in-place {path}"), format!("git add {path}")],
        Origin::WorkTree => vec![format!("git seal encrypt --in-place {path}")],
        Origin::Tree | Origin::Commit(_) => {
            vec![
                format!("git seal encrypt --in-place {path}"),
                format!("git add {path}"),
                history().to_owned(),
            ]
        }
    }
}

/// Seals the path anew by its rule: it is sealed, but not as the rule wants it.
pub(super) fn seal_anew(subject: &Subject<'_>) -> Vec<String> {
    let path = shell_word(subject.path());
    vec![format!("git seal updatekeys {path}"), format!("git add {path}")]
}

/// Takes the last good state of the path back.
pub(super) fn restore(subject: &Subject<'_>) -> Vec<String> {
    let path = shell_word(subject.path());
    match subject.origin() {
        Origin::Commit(oid) => vec![format!("git checkout {oid}~1 -- {path}")],
        // The work tree may hold the only good copy: no command to be pasted overwrites it.
        Origin::Index => vec![
            format!("git reset --quiet -- {path}"),
            format!("then `git add {path}` if the work tree has it whole, else `git checkout -- {path}`"),
        ],
        Origin::Tree | Origin::WorkTree => {
            vec![
                format!("git log --oneline -- {path}"),
                format!("git checkout COMMIT -- {path}"),
            ]
        }
    }
}

/// What no command undoes.
pub(super) const fn history() -> &'static str {
    "if this was ever pushed, exchange the secret itself: history can't be called back"
}
