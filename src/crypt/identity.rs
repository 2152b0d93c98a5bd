//! Who can open a file: secret keys, one by one or as the text of an identity file (§7).
//!
//! Nothing here is shown by `Debug` but the public side.

use std::fmt;

use age::secrecy::SecretString;
use age_core::format::{FileKey, Stanza};
use zeroize::Zeroizing;

use super::error::Error;
use super::hybrid::SecretKey;
use super::recipient::{Recipient, plugin_name};

/// A secret key that may open wrapped data keys.
pub struct Identity {
    text: SecretString,
    public: Option<Recipient>,
    key: Key,
}

enum Key {
    X25519(Box<age::x25519::Identity>),
    Hybrid(Box<SecretKey>),
    Ssh(Box<age::ssh::Identity>),
    Plugin(String),
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

    /// The identity in one line of an identity file. Case and blanks count.
    ///
    /// An identity for a plugin is recognised, and fails when it is used.
    ///
    /// # Errors
    /// [`Error::UnknownIdentity`] or [`Error::InvalidIdentity`], both for line 1.
    pub fn parse(line: &str) -> Result<Self, Error> {
        Self::parse_at(line, 1)
    }

    fn parse_at(word: &str, line: usize) -> Result<Self, Error> {
        let invalid = || Error::InvalidIdentity { line };
        let (public, key) = if let Some(rest) = word.strip_prefix("AGE-PLUGIN-") {
            let name = rest
                .rsplit_once('1')
                .and_then(|(name, _)| plugin_name(name.trim_end_matches('-')));
            (None, Key::Plugin(name.ok_or_else(invalid)?.to_ascii_lowercase()))
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

    /// The identity in an SSH private key file: OpenSSH's own form, or PEM for RSA.
    ///
    /// # Errors
    /// [`Error::ProtectedIdentity`] behind a passphrase, [`Error::UnsupportedIdentity`] for other key types,
    /// [`Error::InvalidIdentity`] for anything malformed.
    pub fn parse_ssh(text: &str) -> Result<Self, Error> {
        use age::ssh::{Identity as Ssh, UnsupportedKey as Unsupported};
        let text = Zeroizing::new(text.trim().replace("\r\n", "\n") + "\n");
        if text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
            return Err(Error::ProtectedIdentity);
        }
        match Ssh::from_buffer(text.as_bytes(), None).map_err(|_| Error::InvalidIdentity { line: 1 })? {
            Ssh::Encrypted(_) | Ssh::Unsupported(Unsupported::EncryptedPem | Unsupported::EncryptedSsh(_)) => {
                Err(Error::ProtectedIdentity)
            }
            Ssh::Unsupported(Unsupported::Hardware(key_type) | Unsupported::Type(key_type)) => {
                Err(Error::UnsupportedIdentity { key_type })
            }
            key @ Ssh::Unencrypted(_) => {
                let public = age::ssh::Recipient::try_from(key.clone()).ok();
                let public = public.and_then(|public| public_of(&public));
                Ok(Self {
                    text: text.as_str().into(),
                    public,
                    key: Key::Ssh(Box::new(key)),
                })
            }
        }
    }

    /// The identities in the text of an identity file: one per line, `#` at the very start of a line comments it out.
    /// The text of an SSH private key is taken for one identity.
    ///
    /// # Errors
    /// [`Error::ProtectedIdentity`] for a file behind a passphrase; otherwise as [`Identity::parse`] with the line, or
    /// as [`Identity::parse_ssh`]. One bad line spoils the whole text, so that no identity goes missing unnoticed.
    pub fn parse_identities(text: &str) -> Result<Vec<Self>, Error> {
        refuse_protected(text)?;
        if text.trim_start().starts_with("-----BEGIN ") {
            return Ok(vec![Self::parse_ssh(text)?]);
        }
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
        refuse_protected(text)?;
        if text.trim_start().starts_with("-----BEGIN ") {
            return Ok(vec![Self::parse_ssh(text)?]);
        }
        let lines = text.lines().zip(1..).filter(|(line, _)| !line.starts_with('#'));
        let words = lines.flat_map(|(line, number)| line.split_whitespace().map(move |word| (word, number)));
        words.map(|(word, number)| Self::parse_at(word, number)).collect()
    }

    /// The secret key as text: the line it was parsed from, or the SSH key file.
    pub fn secret_text(&self) -> SecretString {
        self.text.clone()
    }

    /// The public side; `None` if only a plugin knows it.
    pub fn public(&self) -> Option<&Recipient> {
        self.public.as_ref()
    }

    /// The error of using this identity, if there is no way to use it.
    pub fn complaint(&self) -> Option<Error> {
        match &self.key {
            Key::Plugin(plugin) => Some(Error::PluginIdentity { plugin: plugin.clone() }),
            _ => None,
        }
    }

    /// Whether this is one of age's own kinds, which are tried before SSH keys.
    pub(super) fn is_native(&self) -> bool {
        matches!(self.key, Key::X25519(_) | Key::Hybrid(_))
    }
}

impl age::Identity for Identity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        match &self.key {
            Key::X25519(key) => key.unwrap_stanza(stanza),
            Key::Hybrid(key) => key.unwrap_stanza(stanza),
            Key::Ssh(key) => key.unwrap_stanza(stanza),
            Key::Plugin(_) => None,
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.public, &self.key) {
            (Some(public), _) => write!(f, "Identity(of {public})"),
            (None, Key::Plugin(plugin)) => write!(f, "Identity(of plugin {plugin})"),
            (None, _) => f.write_str("Identity([redacted])"),
        }
    }
}

