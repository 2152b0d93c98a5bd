//! How values, keys and sections are written: each style that reads back as the same value, and what SOPS's library writes.

use super::comment::MARKS;
use super::value::{line_at, read};
use crate::document::flat::text_of;
use crate::document::{Item, Style, Value};

/// The text of a sealed leaf that had `style`; `envelope` is `ENC[…]`.
#[must_use]
pub fn sealed_token(style: Style, envelope: &str) -> String {
    enclosed(style, envelope)
}

/// The text of an open leaf whose sealed form has `style`. `None` where that style can't hold the value; [`Style::Plain`] always
/// gives a text, in quotes where it needs them.
#[must_use]
pub fn opened_token(style: Style, value: &Value<'_>) -> Option<String> {
    let text = text_of(value);
    if matches!(style, Style::Plain | Style::Other) {
        return Some(quoted(&text));
    }
    let token = enclosed(style, &text);
    reads_back(&token, &text).then_some(token)
}

fn enclosed(style: Style, text: &str) -> String {
    let quote = match style {
        Style::Single => "'",
        Style::Double => "\"",
        Style::Backtick => "`",
        Style::Triple => "\"\"\"",
        _ => "",
    };
    format!("{quote}{text}{quote}")
}

/// Whether a token at the end of a line means `text`.
fn reads_back(token: &str, text: &str) -> bool {
    let line = format!("{token}\n");
    read(&line, line_at(&line, 0)).is_some_and(|found| {
        found.value == text
            && found.span.end == token.len()
            && found.comment.is_none()
            && found.junk.start == found.junk.end
            && found.end == line.len()
    })
}

/// A value with the quotes that SOPS's library gives it, or others where it would lose something.
#[must_use]
pub fn quoted(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let usual = if text.contains(['\n', '`']) {
        Style::Triple
    } else if text.contains(MARKS) {
        Style::Backtick
    } else if text.trim().len() != text.len() {
        Style::Double
    } else {
        Style::Plain
    };
    [usual, Style::Backtick, Style::Triple]
        .into_iter()
        .map(|style| enclosed(style, text))
        .find(|token| reads_back(token, text))
        // Backticks and three quotes over several lines: no form holds both.
        .unwrap_or_else(|| enclosed(usual, text))
}

/// One line with its line feed, the delimiter in a column that keys of `width` bytes leave room for.
#[must_use]
pub fn line(key: &str, value: &str, width: usize) -> String {
    let key = key_token(key);
    let room = " ".repeat(width.saturating_sub(key.len()));
    format!("{key}{room} = {}\n", quoted(value))
}

fn key_token(key: &str) -> String {
    let read_as_something_else = key.starts_with(['#', ';', '[']) || key == "-";
    if key.contains(['"', '=', ':']) || read_as_something_else {
        format!("`{key}`")
    } else if key.contains('`') {
        format!("\"\"\"{key}\"\"\"")
    } else {
        key.to_owned()
    }
}

/// The lines of keys with their values, the delimiters below each other as SOPS's library writes them.
#[must_use]
pub fn section(entries: &[(&str, &str)]) -> String {
    let width = width(entries.iter().map(|(key, _)| *key));
    entries.iter().map(|(key, value)| line(key, value, width)).collect()
}

/// The bytes that the longest of these keys takes.
#[must_use]
pub fn width<'k>(keys: impl Iterator<Item = &'k str>) -> usize {
    keys.map(|key| key_token(key).len()).max().unwrap_or_default()
}

/// Whether a key can be written so that it is read as itself.
#[must_use]
pub fn is_key(key: &str) -> bool {
    super::parse(&line(key, "", 0), "").is_ok_and(|document| {
        let mut leaves = document.items.iter().filter_map(|item| match item {
            Item::Leaf(leaf) => leaf.key.as_ref(),
            _ => None,
        });
        leaves.next().is_some_and(|found| found.name == key) && leaves.next().is_none()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;
    use std::borrow::Cow;

    const TEXTS: [&str; 24] = [
        "v",
        "two words",
        " lead",
        "trail ",
        "a#b",
        "a;b",
        "a\nb",
        "\na\n",
        "`",
        "a`b",
        "\"q\"",
        "'q'",
        "\"",
        "'",
        "\\",
        "end\\",
        "\"\"\"",
        "\"\"\"x",
        "\t",
        "a=b:c",
        "[s]",
        "a\r\nb",
        "`a\nb`",
        "# x",
    ];

    #[test]
    fn what_is_written_reads_back() {
        for text in TEXTS {
            let token = quoted(text);
            assert!(reads_back(&token, text), "{text:?}: {token}");
            for style in [Style::Single, Style::Double, Style::Backtick, Style::Triple] {
                let value = Value::Str(Cow::Borrowed(text.as_bytes()));
                if let Some(token) = opened_token(style, &value) {
                    assert!(reads_back(&token, text), "{text:?} {style:?}: {token}");
                }
            }
        }
        assert_eq!(quoted(""), "");
    }

    #[test]
    fn a_style_that_cannot_hold_a_text_says_so() {
        #[track_caller]
        fn case(style: Style, text: &str, expected: Option<&str>) {
            let value = Value::Str(Cow::Borrowed(text.as_bytes()));
            assert_eq!(opened_token(style, &value).as_deref(), expected);
        }
        case(Style::Single, "it's", None);
        case(Style::Double, "a#b", None);
        case(Style::Backtick, "`a\nb", None);
        case(Style::Triple, "a\"\"\"\nb", None);
        case(Style::Double, "it's", Some("\"it's\""));
        case(Style::Triple, "a\nb", Some("\"\"\"a\nb\"\"\""));
        case(Style::Plain, "a\\", Some("`a\\`"));
    }

    #[test]
    fn keys_are_written_so_that_they_are_read() {
        for key in ["k", "a b", "a=b", "a:b", "a`b", "\"q\"", "#1", "[x", ";c"] {
            assert!(is_key(key), "{key}");
        }
        for key in ["", " a", "a\nb", "`\"", "-"] {
            assert!(!is_key(key), "{key}");
        }
        assert_eq!(section(&[("a", "1"), ("long=", "")]), "a       = 1\n`long=` = \n");
    }
}
