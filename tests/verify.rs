//! `verify`, as CI calls it: what it looks at, its exit codes and its reports, in every kind of repository, without a trace.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::support::{ALICE, Sandbox, files_below};

const PLAIN: &str = "token: CANARY\n";

/// What lies in a folder: path, length, time.
fn listing(folder: &Path) -> Vec<(PathBuf, u64, SystemTime)> {
    let mut files: Vec<_> = files_below(folder)
        .into_iter()
        .map(|path| {
            let data = fs::metadata(&path).unwrap();
            (path, data.len(), data.modified().unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Runs `verify` in a folder and asserts that nothing in it was written.
#[track_caller]
fn verify_in(sandbox: &Sandbox, folder: &Path, args: &[&str], code: i32) -> String {
    let before = listing(folder);
    let mut all = vec!["verify"];
    all.extend(args);
    let output = sandbox.seal_in(folder, &all).exits(code);
    assert_eq!(listing(folder), before, "verify wrote something");
    assert!(!output.text().contains("CANARY"), "{}", output.text());
    output.text() + &output.stderr
}

#[track_caller]
fn verify(sandbox: &Sandbox, args: &[&str], code: i32) -> String {
    verify_in(sandbox, &sandbox.repo, args, code)
}

#[track_caller]
fn report(sandbox: &Sandbox, args: &[&str], code: i32) -> Value {
    let mut all = args.to_vec();
    all.extend(["--format", "json"]);
    serde_json::from_str(&verify(sandbox, &all, code)).unwrap()
}

/// A guarded repository with: a good commit, one with a plain file (tag `bad`), one without it (tag `good`).
fn history() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.write("secrets/a.yaml", PLAIN);
    sandbox.seal(&["encrypt", "-i", "secrets/a.yaml"]).ok();
    sandbox.commit_all("first");
    sandbox.git(&["tag", "first"]).ok();
    sandbox.write("secrets/b.yaml", PLAIN);
    sandbox.commit_all("bad");
    sandbox.git(&["tag", "bad"]).ok();
    sandbox.git(&["rm", "--quiet", "secrets/b.yaml"]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "good"]).ok();
    sandbox.git(&["tag", "good"]).ok();
    sandbox
}

#[test]
fn each_way_to_ask_looks_at_its_own_part() {
    let sandbox = history();
    for (args, code) in [
        (&[][..], 0),
        (&["HEAD"], 0),
        (&["first"], 0),
        (&["bad"], 1),
        (&["good"], 0),
        (&["HEAD~1"], 1),
        (&["first..bad"], 1),
        (&["first..good"], 1),
        (&["bad..good"], 0),
        (&["bad.."], 0),
        (&["good..good"], 0),
        (&["good..first"], 0),
        (&["--history"], 1),
        (&["--staged"], 0),
        (&["--worktree"], 0),
        (&["nowhere"], 2),
        (&["nowhere..HEAD"], 2),
        (&["--format", "xml"], 2),
        (&["--staged", "--worktree"], 2),
    ] {
        let text = verify(&sandbox, args, code);
        assert_eq!(code == 1, text.contains("GS101"), "{args:?}: {text}");
    }
    sandbox.write("secrets/c.yaml", PLAIN);
    verify(&sandbox, &["--worktree"], 1);
    verify(&sandbox, &["--staged"], 0);
    sandbox.git(&["add", "."]).ok();
    verify(&sandbox, &["--staged"], 1);
    verify(&sandbox, &[], 0);
    fs::remove_file(sandbox.repo.join("secrets/c.yaml")).unwrap();
    verify(&sandbox, &["--worktree"], 0);
    verify(&sandbox, &["--staged"], 1);
}

#[test]
fn the_report_for_programs_has_every_field() {
    let sandbox = history();
    let bad = sandbox.oid("bad");
    let told = report(&sandbox, &["first..good"], 1);
    let finding = &told["findings"][0];
    assert_eq!(
        told["summary"],
        json!({
            "scope": "commits", "commits": 2, "files": 2, "sealed": 0, "errors": 1, "warnings": 0, "unjudged": 0, "exit_code": 1,
        })
    );
    assert_eq!((&told["version"], &told["unjudged"]), (&json!(1), &json!([])));
    let keys: Vec<&String> = finding.as_object().unwrap().keys().collect();
    let expected = [
        "check",
        "name",
        "severity",
        "path",
        "line",
        "column",
        "commit",
        "message",
        "excerpt",
        "help",
        "fingerprint",
    ];
    assert_eq!(keys, expected);
    assert_eq!(finding["check"], "GS101");
    assert_eq!(finding["path"], "secrets/b.yaml");
    assert_eq!(finding["commit"], bad.as_str());
    let print = finding["fingerprint"].as_str().unwrap();
    assert!(print.len() == 32 && print.bytes().all(|byte| byte.is_ascii_hexdigit()));
    // One file, one finding, however it is looked at.
    let tree = report(&sandbox, &["bad"], 1);
    assert_eq!(tree["findings"][0]["fingerprint"], print);
    assert_eq!(
        (&tree["findings"][0]["commit"], &tree["summary"]["scope"]),
        (&Value::Null, &json!("tree"))
    );
    assert_eq!(tree["summary"]["files"], 3);

    let good = report(&sandbox, &[], 0);
    assert_eq!(
        (
            &good["findings"],
            &good["summary"]["sealed"],
            &good["summary"]["exit_code"]
        ),
        (&json!([]), &json!(1), &json!(0))
    );
    assert_eq!(report(&sandbox, &["--staged"], 0)["summary"]["scope"], "index");
    assert_eq!(report(&sandbox, &["--worktree"], 0)["summary"]["scope"], "worktree");
}

#[test]
fn a_finding_has_line_and_column() {
    let sandbox = history();
    let sealed = sandbox.text("secrets/a.yaml");
    sandbox.write(
        "secrets/a.yaml",
        format!("# c\n  {sealed}").replacen("  token", "extra: CANARY\ntoken", 1),
    );
    sandbox.git(&["add", "."]).ok();
    let told = report(&sandbox, &["--staged"], 1);
    let values: Vec<&Value> = told["findings"].as_array().unwrap().iter().collect();
    let value = values.iter().find(|value| value["line"] == 2).unwrap();
    assert_eq!((&value["check"], &value["column"]), (&json!("GS102"), &json!(8)));
}

#[test]
fn without_a_key_it_says_what_it_did_not_check() {
    let sandbox = history();
    assert!(!verify(&sandbox, &[], 0).contains("MAC"));
    sandbox.take_keys();
    let text = verify(&sandbox, &[], 0);
    assert!(text.contains("the MAC of 1 sealed file was not checked"), "{text}");
    let notes = &report(&sandbox, &[], 0)["notes"];
    assert!(notes[0].as_str().unwrap().contains("MAC of 1 sealed file"), "{notes}");
    verify(&sandbox, &["bad"], 1);
}

#[test]
fn a_bare_repository_is_verified() {
    let sandbox = history();
    let bare = sandbox.clone_to("bare.git", &["--bare"]);
    for (args, code) in [
        (&[][..], 0),
        (&["bad"], 1),
        (&["first..good"], 1),
        (&["--history"], 1),
        (&["--worktree"], 2),
    ] {
        verify_in(&sandbox, &bare, args, code);
    }
}

#[test]
fn a_fresh_clone_without_set_up_is_verified() {
    let sandbox = Sandbox::set_up();
    sandbox.write("secrets/a.yaml", PLAIN);
    sandbox.commit_all("sealed");
    let clone = sandbox.clone_to("clone", &[]);
    sandbox.take_keys();
    for args in [
        &[][..],
        &["--history"],
        &["--staged"],
        &["--worktree"],
        &["HEAD~1..HEAD"],
    ] {
        verify_in(&sandbox, &clone, args, 0);
        verify_in(&sandbox, &clone.join("secrets"), args, 0);
    }
    fs::write(clone.join("secrets/b.yaml"), PLAIN).unwrap();
    sandbox.git_in(&clone, &["add", "."]).ok();
    verify_in(&sandbox, &clone, &["--staged"], 1);
    sandbox.git_in(&clone, &["commit", "--quiet", "-m", "leak"]).ok();
    verify_in(&sandbox, &clone, &[], 1);
}

#[test]
fn a_range_that_a_shallow_clone_cut_off_is_not_judged_and_it_says_what_to_fetch() {
    let sandbox = history();
    sandbox.git(&["checkout", "--quiet", "-B", "main", "good"]).ok();
    let url = format!("file://{}", sandbox.repo.display());
    let clone = sandbox.root().join("shallow");
    sandbox
        .git(&["clone", "--quiet", "--depth", "1", &url, clone.to_str().unwrap()])
        .ok();
    verify_in(&sandbox, &clone, &[], 0);
    let first = sandbox.oid("first");
    let text = verify_in(&sandbox, &clone, &["--history"], 2);
    assert!(text.contains("git fetch --unshallow"), "{text}");
    let text = verify_in(&sandbox, &clone, &[&format!("{first}..HEAD")], 2);
    assert!(text.contains("fetch"), "{text}");
    sandbox.git_in(&clone, &["fetch", "--quiet", "--unshallow"]).ok();
    verify_in(&sandbox, &clone, &["--history"], 1);
}

#[test]
fn a_repository_with_longer_object_names_is_verified() {
    let sandbox = Sandbox::with_init(&["init", "--quiet", "--initial-branch=main", "--object-format=sha256"]);
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.seal(&["init"]).ok();
    sandbox.write("secrets/a.yaml", PLAIN);
    sandbox.commit_all("sealed");
    assert_eq!(sandbox.oid("HEAD").len(), 64);
    sandbox.assert_sealed("HEAD:secrets/a.yaml");
    for args in [&[][..], &["--history"], &["--staged"], &["--worktree"]] {
        verify(&sandbox, args, 0);
    }
    sandbox.assert_clean();
    sandbox.assert_no_leak();
    sandbox.git(&["config", "--remove-section", "filter.git-seal"]).ok();
    sandbox.write("secrets/b.yaml", PLAIN);
    sandbox.git(&["add", "."]).ok();
    verify(&sandbox, &["--staged"], 1);
    sandbox.git(&["commit", "-m", "x"]).exits(1).says("GS101");
    sandbox.git(&["commit", "--quiet", "--no-verify", "-m", "x"]).ok();
    for args in [&[][..], &["--history"], &["HEAD~1..HEAD"]] {
        verify(&sandbox, args, 1);
    }
}

#[test]
fn before_the_first_commit_there_is_an_index_and_a_work_tree() {
    let sandbox = Sandbox::new();
    verify(&sandbox, &["--staged"], 0);
    verify(&sandbox, &["--worktree"], 0);
    verify(&sandbox, &["--history"], 0);
    let text = verify(&sandbox, &[], 2);
    assert!(text.contains("HEAD"), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains("error:")).count(), 1, "{text}");
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.write("secrets/a.yaml", PLAIN);
    verify(&sandbox, &["--worktree"], 1);
    sandbox.git(&["add", "."]).ok();
    verify(&sandbox, &["--staged"], 1);
}

#[test]
fn outside_of_a_repository_it_could_not_look() {
    let sandbox = Sandbox::new();
    let text = verify_in(&sandbox, &sandbox.home(), &[], 2);
    assert!(text.contains("repository"), "{text}");
}

#[test]
fn a_range_is_held_against_the_policy_that_it_starts_from() {
    let sandbox = history();
    sandbox.policy(&[("^elsewhere/", ALICE)]);
    sandbox.write("secrets/new.yaml", PLAIN);
    sandbox.commit_all("loosened");
    let text = verify(&sandbox, &["HEAD~1..HEAD"], 1);
    assert!(text.contains("GS106") && text.contains("secrets/new.yaml"), "{text}");
    // In two steps as well.
    sandbox.git(&["reset", "--quiet", "--hard", "good"]).ok();
    sandbox.policy(&[("^elsewhere/", ALICE)]);
    sandbox.commit_all("loosened");
    sandbox.write("secrets/new.yaml", PLAIN);
    sandbox.commit_all("leak");
    let told = report(&sandbox, &["good..HEAD"], 1);
    let leak = sandbox.oid("HEAD");
    let found = told["findings"].as_array().unwrap().iter();
    let found = found.filter(|finding| finding["path"] == "secrets/new.yaml" && finding["commit"] == leak.as_str());
    assert_eq!(found.map(|finding| &finding["check"]).collect::<Vec<_>>(), ["GS106"]);
}

#[test]
fn a_partial_clone_says_what_is_not_there() {
    let sandbox = history();
    sandbox.git(&["config", "uploadpack.allowFilter", "true"]).ok();
    let url = format!("file://{}", sandbox.repo.display());
    let clone = sandbox.root().join("partial");
    let path = clone.to_str().unwrap();
    sandbox
        .git(&["clone", "--quiet", "--no-checkout", "--filter=blob:none", &url, path])
        .ok();
    let text = verify_in(&sandbox, &clone, &["--history"], 2);
    assert!(
        text.contains("not in this repository") || text.contains("fetch"),
        "{text}"
    );
}
