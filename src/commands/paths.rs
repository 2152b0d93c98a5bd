//! Paths between Git and the system, and numbers between us and people.

pub use crate::git::os_path::{git_path, os_path};

/// A number with its noun: *1 file*, *2 files*.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
