//! A sealed file has all its values in the clear, because the selection of its rule chooses none of them.
//!
//! # What it finds
//! In a file with a `sops` block: values, and not one that is encrypted. The file's own selection says so, and the rule's, so
//! nothing else about it is wrong. In dotenv and INI files this is an error: a pattern made for the keys of Kubernetes
//! (`^(data|stringData)$`) matches nothing there. In YAML and JSON, where a manifest may have no secret, it is a warning.
//!
//! # Why
//! The path is ruled because it holds secrets, and the file looks sealed. SOPS says nothing about it.
//!
//! # How to mend
//! Give the files of this format a rule of their own in `.sops.yaml`, before the one with the selection, then
//! `git seal updatekeys PATH` and `git add PATH`. If it holds no secret, narrow the rule's `path_regex`.

use crate::document::Format;
use crate::guard::check::{Check, Needs};
use crate::guard::finding::Remark;
use crate::guard::findings::Findings;
use crate::guard::subject::Subject;

/// GS108.
#[derive(Debug)]
pub struct NothingSealed;

impl Check for NothingSealed {
    fn id(&self) -> &'static str {
        "GS108"
    }

    fn name(&self) -> &'static str {
        "nothing-sealed"
    }

    fn source(&self) -> &'static str {
        include_str!("nothing_sealed.rs")
    }

    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        let Some(sealed) = subject.sealed() else { return };
        let format = subject.format();
        if format == Format::Binary || sealed.metadata.draft || !sealed.is_all_clear() {
            return;
        }
        // What should be sealed and is not, is the business of another check.
        let own = sealed.metadata.selection.resolve();
        if own.is_ok_and(|selection| !sealed.clear_leaves(&selection).is_empty()) {
            return;
        }
        let mut remark =
            Remark::new("nothing in this file is encrypted: its selection leaves every value in the clear").help([
                "give files like it a rule with another selection in .sops.yaml, or none if they hold no secret",
            ]);
        if matches!(format, Format::Yaml | Format::Json) {
            remark = remark.mild();
        }
        findings.add(subject, remark);
    }
}

#[cfg(test)]
mod tests {
    use crate::guard::finding::Severity;
    use crate::guard::subject::Content;
    use crate::guard::testing::Scene;

    #[test]
    fn a_selection_that_chooses_nothing_is_told() {
        let scene = Scene::with(|key| {
            format!("creation_rules:\n  - path_regex: ^s/\n    age: {key}\n    encrypted_regex: ^data$\n")
        });
        let told = |path: &str, plain: &[u8]| {
            let sealed = scene.seal(path, plain);
            let findings = scene.look(path, Content::Bytes(&sealed)).findings;
            findings
                .iter()
                .map(|finding| (finding.check, finding.severity))
                .collect::<Vec<_>>()
        };
        assert_eq!(told("s/.env", b"TOKEN=x\n"), [("GS108", Severity::Error)]);
        assert_eq!(told("s/a.ini", b"[s]\nk = v\n"), [("GS108", Severity::Error)]);
        assert_eq!(told("s/a.yaml", b"kind: List\n"), [("GS108", Severity::Warning)]);
        for (path, plain) in [
            ("s/a.yaml", &b"kind: Secret\ndata:\n  token: x\n"[..]),
            ("s/a.yaml", b"a: ~\n"),
            ("s/.env", b""),
            ("s/.env", b"data=x\n"),
            ("s/a.bin", b"x"),
        ] {
            assert_eq!(told(path, plain), [], "{path}");
        }
    }
}
