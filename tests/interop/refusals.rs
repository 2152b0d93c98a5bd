//! What SOPS refuses is refused, with its exit code; what it accepts silently wrong is refused as well.

use std::fs;
use std::path::Path;

use super::vectors::{assert_same, entries, file, folder, format, keyring, name, opened, read};
use crate::support::{ALICE, Output, Sandbox};

/// Altered files by folder with SOPS's exit code; the folders that are not listed are opened by alice with code 0, as SOPS does.
const ALTERED: [(&str, i32); 40] = [
    ("01-value-data-tampered", 25),
    ("02-value-iv-tampered", 25),
    ("03-value-tag-tampered", 25),
    ("04-mac-tampered", 51),
    ("05-values-swapped", 25),
    ("06-key-renamed", 25),
    ("07-truncated-half", 1),
    ("08-truncated-last-100", 1),
    ("09-metadata-missing", 1),
    ("10-mac-missing", 51),
    ("11-wrong-recipient", 128),
    ("12-no-key-at-all", 128),
    ("13-value-removed", 51),
    ("14-clear-value-changed", 51),
    ("17-lastmodified-changed", 51),
    ("18-list-reordered", 51),
    ("19-encrypted-replaced-by-clear", 25),
    ("20-clear-value-added", 25),
    ("21-age-block-damaged", 128),
    ("22-age-armor-truncated", 128),
    ("23-shamir-one-group", 128),
    ("24-version-missing", 1),
    ("25-recipients-emptied", 1),
    ("28-unknown-type", 25),
    ("29-enc-malformed", 25),
    ("30-regex-metadata-changed", 51),
    ("31-json-tampered", 25),
    ("32-json-truncated", 1),
    ("33-env-tampered", 25),
    ("34-env-metadata-missing", 1),
    ("35-ini-mac-tampered", 51),
    ("36-binary-tampered", 25),
    ("37-binary-not-encrypted", 1),
    ("38-lastmodified-malformed", 1),
    ("40-value-to-null", 51),
    ("41-value-to-empty", 51),
    ("43-map-order-changed", 51),
    ("44-moved-between-files", 25),
    ("46-truncated-in-sops-block", 1),
    // SOPS 3.13.1 opens it and 3.13.2 does not; so do we.
    ("45-list-comment-3.13.2-rejects", 0),
];

/// A sandbox whose identities are those of this file, or none.
fn sandbox(keys: Option<&str>) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.take_keys();
    if let Some(keys) = keys {
        sandbox.set("SOPS_AGE_KEY_FILE", folder().join("keys").join(keys).to_str().unwrap());
    }
    sandbox
}

fn key_of(case: &str) -> Option<&'static str> {
    match &case[..2] {
        "11" => Some("outsider.txt"),
        "12" => None,
        _ => Some("alice.txt"),
    }
}

/// Runs `git-seal decrypt` on a copy of a file, in place; the copy as it is afterwards.
fn in_place(sandbox: &Sandbox, sealed: &Path) -> (Output, Vec<u8>) {
    sandbox.write(name(sealed), read(sealed));
    let run = sandbox.seal(&["decrypt", "--in-place", name(sealed)]);
    (run, sandbox.read(name(sealed)))
}

#[test]
fn altered_files_are_refused_with_the_exit_code_of_sops() {
    let mut refused = 0;
    for case in entries("sops/negative") {
        let expected = ALTERED.iter().find(|(name, _)| *name == super::vectors::name(&case));
        let expected = expected.map_or(0, |(_, code)| *code);
        let sandbox = sandbox(key_of(name(&case)));
        let sealed = file(&case, "enc").unwrap();
        let run = sandbox.seal(&["decrypt", sealed.to_str().unwrap()]).exits(expected);
        let (_, after) = in_place(&sandbox, &sealed);
        if expected == 0 {
            if let Some(plain) = file(&case, "dec") {
                assert_same(format(&sealed), &run.stdout, &read(plain), name(&case));
            }
            assert_eq!(after, run.stdout, "{}", run.command);
            continue;
        }
        refused += 1;
        assert_eq!(run.text(), "", "{}: something came out", run.command);
        assert!(!run.stderr.is_empty(), "{}: refused without a word", run.command);
        assert_eq!(after, read(&sealed), "{}: the file was touched", run.command);
    }
    assert_eq!(refused, ALTERED.len() - 1);
}

#[test]
fn ignore_mac_opens_what_only_the_mac_refuses() {
    let mut accepted = 0;
    for (case, code) in ALTERED.iter().filter(|(_, code)| *code != 0) {
        let path = Path::new("sops/negative").join(case);
        let sandbox = sandbox(key_of(case));
        let sealed = folder().join(file(&path, "enc").unwrap());
        let run = sandbox.seal(&["decrypt", "--ignore-mac", sealed.to_str().unwrap()]);
        if *code != 51 {
            assert_eq!(run.exits(*code).text(), "");
            continue;
        }
        let run = run.ok().says("without the proof");
        let theirs = entries(&path)
            .into_iter()
            .find(|path| name(path).starts_with("dec.ignore-mac."));
        assert_same(format(&sealed), &run.stdout, &read(theirs.unwrap()), case);
        accepted += 1;
    }
    assert!(accepted >= 10, "only {accepted} cases");
}

