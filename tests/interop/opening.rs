//! What SOPS sealed is opened to the values that SOPS opens it to.

use std::path::{Path, PathBuf};

use git_seal::document::Format;
use git_seal::sops::Error;

use super::vectors::{
    assert_same, entries, every_identity, file, format, keyring, name, opened, read, sealed_fixtures, values,
};
use crate::support::Sandbox;

/// Fixtures whose sealed file SOPS itself fails to open, for reasons that its tracker knows: there is no output of it to compare with.
const REJECTED_BY_SOPS: [&str; 2] = ["41-comments-in-lists-3.13.2", "42-comment-regex-in-list"];

#[test]
fn each_fixture_opens_to_the_values_of_sops() {
    let keyring = every_identity();
    let mut compared = 0;
    for (folder, sealed) in sealed_fixtures() {
        let format = format(&sealed);
        let plain = opened(format, &read(&sealed), &keyring);
        let plain = plain
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .content;
        if REJECTED_BY_SOPS.contains(&name(&folder)) {
            // SOPS lost nothing when it sealed: the input is what must come out.
            let input = file(&folder, "plain").unwrap();
            assert_same(format, &plain, &read(input), name(&folder));
            continue;
        }
        let theirs = file(&folder, "dec").unwrap();
        assert_same(format, &plain, &read(theirs), name(&folder));
        compared += 1;
    }
    assert!(compared >= 63, "only {compared} fixtures compared");
}

#[test]
fn each_generated_vector_opens_in_both_layouts() {
    let keyring = every_identity();
    let mut compared = 0;
    for layout in ["v3.13.2", "older-layout"] {
        for sealed in entries(Path::new("generated").join(layout)) {
            let format = format(&sealed);
            let plain = opened(format, &read(&sealed), &keyring);
            let plain = plain
                .unwrap_or_else(|error| panic!("{}: {error}", sealed.display()))
                .content;
            let expected = name(&sealed).replace(".enc.", ".");
            let expected = Path::new("generated/expected").join(layout).join(expected);
            assert_same(format, &plain, &read(expected), &sealed.display().to_string());
            compared += 1;
        }
    }
    assert!(compared >= 31, "only {compared} vectors compared");
}

#[test]
fn each_file_of_sopss_own_repository_opens() {
    let keyring = every_identity();
    let mut compared = 0;
    for sealed in entries("upstream/rekeyed") {
        let format = format(&sealed);
        let plain = opened(format, &read(&sealed), &keyring);
        if name(&sealed) == "functional-tests__res__no_mac.yaml" {
            assert!(matches!(plain, Err(Error::NoMac)), "{}", name(&sealed));
            continue;
        }
        // The MAC vouches for the values of the larger ones, of which only a hash of SOPS's own layout is kept.
        let plain = plain
            .unwrap_or_else(|error| panic!("{}: {error}", sealed.display()))
            .content;
        let expected = Path::new("upstream/rekeyed-expected").join(name(&sealed));
        if super::vectors::folder().join(&expected).exists() {
            assert_same(format, &plain, &read(expected), name(&sealed));
            compared += 1;
        }
    }
    assert!(compared >= 7, "only {compared} files compared");
}

#[test]
fn what_sops_edited_opens_to_the_values_of_sops() {
    let keyring = every_identity();
    let mut compared = 0;
    for folder in entries("sops/ops") {
        let plain = entries(&folder)
            .into_iter()
            .find(|path| name(path).starts_with("after.dec."));
        let Some(plain) = plain else { continue };
        let sealed = entries(&folder)
            .into_iter()
            .find(|path| name(path).starts_with("after.") && !name(path).contains(".dec."))
            .unwrap();
        let format = format(&sealed);
        let ours = opened(format, &read(&sealed), &keyring).unwrap();
        assert_same(format, &ours.content, &read(plain), name(&folder));
        compared += 1;
    }
    assert!(compared >= 16, "only {compared} operations compared");
}

