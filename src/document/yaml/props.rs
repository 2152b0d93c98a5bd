//! Anchors, aliases, tags and directives.

use super::cursor::{Mark, is_blank};
use super::scanner::Scanner;
use super::token::{Kind, Load, Step, Stop};

/// Whether a byte may stand in the name of an anchor or the handle of a tag.
const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Whether a byte may stand in the suffix of a tag.
const fn is_uri(byte: u8) -> bool {
    is_name(byte)
        || matches!(byte, b'!' | b'$' | b'%' | b'&' | b'\''..=b',' | b'.'..=b'/' | b':' | b';' | b'=' | b'?')
        || matches!(byte, b'@' | b'[' | b']' | b'~')
}

impl<'t> Scanner<'t> {
    /// Text from `start` to the cursor.
    fn since(&self, start: usize) -> &'t str {
        self.cursor.text.get(start..self.cursor.at).unwrap_or_default()
    }

    fn skip_name(&mut self) -> &'t str {
        let start = self.cursor.at;
        while is_name(self.cursor.byte(0)) {
            self.cursor.skip();
        }
        self.since(start)
    }

    /// Reads the name behind `*` or `&`.
    pub(super) fn scan_name(&mut self) -> Step<&'t str> {
        self.cursor.skip();
        let name = self.skip_name();
        let ends = self.cursor.is_white_or_end(0)
            || matches!(
                self.cursor.byte(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.is_empty() || !ends {
            return Err(Stop::syntax(
                self.cursor.at,
                "did not find expected alphabetic or numeric character",
            ));
        }
        Ok(name)
    }

    /// Makes a token of a tag.
    pub(super) fn fetch_tag(&mut self) -> Step<()> {
        let start = self.cursor.mark();
        let (handle, suffix) = if self.cursor.byte(1) == b'<' {
            self.cursor.skip_many(2);
            let suffix = self.scan_uri(String::new(), true)?;
            if self.cursor.byte(0) != b'>' {
                return Err(Stop::syntax(start.at, "did not find the expected '>' of a tag"));
            }
            self.cursor.skip();
            ("", suffix)
        } else {
            self.scan_short_tag()?
        };
        if !self.cursor.is_white_or_end(0) {
            return Err(Stop::syntax(
                start.at,
                "did not find expected whitespace or line break behind a tag",
            ));
        }
        self.push(Kind::Tag, start, Load::Tag(handle, suffix));
        Ok(())
    }

    /// Reads `!suffix`, `!handle!suffix` or `!`.
    fn scan_short_tag(&mut self) -> Step<(&'t str, String)> {
        let handle = self.scan_handle();
        if handle.len() > 1 && handle.ends_with('!') {
            return Ok((handle, self.scan_uri(String::new(), true)?));
        }
        let suffix = self.scan_uri(handle.get(1..).unwrap_or_default().to_owned(), false)?;
        Ok(if suffix.is_empty() {
            ("", "!".to_owned())
        } else {
            ("!", suffix)
        })
    }

    /// Reads `!`, `!name` or `!name!`.
    fn scan_handle(&mut self) -> &'t str {
        let start = self.cursor.at;
        self.cursor.skip();
        self.skip_name();
        if self.cursor.byte(0) == b'!' {
            self.cursor.skip();
        }
        self.since(start)
    }

    /// Reads the rest of a tag behind what is known of it.
    fn scan_uri(&mut self, known: String, required: bool) -> Step<String> {
        let start = self.cursor.at;
        let mut bytes = known.into_bytes();
        while is_uri(self.cursor.byte(0)) {
            if self.cursor.byte(0) == b'%' {
                self.scan_uri_escape(&mut bytes)?;
            } else {
                bytes.push(self.cursor.byte(0));
                self.cursor.skip();
            }
        }
        if required && self.cursor.at == start {
            return Err(Stop::syntax(start, "did not find expected tag URI"));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads one character written as `%` escapes.
    fn scan_uri_escape(&mut self, bytes: &mut Vec<u8>) -> Step<()> {
        let mut rest = 1;
        let mut first = true;
        while rest > 0 {
            let digits = (
                char::from(self.cursor.byte(1)).to_digit(16),
                char::from(self.cursor.byte(2)).to_digit(16),
            );
            let (b'%', (Some(high), Some(low))) = (self.cursor.byte(0), digits) else {
                return Err(Stop::syntax(self.cursor.at, "did not find URI escaped octet"));
            };
            let octet = u8::try_from(high * 16 + low).unwrap_or(0);
            rest = match octet {
                0x00..=0x7F if first => 0,
                0xC0..=0xDF if first => 1,
                0xE0..=0xEF if first => 2,
                0xF0..=0xF7 if first => 3,
                0x80..=0xBF if !first => rest - 1,
                _ => return Err(Stop::syntax(self.cursor.at, "found an incorrect UTF-8 octet in a tag")),
            };
            first = false;
            bytes.push(octet);
            self.cursor.skip_many(3);
        }
        Ok(())
    }

    /// Makes a token of a directive.
    pub(super) fn fetch_directive(&mut self) -> Step<()> {
        let start = self.cursor.mark();
        self.cursor.skip();
        let name = self.skip_name();
        if name.is_empty() || !self.cursor.is_white_or_end(0) {
            return Err(Stop::syntax(start.at, "could not find expected directive name"));
        }
        let load = match name {
            "YAML" => self.scan_version(start)?,
            "TAG" => self.scan_prefix(start)?,
            _ => return Err(Stop::syntax(start.at, "found unknown directive name")),
        };
        self.push(Kind::Directive, start, load);
        self.cursor.skip_blanks();
        if self.cursor.byte(0) == b'#' {
            // go-yaml drops this one: no token takes it.
            self.read_comment();
        }
        if !self.cursor.is_break_or_end(0) {
            return Err(Stop::syntax(start.at, "did not find expected comment or line break"));
        }
        self.cursor.skip_break();
        Ok(())
    }

    fn scan_version(&mut self, start: Mark) -> Step<Load<'t>> {
        self.cursor.skip_blanks();
        let major = self.scan_version_number(start)?;
        if self.cursor.byte(0) != b'.' {
            return Err(Stop::syntax(start.at, "did not find expected digit or '.' character"));
        }
        self.cursor.skip();
        Ok(Load::Version(major, self.scan_version_number(start)?))
    }

    fn scan_version_number(&mut self, start: Mark) -> Step<u8> {
        let from = self.cursor.at;
        while self.cursor.byte(0).is_ascii_digit() {
            self.cursor.skip();
        }
        let digits = self.since(from);
        if digits.is_empty() || digits.len() > 2 {
            return Err(Stop::syntax(
                start.at,
                "did not find a version number of one or two digits",
            ));
        }
        digits
            .parse()
            .map_err(|_| Stop::syntax(start.at, "did not find a version number"))
    }

    fn scan_prefix(&mut self, start: Mark) -> Step<Load<'t>> {
        self.cursor.skip_blanks();
        if self.cursor.byte(0) != b'!' {
            return Err(Stop::syntax(start.at, "did not find expected '!'"));
        }
        let handle = self.scan_handle();
        if handle != "!" && !(handle.len() > 1 && handle.ends_with('!')) {
            return Err(Stop::syntax(start.at, "did not find expected '!'"));
        }
        if !is_blank(self.cursor.byte(0)) {
            return Err(Stop::syntax(start.at, "did not find expected whitespace"));
        }
        self.cursor.skip_blanks();
        let prefix = self.scan_uri(String::new(), true)?;
        if !self.cursor.is_white_or_end(0) {
            return Err(Stop::syntax(start.at, "did not find expected whitespace or line break"));
        }
        Ok(Load::Prefix(handle, prefix))
    }
}