/// Options, exit code of SOPS, exit code of ours.
const INPUTS: [(&str, &[&str], i32, i32); 43] = [
    ("01-yaml-top-level-list", &["--age", ALICE], 2, 2),
    ("02-yaml-top-level-scalar", &["--age", ALICE], 2, 2),
    ("03-yaml-empty", &["--age", ALICE], 92, 92),
    ("04-yaml-only-comment", &["--age", ALICE], 2, 2),
    ("05-yaml-duplicate-keys", &["--age", ALICE], 2, 2),
    ("06-yaml-has-sops-key", &["--age", ALICE], 203, 203),
    ("07-yaml-syntax", &["--age", ALICE], 2, 2),
    ("08-yaml-tab-indent", &["--age", ALICE], 2, 2),
    ("09-json-top-level-array", &["--age", ALICE], 2, 2),
    ("10-json-scalar", &["--age", ALICE], 2, 2),
    ("11-json-empty", &["--age", ALICE], 2, 2),
    // SOPS keeps the last of two equal keys, or both: nobody can tell which one is meant.
    ("12-json-duplicate", &["--age", ALICE], 0, 2),
    // SOPS loses what stands behind the object without a word.
    ("13-json-trailing", &["--age", ALICE], 0, 2),
    ("14-env-no-equals", &["--age", ALICE], 2, 2),
    ("15-env-duplicate", &["--age", ALICE], 0, 0),
    ("16-ini-no-equals", &["--age", ALICE], 2, 2),
    ("17-no-recipients", &[], 1, 1),
    ("18-no-matching-rule", &[], 1, 1),
    ("19-bad-recipient", &["--age", "age1notakey"], 1, 1),
    (
        "20-two-selectors",
        &["--age", ALICE, "--encrypted-regex", "a", "--unencrypted-suffix", "_b"],
        8,
        8,
    ),
    // SOPS seals nothing and says nothing.
    ("21-bad-regex", &["--age", ALICE, "--encrypted-regex", "("], 0, 1),
    ("22-env-empty", &["--age", ALICE], 0, 0),
    ("23-ini-empty", &["--age", ALICE], 0, 0),
    ("24-yaml-recursive-alias", &["--age", ALICE], 2, 2),
    ("25-yaml-multidoc-second-list", &["--age", ALICE], 2, 2),
    ("26-yaml-multidoc-empty-second", &["--age", ALICE], 0, 0),
    ("27-env-has-sops-prefix", &["--age", ALICE], 203, 203),
    ("28-ini-has-sops-section", &["--age", ALICE], 203, 203),
    ("29-env-indented-comment", &["--age", ALICE], 2, 2),
    ("30-yaml-int-key", &["--age", ALICE], 23, 23),
    ("31-yaml-float-key", &["--age", ALICE], 23, 23),
    ("32-yaml-bool-key", &["--age", ALICE], 23, 23),
    ("33-yaml-null-key", &["--age", ALICE], 23, 23),
    ("34-yaml-date-key", &["--age", ALICE], 23, 23),
    ("35-yaml-list-key", &["--age", ALICE], 2, 2),
    ("36-yaml-hex-int-key", &["--age", ALICE], 23, 23),
    (
        "37-yaml-merge-alias-in-encrypted-regex",
        &["--age", ALICE, "--encrypted-regex", "secret"],
        0,
        0,
    ),
    ("38-yaml-inf-nan", &["--age", ALICE], 0, 0),
    ("39-json-bom", &["--age", ALICE], 2, 2),
    ("40-yaml-bom", &["--age", ALICE], 0, 0),
    (
        "41-binary-with-encrypted-regex",
        &["--age", ALICE, "--encrypted-regex", "x"],
        0,
        0,
    ),
    ("42-ini-duplicate-section", &["--age", ALICE], 0, 0),
    ("43-yaml-big-int", &["--age", ALICE], 23, 23),
];

#[test]
fn inputs_are_refused_where_sops_refuses_them_and_where_it_should() {
    let keys = keyring(&["alice.txt"]);
    for (case, options, theirs, ours) in INPUTS {
        assert!(theirs == 0 || ours != 0, "{case}: laxer than SOPS");
        let path = Path::new("sops/rejected").join(case);
        let plain = file(&path, "plain").unwrap();
        let sandbox = sandbox(Some("alice.txt"));
        for file in entries(&path) {
            sandbox.write(name(&file), read(&file));
        }
        let words: Vec<&str> = ["encrypt"]
            .iter()
            .chain(options)
            .chain(&[name(&plain)])
            .copied()
            .collect();
        let run = sandbox.seal(&words).exits(ours);
        if ours != 0 {
            assert_eq!(run.text(), "", "{case}: something came out");
            let words: Vec<&str> = ["encrypt", "--in-place"]
                .iter()
                .chain(options)
                .chain(&[name(&plain)])
                .copied()
                .collect();
            sandbox.seal(&words).exits(ours);
            assert_eq!(
                fs::read(sandbox.repo.join(name(&plain))).unwrap(),
                read(&plain),
                "{case}: the file was touched"
            );
            continue;
        }
        let back = opened(format(&plain), &run.stdout, &keys).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_same(format(&plain), &back.content, &read(file(&path, "dec").unwrap()), case);
    }
    assert_eq!(INPUTS.len(), entries("sops/rejected").len(), "a case is not listed");
}

#[test]
fn what_sops_says_of_a_files_state_we_say_too() {
    let sandbox = sandbox(Some("alice.txt"));
    let path = |path: &str| folder().join(path).to_str().unwrap().to_owned();
    let sealed = path("sops/ops/12-filestatus-encrypted/before.yaml");
    let plain = path("sops/yaml/02-nested-maps/plain.yaml");
    for (file, expected) in [(&sealed, "12-filestatus-encrypted"), (&plain, "13-filestatus-plain")] {
        let run = sandbox.seal(&["filestatus", file]).ok();
        let theirs = read(format!("sops/ops/{expected}/stdout.txt"));
        assert_eq!(run.text().trim(), String::from_utf8(theirs).unwrap().trim());
    }
    sandbox.seal(&["encrypt", "--age", ALICE, &sealed]).exits(203);
    sandbox.seal(&["decrypt", &plain]).exits(1);
}
