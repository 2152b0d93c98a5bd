//! JSON: the walk through one object, and the spelling of its tokens.
//!
//! Strict where Go's decoder is lenient in a way that loses data: nothing may follow the root object, and a list must be closed.

mod scanner;

use std::borrow::Cow;

use super::{
    Container, Context, Document, Error, Fault, Format, Item, Key, Leaf, Origin, Root, RootStyle, Shape, Style, Value,
};
use crate::text::Span;
use scanner::{Scanner, Token};

/// Levels of objects and lists that a file may nest.
const MAX_DEPTH: usize = 1_000;

/// Reads a JSON text whose root is an object.
///
/// # Errors
/// [`Fault::RootIsNotAMap`], [`Fault::NoDocument`], [`Fault::TooDeep`] or [`Fault::Syntax`], with the place.
pub fn parse(text: &str) -> Result<Document<'_>, Error> {
    Reader {
        scanner: Scanner::new(text),
        items: Vec::new(),
        flaws: Vec::new(),
        levels: Vec::new(),
    }
    .read()
}

/// Reads a JSON text that is one value of any kind; its item follows the beginning.
///
/// # Errors
/// As [`parse`], but any root will do.
pub fn parse_value(text: &str) -> Result<Document<'_>, Error> {
    let mut reader = Reader {
        scanner: Scanner::new(text),
        items: Vec::new(),
        flaws: Vec::new(),
        levels: Vec::new(),
    };
    let Some((token, span)) = reader.scanner.next()? else {
        return Err(reader.scanner.fault(0, Fault::NoDocument));
    };
    let style = RootStyle::Nothing;
    reader.items.push(Item::Begin(Root { style, insert_at: 0 }));
    reader.value(None, token, span)?;
    reader.rest("something follows the value")
}

/// One open object or list.
struct Level<'t> {
    shape: Shape,
    /// Index of its `Enter` (of the document's `Begin` for the root).
    item: usize,
    /// Where its last member ended; its opening bracket's end while it has none.
    last_end: usize,
    members: usize,
    keys: std::collections::HashSet<Cow<'t, str>>,
}

struct Reader<'t> {
    scanner: Scanner<'t>,
    items: Vec<Item<'t>>,
    flaws: Vec<Error>,
    levels: Vec<Level<'t>>,
}

