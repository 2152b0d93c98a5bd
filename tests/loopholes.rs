//! Ways around the gates that people find by accident or on purpose, each closed, and what the gates can't judge, which blocks too.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{ALICE, BOB, Sandbox};

const PLAIN: &str = "token: CANARY\n";
const FILE: &str = "secrets/app.yaml";

fn guarded() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.seal(&["install", "--guard-only"]).ok();
    sandbox.commit_all("set-up");
    sandbox
}

/// Commits in vain; HEAD and index stay.
#[track_caller]
fn refused(sandbox: &Sandbox, check: &str, path: &str) {
    let state = || (sandbox.oid("HEAD"), sandbox.git(&["ls-files", "--stage"]).ok().text());
    let before = state();
    sandbox.git(&["commit", "-m", "x"]).exits(1).says(check).says(path);
    assert_eq!(state(), before);
}

#[test]
fn a_plain_file_that_is_renamed_or_copied_into_a_rule() {
    let sandbox = guarded();
    sandbox.write("notes.yaml", PLAIN);
    sandbox.commit_all("not ruled");
    fs::create_dir(sandbox.repo.join("secrets")).unwrap();
    sandbox.git(&["mv", "notes.yaml", FILE]).ok();
    refused(&sandbox, "GS101", FILE);
    sandbox.git(&["reset", "--quiet", "--hard"]).ok();
    sandbox.write(FILE, PLAIN);
    sandbox.git(&["add", "."]).ok();
    refused(&sandbox, "GS101", FILE);
}

#[test]
fn a_link_that_becomes_a_file() {
    let sandbox = guarded();
    fs::create_dir(sandbox.repo.join("secrets")).unwrap();
    symlink("/nowhere", sandbox.repo.join(FILE)).unwrap();
    sandbox.commit_all("a link is no secret");
    fs::remove_file(sandbox.repo.join(FILE)).unwrap();
    sandbox.write(FILE, PLAIN);
    sandbox.git(&["add", "."]).ok();
    refused(&sandbox, "GS101", FILE);
}

#[test]
fn a_policy_that_is_removed_with_the_secret_added() {
    let sandbox = guarded();
    sandbox.git(&["rm", "--quiet", ".sops.yaml"]).ok();
    sandbox.write(FILE, PLAIN);
    sandbox.git(&["add", "."]).ok();
    refused(&sandbox, "GS106", FILE);
}

#[test]
fn a_check_that_is_turned_off_with_the_secret_added() {
    let sandbox = guarded();
    sandbox.write(".git-seal.yaml", "checks: {GS101: off, GS106: off}\n");
    sandbox.write(FILE, PLAIN);
    sandbox.git(&["add", "."]).ok();
    refused(&sandbox, "GS101", FILE);
    // In a change of its own, which others see, it counts.
    sandbox
        .git(&["commit", "--quiet", "-m", "off", "--", ".git-seal.yaml"])
        .ok();
    sandbox.git(&["commit", "--quiet", "-m", "x"]).ok();
    // But not within one push.
    sandbox.seal(&["verify", "HEAD~2..HEAD"]).exits(1);
    sandbox.seal(&["verify", "HEAD~1..HEAD"]).ok();
}

#[test]
fn the_check_of_the_policy_can_not_be_turned_off() {
    let sandbox = guarded();
    sandbox.write(".git-seal.yaml", "checks: {GS403: off}\n");
    sandbox.git(&["add", "."]).ok();
    refused(&sandbox, "GS403", ".git-seal.yaml");
    sandbox.git(&["commit", "--quiet", "--no-verify", "-m", "x"]).ok();
    sandbox.write(".sops.yaml", "creation_rules: [{path_regex: '('}]\n");
    sandbox.git(&["add", "."]).ok();
    refused(&sandbox, "GS403", ".sops.yaml");
}

#[test]
fn attributes_of_a_folder_that_take_the_filter_away() {
    let sandbox = Sandbox::set_up();
    sandbox.write(FILE, PLAIN);
    sandbox.commit_all("sealed");
    sandbox.write("secrets/.gitattributes", "app.yaml !filter\n");
    sandbox.git(&["add", "secrets/.gitattributes"]).ok();
    // Git reads it as it is stored, so it is never sealed.
    assert_eq!(sandbox.stored(":secrets/.gitattributes"), b"app.yaml !filter\n");
    refused(&sandbox, "GS401", FILE);
}

