//! The one way in which anything is judged: every check looks at one subject.

use super::finding::Severity;
use super::findings::{Findings, Speaker};
use super::register::CHECKS;
use super::subject::Subject;
use crate::policy::Level;

/// Lets every check look at one subject, unless the settings leave it out.
pub fn inspect(subject: &Subject<'_>, findings: &mut Findings) {
    findings.begin(subject);
    for check in CHECKS {
        let severity = match subject.law().level(check.id(), subject.path(), check.severity()) {
            Level::Off => continue,
            Level::Warning => Severity::Warning,
            Level::Error => Severity::Error,
        };
        findings.turn(Speaker {
            id: check.id(),
            name: check.name(),
            severity,
        });
        check.inspect(subject, findings);
    }
}
