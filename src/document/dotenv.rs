//! dotenv as SOPS reads it: a key up to the first `=`, a value up to the line feed, a comment behind a `#` in the first column.
//!
//! Quotes, blanks, `export` and carriage returns belong to keys and values. `\n` in a value means a line feed, and nothing else is
//! an escape, so that each value has one spelling only.

use std::borrow::Cow;

use super::flat::text_of;
use super::{Comment, Context, Document, Error, Fault, Format, Item, Key, Leaf, Origin, Root, RootStyle, Style, Value};
use crate::text::{Position, Span};

/// Reads a dotenv text.
///
/// # Errors
/// [`Fault::Syntax`] for a line that is neither empty nor a comment and has no `=`.
pub fn parse(text: &str) -> Result<Document<'_>, Error> {
    let root = Root {
        style: RootStyle::Lines,
        insert_at: text.len(),
    };
    let mut items = vec![Item::Begin(root)];
    let mut start = 0;
    for line in text.split('\n') {
        let end = start + line.len();
        if line.starts_with('#') {
            let span = Span::new(start + 1, end);
            items.push(Item::Comment(Comment {
                text: Cow::Borrowed(span.of(text)),
                span,
                rest: Vec::new(),
                header: None,
                inline: false,
                lost: false,
            }));
        } else if let Some((name, _)) = line.split_once('=') {
            let key = Span::new(start, start + name.len());
            items.push(Item::Leaf(leaf(text, key, Span::new(key.end + 1, end))));
        } else if !line.is_empty() {
            return Err(Error {
                place: Position::at(text.as_bytes(), start),
                fault: Fault::Syntax {
                    format: Format::Dotenv.name(),
                    reason: "a line has no `=` and no `#` at its start".to_owned(),
                },
            });
        }
        start = end + 1;
    }
    Ok(Document {
        text,
        format: Format::Dotenv,
        items,
        flaws: Vec::new(),
        stand_ins: Vec::new(),
    })
}

fn leaf(text: &str, key: Span, span: Span) -> Leaf<'_> {
    let raw = span.of(text);
    let value = if raw.contains("\\n") {
        Cow::Owned(raw.replace("\\n", "\n").into_bytes())
    } else {
        Cow::Borrowed(raw.as_bytes())
    };
    Leaf {
        key: Some(Key {
            name: Cow::Borrowed(key.of(text)),
            span: key,
        }),
        value: Value::Str(value),
        style: Style::Plain,
        span,
        body: span,
        context: Context::default(),
        origin: Origin::Text,
    }
}

/// The text of an opened value.
#[must_use]
pub fn opened_token(value: &Value<'_>) -> String {
    text_of(value).replace('\n', "\\n")
}

/// One line with its line feed. `None` for a key that would be read as something else.
#[must_use]
pub fn line(key: &str, value: &Value<'_>) -> Option<String> {
    let reads_back = !key.starts_with('#') && !key.contains(['=', '\n']);
    reads_back.then(|| format!("{key}={}\n", opened_token(value)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    #[test]
    fn a_line_that_is_nothing_is_refused() {
        #[track_caller]
        fn case(text: &str, place: &str) {
            let expected = format!("{place}: not valid dotenv: a line has no `=` and no `#` at its start");
            assert_eq!(parse(text).unwrap_err().to_string(), expected);
        }
        case("A=1\nNOEQUALS\n", "2:1");
        case("A=1\n  # indented\n", "2:1");
        case(" \n", "1:1");
        case("A=1\n\r\n", "2:1");
        case("\u{feff}# comment\n", "1:1");
    }

    #[test]
    fn the_walk_follows_the_text() {
        let text = "# c\nexport A = 1 \n\nB=x\\ny\\\\nz\n#\nC=\nC='q'# no comment\r\n=v";
        let document = parse(text).unwrap();
        let seen: Vec<String> = document
            .items
            .iter()
            .map(|item| match item {
                Item::Begin(root) => format!("{}", root.insert_at),
                Item::Leaf(leaf) => {
                    let bytes = leaf.value.plain_bytes().unwrap();
                    let value = String::from_utf8_lossy(&bytes).into_owned();
                    let name = leaf.key.as_ref().unwrap().name.clone();
                    assert_eq!(opened_token(&leaf.value), leaf.span.of(text));
                    format!("{name}={value}")
                }
                Item::Comment(comment) => format!("#{}", comment.text),
                Item::Enter(_) | Item::Leave => unreachable!("dotenv has no containers"),
            })
            .collect();
        assert_eq!(
            seen,
            [
                text.len().to_string().as_str(),
                "# c",
                "export A = 1 ",
                "B=x\ny\\\nz",
                "#",
                "C=",
                "C='q'# no comment\r",
                "=v"
            ]
        );
        assert_eq!(parse("").unwrap().items.len(), 1);
    }

    #[test]
    fn a_key_that_reads_as_something_else_is_not_written() {
        let value = Value::Str(Cow::Borrowed(b"x\ny"));
        assert_eq!(line("A", &value).unwrap(), "A=x\\ny\n");
        for key in ["#a", "a=b", "a\nb"] {
            assert!(line(key, &value).is_none(), "{key}");
        }
    }
}
