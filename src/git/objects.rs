//! Objects one by one: through libgit2 where it can open the repository, through `git cat-file` everywhere else.
//!
//! Neither way ever fetches. libgit2 never runs a filter, so nothing but finished blobs is written through it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use super::batch::{Batch, Header, Kind};
use super::command::Git;
use super::entry::Entry;
use super::error::Error;
use super::oid::{ObjectFormat, Oid};
use super::tree::{TreeMemory, find};

/// A lock whose holder panicked protects caches only: what is in them is still whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens exactly this repository folder, without looking around it.
pub(super) fn open_libgit2(git_dir: &Path) -> Result<git2::Repository, git2::Error> {
    open_flagged(
        git_dir,
        git2::RepositoryOpenFlags::NO_SEARCH | git2::RepositoryOpenFlags::NO_DOTGIT,
    )
}

/// Opens the repository of `folder`, looking upwards as far as the file system goes, as Git does.
pub(super) fn search_libgit2(folder: &Path) -> Result<git2::Repository, git2::Error> {
    open_flagged(folder, git2::RepositoryOpenFlags::empty())
}

fn open_flagged(path: &Path, flags: git2::RepositoryOpenFlags) -> Result<git2::Repository, git2::Error> {
    static QUICK: Once = Once::new();
    // Git itself doesn't hash again what it reads from packs, and what we read is proven by its own MAC. Halves the time.
    QUICK.call_once(|| git2::opts::strict_hash_verification(false));
    git2::Repository::open_ext(path, flags, std::iter::empty::<&Path>())
}

/// libgit2's handles: one may be used by one thread at a time, so there are as many as threads ask at once.
struct Handles {
    git_dir: PathBuf,
    idle: Mutex<Vec<git2::Repository>>,
}

impl Handles {
    fn with<R>(&self, ask: impl FnOnce(&git2::Repository) -> Result<R, git2::Error>) -> Result<R, git2::Error> {
        let idle = lock(&self.idle).pop();
        let handle = idle.map_or_else(|| open_libgit2(&self.git_dir), Ok)?;
        let answer = ask(&handle);
        lock(&self.idle).push(handle);
        answer
    }
}

/// The objects of one repository, for any number of threads.
pub(super) struct Objects {
    git: Git,
    format: ObjectFormat,
    handles: Option<Handles>,
    batch: Mutex<Batch>,
    trees: Mutex<TreeMemory>,
}

impl Objects {
    /// `handle` is libgit2's way in, where there is one.
    pub(super) fn new(git: Git, format: ObjectFormat, handle: Option<git2::Repository>) -> Self {
        let handles = handle.map(|handle| Handles {
            git_dir: handle.path().to_owned(),
            idle: Mutex::new(vec![handle]),
        });
        Self {
            git,
            format,
            handles,
            batch: Mutex::default(),
            trees: Mutex::default(),
        }
    }

    /// Whether objects can be read without a child process.
    pub(super) fn in_process(&self) -> bool {
        self.handles.is_some()
    }

    /// Kind and size, without reading the content; nothing for an object that isn't here.
    pub(super) fn header(&self, oid: &Oid) -> Result<Option<Header>, Error> {
        if let Some(handles) = &self.handles {
            let id = git2::Oid::from_bytes(oid.as_bytes())?;
            match handles.with(|handle| handle.odb()?.read_header(id)) {
                Ok((size, kind)) => {
                    return Ok(Some(Header {
                        oid: *oid,
                        kind: known(kind)?,
                        size: size as u64,
                    }));
                }
                Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
                // Whatever libgit2 can't read, Git may.
                Err(_) => {}
            }
        }
        lock(&self.batch).header(&self.git, &oid.to_string())
    }

    /// What an expression such as `OID^{}` stands for.
    pub(super) fn header_of(&self, name: &str) -> Result<Option<Header>, Error> {
        lock(&self.batch).header(&self.git, name)
    }

    /// Kind and content.
    pub(super) fn read(&self, oid: &Oid) -> Result<(Kind, Vec<u8>), Error> {
        let missing = Error::MissingObject { oid: *oid };
        if let Some(handles) = &self.handles {
            let id = git2::Oid::from_bytes(oid.as_bytes())?;
            match handles.with(|handle| {
                handle
                    .odb()?
                    .read(id)
                    .map(|found| (found.kind(), found.data().to_vec()))
            }) {
                Ok((kind, bytes)) => return Ok((known(kind)?, bytes)),
                Err(error) if error.code() == git2::ErrorCode::NotFound => return Err(missing),
                Err(_) => {}
            }
        }
        let found = lock(&self.batch).object(&self.git, &oid.to_string())?;
        found.map(|(header, bytes)| (header.kind, bytes)).ok_or(missing)
    }

    /// The name that `bytes` have as a blob; nothing is written.
    pub(super) fn hash_blob(&self, bytes: &[u8]) -> Result<Oid, Error> {
        let format = match self.format {
            ObjectFormat::Sha1 => git2::ObjectFormat::Sha1,
            ObjectFormat::Sha256 => git2::ObjectFormat::Sha256,
        };
        Oid::from_bytes(git2::Oid::hash_object_ext(git2::ObjectType::Blob, bytes, format)?.as_bytes())
    }

