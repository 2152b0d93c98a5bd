//! Clean: a file of the work tree as Git stores it.
//!
//! The order of the answers is what makes clean a function: sealed input as it is; an earlier state that holds exactly this content;
//! a blob that was made of this content before; and only then a new sealing, over the nearest earlier state.

use super::digest::{digest, oid, padded};
use super::smudge::may_be_sealed;
use super::{Error, Filter};
use crate::document::Format;
use crate::git::memory::Kind;
use crate::git::{Entry, Memory, Oid};
use crate::policy::is_exempt;
use crate::sops::open::Opened;
use crate::sops::seal::Fidelity;
use crate::sops::{self, Clear, Sealed};
use crate::vault::{self, Base, Sealing, Terms};

/// What Git stores for a file, and what the user should hear about it.
pub struct Cleaned {
    /// The bytes to store.
    pub bytes: Vec<u8>,
    /// A remark, once.
    pub note: Option<Note>,
}

/// A remark about a cleaned file.
#[derive(Debug)]
pub enum Note {
    /// It can't be sealed value by value and is sealed whole, which no commit accepts.
    Draft(sops::Error),
    /// It is stored in the clear already, as it stands; nothing new leaks.
    Leaked,
    /// Its values are kept, its layout is not.
    Layout,
    /// No identity opens the earlier state, so the whole file is sealed anew.
    Blind,
}

impl Cleaned {
    fn plain(bytes: Vec<u8>) -> Self {
        Self { bytes, note: None }
    }
}

/// An earlier state of the file.
struct Candidate {
    blob: Oid,
    bytes: Vec<u8>,
    /// Whether it is what `git status` compares with.
    in_index: bool,
}

