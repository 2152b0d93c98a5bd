//! Whether a file is one that Git's filter seals: plain in the work tree, sealed in Git.

use std::path::Path;

use super::paths::git_path;
use crate::git::Repo;
use crate::git::attributes::{AttributeSource, check};

/// A file that goes through the filter of an installed clone.
pub struct Filtered {
    /// Its repository.
    pub repo: Repo,
    /// Its path, from the top of the work tree.
    pub path: Vec<u8>,
}

/// Looks whether Git's filter seals a file. Outside a repository, without Git, or in a clone where nothing is
/// installed, none does.
#[must_use]
pub fn filtered(file: &Path) -> Option<Filtered> {
    // Git asks about the file behind a link; a new file is there in name only.
    let real = if file.symlink_metadata().is_ok() {
        file.canonicalize().ok()?
    } else {
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        folder.canonicalize().ok()?.join(file.file_name()?)
    };
    let repo = Repo::open(real.parent()?).ok()?;
    let path = git_path(real.strip_prefix(repo.work_tree()?).ok()?);
    let name = git_path(Path::new(real.file_name()?));
    let attributes = check(repo.git(), AttributeSource::WorkTree, [name.as_slice()]).ok()?;
    let ours = attributes.first()?.filter.is("git-seal") && is_installed(&repo);
    ours.then_some(Filtered { repo, path })
}

/// Whether this clone has our filter.
#[must_use]
pub fn is_installed(repo: &Repo) -> bool {
    let question = ["config", "--get-regexp", r"^filter\.git-seal\.(clean|process)$"];
    repo.git()
        .exit(&question, b"")
        .is_ok_and(|(code, _, _)| code == Some(0))
}
