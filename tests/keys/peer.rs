//! The same keys with SOPS and age themselves.

use std::fs;

use super::{MIRROR, YAML, give, protected, seal_for, starts, with_plugin};

#[test]
#[ignore = "needs sops"]
fn sops_and_we_use_the_same_plugin() {
    let sandbox = with_plugin();
    let sops = |args: &[&str]| sandbox.run_in(&sandbox.repo, "sops", args, b"");
    seal_for(&sandbox, &[MIRROR]);
    assert_eq!(
        sops(&["--disable-version-check", "decrypt", "a.yaml"]).ok().text(),
        YAML
    );
    sandbox.write("b.yaml", YAML);
    sops(&["--disable-version-check", "encrypt", "-i", "--age", MIRROR, "b.yaml"]).ok();
    assert_eq!(sandbox.seal(&["decrypt", "b.yaml"]).ok().silent().text(), YAML);
    let both = ["recipient-v1", "identity-v1", "recipient-v1", "identity-v1"];
    assert_eq!(starts(&sandbox), both);
}

#[test]
#[ignore = "needs sops and age-plugin-batchpass"]
fn a_plugin_of_age_itself_opens() {
    let mut sandbox = with_plugin();
    sandbox.set("AGE_PASSPHRASE", "horse battery");
    sandbox.set("AGE_PASSPHRASE_WORK_FACTOR", "10");
    let identity = "AGE-PLUGIN-BATCHPASS-1JCS0Q9";
    seal_for(&sandbox, &[MIRROR]);
    let sealed = sandbox.text("a.yaml");
    // The data key as it is, sealed for the plugin instead.
    let begin = sealed.find("-----BEGIN AGE").unwrap();
    let end = sealed.find("-----END AGE ENCRYPTED FILE-----").unwrap() + "-----END AGE ENCRYPTED FILE-----".len();
    let ours: String = sealed[begin..end]
        .lines()
        .map(|line| format!("{}\n", line.trim()))
        .collect();
    fs::write(sandbox.root().join("ours.age"), ours).unwrap();
    let key = sandbox.root().join("mirror.txt");
    fs::write(&key, format!("{}\n", super::MIRROR_IDENTITY)).unwrap();
    let age = |args: &[&str], input: &[u8]| sandbox.run_in(sandbox.root(), "age", args, input).ok().stdout;
    let data_key = age(&["-d", "-i", key.to_str().unwrap(), "ours.age"], b"");
    let theirs = String::from_utf8(age(&["-e", "-a", "-j", "batchpass"], &data_key)).unwrap();
    let indent = sealed[..begin].lines().last().unwrap().len();
    let theirs = theirs.trim_end().replace('\n', &format!("\n{}", " ".repeat(indent)));
    sandbox.write("a.yaml", format!("{}{theirs}{}", &sealed[..begin], &sealed[end..]));
    give(&sandbox, &format!("{identity}\n"));
    assert_eq!(sandbox.seal(&["decrypt", "a.yaml"]).ok().silent().text(), YAML);
    sandbox.set("AGE_PASSPHRASE", "wrong");
    sandbox.seal(&["decrypt", "a.yaml"]).exits(128);
}

#[test]
#[ignore = "needs age"]
fn age_opens_what_a_new_hybrid_key_is_sealed_for() {
    let sandbox = with_plugin();
    sandbox.seal(&["keygen", "--pq", "-o", "pq.txt"]).ok();
    let public = sandbox
        .run_in(&sandbox.repo, "age-keygen", &["-y", "pq.txt"], b"")
        .ok()
        .text();
    assert_eq!(sandbox.seal(&["keygen", "-y", "pq.txt"]).ok().text(), public);
    let sealed = sandbox
        .run_in(&sandbox.repo, "age", &["-r", public.trim()], b"x")
        .ok()
        .stdout;
    assert_eq!(
        sandbox
            .run_in(&sandbox.repo, "age", &["-d", "-i", "pq.txt"], &sealed)
            .ok()
            .text(),
        "x"
    );
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs sops"]
fn sops_asks_for_the_same_passphrase() {
    let sandbox = with_plugin();
    let (file, recipient, _) = protected();
    seal_for(&sandbox, &[&recipient]);
    give(&sandbox, &file);
    let line = "sops --disable-version-check decrypt a.yaml";
    let typed = super::typed::at_terminal(&sandbox, line, &[("Enter passphrase for identity", "passphrase\n")]);
    assert!(typed.shown.contains("a: CANARY") && typed.code == 0, "{}", typed.shown);
}
