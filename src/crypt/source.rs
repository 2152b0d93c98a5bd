//! Where identities come from, and how far one goes for them.

use std::collections::HashSet;
use std::sync::Mutex;

use super::error::Error;
use super::identity::Identity;

/// One place that identities come from.
#[derive(Debug)]
pub struct Source {
    /// What a message calls it: a variable or a path.
    pub name: String,
    /// What it held, or why it couldn't be read.
    pub identities: Result<Vec<Identity>, Error>,
}

/// The identities for an entry of this recipient, as a command gives them.
pub type Ask = dyn Fn(&str) -> Result<Vec<Identity>, Error> + Send + Sync;

/// A command that gives identities. Its answer may depend on the recipient, so it is asked once for each.
pub struct KeyCommand {
    pub(super) name: String,
    pub(super) run: Box<Ask>,
    pub(super) asked: Mutex<HashSet<String>>,
}

impl KeyCommand {
    /// A command that a message calls `name`.
    pub fn new(name: impl Into<String>, run: Box<Ask>) -> Self {
        Self {
            name: name.into(),
            run,
            asked: Mutex::default(),
        }
    }
}

/// How far a keyring goes to open something; each step takes more than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Keys that were read already.
    AtHand,
    /// Commands that print keys.
    Commands,
    /// Plugins, one process for each try.
    Plugins,
    /// Identities behind a passphrase.
    Passphrases,
}

impl Reach {
    pub(super) const ALL: [Self; 4] = [Self::AtHand, Self::Commands, Self::Plugins, Self::Passphrases];
}

/// A source, or an identity in it, that is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The source's name.
    pub source: String,
    /// What is wrong.
    pub error: Error,
}
