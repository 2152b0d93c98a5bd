//! A private key of age stands in the clear.
//!
//! # What it finds
//! An age identity (`AGE-SECRET-KEY-1…`, or `AGE-SECRET-KEY-PQ-1…` for hybrid keys) with a right checksum, in any file or file name,
//! in capitals or small letters. Files above 5 MB are looked through only if a rule seals them or `limits` raises the limit.
//!
//! # Why
//! Who has it opens every file that was ever sealed for it, in every clone and in the whole history.
//!
//! # How to mend
//! Take it out of the commit, make a new key with `git seal keygen`, exchange the recipient in `.sops.yaml`, run `git seal updatekeys`
//! on the files that it opens. A key that is meant to be seen, in a test or a manual, is permitted by a mark on its own line:
//! `git-seal:allow GS201 REASON`.

use super::mending;
use crate::crypt::Recipient;
use crate::guard::allowance::permits;
use crate::guard::check::{Check, Needs};
use crate::guard::finding::Remark;
use crate::guard::findings::Findings;
use crate::guard::redact::private_keys;
use crate::guard::subject::{Origin, Subject};
use crate::guard::words::shell_word;
use crate::text::Position;

/// GS201.
#[derive(Debug)]
pub struct PrivateKey;

impl Check for PrivateKey {
    fn id(&self) -> &'static str {
        "GS201"
    }

    fn name(&self) -> &'static str {
        "private-key"
    }

    fn source(&self) -> &'static str {
        include_str!("private_key.rs")
    }

    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        for key in private_keys(subject.path()) {
            let remark = Remark::new(format!(
                "the private key{} is part of this file's name",
                whose(key.public.as_ref())
            ));
            findings.add(subject, remark.marked("name").help([mending::history()]));
        }
        // What the filter seals on its way into Git may hold keys: that is what it is for.
        if subject.is_open_form() {
            return;
        }
        let bytes = subject.bytes().unwrap_or_default();
        for key in private_keys(bytes) {
            if permits(bytes, key.span.start, self.id()) {
                continue;
            }
            let length = key.span.end - key.span.start;
            let remark = Remark::new(format!("the private key{} is in the clear", whose(key.public.as_ref())))
                .at(Position::at(bytes, key.span.start))
                .showing(format!("AGE-SECRET-KEY-… ({length} characters)"))
                .marked(key.public.as_ref().map(Recipient::text).unwrap_or_default())
                .help(help(subject));
            findings.add(subject, remark);
        }
    }
}

fn whose(public: Option<&Recipient>) -> String {
    public.map_or_else(String::new, |recipient| format!(" of {recipient}"))
}

fn help(subject: &Subject<'_>) -> Vec<String> {
    let mut help = Vec::new();
    if subject.origin() == Origin::Index {
        help.push(format!("git reset --quiet -- {}", shell_word(subject.path())));
    }
    help.push(mending::history().to_owned());
    help.push(
        "a key for tests only: write `git-seal:allow GS201 REASON` on its line, or allow its path in .git-seal.yaml"
            .to_owned(),
    );
    help
}

#[cfg(test)]
mod tests {
    use crate::crypt::{ExposeSecret as _, Identity};
    use crate::guard::subject::{Content, Coverage, Origin};
    use crate::guard::testing::Scene;
    use crate::text::Position;

    #[test]
    fn a_key_is_refused_in_any_file_and_never_shown() {
        let scene = Scene::ruled("^s/");
        let secret = Identity::generate().secret_text();
        let key = secret.expose_secret();
        for text in [
            format!("a\n  key = {key}\n"),
            format!("a\n  KEY = {}\n", key.to_lowercase()),
        ] {
            let findings = scene.findings("notes.txt", text.as_bytes());
            assert_eq!(findings.len(), 1);
            assert_eq!(
                (findings[0].check, findings[0].place.position),
                ("GS201", Some(Position { line: 2, column: 9 }))
            );
            assert_eq!(findings[0].excerpt.as_deref(), Some("AGE-SECRET-KEY-… (74 characters)"));
            assert!(!format!("{findings:?}").to_uppercase().contains(key));
        }
        scene.told("bin", &[b"\0\xff", key.as_bytes(), b"\0"].concat(), &["GS201"]);
        scene.told("s/key", key.as_bytes(), &["GS101", "GS201"]);
        for content in [Content::Unread, Content::Bytes(b"")] {
            let outcome = scene.look(&format!("keys/{key}.txt"), content);
            assert_eq!(outcome.findings.len(), 1);
            assert_eq!(outcome.findings[0].place.path, "keys/AGE-SECRET-KEY-….txt".as_bytes());
        }
    }

    #[test]
    fn a_hybrid_key_is_refused() {
        let hrp = bech32::Hrp::parse_unchecked("age-secret-key-pq-");
        let key = bech32::encode::<bech32::Bech32>(hrp, &[7; 32])
            .unwrap_or_default()
            .to_uppercase();
        assert!(Identity::parse(&key).is_ok());
        Scene::default().told("a", key.as_bytes(), &["GS201"]);
    }

    #[test]
    fn what_is_sealed_marked_or_no_key_passes() {
        let mut scene = Scene::ruled("^s/");
        let secret = Identity::generate().secret_text();
        let key = secret.expose_secret();
        scene.told(
            "a",
            format!("{key} # git-seal:allow GS201 of the manual").as_bytes(),
            &[],
        );
        scene.told(
            "a",
            format!("{key} # git-seal:allow GS201 of the manual\n{key}").as_bytes(),
            &["GS201"],
        );
        scene.told("a", b"AGE-SECRET-KEY-1QQQQ", &[]);
        scene.told("s/key", &scene.seal("s/key", key.as_bytes()), &[]);
        scene.origin = Origin::WorkTree;
        scene.coverage = Coverage::Covered;
        scene.told("s/key", key.as_bytes(), &[]);
    }
}
