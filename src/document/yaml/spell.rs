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
        Style::Plain | Style::FlowPlain | Style::Other => envelope.to_owned(),
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
        Style::Plain | Style::Other => Some(plain_or_quoted(text, context)),
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
