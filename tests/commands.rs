//! The commands that work on one file, as people type them: options, streams, exit codes, identities, and the editor.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::refusal::{guarded, refused, sealed};
use crate::support::{ALICE, BOB, Sandbox, files_below, secret};

const YAML: &str = "# CANARY\nuser: CANARY\npassword: \"CANARY-1\"\nport: 5432\n";
const JSON: &str = "{\n\t\"user\": \"CANARY\",\n\t\"port\": 5432\n}\n";

fn mode(sandbox: &Sandbox, name: &str) -> u32 {
    fs::metadata(sandbox.repo.join(name)).unwrap().permissions().mode() & 0o777
}

fn alice_key() -> String {
    let text = secret("alice");
    text.lines()
        .find(|line| line.starts_with("AGE-SECRET"))
        .unwrap()
        .to_owned()
}

#[test]
fn help_lists_every_command() {
    let sandbox = Sandbox::new();
    let help = sandbox.git(&["seal", "-h"]).ok().text();
    for command in [
        "init",
        "install",
        "uninstall",
        "status",
        "doctor",
        "verify",
        "explain",
        "encrypt",
        "decrypt",
        "edit",
        "keygen",
        "filestatus",
        "lock",
        "unlock",
    ] {
        let listed = |line: &str| line.split_whitespace().next() == Some(command);
        assert!(help.lines().any(listed), "{command} is not listed:\n{help}");
        let own = sandbox.seal(&[command, "--help"]).ok().text();
        assert!(own.contains("Usage:") && !own.contains("panicked"), "{own}");
    }
    for plumbing in ["filter-process", "merge-driver", "textconv", "smudge"] {
        assert!(!help.contains(plumbing), "{help}");
        sandbox.seal(&[plumbing, "--help"]).ok();
    }
    assert!(sandbox.seal(&["--version"]).ok().text().starts_with("git-seal "));
    for wrong in [
        &["nonsense"][..],
        &["encrypt", "--nonsense"],
        &["decrypt", "a", "b"],
        &["edit"],
        &["filestatus"],
    ] {
        sandbox.seal(wrong).exits(2);
    }
}

#[test]
fn files_and_streams_go_where_the_options_say() {
    let sandbox = guarded();
    for (name, plain) in [("a.yaml", YAML), ("a.json", JSON), ("a.txt", "CANARY\0\n")] {
        sandbox.write(name, plain);
        let to_stdout = sandbox.seal(&["encrypt", name]).ok().silent().text();
        assert!(
            to_stdout.contains("ENC[AES256_GCM,") && to_stdout.ends_with('\n'),
            "{to_stdout}"
        );
        assert_eq!(sandbox.text(name), plain);
        sandbox.seal(&["encrypt", "--output", "out", name]).ok().silent();
        assert_eq!(mode(&sandbox, "out"), 0o644);
        let back = sandbox
            .seal(&["decrypt", "--filename-override", name, "out"])
            .ok()
            .silent();
        assert_eq!(back.text(), plain);
        sandbox
            .seal(&["decrypt", "--filename-override", name, "--output", "back", "out"])
            .ok();
        assert_eq!((sandbox.text("back").as_str(), mode(&sandbox, "back")), (plain, 0o600));
        fs::remove_file(sandbox.repo.join("back")).unwrap();
        fs::set_permissions(sandbox.repo.join(name), fs::Permissions::from_mode(0o640)).unwrap();
        sandbox.seal(&["encrypt", "-i", name]).ok().silent();
        assert_ne!(sandbox.text(name), plain);
        sandbox.seal(&["decrypt", "--in-place", name]).ok().silent();
        assert_eq!((sandbox.text(name).as_str(), mode(&sandbox, name)), (plain, 0o640));
        for input in [&["-"][..], &[]] {
            let mut args = vec!["decrypt", "--filename-override", name];
            args.extend(input);
            let output = sandbox
                .run_in(&sandbox.repo, "git-seal", &args, &sandbox.read("out"))
                .ok();
            assert_eq!(output.text(), plain);
        }
    }
}

