//! What only the newest Git has: hooks in the configuration, references in tables, work trees with relative paths. Run with such a Git.

use std::fs;

use crate::scenarios_repos::day;
use crate::support::scenario::{BASE, FILE, committed, two};
use crate::support::{ALICE, Sandbox, contains};

#[test]
#[ignore = "needs git 2.55"]
fn configured_hooks_are_gates_and_the_doctor_knows_them() {
    let sandbox = committed();
    let shared = sandbox.root().join("shared-hooks");
    fs::create_dir(&shared).unwrap();
    sandbox.seal(&["uninstall"]).ok();
    sandbox
        .git(&["config", "core.hooksPath", shared.to_str().unwrap()])
        .ok();
    let told = sandbox.seal(&["install"]).ok().stderr;
    sandbox
        .seal(&["doctor"])
        .exits(1)
        .says("hook.git-seal-pre-commit.command");
    // The advice is done word by word; then it is all well.
    let lines = told.lines().map(|line| line.trim_start_matches("git-seal:").trim());
    let commands: Vec<&str> = lines
        .filter_map(|line| line.strip_prefix("$ "))
        .filter(|line| line.starts_with("git config hook."))
        .collect();
    assert_eq!(commands.len(), 6, "{told}");
    for command in commands {
        sandbox.run_in(&sandbox.repo, "sh", &["-c", command], b"").ok();
    }
    sandbox.seal(&["doctor"]).ok();
    assert!(!sandbox.seal(&["install"]).ok().stderr.contains("git config hook."));

    sandbox.write(FILE, "a: [CANARY\n");
    sandbox.git(&["add", FILE]).ok();
    sandbox.git(&["commit", "-m", "x"]).fails().says("GS104");
    sandbox.git(&["commit", "--quiet", "--no-verify", "-m", "x"]).ok();
    let remote = sandbox.root().join("remote.git");
    let url = remote.to_str().unwrap();
    sandbox.git(&["init", "--quiet", "--bare", url]).ok();
    sandbox.git(&["push", url, "main"]).fails().says("GS104");
    sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
    sandbox.git(&["push", "--quiet", url, "main"]).ok();
    // One that is turned off is none.
    sandbox.git(&["config", "hook.git-seal-pre-push.enabled", "false"]).ok();
    sandbox.seal(&["doctor"]).exits(1).says("pre-push");
    sandbox.standing();
}

#[test]
#[ignore = "needs git 2.55"]
fn configured_hooks_run_beside_those_of_the_folder() {
    let sandbox = committed();
    let log = sandbox.root().join("others.log");
    sandbox.git(&["config", "hook.other.event", "pre-commit"]).ok();
    let command = format!("echo x >> '{}'", log.display());
    sandbox.git(&["config", "hook.other.command", &command]).ok();
    sandbox.put(FILE, &two("CANARY-new"), "changed");
    assert_eq!(fs::read_to_string(&log).unwrap(), "x\n");
    sandbox.write(FILE, "a: [CANARY\n");
    sandbox.git(&["add", FILE]).ok();
    sandbox.git(&["commit", "-m", "x"]).fails().says("GS104");
    sandbox.git(&["reset", "--quiet", "--hard"]).ok();
    sandbox.seal(&["doctor"]).ok();
    sandbox.standing();
}

#[test]
#[ignore = "needs git 2.55"]
fn references_in_tables() {
    let sandbox = Sandbox::with_init(&["init", "--quiet", "--initial-branch=main", "--ref-format=reftable"]);
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.write(
        ".gitattributes",
        "secrets/** filter=git-seal diff=git-seal merge=git-seal -text\n",
    );
    sandbox.seal(&["install"]).ok();
    sandbox.put(FILE, BASE, "base");
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    sandbox.git(&["branch", "side"]).ok();
    day(&sandbox, &sandbox.repo);
    sandbox.git(&["checkout", "--quiet", "side"]).ok();
    sandbox.put(FILE, &two("CANARY-side"), "side");
    sandbox.git(&["rebase", "--quiet", "main"]).ok();
    assert!(sandbox.text(FILE).contains("CANARY-side"));
    sandbox.seal(&["lock"]).ok();
    assert!(contains(&sandbox.read(FILE), b"ENC["));
    sandbox.seal(&["unlock"]).ok();
    for args in [
        &["verify"][..],
        &["verify", "--history"],
        &["verify", "main..side"],
        &["status"],
        &["doctor"],
    ] {
        sandbox.seal(args).ok();
    }
    // The gates stand, on both ends.
    sandbox.write(FILE, "a: [CANARY\n");
    sandbox.git(&["add", FILE]).ok();
    sandbox.git(&["commit", "-m", "x"]).fails().says("GS104");
    sandbox.git(&["commit", "--quiet", "--no-verify", "-m", "x"]).ok();
    let remote = sandbox.root().join("remote.git");
    let url = remote.to_str().unwrap();
    sandbox
        .git(&["init", "--quiet", "--bare", "--ref-format=reftable", url])
        .ok();
    sandbox.git(&["push", url, "side"]).fails().says("GS104");
    sandbox.seal_in(&remote, &["install"]).ok();
    sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
    sandbox.git(&["push", "--quiet", url, "side"]).ok();
    sandbox.standing();
}

#[test]
#[ignore = "needs git 2.55"]
fn linked_work_trees_with_relative_paths() {
    let sandbox = committed();
    let linked = sandbox.root().join("linked");
    let args = [
        "worktree",
        "add",
        "--quiet",
        "--relative-paths",
        "-b",
        "side",
        linked.to_str().unwrap(),
    ];
    sandbox.git(&args).ok();
    assert_eq!(sandbox.tell(&["config", "extensions.relativeWorktrees"]), "true\n");
    assert_eq!(fs::read_to_string(linked.join(FILE)).unwrap(), BASE);
    day(&sandbox, &linked);
    sandbox.seal_in(&linked, &["lock"]).ok();
    sandbox.seal_in(&linked, &["unlock"]).ok();
    day(&sandbox, &sandbox.repo);
}
