//! What came of a look: findings, what could not be judged, and how much was seen.

use super::finding::{Finding, Severity};
use crate::git::Oid;

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// What the next commit would record.
    Index,
    /// All files of one commit.
    Tree,
    /// The files on disk.
    WorkTree,
    /// So many commits, each with what it changes.
    Commits(usize),
}

/// Something that could not be judged; without a verdict nothing passes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unjudged {
    /// The path, private keys masked; absent where it is no matter of one file.
    pub path: Option<Vec<u8>>,
    /// The commit it is in, where commits are looked at.
    pub commit: Option<Oid>,
    /// Why: a clause in lower case.
    pub reason: String,
}

/// The outcome of one look, in a stable order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What was looked at.
    pub scope: Scope,
    /// By path, place, check and commit.
    pub findings: Vec<Finding>,
    /// What could not be judged.
    pub unjudged: Vec<Unjudged>,
    /// What was left out, and what a person should know: clauses in lower case.
    pub notes: Vec<String>,
    /// How many contents were looked at.
    pub files: usize,
    /// How many of them are sealed.
    pub sealed: usize,
}

impl Outcome {
    /// How many findings are of this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }

    /// 0 nothing found, 1 something found, 2 something could not be judged. Warnings alone are nothing found.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.count(Severity::Error) > 0 {
            1
        } else if self.unjudged.is_empty() {
            0
        } else {
            2
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::finding::Place;

    #[test]
    fn findings_weigh_more_than_what_was_not_judged() {
        let finding = |severity| Finding {
            check: "GS101",
            name: "unsealed-file",
            severity,
            place: Place::default(),
            message: String::new(),
            excerpt: None,
            help: Vec::new(),
            fingerprint: String::new(),
        };
        let unjudged = Unjudged {
            path: None,
            commit: None,
            reason: String::new(),
        };
        for (findings, unjudged, code) in [
            (vec![], vec![], 0),
            (vec![finding(Severity::Warning)], vec![], 0),
            (vec![], vec![unjudged.clone()], 2),
            (vec![finding(Severity::Warning)], vec![unjudged.clone()], 2),
            (
                vec![finding(Severity::Warning), finding(Severity::Error)],
                vec![unjudged],
                1,
            ),
        ] {
            let outcome = Outcome {
                scope: Scope::Index,
                findings,
                unjudged,
                notes: vec![],
                files: 0,
                sealed: 0,
            };
            assert_eq!(outcome.exit_code(), code, "{outcome:?}");
        }
    }
}
