//! The floor `report`: an outcome of the guard as a person or a program reads it.
//!
//! Renderers see the outcome alone and know no check; they return text, and whoever speaks to the outside prints it.

mod human;
mod json;
pub mod model;
mod shown;

pub use model::{Format, Style};

use crate::guard::Outcome;

/// The outcome as text, ending in a line break. `style` matters for people only.
#[must_use]
pub fn render(outcome: &Outcome, format: Format, style: Style) -> String {
    match format {
        Format::Human => human::render(outcome, style),
        Format::Json => json::render(outcome),
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use crate::git::Oid;
    use crate::guard::{Finding, Outcome, Place, Scope, Severity, Unjudged};
    use crate::text::Position;

    /// An outcome with everything in it once.
    pub(crate) fn outcome() -> Outcome {
        let commit = Oid::from_bytes(&[0xab; 20]).ok();
        let finding = Finding {
            check: "GS101",
            name: "unsealed-file",
            severity: Severity::Error,
            place: Place {
                path: b"secrets/prod.yaml".to_vec(),
                position: None,
                commit: None,
            },
            message: "this file is in the clear".to_owned(),
            excerpt: None,
            help: vec!["git seal fix".to_owned()],
            fingerprint: "0123".to_owned(),
        };
        let other = Finding {
            check: "GS402",
            name: "filter-without-rule",
            severity: Severity::Warning,
            place: Place {
                path: b"a\n\xff".to_vec(),
                position: Some(Position { line: 12, column: 10 }),
                commit,
            },
            message: "no rule is for it".to_owned(),
            excerpt: Some("masked…".to_owned()),
            help: vec!["one".to_owned(), "two".to_owned()],
            fingerprint: "4567".to_owned(),
        };
        let unjudged = [
            Unjudged {
                path: Some(b".env".to_vec()),
                commit: None,
                reason: "can't be read".to_owned(),
            },
            Unjudged {
                path: None,
                commit,
                reason: "the history is cut off".to_owned(),
            },
        ];
        let notes = vec!["the MAC of 1 sealed file was not checked".to_owned()];
        Outcome {
            scope: Scope::Commits(3),
            findings: vec![finding, other],
            unjudged: unjudged.to_vec(),
            notes,
            files: 4,
            sealed: 1,
        }
    }
}
