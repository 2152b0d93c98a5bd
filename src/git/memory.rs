//! The clone's memory: what was opened and sealed before, so that a repeated clean gives the same bytes and costs little.
//!
//! It lies under the common Git folder and holds no plaintext and no unkeyed digest of one: digests are keyed with a random key of
//! this clone. Losing it, or any part of it, costs a fresh sealing and never changes a meaning. Nothing here fails: a memory that
//! can't be read or written is an empty one.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hasher};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A keyed digest, an object's name padded with zeros, or a number: whatever fits 32 bytes.
pub type Digest = [u8; 32];

/// Bytes of a record: its kind, key, value, and seven bytes of checksum against torn writes.
const RECORD: usize = 1 + 32 + 32 + 7;
/// Records above which the older half is dropped.
const MOST_RECORDS: usize = 65_536;
/// Sealed files kept for contents that Git may not have stored, and their greatest size together.
const MOST_FILES: usize = 4_096;
const MOST_FILE_BYTES: u64 = 256 << 20;

/// What a record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// From a sealed blob's name to the digest of what it opens to.
    Opened,
    /// From the digest of a content to the sealed blob that was made of it or opened to it last.
    Blob,
    /// From the digest of a change to the time that was noted in it.
    Time,
}

impl Kind {
    const fn tag(self) -> u8 {
        match self {
            Self::Opened => 1,
            Self::Blob => 2,
            Self::Time => 3,
        }
    }
}

/// The memory of one clone, shared by its work trees. Threads may share it.
#[derive(Debug)]
pub struct Memory {
    /// Absent when the folder can't be used.
    folder: Option<PathBuf>,
    key: [u8; 32],
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    records: HashMap<(u8, Digest), Digest>,
    fresh: Vec<u8>,
    sealed: HashMap<Digest, Vec<u8>>,
    /// How many records the file holds, damaged ones included.
    stored: usize,
}

impl Memory {
    /// The memory under a common Git folder; `random` makes the key of a new one.
    #[must_use]
    pub fn open(common_dir: &Path, random: &dyn Fn() -> Option<[u8; 32]>) -> Self {
        let folder = common_dir.join("git-seal");
        match key_of(&folder, random) {
            Some(key) => {
                let state = State::load(&folder.join("records"));
                Self {
                    folder: Some(folder),
                    key,
                    state: Mutex::new(state),
                }
            }
            None => Self {
                folder: None,
                key: random().unwrap_or_default(),
                state: Mutex::default(),
            },
        }
    }

    /// A memory that lasts as long as the process.
    #[must_use]
    pub fn of_process(key: [u8; 32]) -> Self {
        Self {
            folder: None,
            key,
            state: Mutex::default(),
        }
    }

    /// The key that digests are made with.
    #[must_use]
    pub const fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// What is remembered for `key`.
    #[must_use]
    pub fn get(&self, kind: Kind, key: &Digest) -> Option<Digest> {
        self.state.lock().ok()?.records.get(&(kind.tag(), *key)).copied()
    }

    /// Remembers `value` for `key`.
    pub fn put(&self, kind: Kind, key: Digest, value: Digest) {
        let Ok(mut state) = self.state.lock() else { return };
        if state.records.insert((kind.tag(), key), value) != Some(value) {
            state.fresh.extend_from_slice(&record(kind.tag(), &key, &value));
        }
    }

    /// The sealed bytes that were kept under this digest.
    #[must_use]
    pub fn sealed(&self, digest: &Digest) -> Option<Vec<u8>> {
        if let Some(bytes) = self.state.lock().ok()?.sealed.get(digest) {
            return Some(bytes.clone());
        }
        std::fs::read(self.folder.as_ref()?.join("sealed").join(hex(digest))).ok()
    }

    /// Keeps sealed bytes whose making can't be repeated: a new file's, whose data key is random.
    pub fn keep_sealed(&self, digest: Digest, sealed: &[u8]) {
        if let Some(folder) = &self.folder {
            // A memory that can't be written is slower, never wrong.
            write_whole(&folder.join("sealed"), &hex(&digest), sealed).ok();
        }
        if let Ok(mut state) = self.state.lock() {
            state.sealed.insert(digest, sealed.to_vec());
        }
    }

