//! Tokens of a JSON text, strictly by RFC 8259, with Go's rule for lone surrogates: they become U+FFFD.

use std::borrow::Cow;

use super::super::{Error, Fault, Value};
use crate::text::{Position, Span};

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'t> {
    OpenMap,
    CloseMap,
    OpenList,
    CloseList,
    Comma,
    Colon,
    Text(Cow<'t, str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    Null,
}

/// Reads tokens from a text, one after the other.
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    pub(super) fn fault(&self, at: usize, fault: Fault) -> Error {
        Error {
            place: Position::at(self.text.as_bytes(), at),
            fault,
        }
    }

    pub(super) fn syntax(&self, at: usize, reason: &str) -> Error {
        self.fault(
            at,
            Fault::Syntax {
                format: "json",
                reason: reason.to_owned(),
            },
        )
    }

    /// The next token, where the grammar demands one.
    pub(super) fn expect(&mut self, missing: &str) -> Result<(Token<'t>, Span), Error> {
        match self.next()? {
            Some(found) => Ok(found),
            None => Err(self.syntax(self.text.len(), missing)),
        }
    }

    /// The next token; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(Token<'t>, Span)>, Error> {
        let bytes = self.text.as_bytes();
        if self.at == 0 && self.text.starts_with('\u{feff}') {
            return Err(self.syntax(0, "a byte order mark stands at the start"));
        }
        while bytes
            .get(self.at)
            .is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
        {
            self.at += 1;
        }
        let start = self.at;
        let Some(&first) = bytes.get(start) else {
            return Ok(None);
        };
        let token = match first {
            b'{' => self.mark(Token::OpenMap),
            b'}' => self.mark(Token::CloseMap),
            b'[' => self.mark(Token::OpenList),
            b']' => self.mark(Token::CloseList),
            b',' => self.mark(Token::Comma),
            b':' => self.mark(Token::Colon),
            b'"' => self.string()?,
            b'-' | b'0'..=b'9' => self.number()?,
            _ => self.word()?,
        };
        Ok(Some((token, Span::new(start, self.at))))
    }

    fn mark(&mut self, token: Token<'t>) -> Token<'t> {
        self.at += 1;
        token
    }

    fn word(&mut self) -> Result<Token<'t>, Error> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let words = [
            ("true", Token::Bool(true)),
            ("false", Token::Bool(false)),
            ("null", Token::Null),
        ];
        for (word, token) in words {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(token);
            }
        }
        Err(self.syntax(self.at, "an unknown word"))
    }

    fn number(&mut self) -> Result<Token<'t>, Error> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let end = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        let text = &self.text[start..start + end.unwrap_or(rest.len())];
        self.at = start + text.len();
        if !is_well_formed(text) {
            return Err(self.syntax(start, "a number is malformed"));
        }
        if let Ok(number) = text.parse::<i64>() {
            return Ok(Token::Int(number));
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Token::Float(number)),
            _ => Err(self.syntax(start, "a number is too large")),
        }
    }

    fn string(&mut self) -> Result<Token<'t>, Error> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut owned: Option<String> = None;
        let mut copied = start;
        let mut at = start;
        loop {
            match bytes.get(at) {
                None => return Err(self.syntax(self.text.len(), "the file ends inside a string")),
                Some(b'"') => break,
                Some(b'\\') => {
                    let out = owned.get_or_insert_with(String::new);
                    out.push_str(&self.text[copied..at]);
                    let (character, length) =
                        escape(&self.text[at..]).ok_or_else(|| self.syntax(at, "an escape is malformed"))?;
                    out.push(character);
                    at += length;
                    copied = at;
                }
                Some(control) if *control < b' ' => {
                    return Err(self.syntax(at, "a control character stands in a string"));
                }
                Some(_) => at += 1,
            }
        }
        self.at = at + 1;
        let rest = &self.text[copied..at];
        Ok(Token::Text(match owned {
            None => Cow::Borrowed(rest),
            Some(mut text) => {
                text.push_str(rest);
                Cow::Owned(text)
            }
        }))
    }
}

/// The character that an escape at the start of `text` means, and the escape's length in bytes.
fn escape(text: &str) -> Option<(char, usize)> {
    let simple = match text.as_bytes().get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let high = hex(text, 2)?;
            if let Some(character) = char::from_u32(high) {
                return Some((character, 6));
            }
            let low = text
                .get(6..8)
                .filter(|start| *start == "\\u")
                .and_then(|_| hex(text, 8));
            return Some(match low {
                Some(low @ 0xDC00..=0xDFFF) if high < 0xDC00 => {
                    let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                    (char::from_u32(code).unwrap_or('\u{fffd}'), 12)
                }
                _ => ('\u{fffd}', 6),
            });
        }
        _ => return None,
    };
    Some((simple, 2))
}

fn hex(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

/// Whether JSON's grammar of numbers produces this text.
fn is_well_formed(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

/// Whether `text` is a JSON number that reads as exactly `value`. An integral text may stand for a double: older SOPS stored each
/// JSON number as one.
pub(super) fn is_number(text: &str, value: &Value<'_>) -> bool {
    is_well_formed(text)
        && match value {
            Value::Int(number) => text.parse() == Ok(*number),
            Value::Float(number) => text
                .parse::<f64>()
                // An integer has no negative zero.
                .is_ok_and(|parsed| text != "-0" && parsed.to_bits() == number.to_bits()),
            _ => false,
        }
}
