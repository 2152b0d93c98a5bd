//! The `git` program, called by argument list: no shell, no prompt, no lazy fetch, no optional lock.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::environment::GitEnvironment;
use super::error::Error;

/// How a caller's pathspecs are read; inherited, each would turn our `:(top,literal)` into something else.
const PATHSPEC_SWITCHES: [&str; 4] = [
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
];

/// `git`, to be run in one folder with the environment that this process was started with.
#[derive(Debug, Clone)]
pub struct Git {
    folder: PathBuf,
    environment: Option<GitEnvironment>,
}

impl Git {
    /// `git` as run in `folder`. An inherited `GIT_DIR` or `GIT_INDEX_FILE` stays in force: that is how hooks and filters are
    /// told which repository and index are meant.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            environment: None,
        }
    }

    /// The same, with exactly these of Git's own variables in place of the inherited ones.
    #[must_use]
    pub fn with_environment(self, environment: GitEnvironment) -> Self {
        Self {
            environment: Some(environment),
            ..self
        }
    }

    /// The folder that `git` runs in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command ready for arguments, with the variables set that keep Git quiet, offline and in English.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new("git");
        command
            .current_dir(&self.folder)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            // Git before 2.39.4 doesn't know the variable above; without a transport its fetch fails at once.
            .env("GIT_ALLOW_PROTOCOL", "none")
            // What is judged is what a push sends, and a push never sends replacements.
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_ADVICE", "0")
            .env("LC_ALL", "C");
        for name in PATHSPEC_SWITCHES {
            command.env_remove(name);
        }
        if let Some(environment) = &self.environment {
            environment.apply(&mut command);
        }
        command
    }

    /// Runs `git ARGS` and returns its stdout.
    ///
    /// # Errors
    /// [`Error::GitMissing`] when it can't be started, [`Error::GitFailed`] when it exits with another code than 0.
    pub fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Result<Vec<u8>, Error> {
        self.run_with_input(args, &[])
    }

    /// Runs `git ARGS` with `input` on its stdin and returns its stdout.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub fn run_with_input<A: AsRef<OsStr>>(&self, args: &[A], input: &[u8]) -> Result<Vec<u8>, Error> {
        let (code, stdout, stderr) = self.exit(args, input)?;
        if code == Some(0) {
            return Ok(stdout);
        }
        Err(failed(args, code, &stderr))
    }

    /// Runs `git ARGS` with `input` on its stdin and hands its stdout to `read` while it runs. When `read` fails, Git is
    /// stopped and that failure returned; otherwise what `read` made counts only if Git exits with 0.
    ///
    /// # Errors
    /// As [`Git::run`], and those of `read`.
    pub fn stream<A: AsRef<OsStr>, R>(
        &self,
        args: &[A],
        input: &[u8],
        read: impl FnOnce(&mut dyn BufRead) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let mut child = self.spawn(args)?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        std::thread::scope(|scope| {
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input).ok()));
            let complaint = scope.spawn(move || {
                let mut text = Vec::new();
                stderr.map(|mut stderr| stderr.read_to_end(&mut text).ok());
                text
            });
            let result = match stdout {
                Some(stdout) => read(&mut BufReader::with_capacity(1 << 16, stdout)),
                None => Err(Error::Output {
                    what: "a child without stdout",
                }),
            };
            if result.is_err() {
                child.kill().ok();
            }
            let status = child.wait().map_err(Error::GitMissing)?;
            let stderr = complaint.join().unwrap_or_default();
            match (result, status.code()) {
                // Output that breaks off is explained best by what Git said when it ended; a killed child has no code.
                (Ok(_), code) | (Err(Error::Output { .. }), code @ Some(1..)) if !status.success() => {
                    Err(failed(args, code, &stderr))
                }
                (result, _) => result,
            }
        })
    }

    /// Runs `git ARGS` and returns exit code, stdout and stderr, whatever they are.
    ///
    /// # Errors
    /// [`Error::GitMissing`] when it can't be started.
    #[expect(clippy::type_complexity, reason = "three plain results of one process")]
    pub fn exit<A: AsRef<OsStr>>(&self, args: &[A], input: &[u8]) -> Result<(Option<i32>, Vec<u8>, Vec<u8>), Error> {
        let mut child = self.spawn(args)?;
        let mut stdin = child.stdin.take();
        let output = std::thread::scope(|scope| {
            // A writer of its own: Git may fill its stdout before it has read all of its stdin.
            scope.spawn(move || {
                if let Some(stdin) = stdin.as_mut() {
                    // A child that stops reading early says why by its exit code.
                    stdin.write_all(input).ok();
                }
            });
            child.wait_with_output()
        });
        let output = output.map_err(Error::GitMissing)?;
        Ok((output.status.code(), output.stdout, output.stderr))
    }

    /// Starts `git ARGS` with all three streams piped.
    ///
    /// # Errors
    /// [`Error::GitMissing`] when it can't be started.
    pub fn spawn<A: AsRef<OsStr>>(&self, args: &[A]) -> Result<Child, Error> {
        self.command()
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::GitMissing)
    }
}

/// The error of a call that ended with another code than 0.
fn failed<A: AsRef<OsStr>>(args: &[A], code: Option<i32>, stderr: &[u8]) -> Error {
    let words: Vec<OsString> = args.iter().map(|arg| arg.as_ref().to_owned()).collect();
    let command = words.join(OsStr::new(" ")).to_string_lossy().into_owned();
    Error::GitFailed {
        command,
        code,
        stderr: first_lines(stderr),
    }
}

/// The first three lines of Git's stderr in one, without its `fatal:` and `error:` words.
fn first_lines(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.trim_start_matches("fatal: ").trim_start_matches("error: ").trim())
        .filter(|line| !line.is_empty())
        .take(3)
        .collect();
    lines.join("; ")
}
