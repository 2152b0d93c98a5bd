//! What a check looks at: one content at one path, with all that is known of it, each thing worked out once.

use std::cell::OnceCell;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::charter::{Provision, Ruling};
use super::law::Law;
use crate::crypt::Keyring;
use crate::document::Format;
use crate::git::Oid;
use crate::sops::{Error, Sealed};

/// What is at the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'s> {
    /// These bytes.
    Bytes(&'s [u8]),
    /// A conflict: nothing that could be recorded.
    Conflict,
    /// Something that is not looked at; path and attributes are what matters.
    Unread,
}

/// Where the content comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// The index.
    Index,
    /// One commit as a whole.
    #[default]
    Tree,
    /// What a commit changes.
    Commit(Oid),
    /// The file on disk.
    WorkTree,
}

/// What was at the path before. Known only where an earlier rule bound it and the own charter does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Past {
    /// The same content.
    #[default]
    Same,
    /// Nothing.
    Nothing,
    /// A sealed file.
    Sealed,
    /// Something in the clear.
    Plain,
}

/// Whether Git sends the path through the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Coverage {
    /// Not asked.
    #[default]
    Unknown,
    /// It does.
    Covered,
    /// It does not, though the repository uses the filter.
    Uncovered,
}

/// What is known of a subject besides its content.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'s> {
    /// By what it is judged.
    pub law: &'s Law,
    /// The identities at hand.
    pub keyring: &'s Keyring,
    /// Where it comes from.
    pub origin: Origin,
    /// What was there before.
    pub past: Past,
    /// Whether the filter is for it.
    pub coverage: Coverage,
}

/// A content as far as sealing goes.
#[derive(Debug)]
pub enum State<'s> {
    /// There is no content, or an empty one, which holds no secret.
    Empty,
    /// A sealed file, drafts included.
    Sealed(Box<Sealed<'s>>),
    /// A sealed file that can't be read as one.
    Broken(Error),
    /// No sealed file; perhaps not even a document.
    Plain,
}

/// One content at one path.
#[derive(Debug)]
pub struct Subject<'s> {
    path: &'s [u8],
    content: Content<'s>,
    setting: Setting<'s>,
    state: OnceCell<State<'s>>,
}

impl<'s> Subject<'s> {
    /// A subject; nothing is worked out yet.
    #[must_use]
    pub const fn new(path: &'s [u8], content: Content<'s>, setting: Setting<'s>) -> Self {
        Self {
            path,
            content,
            setting,
            state: OnceCell::new(),
        }
    }

    /// The path, relative to the top. It may hold a secret itself.
    #[must_use]
    pub const fn path(&self) -> &'s [u8] {
        self.path
    }

    /// The content as it was found.
    #[must_use]
    pub const fn content(&self) -> Content<'s> {
        self.content
    }

    /// The bytes, if there are any to look at.
    #[must_use]
    pub const fn bytes(&self) -> Option<&'s [u8]> {
        match self.content {
            Content::Bytes(bytes) => Some(bytes),
            Content::Conflict | Content::Unread => None,
        }
    }

    /// The format that the path's end names.
    #[must_use]
    pub fn format(&self) -> Format {
        Format::of_path(self.path)
    }

    /// By what it is judged.
    #[must_use]
    pub const fn law(&self) -> &'s Law {
        self.setting.law
    }

    /// The identities at hand.
    #[must_use]
    pub const fn keyring(&self) -> &'s Keyring {
        self.setting.keyring
    }

    /// Where it comes from.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.setting.origin
    }

    /// The commit that brings it in, where commits are looked at.
    #[must_use]
    pub const fn commit(&self) -> Option<Oid> {
        match self.setting.origin {
            Origin::Commit(oid) => Some(oid),
            Origin::Index | Origin::Tree | Origin::WorkTree => None,
        }
    }

    /// What was there before.
    #[must_use]
    pub const fn past(&self) -> Past {
        self.setting.past
    }

    /// Whether the filter is for it.
    #[must_use]
    pub const fn coverage(&self) -> Coverage {
        self.setting.coverage
    }

    /// The rule for the path.
    #[must_use]
    pub fn provision(&self) -> Option<&'s Provision> {
        match self.setting.law.ruling(self.path) {
            Ruling::Ruled(provision) => Some(provision),
            Ruling::Unruled | Ruling::Unknown => None,
        }
    }

    /// Whether this is the open form of a file that the filter seals on its way into Git.
    #[must_use]
    pub fn is_open_form(&self) -> bool {
        let on_disk = self.setting.origin == Origin::WorkTree && self.setting.coverage == Coverage::Covered;
        on_disk && self.sealed().is_none()
    }

    /// What the content is.
    #[must_use]
    pub fn state(&self) -> &State<'s> {
        self.state
            .get_or_init(|| self.bytes().map_or(State::Empty, |bytes| state(self.format(), bytes)))
    }

    /// The sealed form, if it can be read.
    #[must_use]
    pub fn sealed(&self) -> Option<&Sealed<'s>> {
        match self.state() {
            State::Sealed(sealed) => Some(sealed),
            _ => None,
        }
    }
}

