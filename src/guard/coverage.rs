//! Which paths Git sends through the filter, asked of Git in one go, and only where the repository uses the filter at all.

use std::collections::BTreeSet;

use crate::git::attributes::{AttributeSource, Early, check_from_top};
use crate::git::{Error, Repo};

/// The filter's name in `.gitattributes`.
const FILTER: &str = "git-seal";

/// Whether a path is a file of attributes.
pub(super) fn is_attributes(path: &[u8]) -> bool {
    path == b".gitattributes" || path.ends_with(b"/.gitattributes")
}

/// Whether the text of a `.gitattributes` file gives the filter to something. A macro may hide it behind a name of its own, but
/// then the macro's line says it.
pub(super) fn mentions_filter(text: &[u8]) -> bool {
    let setting = [b"filter=", FILTER.as_bytes()].concat();
    let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_start);
    let words = lines
        .filter(|line| !line.starts_with(b"#"))
        .flat_map(|line| line.split(u8::is_ascii_whitespace));
    words.into_iter().any(|word| word == setting)
}

/// For each of these paths, relative to the top, whether the filter is for it.
///
/// # Errors
/// Those of asking Git.
pub(super) fn covered(repo: &Repo, source: AttributeSource, paths: &[&[u8]]) -> Result<Vec<bool>, Error> {
    let answers = check_from_top(repo, source, paths.iter().copied())?;
    Ok(answers.iter().map(|attributes| attributes.filter.is(FILTER)).collect())
}

/// As [`covered`] for the index, whose attribute files are those of HEAD: then HEAD's tree tells whether they are here, and the index
/// is read once less.
///
/// # Errors
/// [`Error::MissingObject`] for an attribute file that is not in this repository; those of asking Git.
pub(super) fn covered_as_in_head(repo: &Repo, paths: &[&[u8]], early: Early) -> Result<Vec<bool>, Error> {
    let folders: BTreeSet<&[u8]> = paths.iter().flat_map(|path| folders_of(path)).collect();
    for folder in folders {
        let file = [folder, b".gitattributes"].concat();
        if let Some(entry) = repo.head_blob(&file)?
            && !repo.contains(&entry.oid)?
        {
            return Err(Error::MissingObject { oid: entry.oid });
        }
    }
    let asked: Vec<Vec<u8>> = paths.iter().map(|path| repo.from_top(path)).collect();
    let asked = asked.iter().map(Vec::as_slice);
    let answers = early.ask(asked)?;
    Ok(answers.iter().map(|attributes| attributes.filter.is(FILTER)).collect())
}

/// The folders above a path, each with a slash behind it; the top is empty.
fn folders_of(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    std::iter::once(&path[..0]).chain(slashes.map(|(at, _)| &path[..=at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_above_a_path_counts() {
        let folders: Vec<&[u8]> = folders_of(b"a/b/c").collect();
        assert_eq!(folders, [&b""[..], b"a/", b"a/b/"]);
    }

    #[test]
    fn only_a_setting_in_force_is_a_mention() {
        for (text, expected) in [
            ("", false),
            ("# secrets/* filter=git-seal\n", false),
            ("* filter=git-sealed\n", false),
            ("* diff=git-seal\n", false),
            ("* -filter\n", false),
            ("secrets/*\tfilter=git-seal\r\n", true),
            ("*.png binary\n  [attr]sealed filter=git-seal -text", true),
        ] {
            assert_eq!(mentions_filter(text.as_bytes()), expected, "{text}");
        }
        for (path, expected) in [
            (".gitattributes", true),
            ("a/.gitattributes", true),
            ("a.gitattributes", false),
        ] {
            assert_eq!(is_attributes(path.as_bytes()), expected);
        }
    }
}
