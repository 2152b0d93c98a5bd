//! The laws of a merge by key, over generated documents: changes to different keys are all there, and nobody else's line is lost;
//! changes to the same keys conflict at exactly these; either side may be ours. What is expected is worked out on values alone.
//! Each document grows from its number.

use std::collections::{BTreeMap, BTreeSet};

use git_seal::document::change::{Reach, set, unset};
use git_seal::document::key_path::Step;
use git_seal::document::merge::{ConflictStyle, Markers, Texts, merge};
use git_seal::document::{Document, Format, Item, KeyPath, Origin, Shape, Value, dotenv, ini, json, yaml};

use crate::generate::{self, Chance};

/// How many documents of each format are tried.
const DOCUMENTS: u64 = 700;

const FORMATS: [Format; 4] = [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini];

/// The section of INI that is there without a header, and without a text if it is empty.
const HEADLESS: &str = "0[\"DEFAULT\"]";

fn parse(format: Format, text: &str) -> Option<Document<'_>> {
    match format {
        Format::Yaml => yaml::parse(text),
        Format::Dotenv => dotenv::parse(text),
        Format::Ini => ini::parse(text, ""),
        _ => json::parse(text),
    }
    .ok()
}

fn document(format: Format, chance: &mut Chance) -> Option<String> {
    let bytes = match format {
        Format::Yaml => generate::yaml(chance),
        Format::Dotenv => generate::dotenv(chance),
        Format::Ini => generate::ini(chance),
        _ => generate::json(chance),
    };
    let text = String::from_utf8(bytes).ok()?;
    let document = parse(format, &text)?;
    let mut keys = BTreeSet::new();
    let mut path = Vec::new();
    // What is left to lines: aliases, keys that stand twice, a byte order mark.
    let is_plain = document.items.iter().all(|item| match item {
        Item::Enter(container) => {
            path.push(name(container.key.as_ref().map(|key| key.name.as_ref())));
            let is_new = container.shape == Shape::List || container.key.is_none() || keys.insert(path.clone());
            container.origin == Origin::Text && is_new
        }
        Item::Leave => {
            path.pop();
            true
        }
        Item::Leaf(leaf) => {
            let mut place = path.clone();
            place.push(name(leaf.key.as_ref().map(|key| key.name.as_ref())));
            leaf.origin == Origin::Text && (leaf.key.is_none() || format == Format::Yaml || keys.insert(place))
        }
        _ => true,
    });
    (is_plain && document.flaws.is_empty() && !text.starts_with('\u{feff}')).then_some(text)
}

fn name(key: Option<&str>) -> String {
    key.unwrap_or_default().to_owned()
}

fn said(value: &Value<'_>) -> String {
    format!(
        "{value:?} {}",
        String::from_utf8_lossy(&value.plain_bytes().unwrap_or_default())
    )
}

/// What a text says: each scalar, and each empty map or list, by its place. The first step is the document's number.
fn values(format: Format, text: &str) -> Option<BTreeMap<String, String>> {
    let document = parse(format, text)?;
    let mut found = BTreeMap::new();
    let mut page = 0;
    // The path of each open container, its shape and how many members it has had.
    let mut open: Vec<(String, Shape, usize)> = Vec::new();
    let place = |open: &mut Vec<(String, Shape, usize)>, key: Option<&str>| {
        let (path, shape, count) = open.last_mut().unwrap();
        *count += 1;
        match shape {
            Shape::Map => format!("{path}{}", Step::Key(key.unwrap_or_default().to_owned())),
            Shape::List => format!("{path}{}", Step::Index(*count - 1)),
        }
    };
    for item in &document.items {
        match item {
            Item::Begin(_) => {
                open = vec![(format!("{page}"), Shape::Map, 0)];
                page += 1;
            }
            Item::Enter(container) => {
                let path = place(&mut open, container.key.as_ref().map(|key| key.name.as_ref()));
                open.push((path, container.shape, 0));
            }
            Item::Leave => {
                let (path, shape, count) = open.pop().unwrap();
                if count == 0 && !(format == Format::Ini && path == HEADLESS) {
                    found.insert(path, format!("{shape:?}"));
                }
            }
            Item::Leaf(leaf) if leaf.origin == Origin::Overridden => {}
            Item::Leaf(leaf) => {
                let path = place(&mut open, leaf.key.as_ref().map(|key| key.name.as_ref()));
                found.insert(path, said(&leaf.value));
            }
            Item::Comment(_) => {}
        }
    }
    Some(found)
}

