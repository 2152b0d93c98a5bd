//! What is to be judged: each content at each path under each law once, however many commits bring it in.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::charter::{Charter, POLICY, Ruling, SETTINGS};
use super::error::Error;
use super::findings::Findings;
use super::inspect::inspect;
use super::law::Law;
use super::outcome::{Outcome, Scope};
use super::subject::{Content, Coverage, Origin, Past, Setting, State, Subject};
use crate::crypt::Keyring;
use crate::git::blobs::{self, read_blobs};
use crate::git::change::Change;
use crate::git::{Entry, Oid, Repo};

/// Largest file in bytes that is judged where a rule is for it.
const RULED_LIMIT: u64 = 64 << 20;

/// The blobs of a snapshot's `.sops.yaml` and `.git-seal.yaml`; absent where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct CharterKey {
    pub(super) policy: Option<Oid>,
    pub(super) settings: Option<Oid>,
}

impl CharterKey {
    /// The blobs that `at` finds at the two paths.
    pub(super) fn find<E>(mut at: impl FnMut(&[u8]) -> Result<Option<Entry>, E>) -> Result<Self, E> {
        let mut blob = |path| Ok(at(path)?.filter(Entry::is_file).map(|entry| entry.oid));
        Ok(Self {
            policy: blob(POLICY)?,
            settings: blob(SETTINGS)?,
        })
    }

    /// The same after a change.
    pub(super) fn after(mut self, changes: &[Change]) -> Self {
        for change in changes {
            let blob = || change.after.filter(Entry::is_file).map(|entry| entry.oid);
            match change.path.as_slice() {
                POLICY => self.policy = blob(),
                SETTINGS => self.settings = blob(),
                _ => {}
            }
        }
        self
    }
}

/// One content to be judged.
struct Case {
    path: Vec<u8>,
    law: Arc<Law>,
    origin: Origin,
    past: Past,
}

/// The list of cases, and what has been found.
pub(super) struct Docket<'g> {
    pub(super) repo: &'g Repo,
    pub(super) keyring: &'g Keyring,
    pub(super) findings: Findings,
    charters: HashMap<CharterKey, Arc<Charter>>,
    laws: HashMap<(CharterKey, Vec<Vec<CharterKey>>), Arc<Law>>,
    presented: HashSet<CharterKey>,
    /// Path, blob, and the law by its address: laws live as long as the docket.
    seen: HashSet<(Vec<u8>, Oid, usize)>,
    cases: HashMap<Oid, Vec<Case>>,
    /// Contents before a change, as far as they had to be asked for.
    pasts: HashMap<(Vec<u8>, Oid), Past>,
}

impl<'g> Docket<'g> {
    /// An empty docket.
    pub(super) fn new(repo: &'g Repo, keyring: &'g Keyring) -> Self {
        Self {
            repo,
            keyring,
            findings: Findings::default(),
            charters: HashMap::new(),
            laws: HashMap::new(),
            presented: HashSet::new(),
            seen: HashSet::new(),
            cases: HashMap::new(),
            pasts: HashMap::new(),
        }
    }

    /// The law of a snapshot with these charters before it. Puts the charter itself on the docket when it is first met.
    pub(super) fn law(
        &mut self,
        own: CharterKey,
        mut bases: Vec<Vec<CharterKey>>,
        origin: Origin,
    ) -> Result<Arc<Law>, Error> {
        for group in &mut bases {
            group.sort_unstable();
            group.dedup();
        }
        // Most commits change neither file; they must come to one law, or nothing would be judged once.
        bases.retain(|group| !group.is_empty() && !group.contains(&own));
        bases.sort_unstable();
        bases.dedup();
        let key = (own, bases);
        let known = self.laws.get(&key).map(Arc::clone);
        let law = match known {
            Some(law) => law,
            None => self.new_law(key)?,
        };
        if self.presented.insert(own) {
            for (path, oid) in [(POLICY, own.policy), (SETTINGS, own.settings)] {
                if let Some(oid) = oid {
                    self.content(path, oid, &law, origin, Past::Same);
                }
            }
        }
        Ok(law)
    }

    fn new_law(&mut self, key: (CharterKey, Vec<Vec<CharterKey>>)) -> Result<Arc<Law>, Error> {
        let mut groups = Vec::new();
        for group in &key.1 {
            groups.push(group.iter().map(|&base| self.charter(base)).collect::<Result<_, _>>()?);
        }
        let law = Arc::new(Law::new(self.charter(key.0)?, groups));
        self.laws.insert(key, Arc::clone(&law));
        Ok(law)
    }

    fn charter(&mut self, key: CharterKey) -> Result<Arc<Charter>, Error> {
        if let Some(charter) = self.charters.get(&key) {
            return Ok(Arc::clone(charter));
        }
        let read = |oid: Option<Oid>| oid.map(|oid| self.repo.blob(&oid)).transpose();
        let (policy, settings) = (read(key.policy)?, read(key.settings)?);
        let charter = Arc::new(Charter::read(policy.as_deref(), settings.as_deref()));
        self.charters.insert(key, Arc::clone(&charter));
        Ok(charter)
    }

