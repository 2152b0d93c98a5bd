//! A document as a walk: containers entered and left, leaves and comments, in the order in which SOPS visits them.
//!
//! The items know where their text lies, so that a leaf can be exchanged and all else stays byte for byte.

use std::borrow::Cow;

use super::value::Value;
use crate::text::Span;

/// One step of the walk through a file.
#[derive(Debug, Clone)]
pub enum Item<'t> {
    /// A document of the file begins (YAML streams have several, all other formats one).
    Begin(Root),
    /// A map or list begins.
    Enter(Container<'t>),
    /// The map or list that was entered last ends.
    Leave,
    /// A scalar.
    Leaf(Leaf<'t>),
    /// A comment. It stands where SOPS visits it, which may be before the leaf that it follows in the text.
    Comment(Comment<'t>),
}

/// The root of one document and the place where a further root entry can be inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Root {
    /// How the root map is written.
    pub style: RootStyle,
    /// Offset where a new last entry goes. Block style: the start of a line after all content and comments of the document (before
    /// `---`, `...` or at the end of the file; the end of the file may lie behind a line without line break). Flow style: right
    /// after the last member, or after the opening brace when there is none.
    pub insert_at: usize,
}

/// How the root map of a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootStyle {
    /// A YAML block map whose keys start in this column (from 0).
    Block {
        /// Column of the keys.
        column: usize,
    },
    /// A map in braces: JSON, or a YAML flow map.
    Flow {
        /// Whether it has no member.
        empty: bool,
        /// Whether a comma stands behind its last member (YAML allows one).
        comma: bool,
    },
    /// No root node at all: a YAML document that is empty or holds only comments.
    Nothing,
    /// Lines without nesting: dotenv, INI.
    Lines,
    /// A YAML alias to a map of an earlier document: no entry can be put into it.
    Alias {
        /// The alias.
        span: Span,
    },
}

/// A part of a text and another spelling of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandIn {
    /// What is replaced; an empty range inserts.
    pub span: Span,
    /// What takes its place.
    pub text: &'static str,
}

/// The key of a map entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key<'t> {
    /// The key as text, quotes and escapes resolved.
    pub name: Cow<'t, str>,
    /// Where it is written, quotes included; empty for an entry that stems from an alias.
    pub span: Span,
}

/// What kind of container is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// An ordered map with text keys.
    Map,
    /// A list.
    List,
}

/// A map or list.
#[derive(Debug, Clone)]
pub struct Container<'t> {
    /// Its key, if it is the value of a map entry; the root map of a document is not an item.
    pub key: Option<Key<'t>>,
    /// Map or list.
    pub shape: Shape,
    /// The text from its first to after its last byte; for an alias, the alias itself.
    pub span: Span,
    /// Where it comes from.
    pub origin: Origin,
}

/// Whether a node is written in the text at its place or copied through a YAML alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Written here.
    Text,
    /// An alias stands here; its `span` is the alias.
    Alias,
    /// Inside a container that an alias stands for; it has no text of its own.
    Copy,
    /// A value of an INI key that stands again further down: SOPS sees only the last one. It follows that one in the walk.
    Overridden,
}

/// A scalar with its place.
#[derive(Debug, Clone)]
pub struct Leaf<'t> {
    /// Its key, if it is the value of a map entry.
    pub key: Option<Key<'t>>,
    /// The decoded value.
    pub value: Value<'t>,
    /// How it is written.
    pub style: Style,
    /// The whole token: quotes, the header of a block scalar, a tag that says more than text; without anchor. Empty for a value that is absent
    /// (`key:`) and for copies.
    pub span: Span,
    /// The part that changes when the style stays: for block scalars the lines below the header, from the first byte of their
    /// first line (indentation included) to before the line break of the last line with content; else `span`.
    pub body: Span,
    /// What surrounds it.
    pub context: Context,
    /// Where it comes from.
    pub origin: Origin,
}

/// What the layout demands of a scalar at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context {
    /// Whether it stands in a YAML flow collection.
    pub in_flow: bool,
    /// Columns that the lines of a block scalar at this place are indented by: its own where it is one, else what an emitter
    /// would choose.
    pub indent: usize,
    /// Whether a comment stands in the header line of this block scalar.
    pub header_comment: bool,
    /// Whether a block scalar can take the place of this YAML scalar: nothing follows in its line, and no comment below would
    /// be taken for one of the block's lines.
    pub takes_block: bool,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Without quotes (YAML), a number or word (JSON).
    Plain,
    /// A plain scalar of a YAML flow collection, sealed: `"\x45NC[…]"`, because brackets can't stand there unquoted.
    FlowPlain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// A `|` block.
    Literal,
    /// A `>` block.
    Folded,
    /// In backticks (INI), perhaps over several lines.
    Backtick,
    /// In three double quotes (INI), perhaps over several lines.
    Triple,
    /// Something that can't hold an envelope in its own form: a tagged scalar, an alias, an explicit null, an INI value over several
    /// lines.
    Other,
}

/// A comment with its place.
#[derive(Debug, Clone)]
pub struct Comment<'t> {
    /// The text behind the comment character, leading blank included. In INI, where neighbouring comments are one, all their lines,
    /// those below the first with their comment characters.
    pub text: Cow<'t, str>,
    /// Where that text, or its first line, lies (without the comment character, without the line break).
    pub span: Span,
    /// Where its further lines lie (INI).
    pub rest: Vec<Span>,
    /// Where the INI header begins that it, or its last line, stands behind.
    pub header: Option<usize>,
    /// Whether it shares its line with a value.
    pub inline: bool,
    /// Whether SOPS loses it: it counts for no selection.
    pub lost: bool,
}
