//! Clean, smudge and textconv: what Git's drivers do with one file, as functions on bytes.
//!
//! Clean is a function of the content and the repository's state, and it never lets plaintext out. Smudge never fails.

pub mod clean;
mod digest;
pub mod error;
pub mod merge;
pub mod smudge;

pub use clean::{Cleaned, Note};
pub use error::Error;
pub use smudge::{Smudged, Unopened};

use crate::crypt::Keyring;
use crate::git::{Memory, Repo};
use crate::policy::Policy;
use crate::vault::Vault;

/// What a filter works with: the repository, its policy as it stands, the keys at hand, and what the clone remembers.
pub struct Filter<'f> {
    /// The repository; absent where a file is opened outside of any.
    pub repo: Option<&'f Repo>,
    /// The policy of the work tree, or why there is none that can be used.
    pub policy: Result<Option<&'f Policy>, String>,
    /// The identities at hand.
    pub keyring: &'f Keyring,
    /// What the clone remembers.
    pub memory: &'f Memory,
    /// The present time: RFC 3339, UTC, whole seconds.
    pub now: &'f dyn Fn() -> String,
}

impl Filter<'_> {
    fn vault(&self) -> Vault<'_> {
        Vault::new(self.policy.as_ref().ok().copied().flatten(), self.keyring)
    }
}
