//! Support for this floor's tests: a policy, a key that fits it, and sealed files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

use std::sync::Arc;

use super::charter::Charter;
use super::finding::Finding;
use super::findings::Findings;
use super::inspect::inspect;
use super::law::Law;
use super::outcome::{Outcome, Scope};
use super::subject::{Content, Coverage, Origin, Past, Setting, Subject};
use crate::crypt::{Identity, Keyring, Source};
use crate::document::Format;
use crate::vault::{Sealing, Vault};

/// All that a subject is judged by.
pub(crate) struct Scene {
    pub(crate) law: Law,
    pub(crate) keyring: Keyring,
    pub(crate) public: String,
    pub(crate) origin: Origin,
    pub(crate) past: Past,
    pub(crate) coverage: Coverage,
}

impl Default for Scene {
    fn default() -> Self {
        Self::with(|_| String::new())
    }
}

impl Scene {
    /// A scene whose policy is made from the public key of its one identity.
    pub(crate) fn with(policy: impl FnOnce(&str) -> String) -> Self {
        let identity = Identity::generate();
        let public = identity.public().unwrap().text().to_owned();
        let own = Charter::read(Some(policy(&public).as_bytes()), None);
        Self {
            law: Law::new(Arc::new(own), vec![]),
            keyring: Keyring::new(vec![Source {
                name: "test".into(),
                identities: Ok(vec![identity]),
            }]),
            public,
            origin: Origin::Index,
            past: Past::Same,
            coverage: Coverage::Unknown,
        }
    }

    /// A scene with one rule for the scene's own key.
    pub(crate) fn ruled(pattern: &str) -> Self {
        Self::with(|key| format!("creation_rules:\n  - path_regex: '{pattern}'\n    age: {key}\n"))
    }

    /// The same key under another policy, with the present one as what was in force before.
    pub(crate) fn then(self, policy: &str) -> Self {
        let own = Arc::new(Charter::read(
            Some(policy.replace("KEY", &self.public).as_bytes()),
            None,
        ));
        let Self { law, .. } = self;
        Self {
            law: Law::new(own, vec![vec![law.into_own()]]),
            ..self
        }
    }

    pub(crate) fn setting(&self) -> Setting<'_> {
        let Self {
            law,
            keyring,
            origin,
            past,
            coverage,
            ..
        } = self;
        Setting {
            law,
            keyring,
            origin: *origin,
            past: *past,
            coverage: *coverage,
        }
    }

    pub(crate) fn subject<'s>(&'s self, path: &'s [u8], bytes: &'s [u8]) -> Subject<'s> {
        Subject::new(path, Content::Bytes(bytes), self.setting())
    }

    /// A content sealed as the policy wants it.
    pub(crate) fn seal(&self, path: &str, content: &[u8]) -> Vec<u8> {
        let policy = self.law.own().policy().unwrap();
        let vault = Vault::new(Some(policy), &self.keyring);
        let terms = vault.terms(path.as_bytes()).unwrap();
        let format = Format::of_path(path.as_bytes());
        match vault
            .seal(format, content, terms.as_ref(), None, "2026-01-02T03:04:05Z")
            .unwrap()
        {
            Sealing::Sealed(bytes, _) | Sealing::Draft(bytes, _) => bytes,
        }
    }

    /// What all checks say about a content.
    pub(crate) fn look(&self, path: &str, content: Content<'_>) -> Outcome {
        let mut findings = Findings::default();
        inspect(&Subject::new(path.as_bytes(), content, self.setting()), &mut findings);
        findings.finish(Scope::Index)
    }

    /// The findings for these bytes.
    pub(crate) fn findings(&self, path: &str, bytes: &[u8]) -> Vec<Finding> {
        self.look(path, Content::Bytes(bytes)).findings
    }

    /// Asserts which checks speak up about these bytes.
    #[track_caller]
    pub(crate) fn told(&self, path: &str, bytes: &[u8], ids: &[&str]) {
        let findings = self.findings(path, bytes);
        let found: Vec<&str> = findings.iter().map(|finding| finding.check).collect();
        assert_eq!(found, ids, "{path}: {findings:#?}");
    }
}
