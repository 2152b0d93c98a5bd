//! The scenarios of everyday Git on sealed files, by their numbers: what Git shows and hands out (S50–S55).

use crate::support::scenario::{FILE, both, committed, one};
use crate::support::{ALICE, BOB, contains};

#[test]
fn s50_what_people_look_at_is_plain_with_a_key_and_ciphertext_without() {
    let sandbox = committed();
    sandbox.put(FILE, &one("CANARY-new"), "changed");
    sandbox.write(FILE, both("CANARY-new", "CANARY-unstaged"));
    let search = ["log", "--format=%s", "-S", "CANARY-new"];
    let now: [(&[&str], &str); 6] = [
        (&["diff"], "+two: CANARY-unstaged"),
        (&["diff", "--cached", "HEAD~1"], "+one: CANARY-new"),
        (&["show"], "+one: CANARY-new"),
        (&["log", "-p"], "+one: CANARY-new"),
        (&["diff", "--word-diff", "HEAD~1", "HEAD"], "[-CANARY-1-]{+CANARY-new+}"),
        (&["show", "--textconv", "HEAD:secrets/app.yaml"], "one: CANARY-new"),
    ];
    for (args, part) in now {
        let text = sandbox.git(args).ok().silent().text();
        assert!(text.contains(part) && !text.contains("ENC["), "{args:?}\n{text}");
    }
    assert_eq!(sandbox.tell(&search), "changed\n");
    assert_eq!(
        sandbox.tell(&["log", "--format=%s", "--no-textconv", "-S", "CANARY-new"]),
        ""
    );

    sandbox.git(&["checkout", "--quiet", FILE]).ok();
    sandbox.seal(&["lock"]).ok();
    sandbox.take_keys();
    for args in [
        &["diff", "HEAD~1"][..],
        &["show"],
        &["log", "-p"],
        &["diff", "--word-diff", "HEAD~1"],
    ] {
        let text = sandbox.git(args).ok().text();
        assert!(text.contains("ENC[") && !text.contains("CANARY"), "{args:?}\n{text}");
    }
    assert_eq!(sandbox.tell(&search), "");
    sandbox.standing();
}

#[test]
fn s51_a_file_sealed_for_others_is_no_change_to_what_compares_plain_texts() {
    let sandbox = committed();
    sandbox.policy(&[("^secrets/", &format!("{ALICE},{BOB}"))]);
    sandbox.seal(&["updatekeys", "--yes", FILE]).ok();
    sandbox.commit_all("for both");
    assert_ne!(
        sandbox.oid("HEAD:secrets/app.yaml"),
        sandbox.oid("HEAD~1:secrets/app.yaml")
    );
    // Git opens both sides before it asks for their text, so nothing can tell them apart there: no line is shown, and the exit code
    // of `--exit-code` is 1 or 0, by Git's version.
    let shown = sandbox.tell(&["diff", "HEAD~1", "HEAD", "--", FILE]);
    assert!(!shown.contains("@@"), "{shown}");
    // What looks at the stored file sees it, with the recipient by name.
    let stored = sandbox
        .git(&["diff", "--exit-code", "--no-textconv", "HEAD~1", "HEAD", "--", FILE])
        .exits(1)
        .text();
    assert!(stored.contains(&format!("recipient: {BOB}")), "{stored}");
    sandbox.git(&["diff-index", "--quiet", "HEAD~1", "--", FILE]).exits(1);
    assert!(sandbox.tell(&["diff", "--stat", "HEAD~1"]).contains(FILE));
    assert!(sandbox.tell(&["log", "--raw", "-1"]).contains(FILE));
    sandbox.standing();
}

#[test]
fn s52_what_becomes_a_patch_is_ciphertext() {
    let sandbox = committed();
    sandbox.git(&["branch", "old"]).ok();
    sandbox.put(FILE, &one("CANARY-new"), "changed");
    let before = sandbox.oid("HEAD");
    sandbox.git(&["commit", "--quiet", "--amend", "-m", "other words"]).ok();
    let range = format!("old..{before}");
    sandbox.write(FILE, one("CANARY-stashed"));
    sandbox.git(&["stash"]).ok();
    let cases: [&[&str]; 6] = [
        &["diff-index", "-p", "HEAD~1"],
        &["diff-tree", "-p", "HEAD"],
        &["format-patch", "--stdout", "old"],
        &["stash", "show", "-p", "--no-textconv"],
        &["range-diff", "--no-textconv", &range, "old..HEAD"],
        &["bundle", "create", "--quiet", "-", "--all"],
    ];
    for args in cases {
        let output = sandbox.git(args).ok();
        assert!(!output.stdout.is_empty(), "{args:?}");
        assert!(!contains(&output.stdout, b"CANARY"), "{args:?}\n{}", output.text());
    }
    sandbox.standing();
}

#[test]
fn s53_a_part_of_the_ciphertext_is_refused_and_the_edit_survives() {
    let sandbox = committed();
    let edited = both("CANARY-x", "CANARY-y");
    sandbox.write(FILE, &edited);
    // The first hunk of the ciphertext alone.
    sandbox
        .run_in(&sandbox.repo, "git", &["add", "-p", FILE], b"y\nn\nn\nn\n")
        .ok();
    sandbox.git(&["commit", "-m", "half"]).fails().says("GS103").says(FILE);
    assert_eq!(sandbox.text(FILE), edited);
    sandbox.git(&["add", FILE]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "whole"]).ok();
    sandbox.standing();
}

#[test]
fn s54_blame_is_plain_for_a_commit_and_ciphertext_for_the_work_tree() {
    let sandbox = committed();
    sandbox.put(FILE, &one("CANARY-new"), "changed");
    let stored = sandbox.tell(&["blame", "HEAD", "--", FILE]);
    assert!(
        stored.contains("one: CANARY-new") && !stored.contains("ENC["),
        "{stored}"
    );
    // Git opens the file of the work tree and then seals it again before it shows its lines.
    let here = sandbox.tell(&["blame", FILE]);
    assert!(here.contains("one: ENC["), "{here}");
    sandbox.standing();
}

#[test]
fn s55_an_archive_is_opened_unless_the_filter_is_taken_away() {
    let sandbox = committed();
    let open = sandbox.git(&["archive", "HEAD"]).ok().stdout;
    assert!(contains(&open, b"one: CANARY-1"));
    let sealed = sandbox
        .git(&[
            "-c",
            "filter.git-seal.process=",
            "-c",
            "filter.git-seal.smudge=",
            "-c",
            "filter.git-seal.required=false",
            "archive",
            "HEAD",
        ])
        .ok()
        .stdout;
    assert!(contains(&sealed, b"ENC[") && !contains(&sealed, b"CANARY"));
    sandbox.standing();
}
