//! Who can open a file, changed: `rotate`, `groups`, `updatekeys` over many files, inside and outside of repositories.

use std::fs;

use crate::support::{ALICE, BOB, CAROL, Output, Sandbox, secret};

const PLAIN: &str = "# note\ntoken: CANARY\nport: 5432\n";

/// A folder outside of every repository with one file sealed for Alice and Bob.
fn loose() -> (Sandbox, std::path::PathBuf) {
    let sandbox = Sandbox::new();
    let folder = sandbox.root().join("loose");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.yaml"), PLAIN).unwrap();
    let both = format!("{ALICE},{BOB}");
    sandbox
        .seal_in(&folder, &["encrypt", "-i", "--age", &both, "a.yaml"])
        .ok();
    (sandbox, folder)
}

/// Puts Alice's and Carol's identities where SOPS looks for them.
fn give_both(sandbox: &Sandbox) {
    let file = sandbox.home().join(".config/sops/age/keys.txt");
    fs::write(file, secret("alice") + &secret("carol")).unwrap();
}

fn opens(sandbox: &Sandbox, folder: &std::path::Path, key: &str, file: &str) -> Output {
    sandbox.give_key(key);
    let done = sandbox.seal_in(folder, &["decrypt", file]);
    sandbox.give_key("alice");
    done
}

#[test]
fn rotate_refuses_and_leaves_the_file_as_it_is() {
    let (sandbox, folder) = loose();
    let before = fs::read(folder.join("a.yaml")).unwrap();
    let both = format!("{ALICE},{BOB}");
    for (arguments, code, message) in [
        (
            vec!["rotate", "-i", "--rm-age", &both, "a.yaml"],
            1,
            "nobody would be left",
        ),
        (
            vec!["rotate", "-i", "--add-age", "age1nonsense", "a.yaml"],
            1,
            "age1nons",
        ),
        (vec!["rotate", "-i", "gone.yaml"], 100, "no such file"),
        (vec!["rotate", "-i", "--output", "b.yaml", "a.yaml"], 8, "contradict"),
        (
            vec!["rotate", "a.yaml", "a.yaml"],
            8,
            "several files can't go to one output",
        ),
        (
            vec!["rotate", "-i", "--before", "yesterday", "a.yaml"],
            2,
            "it is no time like",
        ),
    ] {
        sandbox.seal_in(&folder, &arguments).exits(code).says(message);
        assert_eq!(fs::read(folder.join("a.yaml")).unwrap(), before);
    }
    sandbox.give_key("carol");
    sandbox.seal_in(&folder, &["rotate", "-i", "a.yaml"]).exits(128);
    assert_eq!(fs::read(folder.join("a.yaml")).unwrap(), before);
    let plain = folder.join("plain.yaml");
    fs::write(&plain, PLAIN).unwrap();
    sandbox
        .seal_in(&folder, &["rotate", "-i", "plain.yaml"])
        .exits(1)
        .says("not sealed");
    assert_eq!(fs::read_to_string(&plain).unwrap(), PLAIN);
}

#[test]
fn rotate_seals_everything_anew_and_lets_people_in_and_out() {
    let (sandbox, folder) = loose();
    let before = fs::read_to_string(folder.join("a.yaml")).unwrap();
    let printed = sandbox.seal_in(&folder, &["rotate", "a.yaml"]).ok().silent();
    assert_eq!(
        fs::read_to_string(folder.join("a.yaml")).unwrap(),
        before,
        "without -i nothing is written"
    );
    assert!(printed.text().contains("ENC["));

    let change = ["rotate", "-i", "--add-age", CAROL, "--rm-age", BOB, "a.yaml"];
    sandbox.seal_in(&folder, &change).ok();
    let after = fs::read_to_string(folder.join("a.yaml")).unwrap();
    for line in before.lines().filter(|line| line.contains("ENC[")) {
        assert!(
            !after.contains(line.trim()),
            "a value of the earlier data key is left: {line}"
        );
    }
    opens(&sandbox, &folder, "bob", "a.yaml").exits(128);
    for key in ["alice", "carol"] {
        assert_eq!(opens(&sandbox, &folder, key, "a.yaml").ok().text(), PLAIN);
    }
}

