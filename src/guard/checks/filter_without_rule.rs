//! A path goes through the filter, and no rule says for whom to seal it.
//!
//! # What it finds
//! A path with the attribute `filter=git-seal` that no rule of `.sops.yaml` is for.
//!
//! # Why
//! The filter can't seal a new file without recipients, so adding one fails. A pattern in `.gitattributes` that is wider than the
//! rules, or a rule that was removed, is the usual cause.
//!
//! # How to mend
//! Narrow the pattern in `.gitattributes`, or add a rule for the path to `.sops.yaml`.

use crate::guard::charter::Ruling;
use crate::guard::check::{Check, Needs};
use crate::guard::finding::{Remark, Severity};
use crate::guard::findings::Findings;
use crate::guard::subject::{Coverage, Subject};
use crate::policy::is_exempt;

/// GS402.
#[derive(Debug)]
pub struct FilterWithoutRule;

impl Check for FilterWithoutRule {
    fn id(&self) -> &'static str {
        "GS402"
    }

    fn name(&self) -> &'static str {
        "filter-without-rule"
    }

    fn source(&self) -> &'static str {
        include_str!("filter_without_rule.rs")
    }

    fn needs(&self) -> Needs {
        Needs::Attributes
    }

    // Nothing leaks by it: the filter stops what it can't seal.
    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        // The filter lets pass what is never sealed.
        let unruled = matches!(subject.law().ruling(subject.path()), Ruling::Unruled) && !is_exempt(subject.path());
        if subject.coverage() == Coverage::Covered && unruled {
            let message = "Git sends this path through the filter, and no rule is for it";
            let help = ["narrow the pattern in .gitattributes, or add a rule for the path to .sops.yaml"];
            findings.add(subject, Remark::new(message).help(help));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::guard::finding::Severity;
    use crate::guard::subject::{Content, Coverage};
    use crate::guard::testing::Scene;

    #[test]
    fn it_is_a_warning() {
        let mut scene = Scene::ruled("^s/");
        scene.coverage = Coverage::Covered;
        let findings = scene.look("a", Content::Unread).findings;
        assert_eq!((findings.len(), findings[0].severity), (1, Severity::Warning));
        for path in ["s/a", "s/.gitattributes", ".sops.yaml"] {
            assert_eq!(scene.look(path, Content::Unread).findings.len(), 0, "{path}");
        }
    }
}
