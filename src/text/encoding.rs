//! How a text is stored in bytes: UTF-8, or UTF-16 behind a byte-order mark.

use std::ops::Deref;

use zeroize::Zeroizing;

/// A form of Unicode text in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8; a byte-order mark is part of the text.
    Utf8,
    /// UTF-16, the low byte first, behind a byte-order mark that is not part of the text.
    Utf16Le,
    /// UTF-16, the high byte first, likewise.
    Utf16Be,
}

/// A text in UTF-8: the bytes that it came in, or one that is wiped when dropped.
pub enum Decoded<'b> {
    /// The bytes themselves.
    Same(&'b str),
    /// Another encoding of them.
    Made(Zeroizing<String>),
}

impl Deref for Decoded<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Same(text) => text,
            Self::Made(text) => text,
        }
    }
}

impl Encoding {
    /// The encoding that the first bytes tell.
    #[must_use]
    pub const fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xFF, 0xFE, ..] => Self::Utf16Le,
            [0xFE, 0xFF, ..] => Self::Utf16Be,
            _ => Self::Utf8,
        }
    }

    /// The text of `bytes`; `None` where they are not of this encoding, unpaired surrogates included.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Option<Decoded<'_>> {
        if self == Self::Utf8 {
            return std::str::from_utf8(bytes).ok().map(Decoded::Same);
        }
        let (pairs, rest) = bytes.get(2..)?.as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        let units = pairs.iter().map(|&pair| match self {
            Self::Utf16Be => u16::from_be_bytes(pair),
            _ => u16::from_le_bytes(pair),
        });
        // Room for all of it at once: a string that grows leaves copies of secrets behind. Two bytes become three at most.
        let mut text = Zeroizing::new(String::with_capacity(bytes.len() / 2 * 3));
        for read in char::decode_utf16(units) {
            text.push(read.ok()?);
        }
        Some(Decoded::Made(text))
    }

    /// The bytes of `text`, with the byte-order mark that the encoding needs.
    #[must_use]
    pub fn encode(self, text: &str) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 2 + 2));
        let unit = |unit: u16| match self {
            Self::Utf16Be => unit.to_be_bytes(),
            _ => unit.to_le_bytes(),
        };
        if self == Self::Utf8 {
            bytes.extend_from_slice(text.as_bytes());
        } else {
            bytes.extend_from_slice(&unit(0xFEFF));
            text.encode_utf16()
                .for_each(|next| bytes.extend_from_slice(&unit(next)));
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    #[test]
    fn what_is_no_text_is_refused() {
        for bytes in [
            &b"\xff"[..],
            b"a\xc3",
            b"\xff\xfea",
            b"\xff\xfe\x00\xd8",
            b"\xff\xfe\x00\xdca\x00",
            b"\xfe\xff\xd8\x00\x00a",
        ] {
            assert!(Encoding::of(bytes).decode(bytes).is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn texts_come_back() {
        #[track_caller]
        fn case(bytes: &[u8], encoding: Encoding, text: &str) {
            assert_eq!(Encoding::of(bytes), encoding);
            assert_eq!(&*encoding.decode(bytes).unwrap(), text);
            assert_eq!(*encoding.encode(text), bytes);
        }
        case(b"", Encoding::Utf8, "");
        case(b"\xef\xbb\xbfa", Encoding::Utf8, "\u{feff}a");
        case(b"\xff\xfe", Encoding::Utf16Le, "");
        case(b"\xff\xfea\0\xe9\0", Encoding::Utf16Le, "aé");
        case(b"\xff\xfe\xff\xfea\0", Encoding::Utf16Le, "\u{feff}a");
        case(b"\xfe\xff\0a\xd8\x3d\xde\0", Encoding::Utf16Be, "a😀");
    }
}
