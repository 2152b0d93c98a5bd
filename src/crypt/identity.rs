//! Who can open a file: secret keys, one by one or as the text of an identity file (§7).
//!
//! Nothing here is shown by `Debug` but the public side.

use std::{fmt, io};

use age::secrecy::{ExposeSecret as _, SecretString};
use age_core::format::{FileKey, Stanza};

use super::error::Error;
use super::host;
use super::hybrid::SecretKey;
use super::plugin;
use super::protected::{self, Lock, Protected};
use super::recipient::{Recipient, plugin_name};

/// A secret key that may open wrapped data keys, or a way to one.
pub struct Identity {
    pub(super) text: SecretString,
    pub(super) public: Option<Recipient>,
    pub(super) key: Key,
}

pub(super) enum Key {
    X25519(Box<age::x25519::Identity>),
    Hybrid(Box<SecretKey>),
    Ssh(Box<age::ssh::Identity>),
    Plugin(plugin::Key<SecretString>),
    Protected(Box<Protected>),
}

/// What an identity needs before it opens anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: the key itself is at hand.
    Nothing,
    /// The program `age-plugin-NAME`, and what that asks for.
    Plugin(String),
    /// A passphrase.
    Passphrase,
}

impl Identity {
    /// A new X25519 identity.
    pub fn generate() -> Self {
        let key = age::x25519::Identity::generate();
        Self {
            text: key.to_string(),
            public: public_of(&key.to_public()),
            key: Key::X25519(Box::new(key)),
        }
    }

