//! Identities that take more than a key at hand: plugins, passphrases, commands; and what is said when none opens a file.
#![cfg(unix)]

mod peer;
#[cfg(target_os = "linux")]
mod typed;

use std::fs;
use std::path::Path;

use super::support::{ALICE, BOB, Output, Sandbox, secret};

/// The plugin's recipient and identity.
const MIRROR: &str = "age1mirror1qyen8ku8";
const MIRROR_IDENTITY: &str = "AGE-PLUGIN-MIRROR-1QYRZU7V8";
const YAML: &str = "a: CANARY\n";

/// A sandbox with the plugin on PATH and its identity as the only one.
fn with_plugin() -> Sandbox {
    let mut sandbox = Sandbox::new();
    let log = sandbox.root().join("log").to_str().unwrap().to_owned();
    sandbox.set("MIRROR_LOG", &log);
    let path = std::env::var("PATH").unwrap();
    let seal = Path::new(env!("CARGO_BIN_EXE_git-seal")).parent().unwrap();
    let plugins = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys");
    sandbox.set("PATH", &format!("{}:{plugins}:{path}", seal.display()));
    give(&sandbox, &format!("{MIRROR_IDENTITY}\n"));
    sandbox
}

fn give(sandbox: &Sandbox, identities: &str) {
    fs::write(sandbox.home().join(".config/sops/age/keys.txt"), identities).unwrap();
}

/// The starts of the plugin so far.
fn starts(sandbox: &Sandbox) -> Vec<String> {
    let log = fs::read_to_string(sandbox.root().join("log")).unwrap_or_default();
    log.lines().map(|line| line.replace("--age-plugin=", "")).collect()
}

/// Seals a file of the work tree for these recipients.
fn seal_for(sandbox: &Sandbox, recipients: &[&str]) {
    sandbox.write("a.yaml", YAML);
    sandbox
        .seal(&["encrypt", "-i", "--age", &recipients.join(","), "a.yaml"])
        .ok();
}

/// Runs git-seal where there is no terminal.
fn without_terminal(sandbox: &Sandbox, args: &[&str]) -> Output {
    let words = [&["--wait", "git-seal"], args].concat();
    sandbox.run_in(&sandbox.repo, "setsid", &words, b"")
}

fn key_of(name: &str) -> String {
    let text = secret(name);
    text.lines().find(|line| line.starts_with("AGE-")).unwrap().to_owned()
}

#[test]
fn a_plugin_wraps_and_unwraps() {
    let sandbox = with_plugin();
    seal_for(&sandbox, &[MIRROR]);
    assert!(sandbox.text("a.yaml").contains(MIRROR));
    assert_eq!(sandbox.seal(&["decrypt", "a.yaml"]).ok().silent().text(), YAML);
    assert_eq!(starts(&sandbox), ["recipient-v1", "identity-v1"]);
}

#[test]
fn a_key_at_hand_spares_the_plugin() {
    let sandbox = with_plugin();
    seal_for(&sandbox, &[MIRROR, ALICE]);
    give(&sandbox, &format!("{MIRROR_IDENTITY}\n{}\n", key_of("alice")));
    sandbox.seal(&["decrypt", "a.yaml"]).ok();
    assert_eq!(
        starts(&sandbox),
        ["recipient-v1"],
        "Alice's key opens it, though her entry comes second"
    );
}

