//! The nodes of a text with the comments that go-yaml attaches to them.

use super::comments::Lines;
use super::resolve::Tag;
use super::token::Scalar;
use crate::text::Span;

/// Index of a node.
pub(super) type NodeId = usize;

/// The comments of a node.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) head: Lines,
    pub(super) line: Lines,
    pub(super) foot: Lines,
}

impl Notes {
    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.head.is_empty() && self.line.is_empty() && self.foot.is_empty()
    }
}

/// A node.
#[derive(Debug)]
pub(super) struct Node<'t> {
    pub(super) content: Content<'t>,
    /// The text of the node without anchor; a tag of a scalar is part of it.
    pub(super) span: Span,
    /// Boxed, because few nodes have any.
    pub(super) notes: Option<Box<Notes>>,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Content<'t> {
    Scalar(Scalar<'t>, Option<Tag>),
    /// Nothing stands here.
    Absent,
    Map(Branch),
    List(Branch),
    Alias(NodeId),
    /// Key or value of the entry that sealing appends.
    Appended,
}

/// A map or list.
#[derive(Debug, Default)]
pub(super) struct Branch {
    /// Elements, or keys and values in turn.
    pub(super) children: Vec<NodeId>,
    pub(super) flow: bool,
    /// Column of the keys or dashes of a block.
    pub(super) column: usize,
}

/// One document of the text.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) root: NodeId,
    /// Whether an alias can refer to the root.
    pub(super) anchored: bool,
    /// Comments above the content that no blank line parts from it, or rather that one parts.
    pub(super) head: Lines,
    /// Comments below the content.
    pub(super) foot: Lines,
    /// Where the content and the comments of the document end.
    pub(super) end: usize,
    /// Whether a comma stands behind the last member of a flow root.
    pub(super) comma: bool,
    /// Offset behind the last member of a flow root.
    pub(super) flow_end: usize,
}
