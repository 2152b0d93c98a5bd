//! The rules of the house that a compiler does not know: floors, homes of dependencies, who may speak and who may look around.
//!
//! Each rule is a function over texts, so that it can be shown to refuse; the tests here hold the tree against them and also
//! fail where they have seen nothing.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod reading;
mod rules;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

use reading::{Source, TOP, commands, commands_named, dependencies, names_command, sources};
use rules::{EXCUSED, HOMES, PRINTS, SURROUNDINGS, strays, unfinished, words, wrong_floors};

#[track_caller]
fn none(broken: impl IntoIterator<Item = String>) {
    let broken: Vec<String> = broken.into_iter().collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn each_floor_knows_only_floors_below_it() {
    none(
        sources()
            .iter()
            .flat_map(|source| wrong_floors(source, git_seal::FLOORS)),
    );
}

#[test]
fn the_list_of_floors_is_that_of_the_folders() {
    let listed: BTreeSet<&str> = git_seal::FLOORS.iter().copied().collect();
    let sources = sources();
    let there: BTreeSet<&str> = sources.iter().filter_map(Source::floor).collect();
    assert_eq!(listed, there);
    assert_eq!(listed.len(), git_seal::FLOORS.len(), "a floor is listed twice");
}

#[test]
fn each_dependency_stays_in_its_home() {
    none(sources().iter().flat_map(|source| strays(source, HOMES)));
}

#[test]
fn each_dependency_has_a_home() {
    let manifest = fs::read_to_string(Path::new(TOP).join("Cargo.toml")).unwrap();
    let housed: BTreeSet<String> = HOMES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(dependencies(&manifest), housed);
}

#[test]
fn each_source_says_what_it_is() {
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches"] {
        reading::walk(&Path::new(TOP).join(folder), &mut files);
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    let mute = files
        .iter()
        .filter(|file| !fs::read_to_string(file).unwrap().starts_with("//! "));
    none(mute.map(|file| file.display().to_string()));
}

#[test]
fn only_ui_prints() {
    let mute = |source: &&Source| source.floor().is_some_and(|floor| floor != "ui");
    none(sources().iter().filter(mute).flat_map(|source| words(source, PRINTS)));
}

#[test]
fn nothing_below_ui_looks_around() {
    let ui = git_seal::FLOORS.iter().position(|floor| *floor == "ui").unwrap();
    let below = |source: &&Source| {
        source
            .floor()
            .is_some_and(|floor| git_seal::FLOORS[..ui].contains(&floor))
    };
    none(
        sources()
            .iter()
            .filter(below)
            .flat_map(|source| words(source, SURROUNDINGS)),
    );
}

#[test]
fn each_exception_is_in_use() {
    let sources = sources();
    let idle = EXCUSED.iter().filter(|(path, word, _)| {
        !sources
            .iter()
            .any(|source| source.path == *path && source.text.contains(word))
    });
    none(idle.map(|(path, word, _)| format!("src/{path}: {word} is excused and not there")));
}

#[test]
fn each_hook_is_the_embedded_one() {
    let include = Regex::new(r#"include_str!\("(?:\.\./)+hooks/([^"]+)"\)"#).unwrap();
    let sources = sources();
    let embedded: BTreeSet<&str> = sources
        .iter()
        .flat_map(|source| include.captures_iter(&source.text))
        .map(|found| found.get(1).unwrap().as_str())
        .collect();
    let mut files = Vec::new();
    reading::walk(&Path::new(TOP).join("hooks"), &mut files);
    let there: BTreeSet<&str> = files
        .iter()
        .map(|file| file.file_name().unwrap().to_str().unwrap())
        .collect();
    assert!(!there.is_empty(), "there are no hooks");
    assert_eq!(embedded, there);
    for file in &files {
        let mark = format!(
            "#!/bin/sh\n# git-seal hook v1: {}\n",
            file.file_name().unwrap().to_str().unwrap()
        );
        assert!(
            fs::read_to_string(file).unwrap().starts_with(&mark),
            "{}: not marked as ours",
            file.display()
        );
    }
}

/// The commands of `--help`, and the README.
fn commands_and_readme() -> (Vec<String>, String) {
    let help = Command::new(env!("CARGO_BIN_EXE_git-seal"))
        .arg("--help")
        .output()
        .unwrap();
    let commands = commands(&String::from_utf8(help.stdout).unwrap());
    assert!(commands.len() > 5, "--help lists only {commands:?}");
    (commands, fs::read_to_string(Path::new(TOP).join("README.md")).unwrap())
}

#[test]
fn each_command_is_in_the_readme() {
    let (commands, readme) = commands_and_readme();
    none(commands.into_iter().filter(|name| !names_command(&readme, name)));
}

#[test]
fn the_readme_names_no_other_command() {
    let (commands, readme) = commands_and_readme();
    let mut named = commands_named(&readme);
    assert!(!named.is_empty(), "the README names no command");
    named.retain(|name| !commands.contains(name));
    none(named);
}

#[test]
fn nothing_unfinished_and_no_path_of_a_machine() {
    let unfinished = unfinished();
    let mut files: Vec<PathBuf> = [
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "docs/sops.md",
        "Cargo.toml",
        "install.sh",
        ".ci/run",
    ]
    .map(|name| Path::new(TOP).join(name))
    .into();
    for folder in ["src", "tests", "hooks", "benches", "examples"] {
        reading::walk(&Path::new(TOP).join(folder), &mut files);
    }
    // Vectors come from other programs as they are.
    files.retain(|file| {
        !file
            .components()
            .any(|part| part.as_os_str() == "vectors" || part.as_os_str() == "fixtures")
    });
    let mut broken = Vec::new();
    for file in &files {
        let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            broken.extend(
                unfinished
                    .find(line)
                    .map(|found| format!("{}:{}: {}", file.display(), number + 1, found.as_str())),
            );
        }
    }
    none(broken);
}
