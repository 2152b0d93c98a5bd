//! The vectors by folder, the identities they are sealed for, and documents as texts that can be compared.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use git_seal::crypt::{DataKey, Identity, Keyring, Recipient, Source};
use git_seal::document::{Document, Format, Item, Key, Origin, Shape, Value};
use git_seal::sops::open::{Clear, MacCheck, Opened, open};
use git_seal::sops::seal::{Order, Recipients, seal};
use git_seal::sops::sealed::parse_document;
use git_seal::sops::{Error, Group, Sealed, SelectionSettings};

use crate::support::ALICE;

/// A time to seal at.
pub const NOW: &str = "2030-01-02T03:04:05Z";

/// The folder of the vectors.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// A file of the vectors.
#[track_caller]
pub fn read(path: impl AsRef<Path>) -> Vec<u8> {
    let path = folder().join(path);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What lies in a folder of the vectors, in order of name.
pub fn entries(path: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder().join(path)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The last part of a path.
pub fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// The file of a folder that is called `stem.…`.
pub fn file(folder: &Path, stem: &str) -> Option<PathBuf> {
    let found = |path: &PathBuf| name(path).strip_prefix(stem).is_some_and(|end| end.starts_with('.'));
    entries(folder)
        .into_iter()
        .filter(found)
        .find(|path| !name(path).contains("ignore-mac"))
}

/// The folders of the stores that have a sealed file, with that file.
pub fn sealed_fixtures() -> Vec<(PathBuf, PathBuf)> {
    let folders = ["yaml", "json", "binary", "env", "ini"]
        .into_iter()
        .flat_map(|store| entries(Path::new("sops").join(store)));
    folders
        .map(|folder| {
            let sealed = file(&folder, "enc").unwrap();
            (folder, sealed)
        })
        .collect()
}

/// The format that a file's name stands for.
pub fn format(path: &Path) -> Format {
    Format::of_path(path.as_os_str().as_encoded_bytes())
}

/// The identities in a text, as one source.
fn source(name: &str, text: &str) -> Source {
    Source {
        name: name.to_owned(),
        identities: Identity::parse_identities(text),
    }
}

/// A keyring of the identities in these files of `vectors/keys`.
pub fn keyring(names: &[&str]) -> Keyring {
    let text = |name: &&str| String::from_utf8(read(format!("keys/{name}"))).unwrap();
    Keyring::new(names.iter().map(|name| source(name, &text(name))).collect())
}

/// The identities of every recipient that documents are sealed for: X25519, hybrid, and SSH.
pub fn every_key() -> Keyring {
    keyring(&["all.txt", "pq.txt", "ssh_ed25519"])
}

/// Every identity that the vectors are sealed for, those of SOPS's own tests among them.
pub fn every_identity() -> Keyring {
    let text: serde_json::Value = serde_json::from_slice(&read("unit-vectors.json")).unwrap();
    let word = |name: &str| text["age"][name].as_str().unwrap().to_owned();
    let own = ["all.txt", "pq.txt", "ssh_ed25519"]
        .map(|name| (name, String::from_utf8(read(format!("keys/{name}"))).unwrap()));
    let theirs = ["identity", "other_identity", "post_quantum_identity", "ssh_identity"].map(|name| (name, word(name)));
    Keyring::new(
        own.into_iter()
            .chain(theirs)
            .map(|(name, text)| source(name, &text))
            .collect(),
    )
}

/// Opens a sealed file.
pub fn opened(format: Format, bytes: &[u8], keyring: &Keyring) -> Result<Opened, Error> {
    let sealed = Sealed::parse(format, bytes)?;
    let key = sealed.metadata.data_key(keyring)?;
    open(format, &sealed, key, Clear::Refuse, MacCheck::Verify)
}

/// What is sealed in a file, besides its values.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Which leaves.
    pub selection: SelectionSettings,
    /// Whether the MAC covers sealed leaves only.
    pub mac_only_encrypted: bool,
}

/// Who can open a file: any one of a group's recipients opens the group, and so many groups open the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The groups' recipients.
    pub groups: Vec<Vec<String>>,
    /// How many groups are needed, if that is said.
    pub threshold: Option<u32>,
}

impl Keys {
    /// Alice alone.
    pub fn alice() -> Self {
        Self::one_group(&[ALICE])
    }

    /// All of these, each alone.
    pub fn one_group(recipients: &[&str]) -> Self {
        Self {
            groups: vec![recipients.iter().map(|&recipient| recipient.to_owned()).collect()],
            threshold: None,
        }
    }

    /// One group for each of these.
    pub fn groups(recipients: &[&str], threshold: Option<u32>) -> Self {
        Self {
            groups: recipients.iter().map(|&recipient| vec![recipient.to_owned()]).collect(),
            threshold,
        }
    }
}

/// Seals a plain file for Alice, with a new data key.
pub fn sealed_for_alice(format: Format, plain: &[u8], settings: &Settings) -> Result<Vec<u8>, Error> {
    sealed_for(format, plain, settings, &Keys::alice())
}

