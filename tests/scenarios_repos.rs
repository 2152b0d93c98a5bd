//! The scenarios of everyday Git on sealed files, by their numbers: kinds of index and repository (S56–S65).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::scenario::{BASE, FILE, committed, one, two};
use crate::support::{ALICE, CANARY, Sandbox, contains, touch_all};

const ATTRIBUTES: &str = "secrets/** filter=git-seal diff=git-seal merge=git-seal -text\n";

/// A day's work on the file in a folder: an edit is seen, staged, taken back, committed; every way leaves a clean tree.
#[track_caller]
pub fn day(sandbox: &Sandbox, folder: &Path) {
    let git = |args: &[&str]| sandbox.git_in(folder, args).ok();
    let status = || git(&["status", "--porcelain"]).text();
    let file = folder.join(FILE);
    let head = git(&["rev-parse", "HEAD:secrets/app.yaml"]).text();
    let before = fs::read_to_string(&file).unwrap();
    let objects = git(&["count-objects"]).text();
    touch_all(folder);
    assert_eq!(status(), "");
    assert_eq!(git(&["count-objects"]).text(), objects, "looking wrote an object");
    assert!(git(&["stash"]).text().contains("No local changes"));

    fs::write(&file, before.replace("one: ", "one: x")).unwrap();
    assert_eq!(status(), " M secrets/app.yaml\n");
    let first = git(&["hash-object", FILE]).text();
    git(&["diff"]);
    git(&["add", FILE]);
    assert_eq!(git(&["rev-parse", ":secrets/app.yaml"]).text(), first);
    fs::write(&file, &before).unwrap();
    git(&["add", FILE]);
    assert_eq!(git(&["rev-parse", ":secrets/app.yaml"]).text(), head);
    assert_eq!(status(), "");

    fs::write(&file, before.replace("one: ", "one: y")).unwrap();
    git(&["commit", "--quiet", "-m", "changed", "--", FILE]);
    assert_eq!(status(), "");
    fs::write(folder.join("secrets/beside.yaml"), "token: CANARY\n").unwrap();
    git(&["add", "-N", "secrets/beside.yaml"]);
    git(&["commit", "--quiet", "-m", "new", "--", "secrets/beside.yaml"]);
    git(&["checkout", "--quiet", "HEAD~2"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    git(&["checkout", "--quiet", "-"]);
    for path in [FILE, "secrets/beside.yaml"] {
        let blob = git(&["cat-file", "blob", &format!("HEAD:{path}")]).stdout;
        assert!(contains(&blob, b"ENC[") && !contains(&blob, b"CANARY"), "{path}");
    }
    sandbox.seal_in(folder, &["verify"]).ok();
    sandbox.standing_in(folder);
}

#[test]
fn s56_a_linked_work_tree_is_as_the_first_one() {
    let sandbox = committed();
    let linked = sandbox.root().join("linked");
    sandbox
        .git(&["worktree", "add", "--quiet", "-b", "side", linked.to_str().unwrap()])
        .ok();
    assert_eq!(fs::read_to_string(linked.join(FILE)).unwrap(), BASE);
    day(&sandbox, &linked);
    // The hooks stand there as well, and what a lock does stays in its own work tree.
    fs::write(linked.join(FILE), "a: [CANARY\n").unwrap();
    sandbox.git_in(&linked, &["add", FILE]).ok();
    sandbox.git_in(&linked, &["commit", "-m", "x"]).fails().says("GS104");
    sandbox.git_in(&linked, &["reset", "--quiet", "--hard"]).ok();
    sandbox.seal_in(&linked, &["lock"]).ok();
    assert!(contains(&fs::read(linked.join(FILE)).unwrap(), b"ENC["));
    assert_eq!(sandbox.text(FILE), BASE);
    sandbox.seal_in(&linked, &["unlock"]).ok();
    assert!(
        fs::read_to_string(linked.join(FILE))
            .unwrap()
            .contains("one: yCANARY-1")
    );
    sandbox.standing();
}

#[test]
fn s57_a_submodule_has_its_own_rules_and_is_opened_by_the_global_driver() {
    let inner = committed();
    let sandbox = committed();
    sandbox.seal(&["install", "--global"]).ok();
    let url = inner.repo.to_str().unwrap();
    sandbox.git(&["submodule", "add", "--quiet", url, "module"]).ok();
    sandbox.commit_all("a module");
    let module = sandbox.repo.join("module");
    assert_eq!(fs::read_to_string(module.join(FILE)).unwrap(), BASE);
    // A path that only the outer policy names is none of the inner one's.
    sandbox.policy(&[("^secrets/", ALICE), ("^module/", ALICE)]);
    sandbox.commit_all("a rule for what is not ours");
    fs::write(module.join("open.yaml"), "open: yes\n").unwrap();
    sandbox.git_in(&module, &["add", "open.yaml"]).ok();
    assert_eq!(
        sandbox.git_in(&module, &["show", ":open.yaml"]).ok().text(),
        "open: yes\n"
    );
    sandbox.git_in(&module, &["reset", "--quiet", "--hard"]).ok();
    day(&sandbox, &module);

    let clone = sandbox.root().join("clone");
    let args = ["clone", "--quiet", ".", clone.to_str().unwrap()];
    sandbox.git(&args).ok();
    sandbox
        .git_in(&clone, &["submodule", "--quiet", "update", "--init"])
        .ok();
    assert_eq!(fs::read_to_string(clone.join("module").join(FILE)).unwrap(), BASE);
    sandbox.standing_in(&clone.join("module"));
    sandbox.standing_in(&clone);
}

#[test]
fn s58_a_sparse_checkout_and_a_sparse_index() {
    for options in [&["--cone"][..], &["--cone", "--sparse-index"]] {
        let sandbox = committed();
        sandbox.write("secrets/away/b.yaml", "token: CANARY\n");
        sandbox.write("other/c.txt", "x\n");
        sandbox.write("other/deep/d.txt", "x\n");
        sandbox.commit_all("more");
        let mut args = vec!["sparse-checkout", "set"];
        args.extend(options);
        args.push("other/deep");
        sandbox.git(&args).ok().silent();
        assert!(!sandbox.repo.join(FILE).exists());
        sandbox.git(&["status"]).ok().silent();
        sandbox.seal(&["verify"]).ok();
        sandbox.seal(&["lock"]).ok();
        sandbox.seal(&["unlock"]).ok();
        sandbox.assert_clean();
        assert!(!sandbox.repo.join(FILE).exists(), "lock or unlock widened the checkout");

        // Widened, files are opened; those away are neither asked for nor lost.
        sandbox.git(&["sparse-checkout", "add", "secrets"]).ok().silent();
        assert_eq!(sandbox.text(FILE), BASE);
        let mut args = vec!["sparse-checkout", "set"];
        args.extend(options);
        args.push("secrets/away");
        sandbox.git(&args).ok().silent();
        assert_eq!(sandbox.text("secrets/away/b.yaml"), "token: CANARY\n");
        sandbox.write(FILE, one("CANARY-new"));
        sandbox.git(&["status"]).ok().silent();
        sandbox.git(&["add", FILE]).ok().silent();
        sandbox.git(&["commit", "--quiet", "-m", "changed"]).ok().silent();
        sandbox.git(&["checkout", "--quiet", "HEAD~1"]).ok().silent();
        assert_eq!(sandbox.text(FILE), BASE);
        sandbox.git(&["checkout", "--quiet", "main"]).ok().silent();
        assert_eq!(sandbox.text(FILE), one("CANARY-new"));
        sandbox.standing();
    }
}

#[test]
fn s59_every_kind_of_index() {
    let hook = "#!/bin/sh\n# Every path may have changed.\nprintf 'token\\0/\\0'\n";
    let kinds: [(&str, &[&[&str]]); 6] = [
        (
            "split",
            &[
                &["config", "core.splitIndex", "true"],
                &["update-index", "--split-index"],
            ],
        ),
        (
            "version 4",
            &[
                &["config", "index.version", "4"],
                &["update-index", "--index-version", "4"],
            ],
        ),
        ("no checksum", &[&["config", "index.skipHash", "true"]]),
        ("many files", &[&["config", "feature.manyFiles", "true"]]),
        (
            "untracked cache",
            &[
                &["config", "core.untrackedCache", "true"],
                &["update-index", "--force-untracked-cache"],
            ],
        ),
        (
            "fsmonitor",
            &[
                &["config", "core.fsmonitor", ".git/fsmonitor-test"],
                &["update-index", "--fsmonitor"],
            ],
        ),
    ];
    for (name, commands) in kinds {
        let sandbox = committed();
        let script = sandbox.repo.join(".git/fsmonitor-test");
        fs::write(&script, hook).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        for command in commands {
            sandbox.git(command).ok();
        }
        sandbox.put("README", name, "the index is written anew");
        day(&sandbox, &sandbox.repo);
        sandbox.seal(&["lock"]).ok();
        assert!(contains(&sandbox.read(FILE), b"ENC["), "{name}");
        sandbox.assert_clean();
        sandbox.seal(&["unlock"]).ok();
        assert!(sandbox.text(FILE).contains("one: yCANARY-1"), "{name}");
        sandbox.standing();
    }
}

#[test]
fn s60_a_partial_clone_whose_server_is_gone() {
    let sandbox = committed();
    sandbox.put(FILE, &one("CANARY-second"), "second");
    sandbox.put(FILE, &one("CANARY-third"), "third");
    sandbox.seal(&["install", "--global"]).ok();
    sandbox.git(&["config", "uploadpack.allowFilter", "true"]).ok();
    sandbox.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]).ok();
    let url = format!("file://{}", sandbox.repo.display());
    let clone = sandbox.root().join("partial");
    let args = ["clone", "--quiet", "--filter=blob:none", &url, clone.to_str().unwrap()];
    sandbox.git_in(sandbox.root(), &args).ok();
    fs::rename(&sandbox.repo, sandbox.root().join("gone")).unwrap();
    let git = |args: &[&str]| sandbox.git_in(&clone, args);
    assert_eq!(fs::read_to_string(clone.join(FILE)).unwrap(), one("CANARY-third"));
    touch_all(&clone);
    assert_eq!(git(&["status", "--porcelain"]).ok().text(), "");
    fs::write(clone.join(FILE), two("CANARY-mine")).unwrap();
    git(&["add", FILE]).ok().silent();
    fs::write(clone.join("secrets/new.yaml"), "token: CANARY\n").unwrap();
    git(&["add", "secrets/new.yaml"]).ok().silent();
    git(&["commit", "--quiet", "-m", "mine"]).ok();
    fs::remove_file(clone.join(FILE)).unwrap();
    git(&["checkout", "--quiet", "--", FILE]).ok();
    assert_eq!(fs::read_to_string(clone.join(FILE)).unwrap(), two("CANARY-mine"));
    // What is not here can't be had, and Git says so; it takes the file away first, with or without a filter.
    git(&["checkout", "HEAD~2", "--", FILE]).fails();
    git(&["checkout", "--quiet", "--", FILE]).ok();
    assert_eq!(git(&["status", "--porcelain"]).ok().text(), "");
    fs::rename(sandbox.root().join("gone"), &sandbox.repo).unwrap();
    sandbox.standing_in(&clone);
}

