//! A document sealed: each selected leaf in its envelope, all else byte for byte, the metadata behind it.
//!
//! Sealing is a function: with the same data key, time and earlier state the same text gives the same bytes. Nonces are derived
//! from the data key, the place and the value, never drawn.

use std::borrow::Cow;
use std::collections::HashMap;

use super::copy::{Copy, in_the_clear};
use super::door::{self, Door};
use super::error::Error;
use super::metadata::{FORMAT_VERSION, Group, Metadata};
use super::open::{MacCheck, Opened, open_content, region, spell};
use super::reuse::Reuse;
use super::sealed::{Sealed, hashed, parse_document};
use super::selection::SelectionSettings;
use super::spelling::Spellings;
use super::walk::{Visit, Walk};
use super::{binary, flat, kind, placement};
use crate::crypt::{Cipher, DataKey, Kind, Mac};
use crate::document::edit::{Edit, apply};
use crate::document::{Comment, Container, Document, Format, Leaf, Origin, RootStyle, Shape, Style, ini, json, yaml};
use crate::text::Position;

/// What to seal with.
pub struct Order<'o> {
    /// The key of the file: the earlier state's, or a new one.
    pub data_key: &'o DataKey,
    /// For whom it is wrapped.
    pub recipients: Recipients,
    /// Which leaves are sealed.
    pub selection: &'o SelectionSettings,
    /// Whether the MAC covers sealed leaves only.
    pub mac_only_encrypted: bool,
    /// The time to note if a value changes: RFC 3339, UTC, whole seconds.
    pub now: &'o str,
    /// The earlier state, sealed with the same data key.
    pub base: Option<(&'o Sealed<'o>, &'o Opened)>,
    /// A further state, sealed with the same data key, whose ciphertext stays where the earlier state has none.
    pub also: Option<(&'o Sealed<'o>, &'o Opened)>,
    /// What an earlier state under another data key said: its version and what we do not know in it are kept.
    pub heritage: Option<&'o Metadata>,
}

/// For whom the data key is wrapped.
#[derive(Debug, Clone)]
pub enum Recipients {
    /// As in the earlier state.
    Keep,
    /// For these groups.
    Are {
        /// The groups with their wrapped keys.
        groups: Vec<Group>,
        /// The threshold of several groups.
        threshold: Option<u32>,
    },
}

/// How faithful a sealed text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    /// Opening it gives back the same bytes.
    Exact,
    /// Opening it gives back the same values in another layout.
    Values,
}

/// Seals a plain file.
///
/// The result is opened again before it is handed out: what can't be opened is never written.
///
/// # Errors
/// [`Error::Document`] for what is no document, [`Error::Reserved`] for one with a `sops` entry, [`Error::Regex`] and
/// [`Error::TwoSelections`] for the selection.
pub fn seal(format: Format, content: &[u8], order: &Order<'_>) -> Result<(Vec<u8>, Fidelity), Error> {
    let sealed = if format == Format::Binary {
        binary::seal(content, order, binary::Draft::No)?
    } else {
        seal_text(format, content, order)?
    };
    let key = DataKey::from_bytes(order.data_key.as_bytes())?;
    let back = open_content(format, Sealed::parse(format, sealed.as_bytes())?, key, MacCheck::Verify)?;
    let fidelity = if back.as_slice() == content {
        Fidelity::Exact
    } else {
        Fidelity::Values
    };
    Ok((sealed.into_bytes(), fidelity))
}

/// Seals any bytes as an opaque draft: what can't be parsed must not break Git, and must not be committed either.
///
/// # Errors
/// [`Error::Crypt`] only.
pub fn seal_draft(content: &[u8], order: &Order<'_>) -> Result<Vec<u8>, Error> {
    Ok(binary::seal(content, order, binary::Draft::Yes)?.into_bytes())
}

fn seal_text(format: Format, content: &[u8], order: &Order<'_>) -> Result<String, Error> {
    let (text, encoding) = door::text_of(format, content)?;
    let document = parse_document(format, &text)?;
    if let Some(flaw) = document.flaws.first() {
        return Err(flaw.clone().into());
    }
    if !placement::entries(&document).is_empty() {
        return Err(Error::Reserved);
    }
    match Door::of(&document, encoding) {
        (door, None) => seal_document(document, door.as_ref(), order),
        (door, Some(text)) => seal_document(parse_document(format, &text)?, door.as_ref(), order),
    }
}

