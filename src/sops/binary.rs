//! The binary store: any bytes as one sealed value `data` in a JSON object (format, section 1.7). Drafts have the same form and a
//! mark in the metadata.

use zeroize::Zeroizing;

use super::block::{self, JsonLayout};
use super::error::Error;
use super::open::{MacCheck, Opened, proven, verify};
use super::seal::{Order, metadata, same_but_for_values};
use super::sealed::{Sealed, envelope, in_the_clear_anyway};
use super::walk::{Visit, Walk};
use crate::crypt::{Cipher, DataKey, Kind, Mac};
use crate::document::{Leaf, Value, json};
use crate::text::Position;

/// The additional authenticated data of the one value.
const AAD: &[u8] = b"data:";

/// Whether the sealed form is marked as a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Draft {
    Yes,
    No,
}

/// The one value, which is called `data` and stands at the root; and whether it is sealed: releases before 3.11 followed a selection
/// here too. SOPS's MAC is over whatever else there is, so there must be nothing.
fn data<'s, 't>(sealed: &'s Sealed<'t>) -> Result<(&'s Leaf<'t>, bool), Error> {
    let selection = sealed.metadata.selection.resolve()?;
    let mut walk = Walk::new(&sealed.document, &selection);
    let mut found = None;
    while let Some(visit) = walk.next() {
        match visit {
            Visit::Leaf(leaf, sealed) if found.is_none() && walk.depth() == 0 && walk.aad().as_bytes() == AAD => {
                found = Some((leaf, sealed));
            }
            Visit::Leaf(leaf, _) if !in_the_clear_anyway(leaf) => {
                return Err(Error::Metadata("there is more than `data` beside it"));
            }
            _ => {}
        }
    }
    found.ok_or(Error::Metadata(
        "there is no `data` beside it; the file is not a binary one",
    ))
}

pub(super) fn open(sealed: &Sealed<'_>, data_key: DataKey, check: MacCheck) -> Result<Opened, Error> {
    let (leaf, is_sealed) = data(sealed)?;
    let place = || Position::at(sealed.document.text.as_bytes(), leaf.span.start);
    let cipher = Cipher::new(&data_key);
    let content = if leaf.value.is_empty_text() {
        Zeroizing::default()
    } else if !is_sealed {
        let Value::Str(content) = &leaf.value else {
            return Err(Error::Metadata("`data` beside it is no text"));
        };
        Zeroizing::new(content.to_vec())
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
    let mut mac = if sealed.metadata.mac_only_encrypted {
        Mac::only_encrypted()
    } else {
        Mac::new()
    };
    if is_sealed || !sealed.metadata.mac_only_encrypted {
        mac.update(&content);
    }
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
