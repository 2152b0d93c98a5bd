//! git-seal in the place of `sops`: a link of that name runs every command that the vectors were made with.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::vectors::{assert_same, folder, format};
use crate::support::{ALICE, BOB, CAROL, Output, Sandbox};

/// Where the exit code differs from SOPS's, and why.
const DEVIATIONS: [(&str, i32, &str); 6] = [
    (
        "yaml/41-comments-in-lists-3.13.2",
        0,
        "a fault of SOPS 3.13.2, which rejects its own file",
    ),
    (
        "yaml/42-comment-regex-in-list",
        0,
        "a fault of SOPS, which rejects its own file",
    ),
    ("negative/45-list-comment-3.13.2-rejects", 0, "the same fault"),
    (
        "rejected/12-json-duplicate",
        2,
        "one of two equal keys is a secret that nobody sees",
    ),
    (
        "rejected/13-json-trailing",
        2,
        "SOPS drops what follows the object without a word",
    ),
    (
        "rejected/21-bad-regex",
        1,
        "SOPS leaves everything in the clear without a word",
    ),
];

/// A command with the exit code of SOPS.
struct Case {
    folder: String,
    code: i32,
    command: String,
}

fn cases() -> Vec<Case> {
    let list = fs::read_to_string(folder().join("commands.tsv")).unwrap();
    let case = |line: &str| {
        let mut fields = line.splitn(3, '\t').map(str::to_owned);
        let mut next = || fields.next().unwrap();
        let (folder, code, command) = (next(), next(), next());
        Case {
            folder,
            code: code.parse().unwrap(),
            command,
        }
    };
    list.lines().filter(|line| !line.starts_with('#')).map(case).collect()
}

