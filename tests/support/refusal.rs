//! What a refusal looks like: one sentence, hints, a code other than 0, nothing written, no hang.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::{ALICE, Output, Sandbox, files_below};

/// Nobody waits longer than this, in a build without optimisation on a busy machine.
const PATIENCE: &str = "60";

/// Runs git-seal, and ends it when it hangs.
#[track_caller]
pub fn patiently(sandbox: &Sandbox, args: &[&str], input: &[u8]) -> Output {
    let mut line = vec!["-k", "1", PATIENCE, "git-seal"];
    line.extend(args);
    let output = sandbox.run_in(&sandbox.repo, "timeout", &line, input);
    assert!(
        ![-1, 101, 124, 134, 137, 139].contains(&output.code) && !output.stderr.contains("panicked"),
        "{} hangs or breaks down ({}):\n{}",
        output.command,
        output.code,
        output.stderr
    );
    output
}

/// Every file of the repository but Git's own.
pub fn work_tree(sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = files_below(&sandbox.repo).into_iter();
    let own = files.filter(|path| !path.starts_with(sandbox.repo.join(".git")));
    own.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Asserts a refusal: one sentence, hints, nothing on stdout, nothing written.
#[track_caller]
pub fn refused(sandbox: &Sandbox, args: &[&str], input: &[u8]) -> Output {
    let before = work_tree(sandbox);
    let output = patiently(sandbox, args, input).fails();
    let lines = || output.stderr.lines();
    let errors = lines().filter(|line| line.starts_with("git-seal: error: ")).count();
    let hints = lines().filter(|line| line.starts_with("git-seal: hint: ")).count();
    assert!(
        errors == 1 && errors + hints == lines().count(),
        "{} says no one sentence:\n{}",
        output.command,
        output.stderr
    );
    assert_eq!(output.text(), "", "{} prints although it fails", output.command);
    assert!(
        work_tree(sandbox) == before,
        "{} writes although it fails",
        output.command
    );
    output
}

/// A sandbox where nothing is filtered, with `.sops.yaml` for Alice.
pub fn guarded() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.policy(&[("", ALICE)]);
    sandbox
}

/// The sealed form of a plain file.
pub fn sealed(sandbox: &Sandbox, name: &str, plain: &str) -> String {
    let args = ["encrypt", "--filename-override", name, "-"];
    sandbox
        .run_in(&sandbox.repo, "git-seal", &args, plain.as_bytes())
        .ok()
        .text()
}
