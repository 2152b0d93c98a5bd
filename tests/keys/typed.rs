//! A program at a terminal of its own, with somebody who waits for questions and types answers.

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::super::support::Sandbox;

/// What a program at a terminal left behind.
pub struct Typed {
    /// All that the terminal showed.
    pub shown: String,
    /// The exit code.
    pub code: i32,
}

/// How long a question may take to appear.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a shell line at a terminal; types each answer when what comes before it in `talk` has appeared.
#[track_caller]
pub fn at_terminal(sandbox: &Sandbox, line: &str, talk: &[(&str, &str)]) -> Typed {
    let mut child = sandbox
        .command("script", &sandbox.repo)
        .args(["--quiet", "--return", "--flush", "--command", line, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .env("TERM", "dumb")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut chunk = [0; 1024];
        while let Ok(length @ 1..) = screen.read(&mut chunk) {
            send.send(chunk[..length].to_vec()).ok();
        }
    });
    let mut shown = String::new();
    let mut seen = 0;
    let end = Instant::now() + PATIENCE;
    for (question, answer) in talk {
        while !shown[seen..].contains(question) {
            let left = end.saturating_duration_since(Instant::now());
            match receive.recv_timeout(left) {
                Ok(bytes) => shown.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("{line}: {question:?} does not appear in {shown:?} ({error})"),
            }
        }
        seen = shown.len();
        keyboard.write_all(answer.as_bytes()).unwrap();
    }
    while let Ok(bytes) = receive.recv_timeout(end.saturating_duration_since(Instant::now())) {
        shown.push_str(&String::from_utf8_lossy(&bytes));
    }
    if Instant::now() >= end {
        child.kill().ok();
    }
    drop(keyboard);
    let code = child.wait().unwrap().code().unwrap_or(-1);
    Typed { shown, code }
}
