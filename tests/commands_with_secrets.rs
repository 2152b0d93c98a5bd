//! Commands that are given secrets: `exec-env` and `exec-file`.

use std::fs;

use crate::support::{ALICE, Sandbox, files_below};

fn sealed(name: &str, plain: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(name, plain);
    sandbox.seal(&["encrypt", "-i", "--age", ALICE, name]).ok();
    sandbox
}

#[test]
fn nothing_is_started_where_the_file_can_not_be_opened() {
    let sandbox = sealed("a.yaml", "token: CANARY\n");
    sandbox.write("nested.yaml", "a: {b: CANARY}\n");
    sandbox.seal(&["encrypt", "-i", "--age", ALICE, "nested.yaml"]).ok();
    sandbox.write("plain.yaml", "a: 1\n");
    let damaged = sandbox.text("a.yaml").replacen("data:", "data:AAAA", 1);
    sandbox.write("damaged.yaml", damaged);
    for (arguments, code) in [
        (vec!["exec-env", "gone.yaml", "touch started"], 100),
        (vec!["exec-env", "plain.yaml", "touch started"], 1),
        (vec!["exec-env", "damaged.yaml", "touch started"], 25),
        (vec!["exec-env", "nested.yaml", "touch started"], 1),
        (vec!["exec-file", "damaged.yaml", "touch started"], 25),
        (vec!["exec-file", "--filename", "../x", "a.yaml", "touch started"], 1),
        (
            vec!["exec-env", "--user", "nobody-of-this-name", "a.yaml", "touch started"],
            1,
        ),
    ] {
        sandbox.seal(&arguments).exits(code);
        assert!(!sandbox.repo.join("started").exists(), "{arguments:?}");
    }
    sandbox.take_keys();
    sandbox.seal(&["exec-env", "a.yaml", "touch started"]).exits(128);
    assert!(!sandbox.repo.join("started").exists());
    assert!(files_below(&sandbox.root().join("tmp")).is_empty());
}

#[test]
fn values_are_variables() {
    let sandbox = sealed(
        "a.yaml",
        "# note\ntoken: CANARY $HOME 'x'\nport: 5432\nratio: 1.0\nmany: |\n  l\n  m\nnone: ~\n",
    );
    let show = "printf '%s|' \"$token\" \"$port\" \"$ratio\" \"$many\" \"$none\"";
    let expected = "CANARY $HOME 'x'|5432|1.0|l\nm\n|<nil>|";
    assert_eq!(
        sandbox.seal(&["exec-env", "a.yaml", show]).ok().silent().text(),
        expected
    );
    assert_eq!(
        sandbox
            .seal(&["exec-env", "--same-process", "a.yaml", show])
            .ok()
            .text(),
        expected
    );
    let pristine = sandbox
        .seal(&["exec-env", "--pristine", "a.yaml", "/usr/bin/env"])
        .ok()
        .text();
    assert!(
        pristine.contains("port=5432") && !pristine.contains("HOME=/"),
        "{pristine}"
    );
    assert!(files_below(&sandbox.root().join("tmp")).is_empty());
}

#[test]
fn the_exit_status_is_the_commands() {
    let sandbox = sealed("a.yaml", "token: CANARY\n");
    for verb in ["exec-env", "exec-file"] {
        sandbox.seal(&[verb, "a.yaml", "exit 7"]).exits(7).silent();
        sandbox.seal(&[verb, "a.yaml", "kill -TERM $$"]).exits(128 + 15);
    }
}

#[test]
fn a_file_is_handed_over_by_pipe_or_privately() {
    let plain = "token: CANARY\nlist: [1, 2]\n";
    let sandbox = sealed("a.yaml", plain);
    let read = |more: &[&str], command: &str| {
        let mut arguments = vec!["exec-file"];
        arguments.extend(more);
        arguments.extend(["a.yaml", command]);
        sandbox.seal(&arguments).ok().silent().text()
    };
    assert_eq!(read(&[], "cat {}"), plain);
    assert_eq!(read(&["--no-fifo"], "cat {} {}"), plain.repeat(2));
    assert_eq!(read(&[], "test -p {} && basename {}"), "tmp-file\n");
    assert_eq!(
        read(&["--no-fifo", "--filename", "x.yaml"], "stat -c %a {} && basename {}"),
        "600\nx.yaml\n"
    );
    assert!(read(&["--output-type", "json"], "cat {}").starts_with("{\n\t\"token\": \"CANARY\""));
    // A command that does not look at it is not waited for.
    assert_eq!(read(&[], "echo done"), "done\n");
    assert!(files_below(&sandbox.root().join("tmp")).is_empty());
}

#[test]
fn nothing_is_left_when_a_signal_ends_it() {
    let sandbox = sealed("a.yaml", "token: CANARY\n");
    let mut command = sandbox.command("git-seal", &sandbox.repo);
    command.args(["exec-file", "--no-fifo", "a.yaml", "touch ready; sleep 30 & wait"]);
    let mut child = command.spawn().unwrap();
    while !sandbox.repo.join("ready").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let kill = sandbox.run_in(&sandbox.repo, "kill", &["-TERM", &child.id().to_string()], b"");
    kill.ok();
    assert!(!child.wait().unwrap().success());
    let left = files_below(&sandbox.root().join("tmp"));
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn behind_the_filter_the_readable_file_is_taken() {
    let sandbox = Sandbox::set_up();
    sandbox.write("secrets/a.yaml", "token: CANARY\n");
    sandbox.commit_all("secret");
    assert_eq!(
        fs::read(sandbox.repo.join("secrets/a.yaml")).unwrap(),
        b"token: CANARY\n"
    );
    let shown = sandbox.seal(&["exec-env", "secrets/a.yaml", "echo $token"]).ok();
    assert_eq!(shown.text(), "CANARY\n");
}
