//! Why a document can't be sealed, or a sealed file not opened.

use crate::text::{BadRegex, Position};

/// A refusal of this floor. No variant holds a value of the document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text can't be read as a document.
    #[error(transparent)]
    Document(#[from] crate::document::Error),
    /// The text is not UTF-8, which every format but binary needs.
    #[error("not valid UTF-8")]
    NotUtf8,
    /// There is no `sops` block: the file is plain.
    #[error("not sealed: there is no `sops` metadata")]
    NotSealed,
    /// The file is sealed already, or has an entry of its own with the reserved name (in dotenv, a key that begins with `sops_`).
    #[error("a top-level entry has the name that is reserved for SOPS's metadata: `sops`, in dotenv files `sops_…`")]
    Reserved,
    /// The metadata can't be understood.
    #[error("the `sops` metadata is broken: {0}")]
    Metadata(&'static str),
    /// More than one of the six selection settings.
    #[error("{first} and {second} are both set; a file can have one selection setting only")]
    TwoSelections {
        /// The one found first.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A selection setting whose pattern does not compile.
    #[error("{setting}: {source}")]
    Regex {
        /// The setting's name.
        setting: &'static str,
        /// What is wrong with the pattern.
        source: BadRegex,
    },
    /// No identity at hand opens enough of the file's keys.
    #[error("no identity at hand opens this file")]
    NoIdentity,
    /// A value that is stored in the clear though the file's own settings say it is sealed.
    #[error("{place}: a value is stored in the clear that the file's settings seal")]
    ValueInTheClear {
        /// Where.
        place: Position,
    },
    /// A sealed value that is damaged, moved, or of an unknown type.
    #[error("{place}: {source}")]
    Value {
        /// Where.
        place: Position,
        /// What is wrong with it.
        source: crate::crypt::Error,
    },
    /// A sealed number or bool whose content is none.
    #[error("{place}: a sealed {kind} does not hold one")]
    Content {
        /// Where.
        place: Position,
        /// The type word.
        kind: &'static str,
    },
    /// The message authentication code is missing.
    #[error("the MAC is missing")]
    NoMac,
    /// The message authentication code does not fit the values, or is damaged itself.
    #[error("the MAC does not match: the file was changed after it was sealed")]
    MacMismatch,
    /// The comment can't be sealed because its sealed form would match the very pattern that keeps comments in the clear.
    #[error("{place}: a sealed comment would match unencrypted_comment_regex")]
    CommentMatchesSealed {
        /// Where.
        place: Position,
    },
    /// There is nobody to seal for.
    #[error("there is no recipient to seal for")]
    NoRecipient,
    /// Keys of a type that only SOPS itself can wrap for.
    #[error("the data key can't be wrapped for a key of type {kind}")]
    ForeignKey {
        /// The type as the metadata calls it.
        kind: String,
    },
    /// A path that leads to nothing.
    #[error("nothing is at {step} of the path")]
    NoSuchPlace {
        /// The first step that leads nowhere.
        step: String,
    },
    /// A value that the output format can't express.
    #[error("{what} can't be written as {format}")]
    Inexpressible {
        /// What it is.
        what: &'static str,
        /// The output format's name.
        format: &'static str,
    },
    /// Keys or ciphertexts failed.
    #[error(transparent)]
    Crypt(#[from] crate::crypt::Error),
}
