//! A whole state of the repository: the index or a commit as a sorted list of paths, and the files of a work tree.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use super::discover::path_of;
use super::entry::{Entry, EntryList, mode};
use super::error::Error;
use super::oid::Oid;
use super::repo::Repo;

/// Paths with mode and object as they were when it was taken, in the order of the paths' bytes.
#[derive(Debug, Clone)]
pub struct Snapshot {
    entries: Arc<EntryList>,
}

impl Snapshot {
    /// The index: that of `GIT_INDEX_FILE` if set.
    ///
    /// # Errors
    /// As [`Repo::index_stages`].
    pub fn index(repo: &Repo) -> Result<Self, Error> {
        Ok(Self {
            entries: repo.index_entries()?,
        })
    }

    /// Everything in a commit (or a tree, or a tag of either), folders opened.
    ///
    /// # Errors
    /// [`Error::MissingObject`] when the commit isn't here, [`Error::GitFailed`] when a tree below it isn't.
    pub fn commit(repo: &Repo, commit: &Oid) -> Result<Self, Error> {
        if !repo.contains(commit)? {
            return Err(Error::MissingObject { oid: *commit });
        }
        let printed = repo
            .git()
            .run(&["ls-tree", "-r", "-z", "--full-tree", &commit.to_string()])?;
        let bad = || Error::Output { what: "git ls-tree" };
        let mut entries = EntryList::default();
        for record in printed.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
            let tab = record.iter().position(|byte| *byte == b'\t').ok_or_else(bad)?;
            let words: Vec<&[u8]> = record[..tab].split(|byte| *byte == b' ').collect();
            let [digits, _, oid] = words[..] else { return Err(bad()) };
            let entry = Entry {
                mode: mode(digits).ok_or_else(bad)?,
                oid: Oid::from_hex(oid)?,
            };
            if !entries.push(&record[tab + 1..], 0, entry) {
                return Err(bad());
            }
        }
        Ok(Self {
            entries: Arc::new(entries),
        })
    }

    /// What a path is, unless it is in conflict.
    pub fn get(&self, path: &[u8]) -> Option<Entry> {
        let [merged, ..] = self.entries.stages(path);
        merged
    }

    /// All four stages of a path: 0 merged, or 1 base, 2 ours, 3 theirs.
    pub fn stages(&self, path: &[u8]) -> [Option<Entry>; 4] {
        self.entries.stages(path)
    }

    /// Every path that isn't in conflict, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Entry)> {
        self.entries
            .iter()
            .filter(|(_, stage, _)| *stage == 0)
            .map(|(path, _, entry)| (path, entry))
    }

    /// The paths in conflict, each once, in order. A commit has none.
    pub fn unmerged(&self) -> Vec<&[u8]> {
        let mut paths: Vec<&[u8]> = self
            .entries
            .iter()
            .filter(|(_, stage, _)| *stage != 0)
            .map(|(path, _, _)| path)
            .collect();
        paths.dedup();
        paths
    }
}

/// The files of a work tree that Git tracks, or would add if told to add everything.
#[derive(Debug, Clone)]
pub struct WorkTree {
    top: PathBuf,
    paths: Vec<Vec<u8>>,
}

impl WorkTree {
    /// Lists the whole work tree, wherever in it Git was started. Ignored files are left out, and so is what lies in
    /// repositories of its own.
    ///
    /// # Errors
    /// [`Error::NoRepository`] where there is no work tree, [`Error::GitFailed`] when Git can't list.
    pub fn list(repo: &Repo) -> Result<Self, Error> {
        let top = repo.work_tree().ok_or(Error::NoRepository)?.to_owned();
        let mut args = vec!["ls-files", "-c", "-o", "--exclude-standard", "-z", "--full-name"];
        if !repo.prefix().is_empty() {
            args.extend(["--", ":(top)"]);
        }
        let printed = repo.git().run(&args)?;
        // A path with a slash at its end is a repository within; one in conflict is listed once for each stage.
        let keep = |path: &&[u8]| !path.is_empty() && !path.ends_with(b"/");
        let mut paths: Vec<Vec<u8>> = printed
            .split(|byte| *byte == 0)
            .filter(keep)
            .map(<[u8]>::to_vec)
            .collect();
        paths.sort_unstable();
        paths.dedup();
        Ok(Self { top, paths })
    }

    /// The paths, in the order of their bytes. Not all need to exist: a tracked file may be deleted, or left out by a
    /// sparse checkout.
    pub fn paths(&self) -> impl Iterator<Item = &[u8]> {
        self.paths.iter().map(Vec::as_slice)
    }

    /// The bytes of a file as they lie on disk, at this moment; nothing where there is no ordinary file. No symbolic link
    /// is followed, neither at the end of the path nor on the way.
    ///
    /// # Errors
    /// [`Error::Io`] when the file is there and can't be read.
    pub fn read(&self, path: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let mut place = self.top.clone();
        let mut names = path.split(|byte| *byte == b'/').peekable();
        while let Some(name) = names.next() {
            if matches!(name, b"" | b"." | b"..") {
                return Ok(None);
            }
            place.push(path_of(name));
            let metadata = match place.symlink_metadata() {
                Ok(metadata) => metadata,
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    return Ok(None);
                }
                Err(source) => return Err(Error::Io { path: place, source }),
            };
            let expected = if names.peek().is_some() {
                metadata.is_dir()
            } else {
                metadata.is_file()
            };
            if !expected {
                return Ok(None);
            }
        }
        std::fs::read(&place)
            .map(Some)
            .map_err(|source| Error::Io { path: place, source })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::super::sandbox::Sandbox;
    use super::*;

