//! A merge of three stored states: on plain text, with a sealed result, conflict or not.
//!
//! Git stores whatever a merge driver leaves behind as a blob, even when the driver says *conflict*, and then smudges it. So a
//! conflict is sealed whole, as a draft: the work tree shows its markers, no commit accepts it.

use super::Filter;
use crate::document::Format;
use crate::sops::open::Opened;
use crate::sops::{Clear, Error as SopsError, Sealed};
use crate::vault::{Base, Sealing};

/// What the line-wise merge of three plain texts gives: the text, and whether it holds conflict markers.
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

impl Filter<'_> {
    /// Merges three stored states of a path.
    ///
    /// # Errors
    /// [`super::Error`] when nothing says for whom to seal the result.
    pub fn merge(
        &self,
        path: &[u8],
        sides: Sides<'_>,
        lines: &dyn Fn(Sides<'_>) -> Option<Lines>,
    ) -> Result<Merged, super::Error> {
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
        // One side did not change: the other one's blob as it is, so that nothing is sealed anew.
        if plain.ours == plain.theirs || plain.base == plain.theirs {
            return Ok(Merged::Clean(sides.ours.to_vec()));
        }
        if plain.base == plain.ours {
            return Ok(Merged::Clean(sides.theirs.to_vec()));
        }
        let Some(merged) = lines(plain) else {
            return Ok(Merged::Unopened(SopsError::Inexpressible {
                what: "the merge of these contents",
                format: "text",
            }));
        };
        let Some((sealed, opened)) = ours.sealed().or_else(|| theirs.sealed()) else {
            // Nothing was sealed: rerere asks so with the contents of the work tree, and wants one back.
            return Ok(if merged.conflict {
                Merged::Conflict(merged.text)
            } else {
                Merged::Clean(merged.text)
            });
        };
        let terms = match &self.policy {
            Ok(_) => self.vault().terms(path)?,
            Err(_) => None,
        };
        let base = Base { sealed, opened };
        let now = (self.now)();
        let bytes = if merged.conflict {
            self.vault()
                .seal_draft(&merged.text, terms.as_ref(), Some(&base), &now)?
        } else {
            match self
                .vault()
                .seal(format, &merged.text, terms.as_ref(), Some(&base), &now)?
            {
                Sealing::Sealed(bytes, _) => bytes,
                Sealing::Draft(bytes, _) => return Ok(Merged::Conflict(bytes)),
            }
        };
        if let Some(name) = self.repo.and_then(|repo| repo.hash_blob(&bytes).ok()) {
            // Clean must give this very blob for this text, or the next status shows a change.
            self.remember(format, &name, &merged.text);
        }
        Ok(if merged.conflict {
            Merged::Conflict(bytes)
        } else {
            Merged::Clean(bytes)
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

enum Side<'s> {
    Plain(&'s [u8]),
    Sealed(Box<(Sealed<'s>, Opened)>),
}

impl<'s> Side<'s> {
    fn content(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Sealed(both) => &both.1.content,
        }
    }

    fn sealed(&self) -> Option<(&Sealed<'s>, &Opened)> {
        match self {
            Self::Plain(_) => None,
            Self::Sealed(both) => Some((&both.0, &both.1)),
        }
    }
}
