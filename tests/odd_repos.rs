//! Repositories that are set up in unusual ways: what Git works with is guarded and opened as anywhere.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use crate::scenarios_repos::day;
use crate::support::scenario::{BASE, FILE, committed, one};
use crate::support::{Sandbox, contains};

#[test]
fn what_another_repository_owns_is_found_by_its_alternates() {
    let sandbox = committed();
    sandbox.seal(&["install", "--global"]).ok();
    for options in [&["--shared"][..], &["--reference", sandbox.repo.to_str().unwrap()]] {
        let clone = sandbox.clone_to("borrower", options);
        sandbox.seal_in(&clone, &["install"]).ok();
        day(&sandbox, &clone);
        sandbox.seal_in(&clone, &["verify", "--history"]).ok();
        fs::remove_dir_all(clone).unwrap();
    }
}

#[test]
fn a_packed_repository_with_every_help_for_reading() {
    let sandbox = committed();
    sandbox.git(&["config", "core.multiPackIndex", "true"]).ok();
    sandbox.git(&["gc", "--quiet"]).ok();
    sandbox.git(&["multi-pack-index", "write"]).ok();
    sandbox.git(&["commit-graph", "write", "--reachable"]).ok();
    sandbox.git(&["pack-refs", "--all"]).ok();
    day(&sandbox, &sandbox.repo);
}

#[test]
fn settings_of_one_work_tree() {
    let sandbox = committed();
    sandbox.seal(&["uninstall"]).ok();
    sandbox.git(&["config", "extensions.worktreeConfig", "true"]).ok();
    let linked = sandbox.root().join("linked");
    sandbox
        .git(&["worktree", "add", "--quiet", "-b", "side", linked.to_str().unwrap()])
        .ok();
    sandbox
        .git_in(&linked, &["config", "--worktree", "core.sparseCheckout", "false"])
        .ok();
    sandbox.seal_in(&linked, &["install"]).ok();
    assert_eq!(fs::read_to_string(linked.join(FILE)).unwrap(), BASE);
    day(&sandbox, &linked);
    sandbox.seal_in(&linked, &["doctor"]).ok();
}

/// Gives the repository to another user, or back.
fn give(sandbox: &Sandbox, owner: u32) {
    let owner = format!("{owner}:{owner}");
    let folder = sandbox.repo.to_str().unwrap();
    let args = ["chown", "-R", &owner, folder];
    let as_root = sandbox.run_in(sandbox.root(), args[0], &args[1..], b"").code == 0;
    if !as_root {
        sandbox
            .run_in(sandbox.root(), "sudo", &[&["-n"], &args[..]].concat(), b"")
            .ok();
    }
}

#[test]
#[ignore = "needs root"]
fn somebody_elses_repository_is_refused_with_gits_own_words() {
    let sandbox = committed();
    let own = std::os::unix::fs::MetadataExt::uid(&fs::metadata(&sandbox.repo).unwrap());
    give(&sandbox, 65_534);
    sandbox.git(&["status"]).fails().says("safe.directory");
    for args in [
        &["verify"][..],
        &["status"],
        &["doctor"],
        &["lock"],
        &["hook", "pre-commit"],
    ] {
        sandbox.seal(args).exits(2).says("safe.directory");
    }
    assert_eq!(sandbox.text(FILE), BASE);
    let setting = format!("[safe]\n\tdirectory = {}\n", sandbox.repo.display());
    fs::write(sandbox.home().join(".gitconfig"), setting).unwrap();
    sandbox.seal(&["verify"]).ok();
    sandbox.seal(&["status"]).ok();
    give(&sandbox, own);
    sandbox.standing();
}

#[test]
fn a_repository_behind_a_link() {
    let sandbox = committed();
    let link = sandbox.root().join("link");
    symlink(&sandbox.repo, &link).unwrap();
    day(&sandbox, &link);
    sandbox.seal_in(&link, &["lock"]).ok();
    assert!(contains(&sandbox.read(FILE), b"ENC["));
    sandbox.seal_in(&link.join("secrets"), &["unlock"]).ok();
    assert!(sandbox.text(FILE).contains("CANARY-1"));
    sandbox.seal_in(&link, &["status"]).ok();
    sandbox.seal_in(&link, &["doctor"]).ok();
    sandbox.standing();
}

