//! A file is sealed for others than the rule for its path names.
//!
//! # What it finds
//! A recipient in the file whom the rule does not name: they can open it. A recipient of the rule whom the file lacks: they can't.
//! Keys are compared, not their spelling or comments. Key groups are compared one by one, and so is their threshold.
//!
//! # Why
//! Changing `.sops.yaml` alone changes no file. Who left the team still opens the files that were not sealed anew, and who came
//! can't open them.
//!
//! # How to mend
//! `git seal updatekeys PATH` and `git add PATH`. Who came gets the data key; where somebody left, the file gets a new one. Exchange
//! the secrets too: what they could read once they may have kept.

use crate::guard::check::{Check, Needs};
use crate::guard::finding::Remark;
use crate::guard::findings::Findings;
use crate::guard::subject::Subject;
use crate::guard::words::{list, shell_word};
use crate::sops::Metadata;
use crate::vault::Terms;

/// GS105.
#[derive(Debug)]
pub struct RecipientDrift;

impl Check for RecipientDrift {
    fn id(&self) -> &'static str {
        "GS105"
    }

    fn name(&self) -> &'static str {
        "recipient-drift"
    }

    fn source(&self) -> &'static str {
        include_str!("recipient_drift.rs")
    }

    fn needs(&self) -> Needs {
        Needs::Policy
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        let Some(sealed) = subject.sealed() else { return };
        let Some(terms) = subject.provision().and_then(|provision| provision.terms.as_ref()) else {
            return;
        };
        let metadata = &sealed.metadata;
        let path = shell_word(subject.path());
        let update = format!("git seal updatekeys {path}");
        let (missing, surplus) = terms.differences(metadata);
        if !surplus.is_empty() {
            let message = format!("{} can open this file, and the rule does not name them", list(&surplus));
            let help = [update.clone(), format!("git add {path}")];
            findings.add(subject, Remark::new(message).marked(surplus.join(" ")).help(help));
        }
        let help = [update, format!("git add {path}")];
        if !missing.is_empty() {
            let message = format!("{} can't open this file, and the rule names them", list(&missing));
            findings.add(
                subject,
                Remark::new(message).marked(missing.join(" ")).help(help.clone()),
            );
        }
        if missing.is_empty() && surplus.is_empty() && !terms.fit(metadata) {
            let message = "the key groups or key types of this file are not those of the rule";
            findings.add(subject, Remark::new(message).marked("groups").help(help));
        } else if threshold_differs(terms, metadata) {
            let message = "this file needs another number of key groups to be opened than the rule says";
            findings.add(subject, Remark::new(message).marked("threshold").help(help));
        }
    }
}

/// Whether another number of groups opens the file than the rule wants; without a threshold, SOPS needs all.
fn threshold_differs(terms: &Terms, metadata: &Metadata) -> bool {
    let groups = terms.groups.len();
    let needed = |threshold: Option<u32>| threshold.map_or(groups, |threshold| threshold as usize);
    groups > 1 && groups == metadata.groups.len() && needed(terms.threshold) != needed(metadata.threshold)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use crate::crypt::Identity;
    use crate::guard::testing::Scene;
    use std::collections::BTreeSet;

    fn public() -> String {
        Identity::generate().public().unwrap().text().to_owned()
    }

    #[test]
    fn too_many_and_too_few_are_refused() {
        let (bob, carol) = (public(), public());
        let both = Scene::with(|key| format!("creation_rules: [{{age: '{key},{bob}'}}]"));
        let sealed = both.seal("a.json", br#"{"a": "b"}"#);
        both.told("a.json", &sealed, &[]);
        let scene = both.then(&format!("creation_rules: [{{age: 'KEY,{carol}'}}]"));
        let findings = scene.findings("a.json", &sealed);
        let short = |key: &str| format!("{}…{}", &key[..8], &key[key.len() - 4..]);
        let messages: BTreeSet<_> = findings.iter().map(|finding| finding.message.clone()).collect();
        let expected = [
            format!("{} can open this file, and the rule does not name them", short(&bob)),
            format!("{} can't open this file, and the rule names them", short(&carol)),
        ];
        assert_eq!(messages, BTreeSet::from(expected));
        assert_ne!(findings[0].fingerprint, findings[1].fingerprint);
        let scene = scene.then(&format!("creation_rules: [{{age: '{bob}, KEY,'}}]"));
        scene.told("a.json", &sealed, &[]);
    }

    #[test]
    fn groups_and_threshold_count() {
        let (bob, carol) = (public(), public());
        let groups = format!("key_groups: [{{age: [KEY]}}, {{age: [{bob}]}}, {{age: [{carol}]}}]");
        let policy = format!("creation_rules: [{{shamir_threshold: 2, {groups}}}]");
        let scene = Scene::default().then(&policy);
        let sealed = scene.seal("a.json", br#"{"a": "b"}"#);
        let drift = |scene: &Scene| -> Vec<String> {
            let findings = scene.findings("a.json", &sealed).into_iter();
            findings
                .filter(|finding| finding.check == "GS105")
                .map(|finding| finding.message)
                .collect()
        };
        assert_eq!(drift(&scene), Vec::<String>::new());
        let scene = scene.then(&policy.replace("threshold: 2", "threshold: 3"));
        assert_eq!(
            drift(&scene),
            ["this file needs another number of key groups to be opened than the rule says"]
        );
        let scene = scene.then(&policy.replace("shamir_threshold: 2, ", ""));
        assert_eq!(drift(&scene).len(), 1);
        let scene = scene.then(&policy.replace(&format!(", {{age: [{carol}]}}"), ""));
        assert_eq!(drift(&scene).len(), 1);
    }

    #[test]
    fn an_ssh_comment_is_no_difference() {
        let ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHr1sifuac4Z9v3xJAMYPXY/aPimCNjDvvZdWgFNprrZ";
        let scene = Scene::with(|key| format!("creation_rules: [{{age: '{key},{ssh} at home'}}]"));
        let sealed = scene.seal("a.json", br#"{"a": "b"}"#);
        scene
            .then(&format!("creation_rules: [{{age: '{ssh} at work,KEY'}}]"))
            .told("a.json", &sealed, &[]);
    }
}
