//! Paths and modes between Git, which has bytes with `/`, and the system, which on Windows has neither.

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};

/// A path as Git writes it: bytes, with `/` between its parts.
#[cfg(unix)]
#[must_use]
pub fn git_path(path: &Path) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec()
}

/// A path as Git writes it: bytes, with `/` between its parts.
#[cfg(not(unix))]
#[must_use]
pub fn git_path(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
}

/// Git's path, or any text of Git's, as the system takes it.
#[cfg(unix)]
#[must_use]
pub fn os_path(path: &[u8]) -> PathBuf {
    PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(path))
}

/// Git's path, or any text of Git's, as the system takes it.
#[cfg(not(unix))]
#[must_use]
pub fn os_path(path: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(path).into_owned())
}

/// Whether everybody in `who` (mode bits) may run a file. Where files have no such bits, all may be run.
#[cfg(unix)]
#[must_use]
pub fn is_executable(data: &Metadata, who: u32) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&data.permissions()) & who != 0
}

/// Whether everybody in `who` (mode bits) may run a file. Where files have no such bits, all may be run.
#[cfg(not(unix))]
#[must_use]
pub fn is_executable(_: &Metadata, _: u32) -> bool {
    true
}

/// Lets everybody run a file.
///
/// # Errors
/// What the system says.
#[cfg(unix)]
pub fn make_executable(file: &File) -> std::io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
}

/// Lets everybody run a file.
///
/// # Errors
/// What the system says.
#[cfg(not(unix))]
pub fn make_executable(_: &File) -> std::io::Result<()> {
    Ok(())
}
