//! What of an earlier sealed state can stay: each token whose place and opened text are unchanged keeps its envelope, so that a
//! diff shows what changed and no more.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::hash::BuildHasher;

use super::open::{Opened, OpenedToken, place_hash};
use super::sealed::Sealed;
use crate::document::Style;

/// The tokens of an earlier state, to be taken one after the other.
pub(super) struct Reuse<'b> {
    sealed: &'b str,
    opened: &'b Opened,
    /// The first free token for each hash of place and text.
    heads: HashMap<u64, u32>,
    /// The next free token after each, `NONE` at the end of a chain.
    next: Vec<u32>,
    styles: OnceCell<HashMap<u64, Style>>,
}

const NONE: u32 = u32::MAX;

impl<'b> Reuse<'b> {
    pub(super) fn new(sealed: &'b Sealed<'_>, opened: &'b Opened) -> Self {
        let mut reuse = Self {
            sealed: sealed.document.text,
            opened,
            heads: HashMap::with_capacity(opened.tokens.len()),
            next: vec![NONE; opened.tokens.len()],
            styles: OnceCell::new(),
        };
        // Backwards, so that each chain begins with the token that comes first in the file.
        for (index, token) in opened.tokens.iter().enumerate().rev() {
            let key = token
                .key
                .unwrap_or_else(|| reuse.key(token.place, reuse.opened_text(token)));
            let Ok(index) = u32::try_from(index) else { continue };
            let behind = reuse.heads.insert(key, index);
            reuse.next[index as usize] = behind.unwrap_or(NONE);
        }
        reuse
    }

    /// Takes the next token at this place whose opened text is `text`.
    pub(super) fn take(&mut self, aad: &str, comment: bool, text: &[u8]) -> Option<&'b OpenedToken> {
        let key = self.key(place_hash(&self.opened.hasher, aad, comment), text);
        let index = *self.heads.get(&key)?;
        match self.next.get(index as usize) {
            Some(&NONE) | None => self.heads.remove(&key),
            Some(&next) => self.heads.insert(key, next),
        };
        self.opened.tokens.get(index as usize)
    }

    /// How the leaf at this place was sealed, whatever its value.
    pub(super) fn style_at(&self, aad: &str) -> Option<Style> {
        let styles = self.styles.get_or_init(|| {
            let places = self.opened.tokens.iter().rev().map(|token| (token.place, token.style));
            places.collect()
        });
        styles.get(&place_hash(&self.opened.hasher, aad, false)).copied()
    }

    /// The sealed text of a token.
    pub(super) fn sealed_text(&self, token: &OpenedToken) -> &'b str {
        token.sealed.of(self.sealed)
    }

    fn opened_text(&self, token: &OpenedToken) -> &'b [u8] {
        let text = self
            .opened
            .text()
            .get(token.opened.start..token.opened.end)
            .unwrap_or_default();
        // A comment that SOPS keeps as a list element opens with its comment character.
        if token.style == Style::Other {
            text.strip_prefix(b"#").unwrap_or(text)
        } else {
            text
        }
    }

    fn key(&self, place: u64, text: &[u8]) -> u64 {
        self.opened.hasher.hash_one((place, text))
    }
}
