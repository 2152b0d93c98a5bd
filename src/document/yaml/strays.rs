//! Comments that go-yaml loses: they become items where they stand in the text.

use std::borrow::Cow;
use std::iter::Peekable;
use std::vec::IntoIter;

use crate::document::{Comment, Item, Origin};
use crate::text::Span;

/// The text of a container on the way.
#[derive(Clone, Copy)]
struct Open {
    span: Span,
    column: usize,
}

/// Inserts comments into the items of a document. `strays` are the texts of the comments in order.
///
/// A comment goes before the next item of the text. Between containers its column decides how deep it belongs.
pub(super) fn insert<'t>(text: &'t str, items: Vec<Item<'t>>, strays: Vec<Span>) -> Vec<Item<'t>> {
    let starts = next_starts(&items);
    let mut strays = strays.into_iter().peekable();
    let mut result = Vec::with_capacity(items.len() + strays.len());
    let mut open: Vec<Open> = Vec::new();
    for (item, next) in items.into_iter().zip(starts) {
        match &item {
            Item::Enter(container) => {
                pass(text, &mut strays, &mut result, |stray| {
                    start_of(&item).is_some_and(|start| stray.start < start)
                });
                let column = column_of(text, container.span.start);
                open.push(Open {
                    span: container.span,
                    column,
                });
            }
            Item::Leaf(_) => {
                pass(text, &mut strays, &mut result, |stray| {
                    start_of(&item).is_some_and(|start| stray.start < start)
                });
            }
            Item::Leave => {
                if let Some(around) = open.pop().filter(|around| around.span.start < around.span.end) {
                    pass(text, &mut strays, &mut result, |stray| {
                        let below = next.is_none_or(|next| stray.start < next);
                        stray.start < around.span.end || below && column_of(text, stray.start) > around.column
                    });
                }
            }
            Item::Begin(_) | Item::Comment(_) => {}
        }
        result.push(item);
    }
    pass(text, &mut strays, &mut result, |_| true);
    result
}

/// Moves comments to `result` as long as `goes` says so.
fn pass<'t>(
    text: &'t str,
    strays: &mut Peekable<IntoIter<Span>>,
    result: &mut Vec<Item<'t>>,
    goes: impl Fn(Span) -> bool,
) {
    while let Some(span) = strays.next_if(|&stray| goes(stray)) {
        result.push(Item::Comment(Comment {
            text: Cow::Borrowed(span.of(text)),
            span,
            rest: Vec::new(),
            header: None,
            inline: false,
            lost: false,
        }));
    }
}

/// For each item, where the next item behind it that has text starts.
fn next_starts(items: &[Item<'_>]) -> Vec<Option<usize>> {
    let mut next = None;
    let mut starts: Vec<Option<usize>> = items
        .iter()
        .rev()
        .map(|item| {
            let behind = next;
            next = start_of(item).or(next);
            behind
        })
        .collect();
    starts.reverse();
    starts
}

/// Where the text of an item starts, its key included.
fn start_of(item: &Item<'_>) -> Option<usize> {
    let (key, span, origin) = match item {
        Item::Enter(container) => (&container.key, container.span, container.origin),
        Item::Leaf(leaf) => (&leaf.key, leaf.span, leaf.origin),
        _ => return None,
    };
    (origin != Origin::Copy).then(|| key.as_ref().map_or(span.start, |key| key.span.start))
}

/// The bytes between the start of the line and an offset.
fn column_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before
        .iter()
        .rev()
        .take_while(|byte| !matches!(byte, b'\n' | b'\r'))
        .count()
}
