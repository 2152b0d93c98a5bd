//! One hook file: whose it is, the names it may be moved to, and how it is written whole.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::hook_script::{Author, Event, author};
use super::os_path::{is_executable, make_executable};

/// What a chained hook's name ends in.
const CHAINED: &str = ".git-seal-chained";

/// What pre-commit and prek append to the name of a hook that they displace and go on running.
const LEGACY: &str = ".legacy";

/// What lies under a hook's name.
pub(super) enum Found {
    Nothing,
    Ours {
        content: Vec<u8>,
        executable: bool,
    },
    Edited,
    /// A file or symbolic link of someone else.
    Other,
    /// A folder or device.
    NoFile,
}

/// Looks at the hook file of `event`.
pub(super) fn found(hook: &Path, event: Event) -> Result<Found, Error> {
    let meta = match fs::symlink_metadata(hook) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(at(hook)(error)),
    };
    if meta.is_symlink() {
        // Even one that leads to our text: who made the link decides over it.
        return Ok(Found::Other);
    }
    if !meta.is_file() {
        return Ok(Found::NoFile);
    }
    let content = fs::read(hook).map_err(at(hook))?;
    Ok(match author(event, &content) {
        Author::Us => Found::Ours {
            content,
            executable: [0o100, 0o010, 0o001].iter().all(|&who| is_executable(&meta, who)),
        },
        Author::UsEdited => Found::Edited,
        Author::Other => Found::Other,
    })
}

/// Whether a hook file is ours and unchanged.
pub(super) fn is_ours(hook: &Path, event: Event) -> bool {
    matches!(found(hook, event), Ok(Found::Ours { .. }))
}

/// Where someone else's hook is moved to.
pub(super) fn chained(folder: &Path, event: Event) -> PathBuf {
    folder.join(format!("{}{CHAINED}", event.name()))
}

/// Where a manager moves a hook that it found.
pub(super) fn legacy(folder: &Path, event: Event) -> PathBuf {
    folder.join(format!("{}{LEGACY}", event.name()))
}

/// A complete, executable file in `folder`, to be renamed to its place.
pub(super) fn write_beside(folder: &Path, content: &[u8]) -> Result<tempfile::NamedTempFile, Error> {
    let write = || {
        let mut file = tempfile::Builder::new().prefix(".git-seal-").tempfile_in(folder)?;
        file.write_all(content)?;
        make_executable(file.as_file())?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    write().map_err(at(folder))
}

/// Turns the system's reason into an error that names `path`.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Io {
        path: path.to_owned(),
        source,
    }
}
