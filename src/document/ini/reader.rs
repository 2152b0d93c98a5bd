//! From lines to sections, and from sections to the walk.

use std::borrow::Cow;
use std::collections::HashMap;

use super::DEFAULT;
use super::comment::{Behind, MARKS, joined};
use super::value::{Read, line_at, read, trimmed};
use crate::document::{
    Comment, Container, Context, Document, Error, Fault, Format, Item, Key, Leaf, Origin, Root, RootStyle, Shape, Value,
};
use crate::text::{Position, Span};

/// Skipped at the start of a file.
const BOM: char = '\u{feff}';

/// Reads an INI text. Comments above a section named `reserved` belong to the one before it.
///
/// # Errors
/// [`Fault::Syntax`] where SOPS's library refuses the text too.
pub fn parse<'t>(text: &'t str, reserved: &str) -> Result<Document<'t>, Error> {
    let mut reader = Reader {
        text,
        at: if text.starts_with(BOM) { BOM.len_utf8() } else { 0 },
        reserved,
        sections: Vec::new(),
        section: Section::new(Cow::Borrowed(DEFAULT), Span::default(), Span::default()),
        pending: Vec::new(),
    };
    while reader.at < text.len() {
        reader.line()?;
    }
    reader.close();
    let root = Root {
        style: RootStyle::Lines,
        insert_at: text.len(),
    };
    let mut items = vec![Item::Begin(root)];
    for section in reader.sections {
        section.walk(&mut items);
    }
    Ok(Document {
        text,
        format: Format::Ini,
        items,
        flaws: Vec::new(),
        stand_ins: Vec::new(),
    })
}

struct Reader<'t, 'r> {
    text: &'t str,
    at: usize,
    reserved: &'r str,
    sections: Vec<Section<'t>>,
    section: Section<'t>,
    /// Comments that wait for what they belong to.
    pending: Vec<Span>,
}

struct Section<'t> {
    key: Key<'t>,
    span: Span,
    comments: Vec<Comment<'t>>,
    entries: Vec<Entry<'t>>,
    /// The entry of each key.
    places: HashMap<Cow<'t, str>, usize>,
    /// How many keys named `-` there were.
    numbered: usize,
    /// What SOPS loses at the end.
    lost: Vec<Comment<'t>>,
}

/// A key with the last of its values, and what SOPS loses of those before.
struct Entry<'t> {
    leaf: Leaf<'t>,
    comments: Vec<Comment<'t>>,
    overridden: Vec<Leaf<'t>>,
    lost: Vec<Comment<'t>>,
}

