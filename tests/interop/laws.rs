//! What SOPS's own inputs and outputs become when they go through us: the same bytes again, and no more change than asked for.

use std::collections::BTreeSet;
use std::path::Path;

use git_seal::crypt::{DataKey, Keyring};
use git_seal::document::{Format, Item, Leaf, Origin, Value};
use git_seal::sops::Sealed;
use git_seal::sops::seal::Fidelity;
use git_seal::vault::{Base, Sealing, Vault};

use super::vectors::{
    NOW, Settings, assert_same, document, entries, every_identity, file, format, keyring, name, opened, read, resealed,
    sealed_fixtures, sealed_for_alice, values,
};

/// The settings that a sealed file names.
pub fn settings_of(format: Format, bytes: &[u8]) -> Settings {
    let metadata = Sealed::parse(format, bytes).unwrap().metadata;
    Settings {
        selection: metadata.selection,
        mac_only_encrypted: metadata.mac_only_encrypted,
    }
}

#[test]
fn each_plain_fixture_comes_back_byte_for_byte() {
    let keyring = keyring(&["alice.txt"]);
    for (folder, sealed) in sealed_fixtures() {
        let plain = read(file(&folder, "plain").unwrap());
        let format = format(&sealed);
        let settings = settings_of(format, &read(&sealed));
        let ours = sealed_for_alice(format, &plain, &settings);
        let ours = ours.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let back = opened(format, &ours, &keyring).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&back.content),
            String::from_utf8_lossy(&plain),
            "{}",
            name(&folder)
        );
    }
}

#[test]
fn sealing_the_same_text_over_what_it_became_changes_nothing() {
    let keyring = keyring(&["alice.txt"]);
    for (folder, sealed) in sealed_fixtures() {
        let plain = read(file(&folder, "plain").unwrap());
        let format = format(&sealed);
        let ours = sealed_for_alice(format, &plain, &settings_of(format, &read(&sealed))).unwrap();
        let again = resealed(format, &plain, &ours, &keyring).unwrap();
        assert_eq!(
            String::from_utf8(again).unwrap(),
            String::from_utf8(ours).unwrap(),
            "{}",
            name(&folder)
        );
    }
}

