//! The product's sources and lists as the rules of the house see them: text, without comments and without tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// The folder of `Cargo.toml`.
pub const TOP: &str = env!("CARGO_MANIFEST_DIR");

/// A source file: its path below `src/`, with `/`, and its text.
pub struct Source {
    pub path: String,
    pub text: String,
}

impl Source {
    /// The floor that it belongs to; none for the roots of library and program.
    pub fn floor(&self) -> Option<&str> {
        let first = self.path.split('/').next().unwrap_or_default();
        let name = first.strip_suffix(".rs").unwrap_or(first);
        (name != "lib" && name != "main").then_some(name)
    }

    /// How many modules it is below the root of the crate.
    fn depth(&self) -> usize {
        let parts = self.path.split('/').count();
        if self.path.ends_with("/mod.rs") {
            parts - 1
        } else {
            parts
        }
    }
}

pub fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// The product's sources, without comments and without what is compiled for tests only.
pub fn sources() -> Vec<Source> {
    let top = Path::new(TOP).join("src");
    let mut files = Vec::new();
    walk(&top, &mut files);
    let mut tests = BTreeSet::new();
    let mut sources = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
    {
        let path = file.strip_prefix(&top).unwrap().to_str().unwrap().replace('\\', "/");
        let (text, test_modules) = product(&fs::read_to_string(file).unwrap());
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        tests.extend(test_modules.iter().map(|name| format!("{folder}/{name}.rs")));
        sources.push(Source { path, text });
    }
    sources.retain(|source| !tests.contains(&source.path));
    assert!(sources.len() > 50, "only {} sources were found", sources.len());
    sources
}

/// A text without comment lines and test items, and the names of the files that are test modules. It relies on rustfmt: an
/// item ends with the first closing brace that stands as far left as its beginning.
pub fn product(text: &str) -> (String, Vec<String>) {
    let (mut kept, mut modules) = (String::new(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let code = line.trim_start();
        if code.starts_with("//") {
            continue;
        }
        if code != "#[cfg(test)]" {
            kept.push_str(line.split(" // ").next().unwrap_or_default());
            kept.push('\n');
            continue;
        }
        let margin = &line[..line.len() - code.len()];
        let mut item = lines
            .by_ref()
            .skip_while(|line| line.trim_start().starts_with(['#', '/']));
        let head = item
            .by_ref()
            .find(|line| line.ends_with([';', '{', '}']))
            .unwrap_or_default();
        if head.ends_with('{') {
            let end = format!("{margin}}}");
            item.by_ref().find(|line| *line == end);
        } else if let Some(name) = head.trim().strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            modules.push(name.to_owned());
        }
    }
    (kept, modules)
}

/// The floors that a source names: `crate::x`, `crate::{x, y}`, and as many `super::` as lead to the root.
pub fn floors_named(source: &Source) -> BTreeSet<String> {
    let climb = "super::".repeat(source.depth());
    let root = Regex::new(&format!(r"(?:\bcrate::|(?:^|[^:\w]){climb})(\{{|\w+)")).unwrap();
    let mut named = BTreeSet::new();
    for found in root.captures_iter(&source.text) {
        let name = found.get(1).unwrap();
        if name.as_str() != "{" {
            named.insert(name.as_str().to_owned());
            continue;
        }
        named.extend(heads(&source.text[name.end()..]));
    }
    named
}

/// The first names of a list in braces whose opening brace has been read.
fn heads(list: &str) -> Vec<String> {
    let (mut depth, mut heads, mut head) = (1, Vec::new(), String::new());
    for character in list.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && character == ',') {
            let name = head.trim().split("::").next().unwrap_or_default().to_owned();
            heads.extend(Some(name).filter(|name| !name.is_empty()));
            head.clear();
        } else {
            head.push(character);
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

/// The names under `[dependencies]` and those of single systems, as code spells them.
pub fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut section = "";
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            section = line;
        }
        section == "[dependencies]" || section.starts_with("[target.") && section.ends_with(".dependencies]")
    });
    let names = lines
        .filter(|line| !line.starts_with('['))
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='));
    names
        .map(|(name, _)| name.trim().split('.').next().unwrap_or_default().replace('-', "_"))
        .collect()
}

/// The commands that a help text lists: lines of two spaces and a word.
pub fn commands(help: &str) -> Vec<String> {
    let command = Regex::new(r"(?m)^  ([a-z][a-z0-9-]*)(?:  |$)").unwrap();
    command
        .captures_iter(help)
        .map(|found| found[1].to_owned())
        .filter(|name| name != "help")
        .collect()
}

/// Whether a text names a command, alone in code or after `git seal`.
pub fn names_command(text: &str, name: &str) -> bool {
    Regex::new(&format!(r"(?:`|git seal ){name}(?:[^\w-]|$)"))
        .unwrap()
        .is_match(text)
}

/// The words that a text has after `git seal`.
pub fn commands_named(text: &str) -> BTreeSet<String> {
    let command = Regex::new(r"git seal ([a-z][a-z-]*)").unwrap();
    command.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

#[test]
fn test_items_are_left_out() {
    #[track_caller]
    fn case(text: &str, kept: &str, modules: &[&str]) {
        let (text, names) = product(text);
        assert_eq!(
            (text.as_str(), names.iter().map(String::as_str).collect::<Vec<_>>()),
            (kept, modules.to_vec())
        );
    }
    case(
        "mod a;\n#[cfg(test)]\nmod sandbox;\nmod b;\n",
        "mod a;\nmod b;\n",
        &["sandbox"],
    );
    case(
        "#[cfg(test)]\n#[allow(x)]\nmod tests {\n    fn f() {\n    }\n}\nmod b;\n",
        "mod b;\n",
        &[],
    );
    case(
        "    #[cfg(test)]\n    fn f(\n        x: u8,\n    ) {\n        g();\n    }\n    h();\n",
        "    h();\n",
        &[],
    );
}

#[test]
fn lists_are_read_as_they_stand() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\n# age = 1\nage-core = \"1\"\nserde = { x = 1 }\n\n[lints.rust]\ny = 1\n";
    assert_eq!(
        dependencies(manifest),
        BTreeSet::from(["age_core".to_owned(), "serde".to_owned()])
    );
    let help = "Usage: git-seal <COMMAND>\n\nCommands:\n  init       Set up\n  exec-env   Run\n          more\n  help  x\n\nOptions:\n  -h, --help  Print\n";
    assert_eq!(commands(help), ["init", "exec-env"]);
    let readme = "`git seal init`, `lock` and git seal exec-env --x";
    let named = |name| names_command(readme, name);
    assert!(named("init") && named("lock") && named("exec-env"));
    assert!(!named("exec") && !named("in") && !named("and"));
    assert_eq!(
        commands_named(readme),
        BTreeSet::from(["exec-env", "init"].map(str::to_owned))
    );
}