/// Seals a document that can stay as it is but for its leaves.
fn seal_document(document: Document<'_>, door: Option<&Door>, order: &Order<'_>) -> Result<String, Error> {
    let mut sealer = Sealer::new(&document, order);
    let digest = sealer.walk(&order.selection.resolve()?)?;
    if let Some(door) = door {
        sealer.spellings.insert(sealer.items, &door.written());
    }
    let layout = sealer
        .spellings
        .seal(order.data_key, &sealer.cipher, sealer.items, &digest);
    let metadata = metadata(order, &sealer.cipher, &digest, layout)?;
    let mut edits = sealer.edits;
    edits.extend(block(&document, order, &metadata));
    let text = document.text;
    // The walk through a large file takes more room than the file.
    drop(document);
    Ok(std::mem::take(&mut *apply(text, edits).text))
}

/// The metadata for the values with this digest.
pub(super) fn metadata(
    order: &Order<'_>,
    cipher: &Cipher,
    digest: &str,
    layout: Option<String>,
) -> Result<Metadata, Error> {
    let mut metadata = order
        .base
        .map(|(sealed, _)| &sealed.metadata)
        .or(order.heritage)
        .cloned()
        .unwrap_or_default();
    let unchanged = order.base.is_some_and(|(sealed, opened)| {
        opened.digest == digest
            && sealed.metadata.mac_only_encrypted == order.mac_only_encrypted
            && !sealed.metadata.mac.is_empty()
    });
    if let Recipients::Are { groups, threshold } = &order.recipients {
        metadata.groups.clone_from(groups);
        metadata.threshold = *threshold;
    }
    if metadata
        .groups
        .iter()
        .all(|group| group.age.is_empty() && group.foreign.is_empty())
    {
        return Err(Error::NoRecipient);
    }
    metadata.selection = order.selection.or_default();
    metadata.mac_only_encrypted = order.mac_only_encrypted;
    metadata.layout = layout;
    metadata.draft = false;
    if metadata.version.is_empty() {
        FORMAT_VERSION.clone_into(&mut metadata.version);
    }
    if !unchanged {
        order.now.clone_into(&mut metadata.last_modified);
        let nonce = order
            .data_key
            .derive_nonce(&[b"mac", order.now.as_bytes(), digest.as_bytes()]);
        metadata.mac.clear();
        cipher.seal(
            Kind::Str,
            digest.as_bytes(),
            order.now.as_bytes(),
            &nonce,
            &mut metadata.mac,
        )?;
    }
    Ok(metadata)
}

/// The edits that put the block into the document: the earlier block's text with other values where that is enough.
fn block(document: &Document<'_>, order: &Order<'_>, metadata: &Metadata) -> Vec<Edit> {
    if let Some((sealed, _)) = order.base
        && same_but_for_values(&sealed.metadata, metadata)
    {
        let flat = |document: &Document<'_>| placement::roots(document).any(|(_, root)| root.style == RootStyle::Lines);
        if flat(document) {
            // A draft before may have been JSON.
            let block = flat(&sealed.document)
                .then(|| flat::block_with(sealed, metadata))
                .flatten();
            if let Some(block) = block {
                return vec![flat::insert(document, &block)];
            }
            return placement::insert(document, &metadata.to_node());
        }
        let lines = sealed
            .block_with(metadata, 0)
            .and_then(|block| placement::insert_lines(document, &block));
        let edits = lines.or_else(|| {
            let member = sealed.member_with(metadata)?;
            placement::insert_member(document, &member)
        });
        if let Some(edits) = edits {
            return edits;
        }
    }
    placement::insert(document, &metadata.to_node())
}

/// Whether two blocks differ at most in MAC, time and layout note.
pub(super) fn same_but_for_values(old: &Metadata, new: &Metadata) -> bool {
    let blank = |metadata: &Metadata| Metadata {
        last_modified: String::new(),
        mac: String::new(),
        layout: None,
        ..metadata.clone()
    };
    blank(old) == blank(new)
}

struct Sealer<'d, 't> {
    document: &'d Document<'t>,
    data_key: &'d DataKey,
    cipher: Cipher,
    /// What can stay, of the nearest state first.
    reuse: Vec<Reuse<'d>>,
    only_encrypted: bool,
    edits: Vec<Edit>,
    spellings: Spellings,
    /// How often a value was sealed at its place: elements of a list share one place, and equal ones must not look equal.
    ///
    /// Keyed by the first bytes of the nonce: that two of them agree by chance would do no harm.
    seen: HashMap<[u8; 8], u32>,
    items: u32,
    copy: Option<Copy>,
}

