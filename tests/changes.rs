//! `set`, `unset` and `decrypt --extract` as people type them: options, exit codes, what of a file changes and what stays.

use std::fs;

use crate::support::refusal::{guarded, patiently, refused, sealed};
use crate::support::{BOB, Sandbox};

const YAML: &str = "# CANARY\nuser: CANARY # me\npassword: \"CANARY-1\"\nport: 5432\nhosts:\n  - one\n  - two\n";
const JSON: &str = "{\n\t\"user\": \"CANARY\",\n\t\"port\": 5432\n}\n";

/// The names of the lines that differ between two texts of as many lines.
#[track_caller]
fn changed_lines(before: &str, after: &str) -> Vec<String> {
    assert_eq!(before.lines().count(), after.lines().count(), "{after}");
    let pairs = before
        .lines()
        .zip(after.lines())
        .filter(|(before, after)| before != after);
    pairs
        .map(|(before, _)| before.trim().split(':').next().unwrap().to_owned())
        .collect()
}

fn opened(sandbox: &Sandbox, name: &str) -> String {
    sandbox.seal(&["decrypt", name]).ok().text()
}

#[test]
fn what_is_wrong_is_refused_with_the_codes_of_sops() {
    let sandbox = guarded();
    sandbox.write("a.yaml", sealed(&sandbox, "a.yaml", YAML));
    sandbox.write("plain.yaml", YAML);
    sandbox.write("bobs.yaml", sealed(&sandbox, "a.yaml", YAML));
    sandbox.write("a.txt", sealed(&sandbox, "a.txt", "CANARY\n"));
    sandbox.write("bad.json", "{\"CANARY\": ");
    for (code, args, says) in [
        (100, &["set"][..], "a file, a path and a value are needed"),
        (
            100,
            &["set", "a.yaml", "['x']"],
            "a file, a path and a value are needed",
        ),
        (
            100,
            &["set", "a.yaml", "['x']", "1", "2"],
            "a file, a path and a value are needed",
        ),
        (
            100,
            &["set", "--value-stdin", "a.yaml", "['x']", "1"],
            "a file and a path are needed",
        ),
        (
            1,
            &["set", "--value-stdin", "--value-file", "a.yaml", "['x']"],
            "contradict each other",
        ),
        (100, &["unset", "a.yaml"], "a file and a path are needed"),
        (100, &["unset", "a.yaml", "['x']", "y"], "a file and a path are needed"),
        (100, &["set", "gone.yaml", "['x']", "1"], "gone.yaml: no such file"),
        (7, &["set", "a.yaml", "x", "1"], "a step is missing its opening bracket"),
        (7, &["set", "a.yaml", "", "1"], "the path is empty"),
        (7, &["set", "a.yaml", "['hosts'][-1]", "1"], "a position is negative"),
        (7, &["set", "a.yaml", "['hosts']['x']", "1"], "a list is there"),
        (7, &["set", "a.yaml", "[0]", "1"], "a map is there"),
        (7, &["set", "a.yaml", "['x']", "text"], "the value: 1:1: not valid json"),
        (
            7,
            &["set", "a.yaml", "['x']", "{\"a\": 1, \"a\": 2}"],
            "a key stands twice",
        ),
        (7, &["set", "a.yaml", "['x']", "1 2"], "something follows the value"),
        (7, &["set", "a.yaml", "['x']", ""], "the value: 1:1"),
        (203, &["set", "a.yaml", "['sops']['mac']", "1"], "reserved"),
        (203, &["unset", "a.yaml", "['sops']"], "reserved"),
        (
            8,
            &["set", "--output-type", "json", "a.yaml", "['x']", "1"],
            "is yaml and stays yaml",
        ),
        (1, &["unset", "a.yaml", "['x']"], "nothing is at [\"x\"] of the path"),
        (1, &["unset", "a.yaml", "['hosts'][2]"], "nothing is at [2] of the path"),
        (1, &["set", "plain.yaml", "['x']", "1"], "not sealed"),
        (1, &["set", "bad.json", "['x']", "1"], "bad.json"),
        (4, &["set", "a.txt", "['x']", "\"y\""], "a binary file is one text"),
        (4, &["set", "a.txt", "['data']", "5"], "a binary file is one text"),
        (4, &["unset", "a.txt", "['data']"], "a binary file is one text"),
        (
            91,
            &["decrypt", "--extract", "x", "a.yaml"],
            "a step is missing its opening bracket",
        ),
        (
            91,
            &["decrypt", "--extract", "['hosts'][-1]", "a.yaml"],
            "a position is negative",
        ),
        (
            1,
            &["decrypt", "--extract", "['x']", "a.yaml"],
            "nothing is at [\"x\"] of the path",
        ),
        (
            1,
            &["decrypt", "--extract", "['user']['x']", "a.yaml"],
            "nothing is at [\"x\"] of the path",
        ),
        (
            4,
            &["decrypt", "--extract", "['port']", "--output-type", "binary", "a.yaml"],
            "can't be written as binary",
        ),
    ] {
        refused(&sandbox, args, b"").exits(code).says(says);
    }
    sandbox.give_key("bob");
    for verb in [
        &["set", "bobs.yaml", "['x']", "1"][..],
        &["unset", "bobs.yaml", "['user']"],
    ] {
        refused(&sandbox, verb, b"").exits(128);
    }
}

