//! `.sops.yaml` read as SOPS reads it: the same rule, recipients and settings for a path, the same refusals.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use git_seal::document::Format;
use git_seal::sops::Sealed;

use super::vectors::folder;
use crate::support::{ALICE, BOB, CAROL};

/// In what the two programs may differ.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Same,
    /// We refuse at once what SOPS takes as something else than what is meant, or sees only when it needs it.
    OnlyWeRefuse,
    /// With another exit code: for SOPS it is the writing that fails, for us the reading.
    BothRefuse,
}
use Expected::{BothRefuse, OnlyWeRefuse, Same};

/// What a program made of a file: its exit code, or who can open what of it.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Sealed {
        /// For each group its recipients.
        groups: Vec<Vec<String>>,
        threshold: Option<u32>,
        /// The settings that the file keeps.
        settings: Vec<(String, String)>,
        /// Which of the test's values are sealed.
        sealed: Vec<bool>,
    },
    Exit(i32),
    /// Its metadata say nothing that we would follow.
    Unreadable,
}

const PLAIN: &str = "a: x\nb_unencrypted: x\nc_enc: x\n# mark\nd: x\ne:\n  a: x\n";

fn outcome(program: &mut Command) -> (Outcome, String) {
    let output = program.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return (Outcome::Exit(output.status.code().unwrap_or(-1)), said);
    }
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let Ok(sealed) = Sealed::parse(Format::Yaml, &output.stdout) else {
        return (Outcome::Unreadable, said);
    };
    let metadata = &sealed.metadata;
    let mut settings: Vec<(String, String)> = metadata
        .selection
        .named()
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned())))
        .collect();
    if metadata.mac_only_encrypted {
        settings.push(("mac_only_encrypted".to_owned(), "true".to_owned()));
    }
    let groups = metadata.groups.iter();
    let recipients = groups.map(|group| group.age.iter().map(|key| key.recipient.clone()).collect());
    let values = ["a: ", "b_unencrypted: ", "c_enc: ", "d: ", "    a: "];
    let is_sealed = |start: &&str| text.lines().any(|line| reads(line, start));
    (
        Outcome::Sealed {
            groups: recipients.collect(),
            threshold: metadata.threshold,
            settings,
            sealed: values.iter().map(is_sealed).collect(),
        },
        said,
    )
}

/// Whether a line is that of a sealed value, however it is indented.
fn reads(line: &str, start: &str) -> bool {
    let nested = start.starts_with(' ');
    let rest = line.trim_start();
    (line.len() > rest.len()) == nested && rest.starts_with(&format!("{}ENC[", start.trim_start()))
}

/// Asks both programs to seal `path` in a folder with this policy.
#[track_caller]
fn judge(config: &str, path: &str, expected: Expected) -> Result<(), String> {
    let folder_of_both = tempfile::tempdir().unwrap();
    let top = folder_of_both.path().join("top");
    let file = top.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, PLAIN).unwrap();
    let config = config
        .replace("ALICE", ALICE)
        .replace("BOB", BOB)
        .replace("CAROL", CAROL);
    fs::write(top.join(".sops.yaml"), &config).unwrap();
    let run = |program: &Path| {
        let mut command = Command::new(program);
        command
            .args(["encrypt", path])
            .current_dir(&top)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder_of_both.path())
            .env("SOPS_AGE_KEY_FILE", folder().join("keys/all.txt"));
        outcome(&mut command)
    };
    let (theirs, they_said) = run(Path::new("sops"));
    let (ours, we_said) = run(Path::new(env!("CARGO_BIN_EXE_git-seal")));
    let fits = match expected {
        Same => ours == theirs,
        OnlyWeRefuse => matches!(
            (&ours, &theirs),
            (Outcome::Exit(1 | 8), Outcome::Sealed { .. } | Outcome::Unreadable)
        ),
        BothRefuse => matches!((&ours, &theirs), (Outcome::Exit(_), Outcome::Exit(_))),
    };
    if fits {
        return Ok(());
    }
    Err(format!(
        "{path} by\n{config}ours   {ours:?} {we_said}\ntheirs {theirs:?} {they_said}\n"
    ))
}

