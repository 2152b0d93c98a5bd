//! Merges by key through real Git: neighbours, both ways of bringing changes over, conflicts in every style, files that one side
//! added, moved, sealed or gave to somebody else.

use std::fs;

use crate::support::{ALICE, BOB, Sandbox, contains};

const FILE: &str = "secrets/app.yaml";
const BASE: &str = "# head\none: CANARY-1\ntwo: CANARY-2\nmap:\n  x: CANARY-x # in\n  y: CANARY-y\n";

fn commit(sandbox: &Sandbox, path: &str, text: &str, message: &str) {
    sandbox.write(path, text);
    sandbox.git(&["add", "."]).ok();
    sandbox.git(&["commit", "--quiet", "--allow-empty", "-m", message]).ok();
}

/// Two branches, `main` (checked out) and `side`, that changed a file from a common state, if there is one.
fn branches_of(path: &str, base: Option<&str>, ours: &str, theirs: &str) -> Sandbox {
    let sandbox = Sandbox::set_up();
    if let Some(base) = base {
        commit(&sandbox, path, base, "base");
    }
    sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
    commit(&sandbox, path, theirs, "theirs");
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    commit(&sandbox, path, ours, "ours");
    sandbox
}

fn branches(ours: &str, theirs: &str) -> Sandbox {
    branches_of(FILE, Some(BASE), ours, theirs)
}

fn with(changes: &[(&str, &str)]) -> String {
    changes
        .iter()
        .fold(BASE.to_owned(), |text, (old, new)| text.replace(old, new))
}