/// The places of the first document that only keys lead to: scalars and lists.
fn places(format: Format, text: &str) -> Vec<Vec<Step>> {
    let document = parse(format, text).unwrap();
    let mut found = Vec::new();
    let mut path: Vec<Step> = Vec::new();
    let mut lists = 0;
    for item in document.items.iter().skip(1) {
        let key = |key: Option<&str>| Step::Key(key.unwrap_or_default().to_owned());
        match item {
            Item::Begin(_) => break,
            Item::Enter(container) => {
                path.push(key(container.key.as_ref().map(|key| key.name.as_ref())));
                if container.shape == Shape::List {
                    if lists == 0 {
                        found.push(path.clone());
                    }
                    lists += 1;
                } else if lists > 0 {
                    lists += 1;
                }
            }
            Item::Leave => {
                path.pop();
                lists = usize::saturating_sub(lists, 1);
            }
            Item::Leaf(leaf) if lists == 0 => {
                path.push(key(leaf.key.as_ref().map(|key| key.name.as_ref())));
                found.push(path.clone());
                path.pop();
            }
            _ => {}
        }
    }
    found
}

/// A change of one place.
#[derive(Debug, Clone)]
enum Change {
    Set(Vec<Step>, String),
    Unset(Vec<Step>),
}

impl Change {
    fn path(&self) -> &[Step] {
        match self {
            Self::Set(path, _) | Self::Unset(path) => path,
        }
    }

    /// The changed text; none where the layout does not allow the change at this place alone.
    fn of(&self, format: Format, text: &str) -> Option<String> {
        let path = KeyPath {
            steps: self.path().to_vec(),
        };
        let changed = match self {
            Self::Set(_, value) => set(format, text, &path, &json::parse_value(value).unwrap()),
            Self::Unset(_) => unset(format, text, &path),
        };
        let changed = changed.ok().filter(|changed| changed.reach == Reach::Place)?;
        Some(changed.text.to_string())
    }

    /// What a document says afterwards.
    fn to(&self, format: Format, values: &mut BTreeMap<String, String>) {
        let place = |steps: &[Step]| format!("0{}", KeyPath { steps: steps.to_vec() });
        let here = place(self.path());
        values.retain(|path, _| *path != here && !path.starts_with(&format!("{here}[")));
        let parent = place(&self.path()[..self.path().len() - 1]);
        match self {
            Self::Set(_, value) => {
                let document = json::parse_value(value).unwrap();
                let Some(Item::Leaf(leaf)) = document.items.get(1) else {
                    panic!("not a scalar");
                };
                values.remove(&parent);
                values.insert(here, said(&leaf.value));
            }
            Self::Unset(_) => {
                let is_there = parent != "0" && !(format == Format::Ini && parent == HEADLESS);
                if is_there && !values.keys().any(|path| path.starts_with(&format!("{parent}["))) {
                    values.insert(parent, "Map".to_owned());
                }
            }
        }
    }
}

/// Changes at places of which none lies in another, each possible on the text.
fn changes(format: Format, text: &str, chance: &mut Chance) -> Vec<Change> {
    let places = places(format, text);
    let mut found: Vec<Change> = Vec::new();
    for number in 0..8 {
        if places.is_empty() {
            break;
        }
        let mut path = places[chance.below(places.len())].clone();
        let value = format!("\"new-{number}\"");
        let change = match chance.below(4) {
            0 => Change::Unset(path),
            1 => {
                path.pop();
                path.push(Step::Key(format!("added{number}")));
                Change::Set(path, value)
            }
            _ => Change::Set(path, value),
        };
        let (is_apart, path) = (
            |other: &Change| !other.path().starts_with(change.path()) && !change.path().starts_with(other.path()),
            change.path(),
        );
        if !path.is_empty() && found.iter().all(is_apart) && change.of(format, text).is_some() {
            found.push(change);
        }
    }
    found
}

