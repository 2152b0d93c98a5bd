//! The rules as functions over one source, each giving what breaks it, and what shows that they can refuse.

use std::collections::BTreeMap;

use regex::Regex;

use super::reading::{Source, floors_named, product};

/// The dependencies, each with the files (by the beginning of their path below `src/`) that may name it. One without a home
/// is never named: it only holds a version.
pub const HOMES: &[(&str, &[&str])] = &[
    ("aes", &["crypt/"]),
    ("aes_gcm", &["crypt/"]),
    ("age", &["crypt/"]),
    ("age_core", &["crypt/"]),
    ("bech32", &["crypt/"]),
    ("chacha20poly1305", &["crypt/"]),
    ("clap", &["cli", "commands/"]),
    ("clap_complete", &["cli.rs", "commands/"]),
    ("console", &["ui/"]),
    ("data_encoding", &["crypt/", "document/yaml/"]),
    ("getrandom", &["crypt/"]),
    ("git2", &["git/"]),
    ("globset", &["policy/", "sops/selection.rs", "guard/"]),
    ("granit_parser", &["document/", "policy/outline.rs"]),
    ("hkdf", &["crypt/"]),
    ("hmac", &["crypt/", "filter/digest.rs"]),
    ("ignore", &["commands/stored.rs"]),
    ("libgit2_sys", &[]),
    ("libz_sys", &[]),
    ("md5", &["crypt/"]),
    ("ml_kem", &["crypt/"]),
    (
        "regex",
        &[
            "text/go_regex",
            "crypt/envelope.rs",
            "git/attribute_patterns.rs",
            "guard/",
        ],
    ),
    ("rustix", &["ui/"]),
    ("serde", &["policy/", "report/"]),
    ("serde_json", &["report/"]),
    ("serde_yaml", &["policy/", "guard/"]),
    ("sha2", &["crypt/", "filter/digest.rs"]),
    ("sha2_10", &["crypt/"]),
    ("sha3", &["crypt/"]),
    ("signal_hook", &["ui/"]),
    ("shlex", &["git/config_inspect.rs", "commands/", "ui/editor.rs", "cli/"]),
    // Private files on disk: the floors that write some.
    ("tempfile", &["git/", "ui/", "commands/", "guard/test_checkout.rs"]),
    // Every floor names its own errors.
    ("thiserror", &[""]),
    ("x25519_dalek", &["crypt/"]),
    // Plaintext is wiped where it lies.
    (
        "zeroize",
        &[
            "text/encoding.rs",
            "crypt/",
            "sops/",
            "document/",
            "vault.rs",
            "filter/",
            "guard/",
            "ui/",
            "commands/",
        ],
    ),
];

/// Floors that may know less than all that lies below them.
const NARROW: &[(&str, &[&str])] = &[("git", &["text"])];

/// What prints; only `ui` may.
pub const PRINTS: &[&str] = &["println!", "eprintln!", "print!", "eprint!", "dbg!", "io::stderr"];

/// What looks at the world around the program; only `ui` and the floors above it may.
pub const SURROUNDINGS: &[&str] = &[
    "env::var",
    "env::args",
    "env::temp_dir",
    "env::current_dir",
    "env::home_dir",
    "SystemTime::now",
    "Instant::now",
    "io::stdin",
    "io::stdout",
    "process::exit",
];

/// File, word and reason of each exception.
pub const EXCUSED: &[(&str, &str, &str)] = &[
    (
        "git/environment.rs",
        "env::var",
        "the one place that reads Git's variables, called by the top floor only",
    ),
    (
        "guard/test_checkout.rs",
        "env::var",
        "support for this floor's tests only",
    ),
];

/// Floors that a source names and may not.
pub fn wrong_floors(source: &Source, order: &[&str]) -> Vec<String> {
    let Some(own) = source.floor() else { return Vec::new() };
    let place = |floor: &str| order.iter().position(|known| *known == floor);
    let narrow = NARROW.iter().find(|(floor, _)| *floor == own).map(|(_, may)| may);
    let may = |named: &str| match (narrow, place(named), place(own)) {
        _ if named == own => true,
        (Some(may), ..) => may.contains(&named),
        (None, Some(named), Some(own)) => named < own,
        // A name that is no floor is a constant or macro of the crate's root.
        (None, None, Some(_)) => true,
        (None, _, None) => false,
    };
    let wrong = floors_named(source).into_iter().filter(|named| !may(named));
    wrong
        .map(|named| format!("src/{}: {own} may not know {named}", source.path))
        .collect()
}

/// Whether a text holds a word at a place whose left side fits.
fn occurs(text: &str, word: &str, fits: impl Fn(&str) -> bool) -> bool {
    text.match_indices(word).any(|(at, _)| fits(&text[..at]))
}

fn in_a_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Dependencies that a source names away from their home.
pub fn strays(source: &Source, homes: &[(&str, &[&str])]) -> Vec<String> {
    // A path that begins here: neither the middle of one nor a field or method.
    let begins = |before: &str| match before.strip_suffix("::") {
        Some(before) => !before.ends_with(in_a_word),
        None => !before.ends_with(|last| in_a_word(last) || last == '.' || last == ':'),
    };
    let named = |name: &str| {
        let plain = [format!("use {name};"), format!("use {name} as ")];
        occurs(&source.text, &format!("{name}::"), begins)
            || plain
                .iter()
                .any(|word| occurs(&source.text, word, |before| !before.ends_with(in_a_word)))
    };
    let away = homes
        .iter()
        .filter(|(_, places)| !places.iter().any(|place| source.path.starts_with(place)));
    let strays = away.filter(|(name, _)| named(name));
    strays
        .map(|(name, places)| format!("src/{}: {name} has its home in {places:?}", source.path))
        .collect()
}