/// Sealed, verified, clean, and nothing in the clear.
#[track_caller]
fn assert_settled(sandbox: &Sandbox, path: &str, text: &str) {
    assert_eq!(sandbox.text(path), text);
    sandbox.assert_sealed(&format!("HEAD:{path}"));
    sandbox.seal(&["verify", "--history"]).ok();
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn changes_to_neighbouring_keys_merge() {
    for (path, base, ours, theirs, merged) in [
        (
            FILE,
            BASE,
            with(&[("CANARY-1", "CANARY-ours"), ("CANARY-x", "CANARY-o")]),
            with(&[
                ("CANARY-2", "CANARY-theirs"),
                ("  y:", "  n: CANARY-n\n  y:"),
                ("CANARY-y", "CANARY-t"),
            ]),
            with(&[
                ("CANARY-1", "CANARY-ours"),
                ("CANARY-x", "CANARY-o"),
                ("CANARY-2", "CANARY-theirs"),
                ("  y:", "  n: CANARY-n\n  y:"),
                ("CANARY-y", "CANARY-t"),
            ]),
        ),
        (
            "secrets/a.json",
            "{\n  \"a\": \"CANARY-1\",\n  \"b\": \"CANARY-2\"\n}\n",
            "{\n  \"a\": \"CANARY-3\",\n  \"b\": \"CANARY-2\"\n}\n".to_owned(),
            "{\n  \"a\": \"CANARY-1\",\n  \"b\": \"CANARY-4\",\n  \"c\": \"CANARY-5\"\n}\n".to_owned(),
            "{\n  \"a\": \"CANARY-3\",\n  \"b\": \"CANARY-4\",\n  \"c\": \"CANARY-5\"\n}\n".to_owned(),
        ),
        (
            "secrets/a.env",
            "A=CANARY-1\nB=CANARY-2\n",
            "A=CANARY-3\nB=CANARY-2\nC=CANARY-5\n".to_owned(),
            "A=CANARY-1\nB=CANARY-4\nD=CANARY-6\n".to_owned(),
            "A=CANARY-3\nB=CANARY-4\nC=CANARY-5\nD=CANARY-6\n".to_owned(),
        ),
        (
            "secrets/a.ini",
            "[s]\na = CANARY-1\nb = CANARY-2\n",
            "[s]\na = CANARY-3\nb = CANARY-2\n".to_owned(),
            "[s]\na = CANARY-1\nb = CANARY-4\n".to_owned(),
            "[s]\na = CANARY-3\nb = CANARY-4\n".to_owned(),
        ),
    ] {
        let sandbox = branches_of(path, Some(base), &ours, &theirs);
        sandbox.git(&["merge", "--quiet", "side", "-m", "merge"]).ok().silent();
        assert_settled(&sandbox, path, &merged);
    }
}

#[test]
fn a_rebase_a_pick_and_a_stash_merge_by_key_as_well() {
    let (ours, theirs) = (
        with(&[("CANARY-1", "CANARY-ours")]),
        with(&[("CANARY-2", "CANARY-theirs")]),
    );
    let both = with(&[("CANARY-1", "CANARY-ours"), ("CANARY-2", "CANARY-theirs")]);
    let sandbox = branches(&ours, &theirs);
    sandbox.git(&["branch", "picked"]).ok();
    sandbox.git(&["branch", "stashed"]).ok();
    sandbox.git(&["rebase", "--quiet", "side"]).ok();
    assert_settled(&sandbox, FILE, &both);
    sandbox.git(&["checkout", "--quiet", "picked"]).ok();
    sandbox.git(&["cherry-pick", "side"]).ok();
    assert_settled(&sandbox, FILE, &both);
    sandbox.git(&["revert", "--no-edit", "HEAD~1"]).ok();
    assert_settled(&sandbox, FILE, &theirs);

    sandbox.git(&["checkout", "--quiet", "side"]).ok();
    sandbox.write(FILE, with(&[("CANARY-2", "CANARY-theirs"), ("CANARY-y", "CANARY-w")]));
    sandbox.git(&["stash", "--quiet"]).ok();
    sandbox.git(&["checkout", "--quiet", "stashed"]).ok();
    sandbox.git(&["stash", "pop", "--quiet"]).ok();
    assert_eq!(
        sandbox.text(FILE),
        with(&[("CANARY-1", "CANARY-ours"), ("CANARY-y", "CANARY-w")])
    );
    sandbox.assert_no_leak();
}

#[test]
fn a_conflict_is_shown_around_its_key_in_the_style_that_is_asked_for() {
    let (ours, theirs) = (
        with(&[("CANARY-1", "CANARY-ours"), ("CANARY-2", "CANARY-o2")]),
        with(&[("CANARY-2", "CANARY-t2"), ("CANARY-y", "CANARY-ty")]),
    );
    let conflict = |base: &str| {
        format!(
            "# head\none: CANARY-ours\n<<<<<<< HEAD\ntwo: CANARY-o2\n{base}=======\ntwo: CANARY-t2\n>>>>>>> side\n\
             map:\n  x: CANARY-x # in\n  y: CANARY-ty\n"
        )
    };
    for style in ["merge", "diff3", "zdiff3"] {
        let sandbox = branches(&ours, &theirs);
        sandbox.git(&["config", "merge.conflictStyle", style]).ok();
        sandbox.git(&["merge", "side", "-m", "merge"]).exits(1);
        let shown = sandbox.text(FILE);
        if style == "merge" {
            // Git before 2.44 does not tell drivers the names.
            assert_eq!(
                shown.replace(" ours\n", " HEAD\n").replace(" theirs\n", " side\n"),
                conflict("")
            );
        } else {
            let base = shown.lines().find(|line| line.starts_with("|||||||")).unwrap();
            let base = format!("{base}\ntwo: CANARY-2\n");
            assert_eq!(
                shown.replace(" ours\n", " HEAD\n").replace(" theirs\n", " side\n"),
                conflict(&base)
            );
        }
        sandbox.assert_sealed("AUTO_MERGE:secrets/app.yaml");
        sandbox.git(&["add", FILE]).ok().says("draft");
        sandbox.git(&["commit", "-m", "x"]).exits(1).says("GS104");
        sandbox.assert_no_leak();
        let settled = shown
            .replace("<<<<<<< ", "#")
            .lines()
            .filter(|line| line.starts_with("one"))
            .count();
        assert_eq!(settled, 1);
        sandbox.write(FILE, &ours);
        sandbox.git(&["add", FILE]).ok();
        sandbox.git(&["commit", "--quiet", "-m", "merge"]).ok();
        assert_settled(&sandbox, FILE, &ours);
    }
}

#[test]
fn the_size_of_markers_is_that_of_the_path() {
    let sandbox = branches(&with(&[("CANARY-1", "CANARY-o")]), &with(&[("CANARY-1", "CANARY-t")]));
    let attributes = "secrets/** filter=git-seal diff=git-seal merge=git-seal -text conflict-marker-size=12\n";
    commit(&sandbox, ".gitattributes", attributes, "size");
    sandbox.git(&["merge", "side", "-m", "merge"]).exits(1);
    let shown = sandbox.text(FILE);
    for sign in ["<", "=", ">"] {
        let lines = shown.lines().filter(|line| line.starts_with(&sign.repeat(12)));
        assert_eq!(lines.count(), 1, "{shown}");
    }
    sandbox.assert_no_leak();
}

#[test]
fn a_file_that_both_sides_added_merges_by_key() {
    let sandbox = branches_of(FILE, None, "a: CANARY-1\nb: CANARY-2\n", "a: CANARY-1\nc: CANARY-3\n");
    sandbox.git(&["merge", "--quiet", "side", "-m", "merge"]).ok();
    assert_settled(&sandbox, FILE, "a: CANARY-1\nb: CANARY-2\nc: CANARY-3\n");
    let sandbox = branches_of(FILE, None, "a: CANARY-1\nb: CANARY-2\n", "a: CANARY-1\nb: CANARY-3\n");
    sandbox.git(&["merge", "side", "-m", "merge"]).exits(1);
    assert!(
        sandbox.text(FILE).starts_with("a: CANARY-1\n<<<<<<< "),
        "{}",
        sandbox.text(FILE)
    );
    sandbox.assert_no_leak();
}

#[test]
fn a_file_that_one_side_removed_or_moved_is_gits_to_judge() {
    let sandbox = branches(&with(&[("CANARY-1", "CANARY-o")]), BASE);
    sandbox.git(&["checkout", "--quiet", "side"]).ok();
    sandbox.git(&["rm", "--quiet", FILE]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "gone"]).ok();
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.git(&["merge", "side", "-m", "merge"]).exits(1);
    assert_eq!(sandbox.text(FILE), with(&[("CANARY-1", "CANARY-o")]));
    sandbox.git(&["merge", "--abort"]).ok();
    sandbox.assert_clean();
    sandbox.assert_no_leak();

    let sandbox = branches(&with(&[("CANARY-1", "CANARY-o")]), &with(&[("CANARY-2", "CANARY-t")]));
    sandbox.git(&["checkout", "--quiet", "side"]).ok();
    sandbox.git(&["mv", FILE, "secrets/moved.yaml"]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "moved"]).ok();
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.git(&["merge", "--quiet", "side", "-m", "merge"]).ok();
    let both = with(&[("CANARY-1", "CANARY-o"), ("CANARY-2", "CANARY-t")]);
    assert_settled(&sandbox, "secrets/moved.yaml", &both);
}

