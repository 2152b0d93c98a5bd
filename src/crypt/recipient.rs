//! Who may open a file: a public key, as it is written in the rules and in the file (§6.2).
//!
//! The text is kept as given, an SSH key's comment included, since SOPS stores and compares it that way.

use std::collections::HashSet;
use std::io::Write as _;
use std::{fmt, io, iter};

use age::Encryptor;
use age::armor::{ArmoredWriter, Format};
use age_core::format::{FileKey, Stanza};
use data_encoding::BASE64;

use super::error::{self, Error};
use super::host;
use super::hybrid::PublicKey;
use super::plugin;

/// Characters of an unrecognised recipient that an error repeats.
const SHOWN_START: usize = 8;
/// Characters of the short form at the end of a key.
const SHOWN_END: usize = 4;

/// A public key that data keys can be wrapped for.
#[derive(Clone)]
pub struct Recipient {
    /// Trimmed, otherwise as given.
    text: String,
    /// The key alone in its one spelling.
    canonical: String,
    key: Key,
}

#[derive(Clone)]
enum Key {
    X25519(age::x25519::Recipient),
    Hybrid(Box<PublicKey>),
    Ssh(Box<age::ssh::Recipient>),
    Plugin(plugin::Key<String>),
}

impl Recipient {
    /// The recipient that `text` names; blanks around it don't count.
    ///
    /// # Errors
    /// [`Error::UnknownRecipient`], [`Error::InvalidRecipient`], and [`Error::SecretKeyAsRecipient`] for the worst of
    /// all mix-ups.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let invalid = |reason| Error::InvalidRecipient {
            recipient: short(text),
            reason,
        };
        if is_secret(text) {
            Err(Error::SecretKeyAsRecipient)
        } else if text.starts_with("age1pq1") {
            let key = PublicKey::parse(text).ok_or_else(|| invalid("not a hybrid public key"))?;
            Ok(Self::new(text, text.to_owned(), Key::Hybrid(Box::new(key))))
        } else if let Some(rest) = text.strip_prefix("age1") {
            // The separator of Bech32 is its last `1`, so a second one means a longer prefix: a plugin's name.
            if let Some((name, _)) = rest.rsplit_once('1') {
                let name = plugin_name(name).ok_or_else(|| invalid("not a plugin name"))?;
                plugin::name_in(text).ok_or_else(|| invalid("its checksum is wrong"))?;
                let key = plugin::Key {
                    name,
                    text: text.to_owned(),
                };
                return Ok(Self::new(text, text.to_owned(), Key::Plugin(key)));
            }
            let key = text.parse().map_err(invalid)?;
            Ok(Self::new(text, text.to_owned(), Key::X25519(key)))
        } else if text.starts_with("ssh-") {
            let canonical = canonical_ssh(text).ok_or_else(|| invalid("not an ssh public key"))?;
            let key = canonical.parse().map_err(|error| invalid(ssh_reason(&error)))?;
            Ok(Self::new(text, canonical, Key::Ssh(Box::new(key))))
        } else {
            Err(Error::UnknownRecipient {
                start: text.chars().take(SHOWN_START).collect(),
            })
        }
    }

    /// The recipients of a comma list; blanks around them and empty pieces don't count (§8.3).
    ///
    /// # Errors
    /// As [`Recipient::parse`], for the first piece that isn't one.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, Error> {
        text.split(',')
            .map(str::trim)
            .filter(|piece| !piece.is_empty())
            .map(Self::parse)
            .collect()
    }

    fn new(text: &str, canonical: String, key: Key) -> Self {
        Self {
            text: text.to_owned(),
            canonical,
            key,
        }
    }

    /// The text as given, without the blanks around it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The comment after an SSH key: by custom, whose it is.
    pub fn comment(&self) -> Option<&str> {
        let Key::Ssh(_) = self.key else { return None };
        let after_type = self.text.split_once(char::is_whitespace)?.1.trim_start();
        let comment = after_type.split_once(char::is_whitespace)?.1.trim();
        (!comment.is_empty()).then_some(comment)
    }

    /// Whether both are the same key, whatever their comments.
    pub fn same_key(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }

    /// Whether `text`, a file's word for a recipient, means this key. Cheaper than parsing it.
    pub(super) fn is_named_by(&self, text: &str) -> bool {
        let text = text.trim();
        text == self.text || text == self.canonical || text.starts_with(&format!("{} ", self.canonical))
    }

    /// The plugin that wraps for this recipient.
    pub fn plugin(&self) -> Option<&str> {
        match &self.key {
            Key::Plugin(key) => Some(&key.name),
            _ => None,
        }
    }

    /// Whether the key withstands quantum computers.
    pub fn is_post_quantum(&self) -> bool {
        matches!(self.key, Key::Hybrid(_))
    }

    /// `secret` as an armored age file that only this recipient can open; ends with a newline.
    ///
    /// # Errors
    /// [`Error::Plugin`] for what a plugin can't do; [`Error::InvalidRecipient`] for a public key that would give the secret away;
    /// [`Error::NotWrapped`].
    pub fn wrap(&self, secret: &[u8]) -> Result<String, Error> {
        if let Key::X25519(_) = self.key
            && is_low_order(&self.text)
        {
            return Err(Error::InvalidRecipient {
                recipient: self.to_string(),
                reason: "a point of low order",
            });
        }
        let encryptor = Encryptor::with_recipients(iter::once(self as &dyn age::Recipient));
        let encryptor = encryptor.map_err(|error| match &error {
            age::EncryptError::Io(error) => error::carried(error).unwrap_or_else(|| self.not_wrapped()),
            _ => self.not_wrapped(),
        })?;
        armored(encryptor, secret).ok_or_else(|| self.not_wrapped())
    }

    fn not_wrapped(&self) -> Error {
        Error::NotWrapped {
            recipient: self.to_string(),
        }
    }
}

