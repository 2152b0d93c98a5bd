//! Why a `.sops.yaml` or `.git-seal.yaml` can't be used.

use crate::text::{BadRegex, Position};

/// A refusal of this floor. Texts quoted from the files are keys and patterns, which are no secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is larger than any configuration has reason to be.
    #[error("{size} bytes are more than the {limit} that a configuration may have")]
    TooLarge {
        /// Size in bytes.
        size: usize,
        /// Limit in bytes.
        limit: usize,
    },
    /// The file is not UTF-8.
    #[error("byte {offset} is not valid UTF-8")]
    NotUtf8 {
        /// Offset of the first bad byte.
        offset: usize,
    },
    /// Collections are nested too deeply.
    #[error("{position}: nested deeper than {limit} levels")]
    TooDeep {
        /// Where the limit is passed.
        position: Position,
        /// Levels allowed.
        limit: usize,
    },
    /// The file has too many nodes, aliases counted as what they stand for.
    #[error("{position}: more than {limit} values, with aliases counted as what they stand for")]
    TooManyValues {
        /// Where the limit is passed.
        position: Position,
        /// Values allowed.
        limit: usize,
    },
    /// There are more rules than a person writes.
    #[error("{position}: more than {limit} rules")]
    TooManyRules {
        /// Where the first rule beyond the limit starts.
        position: Position,
        /// Rules allowed.
        limit: usize,
    },
    /// Too many patterns are costly to compile, such as `.{999}`.
    #[error("{position}: more than {limit} patterns of more than 100 KB when compiled")]
    TooManyHeavyPatterns {
        /// Where the rule with the first one beyond the limit starts.
        position: Position,
        /// Patterns allowed.
        limit: usize,
    },
    /// The file is not YAML.
    #[error("{position}: not valid YAML: {reason}")]
    Syntax {
        /// Where.
        position: Position,
        /// The parser's words.
        reason: String,
    },
    /// A map has a key twice.
    #[error("{position}: key {key:?} is given twice")]
    DuplicateKey {
        /// Where the second one stands.
        position: Position,
        /// The key.
        key: String,
    },
    /// A value has the wrong type, or is out of its range.
    #[error("{position}: {key} must be {expected}")]
    WrongType {
        /// Where.
        position: Position,
        /// The key whose value it is.
        key: String,
        /// What it must be, with its article.
        expected: &'static str,
    },
    /// A key that `.git-seal.yaml` does not have.
    #[error("{position}: unknown key {key:?}{}", suggested(*.suggestion))]
    UnknownKey {
        /// Where.
        position: Position,
        /// The key.
        key: String,
        /// The known key that is probably meant.
        suggestion: Option<&'static str>,
    },
    /// The `path_regex` of a rule that had to be asked does not compile.
    #[error("{position}: path_regex: {source}")]
    PathRegex {
        /// Where the rule starts.
        position: Position,
        /// What is wrong with the pattern.
        source: BadRegex,
    },
    /// The selection settings of the rule that decides contradict each other or do not compile.
    #[error("{position}: {source}")]
    Selection {
        /// Where the rule starts.
        position: Position,
        /// What is wrong.
        source: crate::sops::Error,
    },
}

fn suggested(suggestion: Option<&str>) -> String {
    suggestion
        .map(|known| format!(", did you mean {known:?}"))
        .unwrap_or_default()
}