#[test]
fn a_plugin_that_fails_is_told() {
    let mut sandbox = with_plugin();
    seal_for(&sandbox, &[MIRROR]);
    let before = sandbox.text("a.yaml");
    sandbox.write("b.yaml", YAML);
    let cases = [
        ("die", "age-plugin-mirror ended before it was done"),
        ("garble", "age-plugin-mirror does not speak age's plugin protocol"),
        ("refuse", "age-plugin-mirror says: no card here"),
        (
            "ask",
            "age-plugin-mirror asks for an answer, and there is no terminal to give it",
        ),
    ];
    for (behaviour, words) in cases {
        sandbox.set("MIRROR", behaviour);
        without_terminal(&sandbox, &["decrypt", "a.yaml"])
            .exits(128)
            .says(words)
            .says("keys.txt");
        without_terminal(&sandbox, &["encrypt", "-i", "--age", MIRROR, "b.yaml"])
            .exits(1)
            .says(words);
        assert_eq!(
            (sandbox.text("a.yaml"), sandbox.text("b.yaml")),
            (before.clone(), YAML.to_owned())
        );
    }
    sandbox.set("MIRROR", "tell");
    let output = sandbox.seal(&["decrypt", "a.yaml"]).ok();
    assert_eq!(
        (output.text().as_str(), output.stderr.as_str()),
        (YAML, "git-seal: age-plugin-mirror: touch it\n")
    );
}

#[test]
fn a_plugin_must_lie_in_a_whole_folder_of_path() {
    let mut sandbox = with_plugin();
    seal_for(&sandbox, &[MIRROR]);
    let seal = Path::new(env!("CARGO_BIN_EXE_git-seal")).parent().unwrap();
    let words = "age-plugin-mirror is not on PATH";
    sandbox.set("PATH", &format!("{}:/usr/bin:/bin", seal.display()));
    sandbox.seal(&["decrypt", "a.yaml"]).exits(128).says(words);
    sandbox.seal(&["doctor"]).says("age-plugin-mirror is not on PATH");
    let plugin = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/age-plugin-mirror");
    fs::copy(plugin, sandbox.repo.join("age-plugin-mirror")).unwrap();
    sandbox.set("PATH", &format!("{}:.::/usr/bin:/bin", seal.display()));
    sandbox.seal(&["decrypt", "a.yaml"]).exits(128).says(words);
    assert_eq!(starts(&sandbox), ["recipient-v1"]);
}

#[test]
fn a_plugin_works_through_git() {
    let mut sandbox = with_plugin();
    sandbox.policy(&[("^secrets/", MIRROR)]);
    sandbox.write(
        ".gitattributes",
        "secrets/** filter=git-seal diff=git-seal merge=git-seal -text\n",
    );
    sandbox.seal(&["install"]).ok();
    sandbox.write("secrets/a.yaml", YAML);
    sandbox.commit_all("sealed by a plugin");
    sandbox.assert_sealed("HEAD:secrets/a.yaml");
    sandbox.assert_clean();
    fs::remove_file(sandbox.repo.join("secrets/a.yaml")).unwrap();
    sandbox.git(&["checkout", "--", "secrets/a.yaml"]).ok();
    assert_eq!(sandbox.text("secrets/a.yaml"), YAML);
    // Many files are looked at: nobody touches a card for each.
    let before = starts(&sandbox).len();
    sandbox.seal(&["verify"]).ok();
    let status = sandbox.seal(&["status"]).ok().text();
    assert!(status.contains("a plugin or a passphrase may"), "{status}");
    assert_eq!(starts(&sandbox).len(), before);
    // Git's filter asks nobody, terminal or not.
    sandbox.set("MIRROR", "ask");
    fs::remove_file(sandbox.repo.join("secrets/a.yaml")).unwrap();
    sandbox
        .git(&["checkout", "--", "secrets/a.yaml"])
        .ok()
        .says("secrets/a.yaml stays sealed")
        .says("asks for an answer, which only a command that a person runs can give");
    sandbox.write("secrets/b.yaml", "b: CANARY\n");
    sandbox
        .git(&["add", "secrets/b.yaml"])
        .fails()
        .says("age-plugin-mirror asks for an answer");
    sandbox.assert_no_leak();
}

#[test]
fn a_plugin_can_be_added_to_a_file() {
    let sandbox = with_plugin();
    sandbox.policy(&[("", ALICE)]);
    give(&sandbox, &key_of("alice"));
    sandbox.write("a.yaml", YAML);
    sandbox.seal(&["encrypt", "-i", "a.yaml"]).ok();
    sandbox.policy(&[("", &format!("{ALICE},{MIRROR}"))]);
    sandbox.seal(&["updatekeys", "-y", "a.yaml"]).ok();
    give(&sandbox, MIRROR_IDENTITY);
    assert_eq!(sandbox.seal(&["decrypt", "a.yaml"]).ok().text(), YAML);
}