#[test]
fn one_value_changes_and_no_more() {
    let sandbox = guarded();
    sandbox.write("a.yaml", sealed(&sandbox, "a.yaml", YAML));
    let before = sandbox.text("a.yaml");
    sandbox
        .seal(&["set", "a.yaml", "[\"password\"]", "\"CANARY-2\""])
        .ok()
        .silent();
    let after = sandbox.text("a.yaml");
    let mut changed = changed_lines(&before, &after);
    changed.retain(|name| name != "lastmodified");
    assert_eq!(changed, ["password", "mac"]);
    assert_eq!(opened(&sandbox, "a.yaml"), YAML.replace("CANARY-1", "CANARY-2"));

    sandbox.seal(&["set", "a.yaml", "['port']", "-1"]).ok().silent();
    sandbox
        .seal(&["set", "a.yaml", "['hosts'][5]", "\"CANARY\""])
        .ok()
        .silent();
    sandbox
        .seal(&["set", "a.yaml", "['x']['y']", "{\"z\": [1, \"CANARY\"]}"])
        .ok()
        .silent();
    let wanted = "# CANARY\nuser: CANARY # me\npassword: \"CANARY-2\"\nport: -1\nhosts:\n  - one\n  - two\n  - CANARY\n\
                  x:\n  y:\n    z:\n      - 1\n      - CANARY\n";
    assert_eq!(opened(&sandbox, "a.yaml"), wanted);
    sandbox.seal(&["unset", "a.yaml", "['x']"]).ok().silent();
    sandbox.seal(&["unset", "a.yaml", "['hosts'][2]"]).ok().silent();
    sandbox.seal(&["set", "a.yaml", "['port']", "5432"]).ok().silent();
    sandbox
        .seal(&["set", "a.yaml", "['password']", "\"CANARY-1\""])
        .ok()
        .silent();
    assert_eq!(opened(&sandbox, "a.yaml"), YAML);
    assert!(!sandbox.text("a.yaml").contains("CANARY"));
}

#[test]
fn what_changes_nothing_writes_nothing() {
    let sandbox = guarded();
    sandbox.write("a.yaml", sealed(&sandbox, "a.yaml", YAML));
    let before = sandbox.read("a.yaml");
    for args in [
        &["set", "a.yaml", "['port']", "5432"][..],
        &["set", "--idempotent", "a.yaml", "['password']", "\"CANARY-1\""],
        &["unset", "--idempotent", "a.yaml", "['nope']['deep']"],
    ] {
        sandbox.seal(args).ok().silent();
        assert_eq!(sandbox.read("a.yaml"), before, "{args:?}");
    }
}

#[test]
fn a_value_comes_from_a_file_or_stdin_too() {
    let sandbox = guarded();
    sandbox.write("a.json", sealed(&sandbox, "a.json", JSON));
    sandbox.write("value", "\"CANARY-file\"\n");
    sandbox
        .seal(&["set", "--value-file", "a.json", "['user']", "value"])
        .ok()
        .silent();
    assert_eq!(opened(&sandbox, "a.json"), JSON.replace("CANARY", "CANARY-file"));
    patiently(&sandbox, &["set", "--value-stdin", "a.json", "['list']"], b"[1,\n2]")
        .ok()
        .silent();
    let wanted = "{\n\t\"user\": \"CANARY-file\",\n\t\"port\": 5432,\n\t\"list\": [\n\t\t1,\n\t\t2\n\t]\n}\n";
    assert_eq!(opened(&sandbox, "a.json"), wanted);
    refused(&sandbox, &["set", "--value-stdin", "a.json", "['x']"], b"\xff").exits(7);
    refused(&sandbox, &["set", "--value-file", "a.json", "['x']", "gone"], b"").says("gone: no such file");
}

