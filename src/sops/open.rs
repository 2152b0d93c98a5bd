//! A sealed file opened: every value decrypted, the MAC checked, and the text as it was before it was sealed.

use std::hash::{BuildHasher, RandomState};

use zeroize::Zeroizing;

use super::door::Door;
use super::error::Error;
use super::kind;
use super::list_comments::{Lists, dash, empty_list};
use super::sameness::{self, Sameness};
use super::sealed::{Sealed, envelope, hashed, in_the_clear_anyway};
use super::spelling::Spellings;
use super::walk::{Visit, Walk};
use super::{binary, placement};
use crate::crypt::{Cipher, DataKey, Envelope, Kind, Mac, mac_equal};
use crate::document::edit::{Edit, apply};
use crate::document::{Comment, Container, Fault, Format, Item, Leaf, Origin, Style, Value, dotenv, ini, json, yaml};
use crate::text::{Position, Span};

/// What becomes of leaves that stand in the clear though the file's settings seal them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clear {
    /// The file is refused, as SOPS does.
    Refuse,
    /// They are taken as they are, and the MAC, which can't fit, is not asked for: for sealing the file anew.
    Accept,
}

/// Whether the MAC is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacCheck {
    /// A wrong or missing one refuses the file.
    Verify,
    /// `--ignore-mac`.
    Ignore,
}

/// An opened file.
pub struct Opened {
    /// The plain content.
    pub content: Zeroizing<Vec<u8>>,
    /// The text that was sealed, where that is not `content`.
    pub(super) text: Option<Zeroizing<Vec<u8>>>,
    /// The key that its values are sealed with.
    pub data_key: DataKey,
    /// The digest of the values, as the MAC holds it; empty where the MAC is for other values.
    pub(super) digest: String,
    /// The sealed tokens and where they lie in the text that was sealed.
    pub(super) tokens: Vec<OpenedToken>,
    pub(super) hasher: RandomState,
}

impl Opened {
    /// The text that was sealed.
    pub(super) fn text(&self) -> &[u8] {
        self.text.as_ref().unwrap_or(&self.content)
    }
}

/// One sealed leaf or comment in its opened form.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenedToken {
    /// Hash of its place (see [`place_hash`]).
    pub(super) place: u64,
    /// The whole token in the text that was sealed. While that is put together: in the sealed text.
    pub(super) opened: Span,
    /// What was exchanged in the sealed text.
    pub(super) sealed: Span,
    /// How the sealed token is written.
    pub(super) style: Style,
    /// The type word of its envelope.
    pub(super) kind: Kind,
    /// Whether its spelling comes from the note.
    pub(super) noted: bool,
    /// The hash of place and text, for a token whose opened text does not lie in one piece.
    pub(super) key: Option<u64>,
}

/// What a place is keyed by when leaves of two states of a file are matched: the key path, and whether it is a comment.
pub(super) fn place_hash(hasher: &RandomState, aad: &str, comment: bool) -> u64 {
    hasher.hash_one((aad, comment))
}

/// Opens a sealed file with its data key.
///
/// # Errors
/// [`Error::Value`], [`Error::Content`], [`Error::ValueInTheClear`] for a leaf; [`Error::NoMac`], [`Error::MacMismatch`].
pub fn open(
    format: Format,
    sealed: &Sealed<'_>,
    data_key: DataKey,
    clear: Clear,
    check: MacCheck,
) -> Result<Opened, Error> {
    if format == Format::Binary || sealed.metadata.draft {
        sealed.check_version()?;
        return binary::open(sealed, data_key, check);
    }
    Ok(decrypt(format, sealed, &data_key, clear, check)?.opened(Keep::Tokens, data_key))
}

