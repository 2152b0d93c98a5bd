//! Edits: a text with some of its ranges exchanged, everything else byte for byte.

use zeroize::Zeroizing;

use crate::text::Span;

/// One range of a text and what takes its place. The new text may be a secret, so it is wiped when dropped.
pub struct Edit {
    /// What is replaced; an empty range inserts.
    pub span: Span,
    /// What takes its place.
    pub text: Zeroizing<String>,
}

impl Edit {
    /// `text` in place of `span`.
    #[must_use]
    pub fn new(span: Span, text: impl Into<String>) -> Self {
        Self {
            span,
            text: Zeroizing::new(text.into()),
        }
    }
}

/// A text after its edits, and where each offset of the old text has gone.
pub struct Edited {
    /// The new text.
    pub text: Zeroizing<String>,
    /// For each edit in order: the end of the replaced range in the old text, and of its replacement in the new one.
    ends: Vec<(usize, usize)>,
}

impl Edited {
    /// Where the old `offset` lies in the new text. An offset inside a replaced range has gone to the end of its replacement.
    #[must_use]
    pub fn place(&self, offset: usize) -> usize {
        // Ends are in ascending order on both sides.
        let before = self.ends.partition_point(|&(old, _)| old <= offset);
        match before.checked_sub(1).and_then(|index| self.ends.get(index)) {
            Some(&(old, new)) => new + (offset - old),
            None => offset,
        }
    }
}

/// Applies edits to a text. Ranges must not overlap; a range that does, or that does not fit the text, is left out.
#[must_use]
pub fn apply(text: &str, mut edits: Vec<Edit>) -> Edited {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let grown: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let gone: usize = edits
        .iter()
        .map(|edit| edit.span.end.saturating_sub(edit.span.start))
        .sum();
    // Room for all of it at once, since a string that grows leaves copies of secrets behind; and no more, since all of it is
    // wiped in the end.
    let mut out = Zeroizing::new(String::with_capacity((text.len() + grown).saturating_sub(gone)));
    let mut ends = Vec::with_capacity(edits.len());
    let mut done = 0;
    for edit in &edits {
        let Some(kept) = text
            .get(done..edit.span.start)
            .filter(|_| text.is_char_boundary(edit.span.end))
        else {
            continue;
        };
        out.push_str(kept);
        out.push_str(&edit.text);
        done = edit.span.end;
        ends.push((done, out.len()));
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Edited { text: out, ends }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_replace_insert_and_remove() {
        #[track_caller]
        fn case(text: &str, edits: &[(usize, usize, &str)], expected: &str) {
            let edits = edits
                .iter()
                .map(|&(start, end, text)| Edit::new(Span::new(start, end), text))
                .collect();
            assert_eq!(*apply(text, edits).text, expected);
        }
        case("a: b\n", &[], "a: b\n");
        case("a: b\n", &[(3, 4, "ccc")], "a: ccc\n");
        case(
            "a: b\nd: e\n",
            &[(8, 9, "x"), (0, 0, "z\n"), (3, 4, "")],
            "z\na: \nd: x\n",
        );
        case("abc", &[(0, 2, "x"), (1, 3, "y")], "xc");
        case("é", &[(0, 1, "x")], "é");
    }

    #[test]
    fn an_offset_is_found_again() {
        let edited = apply(
            "a: b\nc: d\n",
            vec![Edit::new(Span::new(3, 4), "long"), Edit::new(Span::new(8, 9), "")],
        );
        assert_eq!(*edited.text, "a: long\nc: \n");
        for (old, new) in [(0, 0), (3, 3), (4, 7), (5, 8), (9, 11)] {
            assert_eq!(edited.place(old), new, "{old}");
        }
    }
}
