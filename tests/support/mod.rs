//! A clean room: an empty environment, hermetic Git, fixed test keys, and the real program.
//!
//! Secrets in tests hold the word of [`CANARY`]. Whatever a test does, that word must not be found in any object, in any file of
//! Git's own, or on stderr.

#![allow(dead_code, reason = "each test takes what it needs")]

pub mod refusal;
pub mod scenario;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The word by which leaked plain text is recognised.
pub const CANARY: &str = "CANARY";

/// Published test keys; nothing real is sealed for them.
pub const ALICE: &str = "age1q07uqh3w20ju2rk6c0aet99d7d84gkvk5pgwekllp7v9mwe5wupq0gzf5f";
/// The second test recipient.
pub const BOB: &str = "age1ltcjpmerv8cz2lw20y9fgdll9a88y3qq70ul9quhmhhzag7e43csavyjvf";
/// The third test recipient.
pub const CAROL: &str = "age120ylk09llkr8qm4l7e6lcwzcpwvs4sepm5rvvs8qnz4zk2pvpe8qma4f9t";

/// The secret half of a test recipient, from the file beside the vectors.
pub fn secret(name: &str) -> String {
    let path = format!("{}/tests/vectors/keys/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).unwrap()
}

/// What a program left behind.
#[derive(Debug)]
pub struct Output {
    /// What was run, for messages.
    pub command: String,
    /// The exit code.
    pub code: i32,
    /// Stdout.
    pub stdout: Vec<u8>,
    /// Stderr, as text.
    pub stderr: String,
}

impl Output {
    /// Stdout as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Asserts that it went well.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            code,
            "{}\n--- stdout\n{}\n--- stderr\n{}",
            self.command,
            self.text(),
            self.stderr
        );
        self
    }

    /// Asserts that it failed.
    #[track_caller]
    pub fn fails(self) -> Self {
        assert_ne!(
            self.code,
            0,
            "{}\n--- stdout\n{}\n--- stderr\n{}",
            self.command,
            self.text(),
            self.stderr
        );
        self
    }

    /// Asserts that stderr says this.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "{}: stderr lacks {text:?}:\n{}",
            self.command,
            self.stderr
        );
        self
    }

    /// Asserts that stderr is empty.
    #[track_caller]
    pub fn silent(self) -> Self {
        assert_eq!(self.stderr, "", "{}", self.command);
        self
    }
}

/// A home folder with keys, and repositories in it.
pub struct Sandbox {
    root: tempfile::TempDir,
    /// The first repository.
    pub repo: PathBuf,
    variables: BTreeMap<String, String>,
}

impl Sandbox {
    /// An empty repository; Alice's identity is at hand, git-seal is not set up.
    pub fn new() -> Self {
        Self::with_init(&["init", "--quiet", "--initial-branch=main"])
    }

    /// As [`Sandbox::new`] with another way to make the repository.
    pub fn with_init(init: &[&str]) -> Self {
        let root = tempfile::Builder::new().prefix("seal").tempdir().unwrap();
        let home = root.path().join("home");
        fs::create_dir_all(home.join(".config/sops/age")).unwrap();
        fs::create_dir_all(root.path().join("tmp")).unwrap();
        let repo = root.path().join("repo");
        fs::create_dir(&repo).unwrap();
        let sandbox = Self {
            root,
            repo,
            variables: BTreeMap::new(),
        };
        sandbox.give_key("alice");
        sandbox.git(init).ok();
        sandbox
    }

    /// A repository whose `secrets/` are sealed for Alice, set up and committed.
    pub fn set_up() -> Self {
        let sandbox = Self::new();
        sandbox.policy(&[("^secrets/", ALICE)]);
        sandbox.write(
            ".gitattributes",
            "secrets/** filter=git-seal diff=git-seal merge=git-seal -text\n",
        );
        sandbox.seal(&["install"]).ok();
        sandbox.git(&["add", ".sops.yaml", ".gitattributes"]).ok();
        sandbox.git(&["commit", "--quiet", "-m", "set-up"]).ok();
        sandbox
    }

