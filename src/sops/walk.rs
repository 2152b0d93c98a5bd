//! The one walk that sealing, opening and judging share: each item with its key path, and whether it is sealed.

use super::selection::{Selection, Selector};
use crate::document::{Comment, Container, Document, Format, Item, Leaf, Origin, Shape};

/// The root key of the metadata.
pub const RESERVED: &str = "sops";

/// What the keys of the metadata begin with where there is no nesting at all (dotenv).
pub(super) const PREFIX: &str = "sops_";

/// What the walk meets.
#[derive(Debug, Clone, Copy)]
pub enum Visit<'d, 't> {
    /// A document begins.
    Begin,
    /// A container begins.
    Enter(&'d Container<'t>),
    /// A container ends.
    Leave,
    /// A scalar, and whether it is sealed.
    Leaf(&'d Leaf<'t>, bool),
    /// A comment, and whether it is sealed.
    Comment(&'d Comment<'t>, bool),
}

/// A walk over the items of a document, the `sops` entries left out.
#[derive(Debug)]
pub struct Walk<'d, 't, 's> {
    items: &'d [Item<'t>],
    format: Format,
    at: usize,
    selector: Selector<'s>,
    /// The keys from the root to here, each with a colon behind it.
    path: String,
    /// For each open container, the length of `path` at its inside, and its shape.
    lengths: Vec<(usize, Shape)>,
    left: Option<Shape>,
    ordinal: u32,
    /// Whether the leaf met last is sealed.
    sealed: bool,
    selection: &'s Selection,
}

impl<'d, 't, 's> Walk<'d, 't, 's> {
    /// A walk that has not begun.
    #[must_use]
    pub fn new(document: &'d Document<'t>, selection: &'s Selection) -> Self {
        Self {
            items: &document.items,
            format: document.format,
            at: 0,
            selector: Selector::new(selection),
            path: String::new(),
            lengths: Vec::new(),
            left: None,
            ordinal: 0,
            sealed: false,
            selection,
        }
    }

    /// The additional authenticated data of the item met last: its key path, joined and closed by colons (SOPS, section 2.2).
    #[must_use]
    pub fn aad(&self) -> &str {
        if self.path.is_empty() { ":" } else { &self.path }
    }

    /// The number of the item met last, counting containers and leaves from 0. Comments don't count: one behind an alias stands
    /// elsewhere in the walk when a container is written in the alias's place.
    #[must_use]
    pub const fn ordinal(&self) -> u32 {
        self.ordinal.saturating_sub(1)
    }

    /// How many containers and leaves were met.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.ordinal
    }

    /// How many containers are open.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.lengths.len()
    }

    /// The shape of the container that was left last.
    #[must_use]
    pub const fn left(&self) -> Option<Shape> {
        self.left
    }

    /// The next item; `None` at the end.
    pub fn next(&mut self) -> Option<Visit<'d, 't>> {
        self.path.truncate(self.lengths.last().map_or(0, |&(length, _)| length));
        self.at = self.skip_metadata();
        let item = self.items.get(self.at)?;
        self.at += 1;
        Some(match item {
            Item::Begin(_) => {
                self.selector = Selector::new(self.selection);
                self.lengths.clear();
                self.path.clear();
                Visit::Begin
            }
            Item::Enter(container) => {
                let key = container.key.as_ref().map(|key| key.name.as_ref());
                self.selector.enter(key);
                self.step(key);
                self.lengths.push((self.path.len(), container.shape));
                Visit::Enter(container)
            }
            Item::Leave => {
                self.selector.leave();
                self.left = self.lengths.pop().map(|(_, shape)| shape);
                Visit::Leave
            }
            Item::Leaf(leaf) => {
                let key = leaf.key.as_ref().map(|key| key.name.as_ref());
                // What a leaf overrides follows it, and shares its lot.
                if leaf.origin != Origin::Overridden {
                    self.sealed = self.selector.leaf(key);
                }
                self.step(key);
                Visit::Leaf(leaf, self.sealed)
            }
            Item::Comment(comment) => {
                let sealed = if comment.lost {
                    self.selector.lost_comment(&comment.text)
                } else {
                    self.selector.comment(&comment.text)
                };
                Visit::Comment(comment, sealed)
            }
        })
    }

    /// Tells the walk that the leaf met last was a comment stored as a list element, with this text in the file: for selections by
    /// comment it counts as one.
    pub fn leaf_was_comment(&mut self, text: &str) {
        self.selector.leaf_was_comment(text);
    }

    fn step(&mut self, key: Option<&str>) {
        self.ordinal += 1;
        if let Some(key) = key {
            self.path.push_str(key);
            self.path.push(':');
        }
    }

    /// The index of the next item that is not part of a root entry named `sops`.
    fn skip_metadata(&self) -> usize {
        let mut at = self.at;
        while self.lengths.is_empty()
            && let Some(length) = self.items.get(at..).and_then(|items| entry_length(self.format, items))
        {
            at += length;
        }
        at
    }
}

/// How many items the root entry `sops` takes, if one begins here; in dotenv, a run of entries.
pub(super) fn entry_length(format: Format, items: &[Item<'_>]) -> Option<usize> {
    if format == Format::Dotenv {
        let reserved = |item: &&Item<'_>| matches!(item, Item::Leaf(leaf) if leaf.key.as_ref().is_some_and(|key| key.name.starts_with(PREFIX)));
        return Some(items.iter().take_while(reserved).count()).filter(|&length| length > 0);
    }
    let key = match items.first()? {
        Item::Enter(container) => container.key.as_ref(),
        Item::Leaf(leaf) => leaf.key.as_ref(),
        _ => None,
    };
    if key.is_none_or(|key| key.name != RESERVED) {
        return None;
    }
    let mut depth = 0_usize;
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Enter(_) => depth += 1,
            Item::Leave => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some(index + 1);
        }
    }
    Some(items.len())
}