#[test]
fn s61_a_range_that_a_shallow_clone_cut_off_is_not_taken_for_a_good_one() {
    let sandbox = committed();
    let base = sandbox.oid("HEAD");
    sandbox.put(FILE, &one("CANARY-second"), "second");
    sandbox.put(FILE, &one("CANARY-third"), "third");
    let url = format!("file://{}", sandbox.repo.display());
    let clone = sandbox.root().join("shallow");
    let args = ["clone", "--quiet", "--depth=1", &url, clone.to_str().unwrap()];
    sandbox.git_in(sandbox.root(), &args).ok();
    sandbox.seal_in(&clone, &["verify"]).ok();
    let range = format!("{base}..HEAD");
    sandbox.seal_in(&clone, &["verify", &range]).exits(2).says("git fetch");
    sandbox.git_in(&clone, &["fetch", "--quiet", "--unshallow"]).ok();
    sandbox.seal_in(&clone, &["verify", &range]).ok();
    sandbox.seal_in(&clone, &["install"]).ok();
    day(&sandbox, &clone);
}

#[test]
fn s62_longer_object_names() {
    let sandbox = Sandbox::with_init(&["init", "--quiet", "--initial-branch=main", "--object-format=sha256"]);
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.write(".gitattributes", ATTRIBUTES);
    sandbox.seal(&["install"]).ok();
    sandbox.put(FILE, BASE, "base");
    assert_eq!(sandbox.oid("HEAD:secrets/app.yaml").len(), 64);
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    sandbox.git(&["branch", "side"]).ok();
    day(&sandbox, &sandbox.repo);
    sandbox.git(&["checkout", "--quiet", "side"]).ok();
    sandbox.put(FILE, &two("CANARY-side"), "side");
    sandbox.git(&["rebase", "--quiet", "main"]).ok();
    assert!(sandbox.text(FILE).contains("CANARY-side"));
    sandbox.seal(&["lock"]).ok();
    sandbox.seal(&["unlock"]).ok();
    sandbox.seal_in(&sandbox.repo, &["verify", "--history"]).ok();
    sandbox.standing();
}

