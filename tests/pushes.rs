//! The gates at both ends of a push: what `--no-verify` let into a clone does not leave it, and a server takes nothing of it in.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::{ALICE, Output, Sandbox, contains};

const PLAIN: &str = "token: CANARY\n";
const FILE: &str = "secrets/app.yaml";

/// A set-up repository with a bare remote that has its first commit.
fn with_remote() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::set_up();
    let remote = sandbox.root().join("remote.git");
    sandbox
        .git(&[
            "init",
            "--quiet",
            "--bare",
            "--initial-branch=main",
            remote.to_str().unwrap(),
        ])
        .ok();
    sandbox.git(&["remote", "add", "origin", remote.to_str().unwrap()]).ok();
    sandbox.git(&["push", "--quiet", "-u", "origin", "main"]).ok();
    (sandbox, remote)
}

fn refs(sandbox: &Sandbox, folder: &Path) -> String {
    sandbox.git_in(folder, &["for-each-ref"]).ok().text()
}

/// Commits a plain file past filter and hook.
fn leak(sandbox: &Sandbox, path: &str) {
    sandbox.write(path, PLAIN);
    let no_filter = ["-c", "filter.git-seal.process=", "-c", "filter.git-seal.clean=", "-c"];
    let mut args = no_filter.to_vec();
    args.extend(["filter.git-seal.required=false", "add", path]);
    sandbox.git(&args).ok();
    sandbox
        .git(&["commit", "--quiet", "--no-verify", "-m", "leak", "--", path])
        .ok();
    assert_eq!(sandbox.stored(&format!("HEAD:{path}")), PLAIN.as_bytes());
}

/// Pushes in vain: neither end changes.
#[track_caller]
fn refused(sandbox: &Sandbox, remote: &Path, push: &[&str]) -> Output {
    let (here, there) = (refs(sandbox, &sandbox.repo), refs(sandbox, remote));
    let mut args = vec!["push", "--quiet", "origin"];
    args.extend(push);
    let refusal = sandbox.git(&args).fails();
    assert_eq!((refs(sandbox, &sandbox.repo), refs(sandbox, remote)), (here, there));
    let objects = sandbox
        .git_in(remote, &["cat-file", "--batch-all-objects", "--batch"])
        .ok();
    assert!(!contains(&objects.stdout, b"CANARY"), "plain text reached the remote");
    refusal
}

#[test]
fn what_no_verify_committed_is_not_pushed() {
    let (sandbox, remote) = with_remote();
    leak(&sandbox, FILE);
    let commit = sandbox.oid("HEAD");
    refused(&sandbox, &remote, &["main"])
        .says("GS101")
        .says(FILE)
        .says(&commit[..10]);

    // Added and removed again: it is in the history all the same.
    sandbox.git(&["rm", "--quiet", FILE]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "removed"]).ok();
    refused(&sandbox, &remote, &["main"]).says("GS101").says(&commit[..10]);

    // As a branch, a tag, an annotated tag, and beside a good ref.
    refused(&sandbox, &remote, &["main:refs/heads/new"]).says("GS101");
    sandbox.git(&["tag", "light", &commit]).ok();
    sandbox.git(&["tag", "-m", "x", "heavy", &commit]).ok();
    refused(&sandbox, &remote, &["light"]).says("GS101");
    refused(&sandbox, &remote, &["heavy"]).says("GS101");
    refused(&sandbox, &remote, &["main~2:refs/heads/good", "light"]).says("GS101");
    refused(&sandbox, &remote, &["--all"]).says("GS101");

    sandbox.git(&["reset", "--quiet", "--hard", "main~2"]).ok();
    sandbox.git(&["push", "--quiet", "origin", "main:refs/heads/good"]).ok();
}

