//! The law of changing one place, over generated documents: it says what was asked for, all else says what it said, comments and
//! other lines stay, and a new key that is taken away again leaves the text as it was. Values are compared by a tree of this file's
//! own. Each document grows from its number alone.

use git_seal::document::change::{Error, Reach, set, unset};
use git_seal::document::key_path::Step;
use git_seal::document::{Document, Format, Item, KeyPath, Shape, Value, json, yaml};

use crate::generate::{self, Chance};

/// How many documents of each format are tried.
const DOCUMENTS: u64 = 1_500;
/// How many places of each document.
const PLACES: usize = 4;
/// Values, as JSON.
const VALUES: &[&str] = &[
    "5",
    "-1.50",
    "1e3",
    "true",
    "null",
    "\"word\"",
    "\"\"",
    "\"it's: \\\"x\\\" # no\"",
    "\"two\\nlines\\n\"",
    "\"two\\nlines\"",
    "\"kept\\n\\n\"",
    "\" lead\\n\\ttab\"",
    "\"- x\"",
    "\"5\"",
    "\"\\u0001\\ud83d\\ude00\"",
    "{}",
    "[]",
    "[1, [2, \"three\"], {\"four\": 5}]",
    "{\"a\": {\"b\": [\"c\", {\"d\": null, \"e\": \"p\\nq\\n\"}]}, \"x y\": \"\", \"-\": [[]]}",
];

#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    Leaf(String),
    Map(Vec<(String, Tree)>),
    List(Vec<Tree>),
}

fn leaf(value: &Value<'_>) -> Tree {
    let text = value.plain_bytes().unwrap_or_default();
    let text = match value {
        // Bit for bit: `-0` and NaN too.
        Value::Float(number) => format!("{:x}", number.to_bits()),
        _ => String::from_utf8_lossy(&text).into_owned(),
    };
    Tree::Leaf(format!("{value:?} {text:?}"))
}

fn attach(open: &mut [(String, Tree)], key: String, tree: Tree) {
    match &mut open.last_mut().unwrap().1 {
        Tree::Map(entries) => entries.push((key, tree)),
        Tree::List(elements) => elements.push(tree),
        Tree::Leaf(_) => unreachable!(),
    }
}

/// The documents of a text.
pub fn trees(document: &Document<'_>) -> Vec<Tree> {
    let mut open: Vec<(String, Tree)> = Vec::new();
    let mut done = Vec::new();
    for item in &document.items {
        match item {
            Item::Begin(_) => {
                done.extend(open.pop().map(|(_, tree)| tree));
                open.push((String::new(), Tree::Map(Vec::new())));
            }
            Item::Enter(container) => {
                let key = container
                    .key
                    .as_ref()
                    .map(|key| key.name.to_string())
                    .unwrap_or_default();
                let tree = match container.shape {
                    Shape::Map => Tree::Map(Vec::new()),
                    Shape::List => Tree::List(Vec::new()),
                };
                open.push((key, tree));
            }
            Item::Leave => {
                let (key, tree) = open.pop().unwrap();
                attach(&mut open, key, tree);
            }
            Item::Leaf(value) => {
                let key = value.key.as_ref().map(|key| key.name.to_string()).unwrap_or_default();
                attach(&mut open, key, leaf(&value.value));
            }
            Item::Comment(_) => {}
        }
    }
    done.extend(open.pop().map(|(_, tree)| tree));
    done
}

pub fn parse(format: Format, text: &str) -> Document<'_> {
    match format {
        Format::Yaml => yaml::parse(text),
        _ => json::parse(text),
    }
    .unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

fn comments(document: &Document<'_>) -> Vec<String> {
    let mut texts: Vec<String> = document
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Comment(comment) => Some(comment.text.trim().to_owned()),
            _ => None,
        })
        .collect();
    texts.sort();
    texts
}

/// What a change may take along.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    /// A new member.
    New,
    /// A scalar, empty brackets included.
    Scalar,
    /// A container, with its comments and lines.
    Container,
}