/// Our form of a public key that the age library worked out.
fn public_of(key: &impl fmt::Display) -> Option<Recipient> {
    Recipient::parse(&key.to_string()).ok()
}

/// An identity file behind a passphrase is an age file itself.
fn refuse_protected(text: &str) -> Result<(), Error> {
    let protected = text.starts_with("age-encryption") || text.starts_with("-----BEGIN AGE");
    if protected {
        Err(Error::ProtectedIdentity)
    } else {
        Ok(())
    }
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
    const PLUGIN: &str = "AGE-PLUGIN-YUBIKEY-1QQPSYQCYQ5RQWZQFPG9SC";

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
            ("age-encryption.org/v1\n-> scrypt".to_owned(), Error::ProtectedIdentity),
            (
                vectors()["age"]["passphrase_protected_identity_file"]
                    .as_str()
                    .unwrap()
                    .into(),
                Error::ProtectedIdentity,
            ),
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
                Error::ProtectedIdentity,
            ),
        ];
        for (text, error) in words {
            assert_eq!(Identity::parse_words(&text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn ssh_keys_that_are_refused() {
        let keys = keys();
        let key = |name: &str| keys[name].as_str().unwrap().to_owned();
        let cases = [
            (key("rsa_pem_protected"), Error::ProtectedIdentity),
            (key("ed25519_protected"), Error::ProtectedIdentity),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n".into(),
                Error::ProtectedIdentity,
            ),
            (
                key("ecdsa"),
                Error::UnsupportedIdentity {
                    key_type: "ecdsa-sha2-nistp256".into(),
                },
            ),
            (key("rsa_pem")[..400].to_owned(), Error::InvalidIdentity { line: 1 }),
            (String::new(), Error::InvalidIdentity { line: 1 }),
        ];
        for (text, error) in cases {
            assert_eq!(Identity::parse_ssh(&text).unwrap_err(), error);
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
    fn ssh_rsa_in_both_forms() {
        let keys = keys();
        let recipient = Recipient::parse(keys["rsa_public"].as_str().unwrap()).unwrap();
        let wrapped = WrappedKey::new(b"secret", &recipient).unwrap();
        for form in ["rsa_pem", "rsa_openssh"] {
            let text = keys[form].as_str().unwrap();
            for text in [
                text.to_owned(),
                format!("\n{}", text.replace('\n', "\r\n")),
                text.trim().to_owned(),
            ] {
                let identity = Identity::parse_ssh(&text).unwrap();
                assert!(identity.public().unwrap().same_key(&recipient), "{form}");
                assert_eq!(**wrapped.unwrap(&identity).unwrap().unwrap(), *b"secret", "{form}");
            }
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
    fn plugins_are_recognised_and_not_run() {
        let identity = Identity::parse(PLUGIN).unwrap();
        let refused = Error::PluginIdentity {
            plugin: "yubikey".into(),
        };
        assert_eq!(identity.complaint(), Some(refused.clone()));
        let wrapped = WrappedKey::new(b"x", &Recipient::parse(ALICE_PUBLIC).unwrap()).unwrap();
        assert_eq!(wrapped.unwrap(&identity).unwrap_err(), refused);
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
