//! What stands behind the delimiter of an INI key: the token, what it means, and what follows it.

use std::borrow::Cow;

use crate::document::Style;
use crate::text::Span;

/// A value as read.
#[derive(Debug)]
pub(super) struct Read<'t> {
    /// What it means.
    pub value: Cow<'t, str>,
    /// The token, quotes and all lines included.
    pub span: Span,
    /// How it is written.
    pub style: Style,
    /// What follows the closing quote and is no comment for SOPS; empty where there is nothing.
    pub junk: Span,
    /// The comment that follows, from its comment character to its last character.
    pub comment: Option<Span>,
    /// Where the next line begins.
    pub end: usize,
}

/// The line that begins at `start`, its line feed included.
pub(super) fn line_at(text: &str, start: usize) -> Span {
    let rest = text.get(start..).unwrap_or_default();
    let length = rest.find('\n').map_or(rest.len(), |feed| feed + 1);
    Span::new(start, start + length)
}

/// The part of a range without white space at its ends.
pub(super) fn trimmed(text: &str, span: Span) -> Span {
    let inside = span.of(text);
    let start = span.start + (inside.len() - inside.trim_start().len());
    Span::new(start, start + inside.trim().len())
}

/// Reads the value in `rest`, the part of a line behind its delimiter. `None` for one whose quotes are never closed.
pub(super) fn read(text: &str, rest: Span) -> Option<Read<'_>> {
    let inside = rest.of(text);
    let start = rest.start + (inside.len() - inside.trim_start().len());
    let line = Span::new(start, rest.end);
    let raw = line.of(text);
    // Three quotes alone at the very end of the file are a plain value.
    let quotes = if raw.len() > 3 && raw.starts_with(TRIPLE) {
        Some((TRIPLE, Style::Triple))
    } else if raw.starts_with('`') {
        Some(("`", Style::Backtick))
    } else {
        None
    };
    match quotes {
        Some((quote, style)) => in_quotes(text, line, quote, style),
        // White space only: the value is nothing, and its place is right behind the delimiter.
        None if raw.is_empty() => Some(plain(text, Span::new(rest.start, rest.start), rest.end)),
        None => Some(plain(text, line, line.end)),
    }
}

const TRIPLE: &str = "\"\"\"";

fn in_quotes<'t>(text: &'t str, line: Span, quote: &str, style: Style) -> Option<Read<'t>> {
    let inside = Span::new(line.start + quote.len(), line.end);
    let Some(length) = inside.of(text).rfind(quote) else {
        return over_lines(text, line, quote, style);
    };
    let close = inside.start + length;
    Some(Read {
        value: Cow::Borrowed(Span::new(inside.start, close).of(text)),
        span: Span::new(line.start, close + quote.len()),
        style,
        junk: trimmed(text, Span::new(close + quote.len(), line.end)),
        comment: None,
        end: line.end,
    })
}

/// A value whose quotes close in a further line.
fn over_lines<'t>(text: &'t str, first: Span, quote: &str, style: Style) -> Option<Read<'t>> {
    let mut next = line_at(text, first.end);
    let close = loop {
        if next.start == next.end {
            return None;
        }
        if let Some(at) = next.of(text).rfind(quote) {
            let close = next.start + at;
            let behind = Span::new(close + quote.len(), next.end);
            // A backslash at the end of the line keeps the quotes open.
            if !behind.of(text).trim().ends_with('\\') {
                break close;
            }
        }
        next = line_at(text, next.end);
    };
    let behind = Span::new(close + quote.len(), next.end);
    let mark = behind.of(text).find(['#', ';']).map(|at| behind.start + at);
    let junk = trimmed(text, Span::new(behind.start, mark.unwrap_or(behind.end)));
    let whole = junk.start == junk.end && mark.is_none();
    Some(Read {
        value: Cow::Borrowed(Span::new(first.start + quote.len(), close).of(text)),
        span: Span::new(
            first.start,
            if junk.start == junk.end { behind.start } else { junk.end },
        ),
        // In one line, SOPS would not look for a comment behind the quotes.
        style: if whole { style } else { Style::Other },
        junk: Span::new(behind.start, behind.start),
        comment: mark.map(|mark| trimmed(text, Span::new(mark, behind.end))),
        end: next.end,
    })
}