/// A place of a tree that can be set, and what is there.
pub fn place(chance: &mut Chance, root: &Tree) -> (Vec<Step>, Kind) {
    let mut steps = Vec::new();
    let mut tree = root;
    loop {
        let new = chance.once_in(5);
        let (step, inner) = match tree {
            Tree::Map(entries) if new || entries.is_empty() => (Step::Key("new key".to_owned()), None),
            Tree::List(elements) if new || elements.is_empty() => (Step::Index(elements.len() + chance.below(3)), None),
            Tree::Map(entries) => {
                let (key, inner) = &entries[chance.below(entries.len())];
                // The first of two is meant.
                let inner = entries
                    .iter()
                    .find(|(name, _)| name == key)
                    .map_or(inner, |(_, inner)| inner);
                (Step::Key(key.clone()), Some(inner))
            }
            Tree::List(elements) => {
                let index = chance.below(elements.len());
                (Step::Index(index), Some(&elements[index]))
            }
            Tree::Leaf(_) => return (steps, Kind::Scalar),
        };
        steps.push(step);
        match inner {
            None => return (steps, Kind::New),
            Some(inner) if chance.once_in(4) => {
                let kind = if matches!(inner, Tree::Leaf(_)) {
                    Kind::Scalar
                } else {
                    Kind::Container
                };
                return (steps, kind);
            }
            Some(inner) => tree = inner,
        }
    }
}

fn put(tree: &mut Tree, steps: &[Step], value: Tree) {
    let Some((step, rest)) = steps.split_first() else {
        *tree = value;
        return;
    };
    match (tree, step) {
        (Tree::Map(entries), Step::Key(key)) => match entries.iter_mut().find(|(name, _)| name == key) {
            Some((_, inner)) => put(inner, rest, value),
            None => entries.push((key.clone(), value)),
        },
        (Tree::List(elements), Step::Index(index)) => match elements.get_mut(*index) {
            Some(inner) => put(inner, rest, value),
            None => elements.push(value),
        },
        (tree, step) => panic!("{step} in {tree:?}"),
    }
}

fn take(tree: &mut Tree, steps: &[Step]) {
    match (tree, steps) {
        (Tree::Map(entries), [Step::Key(key)]) => {
            let at = entries.iter().position(|(name, _)| name == key).unwrap();
            entries.remove(at);
        }
        (Tree::List(elements), [Step::Index(index)]) => drop(elements.remove(*index)),
        (Tree::Map(entries), [Step::Key(key), rest @ ..]) => {
            let inner = entries.iter_mut().find(|(name, _)| name == key).unwrap();
            take(&mut inner.1, rest);
        }
        (Tree::List(elements), [Step::Index(index), rest @ ..]) => take(&mut elements[*index], rest),
        (tree, steps) => panic!("{steps:?} in {tree:?}"),
    }
}

/// Whether a text is another one with something put in at one place. Empty brackets, and the blanks before a comment, may give way.
fn is_insertion(before: &str, after: &str) -> bool {
    let same = |(one, other): &(u8, u8)| one == other;
    let start = before.bytes().zip(after.bytes()).take_while(same).count();
    let rest = before.len().min(after.len()) - start;
    let end = before
        .bytes()
        .rev()
        .zip(after.bytes().rev())
        .take(rest)
        .take_while(same)
        .count();
    let gone = String::from_utf8_lossy(&before.as_bytes()[start..before.len() - end]).into_owned();
    let gone = gone.split('#').next().unwrap_or_default();
    gone.split([' ', '\t', '\r', '\n', '{', '}', '[', ']'])
        .all(|word| word.is_empty() || word.starts_with('&'))
}

#[derive(Default, Debug)]
struct Count {
    set: usize,
    unset: usize,
    refused: usize,
    aliases: usize,
    same_again: usize,
    not_same_again: usize,
}

/// Whether the container that a new member comes into holds nothing.
fn is_empty(tree: &Tree, steps: &[Step]) -> bool {
    match (tree, steps) {
        (Tree::Map(entries), [_]) => entries.is_empty(),
        (Tree::List(elements), [_]) => elements.is_empty(),
        (Tree::Map(entries), [Step::Key(key), rest @ ..]) => entries
            .iter()
            .find(|(name, _)| name == key)
            .is_some_and(|(_, inner)| is_empty(inner, rest)),
        (Tree::List(elements), [Step::Index(index), rest @ ..]) => is_empty(&elements[*index], rest),
        _ => false,
    }
}

struct Trial<'t> {
    format: Format,
    text: &'t str,
    about: String,
}

