//! The scenarios of everyday Git on sealed files, by their numbers: basics (S01–S14) and failures (S15–S24).

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::thread::sleep;
use std::time::Duration;

use crate::support::{ALICE, BOB, CANARY, Sandbox, contains};

const YAML: &str = "\
# settings of the CANARY service
db:
  host: db.CANARY.example   # inline CANARY
  password: 'CANARY-1'

ports: [8080, 9090]
tls:
  key: |
    -----BEGIN CANARY-----
    abc
    -----END CANARY-----
";

/// A sandbox with one sealed and committed file.
fn committed() -> Sandbox {
    let sandbox = Sandbox::set_up();
    sandbox.write("secrets/app.yaml", YAML);
    sandbox.commit_all("a secret");
    sandbox
}

#[test]
fn s01_a_new_file_is_sealed_on_add_and_left_alone_in_the_work_tree() {
    let sandbox = Sandbox::set_up();
    sandbox.write("secrets/app.yaml", YAML);
    sandbox.git(&["add", "secrets/app.yaml"]).ok().silent();
    sandbox.assert_sealed(":secrets/app.yaml");
    assert_eq!(sandbox.text("secrets/app.yaml"), YAML);
    assert_eq!(
        sandbox.git(&["status", "--porcelain"]).ok().text(),
        "A  secrets/app.yaml\n"
    );
    sandbox.git(&["commit", "--quiet", "-m", "x"]).ok();
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn s02_a_clone_with_a_global_driver_and_a_key_is_open_and_clean() {
    let sandbox = committed();
    sandbox.seal(&["install", "--global"]).ok();
    let clone = sandbox.clone_to("clone", &[]);
    assert_eq!(fs::read_to_string(clone.join("secrets/app.yaml")).unwrap(), YAML);
    sandbox.assert_clean_in(&clone);
    sandbox.assert_no_leak_in(&clone);
}

#[test]
fn s03_a_clone_without_driver_is_sealed_and_clean_and_opened_by_unlock() {
    let sandbox = committed();
    let clone = sandbox.clone_to("clone", &[]);
    assert!(contains(
        &fs::read(clone.join("secrets/app.yaml")).unwrap(),
        b"ENC[AES256_GCM,"
    ));
    sandbox.assert_clean_in(&clone);
    fs::write(clone.join("notes.txt"), "untracked").unwrap();
    sandbox.seal_in(&clone, &["unlock"]).ok();
    assert_eq!(fs::read_to_string(clone.join("secrets/app.yaml")).unwrap(), YAML);
    assert_eq!(fs::read_to_string(clone.join("notes.txt")).unwrap(), "untracked");
    fs::remove_file(clone.join("notes.txt")).unwrap();
    sandbox.assert_clean_in(&clone);
    sandbox.assert_no_leak_in(&clone);
}

#[test]
fn s04_a_fresh_checkout_is_clean_at_once_and_writes_no_blob() {
    let sandbox = committed();
    let objects = || sandbox.git(&["count-objects", "-v"]).ok().text();
    fs::remove_file(sandbox.repo.join("secrets/app.yaml")).unwrap();
    sandbox.git(&["checkout", "--", "."]).ok();
    let before = objects();
    for _ in 0..2 {
        assert_eq!(sandbox.git(&["status", "--porcelain"]).ok().silent().text(), "");
    }
    assert_eq!(objects(), before);
    sandbox.assert_no_leak();
}

#[test]
fn s05_touched_files_are_unchanged_files() {
    let sandbox = committed();
    crate::support::touch_all(&sandbox.repo);
    assert_eq!(sandbox.git(&["status", "--porcelain"]).ok().text(), "");
    crate::support::touch_all(&sandbox.repo);
    let stash = sandbox.git(&["stash"]).ok();
    assert!(stash.text().contains("No local changes to save"), "{}", stash.text());
    sleep(Duration::from_millis(1100));
    sandbox.assert_clean();
}

#[test]
fn s06_one_changed_value_changes_that_value_and_the_proof_and_no_more() {
    let sandbox = committed();
    let before = String::from_utf8(sandbox.stored("HEAD:secrets/app.yaml")).unwrap();
    sandbox.write("secrets/app.yaml", YAML.replace("CANARY-1", "CANARY-2"));
    sandbox.git(&["add", "."]).ok();
    let after = String::from_utf8(sandbox.stored(":secrets/app.yaml")).unwrap();
    let changed: Vec<&str> = before
        .lines()
        .zip(after.lines())
        .filter(|(old, new)| old != new)
        .map(|(_, new)| new.trim_start())
        .collect();
    assert_eq!(before.lines().count(), after.lines().count());
    let starts: Vec<&str> = changed.iter().map(|line| line.split(':').next().unwrap()).collect();
    // The time changes too, unless both commits fell into one second.
    assert!(
        starts == ["password", "mac"] || starts == ["password", "lastmodified", "mac"],
        "{changed:?}"
    );
    sandbox.assert_no_leak();
}

#[test]
fn s06b_a_changed_layout_leaves_every_sealed_value_and_the_proof() {
    let sandbox = committed();
    let before = String::from_utf8(sandbox.stored("HEAD:secrets/app.yaml")).unwrap();
    sandbox.write("secrets/app.yaml", YAML.replace("\nports:", "\n\n\nports:"));
    sandbox.git(&["add", "."]).ok();
    let after = String::from_utf8(sandbox.stored(":secrets/app.yaml")).unwrap();
    assert_ne!(before, after);
    let solid = |text: &str| {
        text.lines()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(solid(&before), solid(&after));
}

#[test]
fn s07_cleaning_a_change_again_and_again_gives_one_object() {
    let sandbox = committed();
    sandbox.write("secrets/app.yaml", YAML.replace("CANARY-1", "CANARY-2"));
    sandbox.write("secrets/new.json", "{\"token\": \"CANARY\"}");
    for path in ["secrets/app.yaml", "secrets/new.json"] {
        let hash = || sandbox.git(&["hash-object", path]).ok().text();
        let first = hash();
        sandbox.git(&["status"]).ok();
        sandbox.git(&["diff"]).ok();
        sleep(Duration::from_millis(1100));
        assert_eq!(hash(), first, "{path}");
        sandbox.git(&["add", path]).ok();
        assert_eq!(format!("{}\n", sandbox.oid(&format!(":{path}"))), first, "{path}");
        crate::support::touch_all(&sandbox.repo);
        sandbox.git(&["add", path]).ok();
        assert_eq!(hash(), first, "{path}");
    }
    sandbox.assert_no_leak();
}

#[test]
fn s08_a_commit_of_one_path_leaves_a_clean_tree() {
    for options in [
        &["--", "secrets/app.yaml"][..],
        &["-i", "secrets/app.yaml"],
        &["-o", "secrets/app.yaml"],
    ] {
        let sandbox = committed();
        sandbox.write("secrets/app.yaml", YAML.replace("CANARY-1", "CANARY-2"));
        let mut args = vec!["commit", "--quiet", "-m", "x"];
        args.extend(options);
        sandbox.git(&args).ok();
        sandbox.assert_clean();
        assert_eq!(sandbox.oid(":secrets/app.yaml"), sandbox.oid("HEAD:secrets/app.yaml"));
        sandbox.assert_no_leak();
    }
    let sandbox = committed();
    sandbox.write("secrets/new.yaml", "token: CANARY\n");
    sandbox.git(&["add", "-N", "secrets/new.yaml"]).ok();
    sandbox
        .git(&["commit", "--quiet", "-m", "x", "--", "secrets/new.yaml"])
        .ok();
    sandbox.assert_clean();
    sandbox.assert_sealed("HEAD:secrets/new.yaml");
    sandbox.assert_no_leak();
}

#[test]
fn s09_a_change_taken_back_by_hand_is_no_change() {
    let sandbox = committed();
    let head = sandbox.oid("HEAD:secrets/app.yaml");
    sandbox.write("secrets/app.yaml", YAML.replace("CANARY-1", "CANARY-2"));
    sandbox.git(&["add", "."]).ok();
    assert_ne!(sandbox.oid(":secrets/app.yaml"), head);
    sandbox.write("secrets/app.yaml", YAML);
    sandbox.git(&["add", "."]).ok();
    assert_eq!(sandbox.oid(":secrets/app.yaml"), head);
    sandbox.assert_clean();
}

#[test]
fn s10_an_empty_file_stays_empty() {
    let sandbox = committed();
    for path in ["secrets/empty.yaml", "secrets/empty.json", "secrets/empty"] {
        sandbox.write(path, "");
    }
    sandbox.commit_all("empty");
    for path in ["secrets/empty.yaml", "secrets/empty.json", "secrets/empty"] {
        assert_eq!(sandbox.stored(&format!("HEAD:{path}")), b"");
    }
    sandbox.write("secrets/app.yaml", "");
    sandbox.commit_all("emptied");
    assert_eq!(sandbox.stored("HEAD:secrets/app.yaml"), b"");
    sandbox.write("secrets/app.yaml", YAML);
    sandbox.commit_all("filled");
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    sandbox.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    assert_eq!(sandbox.text("secrets/app.yaml"), "");
    sandbox.assert_clean();
    sandbox.git(&["rebase", "--quiet", "HEAD~1"]).ok();
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    assert_eq!(sandbox.text("secrets/app.yaml"), YAML);
    sandbox.assert_no_leak();
}

#[test]
fn s11_every_content_comes_back_byte_for_byte() {
    let sandbox = committed();
    sandbox.seal(&["install", "--global"]).ok();
    let long = |length: usize| "CANARY-".bytes().cycle().take(length).collect::<Vec<u8>>();
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("no-newline.yaml", b"a: CANARY".to_vec()),
        ("crlf.yaml", b"a: CANARY\r\nb:\r\n  - x\r\n".to_vec()),
        ("bom.yaml", b"\xef\xbb\xbfa: CANARY\n".to_vec()),
        ("no-newline.json", b"{\"a\":\"CANARY\"}".to_vec()),
        (
            "odd.json",
            b"\n {\"a\" :\r\n[1,2.50 , \"CANARY\\u0041\"] ,\"b\":{}}\n\n".to_vec(),
        ),
        ("nul.bin", b"CANARY\0\xff\xfe\0".to_vec()),
        ("large.bin", long(5 << 20)),
        ("packet-1.bin", long(65_515)),
        ("packet.bin", long(65_516)),
        ("packet+1.bin", long(65_517)),
        ("crlf.txt", b"CANARY\r\nx".to_vec()),
    ];
    for (name, content) in &files {
        sandbox.write(format!("secrets/{name}"), content);
    }
    sandbox.git(&["add", "--all"]).ok().silent();
    sandbox.git(&["commit", "--quiet", "-m", "contents"]).ok();
    let clone = sandbox.clone_to("clone", &[]);
    for (name, content) in &files {
        sandbox.assert_sealed(&format!("HEAD:secrets/{name}"));
        assert!(
            fs::read(clone.join("secrets").join(name)).unwrap() == *content,
            "{name} came back changed"
        );
    }
    sandbox.assert_clean_in(&clone);
    sandbox.assert_no_leak_in(&clone);
}

#[test]
fn s12_odd_names_are_sealed_and_opened() {
    let sandbox = committed();
    sandbox.seal(&["install", "--global"]).ok();
    let names: Vec<&[u8]> = vec![
        b"a b.yaml",
        b"it's.yaml",
        b"\"quoted\".yaml",
        b"a=b.yaml",
        b"new\nline.yaml",
        b"not-utf8-\xff.yaml",
        b"-leading.yaml",
        b"back\\slash.yaml",
        b"percent%f.yaml",
    ];
    let path = |name: &[u8]| std::path::Path::new("secrets").join(std::ffi::OsStr::from_bytes(name));
    for name in &names {
        sandbox.write(path(name), "token: CANARY\n");
    }
    sandbox.commit_all("odd names");
    let clone = sandbox.clone_to("clone", &[]);
    for name in &names {
        assert_eq!(
            fs::read(clone.join(path(name))).unwrap(),
            b"token: CANARY\n",
            "{name:?}"
        );
    }
    sandbox.assert_clean_in(&clone);
    sandbox.seal_in(&clone, &["verify"]).ok();
    sandbox.assert_no_leak_in(&clone);
}

#[test]
fn s13_symlinks_and_submodules_are_left_alone() {
    let sandbox = committed();
    std::os::unix::fs::symlink("app.yaml", sandbox.repo.join("secrets/link.yaml")).unwrap();
    let other = Sandbox::new();
    other.write("x", "y");
    other.commit_all("x");
    let url = other.repo.to_str().unwrap();
    sandbox
        .git(&[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "add",
            "--quiet",
            url,
            "secrets/module",
        ])
        .ok();
    sandbox.commit_all("link and module");
    assert_eq!(sandbox.stored("HEAD:secrets/link.yaml"), b"app.yaml");
    let tree = sandbox.git(&["ls-tree", "HEAD", "secrets/"]).ok().text();
    assert!(tree.contains("160000 commit") && tree.contains("120000 blob"), "{tree}");
    assert_eq!(sandbox.git(&["status", "--porcelain"]).ok().text(), "");
    sandbox.seal(&["verify"]).ok();
}

#[test]
fn s14_layout_survives_a_clone_byte_for_byte() {
    let text = "\
%YAML 1.1
---
# head CANARY

base: &base   {a: 'CANARY', \"b\": \"x\\u00e9\\ty\"}
copy: *base
merged:
    <<: *base
    more: 0x1F # hex
list:
- CANARY
-   - 1_000
    - 017
    # in a list
    - yes
folded: >-
    CANARY folded
    text

    more
plain: CANARY over
  two lines
date: 2001-12-14
empty:
nothing: ~
tagged: !!str 5
'quoted key': \"\"
...
---
second: |+
  keep

";
    let sandbox = committed();
    sandbox.seal(&["install", "--global"]).ok();
    sandbox.write("secrets/layout.yaml", text);
    sandbox.git(&["add", "--all"]).ok().silent();
    sandbox.git(&["commit", "--quiet", "-m", "layout"]).ok();
    sandbox.assert_sealed("HEAD:secrets/layout.yaml");
    let clone = sandbox.clone_to("clone", &[]);
    assert_eq!(fs::read_to_string(clone.join("secrets/layout.yaml")).unwrap(), text);
    sandbox.assert_clean_in(&clone);
    sandbox.assert_no_leak_in(&clone);
}

#[test]
fn s15_broken_yaml_breaks_nothing_but_its_own_commit() {
    let sandbox = committed();
    sandbox.git(&["branch", "other"]).ok();
    let broken = "db:\n  password: [CANARY\nx: }\n";
    sandbox.write("secrets/app.yaml", broken);
    sandbox.git(&["status"]).ok();
    sandbox.git(&["diff"]).ok();
    sandbox.git(&["stash"]).ok();
    assert_eq!(sandbox.text("secrets/app.yaml"), YAML);
    sandbox.git(&["stash", "pop"]).ok();
    assert_eq!(sandbox.text("secrets/app.yaml"), broken);
    sandbox.git(&["checkout", "--quiet", "other"]).ok();
    assert_eq!(sandbox.text("secrets/app.yaml"), broken);
    sandbox.git(&["add", "secrets/app.yaml"]).ok().says("secrets/app.yaml");
    sandbox
        .git(&["commit", "-m", "x"])
        .fails()
        .says("secrets/app.yaml")
        .says("GS104");
    assert_eq!(sandbox.text("secrets/app.yaml"), broken);
    sandbox.write("secrets/app.yaml", YAML);
    sandbox.git(&["add", "secrets/app.yaml"]).ok();
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn s16_a_filtered_path_without_rule_is_refused() {
    let sandbox = Sandbox::set_up();
    sandbox.write(
        ".gitattributes",
        "vault/** filter=git-seal diff=git-seal merge=git-seal -text\n",
    );
    sandbox.write("vault/x.yaml", "token: CANARY\n");
    let refused = sandbox.git(&["add", "vault/x.yaml"]).fails();
    refused.says("vault/x.yaml").says(".sops.yaml");
    assert_eq!(sandbox.git(&["ls-files", "vault"]).ok().text(), "");
    sandbox.assert_no_leak();
}

#[test]
fn s17_without_a_key_git_goes_on_and_sealed_files_stay_sealed() {
    let sandbox = committed();
    sandbox.seal(&["install", "--global"]).ok();
    sandbox.write("README", "one\n");
    sandbox.commit_all("readme");
    sandbox.git(&["checkout", "--quiet", "-b", "side", "HEAD~1"]).ok();
    sandbox.write("other", "two\n");
    sandbox.write("secrets/b.yaml", "token: CANARY\n");
    sandbox.commit_all("side");
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.take_keys();

    let folder = sandbox.root().join("clone");
    let clone = sandbox.git(&["clone", "--quiet", ".", folder.to_str().unwrap()]).ok();
    assert_eq!(
        clone
            .stderr
            .lines()
            .filter(|line| line.contains("stays sealed"))
            .count(),
        1,
        "{}",
        clone.stderr
    );
    assert!(contains(&fs::read(folder.join("secrets/app.yaml")).unwrap(), b"ENC["));
    sandbox.assert_clean_in(&folder);
    sandbox.git_in(&folder, &["checkout", "--quiet", "side"]).ok();
    sandbox.assert_clean_in(&folder);
    sandbox.git_in(&folder, &["rebase", "--quiet", "main"]).ok();
    sandbox.git_in(&folder, &["checkout", "--quiet", "main"]).ok();
    sandbox
        .git_in(&folder, &["merge", "--quiet", "side", "-m", "merge"])
        .ok();
    assert!(contains(&fs::read(folder.join("secrets/b.yaml")).unwrap(), b"ENC["));
    sandbox.assert_clean_in(&folder);
    sandbox.assert_no_leak_in(&folder);
}

#[test]
fn s18_a_key_opens_what_it_opens() {
    let sandbox = Sandbox::set_up();
    sandbox.policy(&[("^secrets/bob", BOB), ("^secrets/", ALICE)]);
    sandbox.write("secrets/alice.yaml", "token: CANARY\n");
    sandbox.write("secrets/bob.yaml", "token: CANARY\n");
    sandbox.commit_all("two");
    sandbox.seal(&["install", "--global"]).ok();
    let clone = sandbox.clone_to("clone", &[]);
    assert_eq!(
        fs::read_to_string(clone.join("secrets/alice.yaml")).unwrap(),
        "token: CANARY\n"
    );
    assert!(contains(&fs::read(clone.join("secrets/bob.yaml")).unwrap(), b"ENC["));
    sandbox.assert_clean_in(&clone);
    sandbox.assert_no_leak_in(&clone);
}

#[test]
fn s19_a_damaged_blob_is_checked_out_sealed_and_found_by_verify() {
    let sandbox = committed();
    let good = String::from_utf8(sandbox.stored("HEAD:secrets/app.yaml")).unwrap();
    // A value of another key in its place: each is genuine by itself, the file is not.
    let line = |key: &str| {
        good.lines()
            .find(|line| line.trim_start().starts_with(key))
            .unwrap()
            .to_owned()
    };
    let damaged = good.replace(&format!("{}\n", line("host:")), "");
    assert_ne!(good, damaged);
    let oid = sandbox
        .run_in(
            &sandbox.repo,
            "git",
            &["hash-object", "-w", "--stdin"],
            damaged.as_bytes(),
        )
        .ok()
        .text();
    let entry = format!("100644,{},secrets/app.yaml", oid.trim());
    sandbox.git(&["update-index", "--cacheinfo", &entry]).ok();
    sandbox.git(&["commit", "--quiet", "--no-verify", "-m", "damaged"]).ok();
    sandbox.git(&["checkout", "--quiet", "--force", "HEAD~1"]).ok();
    let checkout = sandbox.git(&["checkout", "--quiet", "main"]).ok().says("damaged");
    assert!(!checkout.stderr.contains("fatal"));
    assert_eq!(sandbox.text("secrets/app.yaml"), damaged);
    sandbox.assert_clean();
    sandbox.seal(&["verify"]).exits(1);
    sandbox.assert_no_leak();
}

#[test]
fn s20_a_killed_filter_is_repaired_by_a_checkout() {
    let sandbox = committed();
    for number in 0..20 {
        sandbox.write(format!("secrets/{number}.yaml"), format!("token: CANARY-{number}\n"));
    }
    sandbox.commit_all("many");
    let wrapper = sandbox.root().join("dies");
    fs::write(
        &wrapper,
        "#!/bin/sh\ndd bs=1 count=6000 2>/dev/null | git-seal filter-process\nkill -9 $$\n",
    )
    .unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_dir_all(sandbox.repo.join("secrets")).unwrap();
    let setting = format!("filter.git-seal.process={}", wrapper.display());
    sandbox.git(&["-c", &setting, "checkout", "--", "secrets"]).fails();
    sandbox.git(&["checkout", "--force", "HEAD"]).ok();
    assert_eq!(sandbox.text("secrets/19.yaml"), "token: CANARY-19\n");
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn s21_a_missing_program_stops_sealed_paths_and_no_others() {
    let sandbox = committed();
    sandbox
        .git(&["config", "filter.git-seal.process", "exec git-seal-gone filter-process"])
        .ok();
    // Racy entries are looked at by every command: let the clock move on.
    sleep(Duration::from_millis(1100));
    sandbox
        .git(&[
            "-c",
            "filter.git-seal.process=git-seal filter-process",
            "update-index",
            "--refresh",
        ])
        .ok();
    sandbox.write("secrets/new.yaml", "token: CANARY\n");
    sandbox.git(&["add", "secrets/new.yaml"]).fails().says("git-seal-gone");
    sandbox.write("plain.txt", "x");
    sandbox.git(&["add", "plain.txt"]).ok();
    sandbox.seal(&["doctor"]).exits(1).says("git-seal-gone");
    sandbox.assert_no_leak();
}

#[test]
fn s22_doctor_names_a_filter_that_cannot_talk() {
    let sandbox = committed();
    sandbox.seal(&["doctor"]).ok();
    sandbox.git(&["config", "filter.git-seal.process", ""]).ok();
    sandbox
        .seal(&["doctor"])
        .exits(1)
        .says("filter.git-seal.process is empty");
    sandbox
        .git(&[
            "config",
            "filter.git-seal.process",
            "echo hello; exec git-seal filter-process",
        ])
        .ok();
    sandbox.seal(&["doctor"]).exits(1).says("protocol");
}

#[test]
fn s23_cached_textconv_is_refused() {
    let sandbox = committed();
    sandbox.write("secrets/app.yaml", YAML.replace("CANARY-1", "CANARY-2"));
    sandbox.commit_all("changed");
    sandbox.git(&["config", "diff.git-seal.cachetextconv", "true"]).ok();
    sandbox.git(&["log", "-p"]).fails().says("cachetextconv");
    sandbox.seal(&["doctor"]).exits(1).says("cachetextconv");
    sandbox
        .git(&["rev-parse", "--verify", "--quiet", "refs/notes/textconv/git-seal"])
        .fails();
    sandbox.assert_no_leak();
}

#[test]
fn s24_plain_text_in_history_blocks_nobody_and_is_found_and_mended() {
    let sandbox = Sandbox::new();
    let text = "token: CANARY\n";
    sandbox.write("secrets/old.yaml", text);
    sandbox.commit_all("leak");
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.write(
        ".gitattributes",
        "secrets/** filter=git-seal diff=git-seal merge=git-seal -text\n",
    );
    sandbox.git(&["add", ".sops.yaml", ".gitattributes"]).ok();
    sandbox.git(&["commit", "--quiet", "--no-verify", "-m", "set-up"]).ok();
    sandbox.seal(&["install"]).ok();
    sandbox.assert_clean();
    sandbox.git(&["stash"]).ok();
    sandbox.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.seal(&["verify"]).exits(1);
    sandbox.seal(&["encrypt", "--in-place", "secrets/old.yaml"]).ok();
    assert_eq!(sandbox.text("secrets/old.yaml"), text);
    sandbox.assert_sealed(":secrets/old.yaml");
    sandbox.git(&["commit", "--quiet", "-m", "sealed"]).ok();
    sandbox.seal(&["verify"]).ok();
    sandbox.assert_clean();
    let _ = CANARY;
}
