//! The data key, or a share of it, as an armored age file for one recipient (§6.2).
//!
//! The recipient beside it is a note for people: opening goes by the age file alone.

use std::io::Read as _;
use std::iter;

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor};
use zeroize::Zeroizing;

use super::error::{self, Error};
use super::identity::{Identity, Need};
use super::recipient::Recipient;

const ARMOR_START: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const ARMOR_END: &str = "-----END AGE ENCRYPTED FILE-----";
/// The length of a line of base64.
const COLUMNS: usize = 64;

/// One entry of a file's list of age recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// The recipient as given when the key was wrapped; nothing vouches for it.
    pub recipient: String,
    /// The armored age file.
    pub enc: String,
}

impl WrappedKey {
    /// Wraps `secret` for `recipient`.
    ///
    /// # Errors
    /// As [`Recipient::wrap`].
    pub fn new(secret: &[u8], recipient: &Recipient) -> Result<Self, Error> {
        Ok(Self {
            recipient: recipient.text().to_owned(),
            enc: recipient.wrap(secret)?,
        })
    }

    /// The secret, or `None` if `identity` isn't the one it was wrapped for.
    ///
    /// # Errors
    /// [`Error::MalformedWrappedKey`], [`Error::WrappedKeyNotAuthentic`], or [`Error::Plugin`].
    pub fn unwrap(&self, identity: &Identity) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        unwrap_with(&self.enc, iter::once(identity))
    }
}

/// The secret in the armored age file `enc`, opened by the first of `identities` that fits one of its stanzas.
///
/// # Errors
/// [`Error::MalformedWrappedKey`] or [`Error::WrappedKeyNotAuthentic`]; [`Error::Plugin`]. That none fits is no error.
pub(super) fn unwrap_with<'a>(
    enc: &str,
    identities: impl Iterator<Item = &'a Identity>,
) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    unwrap_any(enc, identities.map(|identity| identity as &dyn age::Identity))
}

/// As [`unwrap_with`] with those of `identities` whose keys are at hand: the one that `hint` names first, then age's own kinds.
pub(super) fn unwrap_in_order<'i>(
    enc: &str,
    hint: &str,
    identities: impl Iterator<Item = &'i Identity>,
) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let at_hand = |identity: &&Identity| identity.need() == Need::Nothing;
    let mut identities: Vec<&Identity> = identities.filter(at_hand).collect();
    identities.sort_by_cached_key(|identity| (!identity.is_named(hint), !identity.is_native()));
    unwrap_with(enc, identities.into_iter())
}

/// As [`unwrap_with`] for anything that can look at stanzas.
pub(super) fn unwrap_by(enc: &str, identity: &dyn age::Identity) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    unwrap_any(enc, iter::once(identity))
}

fn unwrap_any<'a>(
    enc: &str,
    identities: impl Iterator<Item = &'a dyn age::Identity>,
) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let enc = without_blank_lines(enc);
    if !enc.starts_with(ARMOR_START) {
        return Err(Error::MalformedWrappedKey { reason: "no age armor" });
    }
    if !is_strict(enc) {
        return Err(Error::MalformedWrappedKey {
            reason: "broken armor, or cut short",
        });
    }
    let enc = enc.trim_end();
    let decryptor =
        Decryptor::new_buffered(ArmoredReader::new(enc.as_bytes())).map_err(|error| header_error(&error))?;
    let mut payload = match decryptor.decrypt(identities) {
        Ok(payload) => payload,
        Err(DecryptError::NoMatchingKeys) => return Ok(None),
        Err(error) => return Err(header_error(&error)),
    };
    let mut secret = Zeroizing::new(Vec::with_capacity(64));
    payload
        .read_to_end(&mut secret)
        .map_err(|_| Error::WrappedKeyNotAuthentic)?;
    Ok(Some(secret))
}

/// The text from its first line that is more than white space.
fn without_blank_lines(mut text: &str) -> &str {
    while let Some((line, rest)) = text.split_once('\n')
        && line.trim().is_empty()
    {
        text = rest;
    }
    text
}

/// Whether the lines of an armor are as Go's reader wants them: no blanks, full but for the last, and nothing but white space behind
/// the end. The library's reader lets some of that pass.
fn is_strict(armor: &str) -> bool {
    let mut lines = armor.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let mut full = lines.next() == Some(ARMOR_START);
    for line in lines.by_ref() {
        if line == ARMOR_END {
            return lines.all(|line| line.trim().is_empty());
        }
        if !full || !(1..=COLUMNS).contains(&line.len()) || line.contains([' ', '\t']) {
            return false;
        }
        full = line.len() == COLUMNS;
    }
    false
}

