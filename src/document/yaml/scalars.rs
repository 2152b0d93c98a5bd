//! Plain and quoted scalars.
//!
//! A scalar of one line without escapes is borrowed from the text.

use std::borrow::Cow;

use super::cursor::{Mark, is_blank};
use super::scanner::Scanner;
use super::token::{Kind, Load, Scalar, Step, Stop, Token};
use crate::document::Style;
use crate::text::Span;

/// The text of a scalar in the making: borrowed as long as it equals the source.
struct Building<'t> {
    source: &'t str,
    /// Offset of the first byte that is not in `owned`.
    from: usize,
    owned: Option<String>,
}

impl<'t> Building<'t> {
    /// Takes the source up to `to` and leaves out what follows it up to `next`, for which `instead` stands.
    fn replace(&mut self, to: usize, instead: &str, next: usize) {
        let piece = self.source.get(self.from..to).unwrap_or_default();
        let owned = self.owned.get_or_insert_default();
        owned.push_str(piece);
        owned.push_str(instead);
        self.from = next;
    }

    /// The text, complete with the source up to `to`.
    fn finish(mut self, to: usize) -> Cow<'t, str> {
        if self.owned.is_some() {
            self.replace(to, "", to);
        }
        match self.owned {
            Some(owned) => Cow::Owned(owned),
            None => Cow::Borrowed(self.source.get(self.from..to).unwrap_or_default()),
        }
    }
}