/// The vectors laid out as they were when the commands were run, and `sops` in front of everything on PATH.
struct Bench {
    sandbox: Sandbox,
    top: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let mut sandbox = Sandbox::new();
        sandbox.take_keys();
        let top = sandbox.root().join("vectors");
        let links = sandbox.root().join("links");
        fs::create_dir_all(&links).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_git-seal"), links.join("sops")).unwrap();
        copy(&folder().join("sops"), &top);
        copy(&folder().join("keys"), &top.join("keys"));
        let path = std::env::var("PATH").unwrap();
        let own = Path::new(env!("CARGO_BIN_EXE_git-seal")).parent().unwrap();
        sandbox.set("PATH", &format!("{}:{}:{path}", links.display(), own.display()));
        let outsider = "age1aqgwc7690k8tz4qn2crq60stl8z2gdymxyk77enaecnf492zucfsq07nt4";
        let pq = fs::read_to_string(folder().join("keys/pq.pub")).unwrap();
        let ssh = fs::read_to_string(folder().join("keys/ssh_ed25519.pub")).unwrap();
        for (name, value) in [
            ("ALICE", ALICE),
            ("BOB", BOB),
            ("CAROL", CAROL),
            ("OUTSIDER", outsider),
            ("PQ", pq.trim()),
            ("SSH", ssh.trim()),
            ("SOPS_AGE_KEY_FILE", "../../keys/alice.txt"),
        ] {
            sandbox.set(name, value);
        }
        Self { sandbox, top }
    }

    fn run(&self, case: &Case) -> Output {
        let folder = self.top.join(&case.folder);
        self.sandbox.run_in(&folder, "sh", &["-c", &case.command], b"")
    }

    /// A file of a case as the vectors have it.
    fn original(case: &Case, name: &str) -> Option<Vec<u8>> {
        fs::read(folder().join("sops").join(&case.folder).join(name)).ok()
    }

    /// The files of a case whose names begin so, as they are.
    fn files(&self, case: &Case, start: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.top.join(&case.folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(start))
            .collect()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn expected(case: &Case) -> i32 {
    let deviation = DEVIATIONS.iter().find(|(folder, ..)| *folder == case.folder);
    match deviation {
        // A pair has an encrypting and a decrypting command, of which SOPS fails in one only.
        Some((_, ours, _)) if case.code != 0 || *ours != 0 => *ours,
        _ => case.code,
    }
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn every_recorded_command_ends_as_with_sops() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    let mut count = BTreeMap::new();
    for case in cases() {
        let before = fs::read_dir(bench.top.join(&case.folder)).unwrap().count();
        let run = bench.run(&case);
        if run.code != expected(&case) {
            wrong.push(format!(
                "{}: {} instead of {}: {}\n{}",
                case.folder,
                run.code,
                expected(&case),
                case.command,
                run.stderr
            ));
        }
        if run.code != 0 && run.code != 200 {
            assert!(!run.stderr.is_empty(), "{}: refused without a word", case.folder);
            assert!(!run.text().contains("ENC["), "{}: something came out", case.folder);
            let after = fs::read_dir(bench.top.join(&case.folder)).unwrap().count();
            assert!(after <= before + 1, "{}: something was left behind", case.folder);
        }
        *count
            .entry(case.folder.split('/').next().unwrap_or_default().to_owned())
            .or_insert(0) += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count.values().sum::<usize>() > 290, "{count:?}");
}

#[test]
fn what_sops_sealed_is_opened_to_its_values() {
    let bench = Bench::new();
    let mut opened = 0;
    for case in cases().iter().filter(|case| case.command.contains("> dec.")) {
        bench.run(case).exits(expected(case));
        let [dec] = bench.files(case, "dec.").try_into().unwrap();
        let Some(theirs) = Bench::original(case, name(&dec)).filter(|_| case.code == 0) else {
            continue;
        };
        assert_same(format(&dec), &fs::read(&dec).unwrap(), &theirs, &case.folder);
        opened += 1;
    }
    assert!(opened > 60, "only {opened}");
}

#[test]
fn what_is_sealed_in_its_place_opens_byte_for_byte() {
    let bench = Bench::new();
    let mut opened = 0;
    let cases = cases();
    for pair in cases.chunks(2).filter(|pair| pair[0].command.contains("> enc.")) {
        bench.run(&pair[0]).ok();
        bench.run(&pair[1]).ok();
        let [plain] = bench.files(&pair[0], "plain.").try_into().unwrap();
        let [dec] = bench.files(&pair[1], "dec.").try_into().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&fs::read(dec).unwrap()),
            String::from_utf8_lossy(&fs::read(plain).unwrap()),
            "{}",
            pair[0].folder
        );
        opened += 1;
    }
    assert!(opened > 60, "only {opened}");
}

#[test]
fn operations_leave_what_sops_leaves() {
    let bench = Bench::new();
    let (mut files, mut outputs) = (0, 0);
    for case in cases().iter().filter(|case| case.folder.starts_with("ops/")) {
        let run = bench.run(case).exits(case.code);
        for after in bench.files(case, "after.") {
            let dec = name(&after).replace("after.", "after.dec.");
            let Some(theirs) = Bench::original(case, &dec).filter(|_| !name(&after).contains(".dec.")) else {
                continue;
            };
            let keys = bench.top.join("keys/all.txt");
            let open = format!("SOPS_AGE_KEY_FILE={} sops decrypt {}", keys.display(), name(&after));
            let ours = bench
                .sandbox
                .run_in(&bench.top.join(&case.folder), "sh", &["-c", &open], b"")
                .ok();
            assert_same(format(&after), &ours.stdout, &theirs, &case.folder);
            if case.code != 0 {
                let [before] = bench.files(case, "before.").try_into().unwrap();
                assert_eq!(fs::read(&after).unwrap(), fs::read(before).unwrap(), "{}", case.folder);
            }
            files += 1;
        }
        if let Some(theirs) = Bench::original(case, "stdout.txt")
            && !case.command.contains("updatekeys")
        {
            assert_eq!(run.text(), String::from_utf8(theirs).unwrap(), "{}", case.folder);
            outputs += 1;
        }
    }
    assert!(files > 14 && outputs > 7, "{files} {outputs}");
}

