//! The scenarios of everyday Git on sealed files, by their numbers: gates (S66–S77).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::scenario::{BASE, FILE, both, committed, one};
use crate::support::{ALICE, BOB, Output, Sandbox, contains};

const PLAIN: &str = "token: CANARY\n";

/// Takes the filter away for one command.
const NO_FILTER: [&str; 6] = [
    "-c",
    "filter.git-seal.process=",
    "-c",
    "filter.git-seal.clean=",
    "-c",
    "filter.git-seal.required=false",
];

fn make_executable(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A set-up repository with the file pushed to a bare one.
fn with_remote() -> (Sandbox, PathBuf) {
    let sandbox = committed();
    let remote = sandbox.clone_to("remote.git", &["--bare"]);
    sandbox.git(&["remote", "add", "origin", remote.to_str().unwrap()]).ok();
    sandbox.git(&["fetch", "--quiet"]).ok();
    (sandbox, remote)
}

/// As [`with_remote`], with the gate on the other side; no key is left.
fn with_gate() -> (Sandbox, PathBuf) {
    let (sandbox, remote) = with_remote();
    let text = include_str!("../hooks/pre-receive").replace("@GIT_SEAL@", "/nowhere/git-seal");
    make_executable(&remote.join("hooks/pre-receive"), &text);
    (sandbox, remote)
}

/// Commits a plain file past the filter and the hook; returns the commit.
fn leak(sandbox: &Sandbox, folder: &Path, path: &str) -> String {
    fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
    fs::write(folder.join(path), PLAIN).unwrap();
    sandbox.git_in(folder, &[&NO_FILTER[..], &["add", path]].concat()).ok();
    let commit = ["commit", "--quiet", "--no-verify", "-m", "leak"];
    sandbox.git_in(folder, &[&NO_FILTER[..], &commit].concat()).ok();
    let blob = sandbox
        .git_in(folder, &["cat-file", "blob", &format!("HEAD:{path}")])
        .ok();
    assert_eq!(blob.text(), PLAIN);
    sandbox
        .git_in(folder, &["rev-parse", "HEAD"])
        .ok()
        .text()
        .trim()
        .to_owned()
}

/// Pushes in vain: no ref of the other side moves, no plain text reaches it.
#[track_caller]
fn refused(sandbox: &Sandbox, folder: &Path, remote: &Path, args: &[&str]) -> Output {
    let refs = || sandbox.git_in(remote, &["for-each-ref"]).ok().text();
    let before = refs();
    let refusal = sandbox.git_in(folder, &[&["push", "origin"], args].concat()).fails();
    assert_eq!(refs(), before);
    sandbox.sealed_in(remote);
    refusal
}

#[test]
fn s66_a_clone_without_set_up_is_stopped_by_the_server_and_by_ci() {
    let (sandbox, remote) = with_gate();
    sandbox.take_keys();
    let clone = sandbox.root().join("clone");
    let args = ["clone", "--quiet", remote.to_str().unwrap(), clone.to_str().unwrap()];
    sandbox.git_in(sandbox.root(), &args).ok();
    fs::write(clone.join("secrets/new.yaml"), PLAIN).unwrap();
    sandbox.git_in(&clone, &["add", "."]).ok();
    sandbox.git_in(&clone, &["commit", "--quiet", "-m", "x"]).ok();
    let commit = sandbox.git_in(&clone, &["rev-parse", "HEAD"]).ok().text();
    refused(&sandbox, &clone, &remote, &["main"])
        .says("GS101")
        .says("secrets/new.yaml")
        .says(&commit[..10]);
    let told = sandbox.seal_in(&clone, &["verify", "origin/main..HEAD"]).exits(1);
    let told = told.text() + &told.stderr;
    for part in ["GS101", "secrets/new.yaml", &commit[..10]] {
        assert!(told.contains(part), "{part}\n{told}");
    }
}

#[test]
fn s67_no_verify_is_caught_by_the_next_gate() {
    let (sandbox, remote) = with_gate();
    let commit = leak(&sandbox, &sandbox.repo, "secrets/new.yaml");
    refused(&sandbox, &sandbox.repo, &remote, &["main"])
        .says("GS101")
        .says(&commit[..10]);
    let said = refused(&sandbox, &sandbox.repo, &remote, &["--no-verify", "main"]).stderr;
    assert!(said.contains("remote:") && said.contains("GS101"), "{said}");
}

#[test]
fn s68_every_commit_counts_merges_too() {
    let (sandbox, remote) = with_gate();
    let commit = leak(&sandbox, &sandbox.repo, "secrets/new.yaml");
    sandbox.git(&["rm", "--quiet", "secrets/new.yaml"]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "removed"]).ok();
    for options in [&["main"][..], &["--no-verify", "main"]] {
        refused(&sandbox, &sandbox.repo, &remote, options)
            .says("GS101")
            .says(&commit[..10]);
    }
    // Plain text that neither parent of a merge has, and that is gone in the next commit.
    sandbox.git(&["reset", "--quiet", "--hard", "origin/main"]).ok();
    sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
    sandbox.put("a", "a", "a");
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.put("b", "b", "b");
    sandbox
        .git(&["merge", "--quiet", "--no-commit", "--no-ff", "side"])
        .ok();
    let evil = leak(&sandbox, &sandbox.repo, "secrets/new.yaml");
    assert_eq!(
        sandbox.tell(&["rev-list", "--parents", "-1", &evil]).split(' ').count(),
        3
    );
    sandbox.git(&["rm", "--quiet", "secrets/new.yaml"]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "removed"]).ok();
    for options in [&["main"][..], &["--no-verify", "main"]] {
        refused(&sandbox, &sandbox.repo, &remote, options)
            .says("GS101")
            .says(&evil[..10]);
    }
}

