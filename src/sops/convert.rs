//! A plain document in another format (format, sections 9.4, 10.1 and 10.2): the same values, laid out as SOPS does it.
//!
//! Formats with a single document get the first one, and JSON has no comments.

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::door::text_of;
use super::error::Error;
use super::extract::root_shape;
use super::sealed::parse_document;
use super::{convert_lines, convert_yaml};
use crate::document::{Context, Document, Format, Item, Key, Leaf, Origin, Root, RootStyle, Shape, Style, Value, json};
use crate::text::Span;

/// The one key of what is binary.
const DATA: &str = "data";

/// How the output is indented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indents {
    /// What stands before a line of JSON for each level.
    pub json: String,
    /// Blanks for each level of YAML, 2 to 9.
    pub yaml: usize,
}

impl Default for Indents {
    fn default() -> Self {
        Self {
            json: "\t".to_owned(),
            yaml: 4,
        }
    }
}

/// Converts a plain file.
///
/// # Errors
/// [`Error::Document`] for what can't be read as `from`, [`Error::Inexpressible`] for what `to` has no form for.
pub fn convert(content: &[u8], from: Format, to: Format, indents: &Indents) -> Result<Zeroizing<Vec<u8>>, Error> {
    if from == to {
        return Ok(Zeroizing::new(content.to_vec()));
    }
    let text;
    let document = if from == Format::Binary {
        of_binary(content)
    } else {
        text = text_of(from, content)?.0;
        parse_document(from, &text)?
    };
    match to {
        Format::Binary => data(&document),
        Format::Yaml => Ok(bytes(convert_yaml::to_yaml(&document, content.len(), indents.yaml)?)),
        Format::Dotenv => Ok(bytes(convert_lines::to_dotenv(
            &document,
            room_for(&document, content.len(), 0),
        )?)),
        Format::Ini => Ok(bytes(convert_lines::to_ini(
            &document,
            room_for(&document, content.len(), 0),
        )?)),
        Format::Json => Ok(bytes(to_json(&document, content.len(), &indents.json)?)),
    }
}

/// The text as bytes, without a copy left behind.
fn bytes(mut text: Zeroizing<String>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(std::mem::take(&mut *text).into_bytes())
}

/// A document with the one text that a binary file is.
pub(super) fn of_binary(content: &[u8]) -> Document<'_> {
    let key = Some(Key {
        name: Cow::Borrowed(DATA),
        span: Span::default(),
    });
    let (span, body, context) = (Span::default(), Span::default(), Context::default());
    let (value, style, origin) = (Value::Str(Cow::Borrowed(content)), Style::Double, Origin::Text);
    let leaf = Leaf {
        key,
        value,
        style,
        span,
        body,
        context,
        origin,
    };
    let root = Root {
        style: RootStyle::Flow {
            empty: false,
            comma: false,
        },
        insert_at: 0,
    };
    let items = vec![Item::Begin(root), Item::Leaf(leaf)];
    Document {
        text: "",
        format: Format::Binary,
        items,
        flaws: Vec::new(),
        stand_ins: Vec::new(),
    }
}

/// The items of the first document, without its beginning.
pub(super) fn first<'d, 't>(document: &'d Document<'t>) -> impl Iterator<Item = &'d Item<'t>> {
    document
        .items
        .iter()
        .skip(1)
        .take_while(|item| !matches!(item, Item::Begin(_)))
}

/// The bytes of the text `data` at the root.
pub(super) fn data(document: &Document<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut depth = 0_usize;
    for item in first(document) {
        match item {
            Item::Enter(_) => depth += 1,
            Item::Leave => depth = depth.saturating_sub(1),
            Item::Leaf(leaf) if depth == 0 && leaf.key.as_ref().is_some_and(|key| key.name == DATA) => {
                if let Value::Str(text) = &leaf.value {
                    return Ok(Zeroizing::new(text.to_vec()));
                }
            }
            _ => {}
        }
    }
    Err(Error::Inexpressible {
        what: "a document without a text named `data`",
        format: Format::Binary.name(),
    })
}