impl<'t> Reader<'t, '_> {
    fn fault<T>(&self, at: usize, reason: &str) -> Result<T, Error> {
        Err(Error {
            place: Position::at(self.text.as_bytes(), at),
            fault: Fault::Syntax {
                format: Format::Ini.name(),
                reason: reason.to_owned(),
            },
        })
    }

    /// Reads the line at hand, or all lines of a value.
    fn line(&mut self) -> Result<(), Error> {
        let line = line_at(self.text, self.at);
        self.at = line.end;
        let raw = line.of(self.text);
        let line = Span::new(line.end - raw.trim_start().len(), line.end);
        match line.of(self.text).chars().next() {
            None => Ok(()),
            Some(mark) if MARKS.contains(&mark) => {
                let piece = line.of(self.text);
                let length = piece.strip_suffix('\n').unwrap_or(piece).len();
                self.pending.push(Span::new(line.start, line.start + length));
                Ok(())
            }
            Some('[') => self.header(line),
            Some(_) => self.key(line),
        }
    }

    fn header(&mut self, line: Span) -> Result<(), Error> {
        let Some(close) = line.of(self.text).rfind(']') else {
            return self.fault(line.start, "a section's closing bracket is missing");
        };
        let name = Span::new(line.start + 1, line.start + close);
        if name.start == name.end {
            return self.fault(line.start, "a section has no name");
        }
        let name = Key {
            name: Cow::Borrowed(name.of(self.text)),
            span: name,
        };
        let behind = Span::new(line.start + close + 1, line.end);
        let mark = behind.of(self.text).find(MARKS).map(|at| behind.start + at);
        if name.name == self.reserved {
            // SOPS takes them for a comment on its metadata.
            self.lose_pending();
        }
        self.pending
            .extend(mark.map(|mark| trimmed(self.text, Span::new(mark, behind.end))));
        let behind = mark.map_or(Behind::Nothing, |_| Behind::Header(line.start));
        let comments = joined(self.text, &std::mem::take(&mut self.pending), behind);
        let next = Section {
            comments,
            ..Section::new(name.name, name.span, line)
        };
        let done = std::mem::replace(&mut self.section, next);
        self.sections.push(done);
        Ok(())
    }

    fn key(&mut self, line: Span) -> Result<(), Error> {
        let (key, rest) = match self.name(line) {
            Ok(found) => found,
            Err(reason) => return self.fault(line.start, reason),
        };
        let Some(read) = read(self.text, rest) else {
            return self.fault(line.start, "the quotes of a value are not closed");
        };
        self.at = read.end;
        let behind = read.comment.map_or(Behind::Nothing, |_| Behind::Key);
        let mut pieces = std::mem::take(&mut self.pending);
        pieces.extend(read.comment);
        let comments = joined(self.text, &pieces, behind);
        self.section.span.end = self.at;
        self.section.put(self.text, key, read, comments);
        Ok(())
    }

    /// The key in a line, and the part behind its delimiter.
    fn name(&mut self, line: Span) -> Result<(Key<'t>, Span), &'static str> {
        let raw = line.of(self.text);
        let quote = if raw.len() > 6 && raw.starts_with("\"\"\"") {
            "\"\"\""
        } else if raw.starts_with('"') {
            "\""
        } else if raw.starts_with('`') {
            "`"
        } else {
            ""
        };
        let inside = raw.get(quote.len()..).unwrap_or_default();
        let (length, behind) = if quote.is_empty() {
            (0, inside)
        } else {
            let length = inside.find(quote).ok_or("the quotes of a key are not closed")?;
            (length, inside.get(length + quote.len()..).unwrap_or_default())
        };
        let delimiter = behind.find(['=', ':']).ok_or("a line has no `=` and no `:`")?;
        let rest = Span::new(line.end - behind.len() + delimiter + 1, line.end);
        let span = if quote.is_empty() {
            trimmed(self.text, Span::new(line.start, rest.start - 1))
        } else {
            let start = line.start + quote.len();
            trimmed(self.text, Span::new(start, start + length))
        };
        let name = span.of(self.text);
        if name.is_empty() {
            return Err("a key has no name");
        }
        let name = if name == "-" {
            self.section.numbered += 1;
            Cow::Owned(format!("#{}", self.section.numbered))
        } else {
            Cow::Borrowed(name)
        };
        let whole = trimmed(self.text, Span::new(line.start, rest.start - 1));
        Ok((Key { name, span: whole }, rest))
    }

    /// The comments that wait belong to nothing.
    fn lose_pending(&mut self) {
        let pieces = std::mem::take(&mut self.pending);
        let comments = joined(self.text, &pieces, Behind::Nothing);
        self.section.lost.extend(comments.into_iter().map(lost));
    }

    fn close(&mut self) {
        self.lose_pending();
        let done = std::mem::replace(
            &mut self.section,
            Section::new(Cow::Borrowed(DEFAULT), Span::default(), Span::default()),
        );
        self.sections.push(done);
    }
}