#[test]
fn types_convert_between_formats() {
    let sandbox = guarded();
    sandbox.write("a.yaml", YAML);
    sandbox.write("a.json", JSON);
    sandbox.write("sealed.yaml", sealed(&sandbox, "sealed.yaml", YAML));
    let json = sandbox
        .seal(&["decrypt", "--output-type", "json", "sealed.yaml"])
        .ok()
        .text();
    assert!(json.starts_with('{') && json.contains("\"port\": 5432"), "{json}");
    let crossed = sandbox
        .seal(&["encrypt", "--output-type", "yaml", "a.json"])
        .ok()
        .text();
    sandbox.write("crossed", &crossed);
    let back = sandbox
        .seal(&["decrypt", "--input-type", "yaml", "--output-type", "yaml", "crossed"])
        .ok();
    assert!(back.text().contains("user: CANARY"), "{}", back.text());
    let whole = sandbox
        .seal(&["encrypt", "--input-type", "binary", "--output-type", "binary", "a.yaml"])
        .ok();
    sandbox.write("whole", &whole.stdout);
    assert_eq!(sandbox.seal(&["decrypt", "whole"]).ok().text(), YAML);
    sandbox
        .seal(&["decrypt", "--output-type", "nonsense", "sealed.yaml"])
        .exits(2);
    refused(&sandbox, &["decrypt", "--output-type", "binary", "sealed.yaml"], b"").exits(4);
}

#[test]
fn failures_have_the_codes_of_sops() {
    let sandbox = guarded();
    sandbox.write("a.yaml", YAML);
    sandbox.write("sealed.yaml", sealed(&sandbox, "sealed.yaml", YAML));
    sandbox.write(
        "bobs.yaml",
        sandbox.seal(&["encrypt", "--age", BOB, "a.yaml"]).ok().text(),
    );
    sandbox.write("broken.yaml", "a: [\n");
    sandbox.write("empty.yaml", "");
    sandbox.write(
        "changed.yaml",
        sandbox.text("sealed.yaml").replace("version: 3", "x: 1\nversion: 3"),
    );
    let removed: String = sandbox
        .text("sealed.yaml")
        .lines()
        .filter(|line| !line.contains("user"))
        .map(|line| format!("{line}\n"))
        .collect();
    sandbox.write("changed.yaml", &removed);
    #[rustfmt::skip]
    let cases: &[(i32, &[&str])] = &[
        (1, &["decrypt", "a.yaml"]),
        (1, &["encrypt", "--age", "age1nonsense", "a.yaml"]),
        (1, &["encrypt", "--config", "no/such", "a.yaml"]),
        (1, &["filestatus", "missing.yaml"]),
        (2, &["encrypt", "broken.yaml"]),
        (2, &["explain", "GS999"]),
        (8, &["encrypt", "-i", "--output", "x", "a.yaml"]),
        (8, &["decrypt", "-i", "--output", "x", "sealed.yaml"]),
        (8, &["encrypt", "-i"]),
        (8, &["encrypt"]),
        (8, &["encrypt", "--encrypted-regex", "a", "--unencrypted-regex", "b", "a.yaml"]),
        (51, &["decrypt", "changed.yaml"]),
        (92, &["encrypt", "empty.yaml"]),
        (100, &["encrypt", "missing.yaml"]),
        (100, &["decrypt", "missing.yaml"]),
        (128, &["decrypt", "bobs.yaml"]),
        (128, &["edit", "bobs.yaml"]),
        (203, &["encrypt", "sealed.yaml"]),
        (203, &["encrypt", "-i", "sealed.yaml"]),
    ];
    for (code, args) in cases {
        refused(&sandbox, args, b"").exits(*code);
    }
    let forced = sandbox
        .seal(&["decrypt", "--ignore-mac", "changed.yaml"])
        .ok()
        .says("warning");
    assert_eq!(forced.text(), YAML.replace("user: CANARY\n", ""));
}

