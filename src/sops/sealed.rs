//! A sealed file as read: its document, its metadata, and where the parts of the metadata lie that change.

use std::borrow::Cow;

use super::block::{self, JsonLayout};
use super::error::Error;
use super::flat;
use super::metadata::{DRAFT, LAYOUT, Metadata};
use super::node::Node;
use super::placement::{self, Entry};
use super::walk::{RESERVED, Visit, Walk};
use crate::crypt::{Envelope, looks_like};
use crate::document::{Comment, Document, Format, Item, Leaf, Origin, RootStyle, Value, dotenv, ini, json, yaml};
use crate::text::{Position, Span};

/// A file with a `sops` block.
#[derive(Debug, Clone)]
pub struct Sealed<'t> {
    /// The whole file, block included.
    pub document: Document<'t>,
    /// What the block says.
    pub metadata: Metadata,
    /// The block of each document.
    pub(super) entries: Vec<Entry>,
}

/// Reads a text as a document of this format; a binary file's sealed form is JSON.
///
/// # Errors
/// [`Error::Document`].
pub fn parse_document(format: Format, text: &str) -> Result<Document<'_>, Error> {
    match format {
        Format::Yaml => Ok(yaml::parse(text)?),
        Format::Json | Format::Binary => Ok(json::parse(text)?),
        Format::Dotenv => Ok(dotenv::parse(text)?),
        Format::Ini => Ok(ini::parse(text, RESERVED)?),
    }
}

impl<'t> Sealed<'t> {
    /// Reads a sealed file. A draft is read as what it is, whatever the format.
    ///
    /// # Errors
    /// [`Error::NotSealed`] for a plain document, [`Error::Document`] for what is none, [`Error::Metadata`] for a broken block.
    pub fn parse(format: Format, bytes: &'t [u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes).map_err(|_| Error::NotUtf8)?;
        if text.starts_with('{') && text.contains(DRAFT) {
            let draft = json::parse(text).map_err(Error::from).and_then(Self::of_document);
            if let Ok(draft) = draft
                && draft.metadata.draft
            {
                return Ok(draft);
            }
        }
        Self::of_document(parse_document(format, text)?)
    }

    /// Takes a document that has a `sops` entry in its first part.
    ///
    /// # Errors
    /// [`Error::NotSealed`], [`Error::Metadata`].
    pub fn of_document(document: Document<'t>) -> Result<Self, Error> {
        let entries = placement::entries(&document);
        let mut first = entries.iter().filter(|entry| entry.part == 0);
        let Some(entry) = first.next() else {
            return Err(Error::NotSealed);
        };
        // In dotenv, each entry is a part of the whole.
        if first.next().is_some() && document.format != Format::Dotenv {
            return Err(Error::Metadata("it stands twice"));
        }
        let node = if entry.root.style == RootStyle::Lines {
            flat::read(&document, &entries)?
        } else {
            let items = document.items.get(entry.item..entry.item + entry.length);
            Node::of_items(items.unwrap_or_default())
        };
        let metadata = Metadata::read(&node)?;
        Ok(Self {
            document,
            metadata,
            entries,
        })
    }

    /// Whether every leaf that the file's own settings seal is sealed, and the block is complete. Needs no key.
    ///
    /// # Errors
    /// The first thing that is not in order: [`Error::ValueInTheClear`], [`Error::NoMac`], [`Error::Metadata`].
    pub fn check_structure(&self) -> Result<(), Error> {
        self.check_version()?;
        if Envelope::parse(&self.metadata.mac).is_none() {
            return Err(Error::NoMac);
        }
        match self.clear_leaves(&self.metadata.selection.resolve()?).first() {
            Some(&place) => Err(Error::ValueInTheClear { place }),
            None => Ok(()),
        }
    }

    /// The version must be a number of three parts, as SOPS demands.
    pub(super) fn check_version(&self) -> Result<(), Error> {
        let version = self.metadata.version.trim_start_matches('v');
        let parts = version.split('.').count();
        if is_semantic(version) || version.starts_with("1.") && parts >= 2 && version.split('.').all(is_number) {
            return Ok(());
        }
        Err(Error::Metadata("`version` is missing or no version"))
    }

