//! Why the guard could not look at all; what it could not judge in particular is part of its outcome.

/// A failure that leaves no outcome. It blocks: who can't look has not passed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The repository could not be read.
    #[error(transparent)]
    Git(#[from] crate::git::Error),
}
