//! The way of a plain file into the text that is sealed, and back: another encoding, and the few spellings that can't stay where an
//! entry is added or a leaf exchanged. What it takes to go back is kept in the note of spellings.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::copy;
use super::error::Error;
use super::sealed::parse_document;
use crate::document::edit::{Edit, apply};
use crate::document::{Document, Format, Item, RootStyle};
use crate::text::{Decoded, Encoding, Span};

/// The text of a plain file, as SOPS reads its bytes: only YAML may be anything but UTF-8.
///
/// # Errors
/// [`Error::NotUtf8`].
pub fn text_of(format: Format, content: &[u8]) -> Result<(Decoded<'_>, Encoding), Error> {
    let encoding = match format {
        Format::Yaml => Encoding::of(content),
        _ => Encoding::Utf8,
    };
    let text = encoding.decode(content).ok_or(Error::NotUtf8)?;
    Ok((text, encoding))
}

/// Whether plain content can be sealed leaf by leaf; needs no key.
///
/// # Errors
/// Why not: [`Error::NotUtf8`], [`Error::Document`].
pub fn check(format: Format, content: &[u8]) -> Result<(), Error> {
    let (text, _) = text_of(format, content)?;
    let document = parse_document(format, &text)?;
    document.flaws.first().map_or(Ok(()), |flaw| Err(flaw.clone().into()))
}

/// One spelling that was exchanged.
struct Swap {
    /// Where it stands in the text that is sealed.
    at: usize,
    now: Zeroizing<String>,
    was: Zeroizing<String>,
}

/// The way back from the text that is sealed.
pub(super) struct Door {
    encoding: Encoding,
    /// The length of the text that is sealed.
    length: usize,
    swaps: Vec<Swap>,
}

impl Door {
    /// The way back for a document, and the text to seal in its place if that is another one.
    pub(super) fn of(document: &Document<'_>, encoding: Encoding) -> (Option<Self>, Option<Zeroizing<String>>) {
        let edits = stand_ins(document);
        if edits.is_empty() {
            let length = document.text.len();
            let door = Self {
                encoding,
                length,
                swaps: Vec::new(),
            };
            return ((encoding != Encoding::Utf8).then_some(door), None);
        }
        let old: Vec<(Span, Zeroizing<String>)> = edits.iter().map(|edit| (edit.span, edit.text.clone())).collect();
        let edited = apply(document.text, edits);
        let swap = |(span, now): (Span, Zeroizing<String>)| Swap {
            at: edited.place(span.end).saturating_sub(now.len()),
            was: Zeroizing::new(span.of(document.text).to_owned()),
            now,
        };
        let door = Self {
            encoding,
            length: edited.text.len(),
            swaps: old.into_iter().map(swap).collect(),
        };
        (Some(door), Some(edited.text))
    }

    /// The door as the note keeps it: numbers in a line, then the texts.
    pub(super) fn written(&self) -> Zeroizing<String> {
        let encoding = match self.encoding {
            Encoding::Utf8 => 8,
            Encoding::Utf16Le => 1,
            Encoding::Utf16Be => 2,
        };
        let mut out = Zeroizing::new(format!("{encoding} {}", self.length));
        for swap in &self.swaps {
            // Writing to a string never fails.
            let _ = write!(out, " {} {} {}", swap.at, swap.now.len(), swap.was.len());
        }
        out.push('\n');
        for swap in &self.swaps {
            out.push_str(&swap.now);
            out.push_str(&swap.was);
        }
        out
    }

    /// Reads what [`Door::written`] wrote.
    pub(super) fn read(note: &str) -> Option<Self> {
        let (line, mut texts) = note.split_once('\n')?;
        let mut numbers = line.split(' ').map(|number| number.parse::<usize>().ok());
        let encoding = match numbers.next()?? {
            8 => Encoding::Utf8,
            1 => Encoding::Utf16Le,
            2 => Encoding::Utf16Be,
            _ => return None,
        };
        let length = numbers.next()??;
        let mut swaps = Vec::new();
        while let Some(at) = numbers.next() {
            let mut take = |length: usize| {
                let (text, rest) = texts.split_at_checked(length)?;
                texts = rest;
                Some(Zeroizing::new(text.to_owned()))
            };
            swaps.push(Swap {
                at: at?,
                now: take(numbers.next()??)?,
                was: take(numbers.next()??)?,
            });
        }
        Some(Self {
            encoding,
            length,
            swaps,
        })
    }

    /// The bytes of the plain file, if `text` is the text that was sealed.
    pub(super) fn leave(&self, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        let fits = |swap: &Swap| {
            text.get(swap.at..)
                .is_some_and(|rest| rest.starts_with(swap.now.as_str()))
        };
        if text.len() != self.length || !self.swaps.iter().all(fits) {
            return None;
        }
        let edits = self
            .swaps
            .iter()
            .map(|swap| Edit::new(Span::new(swap.at, swap.at + swap.now.len()), swap.was.as_str()));
        Some(self.encoding.encode(&apply(text, edits.collect()).text))
    }
}