/// Opens a complete sealed file for its content alone, which takes less room.
///
/// # Errors
/// As [`open`].
pub fn open_content(
    format: Format,
    sealed: Sealed<'_>,
    data_key: DataKey,
    check: MacCheck,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    if format == Format::Binary || sealed.metadata.draft {
        return open(format, &sealed, data_key, Clear::Refuse, check).map(|opened| opened.content);
    }
    let mut decrypted = decrypt(format, &sealed, &data_key, Clear::Refuse, check)?;
    if decrypted.opener.sameness.is_some() {
        return Ok(decrypted.opened(Keep::Content, data_key).content);
    }
    let parts = decrypted
        .opener
        .parts(&decrypted.spellings, Keep::Content, Plaintexts::Drop);
    drop(decrypted);
    let text = sealed.document.text;
    // The walk through a large file takes as much room as its content, and is not needed any more.
    drop(sealed);
    Ok(parts.put_together(text).content)
}

/// What is made of a file while it is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// Its content.
    Content,
    /// Its sealed tokens too, for sealing it again.
    Tokens,
}

/// What becomes of sealed block scalars.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blocks {
    /// They stay what they are, with their headers and the blank lines below them.
    Stay,
    /// They are opened in quotes.
    Quoted,
}

/// What becomes of the plaintexts while the opened text is put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plaintexts {
    /// They may be needed once more.
    Stay,
    /// They are given up piece by piece: in a large file they take as much room as the file itself.
    Drop,
}

/// Decrypts a file and checks its MAC.
fn decrypt<'d, 't>(
    format: Format,
    sealed: &'d Sealed<'t>,
    data_key: &DataKey,
    clear: Clear,
    check: MacCheck,
) -> Result<Decryption<'d, 't>, Error> {
    sealed.check_version()?;
    if clear == Clear::Refuse {
        check_flaws(sealed)?;
    }
    let selection = sealed.metadata.selection.resolve()?;
    let mut opener = Opener::new(format, sealed, data_key, clear);
    let digest = opener.decrypt(&selection, ListComments::Active)?;
    let verified = verify(sealed, &opener.cipher, &digest, check);
    let digest = match verified {
        Err(Error::MacMismatch) if opener.saw_list_comment && clear == Clear::Refuse => {
            // SOPS up to 3.13.2 does not let a comment that is stored as a list element count for comment selections.
            opener = Opener::new(format, sealed, data_key, clear);
            let digest = opener.decrypt(&selection, ListComments::Inert)?;
            verify(sealed, &opener.cipher, &digest, check)?;
            digest
        }
        Err(_) if clear == Clear::Accept => digest,
        other => other.map(|()| digest)?,
    };
    let proven = proven(sealed, &opener.cipher, &digest);
    let spellings = Spellings::open(sealed.metadata.layout.as_deref(), &opener.cipher, opener.items, &digest);
    Ok(Decryption {
        opener,
        selection,
        spellings,
        proven,
    })
}

/// A file whose values are decrypted.
struct Decryption<'d, 't> {
    opener: Opener<'d, 't>,
    selection: super::Selection,
    spellings: Spellings,
    /// The digest, as far as the MAC proves it.
    proven: String,
}

impl Decryption<'_, '_> {
    /// The opened file.
    fn opened(mut self, keep: Keep, data_key: DataKey) -> Opened {
        let together = self.put_together(keep);
        Opened {
            content: together.content,
            text: together.text,
            data_key,
            digest: self.proven,
            tokens: together.tokens,
            hasher: self.opener.hasher,
        }
    }

    /// The opened text. The note of spellings is used where the text then says what was proven, and only there; so are the block
    /// scalars of the sealed text.
    fn put_together(&mut self, keep: Keep) -> Together {
        let text = self.opener.sealed.document.text;
        if self.opener.sameness.is_none() {
            let parts = self.opener.parts(&self.spellings, keep, Plaintexts::Drop);
            return parts.put_together(text);
        }
        let spellings = std::mem::take(&mut self.spellings);
        for spellings in [&spellings, &Spellings::default()] {
            let parts = self.opener.parts(spellings, keep, Plaintexts::Stay);
            let mut together = parts.put_together(text);
            if self.says_the_same(&mut together) {
                return together;
            }
        }
        self.opener.blocks = Blocks::Quoted;
        let parts = self.opener.parts(&Spellings::default(), keep, Plaintexts::Drop);
        let mut together = parts.put_together(text);
        self.says_the_same(&mut together);
        together
    }

