//! The tokens that the scanner hands to the parser.

use std::borrow::Cow;

use super::cursor::Mark;
use crate::document::{Fault, Style};
use crate::text::Span;

/// Why and where reading stops.
#[derive(Debug)]
pub(super) struct Stop {
    /// Offset in bytes.
    pub(super) at: usize,
    /// What is wrong.
    pub(super) fault: Fault,
}

impl Stop {
    /// A breach of the grammar.
    pub(super) fn syntax(at: usize, reason: &str) -> Self {
        Self {
            at,
            fault: Fault::Syntax {
                format: "YAML",
                reason: reason.to_owned(),
            },
        }
    }
}

/// The result of one reading step.
pub(super) type Step<T> = Result<T, Stop>;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    StreamStart,
    StreamEnd,
    Directive,
    DocumentStart,
    DocumentEnd,
    BlockList,
    BlockMap,
    BlockEnd,
    FlowList,
    FlowListEnd,
    FlowMap,
    FlowMapEnd,
    /// The dash of a block list.
    Dash,
    /// The comma of a flow collection.
    Comma,
    /// The question mark, or the place before a key without one.
    Key,
    /// The colon.
    Value,
    Alias,
    Anchor,
    Tag,
    Scalar,
}

/// What a token carries besides its kind and place.
#[derive(Debug)]
pub(super) enum Load<'t> {
    Nothing,
    /// The name of an anchor or alias.
    Name(&'t str),
    /// A tag: handle as written (empty for `!<…>` and `!`) and suffix with its escapes resolved.
    Tag(&'t str, String),
    /// `%TAG`: handle and prefix.
    Prefix(&'t str, String),
    /// `%YAML`: major and minor number.
    Version(u8, u8),
    Scalar(Scalar<'t>),
    /// The key or value of the entry that sealing appends.
    Appended,
}

/// A token.
#[derive(Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) start: Mark,
    /// Offset after its last byte.
    pub(super) end: usize,
    pub(super) load: Load<'t>,
}

/// A scalar as it is written.
#[derive(Debug)]
pub(super) struct Scalar<'t> {
    /// Its text: quotes, escapes, folding and indentation resolved.
    pub(super) text: Cow<'t, str>,
    pub(super) style: Style,
    /// As [`crate::document::Leaf::body`]; empty for a block scalar whose last line is blank.
    pub(super) body: Span,
    /// Columns of indentation of a block scalar.
    pub(super) indent: usize,
    /// Whether a comment stands in the header of a block scalar.
    pub(super) header_comment: bool,
}

impl<'t> Scalar<'t> {
    /// A plain or quoted scalar.
    pub(super) const fn of_line(text: Cow<'t, str>, style: Style, body: Span) -> Self {
        Self {
            text,
            style,
            body,
            indent: 0,
            header_comment: false,
        }
    }
}
