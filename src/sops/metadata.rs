//! The metadata of a sealed file: who can open it, what is sealed in it, and the proof that nobody changed it.
//!
//! Reading is lenient where SOPS is (format, section 5.3) and where older releases wrote other forms; unknown fields and the
//! entries of other key types are kept as they were.

use zeroize::Zeroizing;

use super::error::Error;
use super::node::Node;
use super::number;
use super::selection::SelectionSettings;
use crate::crypt::{self, DataKey, Keyring, Reach, Recipient, WrappedKey, shamir};

/// The release of SOPS whose format is written.
pub const FORMAT_VERSION: &str = "3.13.2";

/// Our field for spellings that a value alone does not give back; other readers ignore it.
pub(super) const LAYOUT: &str = "git_seal_layout";
/// Our field that marks a draft; other readers ignore it.
pub(super) const DRAFT: &str = "git_seal_draft";

/// Types of keys that only SOPS itself can use.
const FOREIGN: [&str; 6] = ["azure_kv", "gcp_kms", "hc_vault", "hckms", "kms", "pgp"];

/// One key group: any key of it yields the group's share of the data key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Group {
    /// age entries, in the file's order.
    pub age: Vec<WrappedKey>,
    /// Lists of other key types with their name, as they were.
    pub(crate) foreign: Vec<(String, Node)>,
}

impl Group {
    /// The names of the other key types that this group holds.
    pub fn foreign_kinds(&self) -> impl Iterator<Item = &str> {
        self.foreign.iter().map(|(kind, _)| kind.as_str())
    }
}

/// The `sops` block.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// Key groups; exactly one unless the data key is shared out (Shamir).
    pub groups: Vec<Group>,
    /// How many groups are needed, if several.
    pub threshold: Option<u32>,
    /// When the values were changed last: RFC 3339, whole seconds. Authenticates the MAC.
    pub last_modified: String,
    /// The sealed MAC; empty when there is none.
    pub mac: String,
    /// Which leaves are sealed.
    pub selection: SelectionSettings,
    /// Whether the MAC covers sealed leaves only.
    pub mac_only_encrypted: bool,
    /// SOPS's version.
    pub version: String,
    /// Sealed spellings (see [`super::spelling`]).
    pub(super) layout: Option<String>,
    /// Whether the content is an opaque draft.
    pub draft: bool,
    /// Fields that we do not know.
    pub(super) unknown: Vec<(String, Node)>,
}

impl Metadata {
    /// Reads the block.
    ///
    /// # Errors
    /// [`Error::Metadata`] where SOPS refuses the block too; [`Error::TwoSelections`].
    pub(super) fn read(node: &Node) -> Result<Self, Error> {
        let Node::Map(entries) = node else {
            return Err(Error::Metadata("it is not a map"));
        };
        let mut metadata = Self {
            groups: vec![Group::read(node)?],
            ..Self::default()
        };
        let groups = node.get("key_groups").map_or(Ok(&[][..]), elements)?;
        if metadata.groups.iter().all(Group::is_empty) {
            metadata.groups = groups.iter().map(Group::read).collect::<Result<_, _>>()?;
        }
        if metadata.groups.iter().all(Group::is_empty) {
            return Err(Error::Metadata("it names no key"));
        }
        for (name, value) in entries {
            let lower = name.to_ascii_lowercase();
            // Of two equal fields the last one counts, and the first is not even read.
            if node.get(&lower).is_some_and(|counts| std::ptr::eq(counts, value)) {
                metadata.field(&lower, name, value)?;
            } else if lower != *name {
                metadata.unknown.push((name.clone(), value.clone()));
            }
        }
        if metadata.last_modified.is_empty() {
            return Err(Error::Metadata("`lastmodified` is missing"));
        }
        metadata.selection.resolve().map_err(|error| match error {
            Error::TwoSelections { .. } => Error::Metadata("it has more than one selection setting"),
            other => other,
        })?;
        Ok(metadata)
    }

