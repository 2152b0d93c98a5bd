//! One repository, opened as Git opens it: honouring what Git tells hooks and filters by its environment.
//!
//! A `Repo` lives as long as a filter process, while Git changes the repository below it. So nothing is remembered that can
//! change without notice: HEAD is looked up each time, the index is read again when its file is another one.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::batch::Kind;
use super::command::Git;
use super::discover::{Places, discover};
use super::entry::{Entry, EntryList};
use super::environment::GitEnvironment;
use super::error::Error;
use super::index::IndexFile;
use super::objects::Objects;
use super::oid::{ObjectFormat, Oid};

/// A repository, for any number of threads.
pub struct Repo {
    git: Git,
    places: Places,
    objects: Objects,
    index: IndexFile,
}

impl Repo {
    /// Opens the repository that Git would use when run in `folder` by this process.
    ///
    /// # Errors
    /// [`Error::NoRepository`] when there is none, [`Error::GitFailed`] when Git refuses it (another owner, an unknown
    /// format), [`Error::GitMissing`] when Git has to be asked and isn't there.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Self::open_with(folder, &GitEnvironment::from_process())
    }

    /// Opens the repository that Git would use when run in `folder` with these of its variables and no others.
    ///
    /// # Errors
    /// As [`Repo::open`].
    pub fn open_with(folder: &Path, environment: &GitEnvironment) -> Result<Self, Error> {
        let git = Git::in_folder(folder).with_environment(environment.clone());
        let (places, handle) = discover(&git, environment)?;
        let objects = Objects::new(git.clone(), places.format, handle);
        let index = IndexFile::new(places.index_file.clone());
        Ok(Self {
            git,
            places,
            objects,
            index,
        })
    }

    /// The folder of this work tree's HEAD and index; absolute, without symbolic links.
    pub fn git_dir(&self) -> &Path {
        &self.places.git_dir
    }

    /// The folder of what all work trees share: objects, branches, configuration, hooks.
    pub fn common_dir(&self) -> &Path {
        &self.places.common_dir
    }

    /// The top of the checkout; absent in a bare repository and when started inside the repository folder.
    pub fn work_tree(&self) -> Option<&Path> {
        self.places.work_tree.as_deref()
    }

    /// The folder below the top where Git was started, as bytes with `/` at the end; empty at the top.
    pub fn prefix(&self) -> &[u8] {
        &self.places.prefix
    }

    /// A path that is relative to the top as `git` takes it, which runs where the repository was opened.
    pub fn from_top(&self, path: &[u8]) -> Vec<u8> {
        let folders = self.prefix().iter().filter(|&&byte| byte == b'/').count();
        [b"../".repeat(folders).as_slice(), path].concat()
    }

    /// The hash that names the objects.
    pub fn object_format(&self) -> ObjectFormat {
        self.places.format
    }

    /// Whether the repository is one without a work tree.
    pub fn is_bare(&self) -> bool {
        self.places.bare
    }

    /// Whether history was cut off by a shallow clone or fetch.
    ///
    /// # Errors
    /// [`Error::Io`] when the list of boundary commits can't be read.
    pub fn is_shallow(&self) -> Result<bool, Error> {
        Ok(!self.shallow_commits()?.is_empty())
    }

    /// `git`, run where this repository was opened, with the same variables.
    pub fn git(&self) -> &Git {
        &self.git
    }

    /// A blob's bytes. Thread-safe; about 10 µs for a small one.
    ///
    /// # Errors
    /// [`Error::MissingObject`] when it isn't here (it is never fetched), [`Error::WrongKind`] when it is no blob.
    pub fn blob(&self, oid: &Oid) -> Result<Vec<u8>, Error> {
        match self.objects.read(oid)? {
            (Kind::Blob, bytes) => Ok(bytes),
            _ => Err(Error::WrongKind { oid: *oid }),
        }
    }

    /// A blob's size in bytes, without reading it.
    ///
    /// # Errors
    /// As [`Repo::blob`].
    pub fn blob_size(&self, oid: &Oid) -> Result<u64, Error> {
        match self.objects.header(oid)? {
            None => Err(Error::MissingObject { oid: *oid }),
            Some(header) if header.kind != Kind::Blob => Err(Error::WrongKind { oid: *oid }),
            Some(header) => Ok(header.size),
        }
    }

    /// Whether an object of any kind is here. In a partial clone the answer can be no for one that the remote has.
    ///
    /// # Errors
    /// Those of reading.
    pub fn contains(&self, oid: &Oid) -> Result<bool, Error> {
        Ok(self.objects.header(oid)?.is_some())
    }

    /// The name that these bytes would have as a blob. Nothing is written.
    ///
    /// # Errors
    /// [`Error::Libgit2`] if the hash can't be worked out.
    pub fn hash_blob(&self, bytes: &[u8]) -> Result<Oid, Error> {
        self.objects.hash_blob(bytes)
    }

    /// Writes a blob to the object store. Only for sealed bytes: what lies there once, stays and is sent along.
    ///
    /// # Errors
    /// [`Error::GitFailed`] when it can't be written.
    pub fn write_blob(&self, sealed: &[u8]) -> Result<Oid, Error> {
        self.objects.write_blob(sealed)
    }

    /// What the index holds for a path: stage 0 (merged), or 1 (base), 2 (ours) and 3 (theirs) of a conflict. The index is
    /// that of `GIT_INDEX_FILE` if set, and the one on disk at this moment.
    ///
    /// # Errors
    /// [`Error::Io`] when it can't be read, [`Error::GitFailed`] when it is damaged.
    pub fn index_stages(&self, path: &[u8]) -> Result<[Option<Entry>; 4], Error> {
        Ok(self.index_entries()?.stages(path))
    }

    /// What HEAD's commit holds for a path; nothing before the first commit.
    ///
    /// # Errors
    /// [`Error::MissingObject`] when a tree on the way isn't here.
    pub fn head_blob(&self, path: &[u8]) -> Result<Option<Entry>, Error> {
        match self.objects.head_tree()? {
            Some(tree) => self.objects.entry(&tree, path),
            None => Ok(None),
        }
    }

    /// What a tree, given by its own name, holds for a path.
    ///
    /// # Errors
    /// As [`Repo::head_blob`].
    pub fn tree_entry(&self, tree: &Oid, path: &[u8]) -> Result<Option<Entry>, Error> {
        self.objects.entry(tree, path)
    }

    /// The tree of HEAD's commit at this moment; nothing before the first commit.
    ///
    /// # Errors
    /// As [`Repo::head_blob`].
    pub fn head_tree(&self) -> Result<Option<Oid>, Error> {
        self.objects.head_tree()
    }

    /// The commit that a revision names, through tags.
    ///
    /// # Errors
    /// [`Error::UnknownRevision`] when it names none.
    pub fn resolve(&self, revision: &str) -> Result<Oid, Error> {
        let unknown = || Error::UnknownRevision {
            revision: revision.to_owned(),
        };
        // A zero byte can't be in an argument, and would read as a failure to start Git.
        if revision.contains('\0') {
            return Err(unknown());
        }
        let commit = format!("{revision}^{{commit}}");
        let (code, stdout, _) = self
            .git
            .exit(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit], &[])?;
        if code != Some(0) {
            return Err(unknown());
        }
        Oid::from_hex(stdout.trim_ascii_end())
    }

    /// The index as a sorted list.
    pub(super) fn index_entries(&self) -> Result<Arc<EntryList>, Error> {
        self.index.entries(&self.git, &self.places.prefix, self.places.format)
    }

    /// The way to objects.
    pub(super) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The commits whose parents were left behind by a shallow clone or fetch.
    pub(super) fn shallow_commits(&self) -> Result<Vec<Oid>, Error> {
        let path = &self.places.shallow_file;
        match std::fs::read(path) {
            Ok(text) => text
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .map(Oid::from_hex)
                .collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(Error::Io {
                path: path.clone(),
                source,
            }),
        }
    }
}

