//! Support for this floor's tests: a real repository with a policy and a key that fits it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

use std::path::PathBuf;
use std::process::Command;

use super::outcome::Outcome;
use super::testing::Scene;
use crate::crypt::Keyring;
use crate::git::{GitEnvironment, Oid, Repo};

/// A temporary folder with the repository `r`, removed when dropped.
pub(crate) struct Checkout {
    folder: tempfile::TempDir,
    pub(crate) scene: Scene,
}

impl Checkout {
    /// A repository without a commit.
    pub(crate) fn empty() -> Self {
        let checkout = Self {
            folder: tempfile::tempdir().unwrap(),
            scene: Scene::ruled("^s/"),
        };
        checkout.git(".", &["init", "-q", "-b", "main", "r"]);
        checkout
    }

    /// A repository whose first commit has a rule for `s/`, a sealed file there and an open one elsewhere.
    pub(crate) fn new() -> Self {
        let checkout = Self::empty();
        checkout.policy("^s/");
        checkout.write("s/a.json", checkout.sealed());
        checkout.write("readme", "text");
        checkout.commit();
        checkout
    }

    /// A sealed file.
    pub(crate) fn sealed(&self) -> Vec<u8> {
        self.scene.seal("s/a.json", br#"{"a": "b"}"#)
    }

    /// Writes a policy with one rule.
    pub(crate) fn policy(&self, pattern: &str) {
        let key = &self.scene.public;
        self.write(
            ".sops.yaml",
            format!("creation_rules:\n  - path_regex: '{pattern}'\n    age: {key}\n"),
        );
    }

    /// A place below the temporary folder.
    pub(crate) fn path(&self, place: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(place)
    }

    /// Writes a file of the repository.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path("r").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Writes a file and stages it.
    pub(crate) fn stage(&self, path: &str, content: impl AsRef<[u8]>) {
        self.write(path, content);
        self.git("r", &["add", "--", path]);
    }

    /// Stages and commits everything.
    pub(crate) fn commit(&self) -> Oid {
        self.git("r", &["add", "-A"]);
        self.git("r", &["commit", "-q", "--allow-empty", "-m", "x"]);
        self.oid("HEAD")
    }

    /// The name of what a revision stands for.
    pub(crate) fn oid(&self, revision: &str) -> Oid {
        Oid::from_hex(self.git("r", &["rev-parse", revision]).trim().as_bytes()).unwrap()
    }

    /// Runs Git without anything of the machine's configuration.
    pub(crate) fn git(&self, folder: &str, args: &[&str]) -> String {
        let (done, stdout) = self.try_git(folder, args);
        assert!(done, "git {args:?}");
        stdout
    }

    /// The same for what may fail.
    pub(crate) fn try_git(&self, folder: &str, args: &[&str]) -> (bool, String) {
        let mut command = Command::new("git");
        command
            .current_dir(self.path(folder))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap());
        command
            .env("HOME", self.path("."))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        for (name, value) in [("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "1700000000 +0000")] {
            command
                .env(format!("GIT_AUTHOR_{name}"), value)
                .env(format!("GIT_COMMITTER_{name}"), value);
        }
        let output = command
            .args(["-c", "protocol.file.allow=always"])
            .args(args)
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    }

    /// The repository in a folder, opened without any of Git's variables.
    pub(crate) fn open(&self, folder: &str) -> Repo {
        Repo::open_with(&self.path(folder), &GitEnvironment::from_lookup(|_| None)).unwrap()
    }

    /// The scene's identity.
    pub(crate) fn keyring(&self) -> &Keyring {
        &self.scene.keyring
    }
}

/// Check and path of each finding, in order.
pub(crate) fn told(outcome: &Outcome) -> Vec<(&'static str, String)> {
    let told =
        |finding: &super::finding::Finding| (finding.check, String::from_utf8_lossy(&finding.place.path).into_owned());
    outcome.findings.iter().map(told).collect()
}

/// Asserts which checks speak up about which paths, as `GS101 path`.
#[track_caller]
pub(crate) fn assert_told(outcome: &Outcome, expected: &[&str]) {
    let found: Vec<String> = told(outcome)
        .into_iter()
        .map(|(check, path)| format!("{check} {path}"))
        .collect();
    assert_eq!(found, expected, "{outcome:#?}");
    assert_eq!(outcome.unjudged, []);
}
