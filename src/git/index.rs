//! The index file, read by ourselves: versions 2 to 4, read again whenever the file is another one.
//!
//! A hook or filter looks up single paths, and the file of a large repository has tens of thousands; this reader needs one
//! pass over its bytes. What it doesn't know (split and sparse indexes, any required extension to come) it leaves to
//! `git ls-files`. Git holds `index.lock` while it calls a filter: nothing here writes or refreshes.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::command::Git;
use super::entry::{Entry, EntryList, mode};
use super::error::Error;
use super::objects::lock;
use super::oid::{ObjectFormat, Oid};

/// Bytes of an entry before its object's name: the file's status as Git last saw it.
const STATUS: usize = 40;
/// Where the mode lies in them.
const MODE: usize = 24;
const EXTENDED: u16 = 0x4000;
const NAME_LENGTH: u16 = 0x0fff;

/// What tells one state of the file from another. Git never changes an index in place: it renames a new file over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    inode: u64,
    size: u64,
    modified: i128,
    changed: i128,
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
            Self {
                inode: metadata.ino(),
                size: metadata.size(),
                modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
                changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            }
        }
        #[cfg(not(unix))]
        {
            let since = |time: std::io::Result<std::time::SystemTime>| {
                let time = time
                    .ok()
                    .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
                time.and_then(|time| i128::try_from(time.as_nanos()).ok())
                    .unwrap_or_default()
            };
            let (modified, changed) = (since(metadata.modified()), since(metadata.created()));
            Self {
                inode: 0,
                size: metadata.len(),
                modified,
                changed,
            }
        }
    }
}

/// The index of one repository, as last read.
#[derive(Debug)]
pub(super) struct IndexFile {
    path: PathBuf,
    read: Mutex<Option<(Identity, Arc<EntryList>)>>,
}

impl IndexFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            read: Mutex::new(None),
        }
    }

    /// The entries of the file as it is at this moment. No file is an empty index.
    ///
    /// # Errors
    /// [`Error::Io`] when it can't be read, and those of `git ls-files` for a file that only Git can read.
    pub(super) fn entries(&self, git: &Git, prefix: &[u8], format: ObjectFormat) -> Result<Arc<EntryList>, Error> {
        let io = |source| Error::Io {
            path: self.path.clone(),
            source,
        };
        let mut read = lock(&self.read);
        let known = match std::fs::metadata(&self.path) {
            Ok(metadata) => Identity::of(&metadata),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Arc::default()),
            Err(error) => return Err(io(error)),
        };
        if let Some((identity, entries)) = read.as_ref()
            && *identity == known
        {
            return Ok(Arc::clone(entries));
        }
        // The file may have been replaced since it was looked at; its identity is taken from the one that is open.
        let mut file = File::open(&self.path).map_err(io)?;
        let identity = Identity::of(&file.metadata().map_err(io)?);
        let mut bytes = Vec::with_capacity(usize::try_from(identity.size).unwrap_or_default());
        file.read_to_end(&mut bytes).map_err(io)?;
        let entries = Arc::new(match parse(&bytes, format) {
            Some(entries) => entries,
            None => list_by_git(git, prefix)?,
        });
        *read = Some((identity, Arc::clone(&entries)));
        Ok(entries)
    }
}

/// Reads an index file; nothing when it is of a kind, or in a state, that Git should judge.
fn parse(file: &[u8], format: ObjectFormat) -> Option<EntryList> {
    let (header, rest) = file.split_at_checked(12)?;
    let version = number(header.strip_prefix(b"DIRC")?.get(..4)?)?;
    let count = usize::try_from(number(header.get(8..)?)?).ok()?;
    // The trailing checksum isn't verified: Git may be told not to write one, and replaces the file as a whole.
    let mut rest = rest.get(..rest.len().checked_sub(format.oid_len())?)?;
    if !(2..=4).contains(&version) {
        return None;
    }
    // An entry takes 62 bytes or more, whatever the header claims.
    let mut list = EntryList::with_capacity(count.min(rest.len() / 62));
    let mut path = Vec::new();
    for _ in 0..count {
        let (stage, entry, next) = entry(rest, version, format, &mut path)?;
        if entry.is_folder() || !list.push(&path, stage, entry) {
            return None;
        }
        rest = next;
    }
    only_optional_extensions(rest).then_some(list)
}