/// A text with room for a document of `size` bytes at once: one that grows leaves copies of secrets behind.
pub(super) fn room_for(document: &Document<'_>, size: usize, unit: usize) -> Zeroizing<String> {
    let depth = document
        .items
        .iter()
        .fold((0_usize, 0_usize), |(depth, most), item| match item {
            Item::Enter(_) => (depth + 1, most.max(depth + 1)),
            Item::Leave => (depth.saturating_sub(1), most),
            _ => (depth, most),
        });
    // Deep nesting is rare; where it is not, growing beats reserving by the square.
    let line = (depth.1.min(16) + 2) * unit + 8;
    Zeroizing::new(String::with_capacity(size * 2 + document.items.len() * line))
}

pub(super) fn to_json(document: &Document<'_>, size: usize, unit: &str) -> Result<Zeroizing<String>, Error> {
    let mut out = room_for(document, size, unit.len());
    // For each open container its shape, and whether it has a member.
    let mut levels = vec![(root_shape(document), false)];
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        (0..depth).for_each(|_| out.push_str(unit));
    };
    let member = |out: &mut String, levels: &mut Vec<(Shape, bool)>, key: Option<&Key<'_>>| {
        let depth = levels.len();
        if let Some((_, filled)) = levels.last_mut() {
            if *filled {
                out.push(',');
            }
            *filled = true;
        }
        line(out, depth);
        if let Some(key) = key {
            out.push_str(&json::quote(&key.name));
            out.push_str(": ");
        }
    };
    out.push(if root_shape(document) == Shape::Map { '{' } else { '[' });
    for item in first(document) {
        match item {
            Item::Enter(container) => {
                member(&mut out, &mut levels, container.key.as_ref());
                out.push(if container.shape == Shape::Map { '{' } else { '[' });
                levels.push((container.shape, false));
            }
            Item::Leave => close(&mut out, &mut levels, line),
            Item::Leaf(leaf) if leaf.origin == Origin::Overridden => {}
            Item::Leaf(leaf) => {
                member(&mut out, &mut levels, leaf.key.as_ref());
                out.push_str(&json_token(&leaf.value)?);
            }
            Item::Begin(_) | Item::Comment(_) => {}
        }
    }
    close(&mut out, &mut levels, line);
    out.push('\n');
    Ok(out)
}

fn close(out: &mut String, levels: &mut Vec<(Shape, bool)>, line: impl Fn(&mut String, usize)) {
    let Some((shape, filled)) = levels.pop() else { return };
    if filled {
        line(out, levels.len());
    }
    out.push(if shape == Shape::Map { '}' } else { ']' });
}

