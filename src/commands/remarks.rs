//! What the filter says on stderr: short, once, and never a value.

use crate::crypt::{Complaint, Error, Keyring};
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

/// Whether something went wrong with an identity while it was used.
fn is_of_use(complaint: &Complaint) -> bool {
    !matches!(
        complaint.error,
        Error::UnknownIdentity { .. } | Error::InvalidIdentity { .. } | Error::UnsupportedIdentity { .. }
    )
}

/// Says in one line which sealed files stayed sealed, and which identities could not be used for them.
pub fn tell_stayed(terminal: Terminal, paths: &[Vec<u8>], why: Unopened, keyring: &Keyring) {
    let Some(first) = paths.iter().min() else { return };
    let first = String::from_utf8_lossy(first);
    let files = match paths.len() {
        1 => format!("{first} stays sealed"),
        more => format!("{more} files stay sealed ({first} first)"),
    };
    match why {
        Unopened::NoIdentity => {
            terminal.say(&format!("{files}: no identity at hand opens it; see `git seal doctor`"));
            for source in keyring.withheld() {
                terminal.say(&format!(
                    "{source} was not used: Git can't ask for its passphrase; `git seal decrypt` does"
                ));
            }
            // An identity file that can't be read is the doctor's to tell; what failed just here is not to be seen later.
            for complaint in keyring.complaints().iter().filter(|complaint| is_of_use(complaint)) {
                terminal.say(&format!("{} was not used: {}", complaint.source, complaint.error));
            }
        }
        Unopened::Damaged => terminal.warn(&format!(
            "{files}: damaged or changed after sealing; see `git seal verify`"
        )),
    }
}
