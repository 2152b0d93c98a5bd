//! `set` and `unset` beside SOPS's: the same place of the same sealed file, and both results opened by SOPS.

use git_seal::document::change::{Error, set, unset};
use git_seal::document::key_path::Step;
use git_seal::document::{Format, Item, KeyPath, Shape, json};

use super::sides::Sops;
use super::vectors::{Settings, keyring, opened, resealed};
use crate::change_laws::{Kind, place, trees};
use crate::generate::{self, Chance};

/// How many changes are compared.
const CHANGES: usize = 240;
/// Values that both take: SOPS refuses a list that is the value itself.
const VALUES: &[&str] = &[
    "5",
    "-1.50",
    "true",
    "\"word\"",
    "\"\"",
    "\"it's: \\\"x\\\" # no\"",
    "\"two\\nlines\\n\"",
    "\"5\"",
    "{}",
    "{\"a\": {\"b\": [\"c\", {\"d\": null, \"e\": 1.5}]}, \"x y\": \"\"}",
];

/// Whether the comments of lists count as elements for SOPS here, or a key can't be written in its paths.
fn is_beyond_sops(format: Format, text: &str, path: &KeyPath) -> bool {
    let mut lists = vec![false];
    let document = crate::change_laws::parse(format, text);
    let comment_in_list = document.items.iter().any(|item| match item {
        Item::Enter(container) => {
            lists.push(container.shape == Shape::List);
            false
        }
        Item::Leave => {
            lists.pop();
            false
        }
        Item::Comment(_) => lists.last() == Some(&true),
        Item::Begin(_) | Item::Leaf(_) => false,
    });
    let odd_key = path
        .steps
        .iter()
        .any(|step| matches!(step, Step::Key(key) if key.contains(['[', ']', '"', '\t', '\n'])));
    comment_in_list || odd_key
}

/// A path as SOPS reads it.
fn written(path: &KeyPath) -> String {
    let step = |step: &Step| match step {
        Step::Key(key) => format!("[\"{key}\"]"),
        Step::Index(index) => format!("[{index}]"),
    };
    path.steps.iter().map(step).collect()
}

/// All numbers as doubles: a scalar that SOPS sets is one, and to SOPS 3.13.1 every number of JSON is.
fn numbers_apart(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Number(number) => *value = serde_json::json!(number.as_f64()),
        serde_json::Value::Array(elements) => elements.iter_mut().for_each(numbers_apart),
        serde_json::Value::Object(entries) => entries.values_mut().for_each(numbers_apart),
        _ => {}
    }
}

fn as_json(sops: &Sops, format: Format, sealed: &[u8]) -> Result<serde_json::Value, String> {
    let json = sops.decrypt_to_json(format, sealed)?;
    let mut value = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
    numbers_apart(&mut value);
    Ok(value)
}

/// One change by both; whether there was one to compare.
fn compare(sops: &Sops, format: Format, sealed: &[u8], chance: &mut Chance) -> Result<bool, String> {
    let keys = keyring(&["alice.txt"]);
    let plain = opened(format, sealed, &keys).map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(&plain.content).unwrap();
    let (steps, kind) = place(chance, &trees(&crate::change_laws::parse(format, text))[0]);
    let path = KeyPath { steps };
    if is_beyond_sops(format, text, &path) {
        return Ok(false);
    }
    let way = written(&path);
    let value = chance.of(VALUES);
    let away = kind != Kind::New && chance.once_in(3);
    let (ours, theirs) = if away {
        (
            unset(format, text, &path),
            sops.change(format, sealed, &["unset", &way]),
        )
    } else {
        let ours = set(format, text, &path, &json::parse_value(value).unwrap());
        (ours, sops.change(format, sealed, &["set", &way, value]))
    };
    let about = format!("{way} = {value}, away {away}\n{text}");
    let ours = match ours {
        Ok(ours) => ours,
        Err(Error::Layout) => return Ok(false),
        Err(error) => return Err(format!("{error}: {about}")),
    };
    let theirs = theirs.map_err(|error| format!("SOPS: {error}: {about}"))?;
    let ours = resealed(format, ours.text.as_bytes(), sealed, &keys).map_err(|error| format!("{error}: {about}"))?;
    let Ok(wanted) = as_json(sops, format, &theirs) else {
        return Ok(false);
    };
    let found = as_json(sops, format, &ours).map_err(|error| format!("SOPS refuses ours: {error}: {about}"))?;
    if wanted != found {
        return Err(format!("{about}\nours {found}\ntheirs {wanted}"));
    }
    opened(format, &theirs, &keys).map_err(|error| format!("we refuse theirs: {error}: {about}"))?;
    Ok(true)
}

#[test]
#[ignore = "needs sops"]
fn a_place_is_changed_as_sops_changes_it() {
    let sops = Sops::new();
    let (mut compared, mut failed) = (0, Vec::new());
    for seed in 0.. {
        let mut chance = Chance::new(seed);
        let (format, plain) = if chance.once_in(3) {
            (Format::Json, generate::json(&mut chance))
        } else {
            (Format::Yaml, generate::yaml(&mut chance))
        };
        let Ok(sealed) = sops.encrypt(format, &plain, &Settings::default()) else {
            continue;
        };
        for _ in 0..2 {
            match compare(&sops, format, &sealed, &mut chance) {
                Ok(done) => compared += usize::from(done),
                Err(error) => failed.push(format!("=== {seed} {error}")),
            }
        }
        if compared + failed.len() >= CHANGES {
            break;
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {compared} differ:\n{}",
        failed.len(),
        failed.join("\n")
    );
}
