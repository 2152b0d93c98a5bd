//! A ruled path does not go through the filter, in a repository that uses it.
//!
//! # What it finds
//! A path that a rule of `.sops.yaml` seals and that has no attribute `filter=git-seal`, where some `.gitattributes` file gives it to
//! others. A repository without the filter is fine: its sealed files stay sealed in the work tree too.
//!
//! # Why
//! People trust the filter to seal what they add. This path is added as it is; only a hook stands between it and the history.
//!
//! # How to mend
//! Add the path's pattern to `.gitattributes` with `filter=git-seal diff=git-seal merge=git-seal -text`, then run `git add
//! --renormalize PATH`.

use crate::guard::check::{Check, Needs};
use crate::guard::finding::Remark;
use crate::guard::findings::Findings;
use crate::guard::subject::{Coverage, Subject};
use crate::guard::words::shell_word;

/// GS401.
#[derive(Debug)]
pub struct MissingFilter;

impl Check for MissingFilter {
    fn id(&self) -> &'static str {
        "GS401"
    }

    fn name(&self) -> &'static str {
        "missing-filter"
    }

    fn source(&self) -> &'static str {
        include_str!("missing_filter.rs")
    }

    fn needs(&self) -> Needs {
        Needs::Attributes
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        if subject.coverage() == Coverage::Uncovered && subject.provision().is_some() {
            let message = "a rule seals this path, and Git does not send it through the filter";
            let path = shell_word(subject.path());
            let help = [
                format!("give {path} `filter=git-seal diff=git-seal merge=git-seal -text` in .gitattributes"),
                format!("git add .gitattributes && git add --renormalize {path}"),
            ];
            findings.add(subject, Remark::new(message).help(help));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::guard::subject::{Content, Coverage};
    use crate::guard::testing::Scene;

    #[test]
    fn rule_and_filter_must_go_together() {
        let mut scene = Scene::ruled("^s/");
        for (path, coverage, ids) in [
            ("s/a", Coverage::Uncovered, &["GS401"][..]),
            ("a", Coverage::Covered, &["GS402"]),
            ("s/a", Coverage::Covered, &[]),
            ("a", Coverage::Uncovered, &[]),
            ("s/a", Coverage::Unknown, &[]),
            ("s/.gitattributes", Coverage::Uncovered, &[]),
        ] {
            scene.coverage = coverage;
            let outcome = scene.look(path, Content::Unread);
            let found: Vec<_> = outcome.findings.iter().map(|finding| finding.check).collect();
            assert_eq!(found, ids, "{path} {coverage:?}");
        }
    }
}
