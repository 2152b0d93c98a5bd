//! Where the repository is: Git's own rules, followed without Git where they are simple, asked from Git where not.
//!
//! A start of `git` costs about 2 ms, libgit2 a fraction of it; a filter is started for every `git add`. So libgit2 looks
//! first, and whatever it refuses (reftable, another owner, unknown extensions) is Git's to decide.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::command::Git;
use super::environment::GitEnvironment;
use super::error::Error;
use super::objects::{open_libgit2, search_libgit2};
use super::oid::ObjectFormat;

/// The repository's places, all absolute and without symbolic links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) git_dir: PathBuf,
    pub(super) common_dir: PathBuf,
    pub(super) work_tree: Option<PathBuf>,
    /// The folder below the top where we were started, with `/` behind it; empty at the top.
    pub(super) prefix: Vec<u8>,
    pub(super) index_file: PathBuf,
    pub(super) shallow_file: PathBuf,
    pub(super) format: ObjectFormat,
    pub(super) bare: bool,
}

/// Finds the repository of `folder`, and libgit2's handle for its objects if it can have one.
pub(super) fn discover(git: &Git, environment: &GitEnvironment) -> Result<(Places, Option<git2::Repository>), Error> {
    let found = if environment.is_plain() {
        by_libgit2(git.folder(), environment).ok()
    } else {
        None
    };
    let (places, handle) = if let Some((places, handle)) = found {
        (places, Some(handle))
    } else {
        let places = by_git(git, environment)?;
        let handle = open_libgit2(&places.git_dir)
            .ok()
            .filter(|handle| agrees(handle, &places));
        (places, handle)
    };
    // In a quarantine, only Git knows in which folders objects lie and where new ones go.
    Ok((places, handle.filter(|_| !environment.moves_objects())))
}

fn agrees(handle: &git2::Repository, places: &Places) -> bool {
    handle
        .commondir()
        .canonicalize()
        .is_ok_and(|common| common == places.common_dir)
        && format_of(handle) == places.format
}

fn format_of(handle: &git2::Repository) -> ObjectFormat {
    match handle.object_format() {
        git2::ObjectFormat::Sha1 => ObjectFormat::Sha1,
        git2::ObjectFormat::Sha256 => ObjectFormat::Sha256,
    }
}

/// Git's rules for a plain environment, on top of libgit2's search.
fn by_libgit2(folder: &Path, environment: &GitEnvironment) -> Result<(Places, git2::Repository), Error> {
    let at = |path: &Path| {
        path.canonicalize().map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })
    };
    let folder = at(folder)?;
    let handle = match environment.get("GIT_DIR") {
        Some(git_dir) => open_libgit2(&folder.join(git_dir))?,
        None => search_libgit2(&folder)?,
    };
    let git_dir = at(handle.path())?;
    let common_dir = at(handle.commondir())?;
    let work_tree = match work_tree(&handle, &folder, environment) {
        // Inside the repository folder itself there is no work tree, whatever lies around it.
        Some(top) if !at(&top)?.starts_with(&git_dir) && !folder.starts_with(&git_dir) => Some(at(&top)?),
        _ => None,
    };
    let below = work_tree.as_ref().and_then(|top| folder.strip_prefix(top).ok());
    // Git goes to the top before it looks at a relative GIT_INDEX_FILE.
    let base = work_tree.as_ref().filter(|_| below.is_some()).unwrap_or(&folder);
    let places = Places {
        index_file: environment
            .get("GIT_INDEX_FILE")
            .map_or_else(|| git_dir.join("index"), |file| base.join(file)),
        shallow_file: shallow_file(environment, base).unwrap_or_else(|| common_dir.join("shallow")),
        prefix: below.map(prefix_of).unwrap_or_default(),
        format: format_of(&handle),
        bare: work_tree.is_none() && handle.is_bare(),
        git_dir,
        common_dir,
        work_tree,
    };
    Ok((places, handle))
}

