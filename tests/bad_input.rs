//! Bad files of every kind: damaged, hostile, unreadable, unwritable. Each time one clear sentence and a code other than 0, nothing
//! written, no panic, no hang; through Git a draft or the unchanged bytes, and never a failure.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::refusal::{guarded, patiently, refused, sealed, work_tree};
use crate::support::{BOB, CANARY, Sandbox, contains};

const YAML: &str = "# CANARY\nuser: CANARY\npassword: \"CANARY-1\"\nport: 5432\nlist:\n  - CANARY a\n  - CANARY b\n";
const JSON: &str =
    "{\n  \"user\": \"CANARY\",\n  \"password\": \"CANARY-1\",\n  \"port\": 5432,\n  \"list\": [\"a\", \"b\"]\n}\n";
/// The text with another base64 character at `offset` behind the first `mark` behind `from`.
fn bent(text: &str, from: &str, mark: &str, offset: usize) -> String {
    let start = text.find(from).unwrap();
    let at = start + text[start..].find(mark).unwrap() + mark.len() + offset;
    let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

/// Every way to damage a sealed file, with the exit codes of `decrypt`.
fn damages(good: &str) -> Vec<(&'static str, String, &'static [i32])> {
    let line = |word: &str| good.lines().find(|line| line.contains(word)).unwrap().to_owned();
    let (user, password) = (line("user"), line("password"));
    let after = good.find("user").unwrap();
    // A comment is under no MAC, so these are done to the first value.
    let in_value = |from: &str, to: &str| format!("{}{}", &good[..after], good[after..].replacen(from, to, 1));
    let value = |line: &str| line.split_once("ENC[").unwrap().1.split(']').next().unwrap().to_owned();
    let armor = if good.starts_with('{') { "\\n" } else { "\n" };
    let mark = "-----BEGIN AGE ENCRYPTED FILE-----";
    vec![
        ("data", bent(good, "password", "data:", 2), &[25]),
        ("iv", bent(good, "password", "iv:", 5), &[25]),
        ("tag", bent(good, "password", "tag:", 5), &[25]),
        ("type", in_value("type:str", "type:int"), &[25, 51]),
        ("unknown type", in_value("type:str", "type:odd"), &[25]),
        ("no base64", in_value(",iv:", "?,iv:"), &[25]),
        ("no envelope", in_value("ENC[AES256_GCM,", "ENC[AES256_XXX,"), &[25]),
        ("swapped", good.replacen(&value(&user), &value(&password), 1), &[25]),
        ("removed", good.replacen(&format!("{user}\n"), "", 1), &[51]),
        ("mac", bent(good, "mac", "data:", 3), &[51]),
        ("mac's tag", bent(good, "mac", "tag:", 3), &[51]),
        (
            "time",
            good.replacen(&line("lastmodified")[..], &line("lastmodified").replace("20", "19"), 1),
            &[1, 51],
        ),
        (
            "no time",
            good.replacen(&line("lastmodified"), &line("lastmodified").replace('Z', ""), 1),
            &[1],
        ),
        ("armor", bent(good, mark, armor, 70), &[128]),
        ("armor's mark", good.replacen(mark, "-----BEGIN-----", 1), &[128]),
        ("recipient", good.replacen("sops", "stop", 1), &[1, 25]),
        ("age", good.replacen("age", "ago", 1), &[1, 128]),
        ("NUL", in_value("ENC[", "ENC[\0"), &[1, 2, 25]),
    ]
}

#[test]
fn damage_is_refused_by_every_command() {
    let mut sandbox = guarded();
    sandbox.set("EDITOR", &format!("touch {}", sandbox.home().join("was-run").display()));
    for (name, plain) in [("a.yaml", YAML), ("a.json", JSON)] {
        let good = sealed(&sandbox, name, plain);
        for (what, damaged, codes) in damages(&good) {
            assert_ne!(good, damaged, "{what}");
            sandbox.write(name, &damaged);
            let output = refused(&sandbox, &["decrypt", name], b"");
            assert!(
                codes.contains(&output.code),
                "{what} in {name}: {} {}",
                output.code,
                output.stderr
            );
            refused(&sandbox, &["decrypt", "-i", name], b"");
            refused(&sandbox, &["edit", name], b"");
            let status = patiently(&sandbox, &["filestatus", name], b"");
            assert!([0, 1].contains(&status.code), "{what}: {}", status.stderr);
            assert_eq!(sandbox.text(name), damaged, "{what}");
        }
    }
    assert!(!sandbox.home().join("was-run").exists());
}

#[test]
fn a_truncated_file_is_refused_or_whole() {
    let sandbox = guarded();
    for (name, plain) in [("a.yaml", YAML), ("a.json", JSON)] {
        let good = sealed(&sandbox, name, plain);
        for length in (0..good.len()).step_by(7) {
            sandbox.write(name, &good[..length]);
            let output = patiently(&sandbox, &["decrypt", name], b"");
            // A line feed is all that may be missing: the end of the sealed text is the end of the plain one.
            assert!(
                output.code != 0 || output.text() == plain || output.text() == plain.trim_end(),
                "{name} cut to {length} gives\n{}",
                output.text()
            );
            assert_eq!(output.code == 0, !output.stdout.is_empty(), "{name} cut to {length}");
            assert_eq!(
                output.code == 0,
                output.stderr.is_empty(),
                "{name} cut to {length}: {}",
                output.stderr
            );
        }
    }
}

/// Puts blobs into the index as they are, and commits them without hooks.
fn commit_blobs(sandbox: &Sandbox, blobs: &[(String, Vec<u8>)]) {
    let mut info = String::new();
    for (path, content) in blobs {
        let oid = sandbox
            .run_in(&sandbox.repo, "git", &["hash-object", "-w", "--stdin"], content)
            .ok()
            .text();
        info.push_str(&format!("100644 {}\t{path}\n", oid.trim()));
    }
    let args = ["update-index", "--add", "--index-info"];
    sandbox.run_in(&sandbox.repo, "git", &args, info.as_bytes()).ok();
    sandbox.git(&["commit", "--quiet", "--no-verify", "-m", "blobs"]).ok();
}

#[test]
fn damaged_blobs_are_checked_out_as_they_are_and_verify_finds_them() {
    let sandbox = Sandbox::set_up();
    sandbox.seal(&["install", "--global"]).ok();
    let mut blobs = Vec::new();
    for (name, plain) in [("a.yaml", YAML), ("a.json", JSON)] {
        let good = sealed(&sandbox, &format!("secrets/{name}"), plain);
        for (what, damaged, _) in damages(&good) {
            let what = what.replace([' ', '\''], "-");
            blobs.push((format!("secrets/damaged-{what}-{name}"), damaged.into_bytes()));
        }
        for length in (7..good.len() - 40).step_by(49) {
            blobs.push((
                format!("secrets/cut-{length}-{name}"),
                good.as_bytes()[..length].to_vec(),
            ));
        }
    }
    commit_blobs(&sandbox, &blobs);
    let clone = sandbox.clone_to("clone", &[]);
    for (path, content) in &blobs {
        assert!(
            fs::read(clone.join(path)).unwrap() == *content,
            "{path} came back changed"
        );
    }
    sandbox.assert_clean_in(&clone);
    sandbox.git_in(&clone, &["diff", "HEAD"]).ok();
    sandbox.git_in(&clone, &["log", "-p"]).ok();
    let verify = sandbox.seal_in(&clone, &["verify"]);
    assert!([1, 2].contains(&verify.code), "{}", verify.stderr);
    // One bent character of a wrapped key leaves a key that opens for nobody here: verify can't tell it from somebody else's.
    for (path, _) in blobs.iter().filter(|(path, _)| !path.contains("damaged-armor-a.")) {
        assert!(
            verify.text().contains(path.as_str()),
            "{path} is not found:\n{}",
            verify.text()
        );
    }
    sandbox.assert_no_leak_in(&clone);
}

/// Aliases that name ten of the level below each, twelve levels high.
pub fn laughs() -> String {
    (1..12).fold("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, level| {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        format!("{text}a{level}: &a{level} [{aliases}]\n")
    })
}