impl Filter<'_> {
    /// Seals a file for Git.
    ///
    /// # Errors
    /// [`Error`] when nothing says for whom to seal; nothing is stored then.
    pub fn clean(&self, path: &[u8], content: Vec<u8>) -> Result<Cleaned, Error> {
        if content.is_empty() || is_exempt(path) {
            return Ok(Cleaned::plain(content));
        }
        let format = Format::of_path(path);
        let mut partly = None;
        if may_be_sealed(&content) {
            match Sealed::parse(format, &content).map(|sealed| (sealed.check_structure(), sealed)) {
                Ok((Ok(()), _)) => return Ok(Cleaned::plain(content)),
                Ok((Err(_), _)) if self.stands_in_index(path, &content) => {
                    return Ok(Cleaned {
                        bytes: content,
                        note: Some(Note::Leaked),
                    });
                }
                Ok((Err(_), sealed)) => partly = Some(self.partly_sealed(path, format, &content, &sealed)),
                Err(_) => {}
            }
        }
        if let Some(cleaned) = partly {
            return cleaned;
        }
        let mut candidates = self.in_index(path);
        if let Some(found) = self.stored_already(format, &content, &candidates) {
            return Ok(found);
        }
        // Asked for only now: most files are as the index has them, and then HEAD is a walk through trees for nothing.
        if let Some(head) = self.in_head(path, &candidates) {
            if let Some(found) = self.stored_already(format, &content, std::slice::from_ref(&head)) {
                return Ok(found);
            }
            candidates.push(head);
        }
        let terms = self.terms(path);
        if let Ok(Some(terms)) = &terms
            && let Some(bytes) = self.made_before(format, &content, terms)
        {
            return Ok(Cleaned {
                note: draft_note(format, &content, &bytes),
                bytes,
            });
        }
        self.seal_anew(path, format, &content, terms, &candidates)
    }

    /// The terms of the path's rule; an error where the policy can't say.
    fn terms(&self, path: &[u8]) -> Result<Option<Terms>, Error> {
        match &self.policy {
            Err(reason) => Err(Error::BadPolicy(reason.clone())),
            Ok(_) => Ok(self.vault().terms(path)?),
        }
    }

    /// The states in the index that the new one is compared with, nearest first, each once.
    fn in_index(&self, path: &[u8]) -> Vec<Candidate> {
        let Some(repo) = self.repo else { return Vec::new() };
        let stages = repo.index_stages(path).unwrap_or_default();
        let mut found: Vec<Candidate> = Vec::new();
        // Ours, theirs, base: taking one side of a conflict by hand gives that side's blob.
        for entry in [stages[0], stages[2], stages[3], stages[1]] {
            found.extend(self.candidate(entry, true, &found));
        }
        found
    }

    /// The state in HEAD, if it is another one.
    fn in_head(&self, path: &[u8], known: &[Candidate]) -> Option<Candidate> {
        let entry = self.repo?.head_blob(path).ok().flatten();
        self.candidate(entry, false, known)
    }

    fn candidate(&self, entry: Option<Entry>, in_index: bool, known: &[Candidate]) -> Option<Candidate> {
        let blob = entry.filter(Entry::is_file)?.oid;
        if known.iter().any(|candidate| candidate.blob == blob) {
            return None;
        }
        // What is not here (partial clone) is no candidate; nothing is ever fetched.
        let bytes = self.repo?.blob(&blob).ok()?;
        Some(Candidate { blob, bytes, in_index })
    }

    /// Whether the index has exactly these bytes: then nothing new leaks, and the work tree is not to look changed.
    fn stands_in_index(&self, path: &[u8], content: &[u8]) -> bool {
        let candidates = self.in_index(path);
        candidates.iter().any(|candidate| candidate.bytes == content)
    }

    /// The first earlier state that holds exactly this content, verbatim, whatever its recipients: those are for the guard.
    fn stored_already(&self, format: Format, content: &[u8], candidates: &[Candidate]) -> Option<Cleaned> {
        let wanted = digest(self.memory, "content", &[format.name().as_bytes(), content]);
        for candidate in candidates {
            if candidate.in_index && candidate.bytes == content {
                return Some(Cleaned {
                    bytes: candidate.bytes.clone(),
                    note: Some(Note::Leaked),
                });
            }
            let known = self.memory.get(Kind::Opened, &padded(&candidate.blob));
            let holds = match known {
                Some(known) => known == wanted,
                None => self
                    .opened(format, candidate)
                    .is_some_and(|opened| opened.content.as_slice() == content),
            };
            if holds {
                return Some(Cleaned::plain(candidate.bytes.clone()));
            }
        }
        None
    }

    fn opened(&self, format: Format, candidate: &Candidate) -> Option<Opened> {
        let sealed = Sealed::parse(format, &candidate.bytes).ok()?;
        let opened = self.vault().open(format, &sealed, Clear::Refuse).ok()?;
        self.remember(format, &candidate.blob, &opened.content);
        Some(opened)
    }

    /// The blob that was made of this content, or opened to it, last: for renames, copies, and changes taken back by hand. Only
    /// for exactly the recipients that are asked for today.
    fn made_before(&self, format: Format, content: &[u8], terms: &Terms) -> Option<Vec<u8>> {
        let repo = self.repo?;
        let wanted = digest(self.memory, "content", &[format.name().as_bytes(), content]);
        let name = self.memory.get(Kind::Blob, &wanted)?;
        let blob = oid(&name, repo.object_format().oid_len())?;
        let bytes = repo.blob(&blob).ok()?;
        let sealed = Sealed::parse(format, &bytes).ok()?;
        let same_settings = sealed.metadata.draft
            || format == Format::Binary
            || (sealed.metadata.selection.or_default() == terms.selection.or_default()
                && sealed.metadata.mac_only_encrypted == terms.mac_only_encrypted);
        if !terms.fit(&sealed.metadata) || !same_settings {
            return None;
        }
        drop(sealed);
        if self.memory.get(Kind::Opened, &name) == Some(wanted) {
            return Some(bytes);
        }
        let candidate = Candidate {
            blob,
            bytes,
            in_index: false,
        };
        let holds = self.opened(format, &candidate)?.content.as_slice() == content;
        holds.then_some(candidate.bytes)
    }

    fn seal_anew(
        &self,
        path: &[u8],
        format: Format,
        content: &[u8],
        terms: Result<Option<Terms>, Error>,
        candidates: &[Candidate],
    ) -> Result<Cleaned, Error> {
        let nearest = candidates.iter().find_map(|candidate| {
            let sealed = Sealed::parse(format, &candidate.bytes).ok()?;
            let opened = self.vault().open(format, &sealed, Clear::Refuse).ok()?;
            Some((candidate, sealed, opened))
        });
        let terms = match (terms, &nearest) {
            (Ok(Some(terms)), _) => Some(terms),
            (Ok(None), Some(_)) => None,
            (Ok(None), None) if matches!(self.policy, Ok(None)) => return Err(Error::NoPolicy),
            (Ok(None), None) => return Err(Error::NoRule),
            // A policy that can't be read must not break a change to a file that is sealed already.
            (Err(_), Some(_)) => None,
            (Err(error), None) => return Err(error),
        };
        let blind = nearest.is_none() && candidates.iter().any(|candidate| may_be_sealed(&candidate.bytes));
        let base = nearest.as_ref().map(|(_, sealed, opened)| Base { sealed, opened });
        let from = nearest.as_ref().map(|(candidate, _, _)| candidate.blob);
        let change = self.change(path, content, from.as_ref(), terms.as_ref());
        let mut cleaned = match self.memory.sealed(&change) {
            Some(bytes) => Cleaned {
                note: draft_note(format, content, &bytes),
                bytes,
            },
            None => self.seal(format, content, terms.as_ref(), base.as_ref(), &change)?,
        };
        if let Some(name) = self.repo.and_then(|repo| repo.hash_blob(&cleaned.bytes).ok())
            && !matches!(cleaned.note, Some(Note::Layout))
        {
            self.remember(format, &name, content);
        }
        if blind && cleaned.note.is_none() {
            cleaned.note = Some(Note::Blind);
        }
        Ok(cleaned)
    }

    fn seal(
        &self,
        format: Format,
        content: &[u8],
        terms: Option<&Terms>,
        base: Option<&Base<'_>>,
        change: &crate::git::memory::Digest,
    ) -> Result<Cleaned, Error> {
        let now = self.time_of(change);
        let sealing = match self.vault().seal(format, content, terms, base, &now) {
            // A rule that nobody can be sealed for must not break a change to a file that is sealed already either.
            Err(_) if terms.is_some() && base.is_some() => self.vault().seal(format, content, None, base, &now)?,
            sealing => sealing?,
        };
        let cleaned = match sealing {
            Sealing::Sealed(bytes, Fidelity::Exact) => Cleaned::plain(bytes),
            Sealing::Sealed(bytes, Fidelity::Values) => Cleaned {
                bytes,
                note: Some(Note::Layout),
            },
            Sealing::Draft(bytes, error) => Cleaned {
                bytes,
                note: Some(Note::Draft(error)),
            },
        };
        let same_key = base.is_some_and(|base| terms.is_none_or(|terms| terms.fit(&base.sealed.metadata)));
        if !same_key {
            // Wrapping is random and so is a new data key: only what is kept can be given again.
            self.memory.keep_sealed(*change, &cleaned.bytes);
        }
        Ok(cleaned)
    }

    /// The digest of a change: this content, at this path, over this state, for these recipients.
    fn change(
        &self,
        path: &[u8],
        content: &[u8],
        from: Option<&Oid>,
        terms: Option<&Terms>,
    ) -> crate::git::memory::Digest {
        let from = from.map(padded).unwrap_or_default();
        let terms = terms.map(|terms| format!("{terms:?}")).unwrap_or_default();
        digest(self.memory, "change", &[path, content, &from, terms.as_bytes()])
    }

    /// The time of a change: that of the first time it was seen, so that cleaning it again gives the same bytes.
    fn time_of(&self, change: &crate::git::memory::Digest) -> String {
        if let Some(known) = self.memory.get(Kind::Time, change)
            && let Ok(text) = std::str::from_utf8(&known)
        {
            return text.trim_end_matches('\0').to_owned();
        }
        let now = (self.now)();
        let mut value = [0; 32];
        if let Some(slot) = value.get_mut(..now.len()) {
            slot.copy_from_slice(now.as_bytes());
            self.memory.put(Kind::Time, *change, value);
        }
        now
    }

    /// A file with metadata and values in the clear: somebody typed into a sealed file. With a key the values are sealed, without
    /// one the whole file is a draft.
    fn partly_sealed(
        &self,
        path: &[u8],
        format: Format,
        content: &[u8],
        sealed: &Sealed<'_>,
    ) -> Result<Cleaned, Error> {
        let terms = self.terms(path);
        if let Ok(opened) = self.vault().open(format, sealed, Clear::Accept) {
            // The file itself says for whom, where the policy can't.
            let terms = terms.unwrap_or_default();
            let change = self.change(path, content, None, terms.as_ref());
            let base = Base {
                sealed,
                opened: &opened,
            };
            return match self.memory.sealed(&change) {
                Some(bytes) => Ok(Cleaned::plain(bytes)),
                None => self.seal(format, &opened.content, terms.as_ref(), Some(&base), &change),
            };
        }
        let terms = terms?;
        if terms.is_none() {
            return Err(Error::NoRule);
        }
        let change = self.change(path, content, None, terms.as_ref());
        if let Some(bytes) = self.memory.sealed(&change) {
            return Ok(Cleaned {
                bytes,
                note: Some(Note::Draft(sops::Error::NoIdentity)),
            });
        }
        let bytes = self
            .vault()
            .seal_draft(content, terms.as_ref(), None, &self.time_of(&change))?;
        self.memory.keep_sealed(change, &bytes);
        Ok(Cleaned {
            bytes,
            note: Some(Note::Draft(sops::Error::NoIdentity)),
        })
    }
}

/// The remark about a draft that was made before: what is wrong is told each time.
fn draft_note(format: Format, content: &[u8], kept: &[u8]) -> Option<Note> {
    let is_draft = Sealed::parse(format, kept).is_ok_and(|sealed| sealed.metadata.draft);
    if !is_draft {
        return None;
    }
    let fault = sops::door::check(format, content).err();
    Some(Note::Draft(fault.unwrap_or(sops::Error::Reserved)))
}

/// What `clean` says when there is nothing to open the earlier state with is up to its caller; this tells whether a refusal is
/// about the policy.
#[must_use]
pub const fn is_about_policy(error: &Error) -> bool {
    matches!(
        error,
        Error::NoRule | Error::NoPolicy | Error::BadPolicy(_) | Error::Vault(vault::Error::NoRule)
    )
}

/// A memory that forgets at the end, for callers without a repository.
#[must_use]
pub fn forgetful(random: [u8; 32]) -> Memory {
    Memory::of_process(random)
}
