//! A merge of three stored states: on plain text, by key, with a sealed result, conflict or not.
//!
//! Git stores whatever a merge driver leaves behind as a blob, even when the driver says *conflict*, and then smudges it. So a
//! conflict is sealed whole, as a draft: the work tree shows its markers, no commit accepts it.

use super::Filter;
use crate::document::Format;
use crate::document::merge::{self, ConflictStyle, Markers, Texts};
use crate::sops::open::Opened;
use crate::sops::{Clear, Error as SopsError, Sealed};
use crate::vault::merge::{Outcome, States, same_access};
use crate::vault::{Base, Sealing, Terms};

/// What the merge of three plain texts gives: the text, and whether it holds conflict markers.
pub struct Lines {
    /// The merged text.
    pub text: Vec<u8>,
    /// Whether two sides changed the same lines.
    pub conflict: bool,
}

/// The three states of a merge.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'s> {
    /// The common ancestor; empty where there is none.
    pub base: &'s [u8],
    /// Our side.
    pub ours: &'s [u8],
    /// The other side.
    pub theirs: &'s [u8],
}

/// What a merge leaves behind.
pub enum Merged {
    /// The merged state, stored form.
    Clean(Vec<u8>),
    /// A state with conflict markers in it, sealed as a draft (or plain, where all three were).
    Conflict(Vec<u8>),
    /// A side can't be opened: ours stays, and a person has to decide.
    Unopened(SopsError),
}

/// What a merge takes from outside.
pub struct Means<'m> {
    /// How conflicts are marked, in the style of Git's default.
    pub markers: &'m Markers,
    /// The style that is asked for, looked up when there is a conflict.
    pub style: &'m dyn Fn() -> ConflictStyle,
    /// The merge by line, for what has no keys.
    pub lines: &'m dyn Fn(Sides<'_>) -> Option<Lines>,
}

