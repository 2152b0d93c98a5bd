//! Tree objects: looking up one name in the bytes of a tree, and a small memory of trees already read.

use std::collections::HashMap;
use std::sync::Arc;

use super::entry::{Entry, mode};
use super::error::Error;
use super::oid::{ObjectFormat, Oid};

/// Trees are kept until they amount to this many bytes; enough for the folders of one large checkout.
const MEMORY: usize = 16 << 20;

/// Finds `name` in the bytes of one tree. The whole tree is looked through: folders sort as if their names ended in `/`,
/// and a binary search has no fixed-length records to go by.
pub(super) fn find(tree: &[u8], name: &[u8], format: ObjectFormat) -> Result<Option<Entry>, Error> {
    let bad = || Error::Output { what: "a tree object" };
    let mut rest = tree;
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ').ok_or_else(bad)?;
        let (digits, after) = rest.split_at(space);
        let nul = after.iter().position(|byte| *byte == 0).ok_or_else(bad)?;
        let (oid, next) = after[nul + 1..].split_at_checked(format.oid_len()).ok_or_else(bad)?;
        if &after[1..nul] == name {
            return Ok(Some(Entry {
                mode: mode(digits).ok_or_else(bad)?,
                oid: Oid::from_bytes(oid)?,
            }));
        }
        rest = next;
    }
    Ok(None)
}

/// Trees by name. A tree never changes, so the only question is how many to keep.
#[derive(Debug, Default)]
pub(super) struct TreeMemory {
    trees: HashMap<Oid, Arc<[u8]>>,
    bytes: usize,
}

impl TreeMemory {
    /// The tree's bytes, if remembered.
    pub(super) fn get(&self, oid: &Oid) -> Option<Arc<[u8]>> {
        self.trees.get(oid).cloned()
    }

    /// Remembers a tree, and forgets all others when there is no room left.
    pub(super) fn put(&mut self, oid: Oid, tree: &Arc<[u8]>) {
        if self.bytes + tree.len() > MEMORY {
            self.trees.clear();
            self.bytes = 0;
        }
        if tree.len() <= MEMORY && self.trees.insert(oid, Arc::clone(tree)).is_none() {
            self.bytes += tree.len();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    fn record(mode: &str, name: &str, byte: u8) -> Vec<u8> {
        [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &[byte; 20]].concat()
    }

    #[test]
    fn a_damaged_tree_is_an_error() {
        let whole = record("100644", "a", 1);
        for cut in 1..whole.len() {
            assert!(find(&whole[..cut], b"z", ObjectFormat::Sha1).is_err(), "{cut}");
        }
        assert!(find(&record("10x", "a", 1), b"a", ObjectFormat::Sha1).is_err());
    }

    #[test]
    fn a_name_is_found_whole() {
        let tree = [
            record("100644", "a.b", 1),
            record("40000", "a", 2),
            record("100755", "ab", 3),
        ]
        .concat();
        for (name, mode) in [
            ("", None),
            ("b", None),
            ("a.", None),
            ("a", Some(0o040_000)),
            ("a.b", Some(0o100_644)),
            ("ab", Some(0o100_755)),
        ] {
            let found = find(&tree, name.as_bytes(), ObjectFormat::Sha1).unwrap();
            assert_eq!(found.map(|entry| entry.mode), mode, "{name}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut memory = TreeMemory::default();
        let oid = |byte| Oid::from_bytes(&[byte; 20]).unwrap();
        let half: Arc<[u8]> = vec![0; MEMORY / 2].into();
        for byte in 0..3 {
            memory.put(oid(byte), &half);
        }
        assert!(memory.get(&oid(0)).is_none());
        assert!(memory.get(&oid(2)).is_some());
        assert!(memory.bytes <= MEMORY);
    }
}
