//! Merges and diffs of sealed files through real Git: plain text for people, ciphertext for Git, with and without a key.

use std::fs;

use crate::support::{ALICE, BOB, Sandbox, contains};

const FILE: &str = "secrets/app.yaml";
const BASE: &str = "one: CANARY-1\n\n# far\n# from\n# each\n# other\n\ntwo: CANARY-2\n";

/// Two branches, `main` (checked out) and `side`, that changed the file from a common state.
fn branches(ours: &str, theirs: &str) -> Sandbox {
    let sandbox = Sandbox::set_up();
    let put = |text: &str, message: &str| {
        sandbox.write(FILE, text);
        sandbox.git(&["add", "."]).ok();
        sandbox.git(&["commit", "--quiet", "--allow-empty", "-m", message]).ok();
    };
    put(BASE, "base");
    sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
    put(theirs, "theirs");
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    put(ours, "ours");
    sandbox
}

fn one(value: &str) -> String {
    BASE.replace("CANARY-1", value)
}

fn two(value: &str) -> String {
    BASE.replace("CANARY-2", value)
}

#[test]
fn changes_far_apart_merge_and_stay_sealed() {
    let sandbox = branches(&one("CANARY-ours"), &two("CANARY-theirs"));
    sandbox.git(&["merge", "--quiet", "side", "-m", "merge"]).ok();
    assert_eq!(
        sandbox.text(FILE),
        one("CANARY-ours").replace("CANARY-2", "CANARY-theirs")
    );
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    sandbox.seal(&["verify"]).ok();
    sandbox.seal(&["verify", "--history"]).ok();
    sandbox.assert_clean();
    sandbox.assert_no_leak();
    // Each side's new value came with the ciphertext it had there.
    let lines = |name: &str, key: &str| {
        let text = String::from_utf8(sandbox.stored(name)).unwrap();
        text.lines().find(|line| line.starts_with(key)).unwrap().to_owned()
    };
    assert_eq!(
        lines("HEAD:secrets/app.yaml", "one"),
        lines("HEAD^1:secrets/app.yaml", "one")
    );
    assert_eq!(
        lines("HEAD:secrets/app.yaml", "two"),
        lines("HEAD^2:secrets/app.yaml", "two")
    );
}

#[test]
fn a_rebase_and_a_cherry_pick_merge_as_well() {
    let sandbox = branches(&one("CANARY-ours"), &two("CANARY-theirs"));
    let both = one("CANARY-ours").replace("CANARY-2", "CANARY-theirs");
    sandbox.git(&["branch", "picked"]).ok();
    sandbox.git(&["rebase", "--quiet", "side"]).ok();
    assert_eq!(sandbox.text(FILE), both);
    sandbox.assert_clean();
    sandbox.git(&["checkout", "--quiet", "picked"]).ok();
    sandbox.git(&["cherry-pick", "side"]).ok();
    assert_eq!(sandbox.text(FILE), both);
    sandbox.assert_clean();
    sandbox.seal(&["verify", "--history"]).ok();
    sandbox.assert_no_leak();
}