#[test]
fn s63_a_bare_repository_is_verified() {
    let sandbox = committed();
    let bare = sandbox.clone_to("bare.git", &["--bare"]);
    sandbox.seal_in(&bare, &["verify"]).ok();
    sandbox.seal_in(&bare, &["verify", "--history"]).ok();
    sandbox.seal_in(&bare, &["verify", "main~1..main"]).ok();
    let oid = sandbox
        .run_in(&bare, "git", &["hash-object", "-w", "--stdin"], b"token: plain\n")
        .ok()
        .text();
    let tree = format!("100644 blob {}\tapp.yaml\n", oid.trim());
    let inner = sandbox.run_in(&bare, "git", &["mktree"], tree.as_bytes()).ok().text();
    let entries = sandbox.git_in(&bare, &["ls-tree", "main"]).ok().text();
    let outer: String = entries
        .lines()
        .filter(|line| !line.ends_with("secrets"))
        .map(|line| format!("{line}\n"))
        .chain([format!("040000 tree {}\tsecrets\n", inner.trim())])
        .collect();
    let outer = sandbox.run_in(&bare, "git", &["mktree"], outer.as_bytes()).ok().text();
    let args = ["commit-tree", "-p", "main", "-m", "plain", outer.trim()];
    let commit = sandbox.git_in(&bare, &args).ok().text();
    sandbox
        .git_in(&bare, &["update-ref", "refs/heads/main", commit.trim()])
        .ok();
    sandbox.seal_in(&bare, &["verify"]).exits(1);
    sandbox.seal_in(&bare, &["verify", "main~1..main"]).exits(1);
    sandbox.sealed_in(&bare);
}