/// The library's own sentences are translated and say too little, so only the kind is taken over.
fn header_error(error: &DecryptError) -> Error {
    if let DecryptError::Io(error) = error
        && let Some(ours) = error::carried(error)
    {
        return ours;
    }
    match error {
        DecryptError::DecryptionFailed | DecryptError::InvalidMac => Error::WrappedKeyNotAuthentic,
        DecryptError::UnknownFormat => Error::MalformedWrappedKey {
            reason: "broken age header, or an unknown version of age",
        },
        DecryptError::Io(_) => Error::MalformedWrappedKey {
            reason: "broken armor, or cut short",
        },
        _ => Error::MalformedWrappedKey {
            reason: "broken age header",
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn vectors() -> serde_json::Value {
        serde_json::from_str(include_str!("../../tests/vectors/unit-vectors.json")).unwrap()
    }

    fn open(enc: &str, identity: &Identity) -> Result<Option<Vec<u8>>, Error> {
        Ok(unwrap_with(enc, iter::once(identity))?.map(|secret| secret.to_vec()))
    }

    fn vector(name: &str) -> String {
        vectors()["age"][name].as_str().unwrap().to_owned()
    }

    #[test]
    fn damage_is_told_from_the_wrong_identity() {
        let identity = Identity::parse(&vector("identity")).unwrap();
        let enc = vector("enc");
        let malformed = |reason| Err(Error::MalformedWrappedKey { reason });
        // The last line of base64 but one holds the payload; the first letters of the text, header and stanza.
        let payload = enc.lines().rev().nth(1).unwrap();
        let swapped = if payload.starts_with('A') { 'B' } else { 'A' };
        let damaged = enc.replace(payload, &format!("{swapped}{}", &payload[1..]));
        let cases = [
            (String::new(), malformed("no age armor")),
            ("AGE".into(), malformed("no age armor")),
            ("age-encryption.org/v1\n-> X25519 x\n".into(), malformed("no age armor")),
            (enc[..200].to_owned(), malformed("broken armor, or cut short")),
            (format!(" {enc}"), malformed("no age armor")),
            (format!("{enc}x"), malformed("broken armor, or cut short")),
            (
                enc.replacen("-----\n", "-----\n\n", 1),
                malformed("broken armor, or cut short"),
            ),
            (
                enc.replacen("-----\n", "----- \n", 1),
                malformed("broken armor, or cut short"),
            ),
            (format!("{}\t", enc.trim_end()), malformed("broken armor, or cut short")),
            (
                enc.replace("\n-----END", "\t\n-----END"),
                malformed("broken armor, or cut short"),
            ),
            (enc.replacen("YWdl", "YWdm", 1), malformed("broken age header")),
            (damaged, Err(Error::WrappedKeyNotAuthentic)),
        ];
        for (text, answer) in cases {
            assert_eq!(open(&text, &identity), answer, "{text}");
        }
        let other = Identity::parse(&vector("other_identity")).unwrap();
        assert_eq!(open(&enc, &other), Ok(None));
    }

    #[test]
    fn vectors_open() {
        for (identity, enc, plaintext) in [
            ("identity", "enc", "enc_plaintext"),
            ("ssh_identity", "ssh_enc", "ssh_enc_plaintext"),
        ] {
            let identity = Identity::parse_identities(&vector(identity)).unwrap().remove(0);
            let (enc, plaintext) = (vector(enc), vector(plaintext).into_bytes());
            for text in [
                enc.clone(),
                enc.trim_end().to_owned(),
                format!("\n  \n{enc}\n\n"),
                enc.replace('\n', "\r\n"),
            ] {
                assert_eq!(open(&text, &identity).unwrap().unwrap(), plaintext, "{text}");
            }
        }
    }

    #[test]
    fn armor_has_the_shape_that_sops_writes() {
        let identity = Identity::generate();
        for length in [0, 32, 33, 200] {
            let wrapped = WrappedKey::new(&vec![7; length], identity.public().unwrap()).unwrap();
            let lines: Vec<&str> = wrapped.enc.split('\n').collect();
            let (body, frame) = (
                &lines[1..lines.len() - 2],
                [lines[0], lines[lines.len() - 2], lines[lines.len() - 1]],
            );
            assert_eq!(frame, [ARMOR_START, "-----END AGE ENCRYPTED FILE-----", ""]);
            let (last, full) = body.split_last().unwrap();
            assert!(
                full.iter().all(|line| line.len() == 64) && (1..=64).contains(&last.len()),
                "{body:?}"
            );
            assert_eq!(wrapped.recipient, identity.public().unwrap().text());
            assert_eq!(*wrapped.unwrap(&identity).unwrap().unwrap(), vec![7; length]);
        }
    }
}
