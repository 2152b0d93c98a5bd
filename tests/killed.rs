//! Killed at any moment: a file is the old one or the new one, nothing plain is left where it must not be, and Git goes on.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::generate::Chance;
use crate::support::refusal::{guarded, sealed};
use crate::support::{CANARY, Sandbox, contains, files_below};

/// How often each command is killed.
const TIMES: u64 = 12;

/// Runs a program and kills it, its children too, at a moment that the number decides.
fn kill(sandbox: &Sandbox, chance: &mut Chance, usual: Duration, line: &[&str]) {
    let mut command = sandbox.command(line[0], &sandbox.repo);
    command.args(&line[1..]).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let micros = usize::try_from(usual.as_micros()).unwrap();
    sleep(Duration::from_micros(chance.below(micros) as u64));
    let group = format!("-{}", child.id());
    sandbox.run_in(&sandbox.repo, "kill", &["-9", "--", &group], b"");
    child.wait().unwrap();
}

/// How long a program runs when nobody kills it.
fn time(sandbox: &Sandbox, line: &[&str]) -> Duration {
    let start = Instant::now();
    sandbox.run_in(&sandbox.repo, line[0], &line[1..], b"").ok();
    start.elapsed()
}

fn plain() -> String {
    (0..400)
        .map(|number| format!("key{number}: CANARY-{number}\n"))
        .collect()
}

#[test]
fn in_place_leaves_the_old_file_or_the_new_one() {
    let sandbox = guarded();
    let plain = plain();
    let closed = sealed(&sandbox, "a.yaml", &plain);
    let open = |text: &str| {
        sandbox.run_in(
            &sandbox.repo,
            "git-seal",
            &["decrypt", "--filename-override", "a.yaml"],
            text.as_bytes(),
        )
    };
    for (command, before) in [("encrypt", &plain), ("decrypt", &closed)] {
        let line = ["git-seal", command, "-i", "a.yaml"];
        sandbox.write("a.yaml", before);
        let usual = time(&sandbox, &line);
        let (mut old, mut new) = (0, 0);
        for seed in 0..TIMES {
            sandbox.write("a.yaml", before);
            // The first one comes at once: on a busy machine all others may come too late.
            let within = if seed == 0 { Duration::from_micros(1) } else { usual };
            kill(&sandbox, &mut Chance::new(seed), within, &line);
            let after = sandbox.text("a.yaml");
            if after == *before {
                old += 1;
            } else {
                new += 1;
                let whole = if command == "encrypt" {
                    open(&after).ok().text()
                } else {
                    after
                };
                assert!(whole == plain, "{command} -i left half a file");
            }
            for path in files_below(&sandbox.repo) {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if name.starts_with(".git-seal-") {
                    let is_plain = contains(&fs::read(&path).unwrap(), CANARY.as_bytes());
                    assert!(command == "decrypt" || !is_plain, "encrypt left plain text in {name}");
                    fs::remove_file(path).unwrap();
                }
            }
        }
        assert!(old + new == TIMES && old > 0, "{command}: {old} old, {new} new");
        assert_eq!(files_below(&sandbox.root().join("tmp")).len(), 0);
    }
}

/// A sandbox with a few sealed files, committed.
fn committed(text: &str) -> Sandbox {
    let sandbox = Sandbox::set_up();
    for number in 0..8 {
        sandbox.write(format!("secrets/{number}.yaml"), text);
    }
    sandbox.commit_all("sealed");
    sandbox
}

fn unlock(sandbox: &Sandbox) {
    let lock = sandbox.repo.join(".git/index.lock");
    if lock.exists() {
        fs::remove_file(lock).unwrap();
    }
}

#[test]
fn git_add_is_done_again_after_it_was_killed() {
    let text = plain();
    let sandbox = committed(&text);
    let mut usual = Duration::from_millis(300);
    for seed in 0..TIMES {
        let change = text.replace("CANARY-7\n", &format!("CANARY-changed-{seed}\n"));
        for number in 0..8 {
            sandbox.write(format!("secrets/{number}.yaml"), &change);
        }
        if seed == 0 {
            usual = time(&sandbox, &["git", "add", "--all"]);
            continue;
        }
        kill(&sandbox, &mut Chance::new(seed), usual, &["git", "add", "--all"]);
        unlock(&sandbox);
        sandbox.assert_no_leak();
        sandbox.git(&["status"]).ok();
        sandbox.git(&["add", "--all"]).ok();
        sandbox.assert_sealed(":secrets/7.yaml");
        assert_eq!(sandbox.text("secrets/7.yaml"), change);
    }
    sandbox.git(&["commit", "--quiet", "-m", "changed"]).ok();
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn git_checkout_is_done_again_after_it_was_killed() {
    let text = plain();
    let sandbox = committed(&text);
    let other = text.replace("CANARY-7\n", "CANARY-other\n");
    for number in 0..8 {
        sandbox.write(format!("secrets/{number}.yaml"), &other);
    }
    sandbox.commit_all("other");
    let usual = time(&sandbox, &["git", "checkout", "--quiet", "HEAD~1"]);
    for seed in 0..TIMES {
        let (target, expected) = if seed % 2 == 0 {
            ("main", &other)
        } else {
            ("main~1", &text)
        };
        let line = ["git", "checkout", "--quiet", "--force", target];
        kill(&sandbox, &mut Chance::new(seed), usual, &line);
        unlock(&sandbox);
        sandbox.git(&["status"]).ok();
        sandbox.git(&line[1..]).ok();
        for number in 0..8 {
            assert!(
                sandbox.text(format!("secrets/{number}.yaml")) == *expected,
                "after {seed}"
            );
        }
    }
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}
