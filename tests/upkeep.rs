//! Living with a set-up: `status`, `doctor`, `lock`, `unlock` and `updatekeys`.

use std::fs;

use crate::support::{ALICE, BOB, Sandbox};

const PLAIN: &str = "token: CANARY\n";
const FILE: &str = "secrets/app.yaml";

/// What is done to a repository before the test.
type Change = fn(&Sandbox);

/// As [`Sandbox::set_up`], with a sealed file committed.
fn with_file() -> Sandbox {
    let sandbox = Sandbox::set_up();
    sandbox.write(FILE, PLAIN);
    sandbox.commit_all("a secret");
    sandbox
}

#[test]
fn status_has_a_row_for_each_path_and_state() {
    let sandbox = Sandbox::set_up();
    sandbox.seal(&["status"]).ok().says("no tracked file");
    sandbox.write(FILE, PLAIN);
    sandbox.write("secrets/bob.yaml", PLAIN);
    sandbox.write("secrets/draft.yaml", "[CANARY");
    sandbox.write("secrets/empty.yaml", "");
    sandbox.write("README", "x");
    sandbox.git(&["add", "."]).ok();
    let no_filter = [
        "-c",
        "filter.git-seal.process=",
        "-c",
        "filter.git-seal.clean=",
        "-c",
        "filter.git-seal.required=false",
    ];
    sandbox.write("secrets/plain.yaml", PLAIN);
    let mut add = no_filter.to_vec();
    add.extend(["add", "secrets/plain.yaml"]);
    sandbox.git(&add).ok();
    fs::remove_file(sandbox.repo.join("secrets/bob.yaml")).unwrap();
    let status = sandbox.seal(&["status"]).exits(1).says("2 files not sealed");
    let rows = status.text();
    let row = |name: &str| {
        rows.lines()
            .find(|row| row.contains(name))
            .unwrap_or_else(|| panic!("{rows}"))
    };
    for (name, start) in [
        (FILE, "sealed       open"),
        ("secrets/bob.yaml", "sealed       absent"),
        ("secrets/draft.yaml", "DRAFT        open"),
        ("secrets/empty.yaml", "empty        empty"),
        ("secrets/plain.yaml", "PLAIN IN GIT open"),
    ] {
        assert!(row(name).starts_with(start), "{rows}");
    }
    assert!(row(FILE).ends_with("you can open it"), "{rows}");
    assert_eq!(rows.lines().count(), 5, "{rows}");
    sandbox.take_keys();
    assert!(
        sandbox
            .seal(&["status"])
            .exits(1)
            .text()
            .contains("no key here opens it")
    );
    sandbox.policy(&[("^secrets/", BOB)]);
    let rows = sandbox.seal(&["status"]).exits(1).text();
    assert!(
        rows.contains(&format!("missing {}", &BOB[..6])) && rows.contains("too many"),
        "{rows}"
    );
}

#[test]
fn doctor_says_ok_or_how_to_mend() {
    let sandbox = with_file();
    let told = sandbox.seal(&["doctor"]).ok().stderr;
    assert!(
        !told.contains("BAD") && told.contains("ok    hook pre-commit is installed"),
        "{told}"
    );
    let cases: [(Change, &str, &str); 6] = [
        (
            |sandbox| fs::remove_file(sandbox.repo.join(".git/hooks/pre-push")).unwrap(),
            "hook pre-push is not installed",
            "git seal install",
        ),
        (
            |sandbox| drop(sandbox.git(&["config", "filter.git-seal.required", "false"]).ok()),
            "required",
            "git seal install",
        ),
        (
            |sandbox| drop(sandbox.git(&["config", "--unset", "merge.git-seal.driver"]).ok()),
            "merge.git-seal.driver is not set",
            "git seal install",
        ),
        (
            |sandbox| {
                sandbox.write(
                    ".gitattributes",
                    "secrets/** filter=git-seal diff=git-seal merge=git-seal\n",
                );
            },
            "text",
            "-text",
        ),
        (
            |sandbox| {
                sandbox.write(
                    ".sops.yaml",
                    format!("creation_rules:\n  - path_regex: '('\n    age: {ALICE}\n"),
                );
            },
            ".sops.yaml",
            "correct .sops.yaml",
        ),
        (
            |sandbox| sandbox.policy(&[("^elsewhere/", ALICE)]),
            "no rule says for whom",
            "add a rule to .sops.yaml",
        ),
    ];
    for (damage, what, mend) in cases {
        let sandbox = with_file();
        damage(&sandbox);
        let told = sandbox
            .seal(&["doctor"])
            .exits(1)
            .says("BAD")
            .says(what)
            .says("mend: ")
            .says(mend);
        if mend.starts_with("git ") {
            sandbox.run_in(&sandbox.repo, "sh", &["-c", mend], b"").ok();
            sandbox.seal(&["doctor"]).ok();
        }
        assert!(!told.stderr.contains("AGE-SECRET"), "{}", told.stderr);
    }
    sandbox.take_keys();
    sandbox.seal(&["doctor"]).ok().says("no identity at hand");
}

