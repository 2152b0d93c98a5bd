//! A place in a YAML text that only moves forward and knows its line and column.
//!
//! Lines end where YAML 1.1 ends them (CR, LF, CR LF, NEL, LS, PS), because that is what the YAML library of SOPS does.
//! Columns count characters from 0. Behind the end of the text stands a zero byte: the grammar allows none inside.

/// A place that a token or comment starts at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mark {
    /// Offset in bytes.
    pub(super) at: usize,
    /// Line, from 0.
    pub(super) line: usize,
    /// Column in characters, from 0.
    pub(super) column: usize,
}

/// The moving place.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'t> {
    /// The whole text.
    pub(super) text: &'t str,
    /// Offset in bytes.
    pub(super) at: usize,
    /// Line, from 0.
    pub(super) line: usize,
    /// Column in characters, from 0.
    pub(super) column: usize,
    /// Line breaks since the last character that is neither blank nor break.
    pub(super) newlines: usize,
    /// Continuation bytes of UTF-8 so far, so that offsets in characters cost nothing.
    continuations: usize,
}

/// Whether a byte is a space or a tab.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// How many bytes are looked at together: compilers make a few vector instructions of the loop over them.
const CHUNK: usize = 32;

/// Whether a byte is a character that neither ends nor structures a scalar of any style. Without branches, for [`CHUNK`].
#[expect(clippy::needless_bitwise_bool, reason = "a branch for each byte is what this avoids")]
const fn is_ordinary(byte: u8) -> bool {
    ((byte | 0x20).wrapping_sub(b'a') < 26)
        // `-`, `.`, `/` and the digits stand in a row.
        | (byte.wrapping_sub(b'-') < 13)
        | (byte == b'+')
        | (byte == b'=')
        | (byte == b'_')
        | (byte == b';')
        | (byte == b'@')
}

/// Whether a byte is a character of ASCII that YAML allows. Without branches, for [`CHUNK`].
#[expect(clippy::needless_bitwise_bool, reason = "a branch for each byte is what this avoids")]
const fn is_plain_ascii(byte: u8) -> bool {
    (byte.wrapping_sub(b' ') < 95) | (byte == b'\n') | (byte == b'\t') | (byte == b'\r')
}

/// How many bytes from the start have a property.
fn count_while(bytes: &[u8], has: impl Fn(u8) -> bool) -> usize {
    let whole = bytes
        .chunks_exact(CHUNK)
        .take_while(|chunk| chunk.iter().fold(true, |all, &byte| all & has(byte)))
        .count();
    let done = whole * CHUNK;
    let rest = bytes.get(done..).unwrap_or_default();
    done + rest.iter().position(|&byte| !has(byte)).unwrap_or(rest.len())
}

impl<'t> Cursor<'t> {
    /// The start of `text`, behind a byte-order mark.
    pub(super) fn new(text: &'t str) -> Self {
        let at = if text.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        Self {
            text,
            at,
            line: 0,
            column: 0,
            newlines: 0,
            continuations: 0,
        }
    }

    /// The place as a mark.
    pub(super) const fn mark(&self) -> Mark {
        Mark {
            at: self.at,
            line: self.line,
            column: self.column,
        }
    }

    /// Characters before this place.
    pub(super) const fn characters(&self) -> usize {
        self.at - self.continuations
    }

    /// The byte `ahead` of this place.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.byte_at(self.at + ahead)
    }

    /// The byte at an offset.
    pub(super) fn byte_at(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// Whether the text ends here.
    pub(super) fn is_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// The length of the line break at an offset; 0 where there is none.
    pub(super) fn break_at(&self, at: usize) -> usize {
        match self.byte_at(at) {
            b'\r' if self.byte_at(at + 1) == b'\n' => 2,
            b'\n' | b'\r' => 1,
            0xC2 if self.byte_at(at + 1) == 0x85 => 2,
            0xE2 if self.byte_at(at + 1) == 0x80 && matches!(self.byte_at(at + 2), 0xA8 | 0xA9) => 3,
            _ => 0,
        }
    }

    /// Whether a line break or the end of the text stands `ahead`.
    pub(super) fn is_break_or_end(&self, ahead: usize) -> bool {
        let at = self.at + ahead;
        match self.byte_at(at) {
            0 | b'\n' | b'\r' => true,
            0xC2 | 0xE2 => self.break_at(at) > 0,
            _ => false,
        }
    }

    /// Whether a line break stands here.
    pub(super) fn is_break(&self) -> bool {
        self.break_at(self.at) > 0
    }

    /// Whether a blank, a line break or the end of the text stands `ahead`.
    pub(super) fn is_white_or_end(&self, ahead: usize) -> bool {
        is_blank(self.byte(ahead)) || self.is_break_or_end(ahead)
    }

    /// Passes one character that is no line break.
    pub(super) fn skip(&mut self) {
        let byte = self.byte(0);
        if !is_blank(byte) {
            self.newlines = 0;
        }
        let width = width(byte);
        self.at += width;
        self.continuations += width - 1;
        self.column += 1;
    }

    /// Passes the ASCII letters, digits and signs that mean nothing anywhere in a scalar: most of a sealed file is such, so this is
    /// where reading spends its time.
    pub(super) fn skip_ordinary(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let count = count_while(rest, is_ordinary);
        if count > 0 {
            self.newlines = 0;
            self.at += count;
            self.column += count;
        }
    }

    /// Passes `count` characters that are no line breaks.
    pub(super) fn skip_many(&mut self, count: usize) {
        for _ in 0..count {
            self.skip();
        }
    }

    /// Passes spaces and tabs.
    pub(super) fn skip_blanks(&mut self) {
        while is_blank(self.byte(0)) {
            self.skip();
        }
    }

    /// Passes the rest of the line and gives its text.
    pub(super) fn rest_of_line(&mut self) -> &'t str {
        let start = self.at;
        while !self.is_break_or_end(0) {
            self.skip();
            self.skip_ordinary();
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Passes the line break that stands here, if one does, and gives what it reads as.
    pub(super) fn skip_break(&mut self) -> &'static str {
        let length = self.break_at(self.at);
        if length == 0 {
            return "";
        }
        let last = self.byte(length - 1);
        self.continuations += if self.byte(0) >= 0x80 { length - 1 } else { 0 };
        self.at += length;
        self.end_line();
        match (length, last) {
            (3, 0xA8) => "\u{2028}",
            (3, _) => "\u{2029}",
            _ => "\n",
        }
    }

    /// Goes to the start of the next line without passing anything.
    pub(super) const fn end_line(&mut self) {
        self.column = 0;
        self.line += 1;
        self.newlines += 1;
    }

    /// Whether `---` or `...` stands alone at an offset that is the start of a line.
    pub(super) fn document_marker_at(&self, at: usize) -> bool {
        let marker = self.text.as_bytes().get(at..at + 3);
        if marker != Some(b"---") && marker != Some(b"...") {
            return false;
        }
        is_blank(self.byte_at(at + 3)) || self.byte_at(at + 3) == 0 || self.break_at(at + 3) > 0
    }

    /// Whether a document marker stands here.
    pub(super) fn is_document_marker(&self) -> bool {
        self.column == 0 && self.document_marker_at(self.at)
    }
}

