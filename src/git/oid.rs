//! An object's name: SHA-1 (20 bytes) or SHA-256 (32 bytes), as Git writes it in hexadecimal.

use std::fmt;

use super::error::Error;

/// The hash that a repository names its objects with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectFormat {
    /// 20 bytes.
    Sha1,
    /// 32 bytes.
    Sha256,
}

impl ObjectFormat {
    /// The length of a name in bytes.
    #[must_use]
    pub const fn oid_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The tree without entries. Git knows it in every repository, whether or not it was ever written.
    #[must_use]
    pub const fn empty_tree(self) -> &'static str {
        match self {
            Self::Sha1 => "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
            Self::Sha256 => "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
        }
    }
}

/// The name of an object; its length tells the repository's object format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid {
    bytes: [u8; 32],
    len: u8,
}

impl Oid {
    /// Takes the 20 or 32 raw bytes of a name.
    ///
    /// # Errors
    /// [`Error::NotAnOid`] for any other length.
    pub fn from_bytes(raw: &[u8]) -> Result<Self, Error> {
        if raw.len() != 20 && raw.len() != 32 {
            return Err(Error::NotAnOid {
                text: format!("{} bytes", raw.len()),
            });
        }
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Ok(Self {
            bytes,
            len: if raw.len() == 20 { 20 } else { 32 },
        })
    }

    /// Reads the 40 or 64 lowercase or uppercase hexadecimal digits of a name.
    ///
    /// # Errors
    /// [`Error::NotAnOid`] for any other text.
    pub fn from_hex(text: &[u8]) -> Result<Self, Error> {
        let bad = || Error::NotAnOid {
            text: String::from_utf8_lossy(text).into_owned(),
        };
        if text.len() != 40 && text.len() != 64 {
            return Err(bad());
        }
        let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut raw = [0; 32];
        for (slot, pair) in raw.iter_mut().zip(text.chunks_exact(2)) {
            *slot = digit(pair[0]).ok_or_else(bad)? << 4 | digit(pair[1]).ok_or_else(bad)?;
        }
        Self::from_bytes(&raw[..text.len() / 2])
    }

    /// The raw bytes: 20 or 32 of them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Whether all digits are zero: Git's way to say *no object* in hook input and raw diffs.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.bytes == [0; 32]
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_40_or_64_digits_are_a_name() {
        let long = "ab".repeat(32);
        for bad in [
            "",
            "12",
            &"g".repeat(40),
            &"a".repeat(41),
            &"a".repeat(63),
            &"ä".repeat(20),
        ] {
            assert!(
                matches!(Oid::from_hex(bad.as_bytes()), Err(Error::NotAnOid { .. })),
                "{bad}"
            );
        }
        for good in [&long[..40], &long[..]] {
            assert_eq!(
                Oid::from_hex(good.as_bytes())
                    .map(|oid| oid.to_string())
                    .ok()
                    .as_deref(),
                Some(good)
            );
        }
    }

    #[test]
    fn zero_is_zero_in_both_lengths() {
        for (digits, zero) in [
            ("0".repeat(40), true),
            ("0".repeat(64), true),
            (format!("{}1", "0".repeat(39)), false),
        ] {
            assert_eq!(
                Oid::from_hex(digits.as_bytes()).map(|oid| oid.is_zero()).ok(),
                Some(zero),
                "{digits}"
            );
        }
    }
}