    fn field(&mut self, lower: &str, name: &str, value: &Node) -> Result<(), Error> {
        let text = || scalar(value).map(str::to_owned);
        if let Some(slot) = self.selection.slot(lower) {
            let text = scalar(value)?;
            *slot = value.text().map(|_| text.to_owned());
            return Ok(());
        }
        match lower {
            "age" | "key_groups" => {}
            kind if FOREIGN.contains(&kind) => {}
            "lastmodified" => {
                let moment = value.text().and_then(instant);
                self.last_modified = moment.ok_or(Error::Metadata("`lastmodified` is not an RFC 3339 time"))?;
            }
            "mac" => self.mac = text()?,
            "version" => self.version = text()?,
            "mac_only_encrypted" => self.mac_only_encrypted = truth(value)?,
            "shamir_threshold" => self.threshold = threshold(value)?,
            LAYOUT => self.layout = value.text().map(str::to_owned),
            DRAFT => self.draft = value.text() == Some("true"),
            _ => self.unknown.push((name.to_owned(), value.clone())),
        }
        Ok(())
    }

    /// The block as SOPS 3.13 writes it: every map sorted by key.
    pub(super) fn to_node(&self) -> Node {
        let mut entries = self.unknown.clone();
        let mut put = |name: &str, node: Node| entries.push((name.to_owned(), node));
        if let [group] = self.groups.as_slice() {
            for (kind, list) in group.to_entries() {
                put(&kind, list);
            }
        } else {
            let groups = self.groups.iter().map(|group| Node::Map(group.to_entries())).collect();
            put("key_groups", Node::List(groups));
        }
        if let Some(threshold) = self.threshold.filter(|&threshold| threshold > 0) {
            put("shamir_threshold", Node::Word(threshold.to_string()));
        }
        for (name, text) in self.selection.named() {
            if let Some(text) = text {
                put(name, Node::Text(text.to_owned()));
            }
        }
        if self.mac_only_encrypted {
            put("mac_only_encrypted", Node::Word("true".to_owned()));
        }
        if self.draft {
            put(DRAFT, Node::Word("true".to_owned()));
        }
        if let Some(layout) = &self.layout {
            put(LAYOUT, Node::Text(layout.clone()));
        }
        put("lastmodified", Node::Text(self.last_modified.clone()));
        put("mac", Node::Text(self.mac.clone()));
        put("version", Node::Text(self.version.clone()));
        entries.sort_by(|one, other| one.0.as_bytes().cmp(other.0.as_bytes()));
        Node::Map(entries)
    }

    /// Every age recipient of every group, as written.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        self.groups
            .iter()
            .flat_map(|group| &group.age)
            .map(|key| key.recipient.as_str())
    }

    /// The data key, unwrapped with the identities of `keyring`. Every group is tried with what is at hand; more is asked for only as
    /// long as groups are wanting.
    ///
    /// # Errors
    /// [`Error::NoIdentity`] when too few groups open; [`Error::Crypt`] for shares that do not fit together.
    pub fn data_key(&self, keyring: &Keyring) -> Result<DataKey, Error> {
        let needed = self.groups_needed();
        let mut shares: Vec<_> = self.groups.iter().map(|_| None).collect();
        // An entry that can't be read does not lock out those whose entry can be; it is the reason if nobody's can.
        let mut damaged = None;
        for step in keyring.steps() {
            for (group, share) in self.groups.iter().zip(&mut shares).filter(|(_, share)| share.is_none()) {
                *share = group.share(keyring, step, &mut damaged);
            }
            if shares.iter().flatten().count() >= needed {
                break;
            }
        }
        let mut shares: Vec<_> = shares.into_iter().flatten().collect();
        let too_few = || damaged.map_or(Error::NoIdentity, Error::Crypt);
        if self.groups.len() == 1 {
            let secret = shares.pop().ok_or_else(too_few)?;
            return Ok(DataKey::from_bytes(&secret)?);
        }
        if shares.len() < needed {
            return Err(too_few());
        }
        Ok(DataKey::from_bytes(&shamir::combine(&shares)?)?)
    }

    /// How many groups must open.
    #[must_use]
    pub fn groups_needed(&self) -> usize {
        match self.groups.len() {
            0 | 1 => 1,
            all => self.threshold.map_or(all, |threshold| threshold as usize).max(2),
        }
    }

    /// For each group whether the identities at hand open it; nothing is asked for.
    #[must_use]
    pub fn groups_open(&self, keyring: &Keyring) -> Vec<bool> {
        let opens = |group: &Group| group.share(keyring, Reach::AtHand, &mut None).is_some();
        self.groups.iter().map(opens).collect()
    }
}