/// A policy of one rule for every path with these lines.
fn rule(lines: &str) -> String {
    let lines: String = lines.split('\n').map(|line| format!("    {line}\n")).collect();
    format!("creation_rules:\n  - path_regex: ''\n{lines}")
}

/// Lines of one rule, and what is expected of both.
const RULES: &[(&str, Expected)] = &[
    // Recipients in every form.
    ("age: ALICE", Same),
    ("age: ALICE,BOB", Same),
    ("age: ' ALICE , BOB ,, '", Same),
    ("age: >-\n  ALICE,\n  BOB", Same),
    ("age: |\n  ALICE,\n  BOB,", Same),
    ("age: [ALICE, BOB]", Same),
    ("age:\n  - ALICE,BOB\n  - CAROL", Same),
    ("age: [' ALICE ']", Same),
    ("age: ['ALICE', '']", Same),
    ("age: [ALICE, 'BOB,']", Same),
    ("age: [ALICE, ALICE]", Same),
    ("age: ALICE,ALICE", Same),
    ("age: []", Same),
    ("age: ''", Same),
    ("age:", Same),
    ("age: ~", Same),
    ("age: 5", Same),
    ("age: {x: ALICE}", Same),
    ("age: [5]", Same),
    ("age: age1nonsense", Same),
    ("age: [[ALICE]]", Same),
    ("AGE: ALICE", Same),
    ("age: !!str ALICE", Same),
    ("age: ALICE\nage: BOB", Same),
    // Groups.
    ("key_groups:\n  - age: [ALICE]", Same),
    ("age: BOB\nkey_groups:\n  - age: [ALICE]", Same),
    ("age: BOB\nkey_groups: []", Same),
    ("age: BOB\nkey_groups:", Same),
    ("key_groups:\n  - age: [ALICE]\n  - age: [BOB]", Same),
    (
        "shamir_threshold: 2\nkey_groups:\n  - age: [ALICE]\n  - age: [BOB]\n  - age: [CAROL]",
        Same,
    ),
    (
        "shamir_threshold: 1\nkey_groups:\n  - age: [ALICE]\n  - age: [BOB]",
        Same,
    ),
    (
        "shamir_threshold: 3\nkey_groups:\n  - age: [ALICE]\n  - age: [BOB]",
        Same,
    ),
    (
        "shamir_threshold: 0\nkey_groups:\n  - age: [ALICE]\n  - age: [BOB]",
        Same,
    ),
    ("shamir_threshold: 2\nage: ALICE", Same),
    ("shamir_threshold: '2'\nage: ALICE", Same),
    ("shamir_threshold: 2.0\nage: ALICE", Same),
    ("shamir_threshold: 0x2\nage: ALICE", Same),
    ("shamir_threshold: two\nage: ALICE", Same),
    ("shamir_threshold:\nage: ALICE", Same),
    ("key_groups:\n  - age: ALICE", Same),
    ("key_groups:\n  - age: [ALICE, ALICE, BOB]", Same),
    ("key_groups:\n  - age: ['ALICE,BOB', BOB]", Same),
    (
        "key_groups:\n  - merge:\n    - age: [BOB]\n    - age: [ALICE]\n      merge: [{age: [CAROL]}]\n    age: [ALICE]",
        Same,
    ),
    ("key_groups:\n  - merge: [{age: [BOB]}]", Same),
    ("key_groups:\n  - age: [ALICE]\n  - age: []", Same),
    ("key_groups:\n  - age: [ALICE]\n  - {}", Same),
    ("key_groups:\n  - {}", Same),
    ("key_groups: ALICE", Same),
    ("key_groups: {age: [ALICE]}", Same),
    (
        "key_groups:\n  - &g {age: [ALICE]}\n  - merge: [*g]\n    age: [BOB]",
        Same,
    ),
    // Settings.
    ("age: ALICE\nencrypted_regex: ^a$", Same),
    ("age: ALICE\nunencrypted_regex: ^a$", Same),
    ("age: ALICE\nencrypted_suffix: _enc", Same),
    ("age: ALICE\nunencrypted_suffix: _enc", Same),
    ("age: ALICE\nencrypted_comment_regex: mark", Same),
    ("age: ALICE\nunencrypted_comment_regex: mark", Same),
    ("age: ALICE\nencrypted_regex: ''\nencrypted_suffix: _enc", Same),
    ("age: ALICE\nencrypted_regex: a\nencrypted_suffix: _enc", Same),
    ("age: ALICE\nencrypted_regex: ~", Same),
    // Read as SOPS reads them, and then they choose nothing, which is an error here.
    ("age: ALICE\nencrypted_regex: 5", OnlyWeRefuse),
    ("age: ALICE\nencrypted_regex: true", OnlyWeRefuse),
    ("age: ALICE\nencrypted_regex: [a]", Same),
    ("age: ALICE\nencrypted_regex: (", OnlyWeRefuse),
    ("age: ALICE\nmac_only_encrypted: true", Same),
    ("age: ALICE\nmac_only_encrypted: yes", Same),
    ("age: ALICE\nmac_only_encrypted: 'yes'", Same),
    ("age: ALICE\nmac_only_encrypted: 'true'", Same),
    ("age: ALICE\nmac_only_encrypted: 1", Same),
    ("age: ALICE\nmac_only_encrypted: ~", Same),
    ("age: ALICE\nmisspelt: 1\npath-regex: z", Same),
    ("age: ALICE\naws_profile: x", Same),
    ("age: ALICE\naws_profile: [x]", Same),
    ("<<: {age: ALICE}", Same),
    ("<<: [{age: ALICE}, {age: BOB, encrypted_suffix: _enc}]", Same),
    ("<<: {age: ALICE}\nage: BOB", Same),
    ("<<: 5\nage: ALICE", Same),
];

