//! A folder for secrets that other programs read: for the user's eyes only, wiped on every way out, signals included.
//!
//! While another program works with it an interrupt from the keyboard is that program's own business, as in Git and SOPS.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use super::failure::Failure;

/// A private folder, for as long as it is needed.
pub struct PrivateFolder {
    folder: TempDir,
    busy: Arc<AtomicBool>,
}

impl PrivateFolder {
    /// An empty folder.
    ///
    /// # Errors
    /// When the temporary folder can't be written to.
    pub fn make() -> Result<Self, Failure> {
        let folder = private_folder().map_err(|error| Failure::io(&std::env::temp_dir(), &error))?;
        let busy = Arc::default();
        watch_signals(folder.path(), &busy);
        Ok(Self { folder, busy })
    }

    /// Puts a file into it.
    ///
    /// # Errors
    /// What the system says.
    pub fn put(&self, name: &OsStr, content: &[u8]) -> Result<PathBuf, Failure> {
        let path = self.folder.path().join(name);
        let written = private_file(&path).and_then(|mut file| file.write_all(content));
        written.map_err(|error| Failure::io(&path, &error))?;
        Ok(path)
    }

    /// Puts a pipe into it that gives `content` to the first who reads it, so that it never lies on a disk.
    ///
    /// # Errors
    /// What the system says.
    #[cfg(all(unix, not(target_vendor = "apple")))]
    pub fn put_pipe(&self, name: &OsStr, content: zeroize::Zeroizing<Vec<u8>>) -> Result<PathBuf, Failure> {
        use rustix::fs::{CWD, Mode, mkfifoat};
        let path = self.folder.path().join(name);
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).map_err(|error| Failure::io(&path, &error.into()))?;
        let pipe = path.clone();
        std::thread::spawn(move || {
            // A reader that goes away early has what it wanted, and one that never comes needs nothing.
            OpenOptions::new()
                .write(true)
                .open(&pipe)
                .and_then(|mut pipe| pipe.write_all(&content))
                .ok();
        });
        Ok(path)
    }

    /// Where no such pipe can be made, a file.
    ///
    /// # Errors
    /// What the system says.
    #[cfg(not(all(unix, not(target_vendor = "apple"))))]
    pub fn put_pipe(&self, name: &OsStr, content: zeroize::Zeroizing<Vec<u8>>) -> Result<PathBuf, Failure> {
        self.put(name, &content)
    }

    /// Makes another user, by user and group number, the owner of the folder and of a file in it.
    ///
    /// # Errors
    /// What the system says: only root may.
    #[cfg(unix)]
    pub fn give_to(&self, owner: (u32, u32), file: &Path) -> Result<(), Failure> {
        for path in [file, self.folder.path()] {
            std::os::unix::fs::chown(path, Some(owner.0), Some(owner.1)).map_err(|error| Failure::io(path, &error))?;
        }
        Ok(())
    }

    /// Where users have no numbers there is nothing to do.
    ///
    /// # Errors
    /// None.
    #[cfg(not(unix))]
    pub fn give_to(&self, _: (u32, u32), _: &Path) -> Result<(), Failure> {
        Ok(())
    }

    /// Lets another program have the keyboard's interrupts.
    pub fn while_busy<T>(&self, work: impl FnOnce() -> T) -> T {
        self.busy.store(true, Ordering::SeqCst);
        let done = work();
        self.busy.store(false, Ordering::SeqCst);
        done
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        wipe(self.folder.path());
    }
}

/// Overwrites and removes all that lies in a folder: backups and swap files of the editor too. Then the folder itself.
fn wipe(folder: &Path) {
    // Whatever fails here, the rest is still to be wiped, and nobody is left to tell.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => wipe(&path),
            Ok(kind) if kind.is_file() => {
                overwrite(&path).ok();
                fs::remove_file(&path).ok();
            }
            _ => {
                fs::remove_file(&path).ok();
            }
        }
    }
    fs::remove_dir(folder).ok();
}

fn overwrite(path: &Path) -> io::Result<()> {
    let mut left = fs::metadata(path)?.len();
    let mut file = OpenOptions::new().write(true).open(path)?;
    let zeros = [0; 4096];
    while left > 0 {
        let part = zeros
            .get(..usize::try_from(left).unwrap_or(zeros.len()))
            .unwrap_or(&zeros);
        file.write_all(part)?;
        left -= part.len() as u64;
    }
    file.sync_all()
}

#[cfg(unix)]
fn private_folder() -> io::Result<TempDir> {
    use std::os::unix::fs::PermissionsExt;
    tempfile::Builder::new()
        .prefix("git-seal-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir()
}

#[cfg(not(unix))]
fn private_folder() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("git-seal-").tempdir()
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// From here on a signal that ends the process wipes the folder first.
#[cfg(unix)]
fn watch_signals(folder: &Path, busy: &Arc<AtomicBool>) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM]) else {
        return;
    };
    let (folder, busy) = (folder.to_owned(), Arc::clone(busy));
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if matches!(signal, SIGINT | SIGQUIT) && busy.load(Ordering::SeqCst) {
                continue;
            }
            wipe(&folder);
            // Whoever started us sees that we were ended by this signal.
            signal_hook::low_level::emulate_default_handler(signal).ok();
        }
    });
}

#[cfg(not(unix))]
fn watch_signals(_: &Path, _: &Arc<AtomicBool>) {}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_folder_is_private_and_leaves_nothing() {
        let desk = PrivateFolder::make().unwrap();
        let file = desk.put(OsStr::new("a.yaml"), b"a: secret\n").unwrap();
        let folder = desk.folder.path().to_owned();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
        // What editors leave about: backups, and a link that must not be followed.
        let outside = tempfile::NamedTempFile::new().unwrap();
        fs::write(outside.path(), "stays").unwrap();
        fs::create_dir(folder.join("backup")).unwrap();
        fs::write(folder.join("backup/a.yaml~"), "x".repeat(10_000)).unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.join("link")).unwrap();
        let kept = OpenOptions::new().read(true).open(&file).unwrap();
        drop(desk);
        assert!(!folder.exists());
        assert_eq!(fs::read(outside.path()).unwrap(), b"stays");
        let left = io::read_to_string(kept).unwrap();
        assert_eq!(left, "\0".repeat(10), "the text is overwritten, not just unlinked");
    }
    #[test]
    fn a_pipe_gives_its_content_once() {
        let desk = PrivateFolder::make().unwrap();
        let text = "x".repeat(200_000);
        let pipe = desk
            .put_pipe(OsStr::new("p"), zeroize::Zeroizing::new(text.clone().into_bytes()))
            .unwrap();
        assert_eq!(fs::metadata(&pipe).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&pipe).unwrap(), text);
        // One that nobody reads stands in nobody's way.
        desk.put_pipe(OsStr::new("q"), zeroize::Zeroizing::default()).unwrap();
        let folder = desk.folder.path().to_owned();
        drop(desk);
        assert!(!folder.exists());
    }
}