impl<'t> Scanner<'t> {
    fn building(&self, from: usize) -> Building<'t> {
        Building {
            source: self.cursor.text,
            from,
            owned: None,
        }
    }

    /// Passes blanks and line breaks. With line breaks, gives what they read as: one is a blank, each further one itself.
    fn skip_gap(&mut self, escaped_break: bool) -> Option<String> {
        let mut first = None;
        let mut rest = String::new();
        loop {
            if is_blank(self.cursor.byte(0)) {
                self.cursor.skip();
            } else if self.cursor.is_break() {
                let read = self.cursor.skip_break();
                if first.is_none() && !escaped_break {
                    first = Some(read);
                } else {
                    rest.push_str(read);
                }
            } else {
                break;
            }
        }
        match first {
            Some("\n") if rest.is_empty() => Some(" ".to_owned()),
            Some("\n") => Some(rest),
            Some(other) => Some(other.to_owned() + &rest),
            None if escaped_break => Some(rest),
            None => None,
        }
    }

    /// Makes a token of the plain scalar that starts here.
    pub(super) fn fetch_plain_scalar(&mut self) -> Step<()> {
        let start = self.cursor.mark();
        let mut building = self.building(start.at);
        // The gap behind the last word counts only when a further word follows.
        let mut gap: Option<String> = None;
        let mut end = start.at;
        let mut ended_line = false;
        let mut behind_word = self.cursor.clone();
        loop {
            if self.cursor.is_document_marker() || self.cursor.byte(0) == b'#' {
                break;
            }
            let word = self.cursor.at;
            self.skip_plain_word();
            if self.cursor.at > word {
                if let Some(folded) = gap.take() {
                    building.replace(end, &folded, word);
                }
                end = self.cursor.at;
                ended_line = false;
            }
            if !is_blank(self.cursor.byte(0)) && !self.cursor.is_break() {
                break;
            }
            behind_word = self.cursor.clone();
            gap = self.skip_gap(false);
            if gap.is_some() {
                ended_line = true;
                self.check_tabs(behind_word.at)?;
            }
            if !self.in_flow() && self.cursor.column < self.floor() {
                break;
            }
        }
        if ended_line && self.in_flow() {
            // Sealed it is in quotes, and then the gap is not passed with it: comments below must belong to the same.
            self.cursor = behind_word;
        }
        let text = building.finish(end);
        let span = Span::new(start.at, end);
        let scalar = Scalar::of_line(text, Style::Plain, span);
        self.push_ending(start, end, scalar);
        if ended_line {
            self.allow_key();
        }
        Ok(())
    }

    /// Passes the characters of a plain scalar up to a blank, a line break or an indicator.
    fn skip_plain_word(&mut self) {
        let in_flow = self.in_flow();
        loop {
            self.cursor.skip_ordinary();
            if self.cursor.is_white_or_end(0) {
                break;
            }
            match self.cursor.byte(0) {
                b':' if self.cursor.is_white_or_end(1) => break,
                b',' | b'?' | b'[' | b']' | b'{' | b'}' if in_flow => break,
                _ => self.cursor.skip(),
            }
        }
    }

    /// Refuses tabs in the indentation of the lines passed since `from`.
    fn check_tabs(&self, from: usize) -> Step<()> {
        let mut at = from;
        let mut column = None;
        while at < self.cursor.at {
            let length = self.cursor.break_at(at);
            if length > 0 {
                column = Some(0);
                at += length;
                continue;
            }
            if let Some(column) = &mut column {
                if self.cursor.byte_at(at) == b'\t' && *column < self.floor() {
                    return Err(Stop::syntax(at, "found a tab character that violates indentation"));
                }
                *column += 1;
            }
            at += 1;
        }
        Ok(())
    }

    fn push_ending(&mut self, start: Mark, end: usize, scalar: Scalar<'t>) {
        self.push_token(Token {
            kind: Kind::Scalar,
            start,
            end,
            load: Load::Scalar(scalar),
        });
    }

    /// Makes a token of the quoted scalar that starts here.
    pub(super) fn fetch_quoted_scalar(&mut self) -> Step<()> {
        let start = self.cursor.mark();
        let quote = self.cursor.byte(0);
        self.cursor.skip();
        let mut building = self.building(self.cursor.at);
        loop {
            if self.cursor.is_document_marker() {
                return Err(Stop::syntax(
                    start.at,
                    "found unexpected document indicator in a quoted scalar",
                ));
            }
            if self.cursor.is_end() {
                return Err(Stop::syntax(
                    start.at,
                    "found unexpected end of stream in a quoted scalar",
                ));
            }
            let escaped_break = self.skip_quoted_word(quote, &mut building)?;
            if self.cursor.byte(0) == quote && escaped_break.is_none() {
                break;
            }
            let word_end = escaped_break.unwrap_or(self.cursor.at);
            if let Some(folded) = self.skip_gap(escaped_break.is_some()) {
                building.replace(word_end, &folded, self.cursor.at);
            }
        }
        let text = building.finish(self.cursor.at);
        self.cursor.skip();
        let style = if quote == b'"' { Style::Double } else { Style::Single };
        let end = self.cursor.at;
        let scalar = Scalar::of_line(text, style, Span::new(start.at, end));
        self.push_ending(start, end, scalar);
        Ok(())
    }

    /// Passes the characters of a quoted scalar up to white space or the closing quote. Gives the offset of the backslash
    /// if it passed an escaped line break last.
    fn skip_quoted_word(&mut self, quote: u8, building: &mut Building<'t>) -> Step<Option<usize>> {
        while !self.cursor.is_white_or_end(0) {
            let at = self.cursor.at;
            let byte = self.cursor.byte(0);
            if byte == quote {
                if quote == b'"' || self.cursor.byte(1) != b'\'' {
                    break;
                }
                self.cursor.skip_many(2);
                building.replace(at + 1, "", at + 2);
            } else if byte == b'\\' && quote == b'"' {
                if self.cursor.break_at(at + 1) > 0 {
                    self.cursor.skip();
                    self.cursor.skip_break();
                    return Ok(Some(at));
                }
                let read = self.scan_escape()?;
                building.replace(at, read.encode_utf8(&mut [0; 4]), self.cursor.at);
            } else {
                self.cursor.skip();
            }
        }
        Ok(None)
    }

    /// Reads the escape sequence that starts here.
    fn scan_escape(&mut self) -> Step<char> {
        let at = self.cursor.at;
        let digits = match self.cursor.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            name => {
                let read = simple_escape(name).ok_or_else(|| Stop::syntax(at, "found unknown escape character"))?;
                self.cursor.skip_many(2);
                return Ok(read);
            }
        };
        self.cursor.skip_many(2);
        let mut code = 0_u32;
        for _ in 0..digits {
            let digit = char::from(self.cursor.byte(0)).to_digit(16);
            let digit = digit.ok_or_else(|| Stop::syntax(at, "did not find expected hexdecimal number"))?;
            // Eight digits fit exactly.
            code = code << 4 | digit;
            self.cursor.skip();
        }
        char::from_u32(code).ok_or_else(|| Stop::syntax(at, "found invalid Unicode character escape code"))
    }
}

/// The character that a backslash and `name` stand for.
const fn simple_escape(name: u8) -> Option<char> {
    Some(match name {
        b'0' => '\0',
        b'a' => '\x07',
        b'b' => '\x08',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\x0B',
        b'f' => '\x0C',
        b'r' => '\r',
        b'e' => '\x1B',
        b' ' => ' ',
        b'"' => '"',
        b'\'' => '\'',
        b'\\' => '\\',
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}
