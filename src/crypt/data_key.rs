//! The data key of one file: 32 random bytes, wiped when dropped.
//!
//! Besides sealing values it is the root of derived bytes: the same key, place and value give the same nonce, so
//! sealing twice gives the same text. Each derivation starts with a label of its own, so no two can meet.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2_10::Sha256;
use zeroize::{Zeroize as _, ZeroizeOnDrop};

use super::error::Error;

/// Length of a data key in bytes.
const LENGTH: usize = 32;
/// Block length of SHA-256, to which HMAC pads its key.
const HMAC_BLOCK: usize = 64;

const NONCE_LABEL: &[u8] = b"git-seal/v1/nonce";
const KEY_LABEL: &[u8] = b"git-seal/v1/key";

/// The symmetric key that seals all values of one file.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct DataKey([u8; LENGTH]);

impl DataKey {
    /// A fresh key from the operating system's random source.
    ///
    /// # Errors
    /// [`Error::NoRandomness`] if the source fails.
    pub fn generate() -> Result<Self, Error> {
        let mut key = Self([0; LENGTH]);
        getrandom::fill(&mut key.0).map_err(|_| Error::NoRandomness)?;
        Ok(key)
    }

    /// The key that was unwrapped from a file.
    ///
    /// # Errors
    /// [`Error::DataKeyLength`] unless `bytes` is 32 bytes long.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let key = bytes
            .try_into()
            .map_err(|_| Error::DataKeyLength { found: bytes.len() })?;
        Ok(Self(key))
    }

    /// The key itself, to be wrapped for recipients.
    pub fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// A nonce that depends on this key and on `parts`: where the value stands, what it is.
    ///
    /// Each part goes in with its length, so `["ab", "c"]` and `["a", "bc"]` differ. The parts must hold all that
    /// tells one sealing from another, the plaintext above all: a nonce used for two texts breaks AES-GCM.
    pub fn derive_nonce(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.derive(NONCE_LABEL, parts)
    }

    /// A key for another purpose, which tells nothing about this one.
    pub fn derive_key(&self, label: &[u8]) -> [u8; 32] {
        self.derive(KEY_LABEL, &[label])
    }

    fn derive(&self, label: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        // HMAC pads a short key with zeros itself; doing it here makes the constructor infallible.
        let mut padded = [0; HMAC_BLOCK];
        padded[..LENGTH].copy_from_slice(&self.0);
        let mut hmac = Hmac::<Sha256>::new((&padded).into());
        padded.zeroize();
        for part in std::iter::once(&label).chain(parts) {
            hmac.update(&(part.len() as u64).to_be_bytes());
            hmac.update(part);
        }
        hmac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn only_32_bytes_are_a_key() {
        for found in [0, 16, 31, 33, 64] {
            assert_eq!(
                DataKey::from_bytes(&vec![7; found]),
                Err(Error::DataKeyLength { found })
            );
        }
        assert_eq!(DataKey::from_bytes(&[7; 32]).unwrap().as_bytes(), &[7; 32]);
    }

    #[test]
    fn generated_keys_differ() {
        assert_ne!(DataKey::generate().unwrap(), DataKey::generate().unwrap());
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", DataKey([b'k'; 32])), "DataKey([redacted])");
    }

    #[test]
    fn derivation_tells_every_split_apart() {
        let key = DataKey([7; 32]);
        let inputs: [&[&[u8]]; 7] = [
            &[],
            &[b""],
            &[b"", b""],
            &[b"ab", b"c"],
            &[b"a", b"bc"],
            &[b"abc"],
            &[b"abc", b""],
        ];
        let mut seen: Vec<[u8; 32]> = inputs.iter().map(|parts| key.derive_nonce(parts)).collect();
        seen.push(DataKey([8; 32]).derive_nonce(&[b"abc"]));
        seen.push(key.derive_key(b"abc"));
        seen.push(key.derive_key(b"abd"));
        for (index, one) in seen.iter().enumerate() {
            assert!(
                !seen[..index].contains(one),
                "derivation {index} repeats an earlier one"
            );
        }
        assert_eq!(key.derive_nonce(&[b"abc"]), seen[5]);
    }

    #[test]
    fn derivation_is_plain_hmac() {
        // Through the constructor that takes keys of any length, to prove the padding right.
        let mut hmac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(&[7; 32]).unwrap();
        for part in [KEY_LABEL, b"x"] {
            hmac.update(&(part.len() as u64).to_be_bytes());
            hmac.update(part);
        }
        assert_eq!(DataKey([7; 32]).derive_key(b"x")[..], hmac.finalize().into_bytes()[..]);
    }
}
