//! Keys that open nothing and policies that name nobody: each is explained in one sentence, nothing is written, and Git goes on
//! with what is sealed already.

use std::fs;

use crate::bad_input::laughs;
use crate::support::refusal::{guarded, refused, sealed};
use crate::support::{ALICE, Sandbox, secret};

const YAML: &str = "user: CANARY\npassword: \"CANARY-1\"\nport: 5432\n";

#[test]
fn a_key_that_does_not_fit_is_explained() {
    let mut sandbox = guarded();
    let good = sealed(&sandbox, "a.yaml", YAML);
    sandbox.write("a.yaml", &good);
    let key_file = sandbox.root().join("key");
    sandbox.take_keys();
    refused(&sandbox, &["decrypt", "a.yaml"], b"")
        .exits(128)
        .says("keys.txt")
        .says("git seal doctor");
    sandbox.set("SOPS_AGE_KEY_FILE", key_file.to_str().unwrap());
    let alice = secret("alice");
    let key = alice.lines().find(|line| line.starts_with("AGE-SECRET")).unwrap();
    let cases: [(&str, Vec<u8>); 10] = [
        ("wrong key", secret("bob").into_bytes()),
        ("empty", Vec::new()),
        ("nonsense", b"CANARY\n".to_vec()),
        ("half a key", key.as_bytes()[..40].to_vec()),
        ("lower case", key.to_lowercase().into_bytes()),
        ("indented", format!("  {key}\n").into_bytes()),
        ("one bad line", format!("{key}\nCANARY\n").into_bytes()),
        ("public key", ALICE.as_bytes().to_vec()),
        (
            "protected",
            b"-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n-----END AGE ENCRYPTED FILE-----\n".to_vec(),
        ),
        ("no text", b"\xff\xfe\0".to_vec()),
    ];
    for (what, content) in cases {
        fs::write(&key_file, content).unwrap();
        let output = refused(&sandbox, &["decrypt", "a.yaml"], b"")
            .exits(128)
            .says("SOPS_AGE_KEY_FILE");
        assert!(!output.stderr.contains(&key[20..40]), "{what}: a key on stderr");
    }
    fs::remove_file(&key_file).unwrap();
    refused(&sandbox, &["decrypt", "a.yaml"], b"")
        .exits(128)
        .says("SOPS_AGE_KEY_FILE");
    fs::create_dir(&key_file).unwrap();
    refused(&sandbox, &["decrypt", "a.yaml"], b"")
        .exits(128)
        .says("SOPS_AGE_KEY_FILE");
    for command in ["", "'", "false", "/no/such/program", "echo CANARY", "printf \\377"] {
        sandbox.set("SOPS_AGE_KEY_CMD", command);
        refused(&sandbox, &["decrypt", "a.yaml"], b"")
            .exits(128)
            .says("SOPS_AGE_KEY_CMD");
    }
}

/// Policies by which nothing can be sealed.
fn broken_policies() -> Vec<(&'static str, String)> {
    let key = secret("alice")
        .lines()
        .find(|line| line.starts_with("AGE-SECRET"))
        .unwrap()
        .to_owned();
    let rule = |age: &str| format!("creation_rules:\n  - path_regex: ''\n    age: {age}\n");
    vec![
        ("syntax", "creation_rules: [\n".to_owned()),
        ("no map", "CANARY\n".to_owned()),
        ("laughs", laughs()),
        ("deep", "[".repeat(100_000)),
        ("deep maps", "{a: ".repeat(100_000)),
        ("NUL", "creation_rules: \0\n".to_owned()),
        (
            "no rule",
            "creation_rules:\n  - path_regex: ^nowhere$\n    age: ".to_owned() + ALICE + "\n",
        ),
        ("rule without keys", "creation_rules:\n  - path_regex: ''\n".to_owned()),
        ("no recipient", rule("''")),
        ("malformed recipient", rule("age1nonsense")),
        ("half a recipient", rule(&ALICE[..40])),
        ("secret key", rule(&key)),
        (
            "regex",
            format!("creation_rules:\n  - path_regex: '('\n    age: {ALICE}\n"),
        ),
        (
            "two selections",
            rule(ALICE) + "    encrypted_regex: a\n    unencrypted_regex: b\n",
        ),
        ("selection's regex", rule(ALICE) + "    encrypted_regex: '('\n"),
        (
            "foreign key",
            "creation_rules:\n  - path_regex: ''\n    pgp: 85D77543B3D624B63CEA9E6DBC17301B491B3F21\n".to_owned(),
        ),
    ]
}

#[test]
fn a_policy_that_names_nobody_is_refused_and_touches_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("a.yaml", YAML);
    let secret_key = secret("alice");
    let secret_key = secret_key.lines().find(|line| line.starts_with("AGE-SECRET")).unwrap();
    refused(&sandbox, &["encrypt", "a.yaml"], b"")
        .exits(1)
        .says(".sops.yaml");
    for (what, policy) in broken_policies() {
        sandbox.write(".sops.yaml", &policy);
        let output = refused(&sandbox, &["encrypt", "a.yaml"], b"");
        assert!(
            [1, 8].contains(&output.code),
            "{what}: {} {}",
            output.code,
            output.stderr
        );
        refused(&sandbox, &["encrypt", "-i", "a.yaml"], b"");
        assert!(!output.stderr.contains(&secret_key[20..40]), "{what}: a key on stderr");
    }
}

#[test]
fn a_broken_policy_lets_git_work_on_what_is_sealed_already() {
    let sandbox = Sandbox::set_up();
    sandbox.write("secrets/a.yaml", YAML);
    sandbox.commit_all("sealed");
    for (what, policy) in broken_policies() {
        sandbox.write(".sops.yaml", &policy);
        sandbox.write("secrets/a.yaml", YAML.replace("5432", "5433"));
        for args in [&["status"][..], &["diff"], &["log", "-p"]] {
            sandbox.git(args).ok();
        }
        sandbox.write("secrets/new.yaml", YAML);
        let add = sandbox
            .git(&["add", "secrets/new.yaml"])
            .fails()
            .says("secrets/new.yaml");
        assert!(!add.stderr.contains("panicked"), "{what}: {}", add.stderr);
        assert_eq!(sandbox.git(&["ls-files", "secrets/new.yaml"]).ok().text(), "", "{what}");
        fs::remove_file(sandbox.repo.join("secrets/new.yaml")).unwrap();
        sandbox.git(&["checkout", "--quiet", "--force", "HEAD"]).ok();
        assert_eq!(sandbox.text("secrets/a.yaml"), YAML, "{what}");
    }
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}
