//! Files read and written whole: a file is replaced by a complete new one, or it stays as it was.
//!
//! A symbolic link stays: what it points to is replaced. Folders and devices are refused; pipes are for reading only, and give
//! back nothing that could be replaced.

use std::fs::{self, File, OpenOptions};
#[cfg(unix)]
use std::io::IsTerminal;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::context::Context;
use crate::ui::Failure;

/// The exit code of SOPS for output that can't be written.
const NOT_WRITTEN: u8 = 3;
/// What is said of a file that can't be replaced.
const PIPE: &str = "is a pipe or device, not a file";

/// Who may read a file that was not there before. One that was keeps its permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whom the umask allows.
    Usual,
    /// The owner alone: for what is secret.
    Private,
}

/// The content of a file, or of stdin when there is none.
///
/// # Errors
/// What the system says; a device, which may have no end.
pub fn read(path: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut content = Zeroizing::new(Vec::new());
    let Some(path) = path else {
        let read = io::stdin().lock().read_to_end(&mut content);
        return read
            .map(|_| content)
            .map_err(|error| Failure::new(error.to_string()).at("stdin"));
    };
    refuse_device(path)?;
    let read = fs::read(path).map(|bytes| *content = bytes);
    read.map(|()| content).map_err(|error| Failure::io(path, &error))
}

/// Refuses to begin with a file that could not be replaced in the end, before anybody waits for a pipe. What is not there is for
/// the reading to tell.
///
/// # Errors
/// For a pipe or a device.
pub fn expect_regular(path: &Path) -> Result<(), Failure> {
    match fs::metadata(path) {
        Ok(data) if !data.is_file() && !data.is_dir() => Err(Failure::new(PIPE).at(path.display())),
        _ => Ok(()),
    }
}

/// Refuses a device that nobody types at.
#[cfg(unix)]
fn refuse_device(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::FileTypeExt;
    let kind = fs::metadata(path).map(|data| data.file_type());
    let is_device = kind.is_ok_and(|kind| kind.is_char_device() || kind.is_block_device());
    if is_device && !File::open(path).is_ok_and(|file| file.is_terminal()) {
        return Err(Failure::new("is a device, not a file").at(path.display()));
    }
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "Unix has such files")]
fn refuse_device(_: &Path) -> Result<(), Failure> {
    Ok(())
}

/// Writes bytes to stdout; the exit code 0.
///
/// # Errors
/// What the system says.
pub fn put(context: &Context, bytes: &[u8]) -> Result<u8, Failure> {
    let written = context.terminal.out(bytes).map(|()| 0);
    written.map_err(|error| Failure::io(Path::new("stdout"), &error).code(NOT_WRITTEN))
}

/// Replaces a file, or makes it with the usual permissions.
///
/// # Errors
/// As [`write()`].
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write(path, bytes, Access::Usual)
}

/// Replaces a file, or makes it.
///
/// # Errors
/// When it is no regular file, is read-only, or its folder can't be written to; then nothing has changed.
pub fn write(path: &Path, bytes: &[u8], access: Access) -> Result<(), Failure> {
    let failure = |error: &io::Error| Failure::io(path, error).code(NOT_WRITTEN);
    // Through links: what stands behind `/dev/fd/3` has no path of its own that could be looked at.
    let old = match fs::metadata(path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failure(&error)),
    };
    if let Some(old) = &old {
        if !old.is_file() {
            let what = if old.is_dir() { "is a folder, not a file" } else { PIPE };
            return Err(Failure::new(what).at(path.display()).code(NOT_WRITTEN));
        }
        if old.permissions().readonly() {
            return Err(Failure::new("is read-only").at(path.display()).code(NOT_WRITTEN));
        }
    }
    let exchanged = resolve(path).and_then(|target| exchange(&target, bytes, old.as_ref(), access));
    exchanged.map_err(|error| failure(&error))
}

/// Makes a file that was not there.
///
/// # Errors
/// When there is something of this name, or it can't be written; then nothing is left behind.
pub fn create_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    create(path, bytes, Access::Usual)
}

/// Makes a file that was not there for the owner's eyes only, and the folders that lead to it.
///
/// # Errors
/// As [`create_new`].
pub fn create_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    private_folders(folder_of(path)).map_err(|error| Failure::io(path, &error).code(NOT_WRITTEN))?;
    create(path, bytes, Access::Private)
}

fn create(path: &Path, bytes: &[u8], access: Access) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if access == Access::Private {
        owner_only(&mut options);
    }
    let mut file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::new("is there already and is not overwritten").at(path.display()),
        _ => Failure::io(path, &error).code(NOT_WRITTEN),
    })?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a file is worse than none; that it can't be removed either changes nothing in the report.
        fs::remove_file(path).ok();
        Failure::io(path, &error).code(NOT_WRITTEN)
    })
}