#[test]
fn s69_a_push_does_not_loosen_the_rule_that_it_is_judged_by() {
    let (sandbox, remote) = with_gate();
    sandbox.policy(&[("^elsewhere/", ALICE)]);
    sandbox.write(".gitattributes", "");
    sandbox.write("secrets/new.yaml", PLAIN);
    sandbox.git(&["add", "-A"]).ok();
    sandbox
        .git(&["commit", "--quiet", "--no-verify", "-m", "loosened"])
        .ok();
    for options in [&["main"][..], &["--no-verify", "main"]] {
        refused(&sandbox, &sandbox.repo, &remote, options)
            .says("GS106")
            .says("secrets/new.yaml");
    }
}

#[test]
fn s70_pre_commit_judges_the_blobs_that_will_be_committed() {
    let sandbox = committed();
    let linked = sandbox.root().join("linked");
    sandbox
        .git(&["worktree", "add", "--quiet", "-b", "linked", linked.to_str().unwrap()])
        .ok();
    let draft = "a: [CANARY\n";
    for folder in [&sandbox.repo, &linked] {
        let head = sandbox.git_in(folder, &["rev-parse", "HEAD"]).ok().text();
        for args in [&["-a"][..], &["--", FILE], &["-i", FILE], &["-o", FILE]] {
            fs::write(folder.join(FILE), draft).unwrap();
            let refusal = sandbox.git_in(folder, &[&["commit", "-m", "x"], args].concat()).fails();
            refusal.says("GS104").says(FILE);
        }
        let below = folder.join("secrets");
        sandbox
            .git_in(&below, &["commit", "-m", "x", "-a"])
            .fails()
            .says("GS104");
        // Staged well and edited badly: what is staged counts. And the other way round.
        fs::write(folder.join(FILE), one("CANARY-good")).unwrap();
        sandbox.git_in(folder, &["add", FILE]).ok();
        fs::write(folder.join(FILE), draft).unwrap();
        assert_eq!(sandbox.git_in(folder, &["rev-parse", "HEAD"]).ok().text(), head);
        sandbox.git_in(folder, &["commit", "--quiet", "-m", "good"]).ok();
        sandbox.git_in(folder, &["add", FILE]).ok();
        fs::write(folder.join(FILE), one("CANARY-good")).unwrap();
        sandbox.git_in(folder, &["commit", "-m", "x"]).fails().says("GS104");
        sandbox.git_in(folder, &["reset", "--quiet", "--hard"]).ok();
        sandbox.standing_in(folder);
    }
}

#[test]
fn s71_what_no_hook_saw_is_seen_by_the_push() {
    for bring in [
        &["cherry-pick", "bad"][..],
        &["rebase", "--quiet", "bad"],
        &["merge", "--quiet", "--ff-only", "bad"],
    ] {
        let (sandbox, remote) = with_remote();
        sandbox.git(&["checkout", "--quiet", "-b", "bad"]).ok();
        leak(&sandbox, &sandbox.repo, "secrets/new.yaml");
        sandbox.git(&["checkout", "--quiet", "main"]).ok();
        sandbox.git(bring).ok();
        refused(&sandbox, &sandbox.repo, &remote, &["main"])
            .says("GS101")
            .says("secrets/new.yaml");
    }
}