/// Contents that are no documents, or would be too much of one, by file name.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let maps: String = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let utf16: Vec<u8> = "\u{feff}a: b\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wrap = |piece: &str| piece.repeat(100_000).into_bytes();
    vec![
        ("laughs.yaml", laughs().into_bytes()),
        ("maps.yaml", maps.into_bytes()),
        ("lists.yaml", wrap("[")),
        ("flow.yaml", wrap("{a: ")),
        ("braces.yaml", wrap("{")),
        ("dashes.yaml", wrap("- ")),
        ("questions.yaml", wrap("? ")),
        ("tags.yaml", wrap("!!a ")),
        ("anchors.yaml", wrap("&a ")),
        ("colons.yaml", wrap("a: ")),
        ("self.yaml", b"a: &a [*a]\n".to_vec()),
        ("unknown.yaml", b"a: *CANARY\n".to_vec()),
        ("open.yaml", b"a: \"CANARY\n".to_vec()),
        ("twice.yaml", b"CANARY: 1\nCANARY: 2\n".to_vec()),
        (
            "conflict.yaml",
            b"a: 1\n<<<<<<< ours\nb: CANARY\n=======\nb: 2\n>>>>>>> theirs\n".to_vec(),
        ),
        ("tabs.yaml", b"a:\n\tb: CANARY\n".to_vec()),
        ("scalar.yaml", b"CANARY\n".to_vec()),
        ("comment.yaml", b"# CANARY\n".to_vec()),
        ("nul.yaml", b"a: CANARY\0\n".to_vec()),
        ("latin.yaml", b"a: CANARY\xe9\n".to_vec()),
        ("utf16.yaml", [utf16.as_slice(), b"C"].concat()),
        ("lists.json", wrap("[")),
        ("maps.json", wrap("{\"a\":")),
        (
            "digits.json",
            [b"{\"a\":", "9".repeat(100_000).as_bytes(), b"}"].concat(),
        ),
        ("bom.json", b"\xef\xbb\xbf{\"a\":\"CANARY\"}".to_vec()),
        ("nul.json", b"{\"a\":\"CANARY\0\"}".to_vec()),
        ("latin.json", b"{\"a\":\"CANARY\xe9\"}".to_vec()),
        ("utf16.json", utf16),
        ("half.json", b"{\"a\":\"CANARY".to_vec()),
        ("more.json", b"{\"a\":\"CANARY\"}}".to_vec()),
        ("word.json", b"CANARY".to_vec()),
        ("twice.json", b"{\"CANARY\":1,\"CANARY\":2}".to_vec()),
        ("reserved.yaml", b"a: CANARY\nsops:\n  mac: x\n".to_vec()),
        ("reserved.json", b"{\"a\":\"CANARY\",\"sops\":\"CANARY\"}".to_vec()),
    ]
}

