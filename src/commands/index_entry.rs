//! One path of the index: the states that it and HEAD have, and a sealed one put there.

use crate::git::{Oid, Repo};
use crate::ui::Failure;

/// Where an earlier state is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    /// Whether the index has it, not HEAD alone.
    pub in_index: bool,
}

/// The states of a path in the index and in HEAD, nearest first. What is not in this repository is left out; nothing is
/// fetched.
///
/// # Errors
/// When Git can't be asked.
pub fn earlier(repo: &Repo, path: &[u8]) -> Result<Vec<(Earlier, Vec<u8>)>, Failure> {
    let [merged, ..] = repo.index_stages(path)?;
    let entries = [(true, merged), (false, repo.head_blob(path)?)];
    let files = entries
        .into_iter()
        .filter_map(|(in_index, entry)| Some((in_index, entry?)))
        .filter(|(_, entry)| entry.is_file());
    Ok(files
        .filter_map(|(in_index, entry)| Some((Earlier { in_index }, repo.blob(&entry.oid).ok()?)))
        .collect())
}

/// A sealed state in the object store, ready to be named by the index.
pub struct NewEntry {
    /// Its blob.
    pub blob: Oid,
    path: Vec<u8>,
    mode: Option<u32>,
}

/// Writes sealed bytes to the object store, for an index entry that keeps its mode.
///
/// # Errors
/// When Git can't write.
pub fn write(repo: &Repo, path: &[u8], sealed: &[u8]) -> Result<NewEntry, Failure> {
    let [merged, ..] = repo.index_stages(path)?;
    Ok(NewEntry {
        blob: repo.write_blob(sealed)?,
        path: path.to_vec(),
        mode: merged.map(|entry| entry.mode),
    })
}

/// Has the index name new entries, all of them in one step.
///
/// # Errors
/// When Git can't write; the index is as it was then.
pub fn put_all<'e>(repo: &Repo, entries: impl Iterator<Item = &'e NewEntry>) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for entry in entries {
        lines.extend_from_slice(format!("{:o} {}\t", entry.mode.unwrap_or(USUAL), entry.blob).as_bytes());
        lines.extend_from_slice(&entry.path);
        lines.push(0);
    }
    // Unlike --cacheinfo, --index-info takes every path there is.
    repo.git()
        .run_with_input(&["update-index", "-z", "--index-info"], &lines)?;
    Ok(())
}

/// Writes sealed bytes to the object store and has the index name them for `path`, which need not be there yet.
///
/// # Errors
/// When Git can't write.
pub fn put(repo: &Repo, path: &[u8], sealed: &[u8], executable: bool) -> Result<Oid, Failure> {
    let mut entry = write(repo, path, sealed)?;
    entry.mode = entry.mode.or(executable.then_some(EXECUTABLE));
    put_all(repo, std::iter::once(&entry))?;
    Ok(entry.blob)
}

/// Git's mode of a file.
const USUAL: u32 = 0o100_644;
/// Git's mode of a file that can be run.
const EXECUTABLE: u32 = 0o100_755;