    /// Whether an opened text says what was proven. A line break at its end may be what it takes: a block scalar that ends the text
    /// means it, and the sealed text may have lost its own behind the metadata.
    fn says_the_same(&self, together: &mut Together) -> bool {
        let opener = &self.opener;
        let proven = opener.sameness.as_ref().map(Sameness::finish);
        let same = |text: &[u8]| sameness::of_text(opener.format, text, &self.selection, &opener.hasher) == proven;
        if same(together.text()) {
            return true;
        }
        if together.text.is_some() || opener.format != Format::Yaml || together.content.ends_with(b"\n") {
            return false;
        }
        together.content.push(b'\n');
        let found = same(&together.content);
        if !found {
            together.content.pop();
        }
        found
    }
}

/// What an opened text is put together from.
struct Parts {
    edits: Vec<Edit>,
    door: Option<Door>,
    tokens: Vec<OpenedToken>,
}

/// An opened text.
struct Together {
    content: Zeroizing<Vec<u8>>,
    /// The text that was sealed, where that is not the content.
    text: Option<Zeroizing<Vec<u8>>>,
    tokens: Vec<OpenedToken>,
}

impl Together {
    fn text(&self) -> &[u8] {
        self.text.as_ref().unwrap_or(&self.content)
    }
}

impl Parts {
    /// The opened text; `text` is the sealed one.
    fn put_together(mut self, text: &str) -> Together {
        let edited = apply(text, self.edits);
        for token in &mut self.tokens {
            token.opened = Span::new(edited.place(token.opened.start), edited.place(token.opened.end));
        }
        let mut text = edited.text;
        let text = Zeroizing::new(std::mem::take(&mut *text).into_bytes());
        let left = self.door.and_then(|door| door.leave(std::str::from_utf8(&text).ok()?));
        let (content, text) = match left {
            Some(content) => (content, Some(text)),
            None => (text, None),
        };
        Together {
            content,
            text,
            tokens: self.tokens,
        }
    }
}

/// Refuses what SOPS can't load: of YAML it checks the first document for all flaws, and the later ones for some.
fn check_flaws(sealed: &Sealed<'_>) -> Result<(), Error> {
    let document = &sealed.document;
    if document.format != Format::Yaml {
        return Ok(());
    }
    let end = placement::roots(document).next().map_or(0, |(_, root)| root.insert_at);
    let end = Position::at(document.text.as_bytes(), end);
    let everywhere = [Fault::KeyIsNotText, Fault::IntegerTooLarge, Fault::YamlDirective];
    let mut flaws = document.flaws.iter();
    match flaws.find(|flaw| flaw.place < end || everywhere.contains(&flaw.fault)) {
        Some(flaw) => Err(flaw.clone().into()),
        None => Ok(()),
    }
}

/// Checks the MAC of a file against the digest of its values.
pub(super) fn verify(sealed: &Sealed<'_>, cipher: &Cipher, digest: &str, check: MacCheck) -> Result<(), Error> {
    if check == MacCheck::Ignore {
        return Ok(());
    }
    let envelope = Envelope::parse(&sealed.metadata.mac).ok_or(Error::NoMac)?;
    let stored = cipher.open(&envelope, sealed.metadata.last_modified.as_bytes());
    let (kind, stored) = stored.map_err(|_| Error::MacMismatch)?;
    if kind != Kind::Str {
        return Err(Error::MacMismatch);
    }
    let stored = std::str::from_utf8(&stored).map_err(|_| Error::MacMismatch)?;
    if mac_equal(stored, digest) {
        Ok(())
    } else {
        Err(Error::MacMismatch)
    }
}

/// The digest, if the MAC is for it: a MAC that is for other values must not be kept when the file is sealed again.
pub(super) fn proven(sealed: &Sealed<'_>, cipher: &Cipher, digest: &str) -> String {
    match verify(sealed, cipher, digest, MacCheck::Verify) {
        Ok(()) => digest.to_owned(),
        Err(_) => String::new(),
    }
}

/// Whether comments that SOPS stores as list elements are active comments.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ListComments {
    Active,
    Inert,
}

/// A decrypted leaf that waits for its spelling.
struct Decrypted<'d, 't> {
    item: u32,
    place: u64,
    what: What<'d, 't>,
    plaintext: Zeroizing<Vec<u8>>,
}