fn all(format: Format, text: &str, changes: &[Change]) -> Option<String> {
    changes
        .iter()
        .try_fold(text.to_owned(), |text, change| change.of(format, &text))
}

/// The merged text and the places of conflicts.
fn merged(format: Format, base: &str, ours: &str, theirs: &str) -> Option<(String, BTreeSet<String>)> {
    let markers = Markers {
        size: 7,
        ours: "ours".to_owned(),
        base: "base".to_owned(),
        theirs: "theirs".to_owned(),
        style: ConflictStyle::Merge,
    };
    let base = Some(base).filter(|base| !base.is_empty());
    let merged = merge(format, Texts { base, ours, theirs }, &markers)?;
    let conflicts = merged.conflicts.iter().map(ToString::to_string).collect();
    Some((merged.text.to_string(), conflicts))
}

fn lines(text: &str) -> BTreeMap<&str, i64> {
    let mut found = BTreeMap::new();
    // What stands in brackets shares its line with other keys, a comma comes with the next one.
    for line in text.lines().filter(|line| !line.contains(['{', '[', ']', '}'])) {
        *found.entry(line.trim().trim_end_matches(',')).or_default() += 1;
    }
    found
}

/// How a line that stays is looked for.
#[derive(Clone, Copy, PartialEq)]
enum Lines {
    /// As often as it must be there.
    Counted,
    /// Once, and be it in another line: a conflict shows what was moved where it was.
    Somewhere,
}

/// No line that a side kept or added is lost.
fn assert_lines_stay(texts: [&str; 3], merged: &str, how: Lines) {
    // Brackets over several lines, as in JSON: a line has parts of several entries.
    let balanced = |line: &str| line.matches(['[', '{']).count() == line.matches([']', '}']).count();
    if !texts[0].lines().all(balanced) || texts[0].trim_start().starts_with('{') {
        return;
    }
    let [base, ours, theirs] = texts.map(lines);
    let found = lines(merged);
    for (line, count) in &ours {
        let of = |lines: &BTreeMap<&str, i64>| lines.get(line).copied().unwrap_or_default();
        let wanted = (count + of(&theirs) - of(&base)).min(*count);
        let is_somewhere = how == Lines::Somewhere && merged.contains(line);
        assert!(
            line.is_empty() || is_somewhere || of(&found) >= wanted || merged.contains(&format!("{line} {{}}")),
            "{line:?} is lost:\n{texts:#?}\n{merged}"
        );
    }
}

#[test]
fn changes_to_different_keys_are_all_there() {
    for format in FORMATS {
        let (mut tried, mut by_key) = (0, 0);
        for seed in 0..DOCUMENTS {
            let mut chance = Chance::new(seed);
            let Some(base) = document(format, &mut chance) else {
                continue;
            };
            let changes = changes(format, &base, &mut chance);
            let (one, other) = changes.split_at(changes.len() / 2);
            let (Some(ours), Some(theirs)) = (all(format, &base, one), all(format, &base, other)) else {
                continue;
            };
            let mut wanted = values(format, &base).unwrap();
            for change in &changes {
                change.to(format, &mut wanted);
            }
            tried += 1;
            let Some((text, conflicts)) = merged(format, &base, &ours, &theirs) else {
                continue;
            };
            by_key += 1;
            let told =
                format!("{format:?} {seed} {changes:?}\n{base}\n---- ours\n{ours}\n---- theirs\n{theirs}\n---- {text}");
            assert!(conflicts.is_empty(), "{conflicts:?} {told}");
            assert_eq!(values(format, &text).unwrap(), wanted, "{told}");
            assert_lines_stay([&base, &ours, &theirs], &text, Lines::Counted);
            let (mirrored, _) = merged(format, &base, &theirs, &ours).unwrap_or_else(|| panic!("one way only: {told}"));
            assert_eq!(values(format, &mirrored).unwrap(), wanted, "{told}");
        }
        println!("{format:?}: {by_key} of {tried} by key");
        assert!(
            tried > 100 && by_key * 100 >= tried * 95,
            "{format:?}: {by_key} of {tried}"
        );
    }
}

