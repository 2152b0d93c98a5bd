//! The scenarios of everyday Git on sealed files, by their numbers: what moves through history (S25–S37).

use std::fs;

use crate::support::scenario::{BASE, FILE, both, branches, committed, one, two};
use crate::support::{ALICE, BOB, Sandbox, contains};

/// Commits that change the first value, on a branch `side` beside `main`, which changed the second.
fn five_beside_one() -> Sandbox {
    let sandbox = committed();
    sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
    for number in 0..5 {
        sandbox.put(FILE, &one(&format!("CANARY-side-{number}")), "side");
    }
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.put(FILE, &two("CANARY-main"), "main");
    sandbox.git(&["checkout", "--quiet", "side"]).ok();
    sandbox
}

#[test]
fn s25_switching_back_and_forth_is_clean_each_time() {
    let sandbox = branches(&one("CANARY-a"), &one("CANARY-b"));
    for _ in 0..10 {
        for (branch, text) in [("side", one("CANARY-b")), ("main", one("CANARY-a"))] {
            sandbox.git(&["checkout", "--quiet", branch]).ok().silent();
            assert_eq!(sandbox.status(), "");
            assert_eq!(sandbox.text(FILE), text);
        }
    }
    sandbox.standing();
}

#[test]
fn s26_a_rebase_of_five_commits_takes_one_filter_process() {
    let sandbox = five_beside_one();
    let filters = sandbox.count_filters();
    sandbox.git(&["rebase", "--quiet", "main"]).ok();
    assert_eq!(filters(), 1);
    assert_eq!(sandbox.text(FILE), both("CANARY-side-4", "CANARY-main"));
    assert_eq!(sandbox.tell(&["rev-list", "--count", "main..side"]), "5\n");
    sandbox.seal(&["verify", "main..side"]).ok();
    sandbox.standing();
}

