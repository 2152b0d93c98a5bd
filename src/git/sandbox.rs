//! Temporary folders in which tests run the real Git, cut off from the machine's configuration.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use super::environment::GitEnvironment;
use super::error::Error;
use super::oid::Oid;
use super::repo::Repo;

/// A temporary folder, removed when dropped.
pub(super) struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A sandbox with repository `r`: `a` and `dir/b` committed, each with its path as content.
    pub(super) fn with_commit(init: &[&str]) -> Self {
        let sandbox = Self::new();
        sandbox.git(".", &[&["init", "-q", "-b", "main"], init, &["r"]].concat());
        sandbox.write("r/a", "a");
        sandbox.write("r/dir/b", "dir/b");
        sandbox.commit("r", "first");
        sandbox
    }

    /// The absolute path, without symbolic links, of a place in the sandbox.
    pub(super) fn path(&self, place: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(place)
    }

    /// Writes a file, with the folders above it.
    pub(super) fn write(&self, place: &str, content: &str) {
        let path = self.path(place);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Stages everything and commits it.
    pub(super) fn commit(&self, folder: &str, message: &str) -> Oid {
        self.git(folder, &["add", "-A"]);
        self.git(folder, &["commit", "-q", "--allow-empty", "-m", message]);
        self.oid(folder, "HEAD")
    }

    /// The name of what a revision stands for.
    pub(super) fn oid(&self, folder: &str, revision: &str) -> Oid {
        Oid::from_hex(self.git(folder, &["rev-parse", revision]).trim().as_bytes()).unwrap()
    }

    /// A Git command with an environment of its own.
    pub(super) fn command(&self, folder: &str) -> Command {
        let mut command = Command::new("git");
        command
            .current_dir(self.path(folder))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("."))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        for (name, value) in [("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "1700000000 +0000")] {
            command
                .env(format!("GIT_AUTHOR_{name}"), value)
                .env(format!("GIT_COMMITTER_{name}"), value);
        }
        // Maintenance in the background would outlive the sandbox.
        command.args([
            "-c",
            "protocol.file.allow=always",
            "-c",
            "maintenance.auto=false",
            "-c",
            "gc.auto=0",
        ]);
        command
    }

    /// Runs Git, which must succeed, and returns what it printed.
    pub(super) fn git(&self, folder: &str, args: &[&str]) -> String {
        let output = self.command(folder).args(args).output().unwrap();
        assert!(
            output.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Whether this Git can keep refs in reftables (2.45 and later).
    pub(super) fn has_reftable(&self) -> bool {
        let output = self
            .command(".")
            .args(["init", "-q", "--ref-format=reftable", "probe"])
            .output()
            .unwrap();
        output.status.success()
    }

    /// Opens the repository of a folder with these of Git's variables.
    pub(super) fn open_with(&self, folder: &str, variables: &[(&str, &str)]) -> Result<Repo, Error> {
        Repo::open_with(&self.path(folder), &environment(variables))
    }

    /// Opens the repository of a folder without any of Git's variables.
    pub(super) fn open(&self, folder: &str) -> Repo {
        self.open_with(folder, &[]).unwrap()
    }
}

/// These of Git's variables and no others.
pub(super) fn environment(variables: &[(&str, &str)]) -> GitEnvironment {
    GitEnvironment::from_lookup(|name| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| OsString::from(value))
    })
}

/// The stdout of a hook that prints its variables, as a list of those of Git.
pub(super) fn variables(printed: &str) -> Vec<(String, String)> {
    let lines = printed.lines().filter_map(|line| line.split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
