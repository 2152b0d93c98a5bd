//! The spellings that a value alone does not give back: `0x1F`, an alias, a folded text, an escape.
//!
//! They are kept, sealed, in a field of the metadata that other readers of SOPS's format ignore and SOPS drops when it writes: then
//! the value survives and the spelling does not. The envelope is bound to the digest of the values, so that a note of another
//! state of the file is never used.
//!
//! # What does not come back byte for byte
//!
//! With the note, nothing: every text that can be sealed comes back as it was. These are left:
//!
//! | text | what becomes of it | why |
//! |---|---|---|
//! | any spelling, after SOPS itself wrote the file | the values, in SOPS's layout | SOPS drops the note and all layout |
//! | a key that is an alias | refused | its text would stand in the clear |
//! | a null root with an anchor (`&a ~`) | refused | what refers to it must stay null |
//! | a key twice in one map; a tag or merge key that does not fit, in later documents | refused | SOPS takes one or loses one |
//! | JSON that goes on behind its object, or ends inside a list | refused | SOPS loses what follows |
//! | JSON that is not UTF-8; a sealed file in UTF-16 | refused | a sealed text is UTF-8 |
//! | more than 100 levels of YAML or 1,000 of JSON, more than 100,000 copied values | refused | hostile input |
//! | a block scalar of nothing but blanks left of its key | refused | no envelope can stand there |

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::crypt::{Cipher, DataKey, Envelope, Kind};

/// The form of the note; another one is ignored.
const FORM: u8 = 1;

/// Spellings by the number of the item that they stand at.
#[derive(Default)]
pub(super) struct Spellings {
    by_item: BTreeMap<u32, Zeroizing<String>>,
}

impl Spellings {
    pub(super) fn insert(&mut self, item: u32, text: &str) {
        self.by_item.insert(item, Zeroizing::new(text.to_owned()));
    }

    pub(super) fn get(&self, item: u32) -> Option<&str> {
        self.by_item.get(&item).map(|text| text.as_str())
    }

    /// The sealed note for a document of `items` items whose values have this digest; `None` when there is nothing to note.
    pub(super) fn seal(&self, key: &DataKey, cipher: &Cipher, items: u32, digest: &str) -> Option<String> {
        if self.by_item.is_empty() {
            return None;
        }
        let mut note = Zeroizing::new(vec![FORM]);
        number(&mut note, items);
        let mut last = 0;
        for (&item, text) in &self.by_item {
            number(&mut note, item - last);
            number(&mut note, u32::try_from(text.len()).ok()?);
            note.extend_from_slice(text.as_bytes());
            last = item;
        }
        let nonce = key.derive_nonce(&[b"layout", digest.as_bytes(), &note]);
        let mut envelope = String::new();
        cipher
            .seal(Kind::Str, &note, aad(digest).as_bytes(), &nonce, &mut envelope)
            .ok()?;
        Some(envelope)
    }

    /// The spellings of a sealed note; none when it belongs to another state of the file, or is of another form.
    pub(super) fn open(envelope: Option<&str>, cipher: &Cipher, items: u32, digest: &str) -> Self {
        let Some(envelope) = envelope.and_then(Envelope::parse) else {
            return Self::default();
        };
        let Ok((_, note)) = cipher.open(&envelope, aad(digest).as_bytes()) else {
            return Self::default();
        };
        Self::read(&note, items).unwrap_or_default()
    }

    fn read(note: &[u8], items: u32) -> Option<Self> {
        let mut rest = note.strip_prefix(&[FORM])?;
        if take_number(&mut rest)? != items {
            return None;
        }
        let mut spellings = Self::default();
        let mut item = 0_u32;
        while !rest.is_empty() {
            item = item.checked_add(take_number(&mut rest)?)?;
            let length = take_number(&mut rest)?;
            let (text, after) = rest.split_at_checked(length as usize)?;
            spellings.insert(item, std::str::from_utf8(text).ok()?);
            rest = after;
        }
        Some(spellings)
    }
}

fn aad(digest: &str) -> String {
    format!("git_seal_layout:{digest}")
}

/// Seven bits a byte, the lowest first; the high bit says that more follow.
fn number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7F) as u8);
}

fn take_number(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= u32::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    #[test]
    fn a_note_serves_its_own_state_only() {
        let key = DataKey::from_bytes(&[7; 32]).unwrap();
        let cipher = Cipher::new(&key);
        let mut spellings = Spellings::default();
        spellings.insert(3, "0x1F");
        spellings.insert(300, "*alias");
        let sealed = spellings.seal(&key, &cipher, 400, "ABC").unwrap();
        assert_eq!(
            sealed,
            spellings.seal(&key, &cipher, 400, "ABC").unwrap(),
            "sealing is a function"
        );
        let opened = Spellings::open(Some(&sealed), &cipher, 400, "ABC");
        assert_eq!(
            (opened.get(3), opened.get(300), opened.get(4)),
            (Some("0x1F"), Some("*alias"), None)
        );
        for (items, digest) in [(399, "ABC"), (400, "ABD")] {
            assert_eq!(Spellings::open(Some(&sealed), &cipher, items, digest).get(3), None);
        }
        assert_eq!(Spellings::open(Some("ENC[nonsense]"), &cipher, 400, "ABC").get(3), None);
        assert!(Spellings::default().seal(&key, &cipher, 400, "ABC").is_none());
    }

    #[test]
    fn a_truncated_note_is_no_note() {
        for note in [
            &[][..],
            &[FORM],
            &[FORM, 1, 0, 9, b'x'],
            &[FORM, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            &[2, 1],
        ] {
            assert!(Spellings::read(note, 1).is_none_or(|read| read.by_item.is_empty()));
        }
    }
}
