//! Nodes and comments as the walk reads them, and what can be told from nodes alone.

use super::tree::{Branch, Content, Node, NodeId};
use crate::text::Span;

/// Columns per level where a file does not show its own.
pub(super) const DEFAULT_STEP: usize = 4;

/// What the walk reads.
#[derive(Clone, Copy)]
pub(super) struct Source<'n, 't> {
    pub(super) nodes: &'n [Node<'t>],
    /// The text of each line of comment.
    pub(super) comments: &'n [Span],
}

impl<'n, 't> Source<'n, 't> {
    pub(super) fn node(self, id: NodeId) -> &'n Node<'t> {
        // Every id is an index that the parser got when it added the node.
        &self.nodes[id]
    }

    /// Whether a map is there only because sealing will put an entry into it.
    pub(super) fn is_appended_only(self, branch: &Branch) -> bool {
        branch
            .children
            .first()
            .is_some_and(|&key| matches!(self.node(key).content, Content::Appended))
    }

    /// A node, or what it stands for if it is an alias. An alias never stands for another alias.
    pub(super) fn target(self, id: NodeId) -> &'n Node<'t> {
        match self.node(id).content {
            Content::Alias(target) => self.node(target),
            _ => self.node(id),
        }
    }
}

/// Whether a value may stand behind a merge key.
pub(super) fn is_mergeable(value: NodeId, source: Source<'_, '_>) -> bool {
    let is_map = |id: NodeId| matches!(source.target(id).content, Content::Map(_));
    match &source.node(value).content {
        Content::List(branch) => branch.children.iter().all(|&child| is_map(child)),
        _ => is_map(value),
    }
}

/// The columns per level that the first nested block shows.
///
/// The entry `sops` does not count: it is there only when the document is sealed, and both forms must agree.
pub(super) fn indent_step(branch: &Branch, source: Source<'_, '_>, is_root: bool) -> Option<usize> {
    branch.children.chunks(2).find_map(|pair| {
        let is_sops = |id: &NodeId| match &source.node(*id).content {
            Content::Scalar(key, _) => is_root && key.text == "sops",
            _ => false,
        };
        let &[key, value] = pair else { return None };
        if is_sops(&key) {
            return None;
        }
        block_step(branch, value, source)
    })
}

/// As [`indent_step`], for one value in a map.
fn block_step(parent: &Branch, value: NodeId, source: Source<'_, '_>) -> Option<usize> {
    let (Content::Map(branch) | Content::List(branch)) = &source.node(value).content else {
        return None;
    };
    if branch.flow {
        return None;
    }
    match branch.column.checked_sub(parent.column) {
        Some(2) => return Some(2),
        Some(1..) => return Some(DEFAULT_STEP),
        _ => {}
    }
    // Dashes in the column of their key show nothing; what is below them may.
    branch
        .children
        .iter()
        .find_map(|&element| match &source.node(element).content {
            Content::Map(inner) if !inner.flow => indent_step(inner, source, false),
            _ => None,
        })
}