/// The number of bytes of the character that begins with `byte`.
const fn width(byte: u8) -> usize {
    match byte {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xFF => 4,
        _ => 1,
    }
}

/// The offset of the first character that YAML forbids in a text, escaped or not at all.
pub(super) fn forbidden_character(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += count_while(bytes.get(at..).unwrap_or_default(), is_plain_ascii);
        let &byte = bytes.get(at)?;
        at += match byte {
            0..=0x7F => return Some(at),
            // U+0080 to U+009F but NEL.
            0xC2 if bytes.get(at + 1).is_some_and(|&next| next < 0xA0 && next != 0x85) => return Some(at),
            // U+FFFE and U+FFFF.
            0xEF if bytes.get(at + 1) == Some(&0xBF) && bytes.get(at + 2).is_some_and(|&next| next >= 0xBE) => {
                return Some(at);
            }
            _ => width(byte),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_characters_are_those() {
        let found: String = (0..=u8::MAX)
            .filter(|&byte| is_ordinary(byte))
            .map(char::from)
            .collect();
        let expected = "+-./0123456789;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
        assert_eq!(found, expected);
        for length in 0..100 {
            let text = "x".repeat(length);
            assert_eq!(count_while(text.as_bytes(), is_ordinary), length);
            assert_eq!(count_while((text + ": y").as_bytes(), is_ordinary), length);
        }
    }

    #[test]
    fn characters_that_yaml_forbids_are_found() {
        #[track_caller]
        fn case(text: &str, expected: Option<usize>) {
            assert_eq!(forbidden_character(text), expected, "{text:?}");
        }
        case("a\0", Some(1));
        case("a\u{7f}", Some(1));
        case("é\u{80}", Some(2));
        case("\u{ffff}", Some(0));
        case("é\t\r\n\u{85}\u{a0}\u{2028}😀\u{fffd}\u{feff}~", None);
        case("", None);
    }

    #[test]
    fn lines_end_where_yaml_1_1_ends_them() {
        #[track_caller]
        fn case(text: &str, length: usize, read: &str) {
            let mut cursor = Cursor::new(text);
            assert_eq!(cursor.skip_break(), read, "{text:?}");
            assert_eq!(
                (cursor.at, cursor.newlines),
                (length, usize::from(length > 0)),
                "{text:?}"
            );
        }
        case("a", 0, "");
        case("", 0, "");
        case("\u{86}", 0, "");
        case("\n\n", 1, "\n");
        case("\r\n", 2, "\n");
        case("\r\r", 1, "\n");
        case("\u{85}", 2, "\n");
        case("\u{2028}", 3, "\u{2028}");
        case("\u{2029}", 3, "\u{2029}");
    }

    #[test]
    fn columns_and_lengths_count_characters() {
        let mut cursor = Cursor::new("\u{feff}é😀x");
        cursor.skip_many(3);
        assert_eq!((cursor.column, cursor.is_end()), (3, true));
        assert_eq!(cursor.characters(), 6);
    }

    #[test]
    fn document_markers_stand_alone() {
        #[track_caller]
        fn case(text: &str, expected: bool) {
            assert_eq!(Cursor::new(text).is_document_marker(), expected, "{text:?}");
        }
        case("---a", false);
        case("--", false);
        case("", false);
        case("---", true);
        case("...\r\n", true);
        case("--- a", true);
        case("---\ta", true);
    }
}
