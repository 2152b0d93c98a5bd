//! A change of `.sops.yaml` takes a path out of what is sealed, or seals less of it.
//!
//! # What it finds
//! A path that a rule sealed before this change (in `HEAD`, in the parent of a commit, at the old tip of a branch) and no rule seals
//! any more, if its content was sealed or is new. And a sealed file with a value in the clear that the rule before sealed.
//! What a merge takes over from one of its parents is not found again; deleted paths are fine.
//!
//! # Why
//! A change that brings the secret and lifts the rule for it in one go would otherwise be judged by the lifted rule.
//!
//! # How to mend
//! Restore the rule in `.sops.yaml`. If the path is to be readable from here on, first commit and push `checks: {GS106: warning}` in
//! `.git-seal.yaml`, in a change of its own that others see, then the new policy.

use super::leaf_place::key_path;
use crate::document::Format;
use crate::guard::charter::Ruling;
use crate::guard::check::{Check, Needs};
use crate::guard::finding::Remark;
use crate::guard::findings::Findings;
use crate::guard::subject::{Past, State, Subject};
use crate::guard::words::count;

/// GS106.
#[derive(Debug)]
pub struct WeakerPolicy;

impl Check for WeakerPolicy {
    fn id(&self) -> &'static str {
        "GS106"
    }

    fn name(&self) -> &'static str {
        "weaker-policy"
    }

    fn source(&self) -> &'static str {
        include_str!("weaker_policy.rs")
    }

    fn needs(&self) -> Needs {
        Needs::Policy
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        let Some(earlier) = subject.law().earlier(subject.path()) else {
            return;
        };
        match subject.law().ruling(subject.path()) {
            Ruling::Unknown => {}
            Ruling::Unruled => {
                if let Some(message) = unruled(subject) {
                    findings.add(subject, Remark::new(message).help(HELP));
                }
            }
            Ruling::Ruled(provision) => {
                let Some(sealed) = subject.sealed() else { return };
                let (Some(now), Some(before)) = (&provision.selection, &earlier.selection) else {
                    return;
                };
                if subject.format() == Format::Binary || sealed.metadata.draft {
                    return;
                }
                let demanded = sealed.clear_leaves(now);
                let mut lost = sealed.clear_leaves(before);
                lost.retain(|place| !demanded.contains(place));
                let Some(&first) = lost.first() else { return };
                let values = count(lost.len(), "place");
                let message = format!("the rule for this path seals less than before: {values} in the clear");
                let mark = key_path(&sealed.document, first);
                findings.add(subject, Remark::new(message).at(first).marked(mark).help(HELP));
            }
        }
    }
}

const HELP: [&str; 2] = [
    "restore the rule in .sops.yaml",
    "or, to lift it on purpose, first push `checks: {GS106: warning}` in .git-seal.yaml as a change of its own",
];

/// What to say of a path that lost its rule.
fn unruled(subject: &Subject<'_>) -> Option<&'static str> {
    Some(match (subject.state(), subject.past()) {
        (State::Empty, _) | (State::Plain, Past::Same | Past::Plain) => return None,
        (State::Plain, Past::Nothing) => {
            "this new file is in the clear, and the rule that sealed its path was taken away"
        }
        (State::Plain, Past::Sealed) => "this file was sealed and is in the clear, and the rule for it was taken away",
        (State::Sealed(_) | State::Broken(_), _) => {
            "the rule for this sealed file was taken away, so its next change would be in the clear"
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::testing::Scene;

    #[test]
    fn a_rule_that_is_lifted_is_refused() {
        let scene = Scene::ruled("^s/");
        let sealed = scene.seal("s/a.json", br#"{"a": "b"}"#);
        let mut scene = scene.then("creation_rules: []");
        for (past, bytes, ids) in [
            (Past::Nothing, &b"{}"[..], &["GS106"][..]),
            (Past::Sealed, b"{}", &["GS106"]),
            (Past::Same, &sealed, &["GS106"]),
            (Past::Plain, &sealed, &["GS106"]),
            (Past::Plain, b"{}", &[]),
            (Past::Same, b"{}", &[]),
            (Past::Nothing, b"", &[]),
        ] {
            scene.past = past;
            scene.told("s/a.json", bytes, ids);
            scene.told("other/a.json", bytes, &[]);
        }
        scene.past = Past::Nothing;
        let scene = scene.then("creation_rules: [{path_regex: ^s/, age: KEY}]");
        scene.told("s/a.json", b"{}", &["GS101"]);
    }

    #[test]
    fn a_selection_that_shrinks_is_refused() {
        let policy = |regex: &str| format!("creation_rules: [{{age: KEY, encrypted_regex: {regex}}}]");
        let scene = Scene::default().then(&policy("^a"));
        let sealed = scene.seal("s/a.json", br#"{"a": "x", "b": "y"}"#);
        let wide = Scene::default().then(&policy("^(a|b)"));
        let Scene { law, .. } = wide;
        let scene = Scene { law, ..scene }.then(&policy("^a"));
        let findings: Vec<_> = scene
            .findings("s/a.json", &sealed)
            .into_iter()
            .filter(|f| f.check == "GS106")
            .collect();
        assert_eq!(findings.len(), 1);
        assert_eq!(
            findings[0].message,
            "the rule for this path seals less than before: 1 place in the clear"
        );
        let scene = scene.then(&policy("^(a|b)"));
        assert!(
            scene
                .findings("s/a.json", &sealed)
                .iter()
                .all(|finding| finding.check == "GS102" || finding.check == "GS105")
        );
    }
}