#[test]
fn files_that_git_and_sops_read_themselves_are_never_sealed() {
    let sandbox = Sandbox::set_up();
    let attributes = "*.bin -diff\n";
    sandbox.write("secrets/.gitattributes", attributes);
    sandbox.write("secrets/.sops.yaml", "creation_rules: []\n");
    sandbox.write(FILE, PLAIN);
    sandbox.commit_all("all of it");
    assert_eq!(sandbox.stored("HEAD:secrets/.gitattributes"), attributes.as_bytes());
    assert_eq!(sandbox.stored("HEAD:secrets/.sops.yaml"), b"creation_rules: []\n");
    let told = sandbox.seal(&["verify"]).ok().text();
    assert!(!told.contains("GS"), "{told}");
    sandbox.seal(&["doctor"]).ok();
    assert_eq!(sandbox.seal(&["status"]).ok().text().lines().count(), 1);
    let clone = sandbox.clone_to("clone", &[]);
    sandbox.seal_in(&clone, &["install"]).ok().says("1 file opened");
    sandbox.assert_clean_in(&clone);
    sandbox.seal_in(&clone, &["lock"]).ok();
    sandbox.assert_clean_in(&clone);
    sandbox.assert_no_leak_in(&clone);
}

#[test]
fn a_merge_that_brings_a_plain_file_in() {
    let sandbox = guarded();
    sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
    sandbox.write(FILE, PLAIN);
    sandbox.git(&["add", "."]).ok();
    sandbox.git(&["commit", "--quiet", "--no-verify", "-m", "leak"]).ok();
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.write("README", "x");
    sandbox.commit_all("ours");
    let head = sandbox.oid("HEAD");
    sandbox
        .git(&["merge", "--no-edit", "side"])
        .fails()
        .says("GS101")
        .says(FILE);
    assert_eq!(sandbox.oid("HEAD"), head);
    sandbox.git(&["merge", "--abort"]).ok();
    sandbox.assert_clean();
}

#[test]
fn a_merge_of_good_branches_is_not_held_up() {
    let sandbox = Sandbox::set_up();
    sandbox.write(FILE, PLAIN);
    sandbox.commit_all("base");
    sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
    sandbox.policy(&[("^secrets/", &format!("{ALICE},{BOB}"))]);
    sandbox.seal(&["updatekeys", FILE]).ok();
    sandbox.commit_all("bob too");
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.write("README", "x");
    sandbox.commit_all("ours");
    sandbox.git(&["merge", "--quiet", "--no-edit", "side"]).ok();
    sandbox.seal(&["verify", "--history"]).ok();
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn a_plain_file_beside_the_filter_in_a_clone_that_lost_it() {
    let sandbox = Sandbox::set_up();
    for section in ["filter.git-seal", "diff.git-seal", "merge.git-seal"] {
        sandbox.git(&["config", "--remove-section", section]).ok();
    }
    sandbox.write(FILE, PLAIN);
    sandbox.git(&["add", "."]).ok();
    refused(&sandbox, "GS101", FILE);
    sandbox.seal(&["doctor"]).exits(1).says("git seal install");
    sandbox.seal(&["install"]).ok();
    sandbox.git(&["add", "--renormalize", "."]).ok();
    sandbox.seal(&["encrypt", "-i", FILE]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "x"]).ok();
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    sandbox.assert_clean();
}

#[test]
fn a_key_in_a_name_a_commit_only_touches_or_a_large_line() {
    let sandbox = guarded();
    let all = crate::support::secret("bob");
    let key = all.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    sandbox.write(key, "x");
    sandbox.git(&["add", "."]).ok();
    let told = sandbox.git(&["commit", "-m", "x"]).exits(1).says("GS201");
    assert!(!told.stderr.contains(key));
    sandbox.git(&["reset", "--quiet", "--hard"]).ok();
    fs::remove_file(sandbox.repo.join(key)).ok();
    sandbox.write("long", format!("{}{key}{}", "x".repeat(1 << 20), " ".repeat(1 << 20)));
    sandbox.git(&["add", "."]).ok();
    refused(&sandbox, "GS201", "long");
    sandbox.write("long", format!("{} {key}{}", "x".repeat(1 << 20), " ".repeat(1 << 20)));
    sandbox.git(&["add", "."]).ok();
    refused(&sandbox, "GS201", "long");
}