#[test]
fn what_we_do_not_know_in_the_metadata_stays() {
    let (sandbox, folder) = loose();
    give_both(&sandbox);
    let file = folder.join("a.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replace(
            "    lastmodified:",
            "    from_the_future:\n        - 1\n    lastmodified:",
        ),
    )
    .unwrap();
    for arguments in [
        vec!["rotate", "-i", "a.yaml"],
        vec!["groups", "add", "-i", "--file", "a.yaml", "--age", CAROL],
        vec![
            "groups",
            "delete",
            "-i",
            "--file",
            "a.yaml",
            "--shamir-secret-sharing-threshold",
            "1",
            "1",
        ],
    ] {
        sandbox.seal_in(&folder, &arguments).ok();
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            text.contains("    from_the_future:\n        - 1\n"),
            "{arguments:?}:\n{text}"
        );
    }
}

#[test]
fn keys_of_other_types_are_a_reason_to_refuse() {
    let (sandbox, folder) = loose();
    let file = folder.join("a.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let with_pgp = text.replace(
        "    version:",
        "    pgp:\n        - created_at: \"2026-01-02T03:04:05Z\"\n          enc: x\n          fp: ABC\n    version:",
    );
    fs::write(&file, &with_pgp).unwrap();
    for arguments in [
        vec!["rotate", "-i", "a.yaml"],
        vec!["groups", "add", "-i", "--file", "a.yaml", "--age", CAROL],
    ] {
        sandbox.seal_in(&folder, &arguments).exits(1).says("pgp");
        assert_eq!(fs::read_to_string(&file).unwrap(), with_pgp);
    }
    assert_eq!(opens(&sandbox, &folder, "alice", "a.yaml").ok().text(), PLAIN);
}

