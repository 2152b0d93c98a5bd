//! A path is in conflict in the index.
//!
//! # What it finds
//! A path that the index holds in several stages: a merge, rebase or cherry-pick left it unresolved.
//!
//! # Why
//! There is no content yet that a commit could record, so there is nothing to judge. Git refuses such a commit as well.
//!
//! # How to mend
//! Resolve the conflict in the file and `git add` it. A sealed file shows both sides between markers in the work tree.

use crate::guard::check::{Check, Needs};
use crate::guard::finding::Remark;
use crate::guard::findings::Findings;
use crate::guard::subject::{Content, Subject};
use crate::guard::words::shell_word;

/// GS107.
#[derive(Debug)]
pub struct UnmergedPath;

impl Check for UnmergedPath {
    fn id(&self) -> &'static str {
        "GS107"
    }

    fn name(&self) -> &'static str {
        "unmerged-path"
    }

    fn source(&self) -> &'static str {
        include_str!("unmerged_path.rs")
    }

    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        if subject.content() == Content::Conflict {
            let path = shell_word(subject.path());
            let help = ["resolve the conflict in the file".to_owned(), format!("git add {path}")];
            findings.add(subject, Remark::new("this path is in conflict").help(help));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::guard::subject::Content;
    use crate::guard::testing::Scene;

    #[test]
    fn a_conflict_is_refused_whether_ruled_or_not() {
        let scene = Scene::ruled("^s/");
        for path in ["s/a.json", "other"] {
            let outcome = scene.look(path, Content::Conflict);
            let found: Vec<_> = outcome.findings.iter().map(|finding| finding.check).collect();
            assert_eq!((found.as_slice(), outcome.files), (&["GS107"][..], 0));
            assert!(scene.look(path, Content::Unread).findings.is_empty());
        }
    }
}
