//! The key path of what stands at a position of a document: it stays when lines move, and keys are no secrets.

use crate::document::{Document, Item, Key, Shape};
use crate::text::Position;

/// Longest key path in characters that a message shows.
const SHOWN: usize = 80;

/// A container on the way down: its key path, and in a list the number of the next element.
struct Level {
    path: String,
    next: Option<usize>,
}

/// The key path of the leaf or comment that begins at `position`: `db.hosts[0].password`; empty if nothing begins there.
pub(super) fn key_path(document: &Document<'_>, position: Position) -> String {
    let Some(offset) = offset(document.text, position) else {
        return String::new();
    };
    let mut levels = vec![Level {
        path: String::new(),
        next: None,
    }];
    for item in &document.items {
        match item {
            Item::Begin(_) => levels.truncate(1),
            Item::Enter(container) => {
                let path = step(&mut levels, container.key.as_ref());
                let next = (container.shape == Shape::List).then_some(0);
                levels.push(Level { path, next });
            }
            Item::Leave => {
                if levels.len() > 1 {
                    levels.pop();
                }
            }
            Item::Leaf(leaf) => {
                let path = step(&mut levels, leaf.key.as_ref());
                if leaf.span.start == offset {
                    return shortened(&path);
                }
            }
            Item::Comment(comment) => {
                if comment.span.start == offset {
                    return shortened(&levels.last().map_or_else(String::new, |level| level.path.clone()));
                }
            }
        }
    }
    String::new()
}

/// Whether a comment begins at `position`.
pub(super) fn is_comment(document: &Document<'_>, position: Position) -> bool {
    let offset = offset(document.text, position);
    document
        .items
        .iter()
        .any(|item| matches!(item, Item::Comment(comment) if Some(comment.span.start) == offset))
}

fn step(levels: &mut [Level], key: Option<&Key<'_>>) -> String {
    let Some(level) = levels.last_mut() else {
        return String::new();
    };
    match (key, &mut level.next) {
        (Some(key), _) if level.path.is_empty() => key.name.to_string(),
        (Some(key), _) => format!("{}.{}", level.path, key.name),
        (None, Some(next)) => {
            *next += 1;
            format!("{}[{}]", level.path, *next - 1)
        }
        (None, None) => level.path.clone(),
    }
}

fn shortened(path: &str) -> String {
    match path.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", path.get(..end).unwrap_or_default()),
        None => path.to_owned(),
    }
}

/// The byte offset of a position.
fn offset(text: &str, position: Position) -> Option<usize> {
    let before: usize = text
        .split_inclusive('\n')
        .take(position.line.checked_sub(1)?)
        .map(str::len)
        .sum();
    let line = text.get(before..)?;
    let (column, _) = line.char_indices().nth(position.column.checked_sub(1)?)?;
    Some(before + column)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;
    use crate::document::json;

    #[test]
    fn leaves_are_named_by_their_keys() {
        let text = "{\"a\": {\"ä b\": [1, {\"c\": 22}, [3]]},\n \"d\": 4}";
        let document = json::parse(text).unwrap();
        for (token, path) in [
            ("1", "a.ä b[0]"),
            ("22", "a.ä b[1].c"),
            ("3", "a.ä b[2][0]"),
            ("4", "d"),
            ("{", ""),
        ] {
            let position = Position::at(text.as_bytes(), text.find(token).unwrap());
            assert_eq!(key_path(&document, position), path);
            assert!(!is_comment(&document, position));
        }
        for (line, column) in [(0, 1), (1, 0), (9, 9), (2, 99)] {
            assert_eq!(key_path(&document, Position { line, column }), "");
        }
    }
}
