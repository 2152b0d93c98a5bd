//! A first, bounded look at a configuration: where everything stands, and that it is small enough to be read.
//!
//! The YAML reader behind `serde_yaml` bounds depth and the number of aliases but not what they expand to, and its
//! values have no positions. Both come from here. Only the first document is looked at, as SOPS does.

use std::collections::{HashMap, HashSet};

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span};

use super::error::Error;
use crate::text::Position;

/// Open collections at the same time; a rule's key groups need about six.
const MAX_DEPTH: usize = 100;
/// Values, with an alias counted as what it stands for.
const MAX_VALUES: usize = 100_000;

/// A value's place, and what it holds.
#[derive(Debug)]
pub(super) struct Outline {
    /// Where the value starts; for an alias, where the alias stands.
    pub(super) position: Position,
    /// A plain scalar as written: `1.50` for what the reader gives as 1.5.
    pub(super) plain: Option<String>,
    items: Vec<Outline>,
    fields: Vec<(String, Position, Outline)>,
}

impl Outline {
    const fn new(position: Position) -> Self {
        Self {
            position,
            plain: None,
            items: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// The outline of a list's item; the list's own where an alias hides it.
    pub(super) fn item(&self, index: usize) -> &Self {
        self.items.get(index).unwrap_or(self)
    }

    /// The outline of a key's value; the map's own where an alias or a merge hides it.
    pub(super) fn field(&self, key: &str) -> &Self {
        self.fields
            .iter()
            .find(|(name, ..)| name == key)
            .map_or(self, |(.., outline)| outline)
    }

    /// Where the map's key number `index` stands; the map's own place where an alias hides it.
    pub(super) fn key_at(&self, index: usize) -> Position {
        self.fields
            .get(index)
            .map_or(self.position, |(_, position, _)| *position)
    }
}

/// Looks through the first document; `None` if there is none or it is empty.
pub(super) fn outline(text: &str) -> Result<Option<Outline>, Error> {
    // Comments are no values, and the parser would refuse a long run of them.
    let options = granit_parser::options! { emit_comments: false };
    let mut builder = Builder::default();
    let mut ended = false;
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| syntax(&error))?;
        // One event more than the document has: what follows it must be another document or the end, not a rest that
        // the parser could make nothing of.
        if ended {
            break;
        }
        ended = matches!(event, Event::DocumentEnd);
        builder.event(event, position(&span))?;
    }
    Ok(builder.root)
}