enum What<'d, 't> {
    Leaf(&'d Leaf<'t>, Kind),
    Comment(&'d Comment<'t>),
    /// The first of the comments that a list holds as elements, and nothing else: without them it is empty.
    OnlyComments(&'d Leaf<'t>),
    /// A container that may have been an alias.
    Container(&'d Container<'t>),
    /// A leaf in the clear that may have been an alias.
    Clear(&'d Leaf<'t>),
}

struct Opener<'d, 't> {
    format: Format,
    sealed: &'d Sealed<'t>,
    cipher: Cipher,
    clear: Clear,
    hasher: RandomState,
    decrypted: Vec<Decrypted<'d, 't>>,
    items: u32,
    saw_list_comment: bool,
    blocks: Blocks,
    /// What the opened text is held against, where it may say something else.
    sameness: Option<Sameness<<RandomState as BuildHasher>::Hasher>>,
}

impl<'d, 't> Opener<'d, 't> {
    fn new(format: Format, sealed: &'d Sealed<'t>, data_key: &DataKey, clear: Clear) -> Self {
        let hasher = RandomState::new();
        Self {
            format,
            sealed,
            cipher: Cipher::new(data_key),
            clear,
            blocks: Blocks::Stay,
            sameness: is_doubtful(sealed).then(|| Sameness::new(hasher.build_hasher())),
            hasher,
            decrypted: Vec::new(),
            items: 0,
            saw_list_comment: false,
        }
    }

    /// Decrypts all leaves and returns the digest of the values.
    fn decrypt(&mut self, selection: &super::Selection, comments: ListComments) -> Result<String, Error> {
        let only_encrypted = self.sealed.metadata.mac_only_encrypted;
        let mut mac = if only_encrypted {
            Mac::only_encrypted()
        } else {
            Mac::new()
        };
        let mut walk = Walk::new(&self.sealed.document, selection);
        let noted = self.sealed.metadata.layout.is_some();
        let mut lists = Lists::default();
        while let Some(visit) = walk.next() {
            lists.see(visit);
            if let Some(sameness) = &mut self.sameness {
                sameness.see(visit);
            }
            match visit {
                Visit::Leaf(leaf, true) if !in_the_clear_anyway(leaf) => {
                    let is_comment = self.leaf(leaf, &walk, &mut mac)?;
                    lists.leaf(is_comment.then(|| self.decrypted.len() - 1));
                    if is_comment && comments == ListComments::Active {
                        walk.leaf_was_comment(&String::from_utf8_lossy(&leaf.value.plain_bytes().unwrap_or_default()));
                    }
                }
                Visit::Leaf(leaf, sealed) => {
                    let bytes = hashed(leaf);
                    if leaf.origin != Origin::Overridden {
                        self.say(&walk, bytes.as_deref());
                    }
                    if let Some(bytes) = bytes.filter(|_| sealed || !only_encrypted) {
                        mac.update(&bytes);
                    }
                    if noted {
                        self.maybe_alias(walk.ordinal(), What::Clear(leaf));
                    }
                }
                Visit::Comment(comment, true) => self.comment(comment, &walk, &mut mac)?,
                Visit::Enter(container) if noted => self.maybe_alias(walk.ordinal(), What::Container(container)),
                _ => {}
            }
        }
        for index in lists.only_comments {
            if let Some(decrypted) = self.decrypted.get_mut(index)
                && let What::Leaf(leaf, Kind::Comment) = decrypted.what
                && self.format == Format::Yaml
                && leaf.origin == Origin::Text
            {
                decrypted.what = What::OnlyComments(leaf);
            }
        }
        self.items = walk.count();
        Ok(mac.finish())
    }

