//! All identities at hand, from named sources, and the answers they gave.
//!
//! Sources add up, none hides another. One that could not be read is kept with its error, to be named when nothing
//! opens. Answers are kept by the wrapped text, the negative ones too, so a file met twice costs one hash.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::error::Error;
use super::identity::Identity;
use super::recipient::Recipient;
use super::wrapped_key;

/// One place that identities come from.
#[derive(Debug)]
pub struct Source {
    /// What a message calls it: a variable or a path.
    pub name: String,
    /// What it held, or why it couldn't be read.
    pub identities: Result<Vec<Identity>, Error>,
}

/// A source, or an identity in it, that is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint<'a> {
    /// The source's name.
    pub source: &'a str,
    /// What is wrong.
    pub error: Error,
}

type Answer = Option<Zeroizing<Vec<u8>>>;

/// The identities of all sources. Shared between threads.
pub struct Keyring {
    sources: Vec<Source>,
    /// By SHA-256 of the wrapped text.
    answers: Mutex<HashMap<[u8; 32], Answer>>,
}

impl Keyring {
    /// A keyring over `sources`, tried in this order.
    pub fn new(sources: Vec<Source>) -> Self {
        Self {
            sources,
            answers: Mutex::default(),
        }
    }

    /// Whether there is no usable identity at all.
    pub fn is_empty(&self) -> bool {
        self.identities().all(|identity| identity.complaint().is_some())
    }

