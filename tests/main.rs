//! All integration tests in one binary: it links once. A file of this folder that is not named here fails the test below.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a step that fails is a test that fails, and a long search says its seed"
)]

mod support;

mod bad_input;
mod bad_setup;
mod change_laws;
mod changes;
mod commands;
mod commands_with_secrets;
mod gates;
mod generate;
mod house;
mod interop;
mod keys;
mod killed;
mod lines;
mod loopholes;
mod merge_laws;
mod merges;
mod merges_by_key;
mod newest_git;
mod odd_repos;
mod pushes;
mod rekeying;
mod roundtrip;
mod scenarios;
mod scenarios_diff;
mod scenarios_gates;
mod scenarios_history;
mod scenarios_merge;
mod scenarios_protocol;
mod scenarios_repos;
mod setup;
mod upkeep;
mod verify;

#[test]
fn every_test_file_is_named() {
    let names = include_str!("main.rs");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") else {
            continue;
        };
        assert!(
            names.contains(&format!("mod {module};")),
            "{name} is not named in tests/main.rs"
        );
    }
}