#[test]
fn hostile_content_is_refused_by_every_command() {
    let sandbox = guarded();
    for (name, content) in hostile() {
        sandbox.write(name, &content);
        refused(&sandbox, &["encrypt", name], b"");
        refused(&sandbox, &["encrypt", "-i", name], b"");
        refused(&sandbox, &["decrypt", name], b"");
        let status = patiently(&sandbox, &["filestatus", name], b"");
        assert!(
            status.code == 1 || status.text() == "{\"encrypted\":false}\n",
            "{name}: {}",
            status.text()
        );
        fs::remove_file(sandbox.repo.join(name)).unwrap();
    }
}

#[test]
fn hostile_content_becomes_drafts_and_breaks_no_git_command() {
    let sandbox = Sandbox::set_up();
    let files = hostile();
    for (name, content) in &files {
        sandbox.write(format!("secrets/{name}"), content);
    }
    sandbox.git(&["add", "--all"]).ok();
    sandbox.assert_no_leak();
    for (name, _) in &files {
        sandbox.assert_sealed(&format!(":secrets/{name}"));
    }
    sandbox.git(&["diff", "--cached"]).ok();
    sandbox.git(&["commit", "-m", "drafts"]).fails().says("GS104");
    sandbox.git(&["commit", "--quiet", "--no-verify", "-m", "drafts"]).ok();
    sandbox.assert_clean();
    fs::remove_dir_all(sandbox.repo.join("secrets")).unwrap();
    sandbox.git(&["checkout", "--", "secrets"]).ok();
    for (name, content) in &files {
        assert!(
            sandbox.read(format!("secrets/{name}")) == *content,
            "{name} came back changed"
        );
    }
    sandbox.assert_clean();
    sandbox.git(&["stash"]).ok();
    sandbox.seal(&["verify"]).exits(1);
    sandbox.assert_no_leak();
}