#[test]
fn lock_and_unlock_leave_the_index_alone() {
    let sandbox = with_file();
    let index = sandbox.git(&["ls-files", "--stage"]).ok().text();
    for _ in 0..2 {
        sandbox.seal(&["lock"]).ok();
        assert_eq!(sandbox.read(FILE), sandbox.stored("HEAD:secrets/app.yaml"));
        sandbox.assert_clean();
        sandbox.seal(&["lock"]).ok();
        sandbox.seal_in(&sandbox.repo.join("secrets"), &["unlock"]).ok();
        assert_eq!(sandbox.text(FILE), PLAIN);
        sandbox.assert_clean();
        sandbox.seal(&["unlock"]).ok();
        assert_eq!(sandbox.git(&["ls-files", "--stage"]).ok().text(), index);
    }
    sandbox.seal(&["lock"]).ok();
    sandbox.take_keys();
    sandbox.seal(&["unlock"]).ok().says("1 file stay");
    assert_eq!(sandbox.read(FILE), sandbox.stored("HEAD:secrets/app.yaml"));
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn lock_without_a_key_still_seals_what_git_has() {
    let sandbox = with_file();
    sandbox.take_keys();
    sandbox.seal(&["lock"]).ok();
    assert_eq!(sandbox.read(FILE), sandbox.stored("HEAD:secrets/app.yaml"));
    sandbox.assert_clean();
}

#[test]
fn updatekeys_seals_for_the_rule_and_says_when_there_is_nothing_to_do() {
    let sandbox = with_file();
    let before = sandbox.oid(":secrets/app.yaml");
    sandbox.seal(&["updatekeys", FILE]).ok().says("already");
    assert_eq!(sandbox.oid(":secrets/app.yaml"), before);
    sandbox.policy(&[("^secrets/", &format!("{ALICE},{BOB}"))]);
    sandbox.seal(&["lock"]).ok();
    sandbox.seal(&["updatekeys", "--yes", FILE]).ok();
    assert_eq!(sandbox.read(FILE), sandbox.stored(":secrets/app.yaml"));
    sandbox.git(&["commit", "--quiet", "-a", "-m", "bob"]).ok();
    sandbox.assert_clean();
    sandbox.give_key("bob");
    sandbox.seal(&["unlock"]).ok();
    assert_eq!(sandbox.text(FILE), PLAIN);
    sandbox.assert_clean();
    sandbox.give_key("carol");
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.seal(&["updatekeys", FILE]).fails().says(FILE);
    sandbox.seal(&["updatekeys", "README"]).fails().says("README");
    sandbox.assert_no_leak();
}

#[test]
fn updatekeys_takes_a_folder_and_leaves_what_no_rule_is_for() {
    let sandbox = with_file();
    sandbox.write("secrets/deep/more.json", "{\"token\": \"CANARY\"}\n");
    sandbox.write("notes/plain.txt", "no secret\n");
    sandbox.commit_all("more");
    sandbox.policy(&[("^secrets/", &format!("{ALICE},{BOB}"))]);
    let done = sandbox.seal(&["updatekeys", "."]).ok();
    assert_eq!(done.stderr.matches("sealed anew for").count(), 2, "{}", done.stderr);
    assert!(!done.stderr.contains("plain.txt"), "{}", done.stderr);
    for name in [":secrets/app.yaml", ":secrets/deep/more.json"] {
        sandbox.assert_sealed(name);
        assert!(String::from_utf8_lossy(&sandbox.stored(name)).contains(BOB));
    }
    sandbox.assert_no_leak();
}

#[test]
fn completions_name_the_commands() {
    let sandbox = with_file();
    for shell in ["bash", "zsh", "fish"] {
        let script = sandbox.seal(&["completions", shell]).ok().silent();
        assert!(script.text().contains("updatekeys"), "{shell}");
    }
    sandbox.seal(&["completions", "nonsense"]).exits(2);
}

#[test]
fn an_allowance_by_path_permits_a_check_there_and_nowhere_else() {
    let sandbox = with_file();
    let key = crate::support::secret("bob");
    let settings = "allow:\n  - {check: GS201, path: 'keys/*.txt', reason: test keys}\n";
    sandbox.write(".git-seal.yaml", settings);
    sandbox.commit_all("settings");
    sandbox.write("keys/bob.txt", &key);
    sandbox.commit_all("permitted");
    sandbox.write("bob.txt", &key);
    sandbox.git(&["add", "bob.txt"]).ok();
    sandbox
        .git(&["commit", "--quiet", "-m", "x"])
        .fails()
        .says("GS201")
        .says("bob.txt");
    sandbox.git(&["reset", "--quiet"]).ok();
    std::fs::remove_file(sandbox.repo.join("bob.txt")).unwrap();
    sandbox.seal(&["verify"]).ok();
}