#[test]
fn recipients_come_from_option_variable_or_rule() {
    let mut sandbox = guarded();
    sandbox.write("a.yaml", YAML);
    let recipients = |sandbox: &Sandbox, args: &[&str]| {
        let text = sandbox.seal(args).ok().text();
        let lines = text.lines().filter_map(|line| line.split_once("recipient: "));
        lines.map(|(_, name)| name.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(recipients(&sandbox, &["encrypt", "a.yaml"]), [ALICE]);
    assert_eq!(recipients(&sandbox, &["encrypt", "-a", BOB, "a.yaml"]), [BOB]);
    let both = format!("{ALICE},{BOB}");
    assert_eq!(
        recipients(&sandbox, &["encrypt", "--age", &both, "a.yaml"]),
        [ALICE, BOB]
    );
    sandbox.set("SOPS_AGE_RECIPIENTS", BOB);
    assert_eq!(recipients(&sandbox, &["encrypt", "a.yaml"]), [BOB]);
    assert_eq!(recipients(&sandbox, &["encrypt", "--age", ALICE, "a.yaml"]), [ALICE]);
    sandbox.set("SOPS_AGE_RECIPIENTS", "");
    assert_eq!(recipients(&sandbox, &["encrypt", "a.yaml"]), [ALICE]);
    let other = sandbox.root().join("other.yaml");
    fs::write(&other, format!("creation_rules:\n  - age: {BOB}\n")).unwrap();
    sandbox.set("SOPS_CONFIG", other.to_str().unwrap());
    assert_eq!(recipients(&sandbox, &["encrypt", "a.yaml"]), [BOB]);
    let part = sandbox
        .seal(&["encrypt", "--encrypted-regex", "^password$", "a.yaml"])
        .ok()
        .text();
    assert!(
        part.contains("user: CANARY") && part.contains("password: \"ENC["),
        "{part}"
    );
}

#[test]
fn every_source_of_identities_opens() {
    let key = alice_key();
    let ssh = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/keys/ssh_ed25519");
    let ssh_public = fs::read_to_string(format!("{ssh}.pub")).unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/keys/alice.txt");
    let cases = [
        (ALICE, "SOPS_AGE_KEY", key.clone()),
        (
            ALICE,
            "SOPS_AGE_KEY",
            format!("{} {key}", secret("bob").lines().last().unwrap()),
        ),
        (ALICE, "SOPS_AGE_KEY_FILE", file.to_owned()),
        (ALICE, "SOPS_AGE_KEY_CMD", format!("cat '{file}'")),
        (&ssh_public, "SOPS_AGE_SSH_PRIVATE_KEY_FILE", ssh.to_owned()),
        (&ssh_public, "SOPS_AGE_SSH_PRIVATE_KEY_CMD", format!("cat \"{ssh}\"")),
    ];
    for (recipient, variable, value) in cases {
        let mut sandbox = guarded();
        sandbox.take_keys();
        sandbox.write("a.yaml", YAML);
        sandbox
            .seal(&["encrypt", "-i", "--age", recipient.trim(), "a.yaml"])
            .ok();
        refused(&sandbox, &["decrypt", "a.yaml"], b"").exits(128).says(variable);
        sandbox.set(variable, &value);
        assert_eq!(
            sandbox.seal(&["decrypt", "a.yaml"]).ok().silent().text(),
            YAML,
            "{variable}"
        );
    }
    let mut sandbox = guarded();
    sandbox.write("ssh.yaml", YAML);
    sandbox
        .seal(&["encrypt", "-i", "--age", ssh_public.trim(), "ssh.yaml"])
        .ok();
    refused(&sandbox, &["decrypt", "ssh.yaml"], b"")
        .exits(128)
        .says("id_ed25519");
    fs::create_dir(sandbox.home().join(".ssh")).unwrap();
    fs::copy(ssh, sandbox.home().join(".ssh/id_ed25519")).unwrap();
    assert_eq!(sandbox.seal(&["decrypt", "ssh.yaml"]).ok().text(), YAML);
    sandbox.write("a.yaml", sealed(&sandbox, "a.yaml", YAML));
    let elsewhere = sandbox.root().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(sandbox.home().join(".config/sops"), elsewhere.join("sops")).unwrap();
    refused(&sandbox, &["decrypt", "a.yaml"], b"").exits(128);
    sandbox.set("XDG_CONFIG_HOME", elsewhere.to_str().unwrap());
    assert_eq!(sandbox.seal(&["decrypt", "a.yaml"]).ok().text(), YAML);
}

#[test]
fn keygen_makes_private_files_and_overwrites_none() {
    let sandbox = guarded();
    let made = sandbox
        .seal(&["keygen", "-o", "keys/new.txt"])
        .ok()
        .says("Public key: age1");
    assert_eq!(mode(&sandbox, "keys/new.txt"), 0o600);
    let text = sandbox.text("keys/new.txt");
    let public = sandbox.seal(&["keygen", "-y", "keys/new.txt"]).ok().text();
    assert!(made.stderr.contains(public.trim()) && text.contains(public.trim()) && text.contains("AGE-SECRET-KEY-1"));
    refused(&sandbox, &["keygen", "-o", "keys/new.txt"], b"").exits(1);
    assert!(sandbox.seal(&["keygen"]).ok().text().contains("AGE-SECRET-KEY-1"));
    let from_stdin = sandbox
        .run_in(&sandbox.repo, "git-seal", &["keygen", "-y"], secret("alice").as_bytes())
        .ok();
    assert_eq!(from_stdin.text(), format!("{ALICE}\n"));
    refused(&sandbox, &["keygen", "-y"], b"CANARY").exits(1);
    refused(&sandbox, &["keygen", "-y", "missing"], b"").exits(1);
}

#[test]
fn filestatus_and_explain_answer_without_a_key() {
    let sandbox = guarded();
    for (name, plain) in [("a.yaml", YAML), ("a.json", JSON), ("a.bin", "CANARY")] {
        sandbox.write(name, plain);
        assert_eq!(
            sandbox.seal(&["filestatus", name]).ok().silent().text(),
            "{\"encrypted\":false}\n"
        );
        sandbox.seal(&["encrypt", "-i", name]).ok();
        let status = |sandbox: &Sandbox| sandbox.seal(&["filestatus", name]).ok().silent().text();
        assert_eq!(status(&sandbox), "{\"encrypted\":true}\n");
    }
    sandbox.take_keys();
    assert_eq!(
        sandbox.seal(&["filestatus", "a.yaml"]).ok().text(),
        "{\"encrypted\":true}\n"
    );
    let list = sandbox.seal(&["explain"]).ok().text();
    assert!(list.lines().count() > 8, "{list}");
    for line in list.lines() {
        for word in line.split_whitespace() {
            assert!(sandbox.seal(&["explain", word]).ok().text().len() > 200, "{word}");
        }
    }
}

/// Makes a shell script the editor; `$1` is the file.
fn editor(sandbox: &mut Sandbox, script: &str) {
    let path = sandbox.root().join("editor");
    fs::write(&path, format!("#!/bin/sh\nset -e\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.set("EDITOR", path.to_str().unwrap());
}

#[track_caller]
fn nothing_left(sandbox: &Sandbox) {
    let left = files_below(&sandbox.root().join("tmp"));
    assert!(left.is_empty(), "left behind: {left:?}");
}

#[test]
fn edit_changes_what_was_changed_and_no_more() {
    let mut sandbox = guarded();
    sandbox.write("a.yaml", sealed(&sandbox, "a.yaml", YAML));
    let before = sandbox.text("a.yaml");
    editor(
        &mut sandbox,
        "test \"$(stat -c %a \"$1\" \"$(dirname \"$1\")\" | tr '\\n' ' ')\" = '600 700 '\nsed -i s/CANARY-1/CANARY-2/ \"$1\"",
    );
    sandbox.seal(&["edit", "a.yaml"]).ok().silent();
    let after = sandbox.text("a.yaml");
    let changed: Vec<&str> = before
        .lines()
        .zip(after.lines())
        .filter(|(old, new)| old != new)
        .map(|(old, _)| old.trim().split(':').next().unwrap())
        .collect();
    assert_eq!(before.lines().count(), after.lines().count());
    assert!(
        changed == ["password", "mac"] || changed == ["password", "lastmodified", "mac"],
        "{changed:?}"
    );
    assert_eq!(
        sandbox.seal(&["decrypt", "a.yaml"]).ok().text(),
        YAML.replace("CANARY-1", "CANARY-2")
    );
    nothing_left(&sandbox);

    editor(&mut sandbox, "true");
    refused(&sandbox, &["edit", "a.yaml"], b"").exits(200);
    editor(&mut sandbox, "exit 3");
    refused(&sandbox, &["edit", "a.yaml"], b"").exits(201);
    // What was saved before the editor failed is kept, sealed.
    let before = sandbox.text("a.yaml");
    editor(&mut sandbox, "echo saved: CANARY-4 >> \"$1\"; exit 3");
    sandbox.seal(&["edit", "a.yaml"]).exits(201).says("a.yaml.draft");
    assert_eq!(sandbox.text("a.yaml"), before);
    let draft = sandbox.text("a.yaml.draft");
    assert!(!draft.contains("CANARY"), "{draft}");
    let kept = sandbox.seal(&["decrypt", "a.yaml.draft"]).ok().text();
    assert!(kept.ends_with("saved: CANARY-4\n"), "{kept}");
    fs::remove_file(sandbox.repo.join("a.yaml.draft")).unwrap();
    editor(&mut sandbox, "rm \"$1\"");
    refused(&sandbox, &["edit", "a.yaml"], b"").exits(201);
    for line in ["/no/such/editor", "'", "   "] {
        sandbox.set("EDITOR", line);
        refused(&sandbox, &["edit", "a.yaml"], b"").exits(201);
    }
    sandbox.set("SOPS_EDITOR", "sed -i s/CANARY-2/CANARY-3/");
    sandbox.seal(&["edit", "a.yaml"]).ok();
    assert!(sandbox.seal(&["decrypt", "a.yaml"]).ok().text().contains("CANARY-3"));
    nothing_left(&sandbox);
}

#[test]
fn edit_makes_a_new_file_for_its_rule() {
    let mut sandbox = guarded();
    editor(&mut sandbox, "echo 'token: CANARY' > \"$1\"");
    sandbox.seal(&["edit", "new.yaml"]).ok().silent();
    assert!(sandbox.text("new.yaml").contains(ALICE));
    assert_eq!(sandbox.seal(&["decrypt", "new.yaml"]).ok().text(), "token: CANARY\n");
    editor(&mut sandbox, "true");
    refused(&sandbox, &["edit", "other.yaml"], b"").exits(200);
    fs::remove_file(sandbox.repo.join(".sops.yaml")).unwrap();
    refused(&sandbox, &["edit", "other.yaml"], b"").exits(1);
    refused(&sandbox, &["edit", "no/such/folder.yaml"], b"").exits(100);
    nothing_left(&sandbox);
}

#[test]
fn edit_asks_again_about_broken_content_and_rescues_it_when_nobody_is_there() {
    let mut sandbox = guarded();
    sandbox.write("a.yaml", sealed(&sandbox, "a.yaml", YAML));
    let before = sandbox.text("a.yaml");
    let count = sandbox.root().join("count");
    let script = format!(
        "echo x >> {0}\nif test $(wc -l < {0}) -lt 3; then echo 'CANARY: [' > \"$1\"; else echo 'a: CANARY' > \"$1\"; fi",
        count.display()
    );
    editor(&mut sandbox, &script);
    let edit = sandbox
        .run_in(&sandbox.repo, "git-seal", &["edit", "a.yaml"], b"\n\n")
        .ok();
    assert_eq!(edit.stderr.matches("press Enter").count(), 2, "{}", edit.stderr);
    assert_eq!(sandbox.seal(&["decrypt", "a.yaml"]).ok().text(), "a: CANARY\n");
    nothing_left(&sandbox);

    sandbox.write("a.yaml", &before);
    editor(&mut sandbox, "echo 'CANARY: [' > \"$1\"");
    let edit = sandbox.seal(&["edit", "a.yaml"]).fails().says("a.yaml.draft");
    assert!(!edit.stderr.contains("panicked"));
    assert_eq!(sandbox.text("a.yaml"), before);
    assert!(!sandbox.text("a.yaml.draft").contains("CANARY"));
    assert_eq!(sandbox.seal(&["decrypt", "a.yaml.draft"]).ok().text(), "CANARY: [\n");
    nothing_left(&sandbox);
}

#[test]
fn edit_wipes_its_copy_when_it_is_ended_by_a_signal() {
    let mut sandbox = guarded();
    sandbox.write("a.yaml", sealed(&sandbox, "a.yaml", YAML));
    let before = sandbox.text("a.yaml");
    for signal in ["TERM", "HUP"] {
        editor(&mut sandbox, &format!("kill -{signal} $PPID; sleep 1"));
        sandbox.seal(&["edit", "a.yaml"]).fails();
        nothing_left(&sandbox);
        assert_eq!(sandbox.text("a.yaml"), before);
    }
}

#[test]
fn edit_overwrites_no_change_of_somebody_else() {
    let mut sandbox = guarded();
    sandbox.write("a.yaml", sealed(&sandbox, "a.yaml", YAML));
    let path = sandbox.repo.join("a.yaml");
    editor(
        &mut sandbox,
        &format!("echo 'b: CANARY' >> \"$1\"; echo '# theirs' >> {}", path.display()),
    );
    sandbox.seal(&["edit", "a.yaml"]).exits(3).says("a.yaml.draft");
    assert!(sandbox.text("a.yaml").ends_with("# theirs\n"));
    sandbox.write("mine.yaml", sandbox.text("a.yaml.draft"));
    assert_eq!(
        sandbox.seal(&["decrypt", "mine.yaml"]).ok().text(),
        format!("{YAML}b: CANARY\n")
    );
    nothing_left(&sandbox);
}
