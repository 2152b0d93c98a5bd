//! Why a value can't be set or taken away.

use crate::document;
use crate::document::key_path::Step;

/// A refusal; the text stays as it was. Keys of the path are named, values are not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no document.
    #[error(transparent)]
    Document(#[from] document::Error),
    /// The whole document can't be the target.
    #[error("the path is empty")]
    EmptyPath,
    /// There is nothing at this step of the path.
    #[error("nothing is at {0} of the path")]
    NotFound(Step),
    /// A key where a list is.
    #[error("{0} of the path is a key, but a list is there")]
    KeyIntoList(Step),
    /// A position where a map is.
    #[error("{0} of the path is a position, but a map is there")]
    IndexIntoMap(Step),
    /// The layout leaves no way to change this place and nothing else.
    #[error("the file's layout does not allow to change this place and nothing else")]
    Layout,
    /// A value that the format has no form for.
    #[error("{what} can't be written as {format}")]
    Inexpressible {
        /// What it is.
        what: &'static str,
        /// The format's name.
        format: &'static str,
    },
}
