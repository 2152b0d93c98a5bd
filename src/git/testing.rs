//! Support for this floor's tests: real Git, and nothing of the machine's own configuration.

#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::command::Git;

/// The variable by which a test that was started again finds its home folder.
const HOME: &str = "GIT_SEAL_TEST_HOME";

/// A home folder and a repository `repo` in it.
pub(crate) struct Sandbox {
    /// The home folder.
    pub(crate) home: PathBuf,
    /// Git in the top folder of the repository.
    pub(crate) git: Git,
}

/// Runs `body` in a process with an environment of its own: a process can't change its environment safely while other tests
/// run in it, so the test `name` of `module` starts itself again.
pub(crate) fn hermetic(module: &str, name: &str, body: fn(&Sandbox)) {
    if let Some(home) = std::env::var_os(HOME) {
        let home = PathBuf::from(home);
        let git = Git::in_folder(&home.join("repo"));
        return body(&Sandbox { home, git });
    }
    let temp = tempfile::tempdir().unwrap();
    let home = temp.path().canonicalize().unwrap();
    let (_, path) = module.split_once("::").unwrap();
    let hermetic = |program: PathBuf| {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &home)
            .env(HOME, &home);
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TEMPLATE_DIR", "");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "A")
                .env(format!("GIT_{role}_EMAIL"), "a@example.org");
        }
        command
    };
    let init = hermetic("git".into())
        .args(["init", "--quiet", "--initial-branch=main"])
        .arg(home.join("repo"))
        .status();
    assert!(init.unwrap().success());
    // A template may have brought samples.
    fs::remove_dir_all(home.join("repo/.git/hooks")).ok();
    let mut child = hermetic(std::env::current_exe().unwrap());
    child.args(["--exact", "--nocapture", &format!("{path}::{name}")]);
    let output = child.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{stdout}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(stdout.contains("1 passed"), "no test of this name: {stdout}");
}

impl Sandbox {
    /// Git in another folder, relative to the home folder.
    pub(crate) fn git_in(&self, folder: &str) -> Git {
        Git::in_folder(&self.home.join(folder))
    }

    /// Runs `git ARGS` in the repository with another repository on this machine as its peer, which the product never does.
    pub(crate) fn with_peer(&self, args: &[&str]) {
        let mut command = self.git.command();
        let output = command.env("GIT_ALLOW_PROTOCOL", "file").args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// A path in the repository's work tree.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.git.folder().join(name)
    }

    /// Writes a file of the work tree with the folders that it needs.
    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Stages and commits everything.
    pub(crate) fn commit(&self) {
        self.git.run(&["add", "--all"]).unwrap();
        self.git
            .run(&["commit", "--quiet", "--allow-empty", "--message=x"])
            .unwrap();
    }
}
