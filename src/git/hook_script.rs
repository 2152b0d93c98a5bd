//! The hook files themselves: their one text lies in the folder `hooks/`, here it is filled in and recognised again.

use std::path::Path;

use super::os_path::git_path;
use super::program::quoted;

/// Stands in a hook's text for the path to fall back on.
const PLACEHOLDER: &str = "@GIT_SEAL@";

/// How the second line of each of our hooks begins; the version and the event follow.
const MARK: &str = "# git-seal hook v";

/// The version of the texts in `hooks/`.
const VERSION: &str = "1:";

/// A moment at which Git calls a hook of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// Before a commit.
    PreCommit,
    /// Before the commit of a merge without conflicts.
    PreMergeCommit,
    /// When the message of a commit is written.
    CommitMsg,
    /// Before a push leaves.
    PrePush,
    /// Before a push is taken in.
    PreReceive,
}

impl Event {
    /// The events of a clone's gates. A message is looked at only when asked for.
    pub const GATES: [Self; 3] = [Self::PreCommit, Self::PreMergeCommit, Self::PrePush];

    /// Every event.
    pub const ALL: [Self; 5] = [
        Self::PreCommit,
        Self::PreMergeCommit,
        Self::CommitMsg,
        Self::PrePush,
        Self::PreReceive,
    ];

    /// Git's word for it, which is also the hook's file name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PreMergeCommit => "pre-merge-commit",
            Self::CommitMsg => "commit-msg",
            Self::PrePush => "pre-push",
            Self::PreReceive => "pre-receive",
        }
    }

    /// Whether Git writes the refs of a push to the hook's stdin.
    #[must_use]
    pub fn reads_stdin(self) -> bool {
        matches!(self, Self::PrePush | Self::PreReceive)
    }

    fn text(self) -> &'static str {
        match self {
            Self::PreCommit => include_str!("../../hooks/pre-commit"),
            Self::PreMergeCommit => include_str!("../../hooks/pre-merge-commit"),
            Self::CommitMsg => include_str!("../../hooks/commit-msg"),
            Self::PrePush => include_str!("../../hooks/pre-push"),
            Self::PreReceive => include_str!("../../hooks/pre-receive"),
        }
    }

    /// The hook's bytes; `fallback` is the absolute path of our program, for a Git that is started with another `PATH`.
    #[must_use]
    pub fn script(self, fallback: &Path) -> Vec<u8> {
        let (before, after) = self.text().split_once(PLACEHOLDER).unwrap_or((self.text(), ""));
        [before.as_bytes(), &quoted(&git_path(fallback)), after.as_bytes()].concat()
    }
}

/// Whose a hook file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// Ours, of this version or another.
    Us,
    /// Ours of this version, with changes by someone else.
    UsEdited,
    /// Someone else's.
    Other,
}

/// Tells from a hook file's content whose it is.
#[must_use]
pub fn author(event: Event, content: &[u8]) -> Author {
    let Some(mark) = content.split(|&byte| byte == b'\n').nth(1) else {
        return Author::Other;
    };
    let Some(version) = mark.strip_prefix(MARK.as_bytes()) else {
        return Author::Other;
    };
    if !version.starts_with(VERSION.as_bytes()) {
        return Author::Us;
    }
    let (before, after) = event.text().split_once(PLACEHOLDER).unwrap_or((event.text(), ""));
    if content.starts_with(before.as_bytes()) && content.ends_with(after.as_bytes()) {
        return Author::Us;
    }
    Author::UsEdited
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_hooks_are_not_ours() {
        let ours = String::from_utf8_lossy(&Event::PreCommit.script(Path::new("/x"))).into_owned();
        let cases = [
            (String::new(), Author::Other),
            ("#!/bin/sh\n".into(), Author::Other),
            ("#!/bin/sh\ngit-seal hook pre-commit\n".into(), Author::Other),
            (format!("#!/bin/sh\n\n{MARK}1: pre-commit\n"), Author::Other),
            (format!("{ours}make test\n"), Author::UsEdited),
            (ours.replace("|| exit\n", "\n"), Author::UsEdited),
            (format!("#!/bin/sh\n{MARK}0: pre-commit\nexec git-seal\n"), Author::Us),
            (ours, Author::Us),
        ];
        for (content, expected) in cases {
            assert_eq!(author(Event::PreCommit, content.as_bytes()), expected, "{content}");
        }
    }

    #[test]
    fn every_text_has_its_mark_and_one_placeholder() {
        for event in Event::ALL {
            let mark = format!("#!/bin/sh\n{MARK}{VERSION} {}\n", event.name());
            assert!(event.text().starts_with(&mark), "{}", event.name());
            assert_eq!(event.text().matches(PLACEHOLDER).count(), 1, "{}", event.name());
            assert!(
                event.text().contains(&format!("hook {} \"$@\"", event.name())),
                "{}",
                event.name()
            );
            assert_eq!(
                author(event, &event.script(Path::new("/a\nb/it's"))),
                Author::Us,
                "{}",
                event.name()
            );
        }
    }
}
