//! Why a text is not a document that can be sealed, or opened.

use crate::text::Position;

/// A text that can't be read as a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct Error {
    /// Where the fault was noticed.
    pub place: Position,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a text. The words never quote the text: it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The text breaks the grammar of its format.
    #[error("not valid {format}: {reason}")]
    Syntax {
        /// The format's name.
        format: &'static str,
        /// What the parser says, without the text.
        reason: String,
    },
    /// Bytes that are not UTF-8.
    #[error("not valid UTF-8")]
    NotUtf8,
    /// The root is a list or a scalar.
    #[error("the top level is not a map")]
    RootIsNotAMap,
    /// There is not a byte.
    #[error("the file is empty")]
    Empty,
    /// There is no document at all.
    #[error("the file holds no document")]
    NoDocument,
    /// Deeper than the limit.
    #[error("nested deeper than {limit} levels")]
    TooDeep {
        /// The limit in levels.
        limit: usize,
    },
    /// Aliases that multiply beyond the limit.
    #[error("its aliases expand to more than {limit} values")]
    TooManyAliases {
        /// The limit in items.
        limit: usize,
    },
    /// An anchor whose node holds an alias to itself.
    #[error("an anchor contains itself")]
    RecursiveAlias,
    /// A map key that SOPS can't encrypt under.
    #[error("a key is not text; put it in quotes")]
    KeyIsNotText,
    /// A key twice in one map.
    #[error("a key stands twice in the same map")]
    DuplicateKey,
    /// An integer beyond 64 bits signed that is no double either.
    #[error("an integer is too large for 64 bits; put it in quotes")]
    IntegerTooLarge,
    /// A merge key (`<<`) whose value is neither a map nor a list of maps.
    #[error("the value of a merge key is not a map")]
    MergeIsNotAMap,
    /// A tag that contradicts its value.
    #[error("a tag does not fit its value")]
    TagDoesNotFit,
    /// `%YAML 1.2`, which the YAML library of SOPS refuses.
    #[error("SOPS can't read `%YAML 1.2`; remove the directive")]
    YamlDirective,
    /// A root that is written as null; there is no map to put metadata into.
    #[error("the document is null; write {{}} or remove it")]
    RootIsNull,
}