    /// A new identity that withstands quantum computers.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn generate_hybrid() -> Result<Self, Error> {
        let key = SecretKey::generate().ok_or(Error::NoRandomness)?;
        Ok(Self {
            text: key.text(),
            public: public_of(&key.public()),
            key: Key::Hybrid(Box::new(key)),
        })
    }

    /// The identity in one line of an identity file. Case and blanks count.
    ///
    /// # Errors
    /// [`Error::UnknownIdentity`] or [`Error::InvalidIdentity`], both for line 1.
    pub fn parse(line: &str) -> Result<Self, Error> {
        Self::parse_at(line, 1)
    }

    fn parse_at(word: &str, line: usize) -> Result<Self, Error> {
        let invalid = || Error::InvalidIdentity { line };
        let (public, key) = if word.starts_with("AGE-PLUGIN-") {
            (None, Key::Plugin(plugin_key(word).ok_or_else(invalid)?))
        } else if word.starts_with("AGE-SECRET-KEY-PQ-1") {
            let key = SecretKey::parse(word).ok_or_else(invalid)?;
            (public_of(&key.public()), Key::Hybrid(Box::new(key)))
        } else if word.starts_with("AGE-SECRET-KEY-1") {
            let key: age::x25519::Identity = word.parse().map_err(|_| invalid())?;
            (public_of(&key.to_public()), Key::X25519(Box::new(key)))
        } else {
            return Err(Error::UnknownIdentity { line });
        };
        Ok(Self {
            text: word.into(),
            public,
            key,
        })
    }

    pub(super) fn protected(text: &str, public: Option<Recipient>, lock: Lock) -> Self {
        Self {
            text: text.into(),
            public,
            key: Key::Protected(Box::new(Protected::new(lock))),
        }
    }

    /// This identity with the public side that lies beside it, where it does not tell its own.
    #[must_use]
    pub fn known_as(mut self, public: Recipient) -> Self {
        self.public.get_or_insert(public);
        self
    }

    /// The identities in the content of an identity file: as [`Identity::parse_identities`], and an age file in its binary form.
    ///
    /// # Errors
    /// As [`Identity::parse_identities`]; [`Error::UnknownIdentity`] for what is no text.
    pub fn parse_file(content: &[u8]) -> Result<Vec<Self>, Error> {
        if protected::is_age_file(content) {
            return Ok(vec![Self {
                text: String::from_utf8_lossy(content).into_owned().into(),
                public: None,
                key: Key::Protected(Box::new(Protected::file(content)?)),
            }]);
        }
        let text = std::str::from_utf8(content).map_err(|_| Error::UnknownIdentity { line: 1 })?;
        if text.trim_start().starts_with("-----BEGIN ") {
            return Ok(vec![Self::parse_ssh(text)?]);
        }
        Self::parse_plain(text)
    }

    /// The identities in the text of an identity file: one per line, `#` at the very start of a line comments it out.
    /// The text of an SSH private key is taken for one identity, and so is a file behind a passphrase.
    ///
    /// # Errors
    /// [`Error::UnusableProtection`] for a file that is protected in another way; otherwise as [`Identity::parse`] with the line, or
    /// as [`Identity::parse_ssh`]. One bad line spoils the whole text, so that no identity goes missing unnoticed.
    pub fn parse_identities(text: &str) -> Result<Vec<Self>, Error> {
        Self::parse_file(text.as_bytes())
    }

    /// The identities in a text that is nothing but lines of them.
    pub(super) fn parse_plain(text: &str) -> Result<Vec<Self>, Error> {
        // `lines` takes a CR before the line's end away too, but not from a last line without an end.
        let lines = text
            .lines()
            .map(|line| line.strip_suffix('\r').unwrap_or(line))
            .zip(1..);
        let identities = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
        identities.map(|(line, number)| Self::parse_at(line, number)).collect()
    }

    /// The identities in the value of a variable: like a file's text, but with several in a line, set apart by blanks.
    ///
    /// # Errors
    /// As [`Identity::parse_identities`].
    pub fn parse_words(text: &str) -> Result<Vec<Self>, Error> {
        if protected::is_age_file(text.as_bytes()) || text.trim_start().starts_with("-----BEGIN ") {
            return Self::parse_file(text.as_bytes());
        }
        let lines = text.lines().zip(1..).filter(|(line, _)| !line.starts_with('#'));
        let words = lines.flat_map(|(line, number)| line.split_whitespace().map(move |word| (word, number)));
        words.map(|(word, number)| Self::parse_at(word, number)).collect()
    }

    /// The secret key as text: the line it was parsed from, or the file.
    pub fn secret_text(&self) -> SecretString {
        self.text.clone()
    }

    /// The public side; `None` if only a plugin or the owner of a passphrase knows it.
    pub fn public(&self) -> Option<&Recipient> {
        self.public.as_ref()
    }

    /// What it takes to use this identity.
    pub fn need(&self) -> Need {
        match &self.key {
            Key::Plugin(key) => Need::Plugin(key.name.clone()),
            Key::Protected(_) => Need::Passphrase,
            _ => Need::Nothing,
        }
    }

    /// Whether this is one of age's own kinds, which are tried before SSH keys.
    pub(super) fn is_native(&self) -> bool {
        matches!(self.key, Key::X25519(_) | Key::Hybrid(_))
    }

    /// Whether `text`, a file's word for a recipient, means this identity's public side.
    pub(super) fn is_named(&self, text: &str) -> bool {
        self.public().is_some_and(|public| public.is_named_by(text))
    }

    /// Whether both are the same secret.
    pub(super) fn same_secret(&self, other: &Self) -> bool {
        self.text.expose_secret() == other.text.expose_secret()
    }
}

/// A protected identity opens nothing by itself: the keyring asks for the passphrase and takes what comes out.
impl age::Identity for Identity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        match &self.key {
            Key::X25519(key) => key.unwrap_stanza(stanza),
            Key::Hybrid(key) => key.unwrap_stanza(stanza),
            Key::Ssh(key) => key.unwrap_stanza(stanza),
            Key::Plugin(_) | Key::Protected(_) => None,
        }
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, age::DecryptError>> {
        let Key::Plugin(key) = &self.key else {
            return stanzas.iter().find_map(|stanza| self.unwrap_stanza(stanza));
        };
        let answer = key.unwrap(host::host(), stanzas).transpose()?;
        // The library has no room for errors of ours but this.
        Some(answer.map_err(|error| age::DecryptError::Io(io::Error::other(error))))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.public, &self.key) {
            (Some(public), _) => write!(f, "Identity(of {public})"),
            (None, Key::Plugin(key)) => write!(f, "Identity(of plugin {})", key.name),
            (None, _) => f.write_str("Identity([redacted])"),
        }
    }
}

/// Our form of a public key that the age library worked out.
pub(super) fn public_of(key: &impl fmt::Display) -> Option<Recipient> {
    Recipient::parse(&key.to_string()).ok()
}