#[test]
fn what_is_torn_or_can_not_be_looked_at_blocks_too() {
    let sandbox = guarded();
    sandbox.write(
        "secrets/.env",
        "A=ENC[AES256_GCM,data:QUJD,iv:QUJD,tag:QUJD,type:str]\nsops_version=3.9.0\nsops_mac=ENC[AES256_GCM,data:QUJD,iv:QUJD,tag:QUJD,type:str]\n",
    );
    sandbox.git(&["add", "."]).ok();
    let head = sandbox.oid("HEAD");
    sandbox
        .git(&["commit", "-m", "x"])
        .exits(1)
        .says("GS103")
        .says("secrets/.env");
    assert_eq!(sandbox.oid("HEAD"), head);
    sandbox.seal(&["hook", "pre-commit"]).exits(1);
    sandbox.seal(&["verify", "--staged"]).exits(1);
    for (name, input) in [
        ("no-such-hook", &b""[..]),
        ("pre-push", b"refs/heads/main 123\n"),
        ("pre-push", b"refs/heads/main 1111111111111111111111111111111111111111 refs/heads/main 0000000000000000000000000000000000000000\n"),
        ("pre-receive", b"\xff\xff\n"),
    ] {
        let told = sandbox.run_in(&sandbox.repo, "git-seal", &["hook", name, "origin", "url"], input);
        let told = told.exits(2);
        assert!(!told.stderr.contains("panicked"), "{}", told.stderr);
    }
    sandbox
        .run_in(&sandbox.home(), "git-seal", &["hook", "pre-commit"], b"")
        .exits(2);
}

#[test]
fn a_missing_object_is_not_taken_for_a_good_one() {
    let sandbox = guarded();
    sandbox.write(FILE, PLAIN);
    sandbox.git(&["add", "."]).ok();
    let oid = sandbox.oid(":secrets/app.yaml");
    fs::remove_file(sandbox.repo.join(format!(".git/objects/{}/{}", &oid[..2], &oid[2..]))).unwrap();
    sandbox.seal(&["hook", "pre-commit"]).exits(2).says(FILE);
}

#[test]
fn another_clone_pushed_meanwhile() {
    let sandbox = guarded();
    let remote = sandbox.root().join("remote.git");
    let url = remote.to_str().unwrap();
    sandbox
        .git(&["init", "--quiet", "--bare", "--initial-branch=main", url])
        .ok();
    sandbox.git(&["remote", "add", "origin", url]).ok();
    sandbox.git(&["push", "--quiet", "origin", "main"]).ok();
    let clone = sandbox.root().join("clone");
    sandbox.git(&["clone", "--quiet", url, clone.to_str().unwrap()]).ok();
    fs::write(clone.join("README"), "theirs").unwrap();
    sandbox.git_in(&clone, &["add", "."]).ok();
    sandbox.git_in(&clone, &["commit", "--quiet", "-m", "theirs"]).ok();
    sandbox.git_in(&clone, &["push", "--quiet", "origin", "main"]).ok();
    // The other side's tip was never fetched here.
    sandbox.write("README", "ours");
    sandbox.commit_all("ours");
    sandbox
        .git(&["push", "--quiet", "origin", "main"])
        .fails()
        .says("fetch first");
    sandbox.git(&["push", "--quiet", "--force", "origin", "main"]).ok();
    sandbox.write(FILE, PLAIN);
    sandbox.git(&["add", "."]).ok();
    sandbox.git(&["commit", "--quiet", "--no-verify", "-m", "leak"]).ok();
    sandbox
        .git(&["push", "--force", "origin", "main"])
        .fails()
        .says("GS101");
}

#[test]
fn every_command_works_below_the_top() {
    let sandbox = Sandbox::set_up();
    sandbox.write(
        ".gitattributes",
        "/secrets/** filter=git-seal diff=git-seal merge=git-seal -text\n",
    );
    sandbox.write(FILE, PLAIN);
    sandbox.write("other/deep/x", "x");
    sandbox.commit_all("x");
    let top = sandbox.seal(&["status"]).ok().text();
    assert!(top.contains(FILE), "{top}");
    for folder in ["secrets", "other/deep"] {
        let folder = sandbox.repo.join(folder);
        assert_eq!(sandbox.seal_in(&folder, &["status"]).ok().text(), top);
        for args in [
            &["doctor"][..],
            &["verify"],
            &["verify", "--staged"],
            &["verify", "--worktree"],
            &["verify", "--history"],
            &["install"],
        ] {
            sandbox.seal_in(&folder, args).ok();
        }
        sandbox.seal_in(&folder, &["lock"]).ok();
        assert_eq!(sandbox.read(FILE), sandbox.stored("HEAD:secrets/app.yaml"));
        sandbox.seal_in(&folder, &["unlock"]).ok();
        assert_eq!(sandbox.text(FILE), PLAIN);
        sandbox.seal_in(&folder, &["uninstall"]).ok();
        assert_eq!(sandbox.read(FILE), sandbox.stored("HEAD:secrets/app.yaml"));
        sandbox.seal_in(&folder, &["install"]).ok();
        assert_eq!(sandbox.text(FILE), PLAIN);
        sandbox.assert_clean();
    }
    sandbox
        .seal_in(&sandbox.repo.join("secrets"), &["updatekeys", "app.yaml"])
        .ok();
    sandbox.assert_no_leak();
}
