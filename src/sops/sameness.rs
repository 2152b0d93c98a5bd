//! Whether an opened text says what its sealed form says: the note of spellings is bound to the values, but not to all that lies
//! between them, such as nulls and the headers of block scalars.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use super::sealed::{hashed, parse_document};
use super::selection::Selection;
use super::walk::{Visit, Walk};
use crate::document::{Format, Origin};

/// All values of a document with their places, as one number.
pub(super) struct Sameness<H: Hasher> {
    hasher: H,
}

impl<H: Hasher> Sameness<H> {
    /// Nothing yet.
    pub(super) const fn new(hasher: H) -> Self {
        Self { hasher }
    }

    /// What is no value: where containers begin and end.
    pub(super) fn see(&mut self, visit: Visit<'_, '_>) {
        match visit {
            Visit::Begin => 0_u8.hash(&mut self.hasher),
            Visit::Enter(container) => (1_u8, container.shape as u8).hash(&mut self.hasher),
            Visit::Leave => 2_u8.hash(&mut self.hasher),
            Visit::Leaf(..) | Visit::Comment(..) => {}
        }
    }

    /// A value in the clear, by the bytes that a MAC is over; null has none.
    pub(super) fn value(&mut self, aad: &str, bytes: Option<&[u8]>) {
        (3_u8, aad, bytes).hash(&mut self.hasher);
    }

    /// The number.
    pub(super) fn finish(&self) -> u64 {
        self.hasher.finish()
    }
}

/// The number of a plain text; nothing for one that is no document.
pub(super) fn of_text(format: Format, text: &[u8], selection: &Selection, state: &RandomState) -> Option<u64> {
    let document = parse_document(format, std::str::from_utf8(text).ok()?).ok()?;
    let mut sameness = Sameness::new(state.build_hasher());
    let mut walk = Walk::new(&document, selection);
    while let Some(visit) = walk.next() {
        sameness.see(visit);
        if let Visit::Leaf(leaf, _) = visit
            && leaf.origin != Origin::Overridden
        {
            sameness.value(walk.aad(), hashed(leaf).as_deref());
        }
    }
    Some(sameness.finish())
}
