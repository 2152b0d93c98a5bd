//! Comments: lines that stand together, and the comment behind what they belong to, are one for SOPS.
//!
//! Sealed, the envelope stands in the first line and the others keep their comment character only. So each line has its place when
//! the comment is opened, and SOPS, which looks at the first line of a sealed comment, reads the whole of it.

use std::borrow::Cow;

use super::value::trimmed;
use crate::document::Comment;
use crate::document::edit::Edit;
use crate::text::Span;

/// What marks a comment.
pub(super) const MARKS: [char; 2] = ['#', ';'];

/// What the last piece of a comment stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// Nothing: it has its line for itself.
    Nothing,
    /// A key and its value.
    Key,
    /// A header that begins here.
    Header(usize),
}

/// The comments that these pieces are. SOPS sees one; but what was typed beside a sealed comment is none of it.
pub(super) fn joined<'t>(text: &'t str, pieces: &[Span], behind: Behind) -> Vec<Comment<'t>> {
    let sealed = |piece: &Span| stripped(text, *piece).of(text).starts_with(SEALED);
    let bare = |piece: &Span| piece.of(text).chars().all(|c| c.is_whitespace() || MARKS.contains(&c));
    let mut groups: Vec<&[Span]> = Vec::new();
    let mut start = 0;
    for (index, piece) in pieces.iter().enumerate().skip(1) {
        let after_sealed = pieces.get(start).is_some_and(sealed) && !bare(piece);
        if sealed(piece) || after_sealed {
            groups.extend(pieces.get(start..index));
            start = index;
        }
    }
    let last = pieces.get(start..).and_then(|pieces| join(text, pieces, behind));
    let before = groups
        .into_iter()
        .filter_map(|pieces| join(text, pieces, Behind::Nothing));
    before.chain(last).collect()
}

/// What a sealed comment begins with.
const SEALED: &str = "ENC[AES256_GCM,";

/// The pieces of one comment as SOPS sees them, each from its comment character on; the last may stand behind something else.
/// `None` where there is none.
fn join<'t>(text: &'t str, pieces: &[Span], behind: Behind) -> Option<Comment<'t>> {
    let (&first, more) = pieces.split_first()?;
    let header = match behind {
        Behind::Header(at) => Some(at),
        Behind::Nothing | Behind::Key => None,
    };
    let Some((&last, between)) = more.split_last() else {
        let span = stripped(text, trimmed(text, first));
        return Some(Comment {
            text: Cow::Borrowed(span.of(text)),
            span,
            rest: Vec::new(),
            header,
            inline: behind != Behind::Nothing,
            lost: false,
        });
    };
    let last = trimmed(text, last);
    let first = stripped(text, first);
    let mut whole = first.of(text).to_owned();
    for piece in between.iter().chain([&last]) {
        whole.push('\n');
        whole.push_str(piece.of(text));
    }
    let inside = |piece: &Span| Span::new(piece.start + 1, without_return(text, *piece).end);
    Some(Comment {
        text: Cow::Owned(whole),
        span: without_return(text, first),
        rest: between.iter().chain([&last]).map(inside).collect(),
        header,
        inline: false,
        lost: false,
    })
}

/// Without the comment character, its repetitions and the blanks behind it.
fn stripped(text: &str, piece: Span) -> Span {
    let inside = piece.of(text);
    let rest = match inside.chars().next() {
        Some(mark) if MARKS.contains(&mark) => inside.trim_start_matches([mark, ' ']),
        _ => inside,
    };
    Span::new(piece.end - rest.len(), piece.end)
}

fn without_return(text: &str, piece: Span) -> Span {
    let inside = piece.of(text);
    let end = piece.start + inside.strip_suffix('\r').unwrap_or(inside).len();
    Span::new(piece.start, end.max(piece.start))
}