#[test]
fn what_lies_behind_a_linked_folder_is_none_of_gits_and_is_left_alone() {
    let sandbox = committed();
    let away = sandbox.root().join("away");
    fs::rename(sandbox.repo.join("secrets"), &away).unwrap();
    symlink(&away, sandbox.repo.join("secrets")).unwrap();
    sandbox.git(&["add", FILE]).fails().says("symbolic link");
    for verb in ["lock", "unlock"] {
        sandbox.seal(&[verb]);
        assert_eq!(fs::read_to_string(away.join("app.yaml")).unwrap(), BASE, "{verb}");
    }
    fs::remove_file(sandbox.repo.join("secrets")).unwrap();
    fs::rename(&away, sandbox.repo.join("secrets")).unwrap();
    sandbox.standing();
}

#[test]
fn names_that_differ_in_case() {
    let sandbox = committed();
    let blob = sandbox.oid("HEAD:secrets/app.yaml");
    sandbox.git(&["mv", FILE, "secrets/APP.yaml"]).ok();
    assert_eq!(sandbox.oid(":secrets/APP.yaml"), blob);
    sandbox.git(&["commit", "--quiet", "-m", "upper"]).ok();
    sandbox.standing();
    // Where Git takes no notice of case, attributes match what the rule does not: refused, and nothing is stored.
    sandbox.git(&["config", "core.ignoreCase", "true"]).ok();
    sandbox.write("Secrets/new.yaml", "token: CANARY\n");
    sandbox.git(&["add", "Secrets/new.yaml"]).fails().says(".sops.yaml");
    fs::remove_dir_all(sandbox.repo.join("Secrets")).unwrap();
    sandbox.git(&["config", "core.ignoreCase", "false"]).ok();
    sandbox.standing();
}

#[test]
fn names_that_are_no_text_in_every_command() {
    let sandbox = committed();
    let name = std::ffi::OsStr::from_bytes(b"secrets/\xff\xfe-\xc3(.yaml");
    sandbox.write(name, "token: CANARY\n");
    sandbox.commit_all("odd");
    sandbox.seal(&["verify", "--history"]).ok();
    sandbox.seal(&["status"]).ok();
    sandbox.seal(&["lock"]).ok();
    assert!(contains(&sandbox.read(name), b"ENC["));
    sandbox.seal(&["unlock"]).ok();
    assert_eq!(sandbox.read(name), b"token: CANARY\n");
    sandbox.write(name, "token: [CANARY\n");
    sandbox.git(&["add", "--all"]).ok();
    sandbox.git(&["commit", "-m", "x"]).fails().says("GS104");
    sandbox.git(&["reset", "--quiet", "--hard"]).ok();
    sandbox.standing();
}

#[test]
fn entries_that_git_was_told_not_to_look_at() {
    for (set, unset) in [
        ("--skip-worktree", "--no-skip-worktree"),
        ("--assume-unchanged", "--no-assume-unchanged"),
    ] {
        let sandbox = committed();
        sandbox.put("secrets/b.yaml", "token: CANARY\n", "another");
        sandbox.git(&["update-index", set, FILE]).ok();
        sandbox.seal(&["lock"]).ok();
        assert!(contains(&sandbox.read("secrets/b.yaml"), b"ENC["), "{set}");
        sandbox.assert_clean();
        sandbox.seal(&["unlock"]).ok();
        assert_eq!(sandbox.text("secrets/b.yaml"), "token: CANARY\n", "{set}");
        assert_eq!(sandbox.text(FILE), BASE, "{set}");
        let flags = sandbox.tell(&["ls-files", "-v", FILE]);
        assert!(flags.starts_with(['S', 'h']), "{set}: the flag is gone: {flags}");
        // The user's own edit of such a file is not overwritten by either.
        sandbox.write(FILE, one("CANARY-local"));
        sandbox.seal(&["unlock"]).ok();
        assert_eq!(sandbox.text(FILE), one("CANARY-local"), "{set}");
        sandbox.write(FILE, BASE);
        sandbox.git(&["update-index", unset, FILE]).ok();
        sandbox.standing();
    }
}