#[test]
fn s27_a_conflict_of_a_rebase_is_plain_and_settled_or_taken_back() {
    let sandbox = branches(&one("CANARY-ours"), &one("CANARY-theirs"));
    sandbox.git(&["checkout", "--quiet", "side"]).ok();
    let before = sandbox.oid("side");
    sandbox.git(&["rebase", "main"]).fails();
    let shown = sandbox.text(FILE);
    for part in ["<<<<<<<", "CANARY-ours", "=======", "CANARY-theirs", ">>>>>>>"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    sandbox.assert_no_leak();
    sandbox.git(&["rebase", "--abort"]).ok();
    assert_eq!(sandbox.oid("side"), before);
    assert_eq!(sandbox.text(FILE), one("CANARY-theirs"));
    sandbox.standing();

    sandbox.git(&["rebase", "main"]).fails();
    sandbox.write(FILE, one("CANARY-settled"));
    sandbox.git(&["add", FILE]).ok();
    sandbox.git(&["rebase", "--continue"]).ok();
    assert_eq!(sandbox.text(FILE), one("CANARY-settled"));
    sandbox.assert_sealed("side:secrets/app.yaml");
    sandbox.standing();
}

#[test]
fn s28_patches_are_ciphertext_and_apply_also_in_a_locked_clone() {
    let sandbox = five_beside_one();
    sandbox.put("README", "plain\n", "beside");
    let patches = sandbox.root().join("patches");
    let folder = patches.to_str().unwrap();
    sandbox
        .git(&["format-patch", "--quiet", "-o", folder, "main~1..side"])
        .ok();
    let mut names: Vec<_> = fs::read_dir(&patches)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    assert_eq!(names.len(), 6);
    for name in &names {
        assert!(!contains(&fs::read(name).unwrap(), b"CANARY"), "{}", name.display());
    }
    let names: Vec<&str> = names.iter().map(|name| name.to_str().unwrap()).collect();

    // Where they were made, and over another state, which takes the merge driver.
    sandbox.git(&["checkout", "--quiet", "-b", "same", "main~1"]).ok();
    sandbox.git(&[&["am", "--quiet"], &names[..]].concat()).ok();
    assert_eq!(
        sandbox.oid("same:secrets/app.yaml"),
        sandbox.oid("side:secrets/app.yaml")
    );
    assert_eq!(sandbox.text(FILE), one("CANARY-side-4"));
    sandbox.git(&["checkout", "--quiet", "-b", "other", "main"]).ok();
    sandbox.git(&[&["am", "--quiet", "-3"], &names[..]].concat()).ok();
    assert_eq!(sandbox.text(FILE), both("CANARY-side-4", "CANARY-main"));
    sandbox.git(&["checkout", "--quiet", "side"]).ok();
    sandbox.git(&["rebase", "--quiet", "--apply", "main"]).ok();
    assert_eq!(sandbox.text(FILE), both("CANARY-side-4", "CANARY-main"));
    sandbox.seal(&["verify", "main..side"]).ok();
    sandbox.standing();

    sandbox.seal(&["install", "--global"]).ok();
    sandbox.take_keys();
    let locked = sandbox.clone_to("locked", &[]);
    sandbox
        .git_in(&locked, &["checkout", "--quiet", "-b", "same", "origin/main~1"])
        .ok();
    sandbox.git_in(&locked, &[&["am", "--quiet"], &names[..]].concat()).ok();
    assert!(contains(&fs::read(locked.join(FILE)).unwrap(), b"ENC["));
    sandbox.standing_in(&locked);
}

#[test]
fn s29_cherry_picks_and_reverts_stay_sealed_and_an_undone_change_has_the_old_blob() {
    let sandbox = branches(&one("CANARY-ours"), &two("CANARY-theirs"));
    let ours = sandbox.oid("HEAD:secrets/app.yaml");
    sandbox.git(&["cherry-pick", "side"]).ok();
    assert_eq!(sandbox.text(FILE), both("CANARY-ours", "CANARY-theirs"));
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    sandbox.git(&["revert", "--no-edit", "HEAD"]).ok();
    assert_eq!(sandbox.oid("HEAD:secrets/app.yaml"), ours);
    sandbox.git(&["revert", "--no-edit", "HEAD~2"]).ok();
    assert_eq!(sandbox.text(FILE), BASE);
    assert_eq!(
        sandbox.oid("HEAD:secrets/app.yaml"),
        sandbox.oid("HEAD~4:secrets/app.yaml")
    );
    sandbox.standing();
}

#[test]
fn s30_a_stash_is_sealed_and_comes_back() {
    let sandbox = committed();
    let (staged, edited) = (one("CANARY-staged"), both("CANARY-staged", "CANARY-edited"));
    let change = || {
        sandbox.write(FILE, &staged);
        sandbox.git(&["add", FILE]).ok();
        sandbox.write(FILE, &edited);
    };
    change();
    sandbox.git(&["stash"]).ok();
    assert_eq!(sandbox.text(FILE), BASE);
    sandbox.standing();
    sandbox.git(&["stash", "pop", "--index"]).ok();
    assert_eq!(sandbox.text(FILE), edited);
    assert_eq!(sandbox.status(), "MM secrets/app.yaml\n");
    assert!(sandbox.tell(&["diff", "--cached"]).contains("+one: CANARY-staged"));

    sandbox.git(&["stash", "--keep-index"]).ok();
    assert_eq!(sandbox.text(FILE), staged);
    sandbox.assert_sealed("stash@{0}:secrets/app.yaml");
    sandbox.git(&["reset", "--quiet", "--hard"]).ok();
    sandbox.git(&["stash", "pop"]).ok();
    assert_eq!(sandbox.text(FILE), edited);
    sandbox.git(&["reset", "--quiet", "--hard"]).ok();

    sandbox.write("secrets/new.yaml", "token: CANARY\n");
    sandbox.git(&["stash", "-u"]).ok();
    assert!(!sandbox.repo.join("secrets/new.yaml").exists());
    sandbox.standing();
    sandbox.git(&["stash", "pop"]).ok();
    assert_eq!(sandbox.text("secrets/new.yaml"), "token: CANARY\n");
    fs::remove_file(sandbox.repo.join("secrets/new.yaml")).unwrap();

    // A pop that meets another change: shown in plain text, stored sealed, and the stash stays.
    sandbox.write(FILE, one("CANARY-mine"));
    sandbox.git(&["stash"]).ok();
    sandbox.put(FILE, &one("CANARY-theirs"), "other");
    sandbox.git(&["stash", "pop"]).fails();
    let shown = sandbox.text(FILE);
    assert!(
        shown.contains("CANARY-mine") && shown.contains("CANARY-theirs") && shown.contains("<<<<<<<"),
        "{shown}"
    );
    sandbox.git(&["checkout", "--theirs", FILE]).ok();
    assert_eq!(sandbox.text(FILE), one("CANARY-mine"));
    sandbox.git(&["reset", "--quiet", "--hard"]).ok();
    assert_eq!(sandbox.tell(&["stash", "list"]).lines().count(), 1);
    sandbox.standing();
}

#[test]
fn s31_autostash_and_a_switch_that_merges() {
    let sandbox = committed();
    sandbox.git(&["branch", "side"]).ok();
    sandbox.put("README", "x\n", "main");
    sandbox.git(&["checkout", "--quiet", "side"]).ok();
    sandbox.put("other", "x\n", "side");
    sandbox.write(FILE, one("CANARY-edited"));
    sandbox.git(&["rebase", "--quiet", "--autostash", "main"]).ok();
    assert_eq!(sandbox.text(FILE), one("CANARY-edited"));
    assert_eq!(sandbox.status(), " M secrets/app.yaml\n");
    sandbox.git(&["checkout", "--quiet", FILE]).ok();
    sandbox.standing();

    sandbox.git(&["checkout", "--quiet", "-b", "else"]).ok();
    sandbox.put(FILE, &two("CANARY-else"), "else");
    sandbox.git(&["checkout", "--quiet", "side"]).ok();
    sandbox.write(FILE, one("CANARY-edited"));
    sandbox.git(&["checkout", "else"]).fails();
    sandbox.git(&["checkout", "--quiet", "-m", "else"]).ok();
    assert_eq!(sandbox.text(FILE), both("CANARY-edited", "CANARY-else"));
    assert_eq!(sandbox.status(), " M secrets/app.yaml\n");
    // What meets is shown with markers.
    sandbox.git(&["checkout", "--quiet", FILE]).ok();
    sandbox.write(FILE, two("CANARY-mine"));
    sandbox.git(&["checkout", "-m", "side"]).ok();
    let shown = sandbox.text(FILE);
    assert!(shown == two("CANARY-mine") || shown.contains("<<<<<<<"), "{shown}");
    sandbox.git(&["checkout", "--quiet", "--force", "side"]).ok();
    sandbox.standing();
}

#[test]
fn s32_a_bisection_never_stops_for_the_filter() {
    let mut sandbox = Sandbox::new();
    sandbox.set("GIT_EDITOR", "true");
    for number in 0..5 {
        sandbox.put("README", &number.to_string(), "before the set-up");
    }
    sandbox.policy(&[("^secrets/", &format!("{ALICE},{BOB}"))]);
    sandbox.write(
        ".gitattributes",
        "secrets/** filter=git-seal diff=git-seal merge=git-seal -text\n",
    );
    sandbox.seal(&["install"]).ok();
    sandbox.commit_all("set-up");
    for number in 0..7 {
        sandbox.put(FILE, &two(&format!("CANARY-{number}")), "two recipients");
    }
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.seal(&["updatekeys", "--yes", FILE]).ok();
    sandbox.commit_all("one recipient");
    for number in 0..7 {
        let value = if number < 3 { "CANARY-good" } else { "CANARY-bad" };
        sandbox.put(FILE, &both(value, &format!("CANARY-{number}")), "one recipient");
    }
    let first_bad = sandbox.oid("HEAD~3");
    let root = sandbox.tell(&["rev-list", "--max-parents=0", "HEAD"]);
    sandbox.git(&["bisect", "start", "HEAD", root.trim()]).ok();
    let said = sandbox
        .git(&["bisect", "run", "sh", "-c", "! grep -q CANARY-bad secrets/app.yaml"])
        .ok()
        .text();
    assert!(said.contains(&format!("{first_bad} is the first")), "{said}");
    sandbox.git(&["bisect", "reset"]).ok();
    // Every commit can be stood on, and is clean there.
    for commit in sandbox.tell(&["rev-list", "HEAD"]).lines() {
        sandbox.git(&["checkout", "--quiet", commit]).ok();
        assert_eq!(sandbox.status(), "", "{commit}");
    }
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.standing();
}

#[test]
fn s33_every_reset_leaves_what_it_should() {
    let cases = [
        ("--soft", "M  secrets/app.yaml\n", one("CANARY-new")),
        ("--mixed", " M secrets/app.yaml\n", one("CANARY-new")),
        ("--hard", "", BASE.to_owned()),
        ("--keep", "", BASE.to_owned()),
        ("--merge", "", BASE.to_owned()),
    ];
    let sandbox = committed();
    sandbox.put(FILE, &one("CANARY-new"), "new");
    let new = sandbox.oid("HEAD");
    for (mode, status, text) in cases {
        sandbox.git(&["reset", "--quiet", mode, "HEAD~1"]).ok();
        assert_eq!(sandbox.status(), status, "{mode}");
        assert_eq!(sandbox.text(FILE), text, "{mode}");
        sandbox.git(&["reset", "--quiet", "--hard", &new]).ok();
        assert_eq!(sandbox.text(FILE), one("CANARY-new"), "{mode}");
        assert_eq!(sandbox.status(), "", "{mode}");
    }
    // An edit in the way stops the two that promise to keep it.
    sandbox.write(FILE, one("CANARY-edited"));
    for mode in ["--keep", "--merge"] {
        sandbox.git(&["reset", "--quiet", mode, "HEAD~1"]).fails();
        assert_eq!(sandbox.text(FILE), one("CANARY-edited"), "{mode}");
    }
    sandbox.git(&["reset", "--quiet", "--hard"]).ok();
    sandbox.standing();
}

#[test]
fn s34_a_rename_is_a_rename() {
    let sandbox = committed();
    let before = sandbox.oid("HEAD:secrets/app.yaml");
    let renamed = |from: &str, to: &str| {
        let diff = sandbox.tell(&["diff", "-M", "--cached", "--raw", "--abbrev=40"]);
        assert!(diff.contains(&format!("R100\t{from}\t{to}")), "{diff}");
        assert_eq!(sandbox.oid(&format!(":{to}")), before);
    };
    sandbox.git(&["mv", FILE, "secrets/b.yaml"]).ok();
    renamed(FILE, "secrets/b.yaml");
    sandbox.git(&["commit", "--quiet", "-m", "renamed"]).ok();
    fs::create_dir(sandbox.repo.join("secrets/sub")).unwrap();
    fs::rename(
        sandbox.repo.join("secrets/b.yaml"),
        sandbox.repo.join("secrets/sub/c.yaml"),
    )
    .unwrap();
    sandbox.git(&["add", "-A"]).ok();
    renamed("secrets/b.yaml", "secrets/sub/c.yaml");
    sandbox.git(&["commit", "--quiet", "-m", "again"]).ok();
    sandbox.standing();
}

#[test]
fn s35_a_copy_is_the_same_blob_unless_another_rule_is_for_it() {
    let sandbox = committed();
    sandbox.policy(&[("^secrets/bob/", BOB), ("^secrets/", ALICE)]);
    sandbox.put("secrets/copy.yaml", BASE, "the same rule");
    sandbox.put("secrets/bob/copy.yaml", BASE, "another rule");
    let original = sandbox.oid("HEAD:secrets/app.yaml");
    assert_eq!(sandbox.oid("HEAD:secrets/copy.yaml"), original);
    assert_ne!(sandbox.oid("HEAD:secrets/bob/copy.yaml"), original);
    let bobs = String::from_utf8(sandbox.stored("HEAD:secrets/bob/copy.yaml")).unwrap();
    assert!(bobs.contains(BOB) && !bobs.contains(ALICE), "{bobs}");
    sandbox.standing();
}

#[test]
fn s36_on_a_branch_without_the_attribute_the_hook_stops_what_the_filter_would_have_sealed() {
    let sandbox = committed();
    sandbox.git(&["checkout", "--quiet", "-b", "bare"]).ok();
    sandbox.git(&["rm", "--quiet", ".gitattributes"]).ok();
    sandbox
        .git(&["commit", "--quiet", "--no-verify", "-m", "no attribute"])
        .ok();
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.standing();

    // The blob is the same on both branches, so Git leaves the opened file where it is, and nothing seals it any more.
    sandbox.git(&["checkout", "--quiet", "bare"]).ok();
    crate::support::touch_all(&sandbox.repo);
    assert_eq!(sandbox.status(), " M secrets/app.yaml\n");
    sandbox
        .git(&["commit", "-a", "-m", "x"])
        .fails()
        .says("GS101")
        .says(FILE);
    assert_eq!(
        sandbox.oid("HEAD:secrets/app.yaml"),
        sandbox.oid("main:secrets/app.yaml")
    );
    sandbox.git(&["checkout", "--quiet", "--force", "main"]).ok();
    sandbox.seal(&["unlock"]).ok();
    assert_eq!(sandbox.text(FILE), BASE);
    sandbox.assert_clean();
}

#[test]
fn s37_a_rewritten_history_stays_sealed() {
    let mut sandbox = five_beside_one();
    sandbox.set("FILTER_BRANCH_SQUELCH_WARNING", "1");
    sandbox
        .git(&[
            "filter-branch",
            "--tree-filter",
            "touch secrets/*; echo x > added",
            "side",
        ])
        .ok();
    for back in 0..5 {
        sandbox.assert_sealed(&format!("side~{back}:secrets/app.yaml"));
    }
    assert_eq!(
        sandbox.oid("side:secrets/app.yaml"),
        sandbox.oid("refs/original/refs/heads/side:secrets/app.yaml")
    );
    sandbox.standing();

    // Tools on fast-export and fast-import (filter-repo) hand blobs on as they are.
    let stream = sandbox.git(&["fast-export", "main"]).ok().stdout;
    assert!(!contains(&stream, b"CANARY"));
    let other = Sandbox::new();
    other
        .run_in(&other.repo, "git", &["fast-import", "--quiet"], &stream)
        .ok();
    assert_eq!(other.oid("main:secrets/app.yaml"), sandbox.oid("main:secrets/app.yaml"));
}