/// What is exchanged before a document is sealed.
fn stand_ins(document: &Document<'_>) -> Vec<Edit> {
    let fixed = document.stand_ins.iter();
    let mut edits: Vec<Edit> = fixed.map(|stand_in| Edit::new(stand_in.span, stand_in.text)).collect();
    for (index, item) in document.items.iter().enumerate() {
        if let Item::Begin(root) = item
            && let RootStyle::Alias { span } = root.style
        {
            let rest = document.items.get(index + 1..).unwrap_or_default();
            let length = rest.iter().position(|item| matches!(item, Item::Begin(_)));
            let members = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
            edits.push(Edit {
                span,
                text: copy::of_root(members),
            });
        }
    }
    edits.sort_by_key(|edit| edit.span.start);
    edits
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    fn door(text: &str, encoding: Encoding) -> (Option<Door>, Option<Zeroizing<String>>) {
        Door::of(&parse_document(Format::Yaml, text).unwrap(), encoding)
    }

    #[test]
    fn a_note_that_is_none_is_not_read() {
        for note in [
            "",
            "8 1",
            "9 1\n",
            "8\n",
            "8 x\n",
            "8 4 0 1\n",
            "8 4 0 2 2\nab",
            "8 4 0 1 1\né",
        ] {
            assert!(Door::read(note).is_none(), "{note:?}");
        }
    }

    #[test]
    fn only_the_text_that_was_sealed_goes_back() {
        let (door, text) = door("~\n", Encoding::Utf8);
        let (door, text) = (door.unwrap(), text.unwrap());
        for other in ["{ }\n", "~\n", "{}\n\n", "x{}\n", ""] {
            assert!(door.leave(other).is_none(), "{other:?}");
        }
        assert_eq!(*door.leave(&text).unwrap(), b"~\n");
    }

    #[test]
    fn what_can_not_stay_is_exchanged_and_comes_back() {
        #[track_caller]
        fn case(text: &str, expected: Option<&str>) {
            for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be] {
                let (way_back, other) = door(text, encoding);
                assert_eq!(other.as_deref().map(String::as_str), expected, "{text:?}");
                let normal = other.as_deref().map_or(text, String::as_str);
                assert!(
                    stand_ins(&parse_document(Format::Yaml, normal).unwrap()).is_empty(),
                    "{normal:?}"
                );
                let Some(way_back) = way_back else {
                    assert_eq!((encoding, expected), (Encoding::Utf8, None));
                    continue;
                };
                let read = Door::read(&way_back.written()).unwrap();
                assert_eq!(read.leave(normal).unwrap(), encoding.encode(text));
            }
        }
        case("a: b\n", None);
        case("a: |-\n  b", None);
        case("a: |\n  b\n  ", None);
        case("a: |\n  b", Some("a: |-\n  b"));
        case("a: >+2 # c\n  b", Some("a: >-2 # c\n  b"));
        case("a: |2\n   b", Some("a: |2-\n   b"));
        case("a: |+\n  b\n ", Some("a: |+\n  b\n"));
        case("é: ~\n---\n# c\nNULL # d\n", Some("é: ~\n---\n# c\n{} # d\n"));
        case("--- !!null ''\n---\n", Some("--- {}\n---\n"));
        case("a: &b:c d\n", Some("a: &b :c d\n"));
        case(
            "a: &x {b: -0.0, c: ['d', ~]}\n---\n*x\n---\n*x # e\n",
            Some(
                "a: &x {b: -0.0, c: ['d', ~]}\n---\n{\"b\": -0.0, \"c\": [\"d\", null]}\n---\n{\"b\": -0.0, \"c\": [\"d\", null]} # e\n",
            ),
        );
        case("a:\n#\n- b #\n#\n# c\n#", Some("a:\n# \n- b # \n#\n# c\n#"));
        case("#\na: b #\n#\n", None);
        case("a: &x ~\n--- *x\n", Some("a: &x ~\n--- {}\n"));
    }

    #[test]
    fn content_is_judged_by_its_text() {
        #[track_caller]
        fn case(format: Format, content: &[u8], expected: Result<(), &str>) {
            let judged = check(format, content).map_err(|error| error.to_string());
            assert_eq!(judged.as_ref().map_err(String::as_str).copied(), expected);
        }
        case(Format::Json, b"\xff\xfe{\0}\0", Err("not valid UTF-8"));
        case(Format::Yaml, b"\xff\xfea", Err("not valid UTF-8"));
        case(
            Format::Yaml,
            b"\xff\xfe1\0:\0 \0x\0",
            Err("1:1: a key is not text; put it in quotes"),
        );
        case(Format::Yaml, b"\xff\xfea\0:\0 \0x\0", Ok(()));
    }
}
