//! The gate before a commit, through real Git: what it refuses, that a refusal changes nothing, and that the way out it names works.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{ALICE, BOB, CAROL, Output, Sandbox, contains, files_below, secret};

const PLAIN: &str = "db:\n  host: db.CANARY.example\n  password: CANARY\n";
const FILE: &str = "secrets/app.yaml";
const ATTRIBUTES: &str = "secrets/** filter=git-seal diff=git-seal merge=git-seal -text\n";

/// A guarded repository: hooks and a policy, no filter; files are sealed in the work tree too.
fn guarded() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.seal(&["install", "--guard-only"]).ok();
    sandbox.commit_all("set-up");
    sandbox
}

/// As [`guarded`], with a sealed file committed.
fn guarded_with_file() -> Sandbox {
    let sandbox = guarded();
    sandbox.write(FILE, PLAIN);
    sandbox.seal(&["encrypt", "--in-place", FILE]).ok();
    sandbox.commit_all("a secret");
    sandbox
}

/// As [`Sandbox::set_up`], with a sealed file committed.
fn transparent_with_file() -> Sandbox {
    let sandbox = Sandbox::set_up();
    sandbox.write(FILE, PLAIN);
    sandbox.commit_all("a secret");
    sandbox
}

/// All that a refused commit must leave as it is.
#[derive(Debug, PartialEq)]
struct State {
    head: String,
    index: String,
    files: Vec<(PathBuf, Vec<u8>)>,
}

fn state(sandbox: &Sandbox, folder: &Path) -> State {
    let said = |args: &[&str]| sandbox.git_in(folder, args).text();
    let mut files: Vec<_> = files_below(folder)
        .into_iter()
        .filter(|path| !path.components().any(|part| part.as_os_str() == ".git"))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    State {
        head: said(&["for-each-ref"]) + &said(&["rev-parse", "--quiet", "--verify", "HEAD"]),
        index: said(&["ls-files", "--stage"]),
        files,
    }
}

/// Commits in vain: the check is named with the path, nothing changes. Gives the commands that the message names.
#[track_caller]
fn refused(sandbox: &Sandbox, check: &str, path: &str) -> Vec<String> {
    refused_by(sandbox, &["commit", "--quiet", "-m", "x"], check, path)
}

#[track_caller]
fn refused_by(sandbox: &Sandbox, commit: &[&str], check: &str, path: &str) -> Vec<String> {
    let before = state(sandbox, &sandbox.repo);
    let refusal = sandbox.git(commit).exits(1);
    assert_eq!(state(sandbox, &sandbox.repo), before, "{}", refusal.stderr);
    commands(refusal, check, path)
}

/// The commands in the help of one finding; that the finding is told in one sentence, with its place.
#[track_caller]
fn commands(refusal: Output, check: &str, path: &str) -> Vec<String> {
    let refusal = refusal.says(check).says(path);
    let lines: Vec<&str> = refusal.stderr.lines().collect();
    let at = |index: usize| lines.get(index).copied().unwrap_or_default();
    let head = (0..lines.len())
        .find(|&index| at(index).starts_with(check) && at(index + 1).starts_with(&format!("  --> {path}")))
        .unwrap_or_else(|| panic!("no finding {check} at {path}:\n{}", refusal.stderr));
    let message = at(head).split_once(": ").unwrap().1;
    assert!(message.len() > 10 && !message.ends_with('.'), "{message}");
    let help = lines[head + 2..]
        .iter()
        .take_while(|line| line.starts_with("  help: ") || line.starts_with("        "));
    let help: Vec<String> = help.map(|line| line[8..].to_owned()).collect();
    assert!(!help.is_empty(), "no way out:\n{}", refusal.stderr);
    help
}

/// Types the commands of a refusal as they stand there; what is no command is left to the test.
#[track_caller]
fn type_in(sandbox: &Sandbox, help: &[String]) {
    let mut typed = 0;
    for line in help.iter().filter(|line| line.starts_with("git ")) {
        sandbox.run_in(&sandbox.repo, "sh", &["-c", line], b"").ok();
        typed += 1;
    }
    assert!(typed > 0, "nothing to type: {help:?}");
}