impl Trial<'_> {
    fn run(&self, chance: &mut Chance, count: &mut Count) {
        let document = parse(self.format, self.text);
        let before = trees(&document);
        let (steps, kind) = place(chance, &before[0]);
        let path = KeyPath { steps };
        let about = format!("{} {path}", self.about);
        if chance.once_in(3) && kind != Kind::New {
            return self.take_away(&document, &before, &path, kind, &about, count);
        }
        let json = chance.of(VALUES);
        let about = format!("{about} = {json}");
        let value = json::parse_value(json).unwrap();
        let changed = match set(self.format, self.text, &path, &value) {
            Ok(changed) => changed,
            Err(Error::Layout) => {
                count.refused += 1;
                println!("refused: {about}\n{}", self.text);
                return;
            }
            Err(error) => panic!("{about}: {error}\n{}", self.text),
        };
        count.set += 1;
        let wrapped = format!("{{\"v\": {json}}}");
        let Tree::Map(mut holder) = trees(&parse(Format::Json, &wrapped)).remove(0) else {
            unreachable!()
        };
        let mut wanted = before.clone();
        put(&mut wanted[0], &path.steps, holder.remove(0).1);
        self.check(&document, &changed.text, &wanted, kind, changed.reach, &about, count);
        if kind == Kind::New && changed.reach == Reach::Place {
            assert!(
                is_insertion(self.text, &changed.text),
                "{about}:
{}
=>
{}",
                self.text,
                *changed.text
            );
            self.back(&before, &path, &changed.text, &about, count);
        }
    }

    /// A new member taken away again.
    fn back(&self, before: &[Tree], path: &KeyPath, changed: &str, about: &str, count: &mut Count) {
        let mut steps = path.steps.clone();
        if let Some(Step::Index(index)) = steps.last_mut() {
            let mut tree = &before[0];
            for step in &path.steps[..path.steps.len() - 1] {
                tree = match (tree, step) {
                    (Tree::Map(entries), Step::Key(key)) => &entries.iter().find(|(name, _)| name == key).unwrap().1,
                    (Tree::List(elements), Step::Index(index)) => &elements[*index],
                    _ => unreachable!(),
                };
            }
            let Tree::List(elements) = tree else { unreachable!() };
            *index = elements.len();
        }
        let again = match unset(self.format, changed, &KeyPath { steps }) {
            Ok(again) => again,
            Err(error) => panic!("{about}: {error}\n{changed}"),
        };
        if *again.text == *self.text {
            count.same_again += 1;
        } else {
            count.not_same_again += 1;
            assert!(
                is_empty(&before[0], &path.steps),
                "not the same again: {about}\n{}\n=>\n{changed}\n=>\n{}",
                self.text,
                *again.text
            );
            println!(
                "not the same again: {about}\n{}\n=>\n{changed}\n=>\n{}",
                self.text, *again.text
            );
        }
    }

    fn take_away(
        &self,
        document: &Document<'_>,
        before: &[Tree],
        path: &KeyPath,
        kind: Kind,
        about: &str,
        count: &mut Count,
    ) {
        let about = format!("{about} taken away");
        let changed = match unset(self.format, self.text, path) {
            Ok(changed) => changed,
            Err(Error::Layout) => {
                count.refused += 1;
                println!("refused: {about}\n{}", self.text);
                return;
            }
            Err(error) => panic!("{about}: {error}\n{}", self.text),
        };
        count.unset += 1;
        let mut wanted = before.to_vec();
        take(&mut wanted[0], &path.steps);
        self.check(document, &changed.text, &wanted, kind, changed.reach, &about, count);
    }

    #[allow(clippy::too_many_arguments, reason = "what there is to compare")]
    fn check(
        &self,
        document: &Document<'_>,
        changed: &str,
        wanted: &[Tree],
        kind: Kind,
        reach: Reach,
        about: &str,
        count: &mut Count,
    ) {
        count.aliases += usize::from(reach == Reach::Aliases);
        let after = parse(self.format, changed);
        assert!(trees(&after) == wanted, "{about}: values\n{}\n=>\n{changed}", self.text);
        if kind != Kind::Container {
            assert_eq!(
                comments(&after),
                comments(document),
                "{about}: comments\n{}\n=>\n{changed}",
                self.text
            );
        }
    }
}

fn law(format: Format, make: fn(&mut Chance) -> Vec<u8>) -> Count {
    let mut count = Count::default();
    for number in 0..DOCUMENTS {
        let mut chance = Chance::new(number);
        let Ok(text) = String::from_utf8(make(&mut chance)) else {
            continue;
        };
        let readable = match format {
            Format::Yaml => yaml::parse(&text).is_ok(),
            _ => json::parse(&text).is_ok(),
        };
        if !readable {
            continue;
        }
        let about = format!("document {number}");
        for _ in 0..PLACES {
            Trial {
                format,
                text: &text,
                about: about.clone(),
            }
            .run(&mut chance, &mut count);
        }
    }
    println!("{count:?}");
    count
}

#[test]
fn one_place_of_yaml_changes_and_nothing_else() {
    let count = law(Format::Yaml, generate::yaml);
    assert!(count.refused * 400 < count.set + count.unset, "{count:?}");
}

#[test]
fn one_place_of_json_changes_and_nothing_else() {
    let count = law(Format::Json, generate::json);
    assert_eq!((count.refused, count.aliases), (0, 0), "{count:?}");
}