impl Group {
    /// What the group's keys hold, by one step of the keyring; notes the first entry that is damaged.
    fn share(&self, keyring: &Keyring, step: Reach, damaged: &mut Option<crypt::Error>) -> Option<Zeroizing<Vec<u8>>> {
        for key in &self.age {
            match keyring.unwrap_at(step, &key.enc, &key.recipient) {
                Ok(Some(secret)) => return Some(secret),
                Ok(None) => {}
                Err(error) => *damaged = damaged.take().or(Some(error)),
            }
        }
        None
    }

    fn read(node: &Node) -> Result<Self, Error> {
        let list = |name| node.get(name).map_or(Ok(&[][..]), elements);
        let text = |entry: &Node, name| entry.get(name).map_or(Ok(""), scalar).map(str::to_owned);
        let mut group = Self::default();
        for entry in list("age")? {
            group.age.push(WrappedKey {
                recipient: text(entry, "recipient")?,
                enc: text(entry, "enc")?,
            });
        }
        for kind in FOREIGN {
            let entries = list(kind)?;
            for entry in entries {
                if text(entry, "created_at")?.is_empty() {
                    return Err(Error::Metadata("a key does not say when it was added"));
                }
            }
            if let Some(whole) = node.get(kind).filter(|_| !entries.is_empty()) {
                group.foreign.push((kind.to_owned(), whole.clone()));
            }
        }
        Ok(group)
    }

    /// What tells the keys of other types apart, in the form that a policy has it in.
    #[must_use]
    pub fn foreign_names(&self) -> Vec<String> {
        let lists = self.foreign.iter();
        lists
            .flat_map(|(kind, list)| list.elements().iter().map(|entry| foreign_name(kind, entry)))
            .collect()
    }

    fn is_empty(&self) -> bool {
        self.age.is_empty() && self.foreign.is_empty()
    }

    fn to_entries(&self) -> Vec<(String, Node)> {
        let mut entries = self.foreign.clone();
        if !self.age.is_empty() {
            let age = self.age.iter().map(|key| {
                Node::Map(vec![
                    ("enc".to_owned(), Node::Text(key.enc.clone())),
                    ("recipient".to_owned(), Node::Text(key.recipient.clone())),
                ])
            });
            entries.push(("age".to_owned(), Node::List(age.collect())));
        }
        entries.sort_by(|one, other| one.0.as_bytes().cmp(other.0.as_bytes()));
        entries
    }

    /// This group, wrapped for further recipients of the same secret.
    ///
    /// # Errors
    /// [`Error::Crypt`] for a recipient that can't be wrapped for.
    pub fn extended(&self, secret: &[u8], more: &[&Recipient]) -> Result<Self, Error> {
        let mut group = self.clone();
        for recipient in more {
            group.age.push(WrappedKey::new(secret, recipient)?);
        }
        Ok(group)
    }

    /// Groups that wrap a data key: whole for a single group, else a share for each.
    ///
    /// # Errors
    /// [`Error::NoRecipient`] for a group without any; [`Error::Crypt`] for a threshold or recipient that can't be used.
    pub fn share_out(data_key: &[u8], groups: &[Vec<Recipient>], threshold: Option<u32>) -> Result<Vec<Self>, Error> {
        if groups.is_empty() || groups.iter().any(Vec::is_empty) {
            return Err(Error::NoRecipient);
        }
        let wrap = |secret: &[u8], recipients: &[Recipient]| {
            Self::default().extended(secret, &recipients.iter().collect::<Vec<_>>())
        };
        if let [recipients] = groups {
            return Ok(vec![wrap(data_key, recipients)?]);
        }
        let needed = threshold.map_or(groups.len(), |threshold| threshold as usize);
        let shares = shamir::split(data_key, needed, groups.len())?;
        shares
            .iter()
            .zip(groups)
            .map(|(share, recipients)| wrap(share, recipients))
            .collect()
    }
}

/// A scalar as text, null as an empty one.
fn scalar(node: &Node) -> Result<&str, Error> {
    match node {
        Node::Map(_) | Node::List(_) => Err(Error::Metadata("a map or list stands where a text belongs")),
        // As a text, SOPS's reader takes a truth value for its digit.
        Node::Word(word) if word == "true" => Ok("1"),
        Node::Word(word) if word == "false" => Ok("0"),
        _ => Ok(node.text().unwrap_or_default()),
    }
}