/// The work tree that Git would use, before it is known to exist.
fn work_tree(handle: &git2::Repository, folder: &Path, environment: &GitEnvironment) -> Option<PathBuf> {
    if let Some(top) = environment.get("GIT_WORK_TREE") {
        return Some(folder.join(top));
    }
    let configured = || {
        handle
            .config()
            .is_ok_and(|config| config.get_entry("core.worktree").is_ok())
    };
    match environment.get("GIT_DIR") {
        // Named without a work tree, a repository has its work tree where Git was started.
        Some(_) if !handle.is_bare() && !configured() => Some(folder.to_owned()),
        _ => handle.workdir().map(Path::to_owned),
    }
}

fn shallow_file(environment: &GitEnvironment, base: &Path) -> Option<PathBuf> {
    environment.get("GIT_SHALLOW_FILE").map(|file| base.join(file))
}

fn prefix_of(below: &Path) -> Vec<u8> {
    let mut prefix = Vec::new();
    for name in below {
        prefix.extend_from_slice(name.as_encoded_bytes());
        prefix.push(b'/');
    }
    prefix
}

/// One question to Git. Its answers are lines in the order of the options; the last option fails without a work tree.
fn by_git(git: &Git, environment: &GitEnvironment) -> Result<Places, Error> {
    let question = [
        "rev-parse",
        "--absolute-git-dir",
        "--git-common-dir",
        "--git-path",
        "index",
        "--git-path",
        "shallow",
        "--show-object-format",
        "--is-bare-repository",
        "--show-prefix",
        "--show-toplevel",
    ];
    let (code, stdout, stderr) = git.exit(&question, &[])?;
    let complaint = String::from_utf8_lossy(&stderr);
    if stdout.is_empty() && complaint.contains("not a git repository") {
        return Err(Error::NoRepository);
    }
    // A folder with a line break in its name gives more lines than answers: refused, since they can't be told apart.
    let bad = Error::Output { what: "git rev-parse" };
    let mut lines: Vec<&[u8]> = stdout
        .strip_suffix(b"\n")
        .unwrap_or(&stdout)
        .split(|byte| *byte == b'\n')
        .collect();
    let top = if code == Some(0) { lines.pop() } else { None };
    let [git_dir, common_dir, index, shallow, format, bare, prefix] = lines[..] else {
        return Err(if code == Some(0) {
            bad
        } else {
            git.run(&question).err().unwrap_or(bad)
        });
    };
    let format = match format {
        b"sha1" => ObjectFormat::Sha1,
        b"sha256" => ObjectFormat::Sha256,
        _ => return Err(bad),
    };
    let folder = git.folder().canonicalize().map_err(|source| Error::Io {
        path: git.folder().to_owned(),
        source,
    })?;
    let at = |path: &[u8]| {
        let path = folder.join(path_of(path));
        path.canonicalize().map_err(|source| Error::Io { path, source })
    };
    let work_tree = top.map(at).transpose()?;
    Ok(Places {
        git_dir: at(git_dir)?,
        common_dir: at(common_dir)?,
        index_file: folder.join(path_of(index)),
        shallow_file: shallow_file(environment, work_tree.as_ref().unwrap_or(&folder))
            .unwrap_or_else(|| folder.join(path_of(shallow))),
        prefix: prefix.to_vec(),
        format,
        bare: bare == b"true",
        work_tree,
    })
}