    /// The sources' names in order, the unreadable and empty ones too.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|source| source.name.as_str())
    }

    /// What is wrong with which source.
    pub fn complaints(&self) -> Vec<Complaint<'_>> {
        let complain = |source: &'_ Source| match &source.identities {
            Err(error) => vec![error.clone()],
            Ok(identities) => identities.iter().filter_map(Identity::complaint).collect(),
        };
        let each = self
            .sources
            .iter()
            .map(|source| (source.name.as_str(), complain(source)));
        each.flat_map(|(source, errors)| errors.into_iter().map(move |error| Complaint { source, error }))
            .collect()
    }

    /// The public keys of the identities, as far as they can be known.
    pub fn public_recipients(&self) -> impl Iterator<Item = &Recipient> {
        self.identities().filter_map(Identity::public)
    }

    /// The secret that the armored age file `enc` holds, or `None` if no identity opens it.
    ///
    /// `hint` is the recipient noted beside it: the identity it names is tried first, since every wrong try costs as
    /// much as the right one. Then age's own kinds come before SSH keys.
    ///
    /// # Errors
    /// [`Error::MalformedWrappedKey`] or [`Error::WrappedKeyNotAuthentic`].
    pub fn unwrap(&self, enc: &str, hint: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let key: [u8; 32] = Sha256::digest(enc.as_bytes()).into();
        if let Some(answer) = self.lock().get(&key) {
            return Ok(answer.clone());
        }
        let named = |identity: &Identity| identity.public().is_some_and(|public| public.is_named_by(hint));
        let mut identities: Vec<&Identity> = self.identities().collect();
        identities.sort_by_cached_key(|identity| (!named(identity), !identity.is_native()));
        // Unlocked, so that threads with other files don't wait; two with the same file come to the same answer.
        let answer = wrapped_key::unwrap_with(enc, identities.into_iter())?;
        self.lock().insert(key, answer.clone());
        Ok(answer)
    }

    fn identities(&self) -> impl Iterator<Item = &Identity> {
        self.sources
            .iter()
            .filter_map(|source| source.identities.as_ref().ok())
            .flatten()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Answer>> {
        // The map is whole after every step, so a panic of another thread spoils nothing.
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("sources", &self.sources)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::crypt::wrapped_key::WrappedKey;

    fn source(name: &str, identities: Result<Vec<Identity>, Error>) -> Source {
        Source {
            name: name.into(),
            identities,
        }
    }

    fn plugin() -> Identity {
        Identity::parse("AGE-PLUGIN-YUBIKEY-1QQPSYQCYQ5RQWZQFPG9SC").unwrap()
    }

    fn wrapped_for(identity: &Identity) -> WrappedKey {
        WrappedKey::new(b"secret", identity.public().unwrap()).unwrap()
    }

    #[test]
    fn what_is_missing_or_broken_is_named() {
        let keyring = Keyring::new(vec![
            source("A", Err(Error::ProtectedIdentity)),
            source("B", Ok(Vec::new())),
            source("C", Ok(vec![plugin()])),
        ]);
        assert!(keyring.is_empty() && Keyring::new(Vec::new()).is_empty());
        assert_eq!(keyring.names().collect::<Vec<_>>(), ["A", "B", "C"]);
        assert_eq!(
            keyring.complaints(),
            [
                Complaint {
                    source: "A",
                    error: Error::ProtectedIdentity
                },
                Complaint {
                    source: "C",
                    error: Error::PluginIdentity {
                        plugin: "yubikey".into()
                    }
                },
            ]
        );
        assert_eq!(keyring.public_recipients().count(), 0);
        let wrapped = wrapped_for(&Identity::generate());
        assert_eq!(keyring.unwrap(&wrapped.enc, &wrapped.recipient), Ok(None));
    }

    #[test]
    fn errors_are_answers_for_one_text_only() {
        let identity = Identity::generate();
        let wrapped = wrapped_for(&identity);
        let keyring = Keyring::new(vec![source("A", Ok(vec![identity]))]);
        for _ in 0..2 {
            assert!(matches!(
                keyring.unwrap("x", ""),
                Err(Error::MalformedWrappedKey { .. })
            ));
        }
        assert_eq!(**keyring.unwrap(&wrapped.enc, "").unwrap().unwrap(), *b"secret");
    }

    #[test]
    fn any_source_opens_whatever_the_hint() {
        let identities: Vec<Identity> = (0..3).map(|_| Identity::generate()).collect();
        let wrapped: Vec<WrappedKey> = identities.iter().map(wrapped_for).collect();
        let sources = identities.into_iter().map(|one| source("S", Ok(vec![plugin(), one])));
        let keyring = Keyring::new(sources.chain([source("bad", Err(Error::ProtectedIdentity))]).collect());
        assert!(!keyring.is_empty());
        assert_eq!(keyring.public_recipients().count(), 3);
        for one in &wrapped {
            for hint in [one.recipient.as_str(), wrapped[0].recipient.as_str(), "garbage", ""] {
                assert_eq!(**keyring.unwrap(&one.enc, hint).unwrap().unwrap(), *b"secret");
            }
        }
        let stranger = wrapped_for(&Identity::generate());
        assert_eq!(keyring.unwrap(&stranger.enc, &wrapped[1].recipient), Ok(None));
    }

    #[test]
    fn answers_are_kept() {
        let identity = Identity::generate();
        let wrapped = [wrapped_for(&identity), wrapped_for(&Identity::generate())];
        let keyring = Keyring::new(vec![source("A", Ok(vec![identity]))]);
        let first = wrapped.each_ref().map(|one| keyring.unwrap(&one.enc, "").unwrap());
        // Without identities only what was kept can answer, so both kept answers show.
        let emptied = Keyring {
            sources: Vec::new(),
            answers: keyring.answers,
        };
        assert_eq!(
            wrapped.each_ref().map(|one| emptied.unwrap(&one.enc, "").unwrap()),
            first
        );
        assert!(first[0].is_some() && first[1].is_none());
        assert_eq!(emptied.lock().len(), 2);
    }

    #[test]
    fn threads_share_it() {
        let identity = Identity::generate();
        let wrapped = wrapped_for(&identity);
        let keyring = Keyring::new(vec![source("A", Ok(vec![identity]))]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert!(keyring.unwrap(&wrapped.enc, "").unwrap().is_some()));
            }
        });
    }

    #[test]
    fn debug_shows_no_secret() {
        let identity = Identity::generate();
        let shown = format!("{:?}", Keyring::new(vec![source("A", Ok(vec![identity]))]));
        assert!(
            shown.contains("age1") && !shown.to_uppercase().contains("SECRET-KEY"),
            "{shown}"
        );
    }
}