fn lost(comment: Comment<'_>) -> Comment<'_> {
    Comment { lost: true, ..comment }
}

impl<'t> Section<'t> {
    fn new(name: Cow<'t, str>, key: Span, span: Span) -> Self {
        Self {
            key: Key { name, span: key },
            span,
            comments: Vec::new(),
            entries: Vec::new(),
            places: HashMap::new(),
            numbered: 0,
            lost: Vec::new(),
        }
    }

    /// Adds a key; one that is there already gets the new value at its old place.
    fn put(&mut self, text: &'t str, key: Key<'t>, read: Read<'t>, comments: Vec<Comment<'t>>) {
        let value = match read.value {
            Cow::Borrowed(value) => Cow::Borrowed(value.as_bytes()),
            Cow::Owned(value) => Cow::Owned(value.into_bytes()),
        };
        let name = key.name.clone();
        let leaf = Leaf {
            key: Some(key),
            value: Value::Str(value),
            style: read.style,
            span: read.span,
            body: read.span,
            context: Context::default(),
            origin: Origin::Text,
        };
        let junk = (read.junk.start < read.junk.end).then(|| Comment {
            text: Cow::Borrowed(read.junk.of(text)),
            span: read.junk,
            rest: Vec::new(),
            header: None,
            inline: true,
            lost: true,
        });
        let place = *self.places.entry(name).or_insert(self.entries.len());
        let Some(entry) = self.entries.get_mut(place) else {
            self.entries.push(Entry {
                leaf,
                comments,
                overridden: Vec::new(),
                lost: junk.into_iter().collect(),
            });
            return;
        };
        let mut before = std::mem::replace(&mut entry.leaf, leaf);
        before.origin = Origin::Overridden;
        entry.overridden.push(before);
        let before = std::mem::replace(&mut entry.comments, comments);
        entry.lost.extend(before.into_iter().map(lost).chain(junk));
    }

    fn walk(self, items: &mut Vec<Item<'t>>) {
        items.push(Item::Enter(Container {
            key: Some(self.key),
            shape: Shape::Map,
            span: self.span,
            origin: Origin::Text,
        }));
        items.extend(self.comments.into_iter().map(Item::Comment));
        for entry in self.entries {
            items.push(Item::Leaf(entry.leaf));
            items.extend(entry.overridden.into_iter().map(Item::Leaf));
            items.extend(entry.lost.into_iter().map(Item::Comment));
            items.extend(entry.comments.into_iter().map(Item::Comment));
        }
        items.extend(self.lost.into_iter().map(Item::Comment));
        items.push(Item::Leave);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    #[test]
    fn what_the_library_refuses_is_refused() {
        #[track_caller]
        fn case(text: &str, expected: &str) {
            let expected = expected.replacen(": ", ": not valid ini: ", 1);
            assert_eq!(parse(text, "sops").unwrap_err().to_string(), expected, "{text}");
        }
        case("a = 1\nnoequals\n", "2:1: a line has no `=` and no `:`");
        case("  [s\n", "1:3: a section's closing bracket is missing");
        case("[]\n", "1:1: a section has no name");
        case("= 1\n", "1:1: a key has no name");
        case("\"\" = 1\n", "1:1: a key has no name");
        case("\"a = 1\n", "1:1: the quotes of a key are not closed");
        case("`a`\n", "1:1: a line has no `=` and no `:`");
        case("a = `1\n", "1:1: the quotes of a value are not closed");
    }

    /// The walk, one item a word: `s{` and `}`, `key=value`, `!key=value` for what is overridden, `;text` and `!;text` for comments.
    fn walked(text: &str) -> Vec<String> {
        let document = parse(text, "sops").unwrap();
        let name = |key: &Option<Key<'_>>| key.as_ref().unwrap().name.to_string();
        let lost = |lost: bool| if lost { "!" } else { "" };
        let items = document.items.iter().filter_map(|item| match item {
            Item::Begin(_) => None,
            Item::Enter(container) => Some(format!("{}{{", name(&container.key))),
            Item::Leave => Some("}".to_owned()),
            Item::Leaf(leaf) => {
                let bytes = leaf.value.plain_bytes().unwrap();
                let value = String::from_utf8_lossy(&bytes).into_owned();
                let mark = lost(leaf.origin == Origin::Overridden);
                Some(format!("{mark}{}={value}", name(&leaf.key)))
            }
            Item::Comment(comment) => Some(format!("{};{}", lost(comment.lost), comment.text)),
        });
        items.collect()
    }

    #[test]
    fn the_walk_is_that_of_sops() {
        #[track_caller]
        fn case(text: &str, expected: &[&str]) {
            assert_eq!(walked(text), expected, "{text}");
        }
        case("", &["DEFAULT{", "}"]);
        case("\u{feff}a=1", &["DEFAULT{", "a=1", "}"]);
        case(
            "; c\n;; d\n[s]\n; above\nk = v # behind\n; next\n\n; to it\nl:w\n; the end",
            &[
                "DEFAULT{",
                "}",
                "s{",
                ";c\n;; d",
                "k=v",
                ";above\n# behind",
                "l=w",
                ";next\n; to it",
                "!;the end",
                "}",
            ],
        );
        case("a=1 ; x\nb=2\na=3\n", &["DEFAULT{", "a=3", "!a=1", "!;x", "b=2", "}"]);
        case(
            "-=1\n-=2\n[s]\n-=`3` z\n[s]\n",
            &["DEFAULT{", "#1=1", "#2=2", "}", "s{", "#1=3", "!;z", "}", "s{", "}"],
        );
        case(
            "[a]b] ; c\n\"\"\"k = \"\"\" : v\n; d\n[sops]\nm=1\n",
            &["DEFAULT{", "}", "a]b{", ";c", "k ==v", "!;d", "}", "sops{", "m=1", "}"],
        );
    }

    #[test]
    fn spans_lie_on_their_text() {
        let text = " [s] # h\r\n; one\r\n;two \r\n\tk\t= 'v' ;three  \r\n";
        let document = parse(text, "sops").unwrap();
        let mut found = Vec::new();
        for item in &document.items {
            match item {
                Item::Leaf(leaf) => found.extend([leaf.key.as_ref().unwrap().span.of(text), leaf.span.of(text)]),
                Item::Comment(comment) => {
                    found.push(comment.span.of(text));
                    found.extend(comment.rest.iter().map(|span| span.of(text)));
                }
                _ => {}
            }
        }
        assert_eq!(found, ["h", "k", "'v'", "one", "two ", "three"]);
    }
}