/// Reads one entry, changes `path` from the previous entry's to its own, and returns stage, entry and the rest.
fn entry<'a>(bytes: &'a [u8], version: u32, format: ObjectFormat, path: &mut Vec<u8>) -> Option<(u8, Entry, &'a [u8])> {
    let (status, rest) = bytes.split_at_checked(STATUS)?;
    let (oid, rest) = rest.split_at_checked(format.oid_len())?;
    let (flags, mut rest) = rest.split_first_chunk::<2>()?;
    let flags = u16::from_be_bytes(*flags);
    if flags & EXTENDED != 0 {
        if version < 3 {
            return None;
        }
        rest = rest.get(2..)?;
    }
    let entry = Entry {
        mode: number(status.get(MODE..MODE + 4)?)?,
        oid: Oid::from_bytes(oid).ok()?,
    };
    let stage = u8::try_from(flags >> 12 & 3).ok()?;
    if version == 4 {
        // The previous path loses its last bytes and gets others in their place.
        let (drop, after) = offset_number(rest)?;
        path.truncate(path.len().checked_sub(drop)?);
        let nul = after.iter().position(|byte| *byte == 0)?;
        path.extend_from_slice(&after[..nul]);
        return Some((stage, entry, &after[nul + 1..]));
    }
    let length = match flags & NAME_LENGTH {
        NAME_LENGTH => rest.iter().position(|byte| *byte == 0)?,
        length => usize::from(length),
    };
    path.clear();
    path.extend_from_slice(rest.get(..length)?);
    // One to eight zero bytes bring the entry to a multiple of eight.
    let taken = bytes.len() - rest.len() + length;
    let next = bytes.get(taken / 8 * 8 + 8..)?;
    (rest.get(length) == Some(&0)).then_some((stage, entry, next))
}

/// Whether all that follows the entries may be skipped: Git marks what may by a capital letter.
fn only_optional_extensions(mut bytes: &[u8]) -> bool {
    while let Some((head, rest)) = bytes.split_at_checked(8) {
        let size = number(&head[4..]).and_then(|size| usize::try_from(size).ok());
        match size.and_then(|size| rest.get(size..)) {
            Some(next) if head[0].is_ascii_uppercase() => bytes = next,
            _ => return false,
        }
    }
    bytes.is_empty()
}

/// Four bytes, highest first.
fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// The variable-length number of version 4, as in pack files' offsets: each further byte also adds one.
fn offset_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (at, byte) in bytes.iter().enumerate() {
        value = value.checked_mul(128)?.checked_add(usize::from(byte & 0x7f))?;
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
        value = value.checked_add(1)?;
    }
    None
}