/// The text of a comment to be sealed. SOPS 3.13.1 crashes on one that begins with an empty line, so that line gets its mark.
#[must_use]
pub fn comment_plaintext<'c>(text: &str, comment: &'c Comment<'_>) -> Cow<'c, str> {
    match mark_before(text, comment.span.start) {
        Some(mark) if comment.text.trim_start_matches('\r').starts_with('\n') => {
            Cow::Owned(format!("{mark}{}", comment.text))
        }
        _ => Cow::Borrowed(&comment.text),
    }
}

/// The comment character of the text that begins at `at`.
fn mark_before(text: &str, at: usize) -> Option<char> {
    let before = text.get(..at)?.trim_end_matches(' ');
    before.chars().next_back().filter(|mark| MARKS.contains(mark))
}

/// The edits that put `envelope` in the place of a comment.
#[must_use]
pub fn sealed_comment(text: &str, comment: &Comment<'_>, envelope: &str) -> Vec<Edit> {
    if let Some(header) = comment.header.filter(|_| comment.inline) {
        // A header ends at the last bracket of its line, and the envelope holds one: so it goes above, and a mark takes its place.
        let mark = text.get(header..comment.span.start).and_then(|line| line.rfind(MARKS));
        let mark = mark.map_or(";", |at| Span::new(header + at, header + at + 1).of(text));
        return vec![
            Edit::new(Span::new(header, header), format!("{ABOVE}{envelope}\n")),
            Edit::new(comment.span, mark),
        ];
    }
    let emptied = comment.rest.iter().map(|piece| Edit::new(*piece, ""));
    std::iter::once(Edit::new(comment.span, envelope))
        .chain(emptied)
        .collect()
}

/// What stands before an envelope that was put above a header.
const ABOVE: &str = "; ";

/// The edits that put an opened comment in the place of its envelope.
#[must_use]
pub fn opened_comment(text: &str, comment: &Comment<'_>, plain: &str) -> Vec<Edit> {
    let lines: Vec<&str> = plain.split('\n').collect();
    above_header(text, comment, &lines)
        .or_else(|| line_by_line(text, comment, &lines))
        .unwrap_or_else(|| vec![Edit::new(comment.span, at_one_place(text, comment, &lines))])
}

/// Puts a comment back behind the header that it was taken from.
fn above_header(text: &str, comment: &Comment<'_>, lines: &[&str]) -> Option<Vec<Edit>> {
    let ([line], [behind]) = (lines, comment.rest.as_slice()) else {
        return None;
    };
    comment.header?;
    let place = Span::new(behind.of(text).rfind(MARKS)? + behind.start, behind.end);
    let start = comment.span.start.checked_sub(ABOVE.len())?;
    let whole = Span::new(start, comment.span.end + 1);
    let ours = text.get(start..)?.starts_with(ABOVE) && whole.of(text).ends_with('\n');
    (ours && place.end == place.start + 1).then(|| vec![Edit::new(whole, ""), Edit::new(place, *line)])
}

/// Each line to its own place, where there are as many.
fn line_by_line(text: &str, comment: &Comment<'_>, lines: &[&str]) -> Option<Vec<Edit>> {
    let (first, more) = lines.split_first()?;
    if more.len() != comment.rest.len() {
        return None;
    }
    let first = fitted(text, comment.span, first);
    let bare = mark_before(text, comment.span.start).is_some_and(|mark| first.strip_prefix(mark) == Some(""));
    let first = if bare && !more.is_empty() { "" } else { first };
    let mut edits = vec![Edit::new(comment.span, first)];
    for (place, line) in comment.rest.iter().zip(more) {
        let mark = text.get(..place.start)?.chars().next_back()?;
        let inside = line.strip_prefix(mark).filter(|_| place.of(text).trim().is_empty())?;
        edits.push(Edit::new(*place, fitted(text, *place, inside)));
    }
    Some(edits)
}

/// A line without its carriage return where the place has one.
fn fitted<'l>(text: &str, place: Span, line: &'l str) -> &'l str {
    let has = text.get(place.end..).is_some_and(|rest| rest.starts_with('\r'));
    line.strip_suffix('\r').filter(|_| has).unwrap_or(line)
}