impl fmt::Debug for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repo")
            .field("git_dir", &self.places.git_dir)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::super::change::staged_changes;
    use super::super::sandbox::Sandbox;
    use super::*;

    /// What must hold in every kind of repository that has `a` and `dir/b` in HEAD and index.
    fn check(sandbox: &Sandbox, repo: &Repo, folder: &str, case: &str) {
        for path in ["a", "dir/b"] {
            let oid = sandbox.oid(folder, &format!("HEAD:{path}"));
            let entry = Some(Entry { mode: 0o100_644, oid });
            assert_eq!(repo.head_blob(path.as_bytes()).unwrap(), entry, "{case} {path}");
            assert_eq!(
                repo.index_stages(path.as_bytes()).unwrap(),
                [entry, None, None, None],
                "{case} {path}"
            );
            assert_eq!(repo.blob(&oid).unwrap(), path.as_bytes(), "{case} {path}");
            assert_eq!(repo.blob_size(&oid).unwrap(), path.len() as u64, "{case} {path}");
            assert_eq!(repo.hash_blob(path.as_bytes()).unwrap(), oid, "{case} {path}");
        }
        for path in ["", "/", "dir/", "dir/b/c", "a/", "none"] {
            assert_eq!(repo.head_blob(path.as_bytes()).unwrap(), None, "{case} {path:?}");
            assert_eq!(
                repo.index_stages(path.as_bytes()).unwrap(),
                [None; 4],
                "{case} {path:?}"
            );
        }
        assert!(
            matches!(
                repo.blob(&repo.head_tree().unwrap().unwrap()),
                Err(Error::WrongKind { .. })
            ),
            "{case}"
        );
        let absent = Oid::from_bytes(&vec![7; repo.object_format().oid_len()]).unwrap();
        assert!(
            matches!(repo.blob(&absent), Err(Error::MissingObject { oid }) if oid == absent),
            "{case}"
        );
        assert!(
            matches!(repo.blob_size(&absent), Err(Error::MissingObject { .. })),
            "{case}"
        );
        assert!(!repo.contains(&absent).unwrap(), "{case}");
        assert_eq!(repo.resolve("HEAD").unwrap(), sandbox.oid(folder, "HEAD"), "{case}");
        let written = repo.write_blob(case.as_bytes()).unwrap();
        assert_eq!(sandbox.git(folder, &["cat-file", "blob", &written.to_string()]), case);
        assert_eq!(repo.blob(&written).unwrap(), case.as_bytes(), "{case}");
    }

    /// What must hold in every work tree: a change is seen by an open `Repo`, as Git sees it.
    fn check_change(sandbox: &Sandbox, repo: &Repo, folder: &str, case: &str) {
        assert_eq!(staged_changes(repo).unwrap(), [], "{case}");
        sandbox.write(&format!("{folder}/dir/b"), "more");
        sandbox.git(folder, &["add", "dir/b"]);
        let oid = repo.hash_blob(b"more").unwrap();
        assert_eq!(repo.index_stages(b"dir/b").unwrap()[0].unwrap().oid, oid, "{case}");
        let changes = staged_changes(repo).unwrap();
        assert_eq!(changes.len(), 1, "{case}");
        assert_eq!(
            (changes[0].path.as_slice(), changes[0].status),
            (b"dir/b".as_slice(), 'M'),
            "{case}"
        );
        assert_eq!(changes[0].after.unwrap().oid, oid, "{case}");
        assert_ne!(repo.head_blob(b"dir/b").unwrap().unwrap().oid, oid, "{case}");
        sandbox.git(folder, &["commit", "-q", "-m", "second"]);
        assert_eq!(repo.head_blob(b"dir/b").unwrap().unwrap().oid, oid, "{case}");
        sandbox.git(folder, &["gc", "-q", "--prune=now"]);
        assert_eq!(repo.blob(&oid).unwrap(), b"more", "{case}");
    }

    #[test]
    fn every_kind_of_repository() {
        for (case, init, setup) in [
            ("plain", &[] as &[&str], &[] as &[&[&str]]),
            ("sha256", &["--object-format=sha256"], &[]),
            ("index version 4", &[], &[&["update-index", "--index-version", "4"]]),
            (
                "split index",
                &[],
                &[
                    &["config", "core.splitIndex", "true"],
                    &["update-index", "--split-index"],
                ],
            ),
            (
                "sha256 split",
                &["--object-format=sha256"],
                &[&["update-index", "--split-index"]],
            ),
            ("quoted paths", &[], &[&["config", "core.quotePath", "true"]]),
            ("packed", &[], &[&["gc", "-q"], &["pack-refs", "--all"]]),
            ("detached", &[], &[&["checkout", "-q", "--detach"]]),
            ("relative diff", &[], &[&["config", "diff.relative", "true"]]),
            ("shared", &[], &[&["config", "core.sharedRepository", "group"]]),
            ("reftable", &["--ref-format=reftable"], &[]),
            (
                "reftable sha256",
                &["--ref-format=reftable", "--object-format=sha256"],
                &[],
            ),
        ] {
            if case.starts_with("reftable") && !Sandbox::new().has_reftable() {
                continue;
            }
            // A second folder of objects, as in a quarantine, leaves all reading to `git cat-file`.
            let children = [("GIT_ALTERNATE_OBJECT_DIRECTORIES", "/none")];
            for (folder, variables) in [("r", &[] as &[_]), ("r/dir", &[]), ("r", &children)] {
                let sandbox = Sandbox::with_commit(init);
                for step in setup {
                    sandbox.git("r", step);
                }
                let repo = sandbox.open_with(folder, variables).unwrap();
                assert!(!repo.objects().in_process() || variables.is_empty(), "{case}");
                let top = sandbox.path("r");
                assert_eq!(repo.work_tree(), Some(top.as_path()), "{case}");
                assert_eq!(
                    repo.prefix(),
                    if folder == "r" { b"".as_slice() } else { b"dir/" },
                    "{case}"
                );
                assert_eq!(
                    (repo.git_dir(), repo.common_dir()),
                    (&*top.join(".git"), &*top.join(".git")),
                    "{case}"
                );
                assert!(!repo.is_bare() && !repo.is_shallow().unwrap(), "{case}");
                check(&sandbox, &repo, "r", case);
                check_change(&sandbox, &repo, "r", case);
            }
        }
    }

    #[test]
    fn a_sparse_index_is_read_with_its_closed_folders() {
        let sandbox = Sandbox::with_commit(&[]);
        sandbox.write("r/other/c", "c");
        sandbox.commit("r", "more");
        sandbox.git("r", &["sparse-checkout", "set", "--cone", "--sparse-index", "dir"]);
        assert!(sandbox.git("r", &["ls-files", "--sparse"]).contains("other/\n"));
        let repo = sandbox.open("r/dir");
        check(&sandbox, &repo, "r", "sparse");
        assert_eq!(
            repo.index_stages(b"other/c").unwrap()[0],
            repo.head_blob(b"other/c").unwrap()
        );
        assert!(repo.head_blob(b"other/c").unwrap().is_some());
        check_change(&sandbox, &repo, "r", "sparse");
    }

    #[test]
    fn linked_work_trees_have_an_index_and_head_of_their_own() {
        let sandbox = Sandbox::with_commit(&[]);
        sandbox.git("r", &["worktree", "add", "-q", "../w"]);
        sandbox.git(".", &["clone", "-q", "--bare", "r", "bare.git"]);
        sandbox.git("bare.git", &["worktree", "add", "-q", "inside"]);
        for (folder, common) in [("w", "r/.git"), ("bare.git/inside", "bare.git")] {
            let git_dir = sandbox.git(folder, &["rev-parse", "--absolute-git-dir"]);
            for variables in [&[] as &[(&str, &str)], &[("GIT_DIR", git_dir.trim())]] {
                let repo = sandbox.open_with(folder, variables).unwrap();
                assert_eq!(repo.work_tree(), Some(sandbox.path(folder).as_path()), "{folder}");
                assert_eq!(repo.common_dir(), sandbox.path(common), "{folder}");
                assert_eq!(repo.git_dir(), Path::new(git_dir.trim()), "{folder}");
                assert!(!repo.is_bare(), "{folder}");
                check(&sandbox, &repo, folder, folder);
            }
            check_change(&sandbox, &sandbox.open(folder), folder, folder);
            assert_eq!(staged_changes(&sandbox.open("r")).unwrap(), [], "{folder}");
        }
    }

    #[test]
    fn a_submodule_is_a_repository_of_its_own() {
        let sandbox = Sandbox::with_commit(&[]);
        sandbox.git(".", &["init", "-q", "super"]);
        sandbox.git(
            "super",
            &[
                "submodule",
                "--quiet",
                "add",
                &sandbox.path("r").to_string_lossy(),
                "sub",
            ],
        );
        let repo = sandbox.open("super/sub/dir");
        assert_eq!(repo.git_dir(), sandbox.path("super/.git/modules/sub"));
        assert_eq!(repo.work_tree(), Some(sandbox.path("super/sub").as_path()));
        check(&sandbox, &repo, "super/sub", "submodule");
        let outer = sandbox.open("super").index_stages(b"sub").unwrap()[0].unwrap();
        assert_eq!((outer.mode, outer.oid), (0o160_000, sandbox.oid("super/sub", "HEAD")));
    }

    #[test]
    fn only_commits_resolve() {
        let sandbox = Sandbox::with_commit(&[]);
        sandbox.git("r", &["tag", "-a", "-m", "t", "t"]);
        let repo = sandbox.open("r");
        for bad in [
            "",
            "none",
            "--all",
            "-h",
            "HEAD:a",
            "HEAD^{tree}",
            "HEAD HEAD",
            "HEAD\n",
            "HEAD..HEAD",
            "a\0b",
        ] {
            assert!(
                matches!(repo.resolve(bad), Err(Error::UnknownRevision { .. })),
                "{bad:?}"
            );
        }
        for good in ["HEAD", "t", "main", "refs/tags/t"] {
            assert_eq!(repo.resolve(good).unwrap(), sandbox.oid("r", "HEAD"), "{good}");
        }
    }
}