impl age::Recipient for Recipient {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        match &self.key {
            Key::X25519(key) => key.wrap_file_key(file_key),
            Key::Hybrid(key) => key.wrap_file_key(file_key),
            Key::Ssh(key) => key.wrap_file_key(file_key),
            Key::Plugin(key) => match key.wrap(host::host(), file_key) {
                Ok(stanzas) => Ok((stanzas, HashSet::new())),
                // The library has no room for errors of ours but this.
                Err(error) => Err(age::EncryptError::Io(io::Error::other(error))),
            },
        }
    }
}

fn armored(encryptor: Encryptor, secret: &[u8]) -> Option<String> {
    let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).ok()?;
    let mut payload = encryptor.wrap_output(armor).ok()?;
    payload.write_all(secret).ok()?;
    let text = String::from_utf8(payload.finish().ok()?.finish().ok()?).ok()?;
    // The library ends lines as the platform does; a sealed file must be the same everywhere.
    Some(text.replace("\r\n", "\n"))
}

/// The short form, for messages: enough to tell keys apart, and the comment of an SSH key.
impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&short(&self.canonical))?;
        match self.comment() {
            Some(comment) => write!(f, " ({})", comment.replace(char::is_control, "")),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({self})")
    }
}

/// Start and end of a public key. SSH keys all start alike, so theirs is the type.
fn short(text: &str) -> String {
    let mut words = text.split_whitespace();
    let (start, key) = match (words.next(), words.next()) {
        (Some(kind), Some(key)) => (format!("{kind} "), key),
        _ => (text.chars().take(SHOWN_START).collect(), text),
    };
    let mut end: Vec<char> = key.chars().rev().take(SHOWN_END).collect();
    end.reverse();
    let shown = start + "…" + &String::from_iter(end);
    if shown.chars().count() < text.chars().count() {
        shown
    } else {
        text.to_owned()
    }
}