    /// Where leaves and comments stand in the clear that `selection` seals.
    #[must_use]
    pub fn clear_leaves(&self, selection: &super::Selection) -> Vec<Position> {
        let text = self.document.text.as_bytes();
        let mut places = Vec::new();
        let mut walk = Walk::new(&self.document, selection);
        while let Some(visit) = walk.next() {
            match visit {
                Visit::Leaf(leaf, true) if !is_sealed_or_empty(leaf) => {
                    places.push(Position::at(text, leaf.span.start));
                }
                Visit::Leaf(leaf, _) if envelope(leaf).is_some_and(|envelope| envelope.kind_word == "comment") => {
                    walk.leaf_was_comment(&String::from_utf8_lossy(&leaf.value.plain_bytes().unwrap_or_default()));
                }
                Visit::Comment(comment, true) if !comment.text.is_empty() && !comment_is_sealed(comment) => {
                    places.push(Position::at(text, comment.span.start));
                }
                _ => {}
            }
        }
        places
    }

    /// Whether there are values and comments, and none of them is sealed.
    #[must_use]
    pub fn is_all_clear(&self) -> bool {
        let nothing = super::Selection::UnencryptedSuffix(String::new());
        let mut walk = Walk::new(&self.document, &nothing);
        let mut values = 0_usize;
        while let Some(visit) = walk.next() {
            match visit {
                Visit::Leaf(leaf, _) => match &leaf.value {
                    Value::Str(text) if std::str::from_utf8(text).is_ok_and(looks_like) => return false,
                    _ => values += usize::from(!in_the_clear_anyway(leaf)),
                },
                Visit::Comment(comment, _) if looks_like(&comment.text) => return false,
                _ => {}
            }
        }
        values > 0
    }

    /// The text of the block with other values for `mac`, `lastmodified` and the layout, all else byte for byte. `None` where the
    /// block can't be reused so: its fields are not written one a line, or it lacks one of them.
    pub(super) fn block_with(&self, fields: &Metadata, column: usize) -> Option<String> {
        let entry = self.entries.first()?;
        if !matches!(entry.root.style, RootStyle::Block { column: own } if own == column) {
            return None;
        }
        let mut extent = placement::extent(&self.document, entry);
        if self
            .document
            .text
            .get(extent.start..)
            .is_some_and(|text| text.starts_with('\n'))
        {
            extent.start += 1;
        }
        self.spliced(entry, extent, fields, &|name, value, leaf| {
            let key = leaf.key.as_ref()?;
            let line = self
                .document
                .text
                .get(..key.span.start)?
                .rfind('\n')
                .map_or(0, |newline| newline + 1);
            let text = block::yaml_field(name, value, key.span.start - line);
            Some((line, text))
        })
    }

    /// As [`Sealed::block_with`], for a root in braces: the value of the `sops` member.
    pub(super) fn member_with(&self, fields: &Metadata) -> Option<String> {
        let entry = self.entries.first()?;
        let Some(Item::Enter(container)) = self.document.items.get(entry.item) else {
            return None;
        };
        let begin = placement::roots(&self.document).next()?.0;
        let (between, layout) = placement::flow_layout(&self.document, begin);
        let separator = match &layout {
            JsonLayout::Line => ", ".to_owned(),
            JsonLayout::Lines(unit) => format!(",{between}{unit}"),
        };
        self.spliced(entry, container.span, fields, &|name, value, leaf| {
            let text = format!(
                "{}: {}{separator}",
                json::quote(name),
                block::json_value(value, &layout, 2)
            );
            Some((leaf.key.as_ref()?.span.start, text))
        })
    }