#[test]
fn a_conflict_is_shown_in_plain_text_and_stored_sealed_and_committed_by_nobody() {
    let sandbox = branches(&one("CANARY-ours"), &one("CANARY-theirs"));
    let head = sandbox.oid("HEAD");
    sandbox.git(&["merge", "side", "-m", "merge"]).exits(1);
    let shown = sandbox.text(FILE);
    for part in [
        "<<<<<<< ",
        "one: CANARY-ours",
        "=======",
        "one: CANARY-theirs",
        ">>>>>>> ",
        "two: CANARY-2",
    ] {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
    assert!(sandbox.repo.join(".git/AUTO_MERGE").exists());
    sandbox.assert_sealed("AUTO_MERGE:secrets/app.yaml");
    sandbox.assert_no_leak();
    sandbox.git(&["status"]).ok();
    assert!(sandbox.git(&["diff"]).ok().text().contains("CANARY-theirs"));
    sandbox.git(&["commit", "-m", "x"]).fails();

    sandbox.git(&["add", FILE]).ok().says("draft");
    sandbox.assert_sealed(":secrets/app.yaml");
    sandbox.git(&["commit", "-m", "x"]).exits(1).says("GS104").says(FILE);
    sandbox.git(&["merge", "--continue"]).fails();
    assert_eq!(sandbox.oid("HEAD"), head);
    assert_eq!(sandbox.text(FILE), shown);
    sandbox.assert_no_leak();

    sandbox.write(FILE, one("CANARY-both"));
    sandbox.git(&["add", FILE]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "merge"]).ok();
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    assert!(sandbox.git(&["rev-parse", "HEAD^2"]).ok().text().len() > 40);
    sandbox.seal(&["verify", "--history"]).ok();
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn a_conflict_is_taken_back_or_settled_by_a_side() {
    let sandbox = branches(&one("CANARY-ours"), &one("CANARY-theirs"));
    let merge = || sandbox.git(&["merge", "side", "-m", "merge"]).exits(1);
    merge();
    sandbox.git(&["merge", "--abort"]).ok();
    assert_eq!(sandbox.text(FILE), one("CANARY-ours"));
    sandbox.assert_clean();
    for (side, revision) in [("--ours", "HEAD"), ("--theirs", "side")] {
        merge();
        sandbox.git(&["checkout", "--quiet", side, "--", FILE]).ok();
        sandbox.git(&["add", FILE]).ok();
        assert_eq!(
            sandbox.oid(":secrets/app.yaml"),
            sandbox.oid(&format!("{revision}:{FILE}"))
        );
        sandbox.git(&["reset", "--quiet", "--merge"]).ok();
        sandbox.assert_clean();
    }
    sandbox.assert_no_leak();
}

#[test]
fn without_a_key_ours_stays_and_the_conflict_is_gits() {
    let sandbox = branches(&one("CANARY-ours"), &two("CANARY-theirs"));
    for keys in ["none", "bob"] {
        let ours = sandbox.oid("HEAD:secrets/app.yaml");
        sandbox.git(&["checkout", "--quiet", "--force", "side~1"]).ok();
        if keys == "bob" {
            sandbox.give_key("bob");
        } else {
            sandbox.take_keys();
        }
        fs::remove_file(sandbox.repo.join(FILE)).unwrap();
        sandbox.git(&["checkout", "--quiet", "--force", "main"]).ok();
        let before = sandbox.read(FILE);
        assert!(contains(&before, b"ENC["));
        let merge = sandbox.git(&["merge", "side", "-m", "merge"]).exits(1);
        assert!(merge.stderr.contains("our side stays"), "{}", merge.stderr);
        assert_eq!(sandbox.read(FILE), before);
        assert_eq!(sandbox.oid(":2:secrets/app.yaml"), ours);
        sandbox.git(&["commit", "-m", "x"]).fails();
        sandbox.git(&["merge", "--abort"]).ok();
        assert_eq!(sandbox.read(FILE), before);
        sandbox.assert_clean();
        sandbox.assert_no_leak();
        sandbox.give_key("alice");
    }
}

#[test]
fn a_side_that_did_not_change_leaves_the_other_ones_blob() {
    // The side's commits touch the file and put it back, so that the driver is called at all by a recursive merge.
    for (ours, theirs, kept) in [
        (BASE.to_owned(), two("CANARY-theirs"), "side"),
        (one("CANARY-ours"), BASE.to_owned(), "main"),
        (one("CANARY-same"), one("CANARY-same"), "main"),
    ] {
        let sandbox = branches(&ours, &theirs);
        let wanted = sandbox.oid(&format!("{kept}:{FILE}"));
        sandbox
            .git(&["merge", "--quiet", "--no-ff", "side", "-m", "merge"])
            .ok();
        assert_eq!(sandbox.oid("HEAD:secrets/app.yaml"), wanted);
        sandbox.assert_clean();
        sandbox.assert_no_leak();
    }
}

#[test]
fn the_driver_hands_on_a_changed_side_verbatim() {
    let sandbox = branches(&one("CANARY-ours"), &two("CANARY-theirs"));
    let save = |name: &str, revision: &str| {
        let path = sandbox.root().join(name);
        fs::write(&path, sandbox.stored(&format!("{revision}:{FILE}"))).unwrap();
        path
    };
    // Base, ours, theirs, and whose bytes come out.
    for (base, ours, theirs, kept) in [
        ("side~1", "side~1", "side", "side"),
        ("side~1", "main", "side~1", "main"),
        ("side~1", "main", "main", "main"),
    ] {
        let paths = [save("o", base), save("a", ours), save("b", theirs)];
        let words: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
        sandbox
            .seal(&["merge-driver", words[0], words[1], words[2], "7", FILE])
            .ok()
            .silent();
        assert_eq!(fs::read(&paths[1]).unwrap(), sandbox.stored(&format!("{kept}:{FILE}")));
    }
    sandbox.assert_no_leak();
}

#[test]
fn other_recipients_on_one_side_merge_for_the_rule() {
    let sandbox = branches(&one("CANARY-ours"), &two("CANARY-theirs"));
    sandbox.policy(&[("^secrets/", &format!("{ALICE},{BOB}"))]);
    sandbox.git(&["add", "."]).ok();
    sandbox.seal(&["updatekeys", FILE]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "bob too"]).ok();
    sandbox.git(&["merge", "--quiet", "side", "-m", "merge"]).ok();
    sandbox.seal(&["verify"]).ok();
    let stored = sandbox.stored("HEAD:secrets/app.yaml");
    assert!(contains(&stored, BOB.as_bytes()) && contains(&stored, ALICE.as_bytes()));
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn diffs_are_plain_with_a_key_and_ciphertext_without() {
    let sandbox = branches(&one("CANARY-ours"), &two("CANARY-theirs"));
    sandbox.write(FILE, one("CANARY-staged"));
    sandbox.git(&["add", FILE]).ok();
    sandbox.write(FILE, one("CANARY-edited"));
    let cases: [(&[&str], &[&str]); 6] = [
        (&["diff"], &["-one: CANARY-staged", "+one: CANARY-edited"]),
        (&["diff", "--cached"], &["-one: CANARY-ours", "+one: CANARY-staged"]),
        (&["diff", "side", "main"], &["+one: CANARY-ours", "-two: CANARY-theirs"]),
        (&["log", "-p", "-1"], &["-one: CANARY-1", "+one: CANARY-ours"]),
        (&["show", "side"], &["-two: CANARY-2", "+two: CANARY-theirs"]),
        (&["show", "side~1"], &["+one: CANARY-1"]),
    ];
    for (args, lines) in cases {
        let text = sandbox.git(args).ok().silent().text();
        for line in lines {
            assert!(text.lines().any(|told| told == *line), "{args:?}: {line}\n{text}");
        }
        assert!(!text.contains("ENC["), "{args:?}\n{text}");
    }
    sandbox.git(&["checkout", "--quiet", "--force", "main"]).ok();
    sandbox.take_keys();
    for (args, _) in &cases[2..] {
        let text = sandbox.git(args).ok().text();
        assert!(text.contains("ENC[") && !text.contains("CANARY"), "{args:?}\n{text}");
    }
    sandbox.assert_no_leak();
}
