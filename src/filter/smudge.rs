//! Smudge: a stored file as the work tree shows it. What can't be opened is handed on as it is; nothing is ever refused.

use super::Filter;
use super::digest::{digest, padded};
use crate::document::Format;
use crate::git::{Oid, memory::Kind};
use crate::sops::{Error, Sealed};

/// What became of a stored file.
pub enum Smudged {
    /// It was sealed and is open.
    Opened(Vec<u8>),
    /// It is handed on as it is.
    Unchanged(Vec<u8>, Option<Unopened>),
}

/// Why a sealed file stays sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unopened {
    /// No identity at hand opens it.
    NoIdentity,
    /// It is damaged, or was changed after it was sealed.
    Damaged,
}

impl Smudged {
    /// The bytes for the work tree.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Opened(bytes) | Self::Unchanged(bytes, _) => bytes,
        }
    }
}

/// Whether bytes may be a sealed file: a look that costs little and misses none.
pub(super) fn may_be_sealed(content: &[u8]) -> bool {
    let has = |needle: &[u8]| content.windows(needle.len()).any(|window| window == needle);
    // The MAC alone is an envelope, and the block has the name in any format; it stands at the end.
    let tail = &content[content.len().saturating_sub(64 << 10)..];
    let near = |needle: &[u8]| tail.windows(needle.len()).any(|window| window == needle);
    (near(b"sops") || has(b"sops")) && (near(b"ENC[") || has(b"ENC["))
}

impl Filter<'_> {
    /// Opens a stored file for the work tree. `blob` is its name where Git tells it.
    #[must_use]
    pub fn smudge(&self, path: &[u8], content: Vec<u8>, blob: Option<Oid>) -> Smudged {
        if !may_be_sealed(&content) {
            return Smudged::Unchanged(content, None);
        }
        let format = Format::of_path(path);
        let opened = Sealed::parse(format, &content)
            .and_then(|sealed| self.vault().open_content(format, sealed))
            .map(|mut content| std::mem::take(&mut *content));
        match opened {
            Ok(plain) => {
                let name = blob.or_else(|| self.repo.and_then(|repo| repo.hash_blob(&content).ok()));
                if let Some(name) = name {
                    self.remember(format, &name, &plain);
                }
                Smudged::Opened(plain)
            }
            Err(Error::NotSealed) => Smudged::Unchanged(content, None),
            Err(Error::NoIdentity) => Smudged::Unchanged(content, Some(Unopened::NoIdentity)),
            Err(_) => Smudged::Unchanged(content, Some(Unopened::Damaged)),
        }
    }

    /// Remembers which content a sealed blob holds when it is opened as this format.
    pub fn remember(&self, format: Format, blob: &Oid, plain: &[u8]) {
        let content = digest(self.memory, "content", &[format.name().as_bytes(), plain]);
        self.memory.put(Kind::Opened, padded(blob), content);
        self.memory.put(Kind::Blob, content, padded(blob));
    }
}