#[test]
fn a_binary_file_is_the_text_at_data() {
    let sandbox = guarded();
    sandbox.write("a.txt", sealed(&sandbox, "a.txt", "CANARY\n"));
    sandbox
        .seal(&["set", "a.txt", "['data']", "\"CANARY-2\\n\""])
        .ok()
        .silent();
    assert_eq!(opened(&sandbox, "a.txt"), "CANARY-2\n");
    assert_eq!(
        sandbox.seal(&["decrypt", "--extract", "['data']", "a.txt"]).ok().text(),
        "CANARY-2\n"
    );
}

#[test]
fn files_of_lines_are_changed_by_the_line() {
    let sandbox = guarded();
    sandbox.write("a.env", sealed(&sandbox, "a.env", "# c\nA=CANARY\nB=2\n"));
    sandbox.write("a.ini", sealed(&sandbox, "a.ini", "; c\n[s]\na = CANARY\nb = 2\n"));
    let before = sandbox.text("a.env");
    sandbox.seal(&["set", "a.env", "['B']", "3"]).ok().silent();
    let mut changed = changed_lines(&before, &sandbox.text("a.env"));
    changed.retain(|name| !name.starts_with("sops_lastmodified"));
    assert!(
        matches!(changed.as_slice(), [value, mac] if value.starts_with("B=") && mac.starts_with("sops_mac=")),
        "{changed:?}"
    );
    sandbox.seal(&["set", "a.env", "['C']", "\"CANARY\""]).ok().silent();
    sandbox.seal(&["unset", "a.env", "['A']"]).ok().silent();
    assert_eq!(opened(&sandbox, "a.env"), "# c\nB=3\nC=CANARY\n");
    sandbox.seal(&["set", "a.ini", "['s']['c']", "true"]).ok().silent();
    sandbox
        .seal(&["set", "a.ini", "['t']['d']", "\"CANARY\""])
        .ok()
        .silent();
    sandbox.seal(&["unset", "a.ini", "['s']['a']"]).ok().silent();
    assert_eq!(
        opened(&sandbox, "a.ini"),
        "; c\n[s]\nb = 2\nc = true\n\n[t]\nd = CANARY\n"
    );
    assert_eq!(
        sandbox
            .seal(&["decrypt", "--extract", "['t']['d']", "a.ini"])
            .ok()
            .text(),
        "CANARY"
    );
    refused(&sandbox, &["set", "a.env", "['B']", "{}"], b"").exits(4);
    refused(&sandbox, &["set", "a.env", "['sops_mac']", "1"], b"").exits(203);
}

#[test]
fn a_file_that_was_tampered_with_is_changed_only_when_told_so() {
    let sandbox = guarded();
    let text = sealed(&sandbox, "a.yaml", "a: CANARY\nb_unencrypted: 1\n");
    sandbox.write("a.yaml", text.replace("b_unencrypted: 1", "b_unencrypted: 2"));
    refused(&sandbox, &["set", "a.yaml", "['a']", "1"], b"").exits(51);
    sandbox.seal(&["set", "--ignore-mac", "a.yaml", "['a']", "1"]).ok();
    assert_eq!(opened(&sandbox, "a.yaml"), "a: 1\nb_unencrypted: 2\n");
}

#[test]
fn where_git_seals_the_file_it_stays_plain_in_the_checkout() {
    let sandbox = Sandbox::set_up();
    sandbox.write("secrets/a.yaml", YAML);
    sandbox.commit_all("one");
    sandbox.seal(&["set", "secrets/a.yaml", "['port']", "1"]).ok().silent();
    assert_eq!(sandbox.text("secrets/a.yaml"), YAML.replace("5432", "1"));
    sandbox.seal(&["unset", "secrets/a.yaml", "['hosts'][0]"]).ok().silent();
    assert_eq!(
        sandbox.text("secrets/a.yaml"),
        YAML.replace("5432", "1").replace("  - one\n", "")
    );
    sandbox.commit_all("two");
    sandbox.assert_sealed("HEAD:secrets/a.yaml");
    sandbox.assert_clean();
    refused(&sandbox, &["unset", "secrets/a.yaml", "['nope']"], b"").exits(1);
}