pub(super) fn json_token(value: &Value<'_>) -> Result<Zeroizing<String>, Error> {
    match value {
        Value::Str(text) if std::str::from_utf8(text).is_err() => {
            return Err(Error::Inexpressible {
                what: "text that is not UTF-8",
                format: Format::Json.name(),
            });
        }
        Value::Float(number) if !number.is_finite() => {
            return Err(Error::Inexpressible {
                what: "a number that is not finite",
                format: Format::Json.name(),
            });
        }
        _ => {}
    }
    Ok(Zeroizing::new(json::opened_token(value, b"")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    fn converted(text: &[u8], from: Format, to: Format) -> Result<String, Error> {
        convert(text, from, to, &Indents::default()).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn what_a_format_has_no_form_for_is_refused() {
        #[track_caller]
        fn case(text: &[u8], from: Format, to: Format, expected: &str) {
            assert_eq!(converted(text, from, to).unwrap_err().to_string(), expected);
        }
        let no_data = "a document without a text named `data` can't be written as binary";
        case(b"{}", Format::Json, Format::Binary, no_data);
        case(b"{\"data\": 1}", Format::Json, Format::Binary, no_data);
        case(b"{\"x\": {\"data\": \"1\"}}", Format::Json, Format::Binary, no_data);
        case(
            b"\xff",
            Format::Binary,
            Format::Json,
            "text that is not UTF-8 can't be written as json",
        );
        case(
            b"a: .nan\n",
            Format::Yaml,
            Format::Json,
            "a number that is not finite can't be written as json",
        );
        case(
            b"{",
            Format::Json,
            Format::Yaml,
            "1:2: not valid json: the file ends inside an object or list",
        );
    }

    #[test]
    fn binary_is_one_text() {
        assert_eq!(
            converted(b"a\n", Format::Binary, Format::Json).unwrap(),
            "{\n\t\"data\": \"a\\n\"\n}\n"
        );
        assert_eq!(
            converted(b"a\nb\n", Format::Binary, Format::Yaml).unwrap(),
            "data: |\n    a\n    b\n"
        );
        assert_eq!(
            converted(b"{\"data\": \"a\\n\"}", Format::Json, Format::Binary).unwrap(),
            "a\n"
        );
        assert_eq!(converted(b"", Format::Binary, Format::Yaml).unwrap(), "data: \"\"\n");
        assert_eq!(
            converted(b"\xff", Format::Binary, Format::Yaml).unwrap(),
            "data: !!binary /w==\n"
        );
    }

    #[test]
    fn yaml_becomes_json() {
        let yaml = b"# c\na: 1\nb:\n- x: [1.5, true, null, 'q']\n  y: {}\nc: []\nd: 2020-01-02\n---\ne: f\n";
        let json = "{\n\t\"a\": 1,\n\t\"b\": [\n\t\t{\n\t\t\t\"x\": [\n\t\t\t\t1.5,\n\t\t\t\ttrue,\n\t\t\t\tnull,\n\t\t\t\t\"q\"\n\t\t\t],\
                    \n\t\t\t\"y\": {}\n\t\t}\n\t],\n\t\"c\": [],\n\t\"d\": \"2020-01-02T00:00:00Z\"\n}\n";
        assert_eq!(converted(yaml, Format::Yaml, Format::Json).unwrap(), json);
        let flat = Indents {
            json: String::new(),
            yaml: 4,
        };
        assert_eq!(
            *convert(b"a: {b: 1}", Format::Yaml, Format::Json, &flat).unwrap(),
            b"{\n\"a\": {\n\"b\": 1\n}\n}\n"
        );
    }

    #[test]
    fn json_becomes_yaml_laid_out_as_sops_does_it() {
        let json = br#"{"a":[{"b":1,"c":["d",["e","f"]]},"t\nu\n",[],{}],"x":{"y":{"z":null}},"n":true}"#;
        let four = "a:\n    - b: 1\n      c:\n        - d\n        - - e\n          - f\n    - |\n      t\n      u\n    - []\n    - {}\n\
                    x:\n    y:\n        z: null\nn: true\n";
        assert_eq!(converted(json, Format::Json, Format::Yaml).unwrap(), four);
        let two = Indents {
            yaml: 2,
            ..Indents::default()
        };
        let narrow = "a:\n  - b: 1\n    c:\n      - d\n      - - e\n        - f\n  - |\n    t\n    u\n  - []\n  - {}\n\
                      x:\n  y:\n    z: null\nn: true\n";
        assert_eq!(
            *convert(json, Format::Json, Format::Yaml, &two).unwrap(),
            narrow.as_bytes()
        );
        assert_eq!(converted(b"{}", Format::Json, Format::Yaml).unwrap(), "{}\n");
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let texts = [
            "",
            " ",
            "x ",
            "true",
            "1",
            "~",
            "a: b",
            "a #b",
            "- x",
            "*a",
            "a\nb",
            "a\nb\n",
            "a\n\n",
            "\n",
            "\na",
            " a\nb",
            "a \nb",
            "\ta\nb",
            "a\r\nb",
            "\u{85}",
            "\u{1f600}\n",
            "\u{feff}x\ny",
            "'",
            "\"\n",
            "a\u{2028}b\nc",
            "---\n",
            "<<",
            "1:30",
            "\u{7f}\n",
        ];
        for text in texts {
            for json in [
                format!(
                    "{{{0}: {0}, \"k\": [{0}, {{\"x\": {0}}}, [{0}]], \"m\": {{{0}: {{\"y\": {0}}}}}}}",
                    json::quote(text)
                ),
                format!("{{\"long{}\": {}}}", "g".repeat(200), json::quote(text)),
            ] {
                let yaml = converted(json.as_bytes(), Format::Json, Format::Yaml).unwrap();
                let back = converted(yaml.as_bytes(), Format::Yaml, Format::Json);
                assert_eq!(
                    back.unwrap_or_else(|e| panic!("{e}: {yaml}")),
                    converted_json(&json),
                    "{text:?}: {yaml}"
                );
            }
        }
    }

    fn converted_json(text: &str) -> String {
        to_json(&json::parse(text).unwrap(), 0, "\t").unwrap().to_string()
    }
}