    fn spliced(&self, entry: &Entry, extent: Span, fields: &Metadata, line: &FieldText<'_>) -> Option<String> {
        use crate::document::edit::{Edit, apply};
        let mac = self.field(entry, "mac")?;
        let modified = self.field(entry, "lastmodified")?;
        let quoted = modified.span.of(self.document.text).starts_with(['"', '\'']);
        let mac_token = match mac.span.of(self.document.text).chars().next()? {
            quote @ ('"' | '\'') => format!("{quote}{}{quote}", fields.mac),
            _ => fields.mac.clone(),
        };
        let mut edits = vec![Edit::new(mac.span, mac_token)];
        if fields.last_modified != self.metadata.last_modified || !quoted {
            edits.push(Edit::new(modified.span, json::quote(&fields.last_modified)));
        }
        match (self.field(entry, LAYOUT), &fields.layout) {
            (None, None) => {}
            (Some(old), Some(new)) => {
                let quote = if old.span.of(self.document.text).starts_with('"') {
                    "\""
                } else {
                    ""
                };
                edits.push(Edit::new(old.span, format!("{quote}{new}{quote}")));
            }
            (None, Some(new)) => {
                let (at, text) = line(LAYOUT, &Node::Text(new.clone()), modified)?;
                edits.push(Edit::new(Span::new(at, at), text));
            }
            // The way back is rare: the block is written anew.
            (Some(_), None) => return None,
        }
        let shifted = edits.into_iter().map(|mut edit| {
            edit.span = Span::new(
                edit.span.start.checked_sub(extent.start)?,
                edit.span.end.checked_sub(extent.start)?,
            );
            Some(edit)
        });
        let edits: Vec<Edit> = shifted.collect::<Option<_>>()?;
        Some(apply(extent.of(self.document.text), edits).text.to_string())
    }

    /// A scalar field directly in the block.
    fn field(&self, entry: &Entry, name: &str) -> Option<&Leaf<'t>> {
        let mut depth = 0;
        for item in self.document.items.get(entry.item..entry.item + entry.length)? {
            match item {
                Item::Enter(_) => depth += 1,
                Item::Leave => depth -= 1,
                Item::Leaf(leaf) if depth == 1 && leaf.key.as_ref().is_some_and(|key| key.name == name) => {
                    return Some(leaf);
                }
                _ => {}
            }
        }
        None
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is a version by the rules of semantic versions: no number begins with a zero.
fn is_semantic(version: &str) -> bool {
    let (version, build) = version
        .split_once('+')
        .map_or((version, None), |(core, build)| (core, Some(build)));
    let (core, before) = version
        .split_once('-')
        .map_or((version, None), |(core, before)| (core, Some(before)));
    let number = |part: &str| is_number(part) && (part == "0" || !part.starts_with('0')) && part.parse::<u64>().is_ok();
    let word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    core.split('.').count() == 3
        && core.split('.').all(number)
        && before.is_none_or(|before| {
            before
                .split('.')
                .all(|part| word(part) && (!is_number(part) || number(part)))
        })
        && build.is_none_or(|build| build.split('.').all(word))
}

/// The text of a further field, and the offset where it goes: right before the field that is given.
type FieldText<'f> = dyn Fn(&str, &Node, &Leaf<'_>) -> Option<(usize, String)> + 'f;

/// The envelope that a leaf holds, if it is one.
pub(super) fn envelope<'l>(leaf: &'l Leaf<'_>) -> Option<Envelope<'l>> {
    let Value::Str(text) = &leaf.value else { return None };
    Envelope::parse(std::str::from_utf8(text).ok()?)
}

/// The bytes of a leaf that the MAC is over. What SOPS doesn't see, it doesn't hash.
pub(super) fn hashed<'l>(leaf: &'l Leaf<'_>) -> Option<Cow<'l, [u8]>> {
    leaf.value.plain_bytes().filter(|_| leaf.origin != Origin::Overridden)
}

/// Whether a leaf has nothing to seal, whatever the selection says.
pub(super) fn in_the_clear_anyway(leaf: &Leaf<'_>) -> bool {
    matches!(leaf.value, Value::Null) || leaf.value.is_empty_text()
}

/// Whether a comment is an envelope; further lines of it may hold nothing but their comment characters.
fn comment_is_sealed(comment: &Comment<'_>) -> bool {
    let (first, more) = comment.text.split_once('\n').unwrap_or((&comment.text, ""));
    let bare = |line: &str| line.chars().all(|c| c.is_whitespace() || matches!(c, '#' | ';'));
    Envelope::parse(first).is_some() && (comment.rest.is_empty() || more.lines().all(bare))
}

fn is_sealed_or_empty(leaf: &Leaf<'_>) -> bool {
    in_the_clear_anyway(leaf) || envelope(leaf).is_some()
}