#[test]
fn a_plugin_identity_needs_its_public_key_named() {
    let sandbox = with_plugin();
    sandbox
        .seal(&["init"])
        .fails()
        .says("give your own public key with --age");
    assert!(!sandbox.repo.join(".sops.yaml").exists());
    sandbox.seal(&["init", "--age", MIRROR]).ok();
    assert!(sandbox.text(".sops.yaml").contains(MIRROR));
    assert!(starts(&sandbox).is_empty());
    let (_, _, key) = protected();
    sandbox.take_keys();
    fs::create_dir(sandbox.home().join(".ssh")).unwrap();
    fs::write(sandbox.home().join(".ssh/id_ed25519"), key).unwrap();
    fs::remove_file(sandbox.repo.join(".sops.yaml")).unwrap();
    // Git could not open a file with that one, so a new key is made.
    sandbox.seal(&["init"]).ok().says("new key made");
}

#[test]
fn commands_are_asked_for_each_recipient_and_no_more_than_needed() {
    let mut sandbox = with_plugin();
    sandbox.take_keys();
    seal_for(&sandbox, &[ALICE, BOB]);
    let log = sandbox.root().join("asked");
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/keys");
    let line = format!(
        "sh -c 'echo $SOPS_AGE_RECIPIENT >>{}; test $SOPS_AGE_RECIPIENT = {BOB} && cat {keys}/bob.txt || cat {keys}/carol.txt'",
        log.display()
    );
    let asked = || fs::read_to_string(&log).unwrap_or_default();
    sandbox.set("SOPS_AGE_KEY_CMD", &line);
    assert_eq!(sandbox.seal(&["decrypt", "a.yaml"]).ok().silent().text(), YAML);
    assert_eq!(asked(), format!("{ALICE}\n{BOB}\n"));
    sandbox.set("SOPS_AGE_KEY", &key_of("bob"));
    sandbox.seal(&["decrypt", "a.yaml"]).ok();
    sandbox
        .seal(&["doctor"])
        .says("SOPS_AGE_KEY_CMD: a command, run when no other identity opens a file");
    assert_eq!(asked(), format!("{ALICE}\n{BOB}\n"), "a key at hand opens it");
}

#[test]
fn the_report_names_groups_and_places() {
    let mut sandbox = with_plugin();
    let rule = "creation_rules:\n  - shamir_threshold: 2\n    key_groups:\n";
    sandbox.write(
        ".sops.yaml",
        format!("{rule}      - age: [{ALICE}]\n      - age: [{MIRROR}]\n      - age: [{BOB}]\n"),
    );
    sandbox.write("a.yaml", YAML);
    sandbox.seal(&["encrypt", "-i", "a.yaml"]).ok();
    // Alice's group opens by her key and the other one by the plugin.
    give(&sandbox, &format!("{}\n{MIRROR_IDENTITY}\n", key_of("alice")));
    assert_eq!(sandbox.seal(&["decrypt", "a.yaml"]).ok().text(), YAML);
    give(&sandbox, &format!("{}\n", key_of("alice")));
    sandbox.set("SOPS_AGE_KEY", "nonsense");
    sandbox.set("SOPS_AGE_KEY_CMD", "");
    sandbox.set("SOPS_AGE_SSH_PRIVATE_KEY_CMD", "false");
    let output = sandbox.seal(&["decrypt", "a.yaml"]).exits(128);
    for words in [
        "2 of 3 key groups are needed, and 1 can be opened",
        "key group 1 opens: age1q07u…zf5f",
        "key group 2 does not open: age1mirr…8ku8",
        "key group 3 does not open: age1ltcj…yjvf",
        "SOPS_AGE_KEY can't be used: unknown identity type in line 1",
        "SOPS_AGE_KEY_CMD can't be used: it is empty",
        "SOPS_AGE_SSH_PRIVATE_KEY_CMD can't be used: its command failed",
        "keys.txt holds 1 identity, which does not open it",
        "nothing is in SOPS_AGE_SSH_PRIVATE_KEY_FILE",
    ] {
        assert!(output.stderr.contains(words), "{words}\n{}", output.stderr);
    }
    assert!(!output.stderr.contains("nonsense"), "{}", output.stderr);
}