#[test]
fn s64_conversions_of_line_ends_damage_nothing() {
    let crlf = "one: CANARY-1\r\ntwo: CANARY-2\r\n";
    for (setting, value) in [
        ("core.autocrlf", "true"),
        ("core.autocrlf", "input"),
        ("core.eol", "crlf"),
    ] {
        for (attributes, bad) in [
            (ATTRIBUTES.to_owned(), false),
            (ATTRIBUTES.replace(" -text", " text"), true),
        ] {
            let sandbox = committed();
            sandbox.git(&["config", setting, value]).ok();
            sandbox.write(".gitattributes", &attributes);
            sandbox.write("secrets/crlf.yaml", crlf);
            sandbox.write("secrets/both.bin", b"CANARY\0\r\nx\n");
            sandbox.commit_all("line ends");
            let case = format!("{setting}={value} {attributes}");
            let doctor = sandbox.seal(&["doctor"]);
            assert_eq!(doctor.stderr.contains("`text`"), bad, "{case}\n{}", doctor.stderr);
            let seen = [FILE, "secrets/crlf.yaml", "secrets/both.bin"].map(|path| (path, sandbox.read(path)));
            fs::remove_dir_all(sandbox.repo.join("secrets")).unwrap();
            sandbox.git(&["checkout", "--quiet", "--", "secrets"]).ok();
            for (path, content) in &seen {
                sandbox.assert_sealed(&format!("HEAD:{path}"));
                // Without `-text` Git converts the ciphertext before it is opened, so line ends are Git's then, as everywhere.
                let same = |bytes: &[u8]| {
                    if bad {
                        bytes.iter().copied().filter(|byte| *byte != b'\r').collect()
                    } else {
                        bytes.to_vec()
                    }
                };
                assert!(same(&sandbox.read(path)) == same(content), "{case} {path}");
            }
            sandbox.seal(&["verify"]).ok();
            sandbox.standing();
        }
    }
}

