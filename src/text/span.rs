//! Where something lies in a text: byte ranges, and the line and column that a person reads.

/// A half-open range of bytes in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl Span {
    /// The range from `start` up to, not including, `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The text that lies in this range; empty where the range does not fit the text.
    #[must_use]
    pub fn of<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether `offset` lies in this range.
    #[must_use]
    pub const fn holds(&self, offset: usize) -> bool {
        self.start <= offset && offset < self.end
    }
}

/// A place in a text as a person counts: line and column from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in Unicode characters, from 1.
    pub column: usize,
}

impl Position {
    /// The position of the byte at `offset`; the end of the text for an offset beyond it.
    #[must_use]
    pub fn at(text: &[u8], offset: usize) -> Self {
        let before = &text[..offset.min(text.len())];
        let line_start = before
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |newline| newline + 1);
        Self {
            line: before.iter().filter(|&&byte| byte == b'\n').count() + 1,
            // Continuation bytes of UTF-8 start no character.
            column: before[line_start..].iter().filter(|&&byte| byte & 0xC0 != 0x80).count() + 1,
        }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_characters_not_bytes() {
        #[track_caller]
        fn case(text: &str, offset: usize, expected: &str) {
            assert_eq!(Position::at(text.as_bytes(), offset).to_string(), expected);
        }
        case("", 0, "1:1");
        case("ab\ncd", 3, "2:1");
        case("ab\ncd", 99, "2:3");
        case("é: x", 4, "1:4");
    }
}