#[test]
fn the_root_form_does_the_same() {
    let bench = Bench::new();
    let case = |folder: &str, command: &str, code: i32| {
        let case = Case {
            folder: folder.to_owned(),
            code,
            command: command.to_owned(),
        };
        bench.run(&case).exits(code)
    };
    let at = "yaml/02-nested-maps";
    let plain = String::from_utf8(fs::read(bench.top.join(at).join("plain.yaml")).unwrap()).unwrap();
    case(
        at,
        "sops -e --age $ALICE plain.yaml > e.yaml && sops -d e.yaml > d.yaml && cmp d.yaml plain.yaml",
        0,
    );
    case(
        at,
        "sops --encrypt -a $ALICE --output o.yaml plain.yaml && sops --decrypt o.yaml | cmp - plain.yaml",
        0,
    );
    case(
        at,
        "cp plain.yaml i.yaml && sops -e -i -age $ALICE i.yaml && sops filestatus i.yaml",
        0,
    );
    let port = case(
        at,
        "sops --set '[\"database\"][\"primary\"][\"port\"] 6543' i.yaml && sops -d --extract '[\"database\"][\"primary\"][\"port\"]' i.yaml",
        0,
    );
    assert_eq!(port.text().trim(), "6543");
    case(
        at,
        "cp i.yaml r.yaml && sops -r -i --add-age $BOB r.yaml && ! cmp -s i.yaml r.yaml && SOPS_AGE_KEY_FILE=../../keys/bob.txt sops -d r.yaml > /dev/null",
        0,
    );
    case(
        at,
        "EDITOR='sed -i s/6543/7654/' sops i.yaml && sops -d i.yaml | grep -q 7654",
        0,
    );
    case(at, "EDITOR='grep -q lastmodified' sops -s i.yaml", 200);
    case(
        at,
        "EDITOR='sed -i s/7654/8765/' sops -s i.yaml && sops -d i.yaml | grep -q 8765",
        0,
    );
    case(
        at,
        "cat i.yaml | sops -d --input-type yaml --output-type yaml /dev/stdin | grep -q 8765",
        0,
    );
    case(at, "sops -d", 100);
    case(at, "sops -d gone.yaml", 100);
    case(at, "sops -d --nonsense i.yaml", 1);
    case(at, "sops decrypt --nonsense i.yaml", 1);
    let version = case(at, "sops --version --disable-version-check", 0).text();
    assert!(version.starts_with("sops 3."), "{version}");
    assert!(case(at, "sops --help", 0).text().contains("Usage"));
    assert_eq!(
        fs::read_to_string(bench.top.join(at).join("plain.yaml")).unwrap(),
        plain
    );
}

#[test]
fn the_policy_is_looked_for_where_sops_looks() {
    let bench = Bench::new();
    let top = bench.top.join("policies");
    fs::create_dir_all(top.join("below")).unwrap();
    let rule = |key: &str| format!("creation_rules:\n  - age: {key}\n");
    fs::write(top.join(".sops.yaml"), rule(ALICE)).unwrap();
    fs::write(top.join("below/.sops.yaml"), rule(BOB)).unwrap();
    fs::write(top.join("below/a.yaml"), "a: 1\n").unwrap();
    let sealed = |program: &str, folder: &Path, file: &str| {
        bench
            .sandbox
            .run_in(folder, program, &["encrypt", file], b"")
            .ok()
            .text()
    };
    // Under its own name the policy nearest to the file counts, under that of SOPS the one above the current folder.
    assert!(sealed("sops", &top, "below/a.yaml").contains(ALICE));
    assert!(sealed("git-seal", &top, "below/a.yaml").contains(BOB));
    assert!(sealed("sops", &top.join("below"), "a.yaml").contains(BOB));
}