#[test]
fn s72_every_shape_of_push_has_its_range() {
    let (sandbox, remote) = with_gate();
    sandbox.take_keys();
    sandbox.give_key("alice");
    let push = |args: &[&str]| {
        sandbox
            .git(&[&["push", "--quiet", "origin"], args].concat())
            .ok()
            .silent()
    };
    sandbox.put(FILE, &one("CANARY-a"), "a");
    push(&["main"]);
    push(&["main:new"]);
    sandbox.git(&["tag", "light"]).ok();
    sandbox.git(&["tag", "-m", "x", "heavy"]).ok();
    push(&["light", "heavy"]);
    sandbox.put(FILE, &one("CANARY-b"), "b");
    sandbox.git(&["commit", "--quiet", "--amend", "-m", "b again"]).ok();
    push(&["main"]);
    sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
    sandbox.put(FILE, &one("CANARY-c"), "c");
    push(&["--force", "main"]);
    push(&["--delete", "new", "light"]);
    sandbox.git(&["checkout", "--quiet", "--orphan", "root"]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "a root"]).ok();
    push(&["root"]);
    // An empty repository takes its first commit, and a bad orphan is refused as any other.
    let empty = sandbox.root().join("empty.git");
    sandbox
        .git(&["init", "--quiet", "--bare", empty.to_str().unwrap()])
        .ok();
    sandbox.git(&["push", "--quiet", empty.to_str().unwrap(), "root"]).ok();
    sandbox.git(&["checkout", "--quiet", "--orphan", "bad"]).ok();
    let commit = leak(&sandbox, &sandbox.repo, "secrets/new.yaml");
    for options in [
        &["bad"][..],
        &["--no-verify", "bad"],
        &["--no-verify", "bad:refs/tags/bad"],
    ] {
        refused(&sandbox, &sandbox.repo, &remote, options).says(&commit[..10]);
    }
}

#[test]
fn s73_recipients_that_differ_from_the_rule_are_found() {
    let (sandbox, remote) = with_gate();
    // The rule is changed, the files are not.
    sandbox.policy(&[("^secrets/", &format!("{ALICE},{BOB}"))]);
    sandbox.git(&["add", "."]).ok();
    sandbox.git(&["commit", "-m", "x"]).fails().says("GS105").says(FILE);
    sandbox.git(&["commit", "--quiet", "--no-verify", "-m", "drift"]).ok();
    refused(&sandbox, &sandbox.repo, &remote, &["--no-verify", "main"])
        .says("GS105")
        .says(FILE);
    sandbox.seal(&["updatekeys", "--yes", FILE]).ok();
    sandbox.git(&["add", "."]).ok();
    sandbox.git(&["commit", "--quiet", "--amend", "-m", "for both"]).ok();
    sandbox.git(&["push", "--quiet", "origin", "main"]).ok();
    sandbox.standing();
}

#[test]
fn s74_drafts_and_markers_are_refused_by_every_gate() {
    for text in [
        "a: [CANARY\n",
        "<<<<<<< ours\na: CANARY-1\n=======\na: CANARY-2\n>>>>>>> theirs\n",
    ] {
        let (sandbox, remote) = with_gate();
        sandbox.write(FILE, text);
        sandbox.git(&["add", FILE]).ok();
        sandbox.assert_sealed(":secrets/app.yaml");
        sandbox.git(&["commit", "-m", "x"]).fails().says("GS104").says(FILE);
        sandbox.git(&["commit", "--quiet", "--no-verify", "-m", "x"]).ok();
        refused(&sandbox, &sandbox.repo, &remote, &["main"]).says("GS104");
        refused(&sandbox, &sandbox.repo, &remote, &["--no-verify", "main"]).says("GS104");
        assert_eq!(sandbox.text(FILE), text);
        sandbox.standing();
    }
}

#[test]
fn s75_the_gate_of_a_server_writes_nothing_and_needs_no_home() {
    let (sandbox, remote) = with_gate();
    // As a service runs it: without a home or a folder for temporary files.
    let ours = remote.join("hooks/ours");
    fs::rename(remote.join("hooks/pre-receive"), &ours).unwrap();
    let call = format!(
        "#!/bin/sh\nunset HOME XDG_CONFIG_HOME LC_ALL TMPDIR\nexec '{}' \"$@\"\n",
        ours.display()
    );
    make_executable(&remote.join("hooks/pre-receive"), &call);
    let files = || {
        let mut names = crate::support::files_below(&remote);
        names.sort();
        names
    };
    let before = files();
    leak(&sandbox, &sandbox.repo, "secrets/new.yaml");
    refused(&sandbox, &sandbox.repo, &remote, &["--no-verify", "main"]).says("GS101");
    assert_eq!(files(), before, "a refused push left something behind");
    sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
    sandbox.put(FILE, &one("CANARY-good"), "good");
    sandbox.git(&["push", "--quiet", "origin", "main"]).ok();
    let fresh: Vec<_> = files().into_iter().filter(|name| !before.contains(name)).collect();
    let expected = |name: &PathBuf| name.starts_with(remote.join("objects")) || name.ends_with("refs/heads/main");
    assert!(fresh.iter().all(expected), "{fresh:?}");
    sandbox.assert_clean();
    sandbox.sealed_in(&remote);
}