/// A path as the system writes it, from the bytes that Git printed.
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        PathBuf::from(OsStr::from_bytes(bytes))
    }
    #[cfg(not(unix))]
    {
        // Git for Windows prints UTF-8.
        PathBuf::from(OsStr::new(String::from_utf8_lossy(bytes).as_ref()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::super::sandbox::{Sandbox, environment};
    use super::*;

    #[test]
    fn without_a_repository_there_is_an_error() {
        let sandbox = Sandbox::with_commit(&[]);
        std::fs::create_dir(sandbox.path("empty")).unwrap();
        let ceiling = sandbox.path(".").to_string_lossy().into_owned();
        for variables in [
            &[("GIT_DIR", "none")] as &[(&str, &str)],
            &[("GIT_CEILING_DIRECTORIES", &ceiling)],
            &[],
        ] {
            let error = sandbox.open_with("empty", variables).unwrap_err();
            assert!(matches!(error, Error::NoRepository), "{variables:?}: {error}");
        }
        sandbox.git("r", &["config", "core.repositoryFormatVersion", "7"]);
        assert!(matches!(sandbox.open_with("r", &[]), Err(Error::GitFailed { .. })));
    }

    #[test]
    fn both_ways_of_opening_agree_with_each_other() {
        let sandbox = Sandbox::with_commit(&["--object-format=sha256"]);
        sandbox.git("r", &["worktree", "add", "-q", "../w"]);
        let git_dir = sandbox.path("r/.git").to_string_lossy().into_owned();
        let asked = ("GIT_CONFIG_PARAMETERS", "'a.b=c'");
        for (folder, variables) in [
            ("r", &[] as &[(&str, &str)]),
            ("r/dir", &[]),
            ("r/.git", &[]),
            ("r/.git/refs", &[]),
            ("w/dir", &[]),
            ("r", &[("GIT_INDEX_FILE", "other")]),
            ("r/dir", &[("GIT_INDEX_FILE", "other")]),
            ("r", &[("GIT_DIR", ".git"), ("GIT_INDEX_FILE", ".git/index.lock")]),
            ("r/dir", &[("GIT_DIR", "../.git"), ("GIT_INDEX_FILE", "other")]),
            (
                "r/dir",
                &[
                    ("GIT_DIR", "../.git"),
                    ("GIT_WORK_TREE", ".."),
                    ("GIT_INDEX_FILE", "other"),
                ],
            ),
            (
                "w",
                &[
                    ("GIT_DIR", &git_dir),
                    ("GIT_WORK_TREE", "../r/dir"),
                    ("GIT_INDEX_FILE", "other"),
                ],
            ),
        ] {
            let places = |variables: &[(&str, &str)]| {
                let environment = environment(variables);
                let git = Git::in_folder(&sandbox.path(folder)).with_environment(environment.clone());
                let (mut places, _) = discover(&git, &environment).unwrap();
                // Not yet there, so neither way can resolve `..` in it.
                let parent = places.index_file.parent().unwrap().canonicalize().unwrap();
                places.index_file = parent.join(places.index_file.file_name().unwrap());
                places.shallow_file = places
                    .shallow_file
                    .parent()
                    .unwrap()
                    .canonicalize()
                    .unwrap()
                    .join("shallow");
                places
            };
            assert_eq!(
                places(variables),
                places(&[variables, &[asked]].concat()),
                "{folder} {variables:?}"
            );
        }
    }

    #[test]
    fn a_bare_repository_has_no_work_tree() {
        let sandbox = Sandbox::with_commit(&[]);
        sandbox.git(".", &["clone", "-q", "--bare", "r", "bare.git"]);
        for (folder, variables) in [
            ("bare.git", &[] as &[(&str, &str)]),
            ("bare.git/refs", &[]),
            ("bare.git", &[("GIT_DIR", ".")]),
            (".", &[("GIT_DIR", "bare.git")]),
            ("bare.git", &[("GIT_DIR", "."), ("GIT_CONFIG_PARAMETERS", "'a.b=c'")]),
        ] {
            let repo = sandbox.open_with(folder, variables).unwrap();
            assert_eq!(
                (repo.work_tree(), repo.is_bare()),
                (None, true),
                "{folder} {variables:?}"
            );
            assert_eq!(repo.git_dir(), sandbox.path("bare.git"), "{folder} {variables:?}");
            assert_eq!(repo.index_stages(b"a").unwrap(), [None; 4], "{folder} {variables:?}");
            let entry = repo.head_blob(b"dir/b").unwrap().unwrap();
            assert_eq!(repo.blob(&entry.oid).unwrap(), b"dir/b", "{folder} {variables:?}");
        }
    }
}
