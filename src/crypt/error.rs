//! What can go wrong with keys and sealed values.
//!
//! No variant holds a secret: not a plaintext, not a key, not even the text of a line that was meant to be a key.

use std::fmt;

/// The part of an envelope that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The ciphertext.
    Data,
    /// The nonce.
    Iv,
    /// The authentication tag.
    Tag,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data => "data",
            Self::Iv => "iv",
            Self::Tag => "tag",
        })
    }
}

/// What can be wrong with an age plugin. Completes the sentence that begins with its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PluginFault {
    /// There is no such program.
    #[error("is not on PATH")]
    Missing,
    /// Programs are not run here.
    #[error("is needed, and plugins are not run here")]
    NotRun,
    /// The system did not start it.
    #[error("can't be started: {0}")]
    NotStarted(std::io::ErrorKind),
    /// It ended before it was done.
    #[error("ended before it was done")]
    Died,
    /// It said something that is not the protocol.
    #[error("does not speak age's plugin protocol: {0}")]
    Garbled(&'static str),
    /// It said nothing for too long.
    #[error("did not answer for {0} seconds")]
    Silent(u64),
    /// It needs a person, where none is asked.
    #[error("asks for an answer, which only a command that a person runs can give")]
    NobodyAsked,
    /// It needs a person, and there is no terminal.
    #[error("asks for an answer, and there is no terminal to give it")]
    NoTerminal,
    /// It reported an error in its own words, made fit to be shown.
    #[error("says: {0}")]
    Refused(String),
}

/// A refusal of this floor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system gave no random bytes.
    #[error("no random bytes from the operating system")]
    NoRandomness,
    /// A data key that isn't 32 bytes long.
    #[error("the data key is {found} bytes long instead of 32")]
    DataKeyLength {
        /// Its length in bytes.
        found: usize,
    },
    /// A part of an envelope that isn't standard, padded base64.
    #[error("the {part} of the sealed value is not valid base64")]
    NotBase64 {
        /// Which part.
        part: Part,
    },
    /// A nonce of a length that no SOPS release has written.
    #[error("the nonce is {found} bytes long instead of 32")]
    NonceLength {
        /// Its length in bytes.
        found: usize,
    },
    /// A tag that isn't 16 bytes long.
    #[error("the authentication tag is {found} bytes long instead of 16")]
    TagLength {
        /// Its length in bytes.
        found: usize,
    },
    /// A type word that SOPS doesn't know.
    #[error("unknown value type `{word}`")]
    UnknownKind {
        /// The word, cut to a few characters.
        word: String,
    },
    /// The value was changed, moved to another key, or belongs to another data key.
    #[error("the sealed value does not match its key path and data key")]
    ValueNotAuthentic,
    /// A value above the size that AES-GCM can seal (64 GiB).
    #[error("the value is too long to be sealed")]
    ValueTooLong,
    /// A recipient of no known type.
    #[error("unknown recipient type `{start}`")]
    UnknownRecipient {
        /// Its first characters; the whole could be a secret in the wrong place.
        start: String,
    },
    /// A secret key where a public one belongs.
    #[error("a secret key stands where a recipient belongs")]
    SecretKeyAsRecipient,
    /// A recipient of a known type that is malformed or unsafe.
    #[error("recipient `{recipient}` is not usable: {reason}")]
    InvalidRecipient {
        /// Its short form.
        recipient: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An age plugin did not do what was asked of it.
    #[error("age-plugin-{plugin} {fault}")]
    Plugin {
        /// The plugin's name.
        plugin: String,
        /// What was wrong.
        fault: PluginFault,
    },
    /// A line that begins like no identity.
    #[error("unknown identity type in line {line}")]
    UnknownIdentity {
        /// Line or, in a list of words, word; counted from 1.
        line: usize,
    },
    /// An identity of a known type that is malformed.
    #[error("malformed identity in line {line}")]
    InvalidIdentity {
        /// Line or, in a list of words, word; counted from 1.
        line: usize,
    },
    /// An identity file or SSH key behind a passphrase, where nobody is asked for it.
    #[error("the identity is protected by a passphrase, which only a command that opens a file for you asks for")]
    ProtectedIdentity,
    /// An identity behind a passphrase, and nowhere to ask for it.
    #[error("the identity is protected by a passphrase, and there is no terminal to ask for it")]
    NoTerminal,
    /// None of the passphrases given was the right one.
    #[error("the passphrase was wrong {tries} times")]
    WrongPassphrase {
        /// How often it was asked for.
        tries: u8,
    },
    /// Nobody answered a question: it was cancelled.
    #[error("the question was not answered")]
    Unanswered,
    /// A protected identity that no passphrase would open.
    #[error("the protected identity can't be opened: {reason}")]
    UnusableProtection {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A place of identities that could not be read.
    #[error("{reason}")]
    Unreadable {
        /// What went wrong; nothing of its content.
        reason: String,
    },
    /// An SSH private key of a type that age can't use.
    #[error("ssh key type `{key_type}` is not supported")]
    UnsupportedIdentity {
        /// The type as the key file names it.
        key_type: String,
    },
    /// The age file around a data key can't be read.
    #[error("malformed wrapped key: {reason}")]
    MalformedWrappedKey {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The age file around a data key was addressed to us but is damaged.
    #[error("the wrapped key is damaged")]
    WrappedKeyNotAuthentic,
    /// The data key couldn't be wrapped.
    #[error("wrapping for {recipient} failed")]
    NotWrapped {
        /// The recipient's short form.
        recipient: String,
    },
    /// Threshold and number of parts outside 2 ≤ threshold ≤ parts ≤ 255.
    #[error("no secret can be split into {parts} parts with threshold {threshold}")]
    ShareNumbers {
        /// Parts needed to recover the secret.
        threshold: usize,
        /// Parts made.
        parts: usize,
    },
    /// An empty secret can't be split.
    #[error("an empty secret cannot be split")]
    EmptySecret,
    /// Fewer shares than any split needs.
    #[error("only {found} of at least 2 key shares are at hand")]
    TooFewShares {
        /// Shares given.
        found: usize,
    },
    /// Shares of different lengths, or too short to be shares.
    #[error("the key shares differ in length or are too short")]
    ShareLength,
    /// Two shares with the same number, or one with the number 0.
    #[error("key share number {number} occurs twice or is not allowed")]
    ShareNumber {
        /// The share's last byte.
        number: u8,
    },
}

/// An error of ours that went through the age library.
pub(super) fn carried(error: &std::io::Error) -> Option<Error> {
    error.get_ref()?.downcast_ref::<Error>().cloned()
}