#[track_caller]
fn commit(sandbox: &Sandbox) {
    sandbox.git(&["commit", "--quiet", "-m", "x"]).ok();
}

/// Asserts that no ref, index or reflog leads to plain text; a user's own `git add` may have left it in the object database.
#[track_caller]
fn assert_unreachable(sandbox: &Sandbox) {
    let objects = sandbox
        .git(&["rev-list", "--objects", "--all", "--reflog", "--indexed-objects"])
        .ok();
    let names: String = objects
        .text()
        .lines()
        .map(|line| format!("{}\n", &line[..line.find(' ').unwrap_or(line.len())]))
        .collect();
    let contents = sandbox.run_in(&sandbox.repo, "git", &["cat-file", "--batch"], names.as_bytes());
    assert!(!contains(&contents.ok().stdout, b"CANARY"), "plain text is reachable");
}

/// The sealed form of a text, by other terms than the rule's where options say so.
fn sealed(sandbox: &Sandbox, text: &str, options: &[&str]) -> String {
    let mut args = vec!["encrypt", "--filename-override", FILE];
    args.extend(options);
    args.push("-");
    sandbox
        .run_in(&sandbox.repo, "git-seal", &args, text.as_bytes())
        .ok()
        .text()
}

#[test]
fn a_plain_file_is_refused_and_sealed_as_the_message_says() {
    let sandbox = guarded();
    sandbox.write(FILE, PLAIN);
    sandbox.git(&["add", FILE]).ok();
    sandbox.seal(&["hook", "pre-commit"]).exits(1);
    let help = refused(&sandbox, "GS101", FILE);
    type_in(&sandbox, &help);
    commit(&sandbox);
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    assert_unreachable(&sandbox);
    sandbox.seal(&["verify", "--history"]).ok();
}

#[test]
fn odd_names_are_mended_as_the_message_says() {
    let sandbox = guarded();
    for name in ["it's $HOME.yaml", "a b.json", "-rf.yaml", "ä\n.bin"] {
        let path = format!("secrets/{name}");
        sandbox.write(&path, "{\"token\": \"CANARY\"}\n");
    }
    sandbox.git(&["add", "."]).ok();
    let refusal = sandbox.git(&["commit", "-m", "x"]).exits(1);
    for line in refusal.stderr.lines().filter_map(|line| line.get(8..)) {
        if line.starts_with("git ") {
            // `$'…'` is a word of bash and zsh, and of the next sh standard.
            sandbox.run_in(&sandbox.repo, "bash", &["-c", line], b"").ok();
        }
    }
    commit(&sandbox);
    assert_unreachable(&sandbox);
    sandbox.seal(&["verify"]).ok();
}

#[test]
fn a_partly_sealed_file_is_refused_and_completed() {
    let sandbox = guarded_with_file();
    let text = sandbox.text(FILE).replacen("db:\n", "extra: CANARY\ndb:\n", 1);
    sandbox.write(FILE, &text);
    sandbox.git(&["add", FILE]).ok();
    let help = refused(&sandbox, "GS102", FILE);
    type_in(&sandbox, &help);
    commit(&sandbox);
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    let opened = sandbox.seal(&["decrypt", FILE]).ok().text();
    assert_eq!(opened, format!("extra: CANARY\n{PLAIN}"));
    assert_unreachable(&sandbox);
}