/// All lines at the place of the first, as SOPS writes them.
fn at_one_place(text: &str, comment: &Comment<'_>, lines: &[&str]) -> String {
    let before = text.get(..comment.span.start).unwrap_or_default();
    let indent: String = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .take_while(|character| character.is_whitespace())
        .collect();
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        if number == 0 {
            out.push_str(line);
        } else if comment.inline {
            // A further line would belong to what follows.
            out.push(' ');
            out.push_str(line.trim());
        } else {
            out.push('\n');
            out.push_str(&indent);
            if !line.trim_start().starts_with(MARKS) {
                out.push_str("; ");
            }
            out.push_str(line);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;
    use crate::document::edit::apply;
    use crate::document::{Item, ini};

    /// The one comment of a text.
    fn the_comment(text: &str) -> Comment<'_> {
        let mut comments = ini::parse(text, "sops").unwrap().items.into_iter();
        comments
            .find_map(|item| match item {
                Item::Comment(comment) => Some(comment),
                _ => None,
            })
            .unwrap()
    }

    #[test]
    fn a_sealed_comment_keeps_the_lines() {
        #[track_caller]
        fn case(text: &str, plain: &str, sealed: &str) {
            let comment = the_comment(text);
            assert_eq!(comment_plaintext(text, &comment), plain);
            let written = apply(text, sealed_comment(text, &comment, "ENC[x]")).text;
            assert_eq!(*written, sealed);
            let found = the_comment(&written);
            assert!(found.text.starts_with("ENC[x]"), "{}", found.text);
            assert_eq!(*apply(&written, opened_comment(&written, &found, plain)).text, text);
        }
        case("; a\nk=v", "a", "; ENC[x]\nk=v");
        case("k=v ;a  \n", "a", "k=v ;ENC[x]  \n");
        case(
            " ;; a\n\n\t# b  \n[s] ; c \n",
            "a\n# b  \n; c",
            " ;; ENC[x]\n\n\t#\n[s] ; \n",
        );
        case("; a\r\n#b\r\nk=v", "a\r\n#b", "; ENC[x]\r\n#\r\nk=v");
        case(";\n#b\nk=v", ";\n#b", ";ENC[x]\n#\nk=v");
        case("# ;\n#b\nk=v", ";\n#b", "# ENC[x]\n#\nk=v");
        case("  [s] ;  c  \n", "c", "  ; ENC[x]\n[s] ;  ;  \n");
        case("[s]#c", "c", "; ENC[x]\n[s]##");
    }

    #[test]
    fn lines_without_places_of_their_own_stay_comments() {
        #[track_caller]
        fn case(text: &str, plain: &str, expected: &str) {
            let comment = the_comment(text);
            assert_eq!(*apply(text, opened_comment(text, &comment, plain)).text, expected);
        }
        case(" ; E\nk=v", "a\nb\n# c", " ; a\n ; b\n # c\nk=v");
        case("k=v ; E\n", "a\n; b", "k=v ; a ; b\n");
        case("; E\n; typed\nk=v", "a\n; b", "; a\n; b\n; typed\nk=v");
        let sealed = format!("; {SEALED}x]");
        for text in [
            format!("{sealed}\n;\n; typed\nk=v"),
            format!("; typed\n{sealed}\n;\nk=v ;"),
        ] {
            let document = ini::parse(&text, "sops").unwrap();
            let texts: Vec<_> = document
                .items
                .iter()
                .filter_map(|item| match item {
                    Item::Comment(comment) => Some(comment.text.trim_end_matches(['\n', ';'])),
                    _ => None,
                })
                .collect();
            assert!(texts.contains(&"typed") && texts.contains(&&sealed[2..]), "{texts:?}");
        }
        case("; E\n[s] ; typed\n", "a", "; a\n[s] ; typed\n");
    }
}