/// The name and text of a plugin's identity; `None` if it is malformed.
fn plugin_key(text: &str) -> Option<plugin::Key<SecretString>> {
    let name = plugin::name_in(text)?;
    let name = name.strip_prefix("age-plugin-")?.strip_suffix('-')?;
    Some(plugin::Key {
        name: plugin_name(name)?,
        text: text.into(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use age::secrecy::ExposeSecret as _;

    use super::*;
    use crate::crypt::wrapped_key::WrappedKey;

    const ALICE: &str = "AGE-SECRET-KEY-1SLS2HY0S23JUXVMXN55K4GPW9KZCE5J7HWCZFM6Y6WLAN3G546ASG98MRZ";
    const ALICE_PUBLIC: &str = "age1q07uqh3w20ju2rk6c0aet99d7d84gkvk5pgwekllp7v9mwe5wupq0gzf5f";
    const BOB: &str = "AGE-SECRET-KEY-12ZXVK7P2F5X7APX5GF8HA2U6NTCW9LPGHUSS4YYRZHSU6P40NMCQ6DJ0FZ";
    const PLUGIN: &str = "AGE-PLUGIN-YUBIKEY-1QYPQXPQ9QCRSSJ2LRPC";

    fn vectors() -> serde_json::Value {
        serde_json::from_str(include_str!("../../tests/vectors/unit-vectors.json")).unwrap()
    }

    fn keys() -> serde_json::Value {
        serde_json::from_str(include_str!("../../tests/vectors/keys.json")).unwrap()
    }

    fn publics(identities: &[Identity]) -> Vec<Option<&str>> {
        identities
            .iter()
            .map(|identity| identity.public().map(Recipient::text))
            .collect()
    }

    #[test]
    fn texts_that_are_refused() {
        let lower = ALICE.to_lowercase();
        let (unknown, invalid) = (
            |line| Error::UnknownIdentity { line },
            |line| Error::InvalidIdentity { line },
        );
        let unusable = |reason| Error::UnusableProtection { reason };
        let cases = [
            ("hunter2".to_owned(), unknown(1)),
            (lower, unknown(1)),
            (ALICE_PUBLIC.to_owned(), unknown(1)),
            (format!("{ALICE}\n {BOB}"), unknown(2)),
            (format!("# c\n\n{ALICE} "), invalid(3)),
            (format!("{ALICE}\r\n #c\r\n"), unknown(2)),
            (format!("{ALICE} {BOB}"), invalid(1)),
            (ALICE.replace("SLS2", "SLS3"), invalid(1)),
            ("AGE-SECRET-KEY-1".to_owned(), invalid(1)),
            ("AGE-SECRET-KEY-PQ-1QQQQ".to_owned(), invalid(1)),
            ("AGE-PLUGIN-".to_owned(), invalid(1)),
            ("AGE-PLUGIN-../X-1QQQQ".to_owned(), invalid(1)),
            ("age-encryption.org/v1\n-> scrypt".to_owned(), unusable("it is damaged")),
            (
                vectors()["age"]["enc"].as_str().unwrap().into(),
                unusable("it is sealed for a key, not with a passphrase"),
            ),
            ("AGE-PLUGIN-YUBIKEY-1QYPQXPQ9QCRSSJ2LRPD".to_owned(), invalid(1)),
            ("AGE-PLUGIN-1QQPSYQCYQ5RQWZQFPG9SC".to_owned(), invalid(1)),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\n????\n".to_owned(), invalid(1)),
        ];
        for (text, error) in cases {
            assert_eq!(Identity::parse_identities(&text).unwrap_err(), error, "{text}");
        }
        let words = [
            (format!("{ALICE} # work"), unknown(1)),
            (format!("{ALICE}\n{BOB} x"), unknown(2)),
            (
                "-----BEGIN AGE ENCRYPTED FILE-----".to_owned(),
                unusable("it is damaged"),
            ),
        ];
        for (text, error) in words {
            assert_eq!(Identity::parse_words(&text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn lines_and_words() {
        let none: Vec<Option<&str>> = Vec::new();
        let (alice, bob) = (
            Some(ALICE_PUBLIC),
            Some("age1ltcjpmerv8cz2lw20y9fgdll9a88y3qq70ul9quhmhhzag7e43csavyjvf"),
        );
        let lines = [
            (String::new(), none.clone()),
            ("# nothing\n\n#\n".into(), none.clone()),
            (ALICE.into(), vec![alice]),
            (format!("# c\r\n\r\n{ALICE}\r\n{BOB}\r"), vec![alice, bob]),
            (format!("{PLUGIN}\n{BOB}\n"), vec![None, bob]),
        ];
        for (text, expected) in lines {
            assert_eq!(publics(&Identity::parse_identities(&text).unwrap()), expected, "{text}");
        }
        let words = [
            (" \n\n".to_owned(), none),
            (format!("  {ALICE}\t{BOB} \n# c\n{ALICE}\r\n"), vec![alice, bob, alice]),
        ];
        for (text, expected) in words {
            assert_eq!(publics(&Identity::parse_words(&text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn public_sides_of_the_vectors() {
        let vectors = &vectors()["age"];
        for (secret, public) in [
            ("identity", "recipient"),
            ("other_identity", "other_recipient"),
            ("post_quantum_identity", "post_quantum_recipient"),
            ("ssh_identity", "ssh_recipient"),
        ] {
            let [identity] = &Identity::parse_identities(vectors[secret].as_str().unwrap()).unwrap()[..] else {
                panic!("{secret} is one identity");
            };
            let recipient = Recipient::parse(vectors[public].as_str().unwrap()).unwrap();
            assert!(identity.public().unwrap().same_key(&recipient), "{secret}");
            let wrapped = WrappedKey::new(b"share", &recipient).unwrap();
            assert_eq!(**wrapped.unwrap(identity).unwrap().unwrap(), *b"share", "{secret}");
        }
    }

    #[test]
    fn a_generated_identity_reads_back() {
        let identity = Identity::generate();
        let secret = identity.secret_text();
        assert!(secret.expose_secret().starts_with("AGE-SECRET-KEY-1"));
        let again = Identity::parse(secret.expose_secret()).unwrap();
        assert!(again.public().unwrap().same_key(identity.public().unwrap()));
        assert!(
            !identity
                .public()
                .unwrap()
                .same_key(Identity::generate().public().unwrap())
        );
    }

    #[test]
    fn what_identities_need() {
        let vectors = &vectors()["age"];
        let protected = vectors["passphrase_protected_identity_file"].as_str().unwrap();
        let needs = |text: &str| {
            let identities = Identity::parse_words(text).unwrap();
            identities.iter().map(Identity::need).collect::<Vec<_>>()
        };
        assert_eq!(needs(ALICE), [Need::Nothing]);
        assert_eq!(
            needs(&format!("{PLUGIN} {ALICE}")),
            [Need::Plugin("yubikey".into()), Need::Nothing]
        );
        assert_eq!(needs(protected), [Need::Passphrase]);
        for name in ["rsa_pem_protected", "ed25519_protected"] {
            assert_eq!(needs(keys()[name].as_str().unwrap()), [Need::Passphrase], "{name}");
        }
    }

    #[test]
    fn without_a_host_no_plugin_is_run() {
        let identity = Identity::parse(PLUGIN).unwrap();
        let wrapped = WrappedKey::new(b"x", &Recipient::parse(ALICE_PUBLIC).unwrap()).unwrap();
        let refused = Error::Plugin {
            plugin: "yubikey".into(),
            fault: crate::crypt::PluginFault::NotRun,
        };
        assert_eq!(wrapped.unwrap(&identity).unwrap_err(), refused);
    }

    #[test]
    fn a_generated_hybrid_identity_reads_back() {
        let identity = Identity::generate_hybrid().unwrap();
        let secret = identity.secret_text();
        assert!(secret.expose_secret().starts_with("AGE-SECRET-KEY-PQ-1"));
        let again = Identity::parse(secret.expose_secret()).unwrap();
        assert!(again.public().unwrap().same_key(identity.public().unwrap()));
        assert!(identity.public().unwrap().is_post_quantum());
        let wrapped = WrappedKey::new(b"x", identity.public().unwrap()).unwrap();
        assert_eq!(**wrapped.unwrap(&again).unwrap().unwrap(), *b"x");
    }

    #[test]
    fn debug_shows_the_public_side_only() {
        assert_eq!(
            format!("{:?}", Identity::parse(ALICE).unwrap()),
            "Identity(of age1q07u…zf5f)"
        );
        assert_eq!(
            format!("{:?}", Identity::parse(PLUGIN).unwrap()),
            "Identity(of plugin yubikey)"
        );
    }
}
