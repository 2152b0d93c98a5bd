//! Setting up and taking away: `init`, `install`, `uninstall` and `keygen`, on what people have already.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::{ALICE, BOB, Sandbox, contains, files_below};

const PLAIN: &str = "token: CANARY\n";
const FILE: &str = "secrets/app.yaml";
const GATES: [&str; 3] = ["pre-commit", "pre-merge-commit", "pre-push"];

/// What is done to a repository before the test.
type Change = fn(&Sandbox);

/// A repository on a machine without any key.
fn empty_machine() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.take_keys();
    fs::remove_dir_all(sandbox.home().join(".config")).unwrap();
    sandbox
}

/// As [`Sandbox::set_up`], with a sealed file committed.
fn with_file() -> Sandbox {
    let sandbox = Sandbox::set_up();
    sandbox.write(FILE, PLAIN);
    sandbox.commit_all("a secret");
    sandbox
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn make_executable(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o751)).unwrap();
}

/// Every file of a folder with bytes and mode, without Git's objects, index and git-seal's memory.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let own = |path: &PathBuf| {
        let text = path.to_string_lossy();
        !["/objects/", "/git-seal/", "/.git/index", "/logs/"]
            .iter()
            .any(|part| text.contains(part))
    };
    files_below(folder)
        .into_iter()
        .filter(own)
        .map(|path| (path.clone(), (mode(&path), fs::read(&path).unwrap())))
        .collect()
}