#[test]
fn the_order_of_types_is_checked() {
    let mut sandbox = Sandbox::new();
    seal_for(&sandbox, &[ALICE]);
    for order in ["age,pgp", "pgp,kms,nonsense", ""] {
        sandbox.seal(&["decrypt", "--decryption-order", order, "a.yaml"]).ok();
    }
    for command in [
        "decrypt a.yaml",
        "edit a.yaml",
        "rotate a.yaml",
        "unset a.yaml [\"a\"]",
        "exec-env a.yaml true",
    ] {
        let mut words: Vec<&str> = command.split(' ').collect();
        words.extend(["--decryption-order", "age,pgp,age"]);
        sandbox.seal(&words).exits(112).says("`age` is named twice");
    }
    sandbox.set("SOPS_DECRYPTION_ORDER", "kms,kms");
    sandbox.seal(&["decrypt", "a.yaml"]).exits(112);
}

#[test]
fn keygen_makes_keys_that_withstand_quantum_computers() {
    let sandbox = Sandbox::new();
    sandbox
        .seal(&["keygen", "--pq", "-o", "pq.txt"])
        .ok()
        .says("Public key: age1pq1");
    let public = sandbox.seal(&["keygen", "-y", "pq.txt"]).ok().text();
    seal_for(&sandbox, &[public.trim()]);
    sandbox.seal(&["decrypt", "a.yaml"]).exits(128);
    give(&sandbox, &sandbox.text("pq.txt"));
    assert_eq!(sandbox.seal(&["decrypt", "a.yaml"]).ok().text(), YAML);
    sandbox.seal(&["keygen", "--pq", "-y", "pq.txt"]).exits(2);
    give(&sandbox, MIRROR_IDENTITY);
    let file = sandbox.home().join(".config/sops/age/keys.txt");
    sandbox
        .seal(&["keygen", "-y", file.to_str().unwrap()])
        .exits(1)
        .says("only age-plugin-mirror knows the public key");
}

/// The published identity file behind the passphrase `passphrase`, a public key that it opens, and an SSH key likewise.
fn protected() -> (String, String, String) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
    let json = |name: &str| -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(format!("{folder}/{name}")).unwrap()).unwrap()
    };
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let (vectors, keys) = (json("unit-vectors.json"), json("keys.json"));
    (
        text(&vectors["age"]["passphrase_protected_identity_file"]),
        text(&vectors["age"]["recipient"]),
        text(&keys["ed25519_protected"]),
    )
}

#[test]
fn without_a_terminal_a_passphrase_is_not_asked_for() {
    let mut sandbox = Sandbox::set_up();
    let (file, recipient, _) = protected();
    sandbox.policy(&[("^secrets/", &recipient)]);
    sandbox.write("secrets/a.yaml", YAML);
    sandbox.commit_all("sealed");
    give(&sandbox, &file);
    fs::remove_file(sandbox.repo.join("secrets/a.yaml")).unwrap();
    sandbox
        .git(&["checkout", "--", "secrets/a.yaml"])
        .ok()
        .says("keys.txt was not used: Git can't ask for its passphrase; `git seal decrypt` does");
    sandbox
        .seal(&["doctor"])
        .says("1 identity (behind a passphrase)")
        .says("Git can't ask for its passphrase");
    sandbox.seal(&["verify"]).ok();
    without_terminal(&sandbox, &["decrypt", "secrets/a.yaml"])
        .exits(128)
        .says("there is no terminal to ask for it");
    // A key that opens it is enough, whatever else there is.
    sandbox.set("SOPS_AGE_KEY", &key_of("alice"));
    seal_for(&sandbox, &[&recipient, ALICE]);
    without_terminal(&sandbox, &["decrypt", "a.yaml"]).ok().silent();
}