/// The first leaf of a plain text whose value can be exchanged for another text of the same kind, and its text afterwards.
pub fn one_value_changed(format: Format, plain: &[u8], sealed: impl Fn(&Leaf<'_>) -> bool) -> Option<Vec<u8>> {
    let Some(document) = document(format, plain) else {
        return Some([plain, b"x"].concat());
    };
    let leaf = document.items.iter().find_map(|item| match item {
        Item::Leaf(leaf) if leaf.origin == Origin::Text && sealed(leaf) => Some(leaf),
        _ => None,
    })?;
    let token = &document.text[leaf.span.start..leaf.span.end];
    let token = if format == Format::Json {
        "\"changed value\""
    } else if token.contains('\n') {
        return None;
    } else {
        "changed"
    };
    let text = [
        &document.text[..leaf.span.start],
        token,
        &document.text[leaf.span.end..],
    ]
    .concat();
    Some(text.into_bytes())
}

/// A text of one line that nothing else depends on.
pub fn is_simple(leaf: &Leaf<'_>) -> bool {
    matches!(&leaf.value, Value::Str(text) if text.len() > 1 && !text.contains(&b'\n'))
}

/// A line without what tells a comment of a list from an element: SOPS writes one as the other.
fn content(line: &str) -> &str {
    line.trim().trim_start_matches("- ").trim_start_matches('#')
}

/// Lines that are only in one of two texts.
fn different<'t>(one: &'t str, other: &'t str) -> BTreeSet<&'t str> {
    let (one, other): (BTreeSet<&str>, BTreeSet<&str>) =
        (one.lines().map(content).collect(), other.lines().map(content).collect());
    one.symmetric_difference(&other).copied().collect()
}

/// Asserts that one text became the other by the change of one value, and of the proof of it.
#[track_caller]
fn assert_one_change(before: &[u8], after: &[u8], settings: &Settings, about: &str) {
    let (before, after) = (
        std::str::from_utf8(before).unwrap(),
        std::str::from_utf8(after).unwrap(),
    );
    let different = different(before, after);
    let proof = |line: &&&str| {
        [
            "mac",
            "\"mac\"",
            "sops_mac",
            "lastmodified",
            "\"lastmodified\"",
            "sops_lastmodified",
        ]
        .iter()
        .any(|word| line.starts_with(word))
    };
    let rest: Vec<_> = different.iter().filter(|line| !proof(line)).collect();
    // Where the MAC does not cover it, a value in the clear changes alone.
    assert!(
        settings.mac_only_encrypted || different.iter().any(|line| proof(&line)),
        "{about}: no proof changed"
    );
    assert!(
        (1..=2).contains(&rest.len()),
        "{about}: more than one value changed: {rest:#?}"
    );
}

#[test]
fn one_changed_value_of_a_file_of_sops_changes_no_other_line() {
    let keyring = every_identity();
    let mut changed = 0;
    let generated = ["v3.13.2", "older-layout"]
        .into_iter()
        .flat_map(|layout| entries(Path::new("generated").join(layout)));
    let fixtures = sealed_fixtures().into_iter().map(|(_, sealed)| sealed);
    for path in fixtures.chain(generated) {
        // In these, SOPS put a comment behind `[]` into the empty list; opened it stands behind it again, which is another place.
        if path.to_string_lossy().contains("-comments-in-lists") {
            continue;
        }
        let (format, bytes) = (format(&path), read(&path));
        let before = opened(format, &bytes, &keyring).unwrap();
        let Some(plain) = one_value_changed(format, &before.content, is_simple) else {
            continue;
        };
        let after = resealed(format, &plain, &bytes, &keyring);
        let after = after.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_one_change(
            &bytes,
            &after,
            &settings_of(format, &bytes),
            &path.display().to_string(),
        );
        let back = opened(format, &after, &keyring).unwrap();
        assert_same(format, &back.content, &plain, &path.display().to_string());
        changed += 1;
    }
    assert!(changed >= 60, "only {changed} files changed");
}

#[test]
fn an_edit_keeps_each_line_that_sops_keeps() {
    let keyring = every_identity();
    let pairs = [
        (
            "sops/ops/01-set-string/before.yaml",
            "sops/ops/01-set-string/after.yaml",
        ),
        (
            "sops/ops/02-set-new-nested/before.yaml",
            "sops/ops/02-set-new-nested/after.yaml",
        ),
        (
            "sops/ops/03-set-object/before.yaml",
            "sops/ops/03-set-object/after.yaml",
        ),
        (
            "sops/ops/04-set-list-index/before.yaml",
            "sops/ops/04-set-list-index/after.yaml",
        ),
        (
            "sops/ops/05-set-list-append/before.yaml",
            "sops/ops/05-set-list-append/after.yaml",
        ),
        ("sops/ops/06-unset/before.yaml", "sops/ops/06-unset/after.yaml"),
        (
            "sops/ops/22-edit-change/before.yaml",
            "sops/ops/22-edit-change/after.yaml",
        ),
        (
            "sops/ops/24-edit-add-comment/before.yaml",
            "sops/ops/24-edit-add-comment/after.yaml",
        ),
        (
            "generated/reemit/iv-reuse.before.yaml",
            "generated/reemit/iv-reuse.after-set.yaml",
        ),
        (
            "generated/reemit/mixed-keys.before.yaml",
            "generated/reemit/mixed-keys.after-set.older-layout.yaml",
        ),
    ];
    for (before, after) in pairs {
        let (before, theirs) = (read(before), read(after));
        let plain = opened(Format::Yaml, &theirs, &keyring).unwrap().content;
        let ours = resealed(Format::Yaml, &plain, &before, &keyring).unwrap();
        let lines =
            |bytes: &[u8]| -> BTreeSet<String> { String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect() };
        let kept: BTreeSet<String> = lines(&before).intersection(&lines(&theirs)).cloned().collect();
        let lost: Vec<_> = kept.difference(&lines(&ours)).cloned().collect();
        assert!(lost.is_empty(), "{after}: {lost:#?}");
        let back = opened(Format::Yaml, &ours, &keyring).unwrap();
        assert_eq!(
            values(Format::Yaml, &back.content),
            values(Format::Yaml, &plain),
            "{after}"
        );
    }
}

/// SOPS loses fields that it does not know; a superset stays readable for it.
#[test]
fn keys_of_other_types_and_unknown_fields_stay() {
    let keyring = every_identity();
    let before = read("generated/reemit/mixed-keys.before.yaml");
    let opened = opened(Format::Yaml, &before, &keyring).unwrap();
    let plain = one_value_changed(Format::Yaml, &opened.content, is_simple).unwrap();
    let after = resealed(Format::Yaml, &plain, &before, &keyring).unwrap();
    assert_one_change(&before, &after, &settings_of(Format::Yaml, &before), "mixed keys");
}

#[test]
fn the_vault_keeps_what_a_file_of_sops_says_of_itself() {
    let keyring: Keyring = every_identity();
    let vault = Vault::new(None, &keyring);
    for (folder, path) in sealed_fixtures() {
        let (format, bytes) = (format(&path), read(&path));
        let sealed = Sealed::parse(format, &bytes).unwrap();
        let opened = opened(format, &bytes, &keyring).unwrap();
        let key = DataKey::from_bytes(opened.data_key.as_bytes()).unwrap();
        let base = Base {
            sealed: &sealed,
            opened: &opened,
        };
        let again = vault.seal(format, &opened.content, None, Some(&base), NOW).unwrap();
        let Sealing::Sealed(bytes, fidelity) = again else {
            panic!("{}: sealed as a draft", folder.display());
        };
        assert_eq!(fidelity, Fidelity::Exact, "{}", folder.display());
        let back = Sealed::parse(format, &bytes).unwrap().metadata;
        assert_eq!(back.groups, sealed.metadata.groups, "{}", folder.display());
        assert_eq!(back.selection, sealed.metadata.selection, "{}", folder.display());
        assert_eq!(back.data_key(&keyring).unwrap().as_bytes(), key.as_bytes());
    }
}