#[test]
fn init_on_an_empty_machine_makes_all_that_is_needed() {
    let sandbox = empty_machine();
    let told = sandbox.seal(&["init"]).ok();
    let key_file = sandbox.home().join(".config/sops/age/keys.txt");
    assert_eq!((mode(&key_file), mode(key_file.parent().unwrap())), (0o600, 0o700));
    let key = fs::read_to_string(&key_file).unwrap();
    let public = key.split_whitespace().find(|word| word.starts_with("age1")).unwrap();
    assert!(told.stderr.contains(public) && !told.stderr.contains("AGE-SECRET-KEY"));
    let policy = sandbox.text(".sops.yaml");
    assert!(policy.contains(public) && policy.contains("path_regex"), "{policy}");
    assert!(
        sandbox
            .text(".gitattributes")
            .contains("filter=git-seal diff=git-seal merge=git-seal -text")
    );
    for name in GATES {
        let hook = sandbox.repo.join(".git/hooks").join(name);
        assert!(mode(&hook) & 0o111 == 0o111, "{name}");
    }
    sandbox.git(&["config", "filter.git-seal.required"]).ok();

    let before = (everything(&sandbox.repo), everything(&sandbox.home()));
    sandbox.seal(&["init"]).ok();
    sandbox.seal(&["install"]).ok();
    assert_eq!((everything(&sandbox.repo), everything(&sandbox.home())), before);

    sandbox.write(FILE, PLAIN);
    sandbox.commit_all("all of it works");
    sandbox.assert_sealed("HEAD:secrets/app.yaml");
    sandbox.seal(&["verify"]).ok();
    sandbox.seal(&["doctor"]).ok();
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn init_overwrites_nothing() {
    let sandbox = Sandbox::new();
    let policy = format!("# ours\ncreation_rules:\n  - age: {BOB}\n    path_regex: ^vault/.*\\.json$\n");
    sandbox.write(".sops.yaml", &policy);
    sandbox.write(".gitattributes", "*.png binary\n# no newline at the end\n*.txt text");
    let hook = sandbox.repo.join(".git/hooks/pre-commit");
    make_executable(&hook, "#!/bin/sh\ntouch \"$(git rev-parse --git-dir)/ran\"\n");
    sandbox.seal(&["init"]).ok().says(".sops.yaml is there already");
    assert_eq!(sandbox.text(".sops.yaml"), policy);
    let attributes = sandbox.text(".gitattributes");
    assert!(
        attributes.starts_with("*.png binary\n# no newline at the end\n*.txt text\n"),
        "{attributes}"
    );
    assert!(attributes.contains("vault/") && attributes.contains("filter=git-seal"));
    sandbox.write("vault/a.json", "{\"token\": \"CANARY\"}\n");
    sandbox.commit_all("x");
    assert!(sandbox.repo.join(".git/ran").exists(), "the hook that was there runs");
    sandbox.assert_sealed("HEAD:vault/a.json");
    sandbox.seal(&["uninstall"]).ok();
    assert_eq!(
        fs::read_to_string(&hook).unwrap(),
        "#!/bin/sh\ntouch \"$(git rev-parse --git-dir)/ran\"\n"
    );
    assert_eq!(mode(&hook), 0o751);
}

#[test]
fn init_guard_only_sets_no_filter_up() {
    let sandbox = Sandbox::new();
    let config = sandbox.read(".git/config");
    sandbox.seal(&["init", "--guard-only"]).ok();
    assert_eq!(sandbox.read(".git/config"), config);
    assert!(!sandbox.repo.join(".gitattributes").exists());
    sandbox.write(FILE, PLAIN);
    sandbox.git(&["add", "."]).ok();
    sandbox.git(&["commit", "-m", "x"]).exits(1).says("GS101");
}

#[test]
fn init_with_paths_and_recipients() {
    let sandbox = Sandbox::new();
    sandbox
        .seal(&["init", "--path", r"\.secret\.yaml$", "--path", "^vault/", "--age", BOB])
        .ok();
    sandbox.write("a/b.secret.yaml", PLAIN);
    sandbox.write("vault/c.bin", PLAIN);
    sandbox.write("d.yaml", "plain: yes\n");
    sandbox.commit_all("x");
    for name in ["HEAD:a/b.secret.yaml", "HEAD:vault/c.bin"] {
        sandbox.assert_sealed(name);
        let stored = sandbox.stored(name);
        assert!(contains(&stored, ALICE.as_bytes()) && contains(&stored, BOB.as_bytes()));
    }
    assert_eq!(sandbox.stored("HEAD:d.yaml"), b"plain: yes\n");
    sandbox.assert_clean();
}

#[test]
fn init_says_what_to_do_where_it_can_not() {
    for (arguments, words) in [
        (&["--path", "("][..], "--path"),
        (&["--age", "age1nonsense"], "age1nonsense"),
        (&["--age", "AGE-SECRET-KEY-1QQQ"], "recipient"),
    ] {
        let sandbox = Sandbox::new();
        let before = everything(&sandbox.repo);
        let mut args = vec!["init"];
        args.extend(arguments);
        let told = sandbox.seal(&args).fails();
        assert!(told.stderr.contains(words), "{}", told.stderr);
        assert_eq!(everything(&sandbox.repo), before, "{arguments:?}");
    }
    // A pattern that has no form in .gitattributes: set up all the same, with the line to add.
    let sandbox = Sandbox::new();
    let told = sandbox.seal(&["init", "--path", "[[:alpha:]]{1,30}x{1,40}"]).ok();
    let line = told.stderr.lines().find(|line| line.contains("PATTERN")).unwrap();
    assert!(
        line.contains("PATTERN filter=git-seal diff=git-seal merge=git-seal -text"),
        "{line}"
    );

    let outside = sandbox.home();
    sandbox.seal_in(&outside, &["init"]).exits(2).says("repository");
    let bare = Sandbox::with_init(&["init", "--quiet", "--bare"]);
    bare.seal(&["init"]).exits(2).says("bare");
}

#[test]
fn uninstall_puts_everything_back() {
    let sandbox = Sandbox::new();
    let config = sandbox.repo.join(".git/config");
    let odd = "\n# a remark\n[alias]\n\tx = status\n[filter \"other\"]\n\tclean = cat\n";
    fs::write(&config, fs::read_to_string(&config).unwrap() + odd).unwrap();
    let hooks = sandbox.repo.join(".git/hooks");
    make_executable(&hooks.join("pre-push"), "#!/bin/sh\nexit 0\n");
    make_executable(&hooks.join("post-commit"), "#!/bin/sh\nexit 0\n");
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.write(
        ".gitattributes",
        "secrets/** filter=git-seal diff=git-seal merge=git-seal -text\n",
    );
    let before = everything(&sandbox.repo);
    for _ in 0..2 {
        sandbox.seal(&["install"]).ok();
        sandbox.seal(&["install"]).ok();
        assert_ne!(everything(&sandbox.repo), before);
        sandbox.seal(&["uninstall"]).ok();
        assert_eq!(everything(&sandbox.repo), before);
    }
    sandbox.seal(&["uninstall"]).ok();
    assert_eq!(everything(&sandbox.repo), before);

    sandbox.seal(&["install"]).ok();
    sandbox.write(FILE, PLAIN);
    sandbox.commit_all("sealed");
    sandbox.seal(&["uninstall"]).ok();
    assert_eq!(sandbox.read(FILE), sandbox.stored("HEAD:secrets/app.yaml"));
    sandbox.assert_clean();
    sandbox.seal(&["install"]).ok();
    assert_eq!(sandbox.text(FILE), PLAIN);
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn uninstall_and_lock_refuse_with_unstaged_changes_and_change_nothing() {
    let sandbox = with_file();
    sandbox.write("secrets/other.yaml", PLAIN);
    sandbox.commit_all("two");
    sandbox.write("secrets/other.yaml", "token: CANARY-2\n");
    let before = everything(&sandbox.repo);
    for verb in ["uninstall", "lock"] {
        sandbox.seal(&[verb]).exits(2).says("secrets/other.yaml").says("stage");
        assert_eq!(everything(&sandbox.repo), before, "{verb}");
    }
    sandbox.git(&["add", "."]).ok();
    sandbox.seal(&["uninstall"]).ok();
    assert_eq!(
        sandbox.read("secrets/other.yaml"),
        sandbox.stored(":secrets/other.yaml")
    );
}

#[test]
fn foreign_hooks_get_arguments_and_stdin_and_their_refusal_counts() {
    let sandbox = Sandbox::new();
    let hooks = sandbox.repo.join(".git/hooks");
    let record = |name: &str| sandbox.root().join(format!("{name}.told"));
    for name in ["pre-commit", "pre-push"] {
        let text = format!(
            "#!/bin/sh\n{{ echo \"args: $*\"; echo stdin; cat; }} >'{}'\n[ ! -e stop-{name} ]\n",
            record(name).display()
        );
        make_executable(&hooks.join(name), &text);
    }
    sandbox.seal(&["init"]).ok().says("runs after it");
    sandbox.commit_all("set-up");
    assert!(
        fs::read_to_string(record("pre-commit"))
            .unwrap()
            .starts_with("args: \nstdin\n")
    );
    let remote = sandbox.root().join("remote.git");
    let url = remote.to_str().unwrap();
    sandbox.git(&["init", "--quiet", "--bare", url]).ok();
    sandbox.git(&["remote", "add", "origin", url]).ok();
    sandbox.git(&["push", "--quiet", "origin", "main"]).ok();
    let head = sandbox.oid("HEAD");
    let zero = "0".repeat(40);
    assert_eq!(
        fs::read_to_string(record("pre-push")).unwrap(),
        format!("args: origin {url}\nstdin\nrefs/heads/main {head} refs/heads/main {zero}\n")
    );
    for (name, args) in [
        ("pre-commit", &["commit", "--allow-empty", "-m", "x"][..]),
        ("pre-push", &["push", "origin", "main:other"]),
    ] {
        let stop = sandbox.repo.join(format!("stop-{name}"));
        fs::write(&stop, "").unwrap();
        sandbox.git(args).fails();
        fs::remove_file(&stop).unwrap();
    }
    assert_eq!(sandbox.oid("HEAD"), head);
    // Ours refuses before theirs runs.
    fs::remove_file(record("pre-commit")).unwrap();
    sandbox.write("key.txt", crate::support::secret("bob"));
    sandbox.git(&["add", "key.txt"]).ok();
    sandbox.git(&["commit", "-m", "x"]).exits(1).says("GS201");
    assert!(!record("pre-commit").exists());
    // A second hook of the same kind is never lost either.
    fs::remove_file(hooks.join("pre-commit")).unwrap();
    make_executable(&hooks.join("pre-commit"), "#!/bin/sh\nexit 0\n");
    sandbox.seal(&["install"]).exits(2).says("in the way");
    assert_eq!(
        fs::read_to_string(hooks.join("pre-commit")).unwrap(),
        "#!/bin/sh\nexit 0\n"
    );
}

#[test]
fn hooks_of_somebody_else_are_left_and_advice_is_printed() {
    let cases: [(&str, Change, &[&str]); 6] = [
        (
            "a folder of the work tree",
            |sandbox| {
                make_executable(&sandbox.repo.join(".githooks/pre-commit"), "#!/bin/sh\n");
                sandbox.git(&["config", "core.hooksPath", ".githooks"]).ok();
            },
            &[
                "part of the work tree",
                ".githooks/pre-commit",
                "git-seal hook pre-commit \"$@\"",
            ],
        ),
        (
            "a folder outside",
            |sandbox| {
                let folder = sandbox.root().join("shared-hooks");
                make_executable(&folder.join("pre-commit"), "#!/bin/sh\n");
                sandbox
                    .git(&["config", "core.hooksPath", folder.to_str().unwrap()])
                    .ok();
            },
            &["outside of this repository", "git-seal hook pre-push"],
        ),
        (
            "husky",
            |sandbox| {
                make_executable(&sandbox.repo.join(".husky/pre-commit"), "npm test\n");
                sandbox.git(&["config", "core.hooksPath", ".husky/_"]).ok();
            },
            &["Husky", ".husky/pre-commit", "git-seal hook pre-commit"],
        ),
        (
            "lefthook",
            |sandbox| sandbox.write("lefthook.yml", "pre-commit: {}\n"),
            &[
                "Lefthook",
                "lefthook.yml",
                "run: git-seal hook pre-commit",
                "lefthook install",
            ],
        ),
        (
            "prek",
            |sandbox| sandbox.write("prek.toml", "repos = []\n"),
            &["Prek", "prek.toml", "prek install"],
        ),
        (
            "the pre-commit framework",
            |sandbox| {
                sandbox.write(".pre-commit-config.yaml", "repos: []\n");
                let hook = sandbox.repo.join(".git/hooks/pre-commit");
                make_executable(
                    &hook,
                    "#!/bin/sh\n# File generated by pre-commit: https://pre-commit.com\n",
                );
            },
            &[
                "PreCommit",
                ".pre-commit-config.yaml",
                "entry: git-seal hook pre-commit",
                "pre-commit install",
            ],
        ),
    ];
    for (what, prepare, words) in cases {
        let sandbox = Sandbox::new();
        prepare(&sandbox);
        let before = everything(sandbox.root());
        let told = sandbox.seal(&["install", "--guard-only"]).ok();
        for word in words {
            assert!(told.stderr.contains(word), "{what}: {word}\n{}", told.stderr);
        }
        assert_eq!(everything(sandbox.root()), before, "{what}");
        sandbox.seal(&["doctor"]).exits(1).says("do not run git-seal");
        sandbox.seal(&["uninstall"]).ok();
        assert_eq!(everything(sandbox.root()), before, "{what}");
    }
}

#[test]
fn the_lines_of_the_advice_work() {
    let sandbox = Sandbox::new();
    sandbox.policy(&[("^secrets/", ALICE)]);
    sandbox.git(&["config", "core.hooksPath", ".githooks"]).ok();
    let told = sandbox.seal(&["install", "--guard-only"]).ok().stderr;
    let lines: Vec<&str> = told.lines().map(|line| line.trim_start_matches("git-seal: ")).collect();
    for name in GATES {
        let head = lines
            .iter()
            .position(|line| line.contains(&format!(".githooks/{name}:")))
            .unwrap();
        let body = lines[head + 1..].iter().take_while(|line| line.starts_with("    "));
        let body: String = body.map(|line| format!("{}\n", line.trim_start())).collect();
        make_executable(
            &sandbox.repo.join(".githooks").join(name),
            &format!("#!/bin/sh\n{body}"),
        );
    }
    sandbox.commit_all("set-up");
    sandbox.write(FILE, PLAIN);
    sandbox.git(&["add", "."]).ok();
    sandbox.git(&["commit", "-m", "x"]).exits(1).says("GS101");
    sandbox.git(&["commit", "--quiet", "--no-verify", "-m", "x"]).ok();
    let remote = sandbox.root().join("remote.git");
    sandbox
        .git(&["init", "--quiet", "--bare", remote.to_str().unwrap()])
        .ok();
    sandbox
        .git(&["push", remote.to_str().unwrap(), "main"])
        .fails()
        .says("GS101");
}

#[test]
fn a_missing_program_blocks_the_commit_with_one_line() {
    let mut sandbox = Sandbox::new();
    sandbox.seal(&["init", "--guard-only"]).ok();
    let hook = sandbox.repo.join(".git/hooks/pre-commit");
    let text = fs::read_to_string(&hook).unwrap();
    let program = env!("CARGO_BIN_EXE_git-seal");
    assert!(text.contains(program), "{text}");
    // Not on PATH, but where it was at installation.
    sandbox.set("PATH", &std::env::var("PATH").unwrap());
    sandbox.commit_all("set-up");
    make_executable(&hook, &text.replace(program, "/nowhere/git-seal"));
    let head = sandbox.oid("HEAD");
    let told = sandbox.git(&["commit", "--allow-empty", "-m", "x"]).exits(1);
    assert_eq!(told.stderr.lines().count(), 1, "{}", told.stderr);
    assert!(told.stderr.contains("git-seal: error: program not found") && told.stderr.contains("/nowhere/git-seal"));
    assert_eq!(sandbox.oid("HEAD"), head);
}

#[test]
fn install_opens_the_checkout_and_leaves_edits_alone() {
    let sandbox = with_file();
    for name in ["edited", "gone", "plain"] {
        sandbox.write(format!("secrets/{name}.yaml"), PLAIN);
    }
    sandbox.commit_all("more");
    let clone = sandbox.clone_to("clone", &[]);
    let edited = fs::read_to_string(clone.join("secrets/edited.yaml")).unwrap() + "# by hand\n";
    fs::write(clone.join("secrets/edited.yaml"), &edited).unwrap();
    fs::remove_file(clone.join("secrets/gone.yaml")).unwrap();
    fs::write(clone.join("secrets/plain.yaml"), "mine: x\n").unwrap();
    fs::write(clone.join("secrets/untracked.yaml"), "mine: y\n").unwrap();
    sandbox.seal_in(&clone, &["install"]).ok().says("1 file opened");
    let read = |name: &str| fs::read_to_string(clone.join("secrets").join(name)).unwrap();
    assert_eq!(read("app.yaml"), PLAIN);
    assert_eq!(read("edited.yaml"), edited);
    assert_eq!(
        (read("plain.yaml").as_str(), read("untracked.yaml").as_str()),
        ("mine: x\n", "mine: y\n")
    );
    assert!(!clone.join("secrets/gone.yaml").exists());
    let status = sandbox.git_in(&clone, &["status", "--porcelain"]).ok().text();
    assert_eq!(
        status,
        " M secrets/edited.yaml\n D secrets/gone.yaml\n M secrets/plain.yaml\n?? secrets/untracked.yaml\n"
    );
}

#[test]
fn install_global_opens_clones_to_come_and_uninstall_global_forgets() {
    let sandbox = with_file();
    let config = sandbox.home().join(".gitconfig");
    fs::write(&config, "# mine\n[user]\n\tname = A\n").unwrap();
    sandbox.seal(&["install", "--global"]).ok();
    sandbox.seal(&["install", "--global"]).ok();
    let clone = sandbox.clone_to("clone", &[]);
    assert_eq!(fs::read_to_string(clone.join(FILE)).unwrap(), PLAIN);
    sandbox.seal_in(&clone, &["lock"]).ok();
    sandbox.seal_in(&clone, &["uninstall", "--global"]).ok();
    assert_eq!(fs::read_to_string(&config).unwrap(), "# mine\n[user]\n\tname = A\n");
    sandbox.assert_clean_in(&clone);
}

#[test]
fn linked_work_trees_submodules_and_bare_repositories_are_installed() {
    let sandbox = with_file();
    sandbox.seal(&["uninstall"]).ok();
    let linked = sandbox.root().join("linked");
    sandbox
        .git(&["worktree", "add", "--quiet", "-b", "side", linked.to_str().unwrap()])
        .ok();
    sandbox.seal_in(&linked, &["install"]).ok();
    assert_eq!(fs::read_to_string(linked.join(FILE)).unwrap(), PLAIN);
    fs::write(linked.join("secrets/new.yaml"), PLAIN).unwrap();
    sandbox.git_in(&linked, &["add", "."]).ok();
    sandbox.git_in(&linked, &["commit", "--quiet", "-m", "x"]).ok();
    sandbox.assert_sealed("side:secrets/new.yaml");
    assert!(sandbox.repo.join(".git/hooks/pre-commit").exists());
    sandbox.assert_clean_in(&linked);

    let outer = Sandbox::new();
    let url = sandbox.repo.to_str().unwrap();
    outer
        .git(&[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            url,
            "module",
        ])
        .ok();
    let module = outer.repo.join("module");
    outer.seal_in(&module, &["install"]).ok();
    assert_eq!(fs::read_to_string(module.join(FILE)).unwrap(), PLAIN);
    assert!(outer.repo.join(".git/modules/module/hooks/pre-commit").exists());
    assert!(!outer.repo.join(".git/hooks/pre-commit").exists());
    outer.assert_clean_in(&module);
    outer.commit_all("a module");
    outer.assert_no_leak();

    let bare = sandbox.clone_to("bare.git", &["--bare"]);
    sandbox.seal_in(&bare, &["install"]).ok();
    sandbox.seal_in(&bare, &["uninstall"]).ok();
    sandbox.seal_in(&bare, &["verify"]).ok();
}

#[test]
fn keygen_makes_a_private_file_and_never_overwrites() {
    let sandbox = empty_machine();
    let path = sandbox.home().join(".config/sops/age/keys.txt");
    let args = ["keygen", "-o", path.to_str().unwrap()];
    let told = sandbox.seal(&args).ok();
    assert_eq!(mode(&path), 0o600);
    let text = fs::read_to_string(&path).unwrap();
    let public = sandbox.seal(&["keygen", "-y", path.to_str().unwrap()]).ok().text();
    assert!(told.stderr.contains(public.trim()) && !told.stderr.contains("AGE-SECRET-KEY"));
    sandbox.seal(&args).fails();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}
