//! Places in a text: lines, columns, and what stands between two tokens.

/// Where the line of an offset starts.
pub(in crate::document) fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rfind('\n').map_or(0, |newline| newline + 1)
}

/// Where the line of an offset ends, before its line break.
pub(in crate::document) fn line_end(text: &str, at: usize) -> usize {
    let after = text.get(at..).unwrap_or_default();
    let end = after.find('\n').unwrap_or(after.len());
    at + after.get(..end).unwrap_or_default().trim_end_matches('\r').len()
}

/// Where the line after that of an offset starts; the end of the text where there is none.
pub(in crate::document) fn next_line(text: &str, at: usize) -> usize {
    let after = text.get(at..).unwrap_or_default();
    at + after.find('\n').map_or(after.len(), |newline| newline + 1)
}

/// What stands before an offset in its line, without a byte order mark.
pub(in crate::document) fn before_in_line(text: &str, at: usize) -> &str {
    let before = text.get(line_start(text, at)..at).unwrap_or_default();
    before.strip_prefix('\u{feff}').unwrap_or(before)
}

/// The column of an offset, from 0, in characters.
pub(in crate::document) fn column(text: &str, at: usize) -> usize {
    before_in_line(text, at).chars().count()
}

/// Whether nothing but blanks stands before an offset in its line.
pub(in crate::document) fn starts_line(text: &str, at: usize) -> bool {
    before_in_line(text, at).trim_start_matches([' ', '\t']).is_empty()
}

/// The offset of the next token: behind blanks, line breaks and comments, and behind one comma where that is asked for.
pub(in crate::document) fn skip_trivia(text: &str, mut at: usize, comma: bool) -> usize {
    let mut commas = usize::from(comma);
    loop {
        let rest = text.get(at..).unwrap_or_default();
        match rest.bytes().next() {
            Some(b' ' | b'\t' | b'\r' | b'\n') => at += 1,
            Some(b'#') => at = next_line(text, at),
            Some(b',') if commas > 0 => {
                commas -= 1;
                at += 1;
            }
            _ => return at,
        }
    }
}

/// The line break that a text uses.
pub(in crate::document) fn line_break(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text.get(..at).is_some_and(|before| before.ends_with('\r')) => "\r\n",
        _ => "\n",
    }
}