fn is_secret(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    ["AGE-SECRET-KEY", "AGE-PLUGIN-", "-----BEGIN"]
        .iter()
        .any(|start| upper.starts_with(start))
}

/// The name a plugin's program is called by. Some characters would reach into other folders.
pub(super) fn plugin_name(name: &str) -> Option<String> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.' | '_');
    (!name.is_empty() && name.chars().all(allowed)).then(|| name.to_owned())
}

/// Multiplying by such a point gives zero whatever the secret: the key would be known to everyone.
fn is_low_order(text: &str) -> bool {
    let decoded = age_core::primitives::bech32_decode(
        text,
        |_| (),
        |_| Ok(()),
        |_, bytes| <[u8; 32]>::try_from(bytes.collect::<Vec<u8>>()).map_err(|_| ()),
    );
    let any_secret = x25519_dalek::StaticSecret::from([1; 32]);
    decoded.is_ok_and(|point| !any_secret.diffie_hellman(&point.into()).was_contributory())
}

/// Type and key of an SSH public key in their one spelling; `None` if the key's parts don't fit its type.
fn canonical_ssh(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let (kind, encoded) = (words.next()?, words.next()?);
    let blob = BASE64.decode(encoded.as_bytes()).ok()?;
    let fields = ssh_fields(&blob)?;
    let numbers = fields.split_first().filter(|(name, _)| **name == kind.as_bytes())?.1;
    // The age library panics on a number that is zero but not empty; no key has one.
    let sound = numbers.iter().all(|number| number.iter().any(|byte| *byte != 0));
    sound.then(|| format!("{kind} {}", BASE64.encode(&blob)))
}

