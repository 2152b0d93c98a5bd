//! Where the `sops` block lies: put in so that taking it out gives back the very same text.
//!
//! Block style: the block is the last lines of each document. A text that ends without a line feed gets one before the block, and
//! the block then ends without one, which is how the difference is remembered. Flow style: the block is the last member, right
//! behind the one before it. Stores without nesting: the folder's file `flat.rs`.

use super::block::{self, JsonLayout};
use super::flat;
use super::node::Node;
use super::walk::entry_length;
use crate::document::edit::Edit;
use crate::document::{Document, Format, Item, Root, RootStyle, Shape};
use crate::text::Span;

/// The `sops` entry of one document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Index of its first item.
    pub(super) item: usize,
    /// How many items it takes.
    pub(super) length: usize,
    /// The root that it is in.
    pub(super) root: Root,
    /// Index of the document in the file.
    pub(super) part: usize,
}

/// Every root entry named `sops`, in order.
pub(super) fn entries(document: &Document<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut root = None;
    let (mut at, mut depth, mut part) = (0, 0_usize, 0);
    while let Some(item) = document.items.get(at) {
        if depth == 0
            && let Some(root) = root
            && let Some(length) = document
                .items
                .get(at..)
                .and_then(|items| entry_length(document.format, items))
        {
            found.push(Entry {
                item: at,
                length,
                root,
                part: part - 1,
            });
            at += length;
            continue;
        }
        match item {
            Item::Begin(begin) => {
                root = Some(*begin);
                depth = 0;
                part += 1;
            }
            Item::Enter(_) => depth += 1,
            Item::Leave => depth = depth.saturating_sub(1),
            Item::Leaf(_) | Item::Comment(_) => {}
        }
        at += 1;
    }
    found
}

/// The roots of all documents.
pub(super) fn roots(document: &Document<'_>) -> impl Iterator<Item = (usize, Root)> {
    document
        .items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| match item {
            Item::Begin(root) => Some((index, *root)),
            _ => None,
        })
}

/// The edits that put `node` at the end of each document.
pub(super) fn insert(document: &Document<'_>, node: &Node) -> Vec<Edit> {
    let insertion = |(item, root): (usize, Root)| {
        let text = match root.style {
            RootStyle::Block { column } => lines(document, &root, block::yaml_lines(node, column)),
            // Sealed is what stands for the alias.
            RootStyle::Nothing | RootStyle::Alias { .. } => lines(document, &root, block::yaml_lines(node, 0)),
            RootStyle::Lines => return flat::insert(document, &flat::lines(document.format, node)),
            RootStyle::Flow { empty, .. } => member(document, item, empty, node),
        };
        Edit::new(Span::new(root.insert_at, root.insert_at), text)
    };
    roots(document).map(insertion).collect()
}

/// The edits that put a copy of an existing block's text at the end of each document of a block-style file.
pub(super) fn insert_lines(document: &Document<'_>, block: &str) -> Option<Vec<Edit>> {
    let whole = if block.ends_with('\n') {
        block.to_owned()
    } else {
        format!("{block}\n")
    };
    roots(document)
        .map(|(_, root)| match root.style {
            RootStyle::Block { column: 0 } | RootStyle::Nothing => {
                let at = Span::new(root.insert_at, root.insert_at);
                Some(Edit::new(at, lines(document, &root, whole.clone())))
            }
            _ => None,
        })
        .collect()
}

/// The edit that puts an existing value of the `sops` member at the end of the one document of a file with its root in braces.
pub(super) fn insert_member(document: &Document<'_>, value: &str) -> Option<Vec<Edit>> {
    let mut roots = roots(document);
    let (begin, root) = roots.next().filter(|_| roots.next().is_none())?;
    let RootStyle::Flow { empty, .. } = root.style else {
        return None;
    };
    let between = flow_layout(document, begin).0;
    let comma = if empty { "" } else { "," };
    let at = Span::new(root.insert_at, root.insert_at);
    Some(vec![Edit::new(at, format!("{comma}{between}\"sops\": {value}"))])
}

