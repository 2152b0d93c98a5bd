//! The work tree opened and sealed back, path by path: what `install`, `unlock`, `lock` and `uninstall` share.
//!
//! Git leaves files alone whose stat data are current, so a driver or key that is added changes nothing on disk by itself.

use std::path::Path;

use super::context::Context;
use crate::document::Format;
use crate::filter::Smudged;
use crate::git::attributes::{AttributeSource, check_from_top};
use crate::git::snapshot::Snapshot;
use crate::git::version::Version;
use crate::git::{Entry, Repo};
use crate::sops::Sealed;
use crate::ui::Failure;

/// A tracked file that goes through the filter.
pub struct Tracked {
    /// Its path, from the top.
    pub path: Vec<u8>,
    /// Its entry in the index.
    pub entry: Entry,
}

/// Every tracked file whose `filter` attribute is ours.
///
/// # Errors
/// When Git can't be asked.
pub fn tracked(repo: &Repo) -> Result<Vec<Tracked>, Failure> {
    let index = Snapshot::index(repo)?;
    let files: Vec<(&[u8], Entry)> = index.iter().filter(|(_, entry)| entry.is_file()).collect();
    let attributes = check_from_top(repo, AttributeSource::WorkTree, files.iter().map(|(path, _)| *path))?;
    let ours = files
        .into_iter()
        .zip(attributes)
        .filter(|(_, attributes)| attributes.filter.is("git-seal"));
    Ok(ours
        .map(|((path, entry), _)| Tracked {
            path: path.to_vec(),
            entry,
        })
        .collect())
}

/// What became of the files.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Changed on disk.
    pub done: usize,
    /// Left alone because they differ from what Git has.
    pub edited: Vec<Vec<u8>>,
    /// Left sealed because no identity opens them.
    pub unopened: usize,
}

/// Opens the files that lie sealed in the work tree. Files with other content than the index's are left alone.
///
/// # Errors
/// When Git can't be asked, or fails to write.
pub fn open(context: &Context, files: &[Tracked]) -> Result<Outcome, Failure> {
    let repo = context.repo()?;
    let top = context.top()?;
    let policy = Ok(None);
    let filter = context.filter(&policy);
    let (mut outcome, mut paths) = (Outcome::default(), Vec::new());
    for file in files {
        let Some(on_disk) = read(top, &file.path) else { continue };
        let blob = repo.blob(&file.entry.oid)?;
        if on_disk != blob || Sealed::parse(Format::of_path(&file.path), &blob).is_err() {
            continue;
        }
        match filter.smudge(&file.path, blob, Some(file.entry.oid)) {
            Smudged::Opened(_) => paths.push(file.path.clone()),
            Smudged::Unchanged(..) => outcome.unopened += 1,
        }
    }
    outcome.done = paths.len();
    context.memory().flush();
    write(repo, top, &[], &paths)?;
    Ok(outcome)
}

/// Writes the sealed form of the files into the work tree. Where one was changed, nothing is written and all such are named.
///
/// # Errors
/// When Git can't be asked, or fails to write.
pub fn seal(context: &Context, files: &[Tracked]) -> Result<Outcome, Failure> {
    let repo = context.repo()?;
    let top = context.top()?;
    let policy = context.work_tree_policy();
    let filter = context.filter(&policy);
    let (mut outcome, mut paths) = (Outcome::default(), Vec::new());
    for file in files {
        let Some(on_disk) = read(top, &file.path) else { continue };
        let blob = repo.blob(&file.entry.oid)?;
        if on_disk == blob {
            continue;
        }
        let unchanged = filter
            .clean(&file.path, on_disk)
            .is_ok_and(|cleaned| cleaned.bytes == blob);
        if unchanged {
            paths.push(file.path.clone());
        } else {
            outcome.edited.push(file.path.clone());
        }
    }
    if !outcome.edited.is_empty() {
        return Ok(outcome);
    }
    outcome.done = paths.len();
    let no_filter = [
        "filter.git-seal.process=",
        "filter.git-seal.smudge=",
        "filter.git-seal.required=false",
    ];
    let words: Vec<String> = no_filter
        .iter()
        .flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()])
        .collect();
    write(repo, top, &words, &paths)?;
    Ok(outcome)
}

fn read(top: &Path, path: &[u8]) -> Option<Vec<u8>> {
    let path = top.join(super::paths::os_path(path));
    // A symlink in its place, or of a folder above it, is somebody's own doing: Git sees no such file.
    let mut folders = path.ancestors().skip(1).take_while(|folder| *folder != top);
    if !path.symlink_metadata().ok()?.is_file() || folders.any(Path::is_symlink) {
        return None;
    }
    std::fs::read(path).ok()
}

/// Has Git write the files anew, through the filter that `settings` name.
fn write(repo: &Repo, top: &Path, settings: &[String], paths: &[Vec<u8>]) -> Result<(), Failure> {
    if paths.is_empty() {
        return Ok(());
    }
    for path in paths {
        // Git writes only what looks changed. Another time does that and leaves the file whole, should Git be killed.
        let path = top.join(super::paths::os_path(path));
        let touched = std::fs::File::open(&path).and_then(|file| file.set_modified(std::time::UNIX_EPOCH));
        touched.map_err(|error| Failure::io(&path, &error))?;
    }
    let mut words: Vec<String> = settings.to_vec();
    words.extend(["checkout-index", "--force", "--index", "-z", "--stdin"].map(str::to_owned));
    if Version::of(repo.git())? >= Version::CHECKOUT_OF_SKIPPED {
        // They lie in the work tree, so they were not skipped.
        words.push("--ignore-skip-worktree-bits".to_owned());
    }
    let mut input = Vec::new();
    for path in paths {
        input.extend_from_slice(&repo.from_top(path));
        input.push(0);
    }
    repo.git().run_with_input(&words, &input)?;
    Ok(())
}