#[test]
fn a_recipient_joins_keys_of_other_types_that_the_rule_names() {
    let (sandbox, folder) = loose();
    let file = folder.join("a.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let entry = "    pgp:\n        - created_at: \"2026-01-02T03:04:05Z\"\n          enc: x\n          fp: ABC\n";
    let with_pgp = text.replace("    version:", &format!("{entry}    version:"));
    fs::write(&file, &with_pgp).unwrap();
    let policy = |pgp: &str| {
        let rule = format!("creation_rules:\n  - pgp: {pgp}\n    age: {ALICE},{BOB},{CAROL}\n");
        fs::write(folder.join(".sops.yaml"), rule).unwrap();
    };
    policy("DEF");
    sandbox.seal_in(&folder, &["updatekeys", "a.yaml"]).exits(1).says("pgp");
    assert_eq!(fs::read_to_string(&file).unwrap(), with_pgp);
    policy("ABC");
    sandbox.seal_in(&folder, &["updatekeys", "a.yaml"]).ok();
    assert!(
        fs::read_to_string(&file).unwrap().contains(entry),
        "the entry stays as it was"
    );
    assert_eq!(opens(&sandbox, &folder, "carol", "a.yaml").ok().text(), PLAIN);
}

#[test]
fn groups_share_the_key_out() {
    let (sandbox, folder) = loose();
    let before = fs::read_to_string(folder.join("a.yaml")).unwrap();
    sandbox
        .seal_in(&folder, &["groups", "add", "--file", "a.yaml", "--age", CAROL])
        .ok();
    assert_eq!(
        fs::read_to_string(folder.join("a.yaml")).unwrap(),
        before,
        "without -i nothing is written"
    );
    sandbox
        .seal_in(&folder, &["groups", "add", "-i", "--file", "a.yaml", "--age", CAROL])
        .ok();
    let shared = fs::read_to_string(folder.join("a.yaml")).unwrap();
    for line in before.lines().take_while(|line| *line != "sops:") {
        assert!(shared.contains(line), "values stay as they are: {line}");
    }
    opens(&sandbox, &folder, "alice", "a.yaml")
        .exits(128)
        .says("key group 2 does not open");
    give_both(&sandbox);
    assert_eq!(sandbox.seal_in(&folder, &["decrypt", "a.yaml"]).ok().text(), PLAIN);

    let delete = |more: &[&str], number| {
        let mut arguments = vec!["groups", "delete", "-i", "--file", "a.yaml"];
        arguments.extend(more);
        arguments.push(number);
        sandbox.seal_in(&folder, &arguments)
    };
    delete(&[], "1")
        .exits(1)
        .says("2 key groups are needed to open it, and 1 would be left");
    delete(&[], "7").exits(1).says("there is no group 7");
    assert_eq!(fs::read_to_string(folder.join("a.yaml")).unwrap(), shared);
    delete(&["--shamir-secret-sharing-threshold", "1"], "0").ok();
    assert_eq!(opens(&sandbox, &folder, "carol", "a.yaml").ok().text(), PLAIN);
    opens(&sandbox, &folder, "alice", "a.yaml").exits(128);
    sandbox.give_key("carol");
    delete(&[], "0").exits(1).says("its only group");
}

#[test]
fn many_files_go_on_when_one_fails() {
    let (mut sandbox, folder) = loose();
    sandbox.set("SOURCE_DATE_EPOCH", "1700000000");
    fs::create_dir(folder.join("more")).unwrap();
    for number in 0..3 {
        let name = format!("more/{number}.yaml");
        fs::write(folder.join(&name), PLAIN).unwrap();
        sandbox.seal_in(&folder, &["encrypt", "-i", "--age", ALICE, &name]).ok();
    }
    fs::write(folder.join("more/notes.txt"), "no secret\n").unwrap();
    let damaged = fs::read_to_string(folder.join("more/1.yaml")).unwrap().replacen(
        "token: ENC[AES256_GCM,data:",
        "token: ENC[AES256_GCM,data:AAAA",
        1,
    );
    fs::write(folder.join("more/1.yaml"), &damaged).unwrap();
    sandbox.set("SOURCE_DATE_EPOCH", "1800000000");
    let told = sandbox
        .seal_in(&folder, &["rotate", "-i", "."])
        .exits(1)
        .says("more/1.yaml")
        .says("1 file of");
    assert_eq!(
        told.stderr.matches("sealed anew with a new data key").count(),
        3,
        "{}",
        told.stderr
    );
    assert_eq!(fs::read_to_string(folder.join("more/1.yaml")).unwrap(), damaged);
    assert_eq!(fs::read(folder.join("more/notes.txt")).unwrap(), b"no secret\n");

    // The way out that it names leaves out what is done.
    let hint = told.stderr.lines().find(|line| line.contains("--before")).unwrap();
    let time = hint.split_whitespace().find(|word| word.ends_with('Z')).unwrap();
    let done = fs::read(folder.join("more/0.yaml")).unwrap();
    sandbox
        .seal_in(&folder, &["rotate", "-i", "--before", time, "."])
        .exits(1);
    assert_eq!(fs::read(folder.join("more/0.yaml")).unwrap(), done);
}

#[test]
fn updatekeys_works_outside_of_repositories_and_asks_where_told_to() {
    let (sandbox, folder) = loose();
    fs::write(
        folder.join(".sops.yaml"),
        format!("creation_rules:\n  - path_regex: \\.yaml$\n    age: {ALICE},{BOB},{CAROL}\n"),
    )
    .unwrap();
    let before = fs::read(folder.join("a.yaml")).unwrap();
    let ask = |answer: &[u8]| sandbox.run_in(&folder, "git-seal", &["updatekeys", "--ask", "a.yaml"], answer);
    assert!(ask(b"n\n").ok().text().contains("+++ "));
    ask(b"").exits(1).says("the input ended");
    assert_eq!(fs::read(folder.join("a.yaml")).unwrap(), before);
    ask(b"what\ny\n").ok();
    assert_eq!(opens(&sandbox, &folder, "carol", "a.yaml").ok().text(), PLAIN);
    sandbox
        .seal_in(&folder, &["updatekeys", "a.yaml"])
        .ok()
        .says("is in line with its rule already");
    sandbox.seal_in(&folder, &["updatekeys", "gone.yaml"]).exits(100);
}

#[test]
fn behind_the_filter_the_index_is_exchanged() {
    let sandbox = Sandbox::set_up();
    sandbox.write("secrets/a.yaml", PLAIN);
    sandbox.write("secrets/b.json", "{\"token\": \"CANARY\"}\n");
    sandbox.commit_all("secrets");
    let before = [sandbox.oid(":secrets/a.yaml"), sandbox.oid(":secrets/b.json")];
    sandbox
        .seal(&["rotate", "-i", "secrets"])
        .ok()
        .says("2 files sealed anew");
    let after = [sandbox.oid(":secrets/a.yaml"), sandbox.oid(":secrets/b.json")];
    assert!(before[0] != after[0] && before[1] != after[1]);
    assert_eq!(sandbox.text("secrets/a.yaml"), PLAIN);
    sandbox.git(&["commit", "--quiet", "-m", "rotated"]).ok();
    sandbox.assert_clean();
    sandbox.assert_sealed("HEAD:secrets/a.yaml");
    sandbox.assert_no_leak();
}