/// Block lines as they go behind a text that may lack its final line feed.
fn lines(document: &Document<'_>, root: &Root, mut lines: String) -> String {
    let before = document.text.get(..root.insert_at).unwrap_or_default();
    if root.insert_at == document.text.len() && !before.is_empty() && !before.ends_with('\n') {
        lines.pop();
        lines.insert(0, '\n');
    }
    lines
}

fn member(document: &Document<'_>, begin: usize, empty: bool, node: &Node) -> String {
    let (between, layout) = flow_layout(document, begin);
    let value = block::json_value(node, &layout, 1);
    let comma = if empty { "" } else { "," };
    format!("{comma}{between}\"sops\": {value}")
}

/// What stands between the members of a root in braces, read off its first one.
pub(super) fn flow_layout(document: &Document<'_>, begin: usize) -> (String, JsonLayout) {
    let first = document.items.get(begin + 1).and_then(|item| match item {
        Item::Enter(container) => container.key.as_ref(),
        Item::Leaf(leaf) => leaf.key.as_ref(),
        _ => None,
    });
    let Some(key) = first else {
        return (String::new(), JsonLayout::Line);
    };
    let before = document.text.get(..key.span.start).unwrap_or_default();
    let between = &before[before.trim_end_matches([' ', '\t', '\n', '\r']).len()..];
    match between.rsplit_once('\n') {
        // Tabs indent JSON, but YAML does not take them.
        Some((_, unit)) if document.format == Format::Json => (between.to_owned(), JsonLayout::Lines(unit.to_owned())),
        _ => (" ".to_owned(), JsonLayout::Line),
    }
}

/// The text that a `sops` entry takes, with what joins it to its neighbours.
pub(super) fn extent(document: &Document<'_>, entry: &Entry) -> Span {
    if entry.root.style == RootStyle::Lines {
        return flat::extent(document, entry);
    }
    let items = document
        .items
        .get(entry.item..entry.item + entry.length)
        .unwrap_or_default();
    let mut span = Span::default();
    for (index, item) in items.iter().enumerate() {
        let (key, value, closed) = match item {
            Item::Enter(container) => {
                let written = container.span.of(document.text);
                let brackets = match container.shape {
                    Shape::Map => written.starts_with('{'),
                    Shape::List => written.starts_with('['),
                };
                (container.key.as_ref(), container.span, brackets)
            }
            Item::Leaf(leaf) => (leaf.key.as_ref(), leaf.span, true),
            _ => continue,
        };
        if index == 0 {
            span.start = key.map_or(value.start, |key| key.span.start);
        }
        let end = if closed { value.end } else { value.start };
        span.end = span.end.max(end).max(key.map_or(0, |key| key.span.end));
    }
    match entry.root.style {
        RootStyle::Flow { .. } => member_extent(document.text, span),
        _ => line_extent(document.text, span),
    }
}

/// Line breaks of YAML 1.1: the line before the block may end with any of them.
const BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

fn line_extent(text: &str, span: Span) -> Span {
    let before = &text[..span.start];
    let line = before.trim_end_matches(|character| !BREAKS.contains(&character));
    let mut start = line.len();
    let end = text[span.end..]
        .find('\n')
        .map_or(text.len(), |newline| span.end + newline + 1);
    if end == text.len() && !text.ends_with('\n') && start > 0 {
        start -= 1;
    }
    Span::new(start, end)
}

fn member_extent(text: &str, span: Span) -> Span {
    const WHITE: [char; 4] = [' ', '\t', '\n', '\r'];
    let before = text[..span.start].trim_end_matches(WHITE);
    if before.ends_with(',') {
        return Span::new(before.len() - 1, span.end);
    }
    let after = &text[span.end..];
    let rest = after.trim_start_matches(WHITE);
    match rest.strip_prefix(',') {
        // The first member goes with the comma behind it.
        Some(next) => Span::new(span.start, text.len() - next.trim_start_matches(WHITE).len()),
        None => Span::new(before.len(), span.end),
    }
}