/// Tells what a content is.
fn state(format: Format, bytes: &[u8]) -> State<'_> {
    if bytes.is_empty() {
        return State::Empty;
    }
    // Parsing is the dear part; no sealed file is without a MAC, so without an envelope.
    if !looks_sealed(bytes) {
        return State::Plain;
    }
    match Sealed::parse(format, bytes) {
        Ok(sealed) => State::Sealed(Box::new(sealed)),
        // A text that tells of sealed files is none.
        Err(Error::Document(_) | Error::NotUtf8) if format == Format::Binary => State::Plain,
        Err(Error::NotSealed) => State::Plain,
        Err(error) => State::Broken(error),
    }
}

/// Whether there is an envelope and something like a `sops` block. Conflict markers and torn lines don't change that.
fn looks_sealed(bytes: &[u8]) -> bool {
    static ENVELOPE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?-u)(?:E|\\x45)NC\[AES256_GCM,").ok());
    static BLOCK: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?m-u)(?:^|[\s"'{,\[])sops(?:["']?\s*:|_[a-z]|\])"#).ok());
    let found = |regex: &Option<Regex>| regex.as_ref().is_none_or(|regex| regex.is_match(bytes));
    found(&ENVELOPE) && found(&BLOCK)
}

#[cfg(test)]
mod tests {
    use crate::guard::testing::Scene;

    #[test]
    fn contents_are_told_apart() {
        #[track_caller]
        fn case(path: &str, bytes: &[u8], expected: &str) {
            let scene = Scene::default();
            let state = format!("{:?}", scene.subject(path.as_bytes(), bytes).state());
            assert!(state.starts_with(expected), "{path}: {state}");
        }
        let scene = Scene::ruled("^s");
        let sealed = scene.seal("s/a.json", br#"{"a": "b"}"#);
        let text = String::from_utf8_lossy(&sealed).into_owned();
        case("s/a.json", b"", "Empty");
        case("s/a.json", br#"{"a": "b"}"#, "Plain");
        case("s/a.json", br#"{"sops": {"a": "b"}}"#, "Plain");
        case("s/a.json", b"<<<<<<< a\n{}\n", "Plain");
        case("s/a.json", b"\xff", "Plain");
        case("s/a.json", &sealed, "Sealed");
        case(
            "s/a.json",
            text.replace("lastmodified", "lost").as_bytes(),
            "Broken(Metadata",
        );
        case("s/a.json", format!("<<<<<<< a\n{text}").as_bytes(), "Broken(Document");
        case("s/key", b"any \xff bytes", "Plain");
        case("doc.md", format!("as in sops: {text}").as_bytes(), "Plain");
        case("s/.env", b"A=b\n", "Plain");
        let torn = b"A=ENC[AES256_GCM,data:a]\nsops_mac=ENC[AES256_GCM,data:a]\n";
        case("s/.env", torn, "Broken(Metadata");
        case("s/.env", &scene.seal("s/.env", b"A=b\n"), "Sealed");
        let torn = b"a = ENC[AES256_GCM,data:a]\n[sops]\n";
        case("s/a.ini", torn, "Broken(Metadata");
        case("s/a.ini", &scene.seal("s/a.ini", b"a = b\n"), "Sealed");
    }
}