fn position(span: &Span) -> Position {
    Position {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

fn syntax(error: &ScanError) -> Error {
    let marker = error.marker();
    let position = Position {
        line: marker.line(),
        column: marker.col() + 1,
    };
    match error.kind() {
        // The parser reads ahead, so its own limit may be met before ours.
        ErrorKind::RecursionLimitExceeded => Error::TooDeep {
            position,
            limit: MAX_DEPTH,
        },
        kind => Error::Syntax {
            position,
            reason: kind.to_string(),
        },
    }
}

/// A collection that is being read.
struct Open {
    outline: Outline,
    anchor: usize,
    /// Values in it so far, itself included.
    size: usize,
    /// `None` in a list.
    map: Option<Keys>,
}

/// The keys of a map that is being read.
#[derive(Default)]
struct Keys {
    seen: HashSet<String>,
    /// The key whose value is next.
    pending: Option<(String, Position)>,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    /// Expanded size of each anchored value that is complete.
    sizes: HashMap<usize, usize>,
    total: usize,
    root: Option<Outline>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, position: Position) -> Result<(), Error> {
        match event {
            Event::SequenceStart(_, anchor, _) => self.start(anchor, position, None),
            Event::MappingStart(_, anchor, _) => self.start(anchor, position, Some(Keys::default())),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(done) => {
                    self.sizes.insert(done.anchor, done.size);
                    self.place(done.outline, done.size, None)
                }
                None => Ok(()),
            },
            Event::Scalar(text, style, anchor, _) => {
                self.count(1, position)?;
                self.sizes.insert(anchor, 1);
                let mut outline = Outline::new(position);
                if style == ScalarStyle::Plain {
                    outline.plain = Some(text.to_string());
                }
                self.place(outline, 1, Some(text.into_owned()))
            }
            Event::Alias(anchor) => {
                let Some(size) = self.sizes.get(&anchor).copied() else {
                    let reason = "an alias stands inside the value it refers to".to_owned();
                    return Err(Error::Syntax { position, reason });
                };
                self.count(size, position)?;
                self.place(Outline::new(position), size, None)
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, size: usize, position: Position) -> Result<(), Error> {
        self.total = self.total.saturating_add(size);
        if self.total > MAX_VALUES {
            return Err(Error::TooManyValues {
                position,
                limit: MAX_VALUES,
            });
        }
        Ok(())
    }

    fn start(&mut self, anchor: usize, position: Position, map: Option<Keys>) -> Result<(), Error> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Error::TooDeep {
                position,
                limit: MAX_DEPTH,
            });
        }
        self.count(1, position)?;
        // An anchor used anew loses its earlier value before its own is complete.
        self.sizes.remove(&anchor);
        self.open.push(Open {
            outline: Outline::new(position),
            anchor,
            size: 1,
            map,
        });
        Ok(())
    }

    /// Puts a complete value where it belongs; `text` is a scalar's.
    fn place(&mut self, outline: Outline, size: usize, text: Option<String>) -> Result<(), Error> {
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(outline);
            return Ok(());
        };
        parent.size = parent.size.saturating_add(size);
        let Some(keys) = parent.map.as_mut() else {
            parent.outline.items.push(outline);
            return Ok(());
        };
        if let Some((key, position)) = keys.pending.take() {
            parent.outline.fields.push((key, position, outline));
            return Ok(());
        }
        // A collection or an alias as a key is nothing that a configuration knows; the reader judges it.
        let key = text.unwrap_or_default();
        if !key.is_empty() && !keys.seen.insert(key.clone()) {
            return Err(Error::DuplicateKey {
                position: outline.position,
                key,
            });
        }
        keys.pending = Some((key, outline.position));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn refuses_bombs_and_broken_yaml() {
        let laughs: String = (1..9).fold("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, n| {
            text + &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(","))
        });
        let many = format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(2_000), "*a,".repeat(2_000));
        let block: String = (0..2_000).map(|n| " ".repeat(n) + "a:\n").collect();
        let cases: [(String, &str); 13] = [
            (laughs, "more than 100000 values"),
            (many, "more than 100000 values"),
            ("- x\n".repeat(100_001), "more than 100000 values"),
            ("[".repeat(100_000), "nested deeper"),
            ("{a: ".repeat(100_000), "nested deeper"),
            ("- ".repeat(100_000), "nested deeper"),
            (block, "nested deeper"),
            ("a: &a [*a]".to_owned(), "inside the value"),
            ("a: *b".to_owned(), "1:4: not valid YAML"),
            ("a: 1\nb: 2\na: 3".to_owned(), r#"3:1: key "a" is given twice"#),
            ("x:\n  - {a: 1, \"a\": 2}".to_owned(), r#"2:12: key "a" is given twice"#),
            ("a: [".to_owned(), "not valid YAML"),
            ("&a &a x".to_owned(), "not valid YAML"),
        ];
        for (text, expected) in cases {
            let error = outline(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn knows_where_things_stand() {
        let text = "# one\na:\n  - x\n  - b: 1.50\n---\nbroken: [\n";
        let root = outline(text).unwrap().unwrap();
        let number = root.field("a").item(1).field("b");
        assert_eq!(number.position, Position { line: 4, column: 8 });
        assert_eq!(number.plain.as_deref(), Some("1.50"));
        assert_eq!(root.key_at(0), Position { line: 2, column: 1 });
        assert_eq!(root.field("a").item(0).position, Position { line: 3, column: 5 });
        for empty in ["", "# only a comment\n", &"# many\n".repeat(1_000)] {
            assert!(outline(empty).unwrap().is_none(), "{empty}");
        }
    }
}