/// The length-prefixed fields that make up an SSH key.
fn ssh_fields(mut blob: &[u8]) -> Option<Vec<&[u8]>> {
    let mut fields = Vec::new();
    while !blob.is_empty() {
        let (length, rest) = blob.split_first_chunk::<4>()?;
        let (field, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        fields.push(field);
        blob = rest;
    }
    Some(fields)
}

fn ssh_reason(error: &age::ssh::ParseRecipientKeyError) -> &'static str {
    use age::ssh::ParseRecipientKeyError as E;
    match error {
        E::RsaModulusTooLarge => "the RSA modulus is above 4096 bits",
        E::RsaModulusTooSmall => "the RSA modulus is below 2048 bits",
        E::Ignore | E::Unsupported(_) => "an ssh key of another type than ed25519 and rsa",
        _ => "not an ssh-ed25519 or ssh-rsa key",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    const ALICE: &str = "age1q07uqh3w20ju2rk6c0aet99d7d84gkvk5pgwekllp7v9mwe5wupq0gzf5f";
    const SSH: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHr1sifuac4Z9v3xJAMYPXY/aPimCNjDvvZdWgFNprrZ";

    fn ssh(kind: &str, fields: &[&[u8]]) -> String {
        let mut blob = Vec::new();
        for field in [&[kind.as_bytes()], fields].concat() {
            blob.extend(u32::try_from(field.len()).unwrap().to_be_bytes());
            blob.extend(field);
        }
        format!("{kind} {}", BASE64.encode(&blob))
    }

    #[test]
    fn refusals() {
        let unknown = |start: &str| Error::UnknownRecipient { start: start.into() };
        let cases = [
            ("", unknown("")),
            ("someone@example.com", unknown("someone@")),
            (&ALICE.to_uppercase(), unknown("AGE1Q07U")),
            ("AGE-SECRET-KEY-1SLS2HY0S23JUXVMXN55K", Error::SecretKeyAsRecipient),
            ("age-secret-key-1sls2hy0s23juxvmxn55k", Error::SecretKeyAsRecipient),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", Error::SecretKeyAsRecipient),
        ];
        for (text, error) in cases {
            assert_eq!(Recipient::parse(text).unwrap_err(), error, "{text}");
        }
        let malformed = [
            ALICE[..61].to_owned(),
            ALICE.replace("q07u", "q07v"),
            "age1".into(),
            "age1pq1qqqq".into(),
            "age1../x1qqqq".into(),
            "age1yubikey1qypqxl3v7vq".into(),
            "age1yubikey1".into(),
            "ssh-ed25519".into(),
            "ssh-ed25519 AAAA".into(),
            "ssh-ed25519 !!!!".into(),
            SSH.replace("ssh-ed25519", "ssh-rsa"),
            SSH[..70].to_owned(),
            ssh("ssh-ed25519", &[&[7; 31]]),
            ssh("ssh-ed25519", &[]),
            ssh("ssh-rsa", &[&[0, 0], &[0; 256]]),
            ssh("ssh-rsa", &[&[1, 0, 1], &[0; 3]]),
            ssh("ssh-rsa", &[&[1, 0, 1], &[]]),
            ssh("ssh-rsa", &[&[1, 0, 1], &[0x7f; 128]]),
            ssh("ssh-rsa", &[&[1, 0, 1], &[0x7f; 2048]]),
            ssh("ssh-dss", &[&[7; 9]]),
        ];
        for text in malformed {
            let error = Recipient::parse(&text).unwrap_err();
            assert!(matches!(error, Error::InvalidRecipient { .. }), "{text}: {error:?}");
        }
    }

    #[test]
    fn recipients_that_cannot_be_wrapped_for() {
        let plugin = Recipient::parse("age1yubikey1qypqxl3v7vr").unwrap();
        assert_eq!(
            plugin.wrap(b"x"),
            Err(Error::Plugin {
                plugin: "yubikey".into(),
                fault: crate::crypt::PluginFault::NotRun,
            })
        );
        let zero = bech32::Hrp::parse("age").unwrap();
        let zero = Recipient::parse(&age_core::primitives::bech32_encode(zero, &[0; 32])).unwrap();
        assert!(
            matches!(zero.wrap(b"x"), Err(Error::InvalidRecipient { .. })),
            "{zero:?}"
        );
    }

    #[test]
    fn texts_and_short_forms() {
        let commented = format!("{SSH}  alice at\u{1b} work ");
        let cases = [
            (ALICE, ALICE, None, "age1q07u…zf5f"),
            (
                "  age1yubikey1qypqxl3v7vr\n",
                "age1yubikey1qypqxl3v7vr",
                None,
                "age1yubi…v7vr",
            ),
            (SSH, SSH, None, "ssh-ed25519 …prrZ"),
            (
                &commented,
                commented.trim(),
                Some("alice at\u{1b} work"),
                "ssh-ed25519 …prrZ (alice at work)",
            ),
        ];
        for (given, text, comment, shown) in cases {
            let recipient = Recipient::parse(given).unwrap();
            assert_eq!((recipient.text(), recipient.comment()), (text, comment));
            assert_eq!(recipient.to_string(), shown);
        }
    }

    #[test]
    fn same_key_without_comments() {
        let [alice, plain, commented] =
            [ALICE, SSH, &format!("{SSH} work")].map(|text| Recipient::parse(text).unwrap());
        assert!(plain.same_key(&commented) && alice.same_key(&alice));
        assert!(!plain.same_key(&alice));
        assert!(plain.is_named_by(commented.text()) && commented.is_named_by(&format!("{SSH} home\n")));
        assert!(!alice.is_named_by(SSH) && !plain.is_named_by(""));
    }

    #[test]
    fn comma_lists() {
        let texts = |list: &str| -> Vec<String> {
            Recipient::parse_list(list)
                .unwrap()
                .iter()
                .map(|one| one.text().to_owned())
                .collect()
        };
        assert!(texts("").is_empty() && texts(" , ,\n").is_empty());
        assert_eq!(
            texts(&format!("{ALICE},\n  {SSH} me,,")),
            [ALICE.to_owned(), format!("{SSH} me")]
        );
        assert!(Recipient::parse_list(&format!("{ALICE}, bob")).is_err());
    }
}