impl<'t> Reader<'t> {
    fn read(mut self) -> Result<Document<'t>, Error> {
        let start = match self.scanner.next()? {
            None => return Err(self.scanner.fault(0, Fault::NoDocument)),
            Some((Token::OpenMap, span)) => span,
            Some((_, span)) => return Err(self.scanner.fault(span.start, Fault::RootIsNotAMap)),
        };
        let root = Root {
            style: RootStyle::Flow {
                empty: true,
                comma: false,
            },
            insert_at: start.end,
        };
        self.items.push(Item::Begin(root));
        self.open(Shape::Map, 0, start.end);
        self.rest("something follows the top-level object")
    }

    /// Reads up to the end of what is open, behind which nothing may stand.
    fn rest(mut self, surplus: &str) -> Result<Document<'t>, Error> {
        while !self.levels.is_empty() {
            self.member()?;
        }
        if let Some((_, span)) = self.scanner.next()? {
            return Err(self.scanner.syntax(span.start, surplus));
        }
        Ok(Document {
            text: self.scanner.text(),
            format: Format::Json,
            items: self.items,
            flaws: self.flaws,
            stand_ins: Vec::new(),
        })
    }

    fn open(&mut self, shape: Shape, item: usize, at: usize) {
        self.levels.push(Level {
            shape,
            item,
            last_end: at,
            members: 0,
            keys: std::collections::HashSet::new(),
        });
    }

    /// Reads up to and including one member of the innermost container, or its closing bracket.
    fn member(&mut self) -> Result<(), Error> {
        let Some(level) = self.levels.last() else { return Ok(()) };
        let (shape, members) = (level.shape, level.members);
        let (mut token, mut span) = self.scanner.expect("the file ends inside an object or list")?;
        if token
            == (if shape == Shape::Map {
                Token::CloseMap
            } else {
                Token::CloseList
            })
        {
            self.close(span);
            return Ok(());
        }
        if members > 0 {
            if token != Token::Comma {
                return Err(self
                    .scanner
                    .syntax(span.start, "a comma or a closing bracket is missing"));
            }
            (token, span) = self.scanner.expect("the file ends after a comma")?;
        }
        if shape == Shape::List {
            return self.value(None, token, span);
        }
        let key = self.key(token, span)?;
        let (token, span) = self.scanner.expect("the file ends where a value is missing")?;
        self.value(Some(key), token, span)
    }

    fn key(&mut self, token: Token<'t>, span: Span) -> Result<Key<'t>, Error> {
        let Token::Text(name) = token else {
            return Err(self.scanner.syntax(span.start, "a key in double quotes is missing"));
        };
        if let Some(level) = self.levels.last_mut()
            && !level.keys.insert(name.clone())
        {
            self.flaws.push(self.scanner.fault(span.start, Fault::DuplicateKey));
        }
        let (colon, place) = self.scanner.expect("the file ends after a key")?;
        if colon != Token::Colon {
            return Err(self.scanner.syntax(place.start, "a colon is missing after a key"));
        }
        Ok(Key { name, span })
    }

    fn value(&mut self, key: Option<Key<'t>>, token: Token<'t>, span: Span) -> Result<(), Error> {
        let value = match token {
            Token::OpenMap | Token::OpenList => {
                if self.levels.len() >= MAX_DEPTH {
                    return Err(self.scanner.fault(span.start, Fault::TooDeep { limit: MAX_DEPTH }));
                }
                let shape = if token == Token::OpenMap {
                    Shape::Map
                } else {
                    Shape::List
                };
                self.items.push(Item::Enter(Container {
                    key,
                    shape,
                    span,
                    origin: Origin::Text,
                }));
                self.open(shape, self.items.len() - 1, span.end);
                return Ok(());
            }
            Token::Text(text) => Value::Str(match text {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            }),
            Token::Int(number) => Value::Int(number),
            Token::Float(number) => Value::Float(number),
            Token::Bool(truth) => Value::Bool(truth),
            Token::Null => Value::Null,
            _ => return Err(self.scanner.syntax(span.start, "a value is missing")),
        };
        let style = if matches!(value, Value::Str(_)) {
            Style::Double
        } else {
            Style::Plain
        };
        let (context, origin) = (
            Context {
                in_flow: true,
                ..Context::default()
            },
            Origin::Text,
        );
        self.items.push(Item::Leaf(Leaf {
            key,
            value,
            style,
            span,
            body: span,
            context,
            origin,
        }));
        self.ended(span.end);
        Ok(())
    }

    /// Notes that a member of the innermost container ended here.
    fn ended(&mut self, at: usize) {
        if let Some(level) = self.levels.last_mut() {
            level.last_end = at;
            level.members += 1;
        }
    }

    fn close(&mut self, bracket: Span) {
        let Some(level) = self.levels.pop() else { return };
        match self.items.get_mut(level.item) {
            Some(Item::Begin(root)) => {
                root.insert_at = level.last_end;
                root.style = RootStyle::Flow {
                    empty: level.members == 0,
                    comma: false,
                };
            }
            Some(Item::Enter(container)) => {
                container.span.end = bracket.end;
                self.items.push(Item::Leave);
                self.ended(bracket.end);
            }
            _ => {}
        }
    }
}

/// The token of an opened value: the envelope's own plaintext where JSON reads it as this value, else Go's spelling.
#[must_use]
pub fn opened_token(value: &Value<'_>, plaintext: &[u8]) -> String {
    match value {
        Value::Str(text) => quote(&String::from_utf8_lossy(text)),
        Value::Time(text) => quote(text),
        Value::Bool(truth) => truth.to_string(),
        Value::Null => "null".to_owned(),
        Value::Int(_) | Value::Float(_) => match std::str::from_utf8(plaintext) {
            Ok(text) if scanner::is_number(text, value) => text.to_owned(),
            _ => number(value),
        },
    }
}

/// A number as SOPS writes it to JSON; infinities and NaN, which JSON lacks, as text.
fn number(value: &Value<'_>) -> String {
    match value {
        Value::Int(number) => number.to_string(),
        Value::Float(number) if !number.is_finite() => quote(&super::value::float_text(*number)),
        // `-0` would read back as the integer, which has no sign and another hash.
        Value::Float(number) if *number == 0.0 && number.is_sign_negative() => "-0.0".to_owned(),
        Value::Float(number) => {
            let size = number.abs();
            if size != 0.0 && !(1e-6..1e21).contains(&size) {
                // Rust writes `1e21`, Go `1e+21`.
                let text = format!("{number:e}");
                if text.contains("e-") {
                    text
                } else {
                    text.replace('e', "e+")
                }
            } else {
                number.to_string()
            }
        }
        _ => String::new(),
    }
}

