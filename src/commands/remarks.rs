//! What the filter says on stderr: short, once, and never a value.

use crate::filter::{Note, Unopened};
use crate::ui::{Failure, Terminal};

/// Says what is remarkable about a cleaned file.
pub fn tell(terminal: Terminal, path: &[u8], note: &Note) {
    let path = String::from_utf8_lossy(path);
    match note {
        Note::Draft(reason) => {
            terminal.warn(&format!(
                "{path}: {reason}; it is sealed whole, as a draft, which can't be committed"
            ));
        }
        Note::Leaked => {
            terminal.warn(&format!(
                "{path}: stored in the clear already; `git seal encrypt --in-place {path}` seals it"
            ));
        }
        Note::Layout => terminal.warn(&format!("{path}: its values are sealed, but its layout can't be kept")),
        Note::Blind => {
            terminal.warn(&format!(
                "{path}: no identity opens the sealed state, so the whole file is sealed anew"
            ));
        }
    }
}

/// Says that a request failed.
pub fn fail(terminal: Terminal, failure: &Failure) {
    terminal.error(&failure.message);
    failure.hints.iter().for_each(|hint| terminal.hint(hint));
}

/// Says in one line which sealed files stayed sealed.
pub fn tell_stayed(terminal: Terminal, paths: &[Vec<u8>], why: Unopened) {
    let Some(first) = paths.iter().min() else { return };
    let first = String::from_utf8_lossy(first);
    let files = match paths.len() {
        1 => format!("{first} stays sealed"),
        more => format!("{more} files stay sealed ({first} first)"),
    };
    match why {
        Unopened::NoIdentity => terminal.say(&format!("{files}: no identity at hand opens it; see `git seal doctor`")),
        Unopened::Damaged => terminal.warn(&format!(
            "{files}: damaged or changed after sealing; see `git seal verify`"
        )),
    }
}