#[test]
fn too_few_groups_or_somebody_elses_key_do_not_open() {
    #[track_caller]
    fn case(path: &str, keys: &[&str], opens: bool) {
        let sealed = PathBuf::from(path);
        let found = opened(format(&sealed), &read(&sealed), &keyring(keys));
        match found {
            Ok(_) => assert!(opens, "{path} opened with {keys:?}"),
            Err(Error::NoIdentity) => assert!(!opens, "{path} did not open with {keys:?}"),
            Err(error) => panic!("{path} with {keys:?}: {error}"),
        }
    }
    case("sops/yaml/30-two-recipients/enc.yaml", &["alice.txt"], true);
    case("sops/yaml/30-two-recipients/enc.yaml", &["bob.txt"], true);
    case("sops/yaml/30-two-recipients/enc.yaml", &["carol.txt"], false);
    case("sops/yaml/31-shamir-2-of-3/enc.yaml", &["alice.txt"], false);
    case(
        "sops/yaml/31-shamir-2-of-3/enc.yaml",
        &["alice.txt", "outsider.txt"],
        false,
    );
    case("sops/yaml/31-shamir-2-of-3/enc.yaml", &["alice.txt", "bob.txt"], true);
    case("sops/yaml/31-shamir-2-of-3/enc.yaml", &["carol.txt", "bob.txt"], true);
    case(
        "sops/yaml/32-key-groups-two-no-threshold/enc.yaml",
        &["alice.txt"],
        false,
    );
    case("sops/json/07-shamir/enc.json", &["alice.txt"], false);
    case("sops/json/07-shamir/enc.json", &["all.txt"], true);
    case("sops/yaml/33-ssh-ed25519/enc.yaml", &["all.txt"], false);
    case("sops/yaml/33-ssh-ed25519/enc.yaml", &["ssh_ed25519"], true);
    case("sops/yaml/34-ssh-and-age/enc.yaml", &["ssh_ed25519"], true);
    case("sops/yaml/34-ssh-and-age/enc.yaml", &["alice.txt"], true);
    case("sops/yaml/44-post-quantum/enc.yaml", &["all.txt"], false);
    case("sops/yaml/44-post-quantum/enc.yaml", &["pq.txt"], true);
}

/// SOPS passes over an entry of a group that it can't read, and opens with the next one.
#[test]
fn a_damaged_entry_of_somebody_else_does_not_lock_the_file() {
    let sealed = String::from_utf8(read("sops/yaml/30-two-recipients/enc.yaml")).unwrap();
    // The first entry of the two, in the middle of its base64.
    let begin = sealed.find("BEGIN AGE ENCRYPTED FILE-----\n").unwrap();
    let at = begin + 60;
    let broken = format!("{}*{}", &sealed[..at], &sealed[at + 1..]);
    let by_position =
        |keys: &[&str]| opened(Format::Yaml, broken.as_bytes(), &keyring(keys)).map(|opened| opened.content);
    let alone = [by_position(&["alice.txt"]), by_position(&["bob.txt"])];
    assert_eq!(
        alone.iter().filter(|found| found.is_ok()).count(),
        1,
        "exactly one of the two entries is damaged"
    );
    assert!(alone.iter().flatten().all(|plain| !plain.is_empty()));
}

#[test]
fn the_program_opens_as_the_library_does() {
    let mut sandbox = Sandbox::new();
    let keys = super::vectors::folder().join("keys/all.txt");
    sandbox.set("SOPS_AGE_KEY_FILE", keys.to_str().unwrap());
    let cases = [
        "sops/yaml/12-comments/enc.yaml",
        "sops/yaml/31-shamir-2-of-3/enc.yaml",
        "sops/yaml/40-comments-in-lists/enc.yaml",
        "sops/json/02-numbers/enc.json",
        "sops/binary/02-all-bytes/enc.bin",
        "sops/env/05-two-recipients-shamir/enc.env",
        "sops/ini/03-special-values/enc.ini",
    ];
    for path in cases {
        let sealed = super::vectors::folder().join(path);
        let run = sandbox.seal(&["decrypt", sealed.to_str().unwrap()]).ok().silent();
        let theirs = file(sealed.parent().unwrap(), "dec").unwrap();
        assert_same(format(&sealed), &run.stdout, &read(theirs), path);
    }
    let stdin = read("sops/ops/29-stdin/before.yaml");
    let words = ["decrypt", "--input-type", "yaml", "--output-type", "yaml"];
    let run = sandbox.run_in(&sandbox.repo, "git-seal", &words, &stdin).ok();
    assert_same(
        Format::Yaml,
        &run.stdout,
        &read("sops/ops/29-stdin/stdout.txt"),
        "stdin",
    );
    let sealed = super::vectors::folder().join("sops/ops/17-decrypt-to-json/before.yaml");
    let run = sandbox
        .seal(&["decrypt", "--output-type", "json", sealed.to_str().unwrap()])
        .ok();
    let json = read("sops/ops/17-decrypt-to-json/stdout.txt");
    assert_eq!(values(Format::Json, &run.stdout), values(Format::Json, &json));
    let to_dotenv = |case: &str| {
        let sealed = super::vectors::folder().join(case).join("before.yaml");
        sandbox.seal(&["decrypt", "--output-type", "dotenv", sealed.to_str().unwrap()])
    };
    let flat = to_dotenv("sops/ops/18-decrypt-to-dotenv-flat").ok();
    let theirs = read("sops/ops/18-decrypt-to-dotenv-flat/stdout.txt");
    assert_eq!(flat.text(), String::from_utf8(theirs).unwrap());
    assert_eq!(to_dotenv("sops/ops/19-decrypt-to-dotenv-nested").exits(4).text(), "");
}
