//! What plugins and protected keys need of the world outside: a program started, a person asked.
//!
//! This floor reads no environment and speaks to nobody, so the program hands such a host in when it begins. Without one, plugins
//! are not run and nobody is asked. It is one for the whole process, as PATH and terminal are, and so need not go through
//! everything that seals.

use std::io::{Read, Write};
use std::sync::OnceLock;

use age::secrecy::SecretString;

use super::error::{Error, PluginFault};

/// What a plugin is started for, by the name that the protocol has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// Wrapping.
    Recipient,
    /// Unwrapping.
    Identity,
}

impl Machine {
    /// The protocol's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Recipient => "recipient-v1",
            Self::Identity => "identity-v1",
        }
    }
}

/// Something that a person is asked. Texts of plugins are fit to be shown.
#[derive(Clone, Copy, Debug)]
pub enum Question<'q> {
    /// The passphrase of an identity.
    Passphrase {
        /// The source of the identity: a variable or a path.
        source: &'q str,
        /// Whether the last answer was wrong.
        again: bool,
    },
    /// A plugin's question whose answer may be seen.
    Plain {
        /// The plugin's name.
        plugin: &'q str,
        /// The question.
        text: &'q str,
    },
    /// A plugin's question whose answer is secret.
    Secret {
        /// The plugin's name.
        plugin: &'q str,
        /// The question.
        text: &'q str,
    },
    /// A plugin's choice; the answer is `yes` or `no`.
    Choice {
        /// The plugin's name.
        plugin: &'q str,
        /// The question.
        text: &'q str,
        /// The word for yes.
        yes: &'q str,
        /// The word for no; without one there is no choice but yes.
        no: Option<&'q str>,
    },
}

/// A running plugin. Dropping it ends the program.
pub trait Conversation: Read + Write + Send {
    /// Lets the program end by itself: it has said that it is done.
    fn finish(self: Box<Self>);
}

/// The world outside. Shared between threads.
pub trait Host: Send + Sync {
    /// Starts the program `age-plugin-NAME`. Reads give [`std::io::ErrorKind::TimedOut`] when it is silent for too long.
    ///
    /// # Errors
    /// [`PluginFault::Missing`] or [`PluginFault::NotStarted`].
    fn start(&self, plugin: &str, machine: Machine) -> Result<Box<dyn Conversation>, PluginFault>;

    /// How many seconds of silence end a conversation.
    fn patience(&self) -> u64;

    /// Asks a person.
    ///
    /// # Errors
    /// [`Error::ProtectedIdentity`] where nobody is asked, [`Error::NoTerminal`], [`Error::Unanswered`].
    fn ask(&self, question: Question<'_>) -> Result<SecretString, Error>;

    /// Shows a person what a plugin says.
    fn tell(&self, plugin: &str, text: &str);
}

static HOST: OnceLock<Box<dyn Host>> = OnceLock::new();

/// Hands the host in; the first one stays.
pub fn attend(host: Box<dyn Host>) {
    HOST.set(host).ok();
}

/// The host that was handed in.
pub(super) fn host() -> &'static dyn Host {
    HOST.get().map_or(&Nobody, |host| &**host)
}

/// The host of a process without one.
struct Nobody;

impl Host for Nobody {
    fn start(&self, _: &str, _: Machine) -> Result<Box<dyn Conversation>, PluginFault> {
        Err(PluginFault::NotRun)
    }

    fn patience(&self) -> u64 {
        0
    }

    fn ask(&self, _: Question<'_>) -> Result<SecretString, Error> {
        Err(Error::ProtectedIdentity)
    }

    fn tell(&self, _: &str, _: &str) {}
}