    /// Writes what is new. Several processes may do so at once: records are appended in one write.
    pub fn flush(&self) {
        let Ok(mut state) = self.state.lock() else { return };
        let Some(folder) = self.folder.as_ref().filter(|_| !state.fresh.is_empty()) else {
            return;
        };
        let path = folder.join("records");
        let fresh = std::mem::take(&mut state.fresh);
        if state.stored + fresh.len() / RECORD > MOST_RECORDS {
            prune(&folder.join("sealed"));
            compact(folder, &path, &fresh);
            return;
        }
        if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(&path) {
            file.write_all(&fresh).ok();
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.flush();
    }
}

impl State {
    fn load(path: &Path) -> Self {
        let mut state = Self::default();
        let bytes = std::fs::read(path).unwrap_or_default();
        state.records.reserve(bytes.len() / RECORD);
        let mut rest = bytes.as_slice();
        while let Some((candidate, after)) = rest.split_at_checked(RECORD) {
            match parse(candidate) {
                Some((tag, key, value)) => {
                    state.records.insert((tag, key), value);
                    state.stored += 1;
                    rest = after;
                }
                // A torn write shifts all that follows: find the next record byte by byte.
                None => rest = &rest[1..],
            }
        }
        state
    }
}

fn record(tag: u8, key: &Digest, value: &Digest) -> [u8; RECORD] {
    let mut bytes = [0; RECORD];
    bytes[0] = tag;
    bytes[1..33].copy_from_slice(key);
    bytes[33..65].copy_from_slice(value);
    let sum = checksum(&bytes[..65]);
    bytes[65..].copy_from_slice(&sum);
    bytes
}

fn parse(bytes: &[u8]) -> Option<(u8, Digest, Digest)> {
    let (body, sum) = bytes.split_at_checked(65)?;
    if checksum(body) != sum {
        return None;
    }
    Some((
        body[0],
        body.get(1..33)?.try_into().ok()?,
        body.get(33..65)?.try_into().ok()?,
    ))
}

/// Seven bytes against accidents; who can write here can do worse than forge it.
fn checksum(bytes: &[u8]) -> [u8; 7] {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    let sum = hasher.finish().to_le_bytes();
    [sum[0], sum[1], sum[2], sum[3], sum[4], sum[5], sum[6]]
}

fn hex(digest: &Digest) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String can't fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// The key of this clone, made on first use. Two first uses at once agree on the one whose file was linked first.
fn key_of(folder: &Path, random: &dyn Fn() -> Option<[u8; 32]>) -> Option<[u8; 32]> {
    let path = folder.join("key");
    let read = || -> Option<[u8; 32]> {
        let mut bytes = Vec::new();
        File::open(&path).ok()?.take(64).read_to_end(&mut bytes).ok()?;
        bytes.try_into().ok()
    };
    if let Some(key) = read() {
        return Some(key);
    }
    private_folder(folder).ok()?;
    let key = random()?;
    if path.exists() {
        // Damaged: the digests made with it are of no use either.
        std::fs::remove_file(folder.join("records")).ok();
        write_whole(folder, "key", &key).ok()?;
        return read();
    }
    let mut file = tempfile::NamedTempFile::new_in(folder).ok()?;
    file.write_all(&key).ok()?;
    match file.persist_noclobber(&path) {
        Ok(_) => Some(key),
        Err(_) => read(),
    }
}

fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    private_folder(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(folder.join(name))?;
    Ok(())
}

/// Replaces the records by the newer half of them and the fresh ones.
fn compact(folder: &Path, path: &Path, fresh: &[u8]) {
    let old = std::fs::read(path).unwrap_or_default();
    let keep = (MOST_RECORDS / 2 * RECORD).min(old.len());
    let mut bytes = old[old.len() - keep..].to_vec();
    bytes.extend_from_slice(fresh);
    write_whole(folder, "records", &bytes).ok();
}

/// Removes the oldest kept files beyond the limits.
fn prune(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut files: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let data = entry.metadata().ok()?;
            Some((data.modified().ok()?, data.len(), entry.path()))
        })
        .collect();
    files.sort_by_key(|file| std::cmp::Reverse(file.0));
    let mut bytes = 0;
    for (index, (_, size, path)) in files.iter().enumerate() {
        bytes += size;
        if index >= MOST_FILES || bytes > MOST_FILE_BYTES {
            std::fs::remove_file(path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    fn memory(folder: &Path) -> Memory {
        Memory::open(folder, &|| Some([7; 32]))
    }

    #[test]
    fn what_was_put_is_there_next_time() {
        let folder = tempfile::tempdir().unwrap();
        memory(folder.path()).put(Kind::Opened, [1; 32], [2; 32]);
        let again = memory(folder.path());
        assert_eq!(again.get(Kind::Opened, &[1; 32]), Some([2; 32]));
        assert_eq!(again.get(Kind::Blob, &[1; 32]), None);
        again.keep_sealed([3; 32], b"sealed");
        assert_eq!(memory(folder.path()).sealed(&[3; 32]).as_deref(), Some(&b"sealed"[..]));
    }

    #[test]
    fn damage_costs_the_damaged_records_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("git-seal/records");
        memory(folder.path()).put(Kind::Time, [1; 32], [2; 32]);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_slice(&[9; 30]);
        std::fs::write(&path, &bytes).unwrap();
        memory(folder.path()).put(Kind::Time, [3; 32], [4; 32]);
        let again = memory(folder.path());
        assert_eq!(again.get(Kind::Time, &[1; 32]), Some([2; 32]));
        assert_eq!(again.get(Kind::Time, &[3; 32]), Some([4; 32]));
        std::fs::write(&path, [0; 5000]).unwrap();
        assert_eq!(memory(folder.path()).get(Kind::Time, &[1; 32]), None);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_empty_memory() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("git-seal"), b"a file in the way").unwrap();
        let memory = memory(folder.path());
        memory.put(Kind::Blob, [1; 32], [2; 32]);
        assert_eq!(memory.get(Kind::Blob, &[1; 32]), Some([2; 32]));
        memory.flush();
    }

    #[test]
    fn old_records_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let key = |number: usize| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_le_bytes());
            key
        };
        let one = memory(folder.path());
        (0..MOST_RECORDS).for_each(|number| one.put(Kind::Blob, key(number), [1; 32]));
        one.flush();
        memory(folder.path()).put(Kind::Blob, key(MOST_RECORDS), [1; 32]);
        let again = memory(folder.path());
        assert_eq!(again.get(Kind::Blob, &key(0)), None);
        assert!(again.get(Kind::Blob, &key(MOST_RECORDS)).is_some());
    }
}
