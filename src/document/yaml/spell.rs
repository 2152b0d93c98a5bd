//! The text of a scalar that takes the place of another: sealed for open and open for sealed.
//!
//! The style of the sealed scalar is the style that the open one had, so that opening gives back what was sealed.

use std::borrow::Cow;

use data_encoding::BASE64;

use super::quote::{self, Escapes};
use super::resolve::plain_value;
use crate::document::{Context, Style, Value};

/// The text of a sealed leaf that had `style`, without the header of a block scalar.
///
/// `indent` is [`Context::indent`]; `envelope` is `ENC[…]`.
#[must_use]
pub fn sealed_token(style: Style, in_flow: bool, indent: usize, envelope: &str) -> String {
    match style {
        Style::Plain | Style::FlowPlain if in_flow => {
            format!("\"\\x45{}\"", envelope.strip_prefix('E').unwrap_or(envelope))
        }
        Style::Double | Style::Other if in_flow => format!("\"{envelope}\""),
        Style::Plain | Style::FlowPlain | Style::Backtick | Style::Triple | Style::Other => envelope.to_owned(),
        Style::Single => format!("'{envelope}'"),
        Style::Double => format!("\"{envelope}\""),
        Style::Literal | Style::Folded => quote::indented(envelope, indent),
    }
}

/// The text of an open leaf whose sealed form has `style`; for block scalars the lines below the header.
///
/// `plaintext` is what was encrypted and `value` what it decodes to: they differ where a number's own spelling was kept.
/// `None` says that the style can't hold the value; the whole token is then to be spelled with [`Style::Plain`].
#[must_use]
pub fn opened_token(style: Style, context: Context, value: &Value<'_>, plaintext: &[u8]) -> Option<String> {
    let is_block = matches!(style, Style::Literal | Style::Folded);
    let Value::Str(bytes) = value else {
        return (!is_block).then(|| number_text(value, plaintext));
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return (!is_block).then(|| format!("!!binary {}", BASE64.encode(bytes)));
    };
    match style {
        Style::Plain | Style::Backtick | Style::Triple | Style::Other => Some(plain_or_quoted(text, context)),
        Style::FlowPlain if quote::reads_back_plain(text, true) => Some(text.to_owned()),
        Style::Single => Some(quote::single(text).unwrap_or_else(|| quote::double(text, Escapes::Few))),
        Style::FlowPlain | Style::Double => Some(quote::double(text, Escapes::Few)),
        Style::Literal => block_body(text).map(|body| quote::indented(body, context.indent)),
        Style::Folded => block_body(text).map(|body| quote::indented(&unfolded(body), context.indent)),
    }
}

/// What stands in the lines of a block scalar. The line breaks at its end, one or more, stand behind the token.
fn block_body(text: &str) -> Option<&str> {
    let body = text.trim_end_matches('\n');
    (!body.is_empty() && quote::fits_block(body)).then_some(body)
}

/// The spelling of a value that is no text.
fn number_text(value: &Value<'_>, plaintext: &[u8]) -> String {
    let canonical = match value {
        Value::Bool(true) => return "true".to_owned(),
        Value::Bool(false) => return "false".to_owned(),
        Value::Null | Value::Str(_) => return "null".to_owned(),
        Value::Float(number) => quote::float_text(*number),
        Value::Int(number) => number.to_string(),
        Value::Time(text) => text.clone(),
    };
    let Ok(own) = std::str::from_utf8(plaintext) else {
        return canonical;
    };
    // Without point and exponent it is how SOPS encrypts a double, not how somebody wrote it.
    let is_own = !matches!(value, Value::Float(_)) || own.contains(['.', 'e', 'E']);
    if is_own && plain_value(Cow::Borrowed(own)) == *value {
        own.to_owned()
    } else {
        canonical
    }
}

/// A text without quotes if it can stand so, else in the style that SOPS would choose.
fn plain_or_quoted(text: &str, context: Context) -> String {
    if quote::reads_back_plain(text, context.in_flow) {
        return text.to_owned();
    }
    match quote::sops_style(text) {
        // Lines that begin with a blank would need an indicator that depends on what is around, and line breaks that are kept
        // would be joined by empty lines below.
        Style::Literal if context.takes_block && !starts_with_blank(text) && quote::chomping(text) != "+" => {
            let body = text.strip_suffix('\n').unwrap_or(text);
            let body = quote::indented(body, context.indent.max(1));
            format!("|{}\n{body}", quote::chomping(text))
        }
        Style::Plain | Style::Single => quote::single(text).unwrap_or_else(|| quote::double(text, Escapes::Few)),
        _ => quote::double(text, Escapes::Few),
    }
}