    /// Writes a blob.
    pub(super) fn write_blob(&self, bytes: &[u8]) -> Result<Oid, Error> {
        if let Some(handles) = &self.handles {
            let written = handles.with(|handle| {
                // libgit2 doesn't set the permissions that a shared repository asks for.
                let shared = handle.config()?.get_entry("core.sharedrepository").is_ok();
                if shared { Ok(None) } else { handle.blob(bytes).map(Some) }
            });
            if let Ok(Some(id)) = written {
                return Oid::from_bytes(id.as_bytes());
            }
        }
        let printed = self
            .git
            .run_with_input(&["hash-object", "-w", "-t", "blob", "--stdin"], bytes)?;
        Oid::from_hex(printed.trim_ascii_end())
    }

    /// The tree of the commit that HEAD names at this moment; nothing when there is no commit yet.
    pub(super) fn head_tree(&self) -> Result<Option<Oid>, Error> {
        if let Some(handles) = &self.handles {
            match handles.with(|handle| handle.refname_to_id("HEAD")) {
                Ok(commit) => return self.tree_of(&Oid::from_bytes(commit.as_bytes())?).map(Some),
                Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
                Err(_) => {}
            }
        }
        Ok(self.header_of("HEAD^{tree}")?.map(|header| header.oid))
    }

    /// The tree that a commit records.
    fn tree_of(&self, commit: &Oid) -> Result<Oid, Error> {
        let (kind, bytes) = self.read(commit)?;
        if kind != Kind::Commit {
            return Err(Error::WrongKind { oid: *commit });
        }
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        Oid::from_hex(line.strip_prefix(b"tree ").ok_or(Error::Output {
            what: "a commit object",
        })?)
    }

    /// Follows `path` from a tree down; nothing when it isn't there.
    pub(super) fn entry(&self, tree: &Oid, path: &[u8]) -> Result<Option<Entry>, Error> {
        let mut found = Entry {
            mode: 0o040_000,
            oid: *tree,
        };
        for name in path.split(|byte| *byte == b'/') {
            if !found.is_folder() {
                return Ok(None);
            }
            match find(&self.tree(&found.oid)?, name, self.format)? {
                Some(entry) => found = entry,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    fn tree(&self, oid: &Oid) -> Result<Arc<[u8]>, Error> {
        if let Some(tree) = lock(&self.trees).get(oid) {
            return Ok(tree);
        }
        let (kind, bytes) = self.read(oid)?;
        if kind != Kind::Tree {
            return Err(Error::WrongKind { oid: *oid });
        }
        let tree = Arc::from(bytes);
        lock(&self.trees).put(*oid, &tree);
        Ok(tree)
    }
}

fn known(kind: git2::ObjectType) -> Result<Kind, Error> {
    match kind {
        git2::ObjectType::Blob => Ok(Kind::Blob),
        git2::ObjectType::Tree => Ok(Kind::Tree),
        git2::ObjectType::Commit => Ok(Kind::Commit),
        git2::ObjectType::Tag => Ok(Kind::Tag),
        git2::ObjectType::Any => Err(Error::Output {
            what: "an object's kind",
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::super::change::staged_changes;
    use super::super::sandbox::Sandbox;
    use super::*;

    #[test]
    fn what_a_partial_clone_left_out_is_missing_and_not_fetched() {
        let sandbox = Sandbox::with_commit(&[]);
        sandbox.git("r", &["config", "uploadpack.allowFilter", "true"]);
        let url = format!("file://{}", sandbox.path("r").display());
        sandbox.git(".", &["clone", "-q", "--no-checkout", "--filter=blob:none", &url, "p"]);
        let repo = sandbox.open("p");
        let oid = repo.head_blob(b"dir/b").unwrap().unwrap().oid;
        for _ in 0..2 {
            assert!(matches!(repo.blob(&oid), Err(Error::MissingObject { .. })));
            assert!(matches!(repo.blob_size(&oid), Err(Error::MissingObject { .. })));
        }
        let objects = sandbox.git("p", &["cat-file", "--batch-all-objects", "--batch-check"]);
        assert!(!objects.contains("blob") && objects.contains("commit"));
    }

    #[test]
    fn before_the_first_commit_head_is_empty() {
        for init in [&[] as &[&str], &["--object-format=sha256"], &["--ref-format=reftable"]] {
            let sandbox = Sandbox::new();
            if init == ["--ref-format=reftable"] && !sandbox.has_reftable() {
                continue;
            }
            sandbox.git(".", &[&["init", "-q"], init, &["r"]].concat());
            let repo = sandbox.open("r");
            assert_eq!(repo.head_blob(b"a").unwrap(), None, "{init:?}");
            assert!(
                matches!(repo.resolve("HEAD"), Err(Error::UnknownRevision { .. })),
                "{init:?}"
            );
            assert_eq!(staged_changes(&repo).unwrap(), [], "{init:?}");
            sandbox.write("r/a", "a");
            sandbox.git("r", &["add", "a"]);
            let changes = staged_changes(&repo).unwrap();
            assert_eq!(
                (changes.len(), changes[0].status, changes[0].before),
                (1, 'A', None),
                "{init:?}"
            );
            let head = sandbox.commit("r", "first");
            assert!(repo.head_blob(b"a").unwrap().is_some(), "{init:?}");
            assert_eq!(repo.resolve("HEAD").unwrap(), head, "{init:?}");
        }
    }

    #[test]
    fn threads_share_a_repo() {
        let sandbox = Sandbox::with_commit(&[]);
        let repo = sandbox.open("r");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for path in [b"a".as_slice(), b"dir/b"].repeat(20) {
                        assert_eq!(repo.blob(&repo.head_blob(path).unwrap().unwrap().oid).unwrap(), path);
                    }
                });
            }
        });
    }
}