/// Words that a source holds and may not.
pub fn words(source: &Source, words: &[&str]) -> Vec<String> {
    let excused = |word: &str| {
        EXCUSED
            .iter()
            .any(|(path, known, _)| *path == source.path && *known == word)
    };
    let found = words
        .iter()
        .filter(|word| occurs(&source.text, word, |before| !before.ends_with(in_a_word)));
    found
        .filter(|word| !excused(word))
        .map(|word| format!("src/{}: {word}", source.path))
        .collect()
}

/// Signs of unfinished work and paths of somebody's machine. Put together here, so that this file does not break the rule.
pub fn unfinished() -> Regex {
    let marks = [
        concat!(r"\bTO", r"DO\b"),
        concat!(r"\bFIX", r"ME\b"),
        concat!("unimple", r"mented!"),
        concat!("to", r"do!\("),
    ];
    let folders = concat!("/(?:wor", "k|far", "m|roo", "t|home)/");
    Regex::new(&format!("{}|{folders}", marks.join("|"))).unwrap()
}

fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: product(text).0,
    }
}

#[test]
fn a_floor_above_is_refused() {
    const ORDER: &[&str] = &["text", "document", "policy", "git", "filter", "ui"];
    #[track_caller]
    fn case(path: &str, text: &str, wrong: &[&str]) {
        let own = path.split(['/', '.']).next().unwrap();
        let expected: Vec<String> = wrong
            .iter()
            .map(|named| format!("src/{path}: {own} may not know {named}"))
            .collect();
        assert_eq!(wrong_floors(&source(path, text), ORDER), expected, "{text}");
    }
    case("document/mod.rs", "use crate::filter::Filter;", &["filter"]);
    case(
        "document/mod.rs",
        "use crate::{text::Span, ui::Failure, policy};",
        &["policy", "ui"],
    );
    case("document/mod.rs", "use crate::{text::{Span, Line}, ui};", &["ui"]);
    case("document/yaml/path.rs", "    fn f(x: &crate::ui::Failure) {}", &["ui"]);
    case("document/mod.rs", "use super::policy::Rule;", &["policy"]);
    case("document/item.rs", "use super::super::policy::Rule;", &["policy"]);
    case("git/repo.rs", "use crate::document::Format;", &["document"]);
    case("attic/mod.rs", "use crate::text::Span;", &["text"]);
    case("document/item.rs", "use super::policy::Rule;", &[]);
    case(
        "filter/mod.rs",
        "use crate::{git, policy::Policy};\nuse crate::text;",
        &[],
    );
    case("git/repo.rs", "use crate::git::oid::Oid;\nuse crate::text::Span;", &[]);
    case(
        "document/mod.rs",
        "//! See [`crate::ui`].\n/// And crate::ui.\nlet x = 1; // crate::ui\n",
        &[],
    );
    case(
        "document/mod.rs",
        "#[cfg(test)]\nmod tests {\n    use crate::ui;\n}\n",
        &[],
    );
    case("main.rs", "use crate::ui;", &[]);
}

#[test]
fn a_stray_dependency_is_refused() {
    const TABLE: &[(&str, &[&str])] = &[("age", &["crypt/"]), ("regex", &["guard/", "sops/selection.rs"])];
    #[track_caller]
    fn case(path: &str, text: &str, stray: bool) {
        assert_eq!(!strays(&source(path, text), TABLE).is_empty(), stray, "{path}: {text}");
    }
    case("git/repo.rs", "use age::Identity;", true);
    case("git/repo.rs", "let x = ::age::x25519::Identity::generate();", true);
    case("git/repo.rs", "impl From<age::DecryptError> for Error {}", true);
    case("sops/seal.rs", "    use regex;", true);
    case("crypt/identity.rs", "use age::Identity;", false);
    case("sops/selection.rs", "use regex::Regex;", false);
    case(
        "git/repo.rs",
        "use crate::age::Thing;\nuse lineage::Tree;\nlet n = group.age;",
        false,
    );
}

#[test]
fn forbidden_words_are_found() {
    #[track_caller]
    fn case(path: &str, text: &str, number: usize) {
        let found = words(&source(path, text), &["println!", "env::var"]);
        assert_eq!(found.len(), number, "{path}: {text}: {found:?}");
    }
    case("guard/mod.rs", "    println!(\"{x}\");", 1);
    case("guard/mod.rs", "let home = std::env::var_os(\"HOME\");", 1);
    case("guard/mod.rs", "use std::env;\nlet home = env::var(\"HOME\");", 1);
    case("guard/mod.rs", "// println!(\"{x}\");", 0);
    case("guard/mod.rs", "    eprintln!(\"{x}\");", 0);
    case("git/environment.rs", "let home = std::env::var_os(\"HOME\");", 0);
    case(
        "guard/mod.rs",
        "#[cfg(test)]\nmod tests {\n    println!();\n}\nprintln!();\n",
        1,
    );
}

#[test]
fn unfinished_work_and_paths_are_found() {
    let cases = BTreeMap::from([
        (concat!("// TO", "DO: later"), true),
        (concat!("let x = to", "do!();"), true),
        (concat!("see /ro", "ot/x"), true),
        (concat!("~/.config and /wor", "kspace/x"), false),
        (concat!("a to", "do list, MASTO", "DON"), false),
    ]);
    for (line, expected) in cases {
        assert_eq!(unfinished().is_match(line), expected, "{line}");
    }
}