impl<'d, 't> Sealer<'d, 't> {
    fn new(document: &'d Document<'t>, order: &Order<'d>) -> Self {
        Self {
            document,
            data_key: order.data_key,
            cipher: Cipher::new(order.data_key),
            reuse: [order.base, order.also]
                .into_iter()
                .flatten()
                .map(|(sealed, opened)| Reuse::new(sealed, opened))
                .collect(),
            only_encrypted: order.mac_only_encrypted,
            edits: Vec::with_capacity(document.items.len()),
            spellings: Spellings::default(),
            seen: HashMap::new(),
            items: 0,
            copy: None,
        }
    }

    /// Seals the selected leaves; returns the digest of the values.
    fn walk(&mut self, selection: &super::Selection) -> Result<String, Error> {
        let mut mac = if self.only_encrypted {
            Mac::only_encrypted()
        } else {
            Mac::new()
        };
        let mut walk = Walk::new(self.document, selection);
        while let Some(visit) = walk.next() {
            match visit {
                Visit::Leaf(leaf, sealed) => {
                    if let Some(bytes) = hashed(leaf).filter(|_| sealed || !self.only_encrypted) {
                        mac.update(&bytes);
                    }
                    self.leaf(leaf, sealed, &walk)?;
                }
                Visit::Comment(comment, sealed) => {
                    if sealed && !comment.text.is_empty() {
                        self.comment(comment, &walk, selection)?;
                    }
                }
                Visit::Enter(container) => self.enter(container, &walk),
                Visit::Leave => self.leave(&walk),
                Visit::Begin => {}
            }
        }
        self.items = walk.count();
        Ok(mac.finish())
    }

    fn enter(&mut self, container: &Container<'_>, walk: &Walk<'_, '_, '_>) {
        if let Some(copy) = &mut self.copy {
            copy.enter(container.key.as_ref(), container.shape);
        } else if container.origin == Origin::Alias {
            self.spellings
                .insert(walk.ordinal(), container.span.of(self.document.text));
            self.copy = Some(Copy::new(container.span, container.shape, walk.depth()));
        }
    }

    fn leave(&mut self, walk: &Walk<'_, '_, '_>) {
        let Some(copy) = &mut self.copy else { return };
        copy.leave(walk.left().unwrap_or(Shape::Map));
        if walk.depth() < copy.depth
            && let Some(copy) = self.copy.take()
        {
            self.edits.push(copy.edit);
        }
    }

    fn leaf(&mut self, leaf: &Leaf<'t>, sealed: bool, walk: &Walk<'_, '_, '_>) -> Result<(), Error> {
        let kind = kind::of_value(&leaf.value).filter(|_| sealed && !leaf.value.is_empty_text());
        if self.copy.is_some() {
            return self.copied_leaf(leaf, kind, walk);
        }
        let Some(kind) = kind else {
            self.clear_leaf(leaf, walk);
            return Ok(());
        };
        let token = leaf.span.of(self.document.text);
        let old = self.reuse.iter_mut().find_map(|reuse| {
            let old = reuse.take(walk.aad(), false, token.as_bytes())?;
            (old.kind == kind || reads_the_same(old.kind, leaf, token)).then(|| (old, reuse.sealed_text(old)))
        });
        if let Some((old, sealed)) = old {
            let part = region(leaf, old.style);
            if old.noted {
                self.spellings.insert(walk.ordinal(), part.of(self.document.text));
            }
            self.edits.push(Edit::new(part, sealed));
            return Ok(());
        }
        let plaintext = kind::plaintext(&leaf.value, token);
        let (style, exact) = self.style(leaf, &plaintext, walk.aad());
        let part = region(leaf, style);
        if !exact {
            self.spellings.insert(walk.ordinal(), part.of(self.document.text));
        }
        let envelope = self.envelope(kind, &plaintext, walk.aad())?;
        let text = match self.document.format {
            Format::Yaml => yaml::sealed_token(style, leaf.context.in_flow, leaf.context.indent, &envelope),
            Format::Ini => ini::sealed_token(style, &envelope),
            Format::Dotenv => envelope,
            Format::Json | Format::Binary => json::quote(&envelope),
        };
        self.edits.push(Edit::new(part, text));
        Ok(())
    }

    /// A leaf that stays in the clear. An alias can't stay: what it refers to may be sealed.
    fn clear_leaf(&mut self, leaf: &Leaf<'t>, walk: &Walk<'_, '_, '_>) {
        if leaf.origin == Origin::Alias {
            self.spellings.insert(walk.ordinal(), leaf.span.of(self.document.text));
            self.edits.push(Edit::new(leaf.span, in_the_clear(leaf)));
        }
    }

