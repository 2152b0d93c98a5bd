//! The binary store: any bytes as one sealed value `data` in a JSON object (format, section 1.7). Drafts have the same form and a
//! mark in the metadata.

use zeroize::Zeroizing;

use super::block::{self, JsonLayout};
use super::error::Error;
use super::open::{MacCheck, Opened, proven, verify};
use super::seal::{Order, metadata, same_but_for_values};
use super::sealed::{Sealed, envelope};
use crate::crypt::{Cipher, DataKey, Kind, Mac};
use crate::document::{Item, Leaf, json};
use crate::text::Position;

/// The additional authenticated data of the one value.
const AAD: &[u8] = b"data:";

/// Whether the sealed form is marked as a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Draft {
    Yes,
    No,
}

/// The leaf `data` at the root.
fn data<'s, 't>(sealed: &'s Sealed<'t>) -> Option<&'s Leaf<'t>> {
    let mut depth = 0_usize;
    sealed.document.items.iter().find_map(|item| {
        match item {
            Item::Enter(_) => depth += 1,
            Item::Leave => depth = depth.saturating_sub(1),
            Item::Leaf(leaf) if depth == 0 && leaf.key.as_ref().is_some_and(|key| key.name == "data") => {
                return Some(leaf);
            }
            _ => {}
        }
        None
    })
}

pub(super) fn open(sealed: &Sealed<'_>, data_key: DataKey, check: MacCheck) -> Result<Opened, Error> {
    let leaf = data(sealed).ok_or(Error::Metadata(
        "there is no `data` beside it; the file is not a binary one",
    ))?;
    let place = || Position::at(sealed.document.text.as_bytes(), leaf.span.start);
    let cipher = Cipher::new(&data_key);
    let content = if leaf.value.is_empty_text() {
        Zeroizing::default()
    } else {
        let envelope = envelope(leaf).ok_or_else(|| Error::ValueInTheClear { place: place() })?;
        let opened = cipher
            .open(&envelope, AAD)
            .map_err(|source| Error::Value { place: place(), source });
        let (kind, content) = opened?;
        if !matches!(kind, Kind::Str | Kind::Bytes) {
            let (place, kind) = (place(), kind.word());
            return Err(Error::Content { place, kind });
        }
        content
    };
    let mut mac = Mac::new();
    mac.update(&content);
    let digest = mac.finish();
    verify(sealed, &cipher, &digest, check)?;
    Ok(Opened {
        content,
        text: None,
        digest: proven(sealed, &cipher, &digest),
        data_key,
        tokens: Vec::new(),
        hasher: std::hash::RandomState::new(),
    })
}

pub(super) fn seal(content: &[u8], order: &Order<'_>, draft: Draft) -> Result<String, Error> {
    let cipher = Cipher::new(order.data_key);
    let mut envelope = String::new();
    if !content.is_empty() {
        let nonce = order
            .data_key
            .derive_nonce(&[Kind::Str.word().as_bytes(), AAD, content]);
        cipher.seal(Kind::Str, content, AAD, &nonce, &mut envelope)?;
    }
    let mut mac = Mac::new();
    mac.update(content);
    // A rule's selection and MAC setting are about keys, and there are none: the one value is always sealed and covered.
    let order = &Order {
        recipients: order.recipients.clone(),
        mac_only_encrypted: false,
        ..*order
    };
    let mut metadata = metadata(order, &cipher, &mac.finish(), None)?;
    metadata.selection = super::SelectionSettings::default();
    metadata.draft = draft == Draft::Yes;
    let kept = order.base.and_then(|(sealed, _)| {
        same_but_for_values(&sealed.metadata, &metadata)
            .then(|| sealed.member_with(&metadata))
            .flatten()
    });
    let layout = JsonLayout::Lines("\t".to_owned());
    let block = kept.unwrap_or_else(|| block::json_value(&metadata.to_node(), &layout, 1));
    Ok(format!(
        "{{\n\t\"data\": {},\n\t\"sops\": {block}\n}}\n",
        json::quote(&envelope)
    ))
}
