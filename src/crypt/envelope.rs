//! The text form of one sealed value: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.
//!
//! The recogniser answers as SOPS's greedy regular expression does (§2.4): anchored at the start, blind to what follows
//! the last `]` of the first line, each part at least one character long.

use super::error::Error;

/// What every envelope begins with.
pub(super) const PREFIX: &str = "ENC[AES256_GCM,data:";
pub(super) const IV: &str = ",iv:";
pub(super) const TAG: &str = ",tag:";
pub(super) const TYPE: &str = ",type:";

/// Characters of an unknown type word that an error repeats.
const SHOWN_WORD: usize = 24;

/// The type of a sealed value, as its envelope names it. It isn't authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A string: any bytes.
    Str,
    /// A signed 64-bit integer in decimal.
    Int,
    /// A double in decimal.
    Float,
    /// `True` or `False`.
    Bool,
    /// An RFC 3339 time.
    Time,
    /// The text of a comment.
    Comment,
    /// A byte string; only old releases wrote it.
    Bytes,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Str,
        Self::Int,
        Self::Float,
        Self::Bool,
        Self::Time,
        Self::Comment,
        Self::Bytes,
    ];

    /// The word in the envelope.
    pub fn word(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Time => "time",
            Self::Comment => "comment",
            Self::Bytes => "bytes",
        }
    }

    /// The kind that a word names.
    ///
    /// # Errors
    /// [`Error::UnknownKind`] for any other word.
    pub fn from_word(word: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|kind| kind.word() == word);
        known.ok_or_else(|| Error::UnknownKind {
            word: word.chars().take(SHOWN_WORD).collect(),
        })
    }
}

/// The parts of one sealed value, borrowed from its text and not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Ciphertext without its tag, in base64.
    pub data: &'a str,
    /// Nonce, in base64.
    pub iv: &'a str,
    /// Authentication tag, in base64.
    pub tag: &'a str,
    /// Type word; see [`Kind::from_word`].
    pub kind_word: &'a str,
}

/// Whether `text` begins like an envelope. True for damaged ones too.
pub fn looks_like(text: &str) -> bool {
    text.starts_with(PREFIX)
}

impl<'a> Envelope<'a> {
    /// The envelope in `text`, or `None` if `text` isn't one.
    ///
    /// A greedy match takes the rightmost separators that leave every part a character, which is what a search from
    /// the right finds without backtracking. It also never looks at the data, the only part that can be long.
    pub fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let inside = &line[..last(line, "]")?];
        let (inside, kind_word) = split_last(inside, TYPE)?;
        let (inside, tag) = split_last(inside, TAG)?;
        let (data, iv) = split_last(inside, IV)?;
        (!data.is_empty()).then_some(Self {
            data,
            iv,
            tag,
            kind_word,
        })
    }
}

/// Splits at the rightmost `separator` that has at least one character after it.
fn split_last<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let mut end = text.len();
    loop {
        let at = last(&text[..end], separator)?;
        let after = &text[at + separator.len()..];
        if !after.is_empty() {
            return Some((&text[..at], after));
        }
        end = at;
    }
}

/// Byte offset of the last occurrence of an ASCII `needle`.
///
/// A plain backward scan: the needle is at most some fifty bytes from the end of what SOPS writes, so the set-up of a
/// general substring search costs more than the search.
fn last(text: &str, needle: &str) -> Option<usize> {
    let (bytes, needle) = (text.as_bytes(), needle.as_bytes());
    let first = needle.first()?;
    let mut end = bytes.len();
    loop {
        end = bytes[..end].iter().rposition(|byte| byte == first)?;
        if bytes[end..].starts_with(needle) {
            return Some(end);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn refusals() {
        let refused = [
            "",
            "x",
            "ENC[AES256_GCM,data:",
            "ENC[AES256_GCM,data:,iv:b,tag:c,type:str]",
            "ENC[AES256_GCM,data:a,iv:,tag:c,type:str]",
            "ENC[AES256_GCM,data:a,iv:b,tag:,type:str]",
            "ENC[AES256_GCM,data:a,iv:b,tag:c,type:]",
            "ENC[AES256_GCM,data:a,iv:b,tag:c,type:str",
            "ENC[AES256_GCM,data:a,tag:c,iv:b,type:str]",
            "ENC[AES256_GCM,data:a,iv:b,type:str]",
            "ENC[AES256_GCM,data:a\n,iv:b,tag:c,type:str]",
            "ENC[AES256_GCM,data:a,iv:b,tag:c,type:str\n]",
            " ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]",
            "enc[AES256_GCM,data:a,iv:b,tag:c,type:str]",
            "ENC[AES128_GCM,data:a,iv:b,tag:c,type:str]",
        ];
        for text in refused {
            assert_eq!(Envelope::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn parts() {
        let cases = [
            ("ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]", ["a", "b", "c", "str"]),
            (
                "ENC[AES256_GCM,data:a,iv:b,tag:c,type:str] tail",
                ["a", "b", "c", "str"],
            ),
            ("ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]] ", ["a", "b", "c", "str]"]),
            ("ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]\n]", ["a", "b", "c", "str"]),
            (
                "ENC[AES256_GCM,data:a,iv:x,iv:b,tag:c,type:str]",
                ["a,iv:x", "b", "c", "str"],
            ),
            (
                "ENC[AES256_GCM,data:a,iv:b,tag:c,type:s,type:]",
                ["a", "b", "c", "s,type:"],
            ),
            ("ENC[AES256_GCM,data:ä,iv:ö,tag:ü,type:ß]", ["ä", "ö", "ü", "ß"]),
        ];
        for (text, [data, iv, tag, kind_word]) in cases {
            assert_eq!(
                Envelope::parse(text),
                Some(Envelope {
                    data,
                    iv,
                    tag,
                    kind_word
                }),
                "{text:?}"
            );
            assert!(looks_like(text));
        }
    }

    /// A linear congruential generator: the same cases in every run.
    fn pieces(seed: &mut u64, count: usize) -> String {
        let vocabulary = [
            ",iv:", ",tag:", ",type:", "]", "a", ",", ":", "\n", "ü", ",iv", "type:", ",t", "[", PREFIX, "\r", "i",
        ];
        let mut text = String::new();
        for _ in 0..count {
            *seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(vocabulary[(*seed >> 60) as usize]);
        }
        text
    }

    #[test]
    fn the_same_answer_as_the_regular_expression() {
        let regex = regex::Regex::new(r"^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]").unwrap();
        let mut seed = 7;
        let mut matches = 0;
        for round in 0..20_000 {
            let mut text = PREFIX.to_owned();
            if round % 2 == 0 {
                text += &pieces(&mut seed, round % 24);
            } else {
                for separator in [IV, TAG, TYPE, "]"] {
                    text += &(pieces(&mut seed, 1 + round % 3) + separator);
                }
                text += &pieces(&mut seed, round % 4);
            }
            let expected = regex.captures(&text).map(|found| found.extract::<4>().1);
            let actual = Envelope::parse(&text).map(|found| [found.data, found.iv, found.tag, found.kind_word]);
            assert_eq!(actual, expected, "{text:?}");
            matches += usize::from(actual.is_some());
        }
        assert!(matches > 2_000, "only {matches} texts were envelopes");
    }

    #[test]
    fn kind_words() {
        for word in ["", "Str", "string", "null", "str "] {
            assert_eq!(Kind::from_word(word), Err(Error::UnknownKind { word: word.into() }));
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.word()), Ok(kind));
        }
    }
}