/// The file itself, behind all links; a path that does not exist as it is.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    match fs::symlink_metadata(path) {
        Ok(data) if data.is_symlink() => fs::canonicalize(path),
        _ => Ok(path.to_owned()),
    }
}

/// Puts a new file in the place of `target` in one step.
fn exchange(target: &Path, bytes: &[u8], old: Option<&fs::Metadata>, access: Access) -> io::Result<()> {
    let folder = folder_of(target);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".git-seal-");
    let usual = (old.is_none() && access == Access::Usual)
        .then(usual_permissions)
        .flatten();
    if let Some(usual) = usual {
        builder.permissions(usual);
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    // Last of all: what a kill leaves behind while the disk is waited for is then for the owner's eyes only.
    if let Some(old) = old {
        keep_owner(file.path(), old);
        file.as_file().set_permissions(old.permissions())?;
    }
    file.persist(target).map_err(|error| error.error)?;
    // The new name lasts over a power cut only when the folder is written too. Some systems can't do that: no reason to
    // fail.
    File::open(folder).and_then(|folder| folder.sync_all()).ok();
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such permissions")]
fn usual_permissions() -> Option<fs::Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn usual_permissions() -> Option<fs::Permissions> {
    None
}

#[cfg(unix)]
fn owner_only(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn owner_only(_: &mut OpenOptions) {}

#[cfg(unix)]
fn private_folders(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn private_folders(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Root that changes a user's file leaves it the user's. Others can't give files away, and need not.
#[cfg(unix)]
fn keep_owner(path: &Path, old: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, chown};
    let differs = fs::metadata(path).is_ok_and(|new| (new.uid(), new.gid()) != (old.uid(), old.gid()));
    if differs {
        chown(path, Some(old.uid()), Some(old.gid())).ok();
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &fs::Metadata) {}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_no_file_is_refused_and_nothing_is_left_behind() {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("folder");
        fs::create_dir(&folder).unwrap();
        symlink("gone", top.path().join("dangling")).unwrap();
        fs::write(top.path().join("locked"), "old").unwrap();
        fs::set_permissions(top.path().join("locked"), fs::Permissions::from_mode(0o444)).unwrap();
        for (name, reason) in [
            ("folder", "is a folder, not a file"),
            ("dangling", "no such file"),
            ("locked", "is read-only"),
            ("no/such/folder", "no such file"),
        ] {
            let failure = replace(&top.path().join(name), b"new").unwrap_err();
            assert!(failure.message.ends_with(reason), "{}", failure.message);
            assert_eq!(failure.code, NOT_WRITTEN);
        }
        let failure = replace(Path::new("/dev/null"), b"new").unwrap_err();
        assert_eq!(failure.message, "/dev/null: is a pipe or device, not a file");
        assert_eq!(names(top.path()), ["dangling", "folder", "locked"]);
        assert_eq!(fs::read(top.path().join("locked")).unwrap(), b"old");
    }

    #[test]
    fn a_full_disk_leaves_the_old_file() {
        let full = Path::new("/dev/full");
        if let Ok(mut file) = OpenOptions::new().write(true).open(full) {
            let error = file.write_all(b"x").unwrap_err();
            assert_eq!(
                Failure::io(full, &error).message,
                "/dev/full: no space left on the device"
            );
        }
    }

    #[test]
    fn permissions_and_links_stay() {
        let top = tempfile::tempdir().unwrap();
        let (file, link) = (top.path().join("file"), top.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("file", &link).unwrap();
        write(&link, b"new", Access::Private).unwrap();
        assert_eq!((fs::read(&file).unwrap(), mode(&file)), (b"new".to_vec(), 0o640));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        write(&top.path().join("private"), b"x", Access::Private).unwrap();
        assert_eq!(mode(&top.path().join("private")), 0o600);
        assert_eq!(names(top.path()), ["file", "link", "private"]);
    }

    #[test]
    fn a_new_file_never_takes_the_place_of_another() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("a/b/key");
        create_private(&path, b"secret").unwrap();
        assert_eq!((mode(&path), mode(&top.path().join("a"))), (0o600, 0o700));
        for make in [create_new, create_private] {
            let failure = make(&path, b"other").unwrap_err();
            assert!(
                failure.message.ends_with("is there already and is not overwritten"),
                "{}",
                failure.message
            );
        }
        assert_eq!(fs::read(&path).unwrap(), b"secret");
    }
}
