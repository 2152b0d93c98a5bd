//! What can go wrong between us and Git.

use std::path::PathBuf;

/// A failure of the repository or of the `git` program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `git` could not be started.
    #[error("the git program could not be started")]
    GitMissing(#[source] std::io::Error),
    /// `git` ran and failed.
    #[error("`git {command}` failed: {stderr}")]
    GitFailed {
        /// The subcommand with its arguments, for a person to read.
        command: String,
        /// The exit code; absent after a signal.
        code: Option<i32>,
        /// The first lines that Git printed on stderr.
        stderr: String,
    },
    /// Neither the current folder nor any above it is a repository.
    #[error("not inside a Git repository")]
    NoRepository,
    /// A text that should be an object's name is none.
    #[error("not an object name: {text}")]
    NotAnOid {
        /// The text as found.
        text: String,
    },
    /// An object that should be there is not (shallow or partial clone, damaged repository).
    #[error("object {oid} is not in this repository")]
    MissingObject {
        /// The object's name.
        oid: super::Oid,
    },
    /// The object is there, but is no blob (or no tree where a tree is needed).
    #[error("object {oid} is not of the kind expected")]
    WrongKind {
        /// The object's name.
        oid: super::Oid,
    },
    /// A revision names no commit here.
    #[error("no such revision: {revision}")]
    UnknownRevision {
        /// The revision as given.
        revision: String,
    },
    /// A line of pre-push's or pre-receive's input is no ref update.
    #[error("line {line} of the hook's input is not a ref update")]
    NotARefUpdate {
        /// The line's number, from 1.
        line: usize,
    },
    /// Git's own output did not have the documented shape.
    #[error("unexpected output of git: {what}")]
    Output {
        /// What was being read.
        what: &'static str,
    },
    /// A file of ours or Git's could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A pattern that would have no effect in a `.gitattributes` file.
    #[error("not a usable attributes pattern ({what}): {pattern}")]
    AttributePattern {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// What came over a pipe from Git is not its protocol.
    #[error("git does not speak the filter protocol: {what}")]
    Packet {
        /// What was wrong with it.
        what: &'static str,
    },
    /// A pipe to or from Git failed.
    #[error("the pipe to git failed")]
    Pipe(#[source] std::io::Error),
    /// libgit2 refused.
    #[error("{0}")]
    Libgit2(#[from] git2::Error),
}