#[test]
fn a_broken_seal_is_refused_and_the_last_state_taken_back() {
    type Damage = fn(&str) -> String;
    let cases: [(&str, Damage, bool); 4] = [
        (
            "a value is gone, so the MAC is wrong",
            |text| {
                text.lines()
                    .filter(|line| !line.contains("host:"))
                    .map(|line| format!("{line}\n"))
                    .collect()
            },
            true,
        ),
        ("a tag is changed", |text| text.replacen(",tag:", ",tag:A", 1), true),
        (
            "the MAC is gone",
            |text| {
                text.lines()
                    .filter(|line| !line.contains("mac:"))
                    .map(|line| format!("{line}\n"))
                    .collect()
            },
            false,
        ),
        (
            "a conflict of ciphertext",
            |text| format!("<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n"),
            false,
        ),
    ];
    for (what, damage, with_key) in cases {
        let sandbox = guarded_with_file();
        let good = sandbox.text(FILE);
        if !with_key {
            sandbox.take_keys();
        }
        sandbox.write(FILE, damage(&good));
        sandbox.write("README", what);
        sandbox.git(&["add", "."]).ok();
        let help = refused(&sandbox, "GS103", FILE);
        type_in(&sandbox, &help);
        let or_else = help[1].split('`').nth(3).unwrap();
        sandbox.run_in(&sandbox.repo, "sh", &["-c", or_else], b"").ok();
        assert_eq!(sandbox.text(FILE), good, "{what}");
        commit(&sandbox);
        sandbox.assert_clean();
        sandbox.assert_no_leak();
    }
}