#[test]
fn several_branches_at_once_and_crossed_ones() {
    let sandbox = branches(&with(&[("CANARY-1", "CANARY-o")]), &with(&[("CANARY-2", "CANARY-t")]));
    sandbox.git(&["checkout", "--quiet", "-b", "third", "main~1"]).ok();
    commit(&sandbox, FILE, &with(&[("CANARY-x", "CANARY-3")]), "third");
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    // Git merges several branches by itself, blob by blob, and gives up where two changed a file.
    sandbox
        .git(&["merge", "--quiet", "side", "third", "-m", "octopus"])
        .exits(2);
    sandbox.git(&["reset", "--quiet", "--hard"]).ok();
    assert_settled(&sandbox, FILE, &with(&[("CANARY-1", "CANARY-o")]));
    for branch in ["side", "third"] {
        sandbox.git(&["merge", "--quiet", branch, "-m", "one by one"]).ok();
    }
    let all = with(&[
        ("CANARY-1", "CANARY-o"),
        ("CANARY-2", "CANARY-t"),
        ("CANARY-x", "CANARY-3"),
    ]);
    assert_settled(&sandbox, FILE, &all);

    // Each side has merged the other and settled the same conflict in its own way: the ancestor is a conflict itself.
    let sandbox = branches(&with(&[("CANARY-1", "CANARY-o")]), &with(&[("CANARY-1", "CANARY-t")]));
    let settle = |branch: &str, other: &str, value: &str, further: (&str, &str)| {
        sandbox.git(&["checkout", "--quiet", branch]).ok();
        sandbox.git(&["merge", other, "-m", "cross"]).exits(1);
        sandbox.write(FILE, with(&[("CANARY-1", value), further]));
        sandbox.git(&["add", FILE]).ok();
        sandbox.git(&["commit", "--quiet", "-m", "cross"]).ok();
    };
    sandbox.git(&["tag", "ours"]).ok();
    sandbox.git(&["tag", "theirs", "side"]).ok();
    settle("main", "theirs", "CANARY-o", ("CANARY-2", "CANARY-2o"));
    settle("side", "ours", "CANARY-o", ("CANARY-y", "CANARY-yt"));
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.git(&["merge", "side", "-m", "crossed"]);
    let shown = sandbox.text(FILE);
    assert!(shown.contains("CANARY-2o") && shown.contains("CANARY-yt"), "{shown}");
    sandbox.assert_sealed(":2:secrets/app.yaml");
    sandbox.assert_no_leak();
}