#[test]
fn one_value_is_printed() {
    let sandbox = guarded();
    sandbox.write("a.yaml", sealed(&sandbox, "a.yaml", YAML));
    for (args, wanted) in [
        (&["--extract", "['password']"][..], "CANARY-1"),
        (&["--extract", "['port']"], "5432\n"),
        (&["--extract", "['port']", "--output-type", "json"], "5432"),
        (&["--extract", "['hosts']"], "- one\n- two\n"),
        (&["--extract", "['hosts'][1]"], "two"),
        (&["--extract", ""], YAML),
    ] {
        let mut line = vec!["decrypt", "a.yaml"];
        line.extend(args);
        assert_eq!(sandbox.seal(&line).ok().silent().text(), wanted, "{args:?}");
    }
    sandbox
        .seal(&["decrypt", "--extract", "['password']", "--output", "out", "a.yaml"])
        .ok();
    assert_eq!(sandbox.text("out"), "CANARY-1");
}

/// What SOPS itself did with the same arguments.
#[test]
fn the_operations_of_sops_come_out_the_same() {
    let sandbox = guarded();
    sandbox.write(".sops.yaml", format!("creation_rules:\n  - age: {BOB}\n"));
    let ops = format!("{}/tests/vectors/sops/ops", env!("CARGO_MANIFEST_DIR"));
    let read = |case: &str, name: &str| fs::read(format!("{ops}/{case}/{name}")).unwrap();
    for (case, args) in [
        (
            "01-set-string",
            &["set", "x.yaml", "[\"database\"][\"primary\"][\"port\"]", "6543"][..],
        ),
        (
            "02-set-new-nested",
            &["set", "x.yaml", "[\"new\"][\"deep\"][\"key\"]", "\"value\""],
        ),
        (
            "03-set-object",
            &[
                "set",
                "x.yaml",
                "[\"cache\"]",
                "{\"url\": \"x\", \"list\": [1, \"two\", null, true]}",
            ],
        ),
        (
            "04-set-list-index",
            &["set", "x.yaml", "[\"hosts\"][1]", "\"c.example.com\""],
        ),
        (
            "05-set-list-append",
            &["set", "x.yaml", "[\"hosts\"][2]", "\"d.example.com\""],
        ),
        ("06-unset", &["unset", "x.yaml", "[\"cache\"][\"url\"]"]),
    ] {
        sandbox.write("x.yaml", read(case, "before.yaml"));
        sandbox.seal(args).ok().silent();
        let ours = opened(&sandbox, "x.yaml");
        assert_eq!(ours, String::from_utf8(read(case, "after.dec.yaml")).unwrap(), "{case}");
    }
    for (case, end, path) in [
        ("25-env-set", "env", "[\"DB_PORT\"]"),
        ("26-ini-set", "ini", "[\"database\"][\"port\"]"),
    ] {
        let name = format!("x.{end}");
        sandbox.write(&name, read(case, &format!("before.{end}")));
        sandbox.seal(&["set", &name, path, "\"6543\""]).ok().silent();
        sandbox.write(format!("y.{end}"), read(case, &format!("after.{end}")));
        assert_eq!(opened(&sandbox, &name), opened(&sandbox, &format!("y.{end}")), "{case}");
    }
    let base = "14-extract-scalar";
    sandbox.write("x.yaml", read(base, "before.yaml"));
    refused(&sandbox, &["unset", "x.yaml", "[\"nope\"]"], b"").exits(1);
    for (case, path) in [
        (
            "14-extract-scalar",
            "[\"database\"][\"primary\"][\"credentials\"][\"password\"]",
        ),
        ("15-extract-map", "[\"database\"][\"replica\"]"),
    ] {
        let output = sandbox.seal(&["decrypt", "--extract", path, "x.yaml"]).ok().silent();
        assert_eq!(output.stdout, read(case, "stdout.txt"), "{case}");
    }
}