#[test]
fn a_part_of_the_ciphertext_that_add_patch_staged_is_refused_and_the_edit_survives() {
    let sandbox = transparent_with_file();
    let edited = PLAIN.replace("password: CANARY", "password: CANARY-2");
    sandbox.write(FILE, &edited);
    // The first hunk is the value, the second one the MAC.
    let staged = sandbox.run_in(&sandbox.repo, "git", &["add", "--patch"], b"s\ny\nn\nn\nn\n");
    staged.ok();
    let help = refused(&sandbox, "GS103", FILE);
    type_in(&sandbox, &help);
    assert_eq!(sandbox.text(FILE), edited);
    let again = help[1].split('`').nth(1).unwrap();
    sandbox.run_in(&sandbox.repo, "sh", &["-c", again], b"").ok();
    commit(&sandbox);
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn a_draft_is_refused_until_the_file_is_corrected() {
    let sandbox = transparent_with_file();
    sandbox.write(FILE, "db: [CANARY\nx: }\n");
    sandbox.git(&["add", FILE]).ok().says(FILE);
    let help = refused(&sandbox, "GS104", FILE);
    assert_eq!(help[0], "correct the file in the work tree");
    sandbox.write(FILE, PLAIN.replace("CANARY\n", "CANARY-2\n"));
    type_in(&sandbox, &help);
    commit(&sandbox);
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn a_weaker_selection_than_the_rules_is_refused_and_sealed_anew() {
    let sandbox = guarded();
    let policy = format!(
        "creation_rules:\n  - path_regex: ^secrets/\n    age: {ALICE}\n    encrypted_regex: ^(host|password)$\n"
    );
    sandbox.write(".sops.yaml", policy);
    sandbox.commit_all("policy");
    sandbox.write(FILE, sealed(&sandbox, PLAIN, &["--encrypted-regex", "^host$"]));
    sandbox.git(&["add", FILE]).ok();
    let help = refused(&sandbox, "GS102", FILE);
    type_in(&sandbox, &help);
    commit(&sandbox);
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    assert_eq!(sandbox.seal(&["decrypt", FILE]).ok().text(), PLAIN);
    assert_unreachable(&sandbox);
}

#[test]
fn other_recipients_than_the_rules_are_refused_and_mended_in_both_kinds_of_repository() {
    for (before, after) in [
        (ALICE.to_owned(), format!("{ALICE},{BOB}")),
        (format!("{ALICE},{BOB}"), ALICE.to_owned()),
        (format!("{ALICE},{BOB}"), format!("{ALICE},{CAROL}")),
    ] {
        for sandbox in [guarded(), Sandbox::set_up()] {
            sandbox.policy(&[("^secrets/", &before)]);
            sandbox.write(FILE, sealed(&sandbox, PLAIN, &[]));
            sandbox.commit_all("a secret");
            sandbox.git(&["checkout", "--quiet", "--force", "HEAD~1"]).ok();
            sandbox.git(&["checkout", "--quiet", "main"]).ok();
            let on_disk = sandbox.text(FILE);
            sandbox.policy(&[("^secrets/", &after)]);
            sandbox.git(&["add", ".sops.yaml"]).ok();
            let help = refused(&sandbox, "GS105", FILE);
            type_in(&sandbox, &help);
            commit(&sandbox);
            let stored = String::from_utf8(sandbox.stored("HEAD:secrets/app.yaml")).unwrap();
            for key in [ALICE, BOB, CAROL] {
                assert_eq!(stored.contains(key), after.contains(key), "{before} -> {after}: {key}");
            }
            assert_eq!(on_disk == PLAIN, sandbox.text(FILE) == PLAIN);
            sandbox.seal(&["verify"]).ok();
            sandbox.assert_clean();
            sandbox.assert_no_leak();
        }
    }
}

#[test]
fn a_ruled_path_beside_the_filter_is_refused() {
    let sandbox = transparent_with_file();
    sandbox.policy(&[("^(secrets|vault)/", ALICE)]);
    sandbox.commit_all("policy");
    sandbox.write("vault/x.yaml", sealed(&sandbox, PLAIN, &[]));
    sandbox.git(&["add", "vault/x.yaml"]).ok();
    let help = refused(&sandbox, "GS401", "vault/x.yaml");
    let given = help[0].split('`').nth(1).unwrap();
    sandbox.write(".gitattributes", format!("{ATTRIBUTES}vault/x.yaml {given}\n"));
    type_in(&sandbox, &help);
    commit(&sandbox);
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn an_invalid_pattern_is_refused_not_taken_for_one_that_never_matches() {
    for (rule, line) in [
        ("path_regex: '^secrets/('", ".sops.yaml:2"),
        ("path_regex: ^secrets/\n    encrypted_regex: '['", ".sops.yaml:"),
        ("path_regex: ^secrets/\n    unencrypted_regex: '(?=x)'", ".sops.yaml:"),
    ] {
        let sandbox = guarded();
        let good = sandbox.text(".sops.yaml");
        sandbox.write(".sops.yaml", format!("creation_rules:\n  - {rule}\n    age: {ALICE}\n"));
        sandbox.git(&["add", ".sops.yaml"]).ok();
        let before = state(&sandbox, &sandbox.repo);
        sandbox.git(&["commit", "-m", "x"]).exits(1).says("GS403").says(line);
        assert_eq!(state(&sandbox, &sandbox.repo), before);
        // Where the policy can't be read, a file beside it is not waved through either.
        sandbox.write(FILE, PLAIN);
        sandbox.git(&["add", "."]).ok();
        sandbox.git(&["commit", "-m", "x"]).exits(1);
        sandbox.write(".sops.yaml", good);
        sandbox.seal(&["encrypt", "-i", FILE]).ok();
        sandbox.write("README", "x");
        sandbox.git(&["add", "."]).ok();
        commit(&sandbox);
        assert_unreachable(&sandbox);
    }
}

#[test]
fn a_private_key_is_refused_anywhere_but_where_a_mark_permits_it() {
    let sandbox = guarded();
    let all = secret("alice");
    let key = all.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    for content in [
        format!("key: {key}\n"),
        key.to_lowercase(),
        format!("\0\u{1}binary{key}\0"),
        format!("{key} # git-seal:allow GS201\n"),
        format!("{key} # git-seal:allow GS101 for a test\n"),
    ] {
        sandbox.write("notes.txt", &content);
        sandbox.write("README", &content[..3]);
        sandbox.git(&["add", "."]).ok();
        let help = refused(&sandbox, "GS201", "notes.txt");
        let told = sandbox.git(&["commit", "-m", "x"]).exits(1);
        assert!(!told.stderr.to_uppercase().contains(&key[20..40]), "{}", told.stderr);
        type_in(&sandbox, &help);
        sandbox.git(&["commit", "--quiet", "--allow-empty", "-m", "x"]).ok();
        sandbox.git(&["cat-file", "-e", "HEAD:notes.txt"]).fails();
    }
    sandbox.write(
        "notes.txt",
        format!("{key} # git-seal:allow GS201 a key for tests only\n"),
    );
    sandbox.commit_all("permitted");
    // Sealed it may be there.
    sandbox.write(FILE, format!("key: {key}\n"));
    sandbox.seal(&["encrypt", "-i", FILE]).ok();
    sandbox.commit_all("sealed");
}

#[test]
fn a_policy_that_seals_less_than_before_is_refused() {
    let sandbox = guarded_with_file();
    let policy = sandbox.text(".sops.yaml");
    sandbox.policy(&[("^other/", ALICE)]);
    sandbox.write("secrets/new.yaml", PLAIN);
    sandbox.git(&["add", "."]).ok();
    refused(&sandbox, "GS106", "secrets/new.yaml");
    refused(&sandbox, "GS106", FILE);
    sandbox.write(".sops.yaml", &policy);
    sandbox.git(&["add", ".sops.yaml"]).ok();
    let help = refused(&sandbox, "GS101", "secrets/new.yaml");
    type_in(&sandbox, &help);
    commit(&sandbox);
    assert_unreachable(&sandbox);

    // Weaker selection, in a second change.
    let weaker = policy + "    encrypted_regex: ^password$\n";
    sandbox.write(".sops.yaml", weaker);
    sandbox.write(FILE, sealed(&sandbox, PLAIN, &[]));
    sandbox.git(&["add", "."]).ok();
    refused(&sandbox, "GS106", FILE);
}

#[test]
fn without_keys_the_gate_judges_all_that_needs_none() {
    let sandbox = guarded_with_file();
    sandbox.take_keys();
    sandbox.write("README", "x");
    sandbox.commit_all("no key needed");
    sandbox.write("secrets/plain.yaml", PLAIN);
    sandbox.git(&["add", "."]).ok();
    refused(&sandbox, "GS101", "secrets/plain.yaml");
}

#[test]
fn commit_all_judges_what_would_be_committed() {
    let sandbox = guarded_with_file();
    let good = sandbox.text(FILE);
    sandbox.write(FILE, PLAIN);
    for commit in [
        &["commit", "-a", "-m", "x"][..],
        &["commit", "-m", "x", "--", FILE],
        &["commit", "-m", "x", "--include", FILE],
        &["commit", "--amend", "-a", "--no-edit"],
    ] {
        let index = sandbox.git(&["ls-files", "-s"]).ok().text();
        let help = refused_by(&sandbox, commit, "GS101", FILE);
        assert_eq!(sandbox.git(&["ls-files", "-s"]).ok().text(), index);
        assert!(help[0].contains(FILE));
    }
    assert_unreachable(&sandbox);
    // What is staged and not part of the commit is not judged, and stays staged.
    sandbox.git(&["add", FILE]).ok();
    sandbox.write("README", "x");
    sandbox.git(&["add", "--intent-to-add", "README"]).ok();
    sandbox
        .git(&["commit", "--quiet", "-m", "only this", "--", "README"])
        .ok();
    refused(&sandbox, "GS101", FILE);
    sandbox.write(FILE, good);
    sandbox.git(&["add", FILE]).ok();
    sandbox.assert_clean();
}

#[test]
fn an_unstaged_plain_file_stops_no_commit_and_a_sealed_work_tree_excuses_none() {
    let sandbox = guarded();
    sandbox.write(FILE, PLAIN);
    sandbox.git(&["add", FILE]).ok();
    sandbox.seal(&["encrypt", "-i", FILE]).ok();
    refused(&sandbox, "GS101", FILE);
    sandbox.git(&["add", FILE]).ok();
    sandbox.write(FILE, PLAIN);
    commit(&sandbox);
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
}

#[test]
fn the_gate_stands_in_linked_work_trees_and_subfolders() {
    let sandbox = guarded_with_file();
    let linked = sandbox.root().join("linked");
    sandbox
        .git(&["worktree", "add", "--quiet", "-b", "side", linked.to_str().unwrap()])
        .ok();
    fs::write(linked.join("secrets/new.yaml"), PLAIN).unwrap();
    for folder in [linked.clone(), linked.join("secrets")] {
        sandbox.git_in(&folder, &["add", "."]).ok();
        let before = state(&sandbox, &linked);
        let refusal = sandbox.git_in(&folder, &["commit", "-m", "x"]).exits(1);
        assert_eq!(state(&sandbox, &linked), before);
        // The commands are for the top, and whoever is elsewhere is told.
        assert_eq!(
            folder != linked,
            refusal.stderr.contains("--show-toplevel"),
            "{}",
            refusal.stderr
        );
        assert_eq!(commands(refusal, "GS101", "secrets/new.yaml").len(), 2);
        let verify = sandbox.seal_in(&folder, &["verify", "--staged"]).exits(1);
        assert_eq!(folder != linked, verify.stderr.contains("--show-toplevel"));
    }
    sandbox.seal_in(&linked, &["encrypt", "-i", "secrets/new.yaml"]).ok();
    sandbox
        .git_in(&linked.join("secrets"), &["commit", "--quiet", "-a", "-m", "x"])
        .ok();
    sandbox.assert_sealed("side:secrets/new.yaml");
    assert_unreachable(&sandbox);
}

#[test]
fn the_first_commit_is_judged() {
    let sandbox = Sandbox::new();
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.seal(&["install", "--guard-only"]).ok();
    sandbox.write(FILE, PLAIN);
    sandbox.write("key.txt", secret("bob"));
    sandbox.git(&["add", "."]).ok();
    let keys = refused(&sandbox, "GS201", "key.txt");
    let help = refused(&sandbox, "GS101", FILE);
    type_in(&sandbox, &help);
    type_in(&sandbox, &keys);
    commit(&sandbox);
    assert_eq!(
        sandbox.git(&["ls-tree", "-r", "--name-only", "HEAD"]).ok().text(),
        ".sops.yaml\nsecrets/app.yaml\n"
    );
    assert_unreachable(&sandbox);
}

#[test]
fn another_index_is_the_one_that_is_judged() {
    let mut sandbox = guarded_with_file();
    let other = sandbox.root().join("other-index");
    sandbox.write(FILE, PLAIN);
    sandbox.set("GIT_INDEX_FILE", other.to_str().unwrap());
    sandbox.git(&["read-tree", "HEAD"]).ok();
    sandbox.git(&["add", FILE]).ok();
    refused(&sandbox, "GS101", FILE);
    sandbox.set("GIT_INDEX_FILE", sandbox.repo.join(".git/index").to_str().unwrap());
    sandbox.write("README", "x");
    sandbox.git(&["add", "README"]).ok();
    commit(&sandbox);
}

#[test]
fn the_policy_is_that_of_the_index() {
    let sandbox = guarded();
    sandbox.write(FILE, PLAIN);
    sandbox.git(&["add", FILE]).ok();
    for policy in ["creation_rules: []\n", "not: [a policy"] {
        sandbox.write(".sops.yaml", policy);
        refused(&sandbox, "GS101", FILE);
    }
    fs::remove_file(sandbox.repo.join(".sops.yaml")).unwrap();
    refused(&sandbox, "GS101", FILE);
}

#[test]
fn a_changed_policy_is_held_against_every_path() {
    let sandbox = guarded();
    sandbox.write("vault/x.yaml", PLAIN);
    sandbox.commit_all("not ruled yet");
    sandbox.policy(&[("^secrets/", ALICE), ("^vault/", ALICE)]);
    sandbox.git(&["add", ".sops.yaml"]).ok();
    let help = refused(&sandbox, "GS101", "vault/x.yaml");
    type_in(&sandbox, &help);
    commit(&sandbox);
    sandbox.assert_sealed("HEAD:vault/x.yaml");
}

#[test]
fn changed_attributes_are_held_against_every_path() {
    let sandbox = transparent_with_file();
    sandbox.write(".gitattributes", ATTRIBUTES.replace("secrets/**", "secrets/other*"));
    sandbox.git(&["add", ".gitattributes"]).ok();
    refused(&sandbox, "GS401", FILE);
    sandbox.write(".gitattributes", format!("{ATTRIBUTES}secrets/app.yaml !filter\n"));
    sandbox.git(&["add", ".gitattributes"]).ok();
    refused(&sandbox, "GS401", FILE);
    sandbox.write(".gitattributes", ATTRIBUTES);
    sandbox.git(&["add", ".gitattributes"]).ok();
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}