    /// The folder that everything lies in.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The home folder.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Puts a test identity where SOPS looks for it, in place of the one that is there.
    pub fn give_key(&self, name: &str) {
        fs::write(self.key_file(), secret(name)).unwrap();
    }

    /// Takes all identities away.
    pub fn take_keys(&self) {
        fs::remove_file(self.key_file()).unwrap();
    }

    fn key_file(&self) -> PathBuf {
        self.home().join(".config/sops/age/keys.txt")
    }

    /// Sets a variable for every program that is run from here on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Takes a variable away again.
    pub fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// Writes `.sops.yaml` with one rule a path pattern.
    pub fn policy(&self, rules: &[(&str, &str)]) {
        let mut text = "creation_rules:\n".to_owned();
        for (path, recipients) in rules {
            text.push_str(&format!("  - path_regex: {path}\n    age: {recipients}\n"));
        }
        self.write(".sops.yaml", &text);
    }

    /// Writes a file of the work tree.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.repo.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Reads a file of the work tree.
    #[track_caller]
    pub fn read(&self, path: impl AsRef<Path>) -> Vec<u8> {
        let path = self.repo.join(path);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Reads a file of the work tree as text.
    #[track_caller]
    pub fn text(&self, path: impl AsRef<Path>) -> String {
        String::from_utf8(self.read(path)).unwrap()
    }

    /// A command in the clean environment.
    pub fn command(&self, program: impl AsRef<OsStr>, folder: &Path) -> Command {
        let seal = Path::new(env!("CARGO_BIN_EXE_git-seal")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([seal.to_path_buf()].into_iter().chain(std::env::split_paths(&path))).unwrap();
        let mut command = Command::new(program);
        command
            .current_dir(folder)
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.home())
            .env("TMPDIR", self.root.path().join("tmp"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.home().join(".gitconfig"))
            .env("GIT_AUTHOR_NAME", "A")
            .env("GIT_AUTHOR_EMAIL", "a@example.com")
            .env("GIT_COMMITTER_NAME", "A")
            .env("GIT_COMMITTER_EMAIL", "a@example.com")
            .env("GIT_ALLOW_PROTOCOL", "file")
            .env("LC_ALL", "C.UTF-8")
            .envs(&self.variables);
        command
    }

    /// Runs a program to its end with `input` on stdin.
    #[track_caller]
    pub fn run_in<A: AsRef<OsStr>>(&self, folder: &Path, program: &str, args: &[A], input: &[u8]) -> Output {
        let mut command = self.command(program, folder);
        command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || stdin.write_all(&input).ok());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        let words: Vec<_> = args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect();
        let output = Output {
            command: format!("{program} {}", words.join(" ")),
            code: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        assert!(
            !output.stderr.contains(CANARY),
            "{}: a secret on stderr: {}",
            output.command,
            output.stderr
        );
        output
    }

    /// Runs `git` in the repository.
    #[track_caller]
    pub fn git<A: AsRef<OsStr>>(&self, args: &[A]) -> Output {
        self.run_in(&self.repo, "git", args, b"")
    }

    /// Runs `git` in another folder.
    #[track_caller]
    pub fn git_in<A: AsRef<OsStr>>(&self, folder: &Path, args: &[A]) -> Output {
        self.run_in(folder, "git", args, b"")
    }

    /// Runs git-seal in the repository.
    #[track_caller]
    pub fn seal<A: AsRef<OsStr>>(&self, args: &[A]) -> Output {
        self.run_in(&self.repo, "git-seal", args, b"")
    }

    /// Runs git-seal in another folder.
    #[track_caller]
    pub fn seal_in<A: AsRef<OsStr>>(&self, folder: &Path, args: &[A]) -> Output {
        self.run_in(folder, "git-seal", args, b"")
    }

    /// Stages and commits everything.
    #[track_caller]
    pub fn commit_all(&self, message: &str) {
        self.git(&["add", "--all"]).ok();
        self.git(&["commit", "--quiet", "-m", message]).ok();
    }

    /// The bytes that a revision has for a path: `:path`, `HEAD:path`.
    #[track_caller]
    pub fn stored(&self, name: &str) -> Vec<u8> {
        self.git(&["cat-file", "blob", name]).ok().stdout
    }

    /// The name of the object that a revision has for a path.
    #[track_caller]
    pub fn oid(&self, name: &str) -> String {
        self.git(&["rev-parse", "--verify", name]).ok().text().trim().to_owned()
    }

    /// Asserts that what is stored under this name is complete ciphertext.
    #[track_caller]
    pub fn assert_sealed(&self, name: &str) {
        let bytes = self.stored(name);
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            text.contains("ENC[AES256_GCM,") && text.contains("sops"),
            "{name} is not sealed:\n{text}"
        );
        assert!(!text.contains(CANARY), "{name} holds plain text:\n{text}");
    }

    /// Asserts that Git sees no change, also when it has to look at every file again.
    #[track_caller]
    pub fn assert_clean(&self) {
        self.assert_clean_in(&self.repo);
    }

    /// As [`Sandbox::assert_clean`] in another work tree.
    #[track_caller]
    pub fn assert_clean_in(&self, folder: &Path) {
        let status = || self.git_in(folder, &["status", "--porcelain"]).ok().text();
        assert_eq!(status(), "", "not clean");
        touch_all(folder);
        assert_eq!(status(), "", "not clean after a touch");
    }

    /// Asserts that no plain text lies in any object, nor in any other file of Git's own.
    #[track_caller]
    pub fn assert_no_leak(&self) {
        self.assert_no_leak_in(&self.repo);
    }

    /// As [`Sandbox::assert_no_leak`] in another repository.
    #[track_caller]
    pub fn assert_no_leak_in(&self, folder: &Path) {
        let objects = self
            .git_in(folder, &["cat-file", "--batch-all-objects", "--batch", "--unordered"])
            .ok();
        assert!(
            !contains(&objects.stdout, CANARY.as_bytes()),
            "plain text in the object database"
        );
        let git_dir = self.git_in(folder, &["rev-parse", "--absolute-git-dir"]).ok().text();
        for path in files_below(Path::new(git_dir.trim())) {
            let content = fs::read(&path).unwrap_or_default();
            assert!(
                !contains(&content, CANARY.as_bytes()),
                "plain text in {}",
                path.display()
            );
        }
        let left: Vec<_> = files_below(&self.root.path().join("tmp"));
        assert!(left.is_empty(), "temporary files left behind: {left:?}");
    }

    /// Clones the repository into `name`, with these options, and returns the clone's folder.
    #[track_caller]
    pub fn clone_to(&self, name: &str, options: &[&str]) -> PathBuf {
        let folder = self.root.path().join(name);
        let mut args = vec!["clone", "--quiet"];
        args.extend(options);
        args.extend([self.repo.to_str().unwrap(), folder.to_str().unwrap()]);
        self.git_in(self.root.path(), &args).ok();
        folder
    }
}

/// Whether `needle` occurs in `bytes`.
pub fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    if bytes.len() < 1024 {
        return bytes.windows(needle.len()).any(|window| window == needle);
    }
    // Dependencies are optimised in test builds, this crate is not, and whole object databases are searched.
    let pattern: String = needle.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    let pattern = regex::bytes::Regex::new(&format!("(?-u){pattern}")).unwrap();
    pattern.is_match(bytes)
}

/// Every regular file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    found
}

/// Gives every file of a work tree another time, as an editor that saves does.
pub fn touch_all(folder: &Path) {
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(7);
    for path in files_below(folder) {
        if !path.components().any(|part| part.as_os_str() == ".git")
            && let Ok(file) = fs::File::options().append(true).open(&path)
        {
            file.set_modified(later).unwrap();
        }
    }
}
