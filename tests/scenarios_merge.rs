//! The scenarios of everyday Git on sealed files, by their numbers: merges (S38–S49).

use std::fs;
use std::path::Path;

use crate::support::scenario::{BASE, FILE, both, branches, committed, one, two};
use crate::support::{ALICE, BOB, Sandbox, contains};

const MARKERS: [&str; 3] = ["<<<<<<<", "=======", ">>>>>>>"];

/// Asserts that both sides are shown in plain text between markers.
#[track_caller]
fn shows(text: &str, parts: &[&str]) {
    for part in MARKERS.iter().chain(parts) {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

/// Whether an identity opens the file that HEAD has.
fn opens(sandbox: &Sandbox, name: &str) -> bool {
    sandbox.give_key(name);
    let path = sandbox.root().join("head.yaml");
    fs::write(&path, sandbox.stored("HEAD:secrets/app.yaml")).unwrap();
    let code = sandbox.seal_in(sandbox.root(), &["decrypt", "head.yaml"]).code;
    fs::remove_file(path).unwrap();
    sandbox.give_key("alice");
    code == 0
}

#[test]
fn s38_different_keys_are_merged_and_sealed() {
    let sandbox = branches(&one("CANARY-ours"), &two("CANARY-theirs"));
    sandbox.git(&["merge", "--quiet", "--no-edit", "side"]).ok().silent();
    assert_eq!(sandbox.text(FILE), both("CANARY-ours", "CANARY-theirs"));
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    sandbox.seal(&["verify"]).ok();
    sandbox.standing();

    // Neighbouring lines too.
    let text = |first: &str, second: &str| format!("a: {first}\nb: {second}\n");
    let sandbox = committed();
    sandbox.put(FILE, &text("CANARY-1", "CANARY-2"), "neighbours");
    sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
    sandbox.put(FILE, &text("CANARY-1", "CANARY-theirs"), "theirs");
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.put(FILE, &text("CANARY-ours", "CANARY-2"), "ours");
    sandbox.git(&["merge", "--quiet", "--no-edit", "side"]).ok().silent();
    assert_eq!(sandbox.text(FILE), text("CANARY-ours", "CANARY-theirs"));
    sandbox.seal(&["verify"]).ok();
    sandbox.standing();
}

#[test]
fn s39_a_conflict_is_plain_in_the_work_tree_and_sealed_in_git() {
    let sandbox = branches(&one("CANARY-ours"), &one("CANARY-theirs"));
    sandbox.git(&["merge", "side"]).exits(1);
    shows(&sandbox.text(FILE), &["CANARY-ours", "CANARY-theirs"]);
    sandbox.assert_sealed("AUTO_MERGE:secrets/app.yaml");
    let diff = sandbox.tell(&["diff"]);
    assert!(!diff.contains("ENC["), "{diff}");
    sandbox.assert_no_leak();
    sandbox.put(FILE, &one("CANARY-settled"), "settled");
    sandbox.standing();
}

#[test]
fn s40_the_same_text_sealed_at_another_time_leaves_ours_as_it_is() {
    let sandbox = committed();
    sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
    sandbox.put(FILE, &one("CANARY-same"), "theirs");
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    // The clone's memory would give the very same blob; another clone has none, and its clock has moved on.
    fs::remove_dir_all(sandbox.repo.join(".git/git-seal")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    sandbox.put(FILE, &one("CANARY-same"), "ours");
    let ours = sandbox.oid("main:secrets/app.yaml");
    assert_ne!(sandbox.oid("side:secrets/app.yaml"), ours);
    let blobs = || {
        let names = sandbox.tell(&["cat-file", "--batch-all-objects", "--batch-check"]);
        names.lines().filter(|line| line.contains(" blob ")).count()
    };
    let before = blobs();
    sandbox.git(&["merge", "--quiet", "--no-edit", "side"]).ok().silent();
    assert_eq!(sandbox.oid("HEAD:secrets/app.yaml"), ours);
    assert_eq!(blobs(), before);
    sandbox.standing();
}

#[test]
fn s40_a_new_data_key_of_one_side_is_kept() {
    for rotated in ["main", "side"] {
        let sandbox = branches(&one("CANARY-same"), &one("CANARY-same"));
        sandbox.git(&["checkout", "--quiet", rotated]).ok();
        sandbox.seal(&["rotate", "--in-place", FILE]).ok();
        sandbox.commit_all("another data key");
        sandbox.git(&["checkout", "--quiet", "main"]).ok();
        sandbox.git(&["merge", "--quiet", "--no-edit", "side"]).ok().silent();
        let line = |name: &str| {
            let text = String::from_utf8(sandbox.stored(&format!("{name}:{FILE}"))).unwrap();
            text.lines().find(|line| line.starts_with("one: ")).unwrap().to_owned()
        };
        assert_eq!(line("HEAD"), line(rotated));
        let other = if rotated == "main" { "side" } else { "HEAD^1" };
        assert_ne!(line("HEAD"), line(other));
        assert_eq!(sandbox.text(FILE), one("CANARY-same"));
        sandbox.seal(&["verify"]).ok();
        sandbox.standing();
    }
}

#[test]
fn s41_a_new_value_and_new_recipients_come_together() {
    for recipients_from_ours in [true, false] {
        let sandbox = committed();
        let value = |sandbox: &Sandbox| sandbox.put(FILE, &one("CANARY-new"), "a value");
        let recipients = |sandbox: &Sandbox| {
            sandbox.policy(&[("^secrets/", &format!("{ALICE},{BOB}"))]);
            sandbox.seal(&["updatekeys", "--yes", FILE]).ok();
            sandbox.commit_all("recipients");
        };
        sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
        if recipients_from_ours {
            value(&sandbox);
        } else {
            recipients(&sandbox);
        }
        sandbox.git(&["checkout", "--quiet", "main"]).ok();
        if recipients_from_ours {
            recipients(&sandbox);
        } else {
            value(&sandbox);
        }
        sandbox.git(&["merge", "--quiet", "--no-edit", "side"]).ok();
        assert_eq!(sandbox.text(FILE), one("CANARY-new"));
        assert!(opens(&sandbox, "bob"), "ours: {recipients_from_ours}");
        sandbox.seal(&["verify"]).ok();
        sandbox.standing();
    }
}

#[test]
fn s42_who_was_removed_can_not_read_what_was_merged() {
    for removed_by_ours in [true, false] {
        let mut sandbox = Sandbox::set_up();
        sandbox.set("GIT_EDITOR", "true");
        sandbox.policy(&[("^secrets/", &format!("{ALICE},{BOB}"))]);
        sandbox.put(FILE, BASE, "for both");
        assert!(opens(&sandbox, "bob"));
        let edit = |sandbox: &Sandbox| sandbox.put(FILE, &one("CANARY-new"), "a value");
        let remove = |sandbox: &Sandbox| {
            sandbox.policy(&[("^secrets/", ALICE)]);
            sandbox.seal(&["updatekeys", "--yes", FILE]).ok();
            sandbox.commit_all("bob is gone");
        };
        sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
        if removed_by_ours {
            edit(&sandbox);
        } else {
            remove(&sandbox);
        }
        sandbox.git(&["checkout", "--quiet", "main"]).ok();
        if removed_by_ours {
            remove(&sandbox);
        } else {
            edit(&sandbox);
        }
        sandbox.git(&["merge", "--quiet", "--no-edit", "side"]).ok();
        assert_eq!(sandbox.text(FILE), one("CANARY-new"));
        assert!(!opens(&sandbox, "bob"), "removed by ours: {removed_by_ours}");
        assert!(opens(&sandbox, "alice"));
        sandbox.seal(&["verify"]).ok();
        sandbox.standing();
    }
}

#[test]
fn s43_add_add_delete_modify_and_rename() {
    // Both sides add the file, with another content.
    let sandbox = committed();
    sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
    sandbox.put("secrets/new.yaml", "token: CANARY-theirs\n", "theirs");
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.put("secrets/new.yaml", "token: CANARY-ours\n", "ours");
    sandbox.git(&["merge", "side"]).exits(1);
    shows(&sandbox.text("secrets/new.yaml"), &["CANARY-ours", "CANARY-theirs"]);
    sandbox.assert_no_leak();
    sandbox.put("secrets/new.yaml", "token: CANARY-both\n", "settled");
    sandbox.standing();

    // One deletes what the other changes.
    let sandbox = committed();
    sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
    sandbox.git(&["rm", "--quiet", FILE]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "removed"]).ok();
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.put(FILE, &one("CANARY-ours"), "ours");
    sandbox.git(&["merge", "side"]).exits(1);
    assert_eq!(sandbox.text(FILE), one("CANARY-ours"));
    sandbox.git(&["add", FILE]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "kept"]).ok();
    sandbox.standing();

    // One renames what the other changes.
    let sandbox = committed();
    sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
    sandbox.git(&["mv", FILE, "secrets/moved.yaml"]).ok();
    sandbox.put("secrets/moved.yaml", &two("CANARY-theirs"), "moved and changed");
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.put(FILE, &one("CANARY-ours"), "ours");
    sandbox.git(&["merge", "--quiet", "--no-edit", "side"]).ok();
    assert_eq!(sandbox.text("secrets/moved.yaml"), both("CANARY-ours", "CANARY-theirs"));
    assert!(!sandbox.repo.join(FILE).exists());
    sandbox.seal(&["verify"]).ok();
    sandbox.standing();
}

#[test]
fn s43_criss_cross_has_a_sealed_conflict_for_its_ancestor() {
    let sandbox = branches(&one("CANARY-ours"), &one("CANARY-theirs"));
    // Each side merges the other's first state and settles it its own way.
    let (main, side) = (sandbox.oid("main"), sandbox.oid("side"));
    sandbox.git(&["merge", &side]).exits(1);
    sandbox.put(FILE, &one("CANARY-ours"), "ours wins");
    sandbox.git(&["checkout", "--quiet", "side"]).ok();
    sandbox.git(&["merge", &main]).exits(1);
    sandbox.put(FILE, &both("CANARY-theirs", "CANARY-more"), "theirs wins");
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.git(&["merge", "side"]).exits(1);
    shows(&sandbox.text(FILE), &["CANARY-ours", "CANARY-theirs"]);
    sandbox.assert_no_leak();
    sandbox.put(FILE, &one("CANARY-settled"), "settled");
    sandbox.standing();
}

#[test]
fn s43_an_octopus_takes_branches_of_other_files_and_leaves_the_rest_to_git() {
    let sandbox = committed();
    for name in ["a", "b"] {
        sandbox.git(&["checkout", "--quiet", "-b", name, "main"]).ok();
        sandbox.put(&format!("secrets/{name}.yaml"), "token: CANARY\n", name);
    }
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.put(FILE, &one("CANARY-main"), "main");
    sandbox.git(&["merge", "--quiet", "--no-edit", "a", "b"]).ok();
    for name in ["a", "b"] {
        sandbox.assert_sealed(&format!("HEAD:secrets/{name}.yaml"));
        assert_eq!(sandbox.text(format!("secrets/{name}.yaml")), "token: CANARY\n");
    }
    sandbox.seal(&["verify"]).ok();
    sandbox.standing();

    // Git's octopus merges one file of two branches by line, without any driver: ciphertext that collides, so it gives up.
    for (name, text) in [("c", one("CANARY-c")), ("d", two("CANARY-d"))] {
        sandbox.git(&["checkout", "--quiet", "-b", name, "main~1"]).ok();
        sandbox.put(FILE, &text, name);
    }
    sandbox.git(&["checkout", "--quiet", "-b", "e", "main~1"]).ok();
    sandbox.git(&["merge", "--no-edit", "c", "d"]).fails();
    sandbox.git(&["reset", "--quiet", "--hard"]).ok();
    sandbox.standing();
}

#[test]
fn s44_styles_and_widths_of_conflicts_and_merge_tools() {
    let sandbox = branches(&one("CANARY-ours"), &one("CANARY-theirs"));
    sandbox.write(
        ".gitattributes",
        "secrets/** filter=git-seal diff=git-seal merge=git-seal -text conflict-marker-size=11\n",
    );
    sandbox.commit_all("wide markers");
    for style in ["merge", "diff3", "zdiff3"] {
        let setting = format!("merge.conflictStyle={style}");
        sandbox.git(&["-c", &setting, "merge", "side"]).exits(1);
        let shown = sandbox.text(FILE);
        shows(&shown, &["\n===========\n", "CANARY-ours", "CANARY-theirs"]);
        assert!(shown.contains("<<<<<<<<<<< "), "{shown}");
        assert_eq!(shown.contains("|||||||||||"), style != "merge", "{shown}");
        assert_eq!(shown.contains("CANARY-1"), style != "merge", "{shown}");
        // Git tells the driver of a style in its settings, and not of `--conflict`.
        sandbox.git(&["checkout", "--quiet", "--conflict=diff3", FILE]).ok();
        shows(&sandbox.text(FILE), &["CANARY-ours", "CANARY-theirs"]);
        sandbox
            .git(&["-c", "merge.conflictStyle=diff3", "checkout", "--quiet", "-m", FILE])
            .ok();
        shows(&sandbox.text(FILE), &["|||||||", "CANARY-1"]);
        sandbox.assert_no_leak();
        sandbox.git(&["merge", "--abort"]).ok();
    }

    // A tool gets plain files, and Git removes them.
    sandbox.git(&["merge", "side"]).exits(1);
    let seen = sandbox.root().join("seen");
    let tool = format!(
        "cat \"$BASE\" \"$LOCAL\" \"$REMOTE\" > '{}'; cp \"$REMOTE\" \"$MERGED\"",
        seen.display()
    );
    let tool = format!("mergetool.test.cmd={tool}");
    let args = [
        "-c",
        &tool,
        "-c",
        "mergetool.test.trustExitCode=true",
        "mergetool",
        "--tool=test",
        "--no-prompt",
    ];
    sandbox.git(&args).ok();
    let seen = fs::read_to_string(seen).unwrap();
    assert_eq!(seen, format!("{BASE}{}{}", one("CANARY-ours"), one("CANARY-theirs")));
    let left: Vec<_> = fs::read_dir(sandbox.repo.join("secrets"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        left.iter().all(|name| name == "app.yaml" || name == "app.yaml.orig"),
        "{left:?}"
    );
    fs::remove_file(sandbox.repo.join("secrets/app.yaml.orig")).ok();
    sandbox.git(&["commit", "--quiet", "-m", "merged"]).ok();
    assert_eq!(sandbox.text(FILE), one("CANARY-theirs"));
    sandbox.standing();
}

#[test]
fn s45_without_a_key_ours_stays_and_nothing_is_lost() {
    let sandbox = branches(&one("CANARY-ours"), &two("CANARY-theirs"));
    sandbox.seal(&["lock"]).ok();
    sandbox.take_keys();
    let before = sandbox.read(FILE);
    sandbox
        .git(&["merge", "side"])
        .exits(1)
        .says(FILE)
        .says("our side stays");
    assert_eq!(sandbox.read(FILE), before);
    assert!(sandbox.tell(&["ls-files", "-u"]).lines().count() == 3);
    sandbox.git(&["merge", "--abort"]).ok();
    assert_eq!(sandbox.read(FILE), before);
    sandbox.standing();
    fs::create_dir_all(sandbox.home().join(".config/sops/age")).unwrap();
    sandbox.give_key("alice");
    sandbox.seal(&["unlock"]).ok();
    sandbox.git(&["merge", "--quiet", "--no-edit", "side"]).ok();
    assert_eq!(sandbox.text(FILE), both("CANARY-ours", "CANARY-theirs"));
    sandbox.standing();
}

#[test]
fn s46_a_conflict_that_is_added_with_its_markers_is_not_committed() {
    let sandbox = branches(&one("CANARY-ours"), &one("CANARY-theirs"));
    let head = sandbox.oid("HEAD");
    sandbox.git(&["merge", "side"]).exits(1);
    sandbox.git(&["add", FILE]).ok();
    sandbox.assert_sealed(":secrets/app.yaml");
    sandbox.git(&["commit", "-m", "x"]).fails().says("GS104").says(FILE);
    assert_eq!(sandbox.oid("HEAD"), head);
    sandbox.assert_no_leak();
    sandbox.put(FILE, &one("CANARY-settled"), "settled");
    sandbox.standing();
}

#[test]
fn s47_a_side_from_before_sealing_is_merged_and_sealed() {
    let old = BASE.replace("CANARY", "PUBLISHED");
    let mut sandbox = Sandbox::new();
    sandbox.set("GIT_EDITOR", "true");
    sandbox.put(FILE, &old, "before sealing");
    sandbox.git(&["branch", "side"]).ok();
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.write(
        ".gitattributes",
        "secrets/** filter=git-seal diff=git-seal merge=git-seal -text\n",
    );
    sandbox.seal(&["install"]).ok();
    sandbox.write(FILE, old.replace("PUBLISHED-1", "CANARY-new"));
    sandbox.seal(&["encrypt", "--in-place", FILE]).ok();
    sandbox.commit_all("sealed");
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    sandbox.git(&["checkout", "--quiet", "side"]).ok();
    sandbox.write(FILE, old.replace("PUBLISHED-2", "PUBLISHED-3"));
    sandbox
        .git(&["commit", "--quiet", "--no-verify", "-a", "-m", "still plain"])
        .ok();
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.git(&["merge", "--quiet", "--no-edit", "side"]).ok();
    let merged = old
        .replace("PUBLISHED-1", "CANARY-new")
        .replace("PUBLISHED-2", "PUBLISHED-3");
    assert_eq!(sandbox.text(FILE), merged);
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    assert!(!contains(&sandbox.stored("HEAD:secrets/app.yaml"), b"PUBLISHED"));
    sandbox.standing();
}

#[test]
fn s48_a_merge_of_trees_in_a_bare_clone_without_key() {
    let sandbox = branches(&one("CANARY-ours"), &two("CANARY-theirs"));
    let bare = sandbox.clone_to("bare.git", &["--bare"]);
    sandbox.seal(&["install", "--global"]).ok();
    sandbox.take_keys();
    let merge = |folder: &Path, options: &[&str]| {
        let mut args = options.to_vec();
        args.extend(["merge-tree", "--write-tree", "main", "side"]);
        sandbox.git_in(folder, &args)
    };
    // Without attributes Git merges the ciphertext by line, which collides; with them the driver says that it has no key.
    let output = merge(&bare, &[]).exits(1);
    assert!(output.text().contains("CONFLICT"), "{}", output.text());
    fs::write(bare.join("info/attributes"), "secrets/** merge=git-seal\n").unwrap();
    merge(&bare, &[]).exits(1).says("our side stays");
    sandbox.sealed_in(&bare);
}

#[test]
fn s49_a_recorded_resolution_is_replayed_and_doctor_says_where_it_lies() {
    let sandbox = branches(&one("CANARY-ours"), &one("CANARY-theirs"));
    sandbox.git(&["config", "rerere.enabled", "true"]).ok();
    sandbox.git(&["merge", "side"]).exits(1);
    sandbox.put(FILE, &one("CANARY-settled"), "settled");
    sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
    sandbox.git(&["merge", "side"]).exits(1);
    assert_eq!(sandbox.text(FILE), one("CANARY-settled"));
    sandbox.git(&["add", FILE]).ok();
    sandbox.assert_sealed(":secrets/app.yaml");
    sandbox.git(&["commit", "--quiet", "-m", "again"]).ok();
    sandbox.seal(&["doctor"]).ok().says("rr-cache");
    sandbox.assert_clean();
    // The record is the one place where Git keeps plain text.
    fs::remove_dir_all(sandbox.repo.join(".git/rr-cache")).unwrap();
    sandbox.standing();
}