/// Seals a plain file with a new data key.
pub fn sealed_for(format: Format, plain: &[u8], settings: &Settings, keys: &Keys) -> Result<Vec<u8>, Error> {
    let data_key = DataKey::generate()?;
    let group = |group: &Vec<String>| group.iter().map(|key| Ok(Recipient::parse(key)?)).collect();
    let recipients = keys.groups.iter().map(group).collect::<Result<Vec<_>, Error>>()?;
    let groups = Group::share_out(data_key.as_bytes(), &recipients, keys.threshold)?;
    let all = u32::try_from(groups.len()).unwrap();
    let order = Order {
        data_key: &data_key,
        recipients: Recipients::Are {
            groups,
            threshold: keys.threshold.or((all > 1).then_some(all)),
        },
        selection: &settings.selection,
        mac_only_encrypted: settings.mac_only_encrypted,
        now: NOW,
        base: None,
        also: None,
        heritage: None,
    };
    Ok(seal(format, plain, &order)?.0)
}

/// Seals a plain file over an earlier state of it, as that was sealed.
pub fn resealed(format: Format, plain: &[u8], base: &[u8], keyring: &Keyring) -> Result<Vec<u8>, Error> {
    let sealed = Sealed::parse(format, base)?;
    let before = opened(format, base, keyring)?;
    let order = Order {
        data_key: &before.data_key,
        recipients: Recipients::Keep,
        selection: &sealed.metadata.selection,
        mac_only_encrypted: sealed.metadata.mac_only_encrypted,
        now: NOW,
        base: Some((&sealed, &before)),
        also: None,
        heritage: None,
    };
    Ok(seal(format, plain, &order)?.0)
}

/// A plain file as a document; nothing for a binary one.
pub fn document(format: Format, bytes: &[u8]) -> Option<Document<'_>> {
    if format == Format::Binary {
        return None;
    }
    let text = std::str::from_utf8(bytes).unwrap();
    Some(parse_document(format, text).unwrap_or_else(|error| panic!("{error}\n{text}")))
}

/// The values of a plain file, one a line, with their places and types: what must be equal where the layout need not be.
#[track_caller]
pub fn values(format: Format, bytes: &[u8]) -> String {
    let Some(document) = document(format, bytes) else {
        return format!("{bytes:?}");
    };
    let mut out = String::new();
    let mut depth = 0;
    for item in &document.items {
        match item {
            Item::Begin(_) => out.push_str("---\n"),
            Item::Enter(container) => {
                line(
                    &mut out,
                    depth,
                    container.key.as_ref(),
                    if container.shape == Shape::Map { "{" } else { "[" },
                );
                depth += 1;
            }
            Item::Leave => depth -= 1,
            // What SOPS loses is nothing to compare with it.
            Item::Leaf(leaf) if leaf.origin == Origin::Overridden => {}
            Item::Leaf(leaf) => line(&mut out, depth, leaf.key.as_ref(), &value(&leaf.value)),
            Item::Comment(_) => {}
        }
    }
    out
}

fn line(out: &mut String, depth: usize, key: Option<&Key<'_>>, rest: &str) {
    let key = key.map_or_else(|| "-".to_owned(), |key| format!("{:?}:", key.name));
    writeln!(out, "{:depth$}{key} {rest}", "", depth = depth * 2).unwrap();
}

fn value(value: &Value<'_>) -> String {
    // SOPS writes it as `-0`, which reads back as the integer.
    if matches!(value, Value::Float(number) if *number == 0.0) {
        return value_text("Int(…)", "0");
    }
    let text = value.plain_bytes().unwrap_or_default();
    value_text(&format!("{value:?}"), &String::from_utf8_lossy(&text))
}

fn value_text(kind: &str, text: &str) -> String {
    format!("{kind} {text:?}")
}

/// The lines of all comments that SOPS keeps, in order of text: it moves comments to other lines.
#[track_caller]
pub fn comments(format: Format, bytes: &[u8]) -> Vec<String> {
    let document = document(format, bytes);
    let items = document.iter().flat_map(|document| &document.items);
    let texts = items.filter_map(|item| match item {
        Item::Comment(comment) if !comment.lost => Some(comment.text.as_ref()),
        _ => None,
    });
    // SOPS writes each line of an INI comment anew, and loses empty ones.
    let bare = |line: &str| match format {
        Format::Ini => line
            .trim_matches(|c: char| c.is_whitespace() || matches!(c, '#' | ';'))
            .to_owned(),
        _ => line.trim().to_owned(),
    };
    let mut texts: Vec<String> = texts
        .flat_map(|text| text.split('\n'))
        .map(bare)
        .filter(|text| !text.is_empty())
        .collect();
    texts.sort();
    texts
}

/// Asserts that two plain files hold the same values and the same comments.
#[track_caller]
pub fn assert_same(format: Format, ours: &[u8], theirs: &[u8], about: &str) {
    assert_eq!(values(format, ours), values(format, theirs), "{about}: values");
    assert_eq!(comments(format, ours), comments(format, theirs), "{about}: comments");
}