#[test]
fn s76_hooks_of_others_still_run_and_come_back_byte_for_byte() {
    let sandbox = Sandbox::new();
    let told = sandbox.root().join("told");
    // What git-lfs and the pre-commit framework leave: one reads the refs, one only runs.
    let push = format!("#!/bin/sh\n{{ echo \"args $*\"; cat; }} >> '{}'\n", told.display());
    let commit = format!("#!/bin/sh\necho \"commit $*\" >> '{}'\n", told.display());
    let hooks = sandbox.repo.join(".git/hooks");
    make_executable(&hooks.join("pre-push"), &push);
    make_executable(&hooks.join("pre-commit"), &commit);
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.write(
        ".gitattributes",
        "secrets/** filter=git-seal diff=git-seal merge=git-seal -text\n",
    );
    sandbox.seal(&["install"]).ok();
    sandbox.put(FILE, BASE, "base");
    let remote = sandbox.root().join("remote.git");
    let url = remote.to_str().unwrap();
    sandbox.git(&["init", "--quiet", "--bare", url]).ok();
    sandbox.git(&["push", "--quiet", url, "main"]).ok();
    let said = fs::read_to_string(&told).unwrap();
    let head = sandbox.oid("HEAD");
    let zero = "0".repeat(40);
    assert_eq!(
        said,
        format!("commit \nargs {url} {url}\nrefs/heads/main {head} refs/heads/main {zero}\n")
    );
    // Ours judges all the same.
    sandbox.write(FILE, "a: [CANARY\n");
    sandbox.git(&["add", FILE]).ok();
    sandbox.git(&["commit", "-m", "x"]).fails().says("GS104");
    sandbox.write(FILE, BASE);
    sandbox.git(&["add", FILE]).ok();
    sandbox.standing();
    sandbox.seal(&["uninstall"]).ok();
    assert_eq!(fs::read_to_string(hooks.join("pre-push")).unwrap(), push);
    assert_eq!(fs::read_to_string(hooks.join("pre-commit")).unwrap(), commit);
}

#[test]
fn s77_what_hides_unstaged_changes_brings_them_back() {
    let sandbox = committed();
    let staged = one("CANARY-staged");
    let edited = both("CANARY-staged", "CANARY-unstaged");
    let change = || {
        sandbox.write(FILE, &staged);
        sandbox.git(&["add", FILE]).ok();
        sandbox.write(FILE, &edited);
    };
    // As the pre-commit framework does: a patch of what is not staged, the checkout, the commit, the patch again.
    change();
    let tree = sandbox.tell(&["write-tree"]);
    let args = [
        "diff-index",
        "--ignore-submodules",
        "--binary",
        "--exit-code",
        "--no-color",
        "--no-ext-diff",
        tree.trim(),
        "--",
    ];
    let patch = sandbox.git(&args).exits(1).stdout;
    assert!(!contains(&patch, b"CANARY"));
    sandbox
        .git(&["-c", "submodule.recurse=0", "checkout", "--quiet", "--", "."])
        .ok();
    assert_eq!(sandbox.text(FILE), staged);
    sandbox.git(&["commit", "--quiet", "-m", "staged"]).ok();
    sandbox
        .run_in(&sandbox.repo, "git", &["apply", "--whitespace=nowarn"], &patch)
        .ok();
    assert_eq!(sandbox.text(FILE), edited);
    assert_eq!(sandbox.status(), " M secrets/app.yaml\n");
    sandbox.assert_no_leak();
    sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();

    // As lint-staged does: a stash for safety's sake, and a patch that Git makes of plain texts. That one does not apply to what
    // Git has, so the stash has to bring the change back.
    change();
    let stash = sandbox.tell(&["stash", "create"]);
    sandbox
        .git(&["stash", "store", "--quiet", "-m", "safety", stash.trim()])
        .ok();
    let patch = sandbox
        .git(&["diff", "--binary", "--unified=0", "--no-color"])
        .ok()
        .stdout;
    sandbox.git(&["checkout", "--quiet", "--force", "--", "."]).ok();
    sandbox.git(&["commit", "--quiet", "-m", "staged"]).ok();
    sandbox
        .run_in(&sandbox.repo, "git", &["apply", "--unidiff-zero"], &patch)
        .fails();
    assert_eq!(sandbox.text(FILE), staged);
    sandbox.git(&["checkout", "--quiet", "stash@{0}", "--", FILE]).ok();
    assert_eq!(sandbox.text(FILE), edited);
    sandbox.git(&["commit", "--quiet", "-m", "the rest"]).ok();
    sandbox.standing();
}
