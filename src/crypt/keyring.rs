//! All identities at hand, from named sources, and the answers they gave.
//!
//! Sources add up, none hides another. One that could not be read is kept with its error, to be named when nothing
//! opens. Answers are kept by the wrapped text, the negative ones too, so a file met twice costs one hash.
//!
//! What takes a program or a person is asked for in steps ([`Reach`]), each only when nothing of the step before opens a file: keys at
//! hand cost a fraction of a millisecond, a command or plugin a process, a passphrase somebody's time.

use std::fmt;
use std::sync::Mutex;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::error::Error;
use super::host;
use super::identity::{Identity, Key, Need};
use super::kept::{Answer, Gained, Kept, Secret, lock};
use super::protected::{self, Protected};
use super::recipient::Recipient;
use super::source::{Complaint, KeyCommand, Reach, Source};
use super::wrapped_key;

/// The identities of all sources. Shared between threads.
pub struct Keyring {
    sources: Vec<Source>,
    commands: Vec<KeyCommand>,
    furthest: Reach,
    kept: Kept,
    /// Held by whoever asks a program or a person.
    turn: Mutex<()>,
}

impl Keyring {
    /// A keyring over `sources`, tried in this order. It goes as far as passphrases.
    pub fn new(sources: Vec<Source>) -> Self {
        Self {
            sources,
            commands: Vec::new(),
            furthest: Reach::Passphrases,
            kept: Kept::default(),
            turn: Mutex::default(),
        }
    }

    /// This keyring with commands that are run when nothing at hand opens a file.
    #[must_use]
    pub fn with_commands(mut self, commands: Vec<KeyCommand>) -> Self {
        self.commands = commands;
        self
    }

    /// This keyring, going no further than this.
    #[must_use]
    pub fn up_to(mut self, furthest: Reach) -> Self {
        self.furthest = furthest;
        self
    }