/// The elements of a list of maps; nothing for what is empty.
fn elements(list: &Node) -> Result<&[Node], Error> {
    let elements = match list {
        Node::Map(entries) if entries.is_empty() => &[],
        Node::Text(_) | Node::Word(_) => std::slice::from_ref(list),
        _ => list.elements(),
    };
    if elements
        .iter()
        .all(|element| matches!(element, Node::Map(_) | Node::Null))
    {
        Ok(elements)
    } else {
        Err(Error::Metadata("a list of keys holds something else"))
    }
}

/// A truth value; SOPS takes numbers and the words of Go for one.
fn truth(value: &Node) -> Result<bool, Error> {
    match (value, scalar(value)?) {
        (_, "" | "0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        (_, "1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        (Node::Word(word), _) => Ok(word.parse() != Ok(0.0)),
        _ => Err(Error::Metadata("`mac_only_encrypted` is neither true nor false")),
    }
}

/// What tells a key of this type from another.
fn foreign_name(kind: &str, entry: &Node) -> String {
    let field = |name| entry.get(name).and_then(Node::text).unwrap_or_default();
    match kind {
        "pgp" => field("fp").to_owned(),
        "gcp_kms" => field("resource_id").to_owned(),
        "hckms" => field("key_id").to_owned(),
        "azure_kv" => format!("{}/keys/{}/{}", field("vault_url"), field("name"), field("version")),
        "hc_vault" => {
            let (address, engine, key) = (field("vault_address"), field("engine_path"), field("key_name"));
            format!("{}/v1/{engine}/keys/{key}", address.trim_end_matches('/'))
        }
        _ => {
            let mut text = field("arn").to_owned();
            for (mark, value) in [('+', field("role")), ('@', field("aws_profile"))] {
                if !value.is_empty() {
                    text.push(mark);
                    text.push_str(value);
                }
            }
            if let Some(Node::Map(context)) = entry.get("context") {
                text.extend(
                    context
                        .iter()
                        .map(|(name, value)| format!("|{name}:{}", value.text().unwrap_or_default())),
                );
            }
            text
        }
    }
}

/// The threshold as number or text; `2.000000` was written by SOPS before 3.11 to flat formats.
fn threshold(value: &Node) -> Result<Option<u32>, Error> {
    let text = scalar(value)?;
    if text.is_empty() {
        return Ok(None);
    }
    let whole = text.split_once('.').map_or(text, |(whole, fraction)| {
        if fraction.bytes().all(|byte| byte == b'0') {
            whole
        } else {
            ""
        }
    });
    let not_a_number = Error::Metadata("`shamir_threshold` is not a number");
    // SOPS reads the text as Go source has numbers.
    let based = |digits: &str| match digits.get(..2) {
        Some("0x" | "0X") => u32::from_str_radix(digits.get(2..)?, 16).ok(),
        Some("0b" | "0B") => u32::from_str_radix(digits.get(2..)?, 2).ok(),
        Some("0o" | "0O") => u32::from_str_radix(digits.get(2..)?, 8).ok(),
        _ if digits.len() > 1 && digits.starts_with('0') => u32::from_str_radix(digits, 8).ok(),
        _ => digits.parse().ok(),
    };
    based(whole).map(Some).ok_or(not_a_number)
}

/// An RFC 3339 time in the form that authenticates the MAC: whole seconds, `Z` for UTC, other offsets kept.
#[must_use]
pub fn instant(text: &str) -> Option<String> {
    let text = &*number::as_strict_time(text);
    let number = |range: std::ops::Range<usize>| -> Option<u32> {
        let digits = text.get(range)?;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.parse().ok()
        } else {
            None
        }
    };
    let mark = |at: usize, expected: u8| text.as_bytes().get(at) == Some(&expected);
    if !(mark(4, b'-') && mark(7, b'-') && mark(10, b'T') && mark(13, b':') && mark(16, b':')) {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day == 0 || day > days || number(11..13)? > 23 || number(14..16)? > 59 || number(17..19)? > 59 {
        return None;
    }
    let mut zone = text.get(19..)?;
    if let Some(fraction) = zone.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        zone = fraction.get(digits..)?;
    }
    let offset = match zone {
        "Z" | "+00:00" | "-00:00" => "Z",
        _ => {
            let signed = zone.strip_prefix(['+', '-'])?;
            let (hours, minutes) = signed.split_once(':')?;
            let fits = |text: &str, most: u32| {
                text.len() == 2
                    && text.bytes().all(|byte| byte.is_ascii_digit())
                    && text.parse::<u32>().is_ok_and(|number| number <= most)
            };
            if !fits(hours, 23) || !fits(minutes, 59) {
                return None;
            }
            zone
        }
    };
    Some(format!("{}{offset}", text.get(..19)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    #[test]
    fn times_are_brought_to_the_form_that_authenticates() {
        #[track_caller]
        fn case(text: &str, expected: Option<&str>) {
            assert_eq!(instant(text).as_deref(), expected, "{text}");
        }
        case("2026-01-02T03:04:05Z", Some("2026-01-02T03:04:05Z"));
        case("2026-01-02T03:04:05.123456789Z", Some("2026-01-02T03:04:05Z"));
        case("2026-01-02T03:04:05+00:00", Some("2026-01-02T03:04:05Z"));
        case("2026-01-02T03:04:05+05:30", Some("2026-01-02T03:04:05+05:30"));
        case("2024-02-29T00:00:00Z", Some("2024-02-29T00:00:00Z"));
        case("2023-02-29T00:00:00Z", None);
        case("2026-01-02T3:04:05Z", Some("2026-01-02T03:04:05Z"));
        case("2026-01-02T03:04:05,5Z", Some("2026-01-02T03:04:05Z"));
        case("2026-1-02T03:04:05Z", None);
        case("2026-13-02T03:04:05Z", None);
        case("2026-01-02 03:04:05Z", None);
        case("2026-01-02T03:04:05", None);
        case("2026-01-02T03:04:05.Z", None);
        case("2026-01-02T03:04:05+0530", None);
        case("", None);
    }

    #[test]
    fn a_threshold_may_be_text_of_an_old_release() {
        assert_eq!(threshold(&Node::Text("2.000000".to_owned())).unwrap(), Some(2));
        assert_eq!(threshold(&Node::Word("3".to_owned())).unwrap(), Some(3));
        assert_eq!(threshold(&Node::Text("0x2".to_owned())).unwrap(), Some(2));
        for nothing in [Node::Text(String::new()), Node::Null, Node::Word("0".to_owned())] {
            assert_eq!(threshold(&nothing).unwrap().unwrap_or(0), 0, "{nothing:?}");
        }
        assert!(threshold(&Node::Map(Vec::new())).is_err());
        for text in ["2.5", "x", "-1", "0x", "09"] {
            assert!(threshold(&Node::Text(text.to_owned())).is_err(), "{text}");
        }
    }

    #[test]
    fn truth_has_the_words_of_go() {
        let text = |text: &str| truth(&Node::Text(text.to_owned()));
        for (word, expected) in [("true", true), ("True", true), ("1", true), ("f", false), ("", false)] {
            assert_eq!(text(word).unwrap(), expected, "{word}");
        }
        assert!(text("yes").is_err() && truth(&Node::List(Vec::new())).is_err());
        assert!(truth(&Node::Word("2".to_owned())).unwrap());
    }

    #[test]
    fn a_block_without_keys_or_time_is_refused() {
        let text = |text: &str| Node::Text(text.to_owned());
        let key = Node::List(vec![Node::Map(vec![
            ("enc".to_owned(), text("x")),
            ("recipient".to_owned(), text("y")),
        ])]);
        let block = |entries: &[(&str, Node)]| {
            Node::Map(
                entries
                    .iter()
                    .map(|(name, node)| ((*name).to_owned(), node.clone()))
                    .collect(),
            )
        };
        let refusal = |node: &Node| Metadata::read(node).unwrap_err().to_string();
        assert_eq!(refusal(&Node::Null), "the `sops` metadata is broken: it is not a map");
        assert_eq!(
            refusal(&block(&[("version", text("3"))])),
            "the `sops` metadata is broken: it names no key"
        );
        assert!(refusal(&block(&[("age", key.clone())])).ends_with("`lastmodified` is missing"));
        let two = block(&[
            ("age", key),
            ("lastmodified", text("2026-01-02T03:04:05Z")),
            ("encrypted_regex", text("a")),
            ("encrypted_suffix", text("b")),
        ]);
        assert!(refusal(&two).ends_with("more than one selection setting"));
    }
}