/// Whole policies, a path, and what is expected of both.
const POLICIES: &[(&str, &str, Expected)] = &[
    (
        "creation_rules:\n- {path_regex: ^sub/, age: ALICE}\n- {age: BOB}\n",
        "sub/a.yaml",
        Same,
    ),
    (
        "creation_rules:\n- {path_regex: ^sub/, age: ALICE}\n- {age: BOB}\n",
        "a.yaml",
        Same,
    ),
    (
        "creation_rules:\n- {path_regex: 'a\\.yaml$', age: ALICE}\n",
        "deep/er/a.yaml",
        Same,
    ),
    (
        "creation_rules:\n- {path_regex: '^a\\.yaml$', age: ALICE}\n",
        "deep/a.yaml",
        Same,
    ),
    (
        "creation_rules:\n- {path_regex: '^\\./', age: ALICE}\n- {age: BOB}\n",
        "a.yaml",
        Same,
    ),
    (
        "creation_rules:\n- {path_regex: '[/\\\\]x', age: ALICE}\n",
        "deep/x.yaml",
        Same,
    ),
    (
        "creation_rules:\n- {path_regex: '\\.YAML$', age: ALICE}\n",
        "a.yaml",
        Same,
    ),
    (
        "creation_rules:\n- {path_regex: '(?i)\\.YAML$', age: ALICE}\n",
        "a.yaml",
        Same,
    ),
    ("creation_rules:\n- {path_regex: (, age: ALICE}\n", "a.yaml", Same),
    (
        "creation_rules:\n- {path_regex: a, age: ALICE}\n- {path_regex: (, age: BOB}\n",
        "a.yaml",
        Same,
    ),
    (
        "creation_rules:\n- {path_regex: z, age: BOB}\n- {path_regex: (, age: BOB}\n",
        "a.yaml",
        Same,
    ),
    ("creation_rules:\n- {path_regex: '(?=a)', age: ALICE}\n", "a.yaml", Same),
    (
        "creation_rules:\n- {path_regex: '\\d{2}', age: ALICE}\n",
        "٣٣.yaml",
        Same,
    ),
    ("creation_rules:\n- {path_regex: 'ü', age: ALICE}\n", "ü.yaml", Same),
    ("creation_rules:\n- {path_regex: ' b', age: ALICE}\n", "a b.yaml", Same),
    ("creation_rules: []\n", "a.yaml", Same),
    ("creation_rules:\n", "a.yaml", Same),
    ("creation_rules: {}\n", "a.yaml", Same),
    ("creation_rules: text\n", "a.yaml", Same),
    ("creation_rules: [~]\n", "a.yaml", Same),
    ("creation_rules: [text]\n", "a.yaml", Same),
    ("", "a.yaml", Same),
    ("# nothing\n", "a.yaml", Same),
    ("---\n", "a.yaml", Same),
    ("~\n", "a.yaml", Same),
    ("{}\n", "a.yaml", Same),
    ("[]\n", "a.yaml", Same),
    ("text\n", "a.yaml", Same),
    ("a: [\n", "a.yaml", Same),
    ("a: 1\na: 2\ncreation_rules: [{age: ALICE}]\n", "a.yaml", Same),
    (
        "creation_rules: [{age: ALICE}]\ncreation_rules: [{age: BOB}]\n",
        "a.yaml",
        Same,
    ),
    (
        "creation_rules: [{age: ALICE}]\n---\ncreation_rules: [{age: BOB}]\n",
        "a.yaml",
        Same,
    ),
    ("creation_rules: [{age: ALICE}]\n---\n[\n", "a.yaml", Same),
    ("\u{feff}creation_rules: [{age: ALICE}]\n", "a.yaml", Same),
    ("creation_rules: [{age: ALICE}]\r\nstores: {}\r\n", "a.yaml", Same),
    ("%YAML 1.1\n---\ncreation_rules: [{age: ALICE}]\n", "a.yaml", Same),
    ("creation_rules: [{age: ALICE}]\nunknown: [1]\n1: 2\n", "a.yaml", Same),
    ("x: &x {age: ALICE}\ncreation_rules: [*x]\n", "a.yaml", Same),
    ("x: &x ALICE\ncreation_rules: [{age: [*x, BOB]}]\n", "a.yaml", Same),
    (
        "creation_rules: [{age: ALICE}]\nstores: {yaml: {indent: 2}}\n",
        "a.yaml",
        Same,
    ),
    (
        "creation_rules: [{age: ALICE}]\nstores: {yaml: {indent: -1}}\n",
        "a.yaml",
        BothRefuse,
    ),
    (
        "creation_rules: [{age: ALICE}]\nstores: {yaml: {indent: x}}\n",
        "a.yaml",
        Same,
    ),
    ("creation_rules: [{age: ALICE}]\nstores: []\n", "a.yaml", Same),
    (
        "creation_rules: [{age: ALICE}]\nstores: {yaml: ~, json: {indent: -1}}\n",
        "a.yaml",
        Same,
    ),
    (
        "creation_rules: [{age: ALICE}]\ndestination_rules: [{path_regex: x, s3_bucket: y}]\n",
        "a.yaml",
        Same,
    ),
    (
        "creation_rules: [{age: ALICE}]\ndestination_rules: text\n",
        "a.yaml",
        Same,
    ),
    (
        "creation_rules:\n- {path_regex: z, shamir_threshold: two}\n- {age: ALICE}\n",
        "a.yaml",
        Same,
    ),
    (
        "creation_rules:\n- {path_regex: z, age: 5}\n- {age: ALICE}\n",
        "a.yaml",
        OnlyWeRefuse,
    ),
    (
        "creation_rules:\n- {age: ALICE}\n- {path_regex: z, age: age1nonsense}\n",
        "a.yaml",
        Same,
    ),
];

#[test]
#[ignore = "needs sops"]
fn policies_are_read_as_sops_reads_them() {
    let mut failed = Vec::new();
    for &(lines, expected) in RULES {
        failed.extend(judge(&rule(lines), "a.yaml", expected).err());
    }
    for &(config, path, expected) in POLICIES {
        failed.extend(judge(config, path, expected).err());
    }
    let number = RULES.len() + POLICIES.len();
    assert!(
        failed.is_empty(),
        "{} of {number} differ\n{}",
        failed.len(),
        failed.join("\n")
    );
}