fn plain(text: &str, line: Span, end: usize) -> Read<'_> {
    let token = trimmed(text, line);
    let raw = token.of(text);
    let mut read = Read {
        value: Cow::Borrowed(raw),
        span: token,
        style: Style::Plain,
        junk: Span::new(token.end, token.end),
        comment: None,
        end,
    };
    if let Some(head) = raw.strip_suffix('\\') {
        continued(text, head, &mut read);
        return read;
    }
    if let Some(mark) = raw.find(['#', ';']) {
        read.comment = Some(Span::new(token.start + mark, token.end));
        read.span = trimmed(text, Span::new(token.start, token.start + mark));
        read.value = Cow::Borrowed(read.span.of(text));
    }
    if let Some((inside, style)) = unquoted(&read.value) {
        read.style = style;
        read.value = Cow::Owned(inside.to_owned());
    }
    read
}

/// The inside of a text in quotes that stand nowhere in it.
pub(super) fn unquoted(text: &str) -> Option<(&str, Style)> {
    [('\'', Style::Single), ('"', Style::Double)]
        .into_iter()
        .find_map(|(quote, style)| {
            let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
            (!inside.contains(quote)).then_some((inside, style))
        })
}

/// Joins the lines that a backslash at the end of a line continues, up to an empty one.
fn continued(text: &str, head: &str, read: &mut Read<'_>) {
    let mut value = head.to_owned();
    read.style = Style::Other;
    loop {
        let line = line_at(text, read.end);
        let token = trimmed(text, line);
        read.end = line.end;
        if token.start == token.end {
            break;
        }
        read.span.end = token.end;
        value.push_str(token.of(text));
        if !value.ends_with('\\') {
            break;
        }
        value.pop();
    }
    read.value = Cow::Owned(value);
    read.junk = Span::new(read.span.end, read.span.end);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    #[test]
    fn quotes_that_stay_open_are_refused() {
        for text in ["\"\"\"a", "\"\"\"\nb\n", "`a\nb", "\"\"\"a\nb\"\"\" \\", "`"] {
            let span = line_at(text, 0);
            assert!(read(text, span).is_none(), "{text}");
        }
    }

    #[test]
    fn values_are_read_like_the_library_reads_them() {
        #[track_caller]
        fn case(text: &str, value: &str, token: &str, style: Style, rest: [&str; 2]) {
            let found = read(text, line_at(text, 0)).unwrap();
            assert_eq!((found.value.as_ref(), found.style), (value, style), "{text}");
            assert_eq!(found.span.of(text), token, "{text}");
            let comment = found.comment.map_or("", |span| span.of(text));
            assert_eq!([found.junk.of(text), comment], rest, "{text}");
        }
        let none = ["", ""];
        case(" v \r\n", "v", "v", Style::Plain, none);
        case("  \n", "", "", Style::Plain, none);
        case("", "", "", Style::Plain, none);
        case("a;b # c\n", "a", "a", Style::Plain, ["", ";b # c"]);
        case(" ; c", "", "", Style::Plain, ["", "; c"]);
        case("\"a b\" # c", "a b", "\"a b\"", Style::Double, ["", "# c"]);
        case("'a'b'", "'a'b'", "'a'b'", Style::Plain, none);
        case("\"a # b\"", "\"a", "\"a", Style::Plain, ["", "# b\""]);
        case("\"\"\"", "\"\"\"", "\"\"\"", Style::Plain, none);
        case("`a ; b` ; c\n", "a ; b", "`a ; b`", Style::Backtick, ["; c", ""]);
        case("`a` `\n", "a` ", "`a` `", Style::Backtick, none);
        case("\"\"\"a\"\"\" x\n", "a", "\"\"\"a\"\"\"", Style::Triple, ["x", ""]);
        case("\"\"\"a\nb\"\"\"\n", "a\nb", "\"\"\"a\nb\"\"\"", Style::Triple, none);
        case("`a\nb` x # c\n", "a\nb", "`a\nb` x", Style::Other, ["", "# c"]);
        case("`a\nb` \\\nc`\n", "a\nb` \\\nc", "`a\nb` \\\nc`", Style::Backtick, none);
        case(
            "a ; \\\n b\\\n\tc # d\n",
            "a ; bc # d",
            "a ; \\\n b\\\n\tc # d",
            Style::Other,
            none,
        );
        case("a \\\n\nb", "a ", "a \\", Style::Other, none);
        case("\\", "", "\\", Style::Other, none);
    }
}
