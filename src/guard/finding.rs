//! A finding: what one check says about one place. It is redacted when it is made, so no renderer can give a secret away.

use crate::crypt::Mac;
use crate::git::Oid;
use crate::text::Position;

/// Hexadecimal digits of a fingerprint: 128 bits, so that nobody makes two findings meet on purpose.
const FINGERPRINT: usize = 32;

/// What a finding means for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is told.
    Warning,
    /// It blocks.
    Error,
}

/// Where something was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The path relative to the top, private keys in it masked.
    pub path: Vec<u8>,
    /// Line and column, where there is one place in the file.
    pub position: Option<Position>,
    /// The commit that brings it in, where commits are looked at.
    pub commit: Option<Oid>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check's id.
    pub check: &'static str,
    /// The check's name.
    pub name: &'static str,
    /// Whether it blocks.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// One clause that stands alone.
    pub message: String,
    /// What stands there, masked.
    pub excerpt: Option<String>,
    /// What to do: commands to type, and where there is none, what to do by hand.
    pub help: Vec<String>,
    /// 32 hexadecimal digits that stay when lines move or a value changes; nothing secret goes into them.
    pub fingerprint: String,
}

/// What a check has to say; becomes a finding.
#[derive(Debug, Default)]
pub struct Remark {
    pub(super) message: String,
    pub(super) position: Option<Position>,
    pub(super) excerpt: Option<String>,
    pub(super) help: Vec<String>,
    pub(super) mark: String,
    pub(super) mild: bool,
}

impl Remark {
    /// A remark on the whole subject: one clause in lower case.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// The same at a place of the file.
    #[must_use]
    pub fn at(self, position: impl Into<Option<Position>>) -> Self {
        Self {
            position: position.into(),
            ..self
        }
    }

    /// With what stands there, masked by the caller.
    #[must_use]
    pub fn showing(self, excerpt: impl Into<String>) -> Self {
        Self {
            excerpt: Some(excerpt.into()),
            ..self
        }
    }

    /// With the way out.
    #[must_use]
    pub fn help<T: Into<String>>(self, help: impl IntoIterator<Item = T>) -> Self {
        Self {
            help: help.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// With what tells it from the check's other findings in the same file, and is no secret: a key path, a public key.
    #[must_use]
    pub fn marked(self, mark: impl Into<String>) -> Self {
        Self {
            mark: mark.into(),
            ..self
        }
    }

    /// As a warning, whatever the check's own severity.
    #[must_use]
    pub fn mild(self) -> Self {
        Self { mild: true, ..self }
    }
}

/// A digest over parts with their lengths, so that no two lists of parts meet. SHA-512 has its home in `crypt`.
pub(super) fn fingerprint(parts: &[&[u8]]) -> String {
    let mut digest = Mac::new();
    for part in parts {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest
        .finish()
        .get(..FINGERPRINT)
        .unwrap_or_default()
        .to_ascii_lowercase()
}