    /// Decrypts one leaf; tells whether it is a comment that stands as a list element.
    fn leaf(&mut self, leaf: &'d Leaf<'t>, walk: &Walk<'d, 't, '_>, mac: &mut Mac) -> Result<bool, Error> {
        let place = || Position::at(self.sealed.document.text.as_bytes(), leaf.span.start);
        let Some(envelope) = envelope(leaf) else {
            if self.clear == Clear::Refuse {
                return Err(Error::ValueInTheClear { place: place() });
            }
            let bytes = hashed(leaf).unwrap_or_default();
            self.say(walk, Some(&bytes));
            mac.update(&bytes);
            return Ok(false);
        };
        let opened = self.cipher.open(&envelope, walk.aad().as_bytes());
        let (kind, plaintext) = opened.map_err(|source| Error::Value { place: place(), source })?;
        if self.is_flat() && std::str::from_utf8(&plaintext).is_err() {
            return Err(Error::NotUtf8);
        }
        match kind {
            Kind::Comment => {}
            _ if leaf.origin == Origin::Overridden => {}
            _ => {
                let value = kind::decode(kind, &plaintext, place)?;
                let bytes = value.plain_bytes().unwrap_or_default();
                self.say(walk, Some(&bytes));
                mac.update(&bytes);
            }
        }
        let is_comment = kind == Kind::Comment && leaf.key.is_none();
        self.saw_list_comment |= is_comment;
        let hash = place_hash(&self.hasher, walk.aad(), is_comment);
        self.decrypted.push(Decrypted {
            item: walk.ordinal(),
            place: hash,
            what: What::Leaf(leaf, kind),
            plaintext,
        });
        Ok(is_comment)
    }

    fn is_flat(&self) -> bool {
        matches!(self.format, Format::Dotenv | Format::Ini)
    }

    /// A value as the note of spellings is held against it.
    fn say(&mut self, walk: &Walk<'d, 't, '_>, bytes: Option<&[u8]>) {
        if let Some(sameness) = &mut self.sameness {
            sameness.value(walk.aad(), bytes);
        }
    }

    /// Keeps an item that the note of spellings may have a word on.
    fn maybe_alias(&mut self, item: u32, what: What<'d, 't>) {
        self.decrypted.push(Decrypted {
            item,
            place: 0,
            what,
            plaintext: Zeroizing::default(),
        });
    }

    /// Decrypts a comment. One that can't be decrypted stays as it is, as in SOPS: older files hold comments in the clear.
    ///
    /// The type word is not authenticated. To SOPS, text in the place of a comment is one that the MAC covers, and anything else an
    /// error.
    fn comment(&mut self, comment: &'d Comment<'t>, walk: &Walk<'d, 't, '_>, mac: &mut Mac) -> Result<(), Error> {
        let Some(envelope) = Envelope::parse(&comment.text) else {
            return Ok(());
        };
        let Ok((kind, plaintext)) = self.cipher.open(&envelope, walk.aad().as_bytes()) else {
            return Ok(());
        };
        let place = || Position::at(self.sealed.document.text.as_bytes(), comment.span.start);
        match kind {
            Kind::Comment => {}
            Kind::Str => mac.update(&plaintext),
            _ if kind::decode(kind, &plaintext, place).is_err() => return Ok(()),
            _ => {
                let (place, kind) = (place(), Kind::Comment.word());
                return Err(Error::Content { place, kind });
            }
        }
        let place = place_hash(&self.hasher, walk.aad(), true);
        let (item, what) = (walk.ordinal(), What::Comment(comment));
        self.decrypted.push(Decrypted {
            item,
            place,
            what,
            plaintext,
        });
        Ok(())
    }

