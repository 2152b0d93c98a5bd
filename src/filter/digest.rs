//! Keyed digests of contents and changes, by which the clone's memory finds them without holding them.

use crate::crypt::DataKey;
use crate::git::{Memory, Oid, memory::Digest};

/// The digest of parts, keyed with the clone's own key and told apart by `label`.
pub(super) fn digest(memory: &Memory, label: &str, parts: &[&[u8]]) -> Digest {
    let mut all: Vec<&[u8]> = vec![b"memory", label.as_bytes()];
    all.extend_from_slice(parts);
    // The key is not one that anything is sealed with; what is shared is the derivation.
    DataKey::from_bytes(memory.key())
        .map(|key| key.derive_nonce(&all))
        .unwrap_or_default()
}

/// An object's name as a record holds it.
pub(super) fn padded(oid: &Oid) -> Digest {
    let mut bytes = [0; 32];
    bytes[..oid.as_bytes().len()].copy_from_slice(oid.as_bytes());
    bytes
}

/// The object's name in a record, for names of this length.
pub(super) fn oid(bytes: &Digest, length: usize) -> Option<Oid> {
    let (name, rest) = bytes.split_at_checked(length)?;
    if rest.iter().any(|&byte| byte != 0) {
        return None;
    }
    Oid::from_bytes(name).ok()
}