    fn paths(snapshot: &Snapshot) -> Vec<String> {
        snapshot
            .iter()
            .map(|(path, _)| String::from_utf8_lossy(path).into_owned())
            .collect()
    }

    #[test]
    fn index_and_commit_list_the_same_paths_after_a_commit() {
        for init in [&[] as &[&str], &["--object-format=sha256"]] {
            let sandbox = Sandbox::with_commit(init);
            for path in ["dir.x", "dir-y", "dir/sub/c", "ä b\n\"", "z"] {
                sandbox.write(&format!("r/{path}"), path);
            }
            let commit = sandbox.commit("r", "more");
            for folder in ["r", "r/dir"] {
                let repo = sandbox.open(folder);
                let (index, tree) = (
                    Snapshot::index(&repo).unwrap(),
                    Snapshot::commit(&repo, &commit).unwrap(),
                );
                assert_eq!(
                    paths(&index),
                    ["a", "dir-y", "dir.x", "dir/b", "dir/sub/c", "z", "ä b\n\""]
                );
                assert!(index.iter().eq(tree.iter()));
                assert_eq!(
                    repo.blob(&tree.get("ä b\n\"".as_bytes()).unwrap().oid).unwrap(),
                    "ä b\n\"".as_bytes()
                );
                assert_eq!((tree.get(b"dir"), tree.get(b"dir/")), (None, None));
            }
        }
    }

    #[test]
    fn a_snapshot_stays_what_it_was() {
        let sandbox = Sandbox::with_commit(&[]);
        let repo = sandbox.open("r");
        let before = Snapshot::index(&repo).unwrap();
        sandbox.write("r/c", "c");
        sandbox.commit("r", "more");
        assert_eq!((before.get(b"c"), paths(&before).len()), (None, 2));
        assert!(Snapshot::index(&repo).unwrap().get(b"c").is_some());
    }

    #[test]
    fn a_commit_that_is_not_here_is_missing() {
        let sandbox = Sandbox::with_commit(&[]);
        let absent = Oid::from_bytes(&[7; 20]).unwrap();
        let error = Snapshot::commit(&sandbox.open("r"), &absent).unwrap_err();
        assert!(matches!(error, Error::MissingObject { oid } if oid == absent));
        let blob = sandbox.oid("r", "HEAD:a");
        assert!(matches!(
            Snapshot::commit(&sandbox.open("r"), &blob),
            Err(Error::GitFailed { .. })
        ));
    }

    #[test]
    fn a_path_in_conflict_is_unmerged_and_not_listed() {
        let sandbox = Sandbox::with_commit(&[]);
        let oid = sandbox.oid("r", "HEAD:a");
        let lines = format!("0 {} 0\ta\n100644 {oid} 2\ta\n100644 {oid} 3\ta\n", "0".repeat(40));
        let file = sandbox.path("lines");
        std::fs::write(&file, lines).unwrap();
        let input = std::fs::File::open(file).unwrap();
        let mut command = sandbox.command("r");
        assert!(
            command
                .args(["update-index", "--index-info"])
                .stdin(input)
                .status()
                .unwrap()
                .success()
        );
        let snapshot = Snapshot::index(&sandbox.open("r")).unwrap();
        assert_eq!(snapshot.unmerged(), [b"a"]);
        assert_eq!(paths(&snapshot), ["dir/b"]);
        assert_eq!(
            (snapshot.get(b"a"), snapshot.stages(b"a").map(|entry| entry.is_some())),
            (None, [false, false, true, true])
        );
    }

    #[test]
    fn a_work_tree_lists_what_could_be_added() {
        let sandbox = Sandbox::with_commit(&[]);
        for path in ["ignored", ".gitignore", "new", "gone", "dir/new"] {
            sandbox.write(&format!("r/{path}"), "ignored\n");
        }
        sandbox.git("r", &["add", "gone"]);
        std::fs::remove_file(sandbox.path("r/gone")).unwrap();
        sandbox.git("r", &["init", "-q", "inner"]);
        sandbox.write("r/inner/x", "x");
        for folder in ["r", "r/dir"] {
            let work_tree = WorkTree::list(&sandbox.open(folder)).unwrap();
            let seen: Vec<_> = work_tree.paths().map(String::from_utf8_lossy).collect();
            assert_eq!(seen, [".gitignore", "a", "dir/b", "dir/new", "gone", "new"], "{folder}");
            assert_eq!(work_tree.read(b"gone").unwrap(), None);
            assert_eq!(work_tree.read(b"dir/b").unwrap().unwrap(), b"dir/b");
        }
        sandbox.git(".", &["clone", "-q", "--bare", "r", "bare.git"]);
        assert!(matches!(
            WorkTree::list(&sandbox.open("bare.git")),
            Err(Error::NoRepository)
        ));
    }

    #[cfg(unix)]
    #[test]
    fn no_symbolic_link_is_followed() {
        let sandbox = Sandbox::with_commit(&[]);
        sandbox.write("outside", "secret");
        std::os::unix::fs::symlink("../outside", sandbox.path("r/link")).unwrap();
        std::os::unix::fs::symlink("dir", sandbox.path("r/folder")).unwrap();
        let work_tree = WorkTree::list(&sandbox.open("r")).unwrap();
        for path in [
            "link",
            "folder/b",
            "../outside",
            "./a",
            "dir//b",
            "/etc/hostname",
            "dir",
            "a/x",
            "",
        ] {
            assert_eq!(work_tree.read(path.as_bytes()).unwrap(), None, "{path}");
        }
        assert!(work_tree.read(b"a").unwrap().is_some());
    }
}
