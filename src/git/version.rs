//! The running Git's version, for the few things that older ones do another way.

use super::command::Git;
use super::error::Error;

/// The first two numbers of a version: features come with these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

impl Version {
    /// `git checkout-index --ignore-skip-worktree-bits`; before, it never looks at those bits.
    pub const CHECKOUT_OF_SKIPPED: Self = Self { major: 2, minor: 36 };
    /// `git check-attr --source=TREE`.
    pub const ATTRIBUTES_OF_A_TREE: Self = Self { major: 2, minor: 40 };
    /// The labels `%S`, `%X` and `%Y` of a merge driver; before, they arrive as they are written.
    pub const MERGE_LABELS: Self = Self { major: 2, minor: 44 };
    /// Hooks in the configuration, beside the one in the hooks folder.
    pub const CONFIG_HOOKS: Self = Self { major: 2, minor: 54 };

    /// Asks `git` for its version.
    ///
    /// # Errors
    /// Those of [`Git::run`], and [`Error::Output`] when the answer holds no version.
    pub fn of(git: &Git) -> Result<Self, Error> {
        let text = git.run(&["version"])?;
        Self::parse(&text).ok_or(Error::Output { what: "version" })
    }

    /// Reads `git version 2.39.5 (Apple Git-154)` and its like.
    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.strip_prefix("git version ")?;
        let mut numbers = text
            .split(|sign: char| !sign.is_ascii_digit())
            .map(|digits| digits.parse().ok());
        Some(Self {
            major: numbers.next()??,
            minor: numbers.next()??,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_git_writes_them() {
        let cases: [(&str, Option<(u32, u32)>); 8] = [
            ("", None),
            ("git version", None),
            ("git version two", None),
            ("hub version 2.14", None),
            ("git version 2.39.5\n", Some((2, 39))),
            ("git version 2.39.5 (Apple Git-154)\n", Some((2, 39))),
            ("git version 2.47.0.windows.1\n", Some((2, 47))),
            ("git version 3.0-rc1\n", Some((3, 0))),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(major, minor)| Version { major, minor });
            assert_eq!(Version::parse(text.as_bytes()), expected, "{text}");
        }
        assert!(Version { major: 2, minor: 9 } < Version::ATTRIBUTES_OF_A_TREE);
        assert!(Version { major: 3, minor: 0 } > Version::CONFIG_HOOKS);
    }
}