    fn copied_leaf(&mut self, leaf: &Leaf<'t>, kind: Option<Kind>, walk: &Walk<'_, '_, '_>) -> Result<(), Error> {
        let text = match kind {
            Some(kind) => {
                let plaintext = leaf.value.plain_bytes().unwrap_or_default();
                format!("\"{}\"", self.envelope(kind, &plaintext, walk.aad())?)
            }
            None => in_the_clear(leaf),
        };
        if let Some(copy) = &mut self.copy {
            copy.leaf(leaf.key.as_ref(), &text);
        }
        Ok(())
    }

    /// How to write the sealed token, and whether opening it gives back the text as it is.
    fn style(&self, leaf: &Leaf<'_>, plaintext: &[u8], aad: &str) -> (Style, bool) {
        let exact = |style| {
            let text = spell(self.document.format, leaf, style, &leaf.value, plaintext);
            text.as_deref() == Some(region(leaf, style).of(self.document.text))
        };
        let own = match leaf.style {
            Style::Plain if leaf.context.in_flow => Style::FlowPlain,
            Style::Other if leaf.context.in_flow || self.is_followed(leaf) => Style::Double,
            Style::Other => Style::Plain,
            style => style,
        };
        let earlier = self
            .reuse
            .iter()
            .find_map(|reuse| reuse.style_at(aad))
            .filter(|&style| {
                style != own
                    && matches!(style, Style::Plain | Style::Single | Style::Double)
                    && !leaf.context.header_comment
            });
        match earlier {
            Some(style) if !(style == Style::Plain && leaf.context.in_flow) && exact(style) => (style, true),
            _ => (own, exact(own)),
        }
    }

    /// Whether something stands right behind a leaf: a comment behind quotes needs no blank before it, behind an envelope without
    /// quotes it would be a part of it.
    fn is_followed(&self, leaf: &Leaf<'_>) -> bool {
        let rest = self.document.text.get(leaf.span.end..).unwrap_or_default();
        rest.starts_with('#')
    }

    fn comment(
        &mut self,
        comment: &Comment<'t>,
        walk: &Walk<'_, '_, '_>,
        selection: &super::Selection,
    ) -> Result<(), Error> {
        let plaintext = match self.document.format {
            Format::Ini => ini::comment_plaintext(self.document.text, comment),
            _ => Cow::Borrowed(comment.text.as_ref()),
        };
        let earlier = self.reuse.iter_mut().find_map(|reuse| {
            let token = reuse.take(walk.aad(), true, plaintext.as_bytes())?;
            let text = reuse.sealed_text(token);
            text.find("ENC[")
                .and_then(|at| text.get(at..))
                .filter(|text| text.ends_with(']'))
                .map(str::to_owned)
        });
        let envelope = match earlier {
            Some(envelope) => envelope,
            None => self.envelope(Kind::Comment, plaintext.as_bytes(), walk.aad())?,
        };
        if matches!(selection, super::Selection::UnencryptedCommentRegex(_)) && selection.matches_comment(&envelope) {
            let place = Position::at(self.document.text.as_bytes(), comment.span.start);
            return Err(Error::CommentMatchesSealed { place });
        }
        if self.document.format == Format::Ini {
            self.edits
                .extend(ini::sealed_comment(self.document.text, comment, &envelope));
        } else {
            self.edits.push(Edit::new(comment.span, envelope));
        }
        Ok(())
    }

    fn envelope(&mut self, kind: Kind, plaintext: &[u8], aad: &str) -> Result<String, Error> {
        let mut place = vec![kind.word().as_bytes(), aad.as_bytes(), plaintext];
        if self.copy.is_some() && kind != Kind::Comment {
            // Copies are sealed each time, what they are copies of is reused: counted together, one would depend on the other.
            place.push(b"copy");
        }
        let mut nonce = self.data_key.derive_nonce(&place);
        let times = self
            .seen
            .entry(nonce.first_chunk().copied().unwrap_or_default())
            .or_insert(0);
        *times += 1;
        if *times > 1 {
            let times = times.to_le_bytes();
            place.push(&times);
            nonce = self.data_key.derive_nonce(&place);
        }
        let mut envelope = String::new();
        self.cipher
            .seal(kind, plaintext, aad.as_bytes(), &nonce, &mut envelope)?;
        Ok(envelope)
    }
}

/// Whether a token that was sealed as another kind is hashed alike: SOPS before 3.13.2 stored each JSON number as a double.
fn reads_the_same(kind: Kind, leaf: &Leaf<'_>, token: &str) -> bool {
    let read = kind::decode(kind, token.as_bytes(), || Position { line: 0, column: 0 });
    matches!(kind, Kind::Int | Kind::Float) && read.is_ok_and(|read| read.plain_bytes() == leaf.value.plain_bytes())
}