#[test]
fn what_is_fine_is_pushed_without_a_word() {
    let (sandbox, remote) = with_remote();
    let push = |args: &[&str]| {
        let mut all = vec!["push", "--quiet", "origin"];
        all.extend(args);
        sandbox.git(&all).ok().silent();
    };
    sandbox.write(FILE, PLAIN);
    sandbox.commit_all("sealed");
    push(&["main"]);
    push(&["main"]);
    sandbox.git(&["tag", "light"]).ok();
    sandbox.git(&["tag", "-m", "x", "heavy"]).ok();
    push(&["main:refs/heads/new", "light", "heavy"]);
    push(&["--delete", "new"]);
    push(&["--delete", "light", "heavy"]);
    sandbox
        .git(&["commit", "--quiet", "--amend", "--allow-empty", "-m", "other"])
        .ok();
    push(&["--force", "main"]);
    sandbox.git(&["checkout", "--quiet", "--orphan", "root"]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "a root"]).ok();
    push(&["root"]);
    assert_eq!(refs(&sandbox, &remote).lines().count(), 2);
    sandbox.assert_no_leak_in(&remote);
}

#[test]
fn what_the_other_side_has_already_is_not_held_against_a_new_branch() {
    let (sandbox, remote) = with_remote();
    leak(&sandbox, FILE);
    sandbox.git(&["push", "--quiet", "--no-verify", "origin", "main"]).ok();
    sandbox.git(&["checkout", "--quiet", "-b", "feature"]).ok();
    sandbox.write("README", "x");
    sandbox.git(&["add", "README"]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "x"]).ok();
    sandbox.git(&["push", "--quiet", "origin", "feature"]).ok();
    assert!(refs(&sandbox, &remote).contains("feature"));
}

#[test]
fn a_push_can_not_loosen_the_rule_that_it_is_judged_by() {
    let (sandbox, remote) = with_remote();
    sandbox.policy(&[("^elsewhere/", ALICE)]);
    sandbox
        .git(&["commit", "--quiet", "--no-verify", "-a", "-m", "loosened"])
        .ok();
    sandbox.write(".gitattributes", "");
    sandbox
        .git(&["commit", "--quiet", "--no-verify", "-a", "-m", "unfiltered"])
        .ok();
    sandbox.write(FILE, PLAIN);
    sandbox.git(&["add", FILE]).ok();
    sandbox.git(&["commit", "--quiet", "--no-verify", "-m", "leak"]).ok();
    refused(&sandbox, &remote, &["main"]).says("GS106").says(FILE);
    refused(&sandbox, &remote, &["main:refs/heads/new"])
        .says("GS106")
        .says(FILE);
    sandbox.seal(&["verify", "origin/main..main"]).exits(1);
}

#[test]
fn a_server_takes_nothing_in_that_is_not_sealed() {
    let (sandbox, remote) = with_remote();
    let hook = remote.join("hooks/pre-receive");
    let text = include_str!("../hooks/pre-receive").replace("@GIT_SEAL@", "/nowhere/git-seal");
    fs::write(&hook, text).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.take_keys();
    let clone = sandbox.root().join("clone");
    sandbox
        .git(&["clone", "--quiet", remote.to_str().unwrap(), clone.to_str().unwrap()])
        .ok();
    let before = refs(&sandbox, &remote);
    fs::create_dir(clone.join("secrets")).unwrap();
    // Not set up: the clone adds it as it is, and no hook of its own is there.
    fs::write(clone.join(FILE), PLAIN).unwrap();
    sandbox.git_in(&clone, &["add", "."]).ok();
    sandbox.git_in(&clone, &["commit", "--quiet", "-m", "leak"]).ok();
    for target in ["main", "main:refs/heads/new", "main:refs/tags/x"] {
        sandbox
            .git_in(&clone, &["push", "origin", target])
            .fails()
            .says("GS101")
            .says(FILE);
    }
    assert_eq!(refs(&sandbox, &remote), before);
    sandbox.assert_no_leak_in(&remote);

    sandbox.git_in(&clone, &["reset", "--quiet", "--hard", "HEAD~1"]).ok();
    fs::write(clone.join("README"), "x").unwrap();
    sandbox.git_in(&clone, &["add", "."]).ok();
    sandbox.git_in(&clone, &["commit", "--quiet", "-m", "fine"]).ok();
    sandbox.git_in(&clone, &["push", "--quiet", "origin", "main"]).ok();
    sandbox
        .git_in(&clone, &["push", "--quiet", "origin", "main:refs/heads/new"])
        .ok();
    sandbox
        .git_in(&clone, &["push", "--quiet", "origin", "--delete", "new"])
        .ok();
}