    /// Whether there is nothing at all that could open a file.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.identities().next().is_none()
    }

    /// What is wrong with which source, as far as that came out. Each thing once.
    pub fn complaints(&self) -> Vec<Complaint> {
        let unread = self.sources.iter().filter_map(|source| {
            let error = source.identities.as_ref().err()?.clone();
            let source = source.name.clone();
            Some(Complaint { source, error })
        });
        unread.chain(self.kept.complaints()).collect()
    }

    /// The public keys of the identities that need nothing and nobody to open a file.
    pub fn public_recipients(&self) -> impl Iterator<Item = &Recipient> {
        let at_hand = self.identities().filter(|identity| identity.need() == Need::Nothing);
        at_hand.filter_map(Identity::public)
    }

    /// The sources with identities that this keyring does not go as far as to use.
    pub fn withheld(&self) -> Vec<&str> {
        let beyond = |identity: &Identity| Self::step_of(identity) > self.furthest;
        let sources = self.sources.iter().filter(|source| {
            let identities = source.identities.as_deref().unwrap_or_default();
            identities.iter().any(beyond)
        });
        sources.map(|source| source.name.as_str()).collect()
    }

    /// The steps that this keyring goes, the cheapest first.
    pub fn steps(&self) -> impl Iterator<Item = Reach> + use<> {
        let furthest = self.furthest;
        Reach::ALL.into_iter().filter(move |reach| *reach <= furthest)
    }

    /// The secret that the armored age file `enc` holds, or `None` if no identity opens it.
    ///
    /// `hint` is the recipient noted beside it: the identity it names is tried first, since every wrong try costs as
    /// much as the right one. Then age's own kinds come before SSH keys.
    ///
    /// # Errors
    /// [`Error::MalformedWrappedKey`] or [`Error::WrappedKeyNotAuthentic`].
    pub fn unwrap(&self, enc: &str, hint: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        for step in self.steps() {
            if let Some(secret) = self.unwrap_at(step, enc, hint)? {
                return Ok(Some(secret));
            }
        }
        Ok(None)
    }

    /// One step of [`Keyring::unwrap`], for who has several texts and should be content with any: a step is to be gone for all of them
    /// before the next one.
    ///
    /// # Errors
    /// As [`Keyring::unwrap`]. What goes wrong with a command, plugin or passphrase is none: it is kept for
    /// [`Keyring::complaints`].
    pub fn unwrap_at(&self, step: Reach, enc: &str, hint: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let key: [u8; 32] = Sha256::digest(enc.as_bytes()).into();
        let mut gained = self.kept.count();
        let known = self.kept.answer(&key);
        let tried = match known {
            Some(Answer {
                secret: Some(secret), ..
            }) => return Ok(Some(secret)),
            Some(answer) if answer.gained == gained && answer.reach >= step => return Ok(None),
            known => known.is_some_and(|answer| answer.gained == gained),
        };
        // Unlocked, so that threads with other files don't wait; two with the same file come to the same answer.
        let mut secret = if tried { None } else { self.by_keys(enc, hint)? };
        if secret.is_none() && step > Reach::AtHand {
            // One at a time: what the first one gains, the others need not ask for.
            let _turn = lock(&self.turn);
            let before = gained;
            gained = self.kept.count();
            if gained != before {
                secret = self.by_keys(enc, hint)?;
            }
            if secret.is_none() {
                secret = self.by_asking(step, enc, hint)?;
            }
        }
        let answer = Answer {
            secret: secret.clone(),
            reach: step,
            gained,
        };
        self.kept.put(key, answer);
        Ok(secret)
    }

    fn by_asking(&self, step: Reach, enc: &str, hint: &str) -> Result<Option<Secret>, Error> {
        match step {
            Reach::AtHand => Ok(None),
            Reach::Commands => self.by_commands(enc, hint),
            Reach::Plugins => self.by_plugins(enc),
            Reach::Passphrases => self.by_passphrases(enc, hint),
        }
    }

    fn by_keys(&self, enc: &str, hint: &str) -> Result<Option<Secret>, Error> {
        let gained = self.kept.gained();
        let later = gained.iter().flat_map(|gained| &gained.1);
        wrapped_key::unwrap_in_order(enc, hint, self.identities().chain(later))
    }

    fn by_commands(&self, enc: &str, hint: &str) -> Result<Option<Secret>, Error> {
        for command in &self.commands {
            if !lock(&command.asked).insert(hint.to_owned()) {
                continue;
            }
            match (command.run)(hint) {
                Err(error) => self.kept.complain(&command.name, error),
                Ok(identities) => {
                    if let Some(gained) = self.gain(&command.name, identities)
                        && let Some(secret) = wrapped_key::unwrap_in_order(enc, hint, gained.1.iter())?
                    {
                        return Ok(Some(secret));
                    }
                }
            }
        }
        Ok(None)
    }

    fn by_plugins(&self, enc: &str) -> Result<Option<Secret>, Error> {
        let gained = self.kept.gained();
        let is_plugin = |identity: &Identity| matches!(identity.key, Key::Plugin(_));
        for (source, identity) in self.all(&gained).filter(|(_, identity)| is_plugin(identity)) {
            if let Some(secret) = self.by_plugin(source, identity, enc)? {
                return Ok(Some(secret));
            }
        }
        Ok(None)
    }

    fn by_plugin(&self, source: &str, identity: &Identity, enc: &str) -> Result<Option<Secret>, Error> {
        match wrapped_key::unwrap_with(enc, std::iter::once(identity)) {
            Err(error @ (Error::MalformedWrappedKey { .. } | Error::WrappedKeyNotAuthentic)) => Err(error),
            Err(error) => {
                self.kept.complain(source, error);
                Ok(None)
            }
            answer => answer,
        }
    }

    fn by_passphrases(&self, enc: &str, hint: &str) -> Result<Option<Secret>, Error> {
        let gained = self.kept.gained();
        let mut locked: Vec<(&str, &Identity, &Protected)> = Vec::new();
        for (source, identity) in self.all(&gained) {
            if let Key::Protected(protected) = &identity.key
                && !protected.was_asked()
                && (!protected.is_ssh() || protected::may_fit(enc, identity.public()))
            {
                locked.push((source, identity, protected));
            }
        }
        locked.sort_by_key(|(_, identity, _)| !identity.is_named(hint));
        for (source, _, protected) in locked {
            let identities = match protected.open(host::host(), source) {
                Ok(identities) => identities,
                Err(error) => {
                    self.kept.complain(source, error);
                    continue;
                }
            };
            let Some(gained) = self.gain(source, identities) else {
                continue;
            };
            if let Some(secret) = wrapped_key::unwrap_in_order(enc, hint, gained.1.iter())? {
                return Ok(Some(secret));
            }
            for identity in gained
                .1
                .iter()
                .filter(|identity| matches!(identity.key, Key::Plugin(_)))
            {
                if let Some(secret) = self.by_plugin(source, identity, enc)? {
                    return Ok(Some(secret));
                }
            }
        }
        Ok(None)
    }

    /// Takes up what is new of identities that came later; `None` if nothing is.
    fn gain(&self, source: &str, mut identities: Vec<Identity>) -> Option<Gained> {
        let gained = self.kept.gained();
        identities.retain(|identity| !self.all(&gained).any(|(_, known)| known.same_secret(identity)));
        self.kept.gain(source, identities)
    }

    fn step_of(identity: &Identity) -> Reach {
        match &identity.key {
            Key::Plugin(_) => Reach::Plugins,
            Key::Protected(_) => Reach::Passphrases,
            _ => Reach::AtHand,
        }
    }

    /// All identities with the names of their sources.
    fn all<'a>(&'a self, gained: &'a [Gained]) -> impl Iterator<Item = (&'a str, &'a Identity)> {
        let sources = self.sources.iter().flat_map(|source| {
            let identities = source.identities.as_deref().unwrap_or_default();
            identities.iter().map(|identity| (source.name.as_str(), identity))
        });
        let later = gained
            .iter()
            .flat_map(|gained| gained.1.iter().map(|identity| (gained.0.as_str(), identity)));
        sources.chain(later)
    }

    fn identities(&self) -> impl Iterator<Item = &Identity> {
        self.sources
            .iter()
            .filter_map(|source| source.identities.as_ref().ok())
            .flatten()
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

    use std::sync::Arc;

    use super::*;
    use crate::crypt::wrapped_key::WrappedKey;

    fn source(name: &str, identities: Result<Vec<Identity>, Error>) -> Source {
        Source {
            name: name.into(),
            identities,
        }
    }

    fn plugin() -> Identity {
        Identity::parse("AGE-PLUGIN-YUBIKEY-1QYPQXPQ9QCRSSJ2LRPC").unwrap()
    }

    fn wrapped_for(identity: &Identity) -> WrappedKey {
        WrappedKey::new(b"secret", identity.public().unwrap()).unwrap()
    }

    #[test]
    fn what_is_missing_or_broken_is_named() {
        let broken = Error::InvalidIdentity { line: 3 };
        let keyring = Keyring::new(vec![
            source("A", Err(broken.clone())),
            source("B", Ok(Vec::new())),
            source("C", Ok(vec![plugin()])),
        ]);
        assert!(!keyring.is_empty() && Keyring::new(Vec::new()).is_empty());
        let complaint = |source: &str, error: &Error| Complaint {
            source: source.into(),
            error: error.clone(),
        };
        assert_eq!(keyring.complaints(), [complaint("A", &broken)]);
        assert_eq!(keyring.public_recipients().count(), 0);
        let wrapped = wrapped_for(&Identity::generate());
        for _ in 0..2 {
            assert_eq!(keyring.unwrap(&wrapped.enc, &wrapped.recipient), Ok(None));
        }
        let not_run = Error::Plugin {
            plugin: "yubikey".into(),
            fault: crate::crypt::PluginFault::NotRun,
        };
        assert_eq!(
            keyring.complaints(),
            [complaint("A", &broken), complaint("C", &not_run)]
        );
    }

    /// A command that gives `identities`, and the recipients that it was asked for.
    fn command(identities: &[&Identity]) -> (KeyCommand, Arc<Mutex<Vec<String>>>) {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let texts: Vec<_> = identities.iter().map(|identity| identity.secret_text()).collect();
        let noted = Arc::clone(&asked);
        let run = move |recipient: &str| {
            lock(&noted).push(recipient.to_owned());
            texts
                .iter()
                .map(|text| Identity::parse(age::secrecy::ExposeSecret::expose_secret(text)))
                .collect()
        };
        (KeyCommand::new("CMD", Box::new(run)), asked)
    }

    #[test]
    fn a_command_is_run_once_for_a_recipient_and_only_in_need() {
        let (native, ours, stranger) = (Identity::generate(), Identity::generate(), Identity::generate());
        let wrapped = [&native, &ours, &stranger].map(wrapped_for);
        let (command, asked) = command(&[&ours]);
        let keyring = Keyring::new(vec![source("A", Ok(vec![native]))]).with_commands(vec![command]);
        let open = |index: usize| {
            let one: &WrappedKey = &wrapped[index];
            keyring.unwrap(&one.enc, &one.recipient).unwrap().is_some()
        };
        assert!(open(0) && lock(&asked).is_empty());
        assert!(!open(2) && open(1) && !open(2) && open(0));
        // What it gave for the stranger's entry opened ours, so it was not asked again.
        assert_eq!(*lock(&asked), [wrapped[2].recipient.as_str()]);
        let other = wrapped_for(&Identity::generate());
        assert_eq!(keyring.unwrap(&other.enc, &other.recipient), Ok(None));
        assert_eq!(lock(&asked).len(), 2);
    }

    #[test]
    fn what_is_gained_answers_what_was_in_vain() {
        let ours = Identity::generate();
        let wrapped = wrapped_for(&ours);
        let (command, _) = command(&[&ours]);
        let keyring = Keyring::new(Vec::new()).with_commands(vec![command]);
        assert_eq!(keyring.unwrap_at(Reach::AtHand, &wrapped.enc, "x"), Ok(None));
        let other = wrapped_for(&Identity::generate());
        assert_eq!(keyring.unwrap(&other.enc, "y"), Ok(None));
        assert!(keyring.unwrap_at(Reach::AtHand, &wrapped.enc, "x").unwrap().is_some());
    }

    #[test]
    fn a_failing_command_is_a_complaint() {
        let reason = Error::Unreadable {
            reason: "it is empty".into(),
        };
        let fails = reason.clone();
        let command = KeyCommand::new("CMD", Box::new(move |_| Err(fails.clone())));
        let keyring = Keyring::new(Vec::new()).with_commands(vec![command]);
        let wrapped = wrapped_for(&Identity::generate());
        assert!(!keyring.is_empty());
        assert_eq!(keyring.unwrap(&wrapped.enc, &wrapped.recipient), Ok(None));
        let expected = Complaint {
            source: "CMD".into(),
            error: reason,
        };
        assert_eq!(keyring.complaints(), [expected]);
    }

    #[test]
    fn no_further_than_allowed() {
        let ours = Identity::generate();
        let wrapped = wrapped_for(&ours);
        let (command, asked) = command(&[&ours]);
        let keyring = Keyring::new(vec![source("P", Ok(vec![plugin()]))])
            .with_commands(vec![command])
            .up_to(Reach::AtHand);
        assert_eq!(keyring.unwrap(&wrapped.enc, &wrapped.recipient), Ok(None));
        assert!(lock(&asked).is_empty() && keyring.complaints().is_empty());
        assert_eq!(keyring.withheld(), ["P"]);
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
        let keyring = Keyring::new(
            sources
                .chain([source("bad", Err(Error::InvalidIdentity { line: 1 }))])
                .collect(),
        );
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
            kept: keyring.kept,
            ..Keyring::new(Vec::new())
        };
        assert_eq!(
            wrapped.each_ref().map(|one| emptied.unwrap(&one.enc, "").unwrap()),
            first
        );
        assert!(first[0].is_some() && first[1].is_none());
        assert_eq!(emptied.kept.number(), 2);
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