impl Filter<'_> {
    /// Merges three stored states of a path.
    ///
    /// # Errors
    /// [`super::Error`] when nothing says for whom to seal the result.
    pub fn merge(&self, path: &[u8], sides: Sides<'_>, means: &Means<'_>) -> Result<Merged, super::Error> {
        let format = Format::of_path(path);
        let (base, ours, theirs) = match (
            self.side(format, sides.base),
            self.side(format, sides.ours),
            self.side(format, sides.theirs),
        ) {
            (Ok(base), Ok(ours), Ok(theirs)) => (base, ours, theirs),
            (Err(error), _, _) | (_, Err(error), _) | (_, _, Err(error)) => return Ok(Merged::Unopened(error)),
        };
        let plain = Sides {
            base: base.content(),
            ours: ours.content(),
            theirs: theirs.content(),
        };
        let states = States {
            base: base.state(),
            ours: ours.state(),
            theirs: theirs.state(),
        };
        let terms = match &self.policy {
            // A rule that can't be judged must not break a merge of what is sealed already.
            Ok(_) => self.vault().terms(path).ok().flatten(),
            Err(_) => None,
        };
        let unsealed = terms.is_some() && (states.ours.is_some() || states.theirs.is_some());
        // One side did not change: the other one's blob as it is, so that nothing is sealed anew. Unless somebody was taken away
        // or added there, or it is in the clear though the other one is not.
        let stays = |content: &[u8], state: &Option<Base<'_>>, other: &[u8], other_state: &Option<Base<'_>>| {
            content == other
                && match (state, other_state) {
                    (Some(state), Some(other)) => same_access(state, other),
                    (None, None) => true,
                    _ => content.is_empty(),
                }
        };
        let verbatim = |stored: &[u8], state: &Option<Base<'_>>| {
            (state.is_some() || !unsealed).then(|| Merged::Clean(stored.to_vec()))
        };
        let ours_stays = stays(plain.theirs, &states.theirs, plain.base, &states.base)
            || stays(plain.theirs, &states.theirs, plain.ours, &states.ours);
        if let Some(merged) = ours_stays.then(|| verbatim(sides.ours, &states.ours)).flatten() {
            return Ok(merged);
        }
        let theirs_stays = stays(plain.ours, &states.ours, plain.base, &states.base);
        if let Some(merged) = theirs_stays.then(|| verbatim(sides.theirs, &states.theirs)).flatten() {
            return Ok(merged);
        }
        let Some(merged) = merge_plain(format, plain, means) else {
            return Ok(Merged::Unopened(SopsError::Inexpressible {
                what: "the merge of these contents",
                format: "text",
            }));
        };
        if states.ours.is_none() && states.theirs.is_none() {
            // Nothing was sealed: rerere asks so with the contents of the work tree, and wants one back.
            return Ok(if merged.conflict {
                Merged::Conflict(merged.text)
            } else {
                Merged::Clean(merged.text)
            });
        }
        self.seal_merged(format, &merged, terms.as_ref(), &states)
    }

    fn seal_merged(
        &self,
        format: Format,
        merged: &Lines,
        terms: Option<&Terms>,
        states: &States<'_>,
    ) -> Result<Merged, super::Error> {
        let outcome = if merged.conflict {
            Outcome::Conflict
        } else {
            Outcome::Clean
        };
        let sealing = self
            .vault()
            .seal_merged(format, (&merged.text, outcome), terms, states, &(self.now)())?;
        let (bytes, is_clean) = match sealing {
            Sealing::Sealed(bytes, _) => (bytes, true),
            Sealing::Draft(bytes, _) => (bytes, false),
        };
        if let Some(name) = self.repo.and_then(|repo| repo.hash_blob(&bytes).ok()) {
            // Clean must give this very blob for this text, or the next status shows a change.
            self.remember(format, &name, &merged.text);
        }
        Ok(if is_clean {
            Merged::Clean(bytes)
        } else {
            Merged::Conflict(bytes)
        })
    }

    /// One side, opened if it is sealed.
    fn side<'s>(&self, format: Format, stored: &'s [u8]) -> Result<Side<'s>, SopsError> {
        if !super::smudge::may_be_sealed(stored) {
            return Ok(Side::Plain(stored));
        }
        let sealed = match Sealed::parse(format, stored) {
            Ok(sealed) => sealed,
            Err(SopsError::NotSealed | SopsError::Document(_)) => return Ok(Side::Plain(stored)),
            Err(error) => return Err(error),
        };
        let opened = self.vault().open(format, &sealed, Clear::Refuse)?;
        Ok(Side::Sealed(Box::new((sealed, opened))))
    }
}

/// Merges plain texts: by key where that can be, else by line.
fn merge_plain(format: Format, plain: Sides<'_>, means: &Means<'_>) -> Option<Lines> {
    let by_key = || {
        let text = |bytes| std::str::from_utf8(bytes).ok();
        let texts = Texts {
            base: Some(text(plain.base)?).filter(|base| !base.is_empty()),
            ours: text(plain.ours)?,
            theirs: text(plain.theirs)?,
        };
        let merged = merge::merge(format, texts, means.markers)?;
        if merged.conflicts.is_empty() {
            return Some(merged);
        }
        let style = (means.style)();
        if style == means.markers.style {
            return Some(merged);
        }
        let markers = Markers {
            style,
            ..means.markers.clone()
        };
        merge::merge(format, texts, &markers)
    };
    if let Some(merged) = by_key() {
        return Some(Lines {
            text: merged.text.as_bytes().to_vec(),
            conflict: !merged.conflicts.is_empty(),
        });
    }
    (means.lines)(plain)
}

enum Side<'s> {
    Plain(&'s [u8]),
    Sealed(Box<(Sealed<'s>, Opened)>),
}

impl Side<'_> {
    fn content(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Sealed(both) => &both.1.content,
        }
    }

    fn state(&self) -> Option<Base<'_>> {
        match self {
            Self::Plain(_) => None,
            Self::Sealed(both) => Some(Base {
                sealed: &both.0,
                opened: &both.1,
            }),
        }
    }
}