    /// Puts what a change brings in on the docket. Deletions, symbolic links and submodules bring in nothing.
    pub(super) fn change(&mut self, change: &Change, law: &Arc<Law>, origin: Origin) -> Result<(), Error> {
        if change.status == 'U' {
            self.bare(&change.path, Content::Conflict, law, origin, Coverage::Unknown);
        }
        if let Some(entry) = change.after.filter(Entry::is_file) {
            let past = self.past(change, law)?;
            self.content(&change.path, entry.oid, law, origin, past);
        }
        Ok(())
    }

    /// Puts a content on the docket.
    pub(super) fn content(&mut self, path: &[u8], oid: Oid, law: &Arc<Law>, origin: Origin, past: Past) {
        if self.seen.insert((path.to_vec(), oid, Arc::as_ptr(law).addr())) {
            let case = Case {
                path: path.to_vec(),
                law: Arc::clone(law),
                origin,
                past,
            };
            self.cases.entry(oid).or_default().push(case);
        }
    }

    /// Judges a path without a content.
    pub(super) fn bare(&mut self, path: &[u8], content: Content<'_>, law: &Law, origin: Origin, coverage: Coverage) {
        let setting = Setting {
            law,
            keyring: self.keyring,
            origin,
            past: Past::Same,
            coverage,
        };
        inspect(&Subject::new(path, content, setting), &mut self.findings);
    }

    /// What was at the path before. Reading it is worth it only where a rule for it was taken away.
    fn past(&mut self, change: &Change, law: &Law) -> Result<Past, Error> {
        let lifted = matches!(law.ruling(&change.path), Ruling::Unruled) && law.earlier(&change.path).is_some();
        let Some(before) = change.before.filter(Entry::is_file) else {
            return Ok(Past::Nothing);
        };
        if !lifted || change.after.is_some_and(|after| after.oid == before.oid) {
            return Ok(Past::Same);
        }
        let key = (change.path.clone(), before.oid);
        if let Some(&past) = self.pasts.get(&key) {
            return Ok(past);
        }
        let bytes = self.repo.blob(&before.oid)?;
        let setting = Setting {
            law,
            keyring: self.keyring,
            origin: Origin::Tree,
            past: Past::Same,
            coverage: Coverage::Unknown,
        };
        let past = match Subject::new(&change.path, Content::Bytes(&bytes), setting).state() {
            State::Empty | State::Plain => Past::Plain,
            State::Sealed(_) | State::Broken(_) => Past::Sealed,
        };
        self.pasts.insert(key, past);
        Ok(past)
    }

    /// Reads and judges everything on the docket.
    pub(super) fn judge(mut self, scope: Scope) -> Result<Outcome, Error> {
        let cases = std::mem::take(&mut self.cases);
        let is_ruled = |oid: &Oid| {
            cases
                .get(oid)
                .is_some_and(|all| all.iter().any(|case| case.law.concerns(&case.path)))
        };
        let (ruled, others): (Vec<Oid>, Vec<Oid>) = cases.keys().partition(|oid| is_ruled(oid));
        let largest = cases
            .values()
            .flatten()
            .map(|case| case.law.size_limit())
            .max()
            .unwrap_or_default();
        for (oids, limit) in [(ruled, largest.max(RULED_LIMIT)), (others, largest)] {
            read_blobs(self.repo, &oids, limit, |oid, content| {
                for case in cases.get(&oid).into_iter().flatten() {
                    hear(case, content, self.keyring, &mut self.findings);
                }
            })?;
        }
        Ok(self.findings.finish(scope))
    }
}

/// Judges one case by what its blob turned out to be.
fn hear(case: &Case, content: blobs::Content<'_>, keyring: &Keyring, findings: &mut Findings) {
    let Case {
        path,
        law,
        origin,
        past,
    } = case;
    let setting = Setting {
        law,
        keyring,
        origin: *origin,
        past: *past,
        coverage: Coverage::Unknown,
    };
    let commit = Subject::new(path, Content::Unread, setting).commit();
    let content = match content {
        blobs::Content::Bytes(bytes) => Content::Bytes(bytes),
        blobs::Content::TooLarge(size) if law.concerns(path) => {
            findings.cannot_judge(Some(path), commit, &format!("its {size} bytes are above the limit"));
            Content::Unread
        }
        blobs::Content::TooLarge(_) => {
            findings.too_large();
            Content::Unread
        }
        blobs::Content::Missing => {
            findings.cannot_judge(Some(path), commit, "its content is not in this repository");
            Content::Unread
        }
        blobs::Content::NotABlob => {
            findings.cannot_judge(Some(path), commit, "its object is damaged");
            Content::Unread
        }
    };
    inspect(&Subject::new(path, content, setting), findings);
}
