//! What differs: index against HEAD, and each commit against its parents. Blobs only by name; content is read elsewhere.
//!
//! Git compares trees (`--raw -z`, without renames), so no filter and no textconv runs.

use std::io::BufRead;

use super::entry::{Entry, mode};
use super::error::Error;
use super::oid::Oid;
use super::repo::Repo;

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Change {
    /// The path, as bytes relative to the top.
    pub path: Vec<u8>,
    /// What was there; absent for a new path.
    pub before: Option<Entry>,
    /// What is there; absent for a deleted path and for one in conflict.
    pub after: Option<Entry>,
    /// Git's letter: `A` added, `D` deleted, `M` modified, `T` changed in kind, `U` in conflict.
    pub status: char,
}

/// What a commit would bring in: the index (that of `GIT_INDEX_FILE` if set) against HEAD, or against the empty tree before
/// the first commit. A path in conflict comes with status `U`.
///
/// # Errors
/// [`Error::GitFailed`] when Git can't compare.
pub fn staged_changes(repo: &Repo) -> Result<Vec<Change>, Error> {
    let head = repo.head_tree()?.map(|tree| tree.to_string());
    let base = head.as_deref().unwrap_or_else(|| repo.object_format().empty_tree());
    let args = [
        "diff-index",
        "--cached",
        "--raw",
        "-z",
        "--no-renames",
        "--no-abbrev",
        base,
        "--",
    ];
    repo.git().stream(&args, &[], |output| {
        let mut changes = Vec::new();
        while let Some(head) = token(output)? {
            changes.push(change(&head, output)?);
        }
        Ok(changes)
    })
}

/// What each commit changed, in the order given; a merge against each of its parents, equal changes once; a first commit
/// against nothing.
///
/// # Errors
/// [`Error::GitFailed`] when Git can't compare, as when a tree is missing.
pub fn commit_changes(repo: &Repo, commits: &[Oid]) -> Result<Vec<(Oid, Vec<Change>)>, Error> {
    let mut all = Vec::with_capacity(commits.len());
    each_commit(repo, commits, &[], |commit, changes| all.push((commit, changes)))?;
    Ok(all)
}

/// The same one commit at a time, for whole histories, and if `paths` is not empty only for these paths (a folder means all
/// below it).
///
/// # Errors
/// As [`commit_changes`].
pub fn each_commit(
    repo: &Repo,
    commits: &[Oid],
    paths: &[&[u8]],
    mut each: impl FnMut(Oid, Vec<Change>),
) -> Result<(), Error> {
    let mut args: Vec<std::ffi::OsString> = [
        "diff-tree",
        "--stdin",
        "--always",
        "-r",
        "-m",
        "--root",
        "--raw",
        "-z",
        "--no-renames",
        "--no-abbrev",
        "--",
    ]
    .map(Into::into)
    .into();
    for path in paths {
        args.push(super::discover::path_of(&[b":(top,literal)", *path].concat()).into_os_string());
    }
    let input: Vec<u8> = commits.iter().flat_map(|oid| format!("{oid}\n").into_bytes()).collect();
    repo.git()
        .stream(&args, &input, |output| read_commits(output, &mut each))
}

/// Reads the output of `diff-tree --stdin`: a commit's name before the changes against each of its parents.
fn read_commits(output: &mut dyn BufRead, each: &mut dyn FnMut(Oid, Vec<Change>)) -> Result<(), Error> {
    let mut current: Option<(Oid, Vec<Change>)> = None;
    let mut done = |commit: Option<(Oid, Vec<Change>)>| {
        if let Some((oid, mut changes)) = commit {
            // A merge that differs from two parents in the same way has done one thing.
            changes.sort_unstable();
            changes.dedup();
            each(oid, changes);
        }
    };
    while let Some(head) = token(output)? {
        if head.first() == Some(&b':') {
            let change = change(&head, output)?;
            current
                .as_mut()
                .ok_or(Error::Output { what: "git diff-tree" })?
                .1
                .push(change);
            continue;
        }
        let oid = Oid::from_hex(&head)?;
        if current.as_ref().is_none_or(|(commit, _)| *commit != oid) {
            done(current.replace((oid, Vec::new())));
        }
    }
    done(current);
    Ok(())
}

/// Reads up to the next zero byte; nothing at the end.
fn token(output: &mut dyn BufRead) -> Result<Option<Vec<u8>>, Error> {
    let bad = || Error::Output { what: "a raw diff" };
    let mut token = Vec::new();
    output.read_until(0, &mut token).map_err(|_| bad())?;
    match token.pop() {
        None => Ok(None),
        Some(0) => Ok(Some(token)),
        Some(_) => Err(bad()),
    }
}

/// Reads `:MODE MODE OID OID LETTER` and the path that follows it.
fn change(head: &[u8], output: &mut dyn BufRead) -> Result<Change, Error> {
    let bad = || Error::Output { what: "a raw diff" };
    let words: Vec<&[u8]> = head
        .strip_prefix(b":")
        .ok_or_else(bad)?
        .split(|byte| *byte == b' ')
        .collect();
    let [mode_before, mode_after, oid_before, oid_after, [letter, ..]] = words[..] else {
        return Err(bad());
    };
    let entry = |digits: &[u8], oid: &[u8]| {
        let entry = Entry {
            mode: mode(digits).ok_or_else(bad)?,
            oid: Oid::from_hex(oid)?,
        };
        // Mode 0 is Git's way to say that there is nothing.
        Ok::<_, Error>((entry.mode != 0).then_some(entry))
    };
    Ok(Change {
        before: entry(mode_before, oid_before)?,
        after: entry(mode_after, oid_after)?,
        status: char::from(*letter),
        path: token(output)?.ok_or_else(bad)?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    #[test]
    fn a_diff_without_the_documented_shape_is_an_error() {
        let oid = "1".repeat(40);
        for bad in [
            "x\0".to_owned(),
            format!(":100644 100644 {oid} {oid} M\0path\0"),
            format!("{oid}\0:100644 100644 {oid} {oid} M\0path"),
            format!("{oid}\0:100644 100644 {oid} {oid} M\0"),
            format!("{oid}\0:100644 100644 {oid} {oid}\0path\0"),
            format!("{oid}\0:100648 100644 {oid} {oid} M\0path\0"),
            format!("{oid}\0:100644 100644 {oid} 12 M\0path\0"),
            oid.clone(),
        ] {
            assert!(read_commits(&mut bad.as_bytes(), &mut |_, _| ()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_commit_named_twice_is_one_with_equal_changes_once() {
        let (a, b, zero) = ("a".repeat(40), "b".repeat(40), "0".repeat(40));
        let record = |path| format!(":000000 100644 {zero} {b} A\0{path}\0");
        let text = format!("{a}\0{}{}{a}\0{}{b}\0", record("y"), record("x\nz"), record("y"));
        let mut seen = Vec::new();
        read_commits(&mut text.as_bytes(), &mut |oid, changes| seen.push((oid, changes))).unwrap();
        let paths: Vec<_> = seen[0].1.iter().map(|change| change.path.clone()).collect();
        assert_eq!(paths, [b"x\nz".to_vec(), b"y".to_vec()]);
        assert_eq!((seen[0].1[0].before, seen[0].1[0].status), (None, 'A'));
        assert_eq!(seen.len(), 2);
        assert!(seen[1].1.is_empty());
    }
}