#[test]
fn changes_to_the_same_keys_conflict_at_these() {
    for format in FORMATS {
        let (mut tried, mut by_key) = (0, 0);
        for seed in 0..DOCUMENTS {
            let mut chance = Chance::new(seed);
            let Some(base) = document(format, &mut chance) else {
                continue;
            };
            let changes = changes(format, &base, &mut chance);
            let is_new = |change: &Change| !places(format, &base).iter().any(|place| place == change.path());
            let (shared, own) = changes.split_at(changes.len() / 2);
            let mut wanted = Vec::new();
            let mut their: Vec<Change> = own.to_vec();
            let mut our: Vec<Change> = Vec::new();
            for change in shared {
                // Set against unset, or against another value.
                if let (Change::Unset(path), true) = (change, is_new(change)) {
                    panic!("{path:?} is nothing to take away");
                }
                our.push(change.clone());
                their.push(Change::Set(change.path().to_vec(), "\"other\"".to_owned()));
                wanted.push(change.path().to_vec());
            }
            let (Some(ours), Some(theirs)) = (all(format, &base, &our), all(format, &base, &their)) else {
                continue;
            };
            tried += 1;
            let mut emptied: Vec<String> = values(format, &ours).unwrap().into_keys().collect();
            for map in ["0", HEADLESS] {
                if !emptied.iter().any(|path| path.starts_with(&format!("{map}["))) {
                    emptied.push(map.to_owned());
                }
            }
            let wanted = wanted.into_iter().map(|mut steps: Vec<Step>| {
                // A map that one side has emptied is in conflict as a whole.
                let parent = KeyPath {
                    steps: steps[..steps.len() - 1].to_vec(),
                };
                if emptied.contains(&format!("0{parent}")) {
                    steps.pop();
                }
                KeyPath { steps }.to_string()
            });
            let wanted: BTreeSet<String> = wanted.collect();
            for (ours, theirs) in [(&ours, &theirs), (&theirs, &ours)] {
                let Some((text, conflicts)) = merged(format, &base, ours, theirs) else {
                    continue;
                };
                by_key += 1;
                let told = format!("{format:?} {seed}\n{base}\n---- ours\n{ours}\n---- theirs\n{theirs}\n---- {text}");
                assert_eq!(conflicts, wanted, "{told}");
                let blocks = text.lines().filter(|line| line.starts_with("<<<<<<< ours")).count();
                assert!(blocks <= wanted.len() && (blocks > 0) != wanted.is_empty(), "{told}");
                assert_lines_stay([&base, ours, theirs], &text, Lines::Somewhere);
            }
        }
        println!("{format:?}: {by_key} of {} by key", 2 * tried);
        assert!(
            tried > 100 && by_key * 100 >= tried * 2 * 95,
            "{format:?}: {by_key} of {tried}"
        );
    }
}

#[test]
fn one_side_alone_gives_its_text() {
    for format in FORMATS {
        for seed in 0..DOCUMENTS {
            let mut chance = Chance::new(seed);
            let Some(base) = document(format, &mut chance) else {
                continue;
            };
            let changes = changes(format, &base, &mut chance);
            let Some(changed) = all(format, &base, &changes) else {
                continue;
            };
            for (was, ours, theirs) in [
                (&base, &changed, &base),
                (&base, &base, &changed),
                (&base, &changed, &changed),
                (&String::new(), &changed, &changed),
            ] {
                if let Some((text, conflicts)) = merged(format, was, ours, theirs) {
                    assert_eq!((&text, conflicts.len()), (&changed, 0), "{format:?} {seed}\n{base}");
                }
            }
        }
    }
}