#[test]
fn a_long_line_is_sealed_and_opened() {
    let sandbox = guarded();
    let long = "CANARY-x".repeat((1 << 20) / 8);
    for (name, content) in [
        ("a.yaml", format!("a: {long}\n")),
        ("a.bin", long.clone()),
        ("a.json", format!("{{\"a\":\"{long}\"}}")),
    ] {
        sandbox.write(name, &content);
        patiently(&sandbox, &["encrypt", "-i", name], b"").ok();
        assert!(!contains(&sandbox.read(name), CANARY.as_bytes()), "{name}");
        patiently(&sandbox, &["decrypt", "-i", name], b"").ok();
        assert!(sandbox.text(name) == content, "{name} came back changed");
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let mut sandbox = guarded();
    sandbox.set("EDITOR", "false");
    fs::create_dir(sandbox.repo.join("folder.yaml")).unwrap();
    symlink("nowhere.yaml", sandbox.repo.join("dangling.yaml")).unwrap();
    symlink("loop.yaml", sandbox.repo.join("loop.yaml")).unwrap();
    for name in [
        "folder.yaml",
        "dangling.yaml",
        "loop.yaml",
        "missing.yaml",
        "folder.yaml/x.yaml",
        "no/such/a.yaml",
    ] {
        for command in ["encrypt", "decrypt", "filestatus"] {
            refused(&sandbox, &[command, name], b"").says(name);
        }
        refused(&sandbox, &["edit", name], b"");
        refused(&sandbox, &["encrypt", "-i", name], b"").says(name);
    }
    for device in ["/dev/zero", "/dev/urandom", "/dev/full"] {
        for command in ["encrypt", "decrypt", "filestatus"] {
            refused(&sandbox, &[command, device], b"").says(device);
        }
    }
    let pipe = sandbox.repo.join("pipe.yaml");
    sandbox.run_in(&sandbox.repo, "mkfifo", &["pipe.yaml"], b"").ok();
    for args in [
        &["encrypt", "-i", "pipe.yaml"][..],
        &["decrypt", "-i", "pipe.yaml"],
        &["edit", "pipe.yaml"],
    ] {
        refused(&sandbox, args, b"").says("pipe");
    }
    fs::remove_file(pipe).unwrap();
}

#[test]
fn what_cannot_be_written_leaves_everything_as_it_was() {
    let sandbox = guarded();
    sandbox.write("plain.yaml", YAML);
    sandbox.write("sealed.yaml", sealed(&sandbox, "sealed.yaml", YAML));
    fs::create_dir(sandbox.repo.join("folder")).unwrap();
    for target in [
        "/dev/full",
        "plain.yaml/x",
        "no/such/folder/x",
        "folder",
        "/proc/nowhere",
    ] {
        for (command, file) in [("encrypt", "plain.yaml"), ("decrypt", "sealed.yaml")] {
            refused(&sandbox, &[command, "--output", target, file], b"").exits(3);
        }
    }
    for (command, file) in [("encrypt", "plain.yaml"), ("decrypt", "sealed.yaml")] {
        let before = work_tree(&sandbox);
        for line in [
            format!("git-seal {command} {file} > /dev/full"),
            format!("ulimit -f 0; git-seal {command} -i {file} 2>&1 | cat >&2; test -n \"$none\""),
        ] {
            let output = sandbox.run_in(&sandbox.repo, "sh", &["-c", &line], b"").fails();
            assert_eq!(
                output.stderr.matches("git-seal: error: ").count(),
                1,
                "{line}: {}",
                output.stderr
            );
            assert!(work_tree(&sandbox) == before, "{line} changes something");
        }
    }
}

#[test]
fn in_place_goes_through_links_and_keeps_them() {
    let sandbox = guarded();
    sandbox.write("real/a.yaml", YAML);
    symlink("real/a.yaml", sandbox.repo.join("link.yaml")).unwrap();
    let policy = sandbox.text(".sops.yaml");
    fs::remove_file(sandbox.repo.join(".sops.yaml")).unwrap();
    sandbox.write("real/policy", policy);
    symlink("real/policy", sandbox.repo.join(".sops.yaml")).unwrap();
    let is_link = || {
        fs::symlink_metadata(sandbox.repo.join("link.yaml"))
            .unwrap()
            .is_symlink()
    };
    sandbox.seal(&["encrypt", "-i", "link.yaml"]).ok();
    assert!(is_link() && sandbox.text("real/a.yaml").contains("ENC[AES256_GCM,"));
    sandbox.seal(&["decrypt", "-i", "link.yaml"]).ok();
    assert!(is_link());
    assert_eq!(sandbox.text("real/a.yaml"), YAML);
    // What another recipient sealed stays closed through a link too.
    sandbox.seal(&["encrypt", "-i", "--age", BOB, "link.yaml"]).ok();
    refused(&sandbox, &["decrypt", "-i", "link.yaml"], b"").exits(128);
    assert!(is_link());
}
