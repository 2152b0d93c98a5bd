//! What may be shown: private keys found and masked, and texts of others made harmless for a terminal.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::crypt::{Identity, Recipient};
use crate::text::Span;

/// What takes the place of a private key.
const MASK: &str = "AGE-SECRET-KEY-…";

/// The shape of age's own private keys: the prefix and 58 characters of Bech32, 32 bytes and their checksum. In any case of
/// letters, since age itself reads only capitals but a key is given away in small ones too.
static SHAPE: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the pattern is a constant, and every test of this file compiles it"
    )]
    Regex::new("(?i-u)AGE-SECRET-KEY-(?:PQ-)?1[02-9AC-HJ-NP-Z]{58}").expect("a valid pattern")
});

/// A private key that stands in the clear. It holds the place and the public side only.
#[derive(Debug)]
pub struct PrivateKey {
    /// Where it stands.
    pub span: Span,
    /// Whose it is.
    pub public: Option<Recipient>,
}

/// Every private key of age in these bytes; what has the shape but not the checksum is none.
pub fn private_keys(bytes: &[u8]) -> impl Iterator<Item = PrivateKey> + '_ {
    SHAPE.find_iter(bytes).filter_map(|found| {
        let text = std::str::from_utf8(found.as_bytes()).ok()?;
        let identity = Identity::parse(&text.to_ascii_uppercase()).ok()?;
        let public = identity.public().cloned();
        Some(PrivateKey {
            span: Span::new(found.start(), found.end()),
            public,
        })
    })
}

/// The bytes with every private key masked. For paths, which are shown and hashed as they are.
#[must_use]
pub fn masked(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::new();
    let mut done = 0;
    for key in private_keys(bytes) {
        out.extend_from_slice(bytes.get(done..key.span.start).unwrap_or_default());
        out.extend_from_slice(MASK.as_bytes());
        done = key.span.end;
    }
    if done == 0 {
        return Cow::Borrowed(bytes);
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// A text for people: private keys masked; what steers a terminal or turns the direction of writing is spelled out.
#[must_use]
pub fn harmless(text: &str) -> String {
    let masked = String::from_utf8_lossy(&masked(text.as_bytes())).into_owned();
    if !masked.chars().any(is_steering) {
        return masked;
    }
    let spell = |c: char| {
        if is_steering(c) {
            c.escape_unicode().to_string()
        } else {
            c.to_string()
        }
    };
    masked.chars().map(spell).collect()
}

/// Whether a character moves the cursor, ends the line or changes the order in which others are shown.
#[must_use]
pub fn is_steering(c: char) -> bool {
    let order = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || order || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;
    use crate::crypt::ExposeSecret as _;

    #[test]
    fn what_only_looks_like_a_key_is_none() {
        let identity = Identity::generate();
        let key = identity.secret_text();
        let key = key.expose_secret();
        let end = key.chars().next_back().unwrap();
        let other = if end == 'Q' { 'P' } else { 'Q' };
        for text in [
            String::new(),
            key[..73].to_owned(),
            format!("{}{other}", &key[..73]),
            key.replace("KEY-1", "KEY1"),
            format!("{} {}", &key[..40], &key[40..]),
        ] {
            assert_eq!(private_keys(text.as_bytes()).count(), 0);
            assert_eq!(masked(text.as_bytes()), text.as_bytes());
        }
    }

    #[test]
    fn keys_are_found_wherever_they_stand_and_masked() {
        let identity = Identity::generate();
        let key = identity.secret_text();
        let key = key.expose_secret();
        for (before, after) in [
            ("", ""),
            ("x: ", "\n"),
            ("\u{e4}", "QQQ"),
            ("AGE-SECRET-KEY-1", "b"),
            ("\0", "\0"),
        ] {
            for key in [key.to_owned(), key.to_lowercase()] {
                let text = format!("{before}{key}{after}");
                let found: Vec<_> = private_keys(text.as_bytes()).collect();
                assert_eq!(found.len(), 1);
                assert_eq!(found[0].span, Span::new(before.len(), before.len() + key.len()));
                assert!(found[0].public.as_ref().unwrap().same_key(identity.public().unwrap()));
                assert_eq!(masked(text.as_bytes()), format!("{before}{MASK}{after}").as_bytes());
                assert!(!harmless(&text).contains(&key));
            }
        }
        let twice = format!("{key}-{key}");
        assert_eq!(masked(twice.as_bytes()), format!("{MASK}-{MASK}").as_bytes());
    }

    #[test]
    fn a_terminal_is_not_steered() {
        for (text, shown) in [
            ("a b", "a b"),
            ("a\u{1b}[31mb", r"a\u{1b}[31mb"),
            ("a\nb", r"a\u{a}b"),
            ("\u{202e}ä", r"\u{202e}ä"),
        ] {
            assert_eq!(harmless(text), shown);
        }
    }
}