    /// What the opened text is put together from.
    fn parts(&mut self, spellings: &Spellings, keep: Keep, plaintexts: Plaintexts) -> Parts {
        let mut decrypted = std::mem::take(&mut self.decrypted);
        let mut edits = Vec::with_capacity(decrypted.len() + self.sealed.entries.len());
        let mut tokens = Vec::with_capacity(if keep == Keep::Tokens { decrypted.len() } else { 0 });
        // What is inside of a container that goes back to its alias has no text of its own. Its comments stand outside.
        let mut gone = Span::default();
        for leaf in &mut decrypted {
            let noted = spellings.get(leaf.item);
            let key = match leaf.what {
                What::Comment(comment) if self.format == Format::Ini => {
                    let text = String::from_utf8_lossy(&leaf.plaintext);
                    edits.extend(ini::opened_comment(self.sealed.document.text, comment, &text));
                    Some(self.hasher.hash_one((leaf.place, leaf.plaintext.as_slice())))
                }
                _ => None,
            };
            let made = self.edit(leaf, noted);
            if plaintexts == Plaintexts::Drop {
                leaf.plaintext = Zeroizing::default();
            }
            let Some((edit, whole, style)) = made else {
                continue;
            };
            if (gone.start..gone.end).contains(&whole.start) {
                continue;
            }
            if matches!(leaf.what, What::Container(_)) {
                gone = whole;
            }
            let kind = match leaf.what {
                What::Leaf(_, kind) => kind,
                What::Comment(_) | What::OnlyComments(_) | What::Container(_) | What::Clear(_) => Kind::Comment,
            };
            let noted = noted.is_some();
            if keep == Keep::Tokens {
                tokens.push(OpenedToken {
                    place: leaf.place,
                    opened: whole,
                    sealed: edit.span,
                    style,
                    kind,
                    noted,
                    key,
                });
            }
            if key.is_none() {
                edits.push(edit);
            }
        }
        for entry in &self.sealed.entries {
            edits.push(Edit::new(placement::extent(&self.sealed.document, entry), ""));
        }
        if plaintexts == Plaintexts::Stay {
            self.decrypted = decrypted;
        }
        let door = spellings.get(self.items).and_then(Door::read);
        Parts { edits, door, tokens }
    }

    /// The edit that opens one item, the extent of its whole token, and how it is sealed.
    fn edit(&self, decrypted: &Decrypted<'_, '_>, noted: Option<&str>) -> Option<(Edit, Span, Style)> {
        match &decrypted.what {
            What::Container(container) => {
                let edit = Edit::new(container.span, noted?);
                Some((edit, container.span, Style::Other))
            }
            What::Clear(leaf) => Some((Edit::new(leaf.span, noted?), leaf.span, Style::Other)),
            What::Comment(comment) => {
                let text = String::from_utf8_lossy(&decrypted.plaintext);
                // A carriage return belongs to a comment of dotenv, and is no line break there.
                let text = match self.format {
                    Format::Dotenv => text.split('\n').next().unwrap_or_default(),
                    _ => one_line(&text),
                };
                Some((Edit::new(comment.span, text), comment.span, Style::Plain))
            }
            What::Leaf(leaf, Kind::Comment) if leaf.key.is_none() && self.format == Format::Yaml => {
                let text = String::from_utf8_lossy(&decrypted.plaintext);
                let span = Span::new(dash(leaf, self.sealed.document.text), leaf.span.end);
                Some((Edit::new(span, format!("#{}", one_line(&text))), span, Style::Other))
            }
            What::OnlyComments(leaf) => {
                let text = String::from_utf8_lossy(&decrypted.plaintext);
                let (start, lead) = empty_list(leaf, self.sealed.document.text);
                let span = Span::new(start, leaf.span.end);
                Some((
                    Edit::new(span, format!("{lead}#{}", one_line(&text))),
                    span,
                    Style::Other,
                ))
            }
            // A copy has no text of its own.
            What::Leaf(leaf, _) if leaf.origin == Origin::Copy => None,
            What::Leaf(leaf, kind) => {
                let edit = self.leaf_edit(leaf, *kind, &decrypted.plaintext, noted);
                Some((edit, leaf.span, leaf.style))
            }
        }
    }

    fn leaf_edit(&self, leaf: &Leaf<'_>, kind: Kind, plaintext: &[u8], noted: Option<&str>) -> Edit {
        if let Some(noted) = noted {
            return Edit::new(region(leaf, leaf.style), noted);
        }
        let place = || Position { line: 0, column: 0 };
        let value = match kind {
            Kind::Int | Kind::Float | Kind::Bool | Kind::Time => kind::decode(kind, plaintext, place).ok(),
            Kind::Str | Kind::Comment | Kind::Bytes => None,
        };
        let value = value.unwrap_or(Value::Str(plaintext.into()));
        let style = match leaf.style {
            Style::Literal | Style::Folded if self.blocks == Blocks::Quoted => Style::Double,
            style => style,
        };
        if let Some(text) = spell(self.format, leaf, style, &value, plaintext) {
            Edit::new(region(leaf, style), text)
        } else {
            let text = spell(self.format, leaf, Style::Plain, &value, plaintext).unwrap_or_default();
            Edit::new(leaf.span, text)
        }
    }
}