/// A JSON string with the fewest escapes.
#[must_use]
pub fn quote(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            // Writing to a String can't fail.
            control if control < ' ' => {
                write!(out, "\\u{:04x}", control as u32).ok();
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    #[test]
    fn what_is_not_one_object_is_refused() {
        #[track_caller]
        fn case(text: &str, expected: &str) {
            assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text}");
        }
        case("", "1:1: the file holds no document");
        case("[1]", "1:1: the top level is not a map");
        case("\"x\"", "1:1: the top level is not a map");
        case("{}x", "1:3: not valid json: an unknown word");
        case("{}{}", "1:3: not valid json: something follows the top-level object");
        case(
            "{\"a\":[1",
            "1:8: not valid json: the file ends inside an object or list",
        );
        case("{\"a\":1,}", "1:8: not valid json: a key in double quotes is missing");
        case("{\"a\" 1}", "1:6: not valid json: a colon is missing after a key");
        case("{\"a\":1e999}", "1:6: not valid json: a number is too large");
        case("{\"a\":01}", "1:6: not valid json: a number is malformed");
        case("{\"a\":\"\\x\"}", "1:7: not valid json: an escape is malformed");
        case(
            "{\"a\":\"\n\"}",
            "1:7: not valid json: a control character stands in a string",
        );
        case(
            "\u{feff}{}",
            "1:1: not valid json: a byte order mark stands at the start",
        );
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        case(&deep, "1:1005: nested deeper than 1000 levels");
    }

    #[test]
    fn a_value_of_any_kind_is_read_alone() {
        #[track_caller]
        fn case(text: &str, items: Result<usize, &str>) {
            let read = parse_value(text).map(|document| document.items.len());
            assert_eq!(
                read.map_err(|error| error.to_string()),
                items.map_err(str::to_owned),
                "{text}"
            );
        }
        case("", Err("1:1: the file holds no document"));
        case("word", Err("1:1: not valid json: an unknown word"));
        case("1 2", Err("1:3: not valid json: something follows the value"));
        case("[1", Err("1:3: not valid json: the file ends inside an object or list"));
        case("]", Err("1:1: not valid json: a value is missing"));
        case(" -1.50\n", Ok(2));
        case("null", Ok(2));
        case("[1, {\"a\": []}]", Ok(8));
    }

    #[test]
    fn the_walk_follows_the_text() {
        let text = "{\"a\": {\"b\": [1, -2.50, true, null, \"x\\u0041\"]}, \"c\": {} }";
        let document = parse(text).unwrap();
        let mut seen = Vec::new();
        for item in &document.items {
            match item {
                Item::Begin(root) => {
                    assert_eq!(
                        root.style,
                        RootStyle::Flow {
                            empty: false,
                            comma: false
                        }
                    );
                    assert_eq!(&text[root.insert_at..], " }");
                }
                Item::Enter(container) => seen.push(format!(
                    "{}={}",
                    container.key.as_ref().map_or("-", |key| key.name.as_ref()),
                    container.span.of(text)
                )),
                Item::Leave => seen.push("leave".to_owned()),
                Item::Leaf(leaf) => seen.push(leaf.span.of(text).to_owned()),
                Item::Comment(_) => unreachable!("JSON has no comments"),
            }
        }
        let list = "[1, -2.50, true, null, \"x\\u0041\"]";
        let map = format!("a={{\"b\": {list}}}");
        let list = format!("b={list}");
        assert_eq!(
            seen,
            [
                map.as_str(),
                &list,
                "1",
                "-2.50",
                "true",
                "null",
                "\"x\\u0041\"",
                "leave",
                "leave",
                "c={}",
                "leave"
            ]
        );
    }

    #[test]
    fn a_key_twice_is_a_flaw_not_an_error() {
        let document = parse("{\"a\":1,\"a\":2}").unwrap();
        assert_eq!(document.flaws[0].to_string(), "1:8: a key stands twice in the same map");
    }

    #[test]
    fn numbers_keep_their_spelling_where_json_reads_them_back() {
        #[track_caller]
        fn case(value: &Value<'_>, plaintext: &str, expected: &str) {
            assert_eq!(opened_token(value, plaintext.as_bytes()), expected);
        }
        case(&Value::Int(5), "5", "5");
        case(&Value::Int(5), "+5", "5");
        case(&Value::Float(1.5), "1.50", "1.50");
        case(&Value::Float(1e21), "1000000000000000000000", "1000000000000000000000");
        case(&Value::Float(0.5), ".5", "0.5");
        case(&Value::Float(1e-7), "x", "1e-7");
        case(&Value::Float(1e22), "x", "1e+22");
        case(&Value::Float(-0.0), "-0", "-0.0");
        case(&Value::Float(f64::INFINITY), "+Inf", "\"+Inf\"");
        case(&Value::Bool(true), "True", "true");
        case(&Value::Str(Cow::Borrowed(b"a\"<\n\x01")), "", "\"a\\\"<\\n\\u0001\"");
    }
}