#[test]
fn s65_from_anywhere_and_under_anybodys_variables() {
    let mut sandbox = committed();
    sandbox.put("deep/er/x", "x", "deep");
    sandbox.write(FILE, one("CANARY-below"));
    let below = sandbox.repo.join("secrets");
    sandbox.git_in(&below, &["add", "app.yaml"]).ok().silent();
    sandbox
        .git_in(&sandbox.repo.join("deep/er"), &["commit", "--quiet", "-m", "x"])
        .ok();
    let top = sandbox.repo.to_str().unwrap().to_owned();
    sandbox.write(FILE, one("CANARY-outside"));
    sandbox
        .git_in(sandbox.root(), &["-C", &top, "commit", "--quiet", "-a", "-m", "x"])
        .ok();
    let (git_dir, tree) = (format!("--git-dir={top}/.git"), format!("--work-tree={top}"));
    sandbox.write(FILE, one("CANARY-named"));
    let outside = |args: &[&str]| {
        let mut all = vec![git_dir.as_str(), tree.as_str()];
        all.extend(args);
        sandbox.git_in(sandbox.root(), &all).ok()
    };
    outside(&["add", FILE]).silent();
    outside(&["commit", "--quiet", "-m", "x"]);
    outside(&["checkout", "--quiet", "HEAD~1"]);
    assert_eq!(sandbox.text(FILE), one("CANARY-outside"));
    outside(&["checkout", "--quiet", "main"]);
    sandbox.standing();

    // A hook of another repository, whose variables are still there.
    let other = Sandbox::new();
    sandbox.set("GIT_DIR", other.repo.join(".git").to_str().unwrap());
    sandbox.set("GIT_WORK_TREE", other.repo.to_str().unwrap());
    sandbox.set("GIT_INDEX_FILE", other.repo.join(".git/index").to_str().unwrap());
    let clear = "unset $(git rev-parse --local-env-vars); cd \"$0\" && git add secrets && git commit --quiet -m leaked && git status --porcelain";
    sandbox.write(FILE, one("CANARY-from-a-hook"));
    let said = sandbox
        .run_in(&sandbox.repo, "sh", &["-c", clear, top.as_str()], b"")
        .ok();
    assert_eq!(said.text(), "");
    let all = other
        .git(&["cat-file", "--batch-all-objects", "--batch-check"])
        .ok()
        .text();
    assert_eq!(all, "", "the other repository got something");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        sandbox.unset(name);
    }
    assert!(sandbox.text(FILE).contains(CANARY));
    sandbox.standing();
}
