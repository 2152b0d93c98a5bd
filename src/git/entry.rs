//! What Git records for a path, and a sorted list of it: the common shape of an index and of a commit's tree.
//!
//! Paths are bytes with `/` between folders, relative to the top, as Git stores them. They needn't be UTF-8.

use super::oid::Oid;

/// The mode bits that tell what an entry is.
const KIND: u32 = 0o170_000;

/// A path's mode and object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entry {
    /// Git's mode: `0o100644`, `0o100755`, `0o120000` (symbolic link), `0o160000` (submodule), `0o040000` (folder).
    pub mode: u32,
    /// The blob, or the commit of a submodule.
    pub oid: Oid,
}

impl Entry {
    /// Whether it is an ordinary file, the only kind with content of its own.
    #[must_use]
    pub const fn is_file(&self) -> bool {
        self.mode & KIND == 0o100_000
    }

    /// Whether it is a folder, which only trees and sparse indexes contain.
    #[must_use]
    pub const fn is_folder(&self) -> bool {
        self.mode & KIND == 0o040_000
    }
}

/// One record of the list; its path lies in the list's arena.
#[derive(Debug, Clone, Copy)]
struct Record {
    start: usize,
    end: usize,
    stage: u8,
    entry: Entry,
}

/// Entries in Git's order: by the bytes of the path, then by stage.
#[derive(Debug, Default)]
pub(super) struct EntryList {
    arena: Vec<u8>,
    records: Vec<Record>,
}

impl EntryList {
    /// An empty list with room for so many entries.
    pub(super) fn with_capacity(entries: usize) -> Self {
        Self {
            arena: Vec::with_capacity(entries.saturating_mul(32)),
            records: Vec::with_capacity(entries),
        }
    }

    /// Appends an entry; `false`, without appending, when that would break the order.
    pub(super) fn push(&mut self, path: &[u8], stage: u8, entry: Entry) -> bool {
        if let Some(last) = self.records.last()
            && (self.path(last), last.stage) >= (path, stage)
        {
            return false;
        }
        let start = self.arena.len();
        self.arena.extend_from_slice(path);
        self.records.push(Record {
            start,
            end: self.arena.len(),
            stage,
            entry,
        });
        true
    }

    /// The four stages of one path: 0 merged, 1 base, 2 ours, 3 theirs.
    pub(super) fn stages(&self, path: &[u8]) -> [Option<Entry>; 4] {
        let mut stages = [None; 4];
        let from = self.records.partition_point(|record| self.path(record) < path);
        for record in self
            .records
            .iter()
            .skip(from)
            .take_while(|record| self.path(record) == path)
        {
            if let Some(slot) = stages.get_mut(usize::from(record.stage)) {
                *slot = Some(record.entry);
            }
        }
        stages
    }

    /// All entries as path, stage and record.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], u8, Entry)> {
        self.records
            .iter()
            .map(|record| (self.path(record), record.stage, record.entry))
    }

    fn path(&self, record: &Record) -> &[u8] {
        self.arena.get(record.start..record.end).unwrap_or_default()
    }
}

/// Reads Git's octal mode.
pub(super) fn mode(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    fn entry(digit: u8) -> Entry {
        Entry {
            mode: 0o100_644,
            oid: Oid::from_hex(&[digit; 40]).unwrap(),
        }
    }

    #[test]
    fn an_entry_out_of_order_is_refused() {
        for (path, stage, fits) in [
            ("a", 0, false),
            ("b", 0, false),
            ("b", 1, false),
            ("b", 2, true),
            ("b/c", 0, true),
            ("c", 0, true),
        ] {
            let mut list = EntryList::default();
            assert!(list.push(b"b", 1, entry(b'1')));
            assert_eq!(list.push(path.as_bytes(), stage, entry(b'2')), fits, "{path} {stage}");
        }
    }

    #[test]
    fn stages_are_those_of_exactly_this_path() {
        let mut list = EntryList::default();
        for (path, stage, digit) in [("a", 0, b'1'), ("b", 1, b'2'), ("b", 3, b'3'), ("b/c", 0, b'4')] {
            assert!(list.push(path.as_bytes(), stage, entry(digit)));
        }
        assert_eq!(list.stages(b""), [None; 4]);
        assert_eq!(list.stages(b"b/"), [None; 4]);
        assert_eq!(list.stages(b"c"), [None; 4]);
        assert_eq!(list.stages(b"a"), [Some(entry(b'1')), None, None, None]);
        assert_eq!(list.stages(b"b"), [None, Some(entry(b'2')), None, Some(entry(b'3'))]);
    }
}