#[cfg(target_os = "linux")]
mod at_a_terminal {
    use super::typed::at_terminal;
    use super::*;

    const QUESTION: &str = "Enter passphrase for identity '";

    #[test]
    fn a_passphrase_opens_an_identity_file() {
        let sandbox = Sandbox::new();
        let (file, recipient, _) = protected();
        seal_for(&sandbox, &[BOB, &recipient]);
        give(&sandbox, &file);
        let talk = [(QUESTION, "wrong\n"), ("Wrong. Enter passphrase", "passphrase\n")];
        let typed = at_terminal(&sandbox, "git-seal decrypt a.yaml", &talk);
        assert!(typed.shown.contains("a: CANARY") && typed.code == 0, "{}", typed.shown);
        assert!(
            !typed.shown.contains("passphrase\r\n"),
            "the passphrase is seen: {}",
            typed.shown
        );
        // Stdin and stdout are others' here; the question still reaches the terminal, and the echo is back afterwards.
        let line = "git-seal decrypt a.yaml </dev/null >out.yaml; stty -a | grep -o ' echo '";
        let typed = at_terminal(&sandbox, line, &[(QUESTION, "passphrase\n")]);
        assert_eq!(sandbox.text("out.yaml"), YAML, "{}", typed.shown);
        assert!(typed.shown.contains(" echo "), "{}", typed.shown);
    }

    #[test]
    fn three_wrong_ones_are_the_end() {
        let sandbox = Sandbox::new();
        let (_, _, key) = protected();
        fs::create_dir(sandbox.home().join(".ssh")).unwrap();
        let file = sandbox.home().join(".ssh/id_ed25519");
        fs::write(&file, key).unwrap();
        let public = sandbox.seal(&["keygen", "-y", file.to_str().unwrap()]).ok().text();
        seal_for(&sandbox, &[public.trim()]);
        let typed = at_terminal(&sandbox, "git-seal decrypt a.yaml", &[(QUESTION, "x\n"); 3]);
        assert_eq!(typed.code, 128, "{}", typed.shown);
        assert!(
            typed.shown.contains("the passphrase was wrong 3 times"),
            "{}",
            typed.shown
        );
        let typed = at_terminal(&sandbox, "git-seal decrypt a.yaml", &[(QUESTION, "\x03")]);
        assert_eq!(typed.code, 128, "{}", typed.shown);
        assert!(typed.shown.contains("the question was not answered"), "{}", typed.shown);
        let typed = at_terminal(&sandbox, "git-seal decrypt a.yaml", &[(QUESTION, "passphrase\n")]);
        assert!(typed.shown.contains("a: CANARY") && typed.code == 0, "{}", typed.shown);
        // It is not its owner's file, so nobody is bothered.
        seal_for(&sandbox, &[BOB]);
        let typed = at_terminal(&sandbox, "git-seal decrypt a.yaml", &[]);
        assert!(typed.code == 128 && !typed.shown.contains(QUESTION), "{}", typed.shown);
    }

    #[test]
    fn a_plugin_may_ask() {
        let mut sandbox = with_plugin();
        seal_for(&sandbox, &[MIRROR]);
        sandbox.set("MIRROR", "ask");
        let typed = at_terminal(
            &sandbox,
            "git-seal decrypt a.yaml",
            &[("age-plugin-mirror: PIN", "1234\n")],
        );
        assert!(typed.shown.contains("a: CANARY") && typed.code == 0, "{}", typed.shown);
        assert!(!typed.shown.contains("1234"), "the PIN is seen: {}", typed.shown);
        let typed = at_terminal(
            &sandbox,
            "git-seal decrypt a.yaml",
            &[("age-plugin-mirror: PIN", "99\n")],
        );
        assert!(
            typed.shown.contains("age-plugin-mirror says: wrong PIN") && typed.code == 128,
            "{}",
            typed.shown
        );
    }
}
