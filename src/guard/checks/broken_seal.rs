//! A sealed file is damaged.
//!
//! # What it finds
//! A `sops` block that can't be read, lacks its version or its MAC; conflict markers inside a sealed file; and where an identity
//! at hand opens the file, values that do not decrypt at their place, or a MAC that does not match them.
//!
//! # Why
//! Nobody can open such a file, or nobody can know that its values are those that were sealed. A text merge of two sealed files
//! is the usual cause, an edit by hand the second.
//!
//! # How to mend
//! Take the last good state back (`git checkout COMMIT -- PATH`) and make the change again with `git seal edit PATH`. After a
//! merge: merge again with the merge driver, which `git seal install` sets up. Without an identity only the structure is checked.

use super::located::located;
use super::mending;
use crate::guard::check::{Check, Needs};
use crate::guard::finding::Remark;
use crate::guard::findings::Findings;
use crate::guard::subject::{State, Subject};
use crate::sops::{Clear, Error, Sealed};
use crate::text::Position;
use crate::vault::Vault;

/// GS103.
#[derive(Debug)]
pub struct BrokenSeal;

impl Check for BrokenSeal {
    fn id(&self) -> &'static str {
        "GS103"
    }

    fn name(&self) -> &'static str {
        "broken-seal"
    }

    fn source(&self) -> &'static str {
        include_str!("broken_seal.rs")
    }

    fn needs(&self) -> Needs {
        Needs::Keys
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        let (what, error) = match subject.state() {
            State::Broken(error) => {
                if let Some(line) = subject.bytes().and_then(conflict_marker) {
                    let message = "this sealed file holds the markers of an unresolved conflict";
                    let place = Position { line, column: 1 };
                    let remark = Remark::new(message).at(place).help(mending::restore(subject));
                    return findings.add(subject, remark);
                }
                ("this sealed file can't be read: ", error.to_string())
            }
            State::Sealed(sealed) => match fault(subject, sealed, findings) {
                Some(error) => ("", error.to_string()),
                None => return,
            },
            State::Empty | State::Plain => return,
        };
        let (position, reason) = located(&error);
        let remark = Remark::new(format!("{what}{reason}"))
            .at(position)
            .help(mending::restore(subject));
        findings.add(subject, remark);
    }
}

/// What is wrong with a sealed file that can be read.
fn fault(subject: &Subject<'_>, sealed: &Sealed<'_>, findings: &mut Findings) -> Option<Error> {
    match sealed.check_structure() {
        // Where a value stands in the clear the MAC can't match, and another check names the place.
        Err(Error::ValueInTheClear { .. }) => return None,
        Err(error) => return Some(error),
        Ok(()) => {}
    }
    match Vault::new(None, subject.keyring()).open(subject.format(), sealed, Clear::Refuse) {
        Ok(_) | Err(Error::ValueInTheClear { .. }) => None,
        Err(Error::NoIdentity) => {
            findings.unopened();
            None
        }
        Err(error) => Some(error),
    }
}

/// The line, from 1, of the first marker that Git leaves where a merge by text failed.
fn conflict_marker(bytes: &[u8]) -> Option<usize> {
    let is_marker = |line: &[u8]| line.starts_with(b"<<<<<<< ") || line.starts_with(b">>>>>>> ");
    bytes
        .split(|&byte| byte == b'\n')
        .position(is_marker)
        .map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use crate::crypt::{Identity, Keyring, Source};
    use crate::guard::subject::Content;
    use crate::guard::testing::Scene;

    const PLAIN: &[u8] = br#"{"a": "first", "b": "second"}"#;

    fn text(scene: &Scene) -> String {
        String::from_utf8(scene.seal("s/a.json", PLAIN)).unwrap()
    }

    /// The first envelope in a text.
    fn envelope(text: &str) -> &str {
        let start = text.find("ENC[").unwrap();
        &text[start..=start + text[start..].find(']').unwrap()]
    }

    #[test]
    fn a_damaged_structure_is_refused_without_a_key() {
        let mut scene = Scene::ruled("^s/");
        let whole = text(&scene);
        scene.keyring = Keyring::new(vec![]);
        for (damaged, words) in [
            (
                whole.replace("\"lastmodified\"", "\"x\""),
                "can't be read: the `sops` metadata is broken",
            ),
            (whole.replace("\"version\"", "\"x\""), "`version` is missing"),
            (whole.replace("\"mac\"", "\"x\""), "the MAC is missing"),
            (whole.replace("\"age\"", "\"x\""), "it names no key"),
            (
                format!("<<<<<<< ours\n{whole}=======\n{whole}>>>>>>> theirs\n"),
                "unresolved conflict",
            ),
            (whole.trim_end().trim_end_matches('}').to_owned(), "can't be read"),
        ] {
            for path in ["s/a.json", "unruled/a.json"] {
                let findings = scene.findings(path, damaged.as_bytes());
                let found: Vec<_> = findings.iter().map(|f| f.check).collect();
                assert_eq!(found, ["GS103"], "{words}: {findings:?}");
                assert!(findings[0].message.contains(words), "{}", findings[0].message);
            }
        }
    }

    #[test]
    fn a_damaged_content_is_refused_where_a_key_is_at_hand() {
        let mut scene = Scene::ruled("^s/");
        let whole = text(&scene);
        let first = envelope(&whole).to_owned();
        let second = envelope(&whole[whole.find("\"b\"").unwrap()..]).to_owned();
        let swapped = whole
            .replace(&first, "@")
            .replace(&second, &first)
            .replace('@', &second);
        let other = text(&Scene::ruled("^s/"));
        let foreign = whole.replace(&first, envelope(&other));
        let removed = whole.replacen(&format!("\"b\": \"{second}\""), "\"b\": null", 1);
        for damaged in [swapped, foreign, removed] {
            assert_ne!(damaged, whole);
            scene.told("s/a.json", damaged.as_bytes(), &["GS103"]);
        }
        let damaged = whole.replace(&first, &second);
        scene.keyring = Keyring::new(vec![Source {
            name: "other".into(),
            identities: Ok(vec![Identity::generate()]),
        }]);
        let outcome = scene.look("s/a.json", Content::Bytes(damaged.as_bytes()));
        assert_eq!((outcome.findings.len(), outcome.exit_code()), (0, 0));
        assert_eq!(
            outcome.notes,
            ["the MAC of 1 sealed file was not checked: no identity at hand opens them"]
        );
    }

    #[test]
    fn a_whole_file_passes() {
        let scene = Scene::ruled("^s/");
        let outcome = scene.look("s/a.json", Content::Bytes(text(&scene).as_bytes()));
        assert_eq!(
            (outcome.findings, outcome.notes, outcome.sealed),
            (vec![], Vec::<String>::new(), 1)
        );
        scene.told(
            "doc.md",
            b"<<<<<<< a marker in a text about sops: ENC[AES256_GCM,\n",
            &[],
        );
    }
}
