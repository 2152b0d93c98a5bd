//! A secret laid out for the user's editor: in a private folder, wiped on every way out, signals included.
//!
//! While the editor runs an interrupt from the keyboard is the editor's own business, as in Git and SOPS.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;
use zeroize::Zeroizing;

use super::failure::Failure;

/// The exit code of SOPS for an editor that is missing or fails.
const EDITOR_FAILED: u8 = 201;
/// What is tried where the user names no editor.
const USUAL_EDITORS: [&str; 3] = ["vim", "nano", "vi"];

/// A private copy of a file, for as long as it is edited.
pub struct Desk {
    folder: TempDir,
    file: PathBuf,
    editing: Arc<AtomicBool>,
}

impl Desk {
    /// Lays out `content` under the base name `name`: editors choose their colours by it.
    ///
    /// # Errors
    /// When the temporary folder can't be written to.
    pub fn lay(name: &OsStr, content: &[u8]) -> Result<Self, Failure> {
        let folder = private_folder().map_err(|error| Failure::io(&std::env::temp_dir(), &error))?;
        let file = folder.path().join(name);
        let desk = Self {
            folder,
            file,
            editing: Arc::default(),
        };
        watch_signals(desk.folder.path(), &desk.editing);
        let written = private_file(&desk.file).and_then(|mut file| file.write_all(content));
        written.map_err(|error| Failure::io(&desk.file, &error))?;
        Ok(desk)
    }

    /// Has the user edit the file: with `SOPS_EDITOR`, else `EDITOR`, else the first of a few that is there.
    ///
    /// # Errors
    /// Exit code 201 when the editor can't be started or fails.
    pub fn edit(&self) -> Result<(), Failure> {
        let chosen = ["SOPS_EDITOR", "EDITOR"].iter().find_map(|name| {
            std::env::var_os(name)
                .filter(|line| !line.is_empty())
                .map(|line| (*name, line))
        });
        let choices = match chosen {
            Some((name, line)) => vec![words(name, &line)?],
            None => USUAL_EDITORS.iter().map(|name| vec![(*name).to_owned()]).collect(),
        };
        for choice in choices {
            let Some((program, arguments)) = choice.split_first() else {
                continue;
            };
            self.editing.store(true, Ordering::SeqCst);
            let status = Command::new(program).args(arguments).arg(&self.file).status();
            self.editing.store(false, Ordering::SeqCst);
            match status {
                Ok(status) if status.success() => return Ok(()),
                Ok(status) => return Err(failed(format!("the editor {program} failed ({status})"))),
                Err(error) if error.kind() == io::ErrorKind::NotFound && chosen_by_us(program) => {}
                Err(error) => {
                    return Err(failed(format!(
                        "the editor {program} can't be started: {}",
                        error.kind()
                    )));
                }
            }
        }
        Err(failed(format!(
            "there is no editor: none of {} is on PATH",
            USUAL_EDITORS.join(", ")
        ))
        .hint("set EDITOR"))
    }

    /// The file as the user left it.
    ///
    /// # Errors
    /// When it is not there any more.
    pub fn content(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let read = fs::read(&self.file).map(Zeroizing::new);
        read.map_err(|error| Failure::io(&self.file, &error).code(EDITOR_FAILED))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        wipe(self.folder.path());
    }
}

/// Waits until the user presses Enter; tells whether there was anybody to press it.
#[must_use]
pub fn wait_for_enter() -> bool {
    let mut line = String::new();
    io::stdin().read_line(&mut line).is_ok_and(|read| read > 0)
}

fn failed(message: String) -> Failure {
    Failure::new(message).code(EDITOR_FAILED)
}

fn chosen_by_us(program: &str) -> bool {
    let named = |name| std::env::var_os(name).is_some_and(|line: OsString| !line.is_empty());
    USUAL_EDITORS.contains(&program) && !named("SOPS_EDITOR") && !named("EDITOR")
}

/// The words of a command line, split as a shell would and run without one.
fn words(name: &str, line: &OsStr) -> Result<Vec<String>, Failure> {
    let line = line.to_str().ok_or_else(|| failed(format!("{name} is not text")))?;
    let words = shlex::split(line).ok_or_else(|| failed(format!("the quotes in {name} are not closed")))?;
    if words.is_empty() {
        return Err(failed(format!("{name} names no editor")));
    }
    Ok(words)
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
fn watch_signals(folder: &Path, editing: &Arc<AtomicBool>) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM]) else {
        return;
    };
    let (folder, editing) = (folder.to_owned(), Arc::clone(editing));
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if matches!(signal, SIGINT | SIGQUIT) && editing.load(Ordering::SeqCst) {
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
    fn a_command_line_that_is_none_is_refused() {
        for line in ["", "  ", "vim '"] {
            assert_eq!(
                words("EDITOR", OsStr::new(line)).unwrap_err().code,
                EDITOR_FAILED,
                "{line}"
            );
        }
        assert_eq!(
            words("EDITOR", OsStr::new("code --wait 'a b'")).unwrap(),
            ["code", "--wait", "a b"]
        );
    }

    #[test]
    fn the_desk_is_private_and_leaves_nothing() {
        let desk = Desk::lay(OsStr::new("a.yaml"), b"a: secret\n").unwrap();
        let (folder, file) = (desk.folder.path().to_owned(), desk.file.clone());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
        assert_eq!(*desk.content().unwrap(), b"a: secret\n");
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
}