/// A comment's text, cut at a line break: more would become content of the document.
fn one_line(text: &str) -> &str {
    text.split(['\n', '\r']).next().unwrap_or_default()
}

/// Whether the opened text may say something else than the sealed one: with a note of spellings; and where a text that nobody vouches
/// for decides on the line breaks at a value's end, which are the end of the file and the lines below a block scalar that keeps them.
fn is_doubtful(sealed: &Sealed<'_>) -> bool {
    let text = sealed.document.text;
    let keeps = |item: &Item<'_>| match item {
        Item::Leaf(leaf) if matches!(leaf.style, Style::Literal | Style::Folded) => {
            let header = text.get(leaf.span.start..leaf.body.start).unwrap_or_default();
            header.contains('+')
        }
        _ => false,
    };
    let is_yaml = sealed.document.format == Format::Yaml;
    sealed.metadata.layout.is_some() || is_yaml && (!text.ends_with('\n') || sealed.document.items.iter().any(keeps))
}

/// What is exchanged when a leaf is written in this style: the body of a block scalar, else the whole token.
pub(super) fn region(leaf: &Leaf<'_>, style: Style) -> Span {
    if matches!(style, Style::Literal | Style::Folded) {
        leaf.body
    } else {
        leaf.span
    }
}

/// The text of an opened value whose sealed token has this style.
pub(super) fn spell(
    format: Format,
    leaf: &Leaf<'_>,
    style: Style,
    value: &Value<'_>,
    plaintext: &[u8],
) -> Option<String> {
    match format {
        Format::Yaml => yaml::opened_token(style, leaf.context, value, plaintext),
        Format::Ini => ini::opened_token(style, value),
        Format::Dotenv => Some(dotenv::opened_token(value)),
        Format::Json | Format::Binary => Some(json::opened_token(value, plaintext)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;
    use crate::crypt::Identity;
    use crate::sops::seal::{Order, Recipients, seal};
    use crate::sops::{Group, SelectionSettings};

    #[test]
    fn a_mac_for_other_values_is_not_kept() {
        let (key, identity) = (DataKey::generate().unwrap(), Identity::generate());
        let again = || DataKey::from_bytes(key.as_bytes()).unwrap();
        let groups = Group::share_out(key.as_bytes(), &[vec![identity.public().unwrap().clone()]], None).unwrap();
        let mut order = Order {
            data_key: &key,
            recipients: Recipients::Are {
                groups,
                threshold: None,
            },
            selection: &SelectionSettings::default(),
            mac_only_encrypted: false,
            now: "2026-01-02T03:04:05Z",
            base: None,
            also: None,
            heritage: None,
        };
        let (sealed, _) = seal(Format::Json, b"{\"a\": \"x\", \"b\": \"y\"}", &order).unwrap();
        let text = String::from_utf8(sealed).unwrap();
        let (before, envelope) = text.split_once("\"b\": \"").unwrap();
        let typed_into = format!("{before}\"b\": \"z{}", envelope.trim_start_matches(|c| c != '"'));
        let partly = Sealed::parse(Format::Json, typed_into.as_bytes()).unwrap();
        let refused = open(Format::Json, &partly, again(), Clear::Refuse, MacCheck::Verify);
        assert!(matches!(refused.err(), Some(Error::ValueInTheClear { .. })));

        let opened = open(Format::Json, &partly, again(), Clear::Accept, MacCheck::Verify).unwrap();
        order.recipients = Recipients::Keep;
        order.base = Some((&partly, &opened));
        let (whole, _) = seal(Format::Json, &opened.content, &order).unwrap();
        let whole = Sealed::parse(Format::Json, &whole).unwrap();
        let opened = open(Format::Json, &whole, again(), Clear::Refuse, MacCheck::Verify).unwrap();
        assert_eq!(*opened.content, b"{\"a\": \"x\", \"b\": \"z\"}");
    }
}