/// The index as Git reads it: split ones put together, sparse ones with every folder opened.
fn list_by_git(git: &Git, prefix: &[u8]) -> Result<EntryList, Error> {
    let mut args = vec!["ls-files", "-s", "-z", "--full-name"];
    if !prefix.is_empty() {
        // Without it, Git lists the folder that it was started in.
        args.extend(["--", ":(top)"]);
    }
    let bad = || Error::Output { what: "git ls-files" };
    let mut list = EntryList::default();
    let printed = git.run(&args)?;
    for record in printed.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
        let tab = record.iter().position(|byte| *byte == b'\t').ok_or_else(bad)?;
        let words: Vec<&[u8]> = record[..tab].split(|byte| *byte == b' ').collect();
        let [digits, oid, [stage @ b'0'..=b'3']] = words[..] else {
            return Err(bad());
        };
        let entry = Entry {
            mode: mode(digits).ok_or_else(bad)?,
            oid: Oid::from_hex(oid)?,
        };
        if !list.push(&record[tab + 1..], stage - b'0', entry) {
            return Err(bad());
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::super::change::staged_changes;
    use super::super::sandbox::Sandbox;
    use super::*;

    fn file(version: u8, entries: &[(&str, u8)], extension: &[u8]) -> Vec<u8> {
        let mut file = [
            b"DIRC\0\0\0".as_slice(),
            &[version],
            &u32::try_from(entries.len()).unwrap().to_be_bytes(),
        ]
        .concat();
        for (path, stage) in entries {
            let from = file.len();
            file.extend([0; 24]);
            file.extend(0o100_644_u32.to_be_bytes());
            file.extend([0; 12]);
            file.extend([7; 20]);
            file.extend([stage << 4, u8::try_from(path.len()).unwrap()]);
            file.extend(path.as_bytes());
            let taken = file.len() - from;
            file.resize(from + taken / 8 * 8 + 8, 0);
        }
        [&file, extension, &[0; 20]].concat()
    }

    #[test]
    fn what_only_git_can_judge_is_left_to_it() {
        let whole = file(2, &[("a", 0), ("b", 0)], b"");
        for cut in 0..whole.len() {
            assert!(parse(&whole[..cut], ObjectFormat::Sha1).is_none(), "cut at {cut}");
        }
        for (case, bytes) in [
            ("version 1", file(1, &[("a", 0)], b"")),
            ("version 5", file(5, &[("a", 0)], b"")),
            ("order", file(2, &[("b", 0), ("a", 0)], b"")),
            ("twice", file(2, &[("a", 0), ("a", 0)], b"")),
            ("split", file(2, &[("a", 0)], b"link\0\0\0\0")),
            ("sparse", file(2, &[("a", 0)], b"sdir\0\0\0\0")),
            ("unknown", file(2, &[("a", 0)], b"next\0\0\0\0")),
            ("extension too long", file(2, &[("a", 0)], b"TREE\0\0\0\x01")),
            ("extended flags in version 2", file(2, &[("a", 4)], b"")),
            ("other hash", [whole.as_slice(), &[1; 12]].concat()),
        ] {
            assert!(parse(&bytes, ObjectFormat::Sha1).is_none(), "{case}");
        }
    }

    #[test]
    fn entries_are_read_with_their_stages() {
        let bytes = file(
            2,
            &[("a", 0), ("dir/longer name", 1), ("dir/longer name", 2)],
            b"TREE\0\0\0\x01x",
        );
        let list = parse(&bytes, ObjectFormat::Sha1).unwrap();
        let seen: Vec<_> = list
            .iter()
            .map(|(path, stage, entry)| (path.to_vec(), stage, entry.mode))
            .collect();
        let file = 0o100_644;
        assert_eq!(
            seen,
            [
                (b"a".to_vec(), 0, file),
                (b"dir/longer name".to_vec(), 1, file),
                (b"dir/longer name".to_vec(), 2, file)
            ]
        );
    }

    #[test]
    fn variable_length_numbers() {
        for (bytes, value) in [
            (&[] as &[u8], None),
            (&[0x80], None),
            (&[0xff; 20], None),
            (&[0x05], Some(5)),
            (&[0x80, 0x00], Some(128)),
            (&[0x81, 0x01], Some(257)),
        ] {
            assert_eq!(offset_number(bytes).map(|(value, _)| value), value, "{bytes:?}");
        }
    }

    #[test]
    fn another_index_is_read_where_the_environment_names_one() {
        let sandbox = Sandbox::with_commit(&[]);
        sandbox.write("r/a", "changed");
        sandbox.git("r", &["add", "a"]);
        std::fs::copy(sandbox.path("r/.git/index"), sandbox.path("r/.git/next.lock")).unwrap();
        sandbox.git("r", &["reset", "-q", "--hard"]);
        let absolute = sandbox.path("r/.git/next.lock").to_string_lossy().into_owned();
        for (file, changes, found) in [
            (".git/next.lock", 1, true),
            (&absolute, 1, true),
            (".git/none", 2, false),
        ] {
            for folder in ["r", "r/dir"] {
                let repo = sandbox.open_with(folder, &[("GIT_INDEX_FILE", file)]).unwrap();
                assert_eq!(
                    repo.index_stages(b"dir/b").unwrap()[0].is_some(),
                    found,
                    "{folder} {file}"
                );
                assert_eq!(staged_changes(&repo).unwrap().len(), changes, "{folder} {file}");
            }
        }
    }

    #[test]
    fn stages_of_a_conflict() {
        for setup in [&["status"] as &[&str], &["update-index", "--split-index"]] {
            let sandbox = Sandbox::with_commit(&[]);
            sandbox.git("r", setup);
            sandbox.git("r", &["checkout", "-q", "-b", "side"]);
            sandbox.write("r/a", "theirs");
            sandbox.commit("r", "theirs");
            sandbox.git("r", &["checkout", "-q", "main"]);
            sandbox.write("r/a", "ours");
            sandbox.commit("r", "ours");
            assert!(
                !sandbox
                    .command("r")
                    .args(["merge", "-q", "side"])
                    .output()
                    .unwrap()
                    .status
                    .success()
            );
            let repo = sandbox.open("r");
            let read =
                |entry: Option<Entry>| entry.map(|entry| String::from_utf8(repo.blob(&entry.oid).unwrap()).unwrap());
            let stages = repo.index_stages(b"a").unwrap().map(read);
            assert_eq!(
                stages.each_ref().map(Option::as_deref),
                [None, Some("a"), Some("ours"), Some("theirs")]
            );
            assert!(
                staged_changes(&repo)
                    .unwrap()
                    .iter()
                    .any(|change| change.status == 'U' && change.path == b"a")
            );
        }
    }
}
