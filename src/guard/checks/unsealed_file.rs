//! A file that a rule of `.sops.yaml` seals is in the clear.
//!
//! # What it finds
//! A path that a rule of `.sops.yaml` is for, with content that is no sealed file. Empty files are fine, and so are symbolic
//! links and submodules. `.sops.yaml`, `.git-seal.yaml` and `.gitattributes` are never sealed, whatever a rule says.
//!
//! # Why
//! Whatever is committed in the clear stays in the history of every clone. Once pushed, the only remedy is a new secret.
//!
//! # How to mend
//! `git seal encrypt --in-place PATH` and `git add PATH` seal it. Exchange the secret if it was ever pushed. If the file is meant to be readable, change the rule in `.sops.yaml` so that it does not match.

use super::located::located;
use super::mending;
use crate::document::Format;
use crate::guard::check::{Check, Needs};
use crate::guard::finding::Remark;
use crate::guard::findings::Findings;
use crate::guard::subject::{State, Subject};
use crate::sops::Error;
use crate::sops::door;

/// GS101.
#[derive(Debug)]
pub struct UnsealedFile;

impl Check for UnsealedFile {
    fn id(&self) -> &'static str {
        "GS101"
    }

    fn name(&self) -> &'static str {
        "unsealed-file"
    }

    fn source(&self) -> &'static str {
        include_str!("unsealed_file.rs")
    }

    fn needs(&self) -> Needs {
        Needs::Policy
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        let Some(provision) = subject.provision() else { return };
        if !matches!(subject.state(), State::Plain) || subject.is_open_form() {
            return;
        }
        let line = provision.position.line;
        let mut message = format!("this file is in the clear, and the rule in line {line} of .sops.yaml seals it");
        let flaw = flaw(subject).map(|error| error.to_string());
        let (position, reason) = flaw.as_deref().map(located).unwrap_or_default();
        if flaw.is_some() {
            message = format!("{message}; as it is, it can only be sealed as a draft: {reason}");
        }
        let remark = Remark::new(message).at(position).help(mending::seal(subject));
        findings.add(subject, remark);
    }
}

/// Why the content can't be sealed leaf by leaf.
fn flaw(subject: &Subject<'_>) -> Option<Error> {
    let format = subject.format();
    if format == Format::Binary {
        return None;
    }
    door::check(format, subject.bytes()?).err()
}

#[cfg(test)]
mod tests {
    use crate::guard::subject::{Content, Coverage, Origin};
    use crate::guard::testing::Scene;
    use crate::text::Position;

    #[test]
    fn a_ruled_path_in_the_clear_is_refused() {
        let scene = Scene::ruled("^s/");
        scene.told("s/a.json", br#"{"a": "b"}"#, &["GS101"]);
        scene.told("s/key.pem", b"any \xff bytes", &["GS101"]);
        scene.told("s/.env", b"A=b\n", &["GS101"]);
        scene.told("s/a.json", br#"{"sops": "mine"}"#, &["GS101"]);
        let broken = scene.findings("s/a.json", b"{\"a\": \n <<<<<<< x");
        assert_eq!(broken[0].place.position, Some(Position { line: 2, column: 2 }));
        assert!(
            broken[0].message.contains("draft: not valid json"),
            "{}",
            broken[0].message
        );
        assert_eq!(
            broken[0].help,
            ["git seal encrypt --in-place s/a.json", "git add s/a.json"]
        );
    }

    #[test]
    fn what_is_sealed_empty_or_not_ruled_passes() {
        let scene = Scene::ruled("s/");
        scene.told("s/a.json", b"", &[]);
        scene.told("s/a.json", &scene.seal("s/a.json", br#"{"a": "b"}"#), &[]);
        scene.told("s/key", &scene.seal("s/key", b"\xff"), &[]);
        scene.told("other.json", br#"{"a": "b"}"#, &[]);
        scene.told("s/.sops.yaml", b"a: b\n", &[]);
        scene.told("s/.gitattributes", b"* text\n", &[]);
        assert!(scene.look("s/a", Content::Unread).findings.is_empty());
    }

    #[test]
    fn the_open_form_of_a_covered_file_is_for_the_work_tree_alone() {
        let mut scene = Scene::ruled("^s/");
        scene.coverage = Coverage::Covered;
        scene.told("s/a.json", b"{}", &["GS101"]);
        scene.origin = Origin::WorkTree;
        scene.told("s/a.json", b"{}", &[]);
        scene.coverage = Coverage::Unknown;
        scene.told("s/a.json", b"{}", &["GS101"]);
    }

    #[test]
    fn lines_are_judged_like_trees() {
        let scene = Scene::ruled("^s/");
        for (path, plain) in [("s/.env", "# c\nA=b\n"), ("s/a.ini", "; c\n[s]\na = b ; d\n; e\n")] {
            scene.told(path, plain.as_bytes(), &["GS101"]);
            let sealed = scene.seal(path, plain.as_bytes());
            scene.told(path, &sealed, &[]);
            let typed = [b"K=typed\n", sealed.as_slice()].concat();
            scene.told(path, &typed, &["GS102"]);
        }
    }
}