/// Whether the first line with content begins with a blank.
fn starts_with_blank(text: &str) -> bool {
    text.trim_start_matches('\n').starts_with([' ', '\t'])
}

/// Lines that a folded block joins to `text`: every line break between two lines that could be joined is doubled.
fn unfolded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 16);
    let mut rest = text;
    // Before the first line with content nothing is joined.
    let mut before_is_joinable = false;
    while let Some(end) = rest.find('\n') {
        let (line, breaks) = rest.split_at(end);
        folded.push_str(line);
        let after = breaks.trim_start_matches('\n');
        let count = breaks.len() - after.len();
        before_is_joinable = if line.is_empty() {
            before_is_joinable
        } else {
            !line.starts_with([' ', '\t'])
        };
        // At the end stand only breaks that chomping decides about.
        if before_is_joinable && !after.is_empty() && !after.starts_with([' ', '\t']) {
            folded.push('\n');
        }
        folded.extend(std::iter::repeat_n('\n', count));
        rest = after;
    }
    folded + rest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::super::parse;
    use super::*;
    use crate::document::{Item, Leaf};

    const BLOCK: Context = Context {
        in_flow: false,
        indent: 2,
        header_comment: false,
        takes_block: true,
    };
    const FLOW: Context = Context {
        in_flow: true,
        indent: 0,
        header_comment: false,
        takes_block: false,
    };

    fn leaf(text: &str) -> Leaf<'_> {
        let items = parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}")).items;
        items
            .into_iter()
            .find_map(|item| if let Item::Leaf(leaf) = item { Some(leaf) } else { None })
            .unwrap()
    }

    fn text(text: &str) -> Value<'_> {
        Value::Str(Cow::Borrowed(text.as_bytes()))
    }

    #[test]
    fn styles_refuse_what_they_can_not_hold() {
        for style in [Style::Literal, Style::Folded] {
            for value in ["", "\n", "\n\n", "a\x01", "a\rb", "a\u{85}b", "a\u{2028}", "\u{feff}"] {
                assert_eq!(opened_token(style, BLOCK, &text(value), b""), None, "{value:?}");
            }
            assert_eq!(opened_token(style, BLOCK, &Value::Int(1), b"1"), None);
            assert_eq!(
                opened_token(style, BLOCK, &Value::Str(Cow::Borrowed(b"\xff")), b""),
                None
            );
        }
    }

    #[test]
    fn envelopes_take_the_style_of_what_they_seal() {
        #[track_caller]
        fn case(style: Style, in_flow: bool, expected: &str) {
            assert_eq!(sealed_token(style, in_flow, 3, "ENC[x]"), expected);
        }
        case(Style::Plain, false, "ENC[x]");
        case(Style::Plain, true, r#""\x45NC[x]""#);
        case(Style::FlowPlain, true, r#""\x45NC[x]""#);
        case(Style::Single, true, "'ENC[x]'");
        case(Style::Double, false, "\"ENC[x]\"");
        case(Style::Other, false, "ENC[x]");
        case(Style::Other, true, "\"ENC[x]\"");
        case(Style::Folded, false, "   ENC[x]");
    }

    #[test]
    fn numbers_keep_their_spelling_where_it_says_the_same() {
        #[track_caller]
        fn case(value: &Value<'_>, plaintext: &str, expected: &str) {
            let token = opened_token(Style::Double, BLOCK, value, plaintext.as_bytes());
            assert_eq!(token.as_deref(), Some(expected));
        }
        case(&Value::Int(31), "0x1F", "0x1F");
        case(&Value::Int(31), "31", "31");
        case(&Value::Int(31), "x", "31");
        case(&Value::Bool(true), "True", "true");
        case(&Value::Bool(false), "0", "false");
        case(&Value::Float(1.5), "1.50", "1.50");
        case(&Value::Float(1e6), "1000000", "1e+06");
        case(&Value::Float(1e6), "1e6", "1e6");
        case(&Value::Float(1.0), "1", "1");
        case(&Value::Float(f64::NAN), "NaN", ".nan");
        case(&Value::Float(f64::INFINITY), "+Inf", ".inf");
        case(&Value::Time("2001-01-02T00:00:00Z".to_owned()), "2001-1-2", "2001-1-2");
        case(
            &Value::Time("2001-01-02T00:00:00Z".to_owned()),
            "?",
            "2001-01-02T00:00:00Z",
        );
    }

    #[test]
    fn text_without_quotes_gets_them_where_it_needs_them() {
        #[track_caller]
        fn case(context: Context, value: &str, expected: &str) {
            assert_eq!(
                opened_token(Style::Plain, context, &text(value), value.as_bytes()).as_deref(),
                Some(expected)
            );
        }
        case(BLOCK, "a, b", "a, b");
        case(FLOW, "a, b", "'a, b'");
        case(BLOCK, "", "\"\"");
        case(BLOCK, "1", "\"1\"");
        case(BLOCK, "- a", "'- a'");
        case(BLOCK, "a\nb\n", "|\n  a\n  b");
        case(BLOCK, "a\n\n b", "|-\n  a\n\n   b");
        case(BLOCK, " a\nb", "\" a\\nb\"");
        case(BLOCK, "a\n\n", "\"a\\n\\n\"");
        case(FLOW, "a\nb", "\"a\\nb\"");
        case(Context::default(), "a\nb", "\"a\\nb\"");
        let binary = Value::Str(Cow::Borrowed(b"\xff"));
        assert_eq!(
            opened_token(Style::Plain, FLOW, &binary, b"\xff").as_deref(),
            Some("!!binary /w==")
        );
    }

    /// Numbers that look random and are the same in every run.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, bound: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 >> 33).unwrap_or(0) % bound
        }

        fn text(&mut self) -> String {
            const PIECES: [&str; 24] = [
                "a", "b c", " ", "  ", "\n", "\n\n", "\t", ": ", " #", "'", "\"", "\\", "- ", "1", "true", "é", "😀",
                ",", "]", "{", "?", "\u{85}", "\u{2028}", "\r",
            ];
            (0..self.below(6)).map(|_| PIECES[self.below(PIECES.len())]).collect()
        }
    }

    /// A document that holds `token` in the given style, with a block header that fits `value`.
    fn document(style: Style, value: &str, token: &str) -> String {
        let end = if value.ends_with('\n') { "+" } else { "-" };
        let kept = "\n".repeat(value.len() - value.trim_end_matches('\n').len());
        match style {
            Style::Literal => format!("k: |2{end}\n{token}{}", if kept.is_empty() { "\n" } else { &kept }),
            Style::Folded => format!("k: >2{end}\n{token}{}", if kept.is_empty() { "\n" } else { &kept }),
            Style::FlowPlain => format!("k: [{token}]\n"),
            _ => format!("k: {token}\nl: 1\n"),
        }
    }

    #[test]
    fn what_is_opened_reads_back_in_every_style() {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        for _ in 0..20_000 {
            let value = dice.text();
            for style in [
                Style::Plain,
                Style::FlowPlain,
                Style::Single,
                Style::Double,
                Style::Literal,
                Style::Folded,
            ] {
                let context = if style == Style::FlowPlain { FLOW } else { BLOCK };
                let Some(token) = opened_token(style, context, &text(&value), value.as_bytes()) else {
                    continue;
                };
                let source = document(style, &value, &token);
                assert!(leaf(&source).value == text(&value), "{style:?} {value:?} {source:?}");
            }
        }
    }

    #[test]
    fn canonical_tokens_are_given_back() {
        for source in [
            "k: plain text\nl: 1\n",
            "k: 'it''s'\n",
            "k: \"a\\nb\\t\\\"c\\\\\"\n",
            "k: |\n  a\n\n   b\n",
            "k: |+\n  a\n\n\n",
            "k: |2-\n    a\n  b\n",
            "k: >\n  a\n  \n",
            "k: >-\n  a\n\n  b\n\n\n  c\n",
            "k: >\n  a\n\n    more\n      more\n\n  b\n",
            "k: [a b]\n",
            "k: 0x1F\n",
            "k: 1.50\n",
            "k:\n  - |\n    x\n",
        ] {
            let leaf = leaf(source);
            let own = leaf.body.of(source);
            let plaintext = match &leaf.value {
                Value::Str(bytes) => bytes.to_vec(),
                _ => own.as_bytes().to_vec(),
            };
            let style = if leaf.context.in_flow {
                Style::FlowPlain
            } else {
                leaf.style
            };
            assert_eq!(
                opened_token(style, leaf.context, &leaf.value, &plaintext).as_deref(),
                Some(own),
                "{source:?}"
            );
        }
    }
}
