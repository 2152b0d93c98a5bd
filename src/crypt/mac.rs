//! The MAC of a file: SHA-512 over the plaintext of its values in document order, without separators (§3).
//!
//! Which values count is the caller's to decide. The digest itself is stored sealed, so it needs no key here.

use data_encoding::HEXUPPER;
use sha2::{Digest as _, Sha512};

/// SHA-256 of the text `sops`: sets the two modes' digests apart, even over no values at all.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b, 0x97, 0x5b,
    0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// A digest in the making.
#[derive(Clone, Debug)]
pub struct Mac(Sha512);

impl Mac {
    /// The digest over all values.
    pub fn new() -> Self {
        Self(Sha512::new())
    }

    /// The digest for files with `mac_only_encrypted`, to be fed sealed values only.
    pub fn only_encrypted() -> Self {
        Self(Sha512::new_with_prefix(ONLY_ENCRYPTED))
    }

    /// Adds the plaintext bytes of the next value.
    pub fn update(&mut self, plaintext: &[u8]) {
        self.0.update(plaintext);
    }

    /// The digest as 128 upper-case hexadecimal digits.
    pub fn finish(self) -> String {
        HEXUPPER.encode(&self.0.finalize())
    }
}

impl Default for Mac {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether two digests are the same text, in a time that tells nothing about where they differ.
pub fn mac_equal(one: &str, other: &str) -> bool {
    let difference = one
        .bytes()
        .zip(other.bytes())
        .fold(0, |all, (a, b)| std::hint::black_box(all | (a ^ b)));
    one.len() == other.len() && difference == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn vectors() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/vectors/unit-vectors.json")).unwrap();
        let mut count = 0;
        for vector in vectors["mac"].as_array().unwrap() {
            let (Some(hashed), Some(expected)) = (vector["hashed_concat_utf8"].as_str(), vector["mac"].as_str()) else {
                continue;
            };
            let only_encrypted = vector["mac_only_encrypted"].as_bool() == Some(true);
            let mut mac = if only_encrypted {
                Mac::only_encrypted()
            } else {
                Mac::new()
            };
            for piece in hashed.as_bytes().chunks(3) {
                mac.update(piece);
            }
            assert_eq!(mac.finish(), expected, "{vector}");
            count += 1;
        }
        assert_eq!(count, 4);
    }

    #[test]
    fn equality() {
        let cases = [
            ("", "", true),
            ("AB", "AB", true),
            ("AB", "AC", false),
            ("AB", "A", false),
            ("", "A", false),
            ("a", "A", false),
        ];
        for (one, other, equal) in cases {
            assert_eq!(mac_equal(one, other), equal, "{one} {other}");
        }
    }
}
