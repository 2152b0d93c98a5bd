//! Paths between Git and the system, and numbers between us and people.

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

/// Git's path as the system takes it.
#[cfg(unix)]
#[must_use]
pub fn os_path(path: &[u8]) -> PathBuf {
    PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(path))
}

/// Git's path as the system takes it.
#[cfg(not(unix))]
#[must_use]
pub fn os_path(path: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(path).into_owned())
}

/// A number with its noun: *1 file*, *2 files*.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