#[test]
fn a_side_in_the_clear_is_sealed_by_the_merge() {
    let sandbox = Sandbox::new();
    sandbox.write(FILE, "one: plain-1\ntwo: plain-2\n");
    sandbox.git(&["add", "."]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "base"]).ok();
    sandbox.git(&["checkout", "--quiet", "-b", "sealed"]).ok();
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.write(
        ".gitattributes",
        "secrets/** filter=git-seal diff=git-seal merge=git-seal -text\n",
    );
    sandbox.seal(&["install"]).ok();
    sandbox.seal(&["encrypt", "--in-place", FILE]).ok();
    sandbox.git(&["add", "."]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "sealed"]).ok();
    sandbox.git(&["branch", "plain", "main"]).ok();
    sandbox
        .git(&["-c", "core.hooksPath=/dev/null", "checkout", "--quiet", "plain"])
        .ok();
    sandbox.write(FILE, "one: plain-1\ntwo: plain-3\n");
    sandbox
        .git(&["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-am", "plain"])
        .ok();
    sandbox.git(&["checkout", "--quiet", "sealed"]).ok();
    sandbox.git(&["merge", "--quiet", "plain", "-m", "merge"]).ok();
    assert_eq!(sandbox.text(FILE), "one: plain-1\ntwo: plain-3\n");
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    sandbox.assert_clean();
}

/// The recipients that a stored state names, and whether Bob can open it.
fn access(sandbox: &Sandbox, name: &str) -> (bool, bool) {
    let stored = sandbox.stored(name);
    (contains(&stored, ALICE.as_bytes()), contains(&stored, BOB.as_bytes()))
}

fn give(sandbox: &Sandbox, recipients: &str) {
    sandbox.policy(&[("^secrets/", recipients)]);
    sandbox.git(&["add", "."]).ok();
    sandbox.seal(&["updatekeys", FILE]).ok();
    sandbox.git(&["add", "."]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "recipients"]).ok();
}

#[test]
fn recipients_that_a_side_added_are_there_and_those_it_removed_are_not() {
    let one_and_two = with(&[("CANARY-1", "CANARY-o"), ("CANARY-2", "CANARY-t")]);
    let both = format!("{ALICE},{BOB}");
    // Theirs adds Bob: the rule that says so comes with the same merge.
    let sandbox = branches(&with(&[("CANARY-1", "CANARY-o")]), &with(&[("CANARY-2", "CANARY-t")]));
    sandbox.git(&["checkout", "--quiet", "side"]).ok();
    give(&sandbox, &both);
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.git(&["merge", "--quiet", "side", "-m", "merge"]).ok();
    assert_eq!(access(&sandbox, "HEAD:secrets/app.yaml"), (true, true));
    assert_settled(&sandbox, FILE, &one_and_two);

    // Theirs removes Bob, ours did nothing but change a value.
    for ours in [with(&[("CANARY-1", "CANARY-o")]), BASE.to_owned()] {
        let sandbox = Sandbox::set_up();
        sandbox.policy(&[("^secrets/", &both)]);
        commit(&sandbox, FILE, BASE, "base");
        sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
        give(&sandbox, ALICE);
        sandbox.git(&["checkout", "--quiet", "main"]).ok();
        commit(&sandbox, FILE, &ours, "ours");
        sandbox.git(&["merge", "--quiet", "side", "-m", "merge"]).ok();
        assert_eq!(access(&sandbox, "HEAD:secrets/app.yaml"), (true, false));
        assert_settled(&sandbox, FILE, &ours);
    }
}

#[test]
fn a_recipient_whom_only_the_other_file_names_is_not_wrapped_for() {
    let sandbox = branches(&with(&[("CANARY-1", "CANARY-o")]), &with(&[("CANARY-2", "CANARY-t")]));
    let save = |name: &str, bytes: &[u8]| {
        let path = sandbox.root().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let stored = |revision: &str| sandbox.stored(&format!("{revision}:{FILE}"));
    sandbox.git(&["checkout", "--quiet", "side"]).ok();
    sandbox.seal(&["rotate", "--in-place", FILE]).ok();
    sandbox.git(&["add", FILE]).ok();
    let (same_key, new_key) = (stored("side"), stored(""));
    assert_ne!(same_key, new_key);
    sandbox.git(&["checkout", "--quiet", "--force", "main"]).ok();
    for theirs in [same_key, new_key] {
        // Bob's name beside a key that nobody wrapped for him.
        let theirs = String::from_utf8(theirs).unwrap();
        let at = theirs.find("age:").unwrap() + "age:".len();
        let line = theirs[at..].lines().nth(1).unwrap();
        let indent = &line[..line.len() - line.trim_start().len()];
        let forged = format!("\n{indent}- recipient: {BOB}\n{indent}  enc: none");
        let theirs = format!("{}{forged}{}", &theirs[..at], &theirs[at..]);
        let paths = [
            save("o", &stored("main~1")),
            save("a", &stored("main")),
            save("b", theirs.as_bytes()),
        ];
        let words: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
        sandbox
            .seal(&["merge-driver", words[0], words[1], words[2], "7", FILE])
            .ok();
        let merged = fs::read_to_string(&paths[1]).unwrap();
        assert!(merged.contains("ENC[") && merged.contains(ALICE), "{merged}");
        assert_eq!(merged.matches("BEGIN AGE ENCRYPTED FILE").count(), 1, "{merged}");
    }
}
