//! A merge of three stored states: on plain text, by key, with a sealed result, conflict or not.
//!
//! Git stores whatever a merge driver leaves behind as a blob, even when the driver says *conflict*, and then smudges it. So a
//! conflict is sealed whole, as a draft: the work tree shows its markers, no commit accepts it.

use zeroize::Zeroizing;

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
    pub text: Zeroizing<Vec<u8>>,
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
        let open = Open { plain, states };
        if let Some(kept) = open.unchanged(sides, terms.as_ref()) {
            return Ok(Merged::Clean(kept.to_vec()));
        }
        let Some(merged) = merge_plain(format, plain, means) else {
            return Ok(Merged::Unopened(SopsError::Inexpressible {
                what: "the merge of these contents",
                format: "text",
            }));
        };
        if open.states.ours.is_none() && open.states.theirs.is_none() {
            // Nothing was sealed: rerere asks so with the contents of the work tree, and wants one back.
            return Ok(if merged.conflict {
                Merged::Conflict(merged.text.to_vec())
            } else {
                Merged::Clean(merged.text.to_vec())
            });
        }
        self.seal_merged(format, &merged, terms.as_ref(), &open.states)
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

/// The three states, opened.
struct Open<'o> {
    plain: Sides<'o>,
    states: States<'o>,
}

impl Open<'_> {
    /// One side did not change: the other one's blob as it is, so that nothing is sealed anew. Not where somebody was taken away or
    /// added on the side that has the same content, and not a side in the clear that a rule seals and the other one has sealed.
    fn unchanged<'s>(&self, stored: Sides<'s>, terms: Option<&Terms>) -> Option<&'s [u8]> {
        let (plain, states) = (&self.plain, &self.states);
        let is_sealed = states.ours.is_some() || states.theirs.is_some();
        let may_stay = |state: &Option<Base<'_>>| state.is_some() || terms.is_none() || !is_sealed;
        let like_base = |content: &[u8], state: &Option<Base<'_>>| {
            content == plain.base && same_state(state.as_ref(), states.base.as_ref())
        };
        let alike = plain.ours == plain.theirs && same_state(states.ours.as_ref(), states.theirs.as_ref());
        if (alike || like_base(plain.theirs, &states.theirs)) && may_stay(&states.ours) {
            return Some(stored.ours);
        }
        (like_base(plain.ours, &states.ours) && may_stay(&states.theirs)).then_some(stored.theirs)
    }
}

/// Whether two states of the same content have the same access: both in the clear, or sealed for the same recipients.
fn same_state(one: Option<&Base<'_>>, other: Option<&Base<'_>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => same_access(one, other),
        (None, None) => true,
        _ => false,
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
            text: Zeroizing::new(merged.text.as_bytes().to_vec()),
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
