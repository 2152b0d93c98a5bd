//! The walk through a document as a tree, so that a path can be followed in it.

use crate::document::key_path::Step;
use crate::document::{Document, Item, Key, Leaf, Origin, Root, RootStyle, Shape};
use crate::text::Span;

/// A value where it lies.
pub(in crate::document) struct Node<'d> {
    pub(in crate::document) key: Option<&'d Key<'d>>,
    /// Its text; for the root of a document in braces these too.
    pub(in crate::document) span: Span,
    pub(in crate::document) origin: Origin,
    pub(in crate::document) content: Content<'d>,
}

pub(in crate::document) enum Content<'d> {
    Leaf(&'d Leaf<'d>),
    Branch(Branch<'d>),
}

/// A map or list.
pub(in crate::document) struct Branch<'d> {
    pub(in crate::document) shape: Shape,
    /// Whether its members stand in brackets.
    pub(in crate::document) flow: bool,
    pub(in crate::document) children: Vec<Node<'d>>,
}

impl<'d> Node<'d> {
    /// The name of its key; empty for an element.
    pub(in crate::document) fn name(&self) -> &'d str {
        self.key.map_or("", |key| key.name.as_ref())
    }

    pub(in crate::document) const fn branch(&self) -> Option<&Branch<'d>> {
        match &self.content {
            Content::Branch(branch) => Some(branch),
            Content::Leaf(_) => None,
        }
    }

    /// The last leaf of its text.
    pub(in crate::document) fn last_leaf(&self) -> Option<&'d Leaf<'d>> {
        match &self.content {
            Content::Leaf(leaf) => Some(leaf),
            Content::Branch(branch) => branch.children.last()?.last_leaf(),
        }
    }
}

impl Branch<'_> {
    /// The place of the child that a step leads to.
    pub(in crate::document) fn find(&self, step: &Step) -> Option<usize> {
        match (self.shape, step) {
            (Shape::Map, Step::Key(key)) => self.children.iter().position(|child| child.name() == key),
            (Shape::List, &Step::Index(index)) => (index < self.children.len()).then_some(index),
            _ => None,
        }
    }
}

/// The roots of all documents of a text.
pub(in crate::document) fn roots<'d>(document: &'d Document<'d>) -> Vec<(Root, Node<'d>)> {
    let mut roots: Vec<(Root, Node<'d>)> = Vec::new();
    let mut open: Vec<Node<'d>> = Vec::new();
    for item in &document.items {
        match item {
            Item::Begin(root) => {
                finish(document.text, &mut open, &mut roots);
                let flow = matches!(root.style, RootStyle::Flow { .. });
                let content = Content::Branch(Branch {
                    shape: Shape::Map,
                    flow,
                    children: Vec::new(),
                });
                let span = Span::new(root.insert_at, root.insert_at);
                open.push(Node {
                    key: None,
                    span,
                    origin: Origin::Text,
                    content,
                });
                roots.push((*root, empty()));
            }
            Item::Enter(container) => {
                let parent_flow = open.last().and_then(Node::branch).is_some_and(|branch| branch.flow);
                let flow = parent_flow || container.span.of(document.text).starts_with(['{', '[']);
                let content = Content::Branch(Branch {
                    shape: container.shape,
                    flow,
                    children: Vec::new(),
                });
                let (key, span, origin) = (container.key.as_ref(), container.span, container.origin);
                open.push(Node {
                    key,
                    span,
                    origin,
                    content,
                });
            }
            Item::Leave => {
                if let Some(node) = open.pop() {
                    add(&mut open, node);
                }
            }
            // SOPS sees the last one of a key only.
            Item::Leaf(leaf) if leaf.origin == Origin::Overridden => {}
            Item::Leaf(leaf) => {
                let (key, span, origin) = (leaf.key.as_ref(), leaf.span, leaf.origin);
                let content = Content::Leaf(leaf);
                add(
                    &mut open,
                    Node {
                        key,
                        span,
                        origin,
                        content,
                    },
                );
            }
            Item::Comment(_) => {}
        }
    }
    finish(document.text, &mut open, &mut roots);
    roots
}

/// An empty map.
pub(in crate::document) const fn empty<'d>() -> Node<'d> {
    let content = Content::Branch(Branch {
        shape: Shape::Map,
        flow: false,
        children: Vec::new(),
    });
    Node {
        key: None,
        span: Span::new(0, 0),
        origin: Origin::Text,
        content,
    }
}

fn add<'d>(open: &mut [Node<'d>], node: Node<'d>) {
    if let Some(Node {
        content: Content::Branch(branch),
        ..
    }) = open.last_mut()
    {
        branch.children.push(node);
    }
}

/// Closes the root of a document and gives it its extent.
fn finish<'d>(text: &str, open: &mut Vec<Node<'d>>, roots: &mut [(Root, Node<'d>)]) {
    let (Some(mut node), Some((root, place))) = (open.pop(), roots.last_mut()) else {
        return;
    };
    if let Some(branch) = node.branch() {
        let first = branch
            .children
            .first()
            .and_then(|child| child.key)
            .map(|key| key.span.start);
        let last = branch.children.last().map(|child| child.span.end);
        let start = first.unwrap_or(root.insert_at);
        let end = last.unwrap_or(root.insert_at);
        node.span = if branch.flow {
            let open = text.get(..start).and_then(|before| before.rfind('{')).unwrap_or(start);
            let close = super::lines::skip_trivia(text, root.insert_at.max(end), true);
            Span::new(open, (close + 1).min(text.len()))
        } else {
            Span::new(start, end)
        };
    }
    *place = node;
}
