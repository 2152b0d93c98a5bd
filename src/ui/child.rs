//! A program that runs in front of the user in our place: signals are its own business until it ends.

use std::io;
use std::process::{Command, ExitStatus};

/// Runs a program to its end. Interrupts from the keyboard reach it by themselves; what is sent to us alone is handed on.
///
/// # Errors
/// When it can't be started.
#[cfg(unix)]
pub fn run(command: &mut Command) -> io::Result<ExitStatus> {
    use rustix::process::{Pid, Signal, kill_process};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    // Watching them is what keeps them from ending us first.
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    let handle = signals.handle();
    let mut child = command.spawn()?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let forwarder = std::thread::spawn(move || {
        for signal in signals.forever() {
            let signal = match signal {
                SIGTERM => Signal::TERM,
                SIGHUP => Signal::HUP,
                _ => continue,
            };
            if let Some(pid) = pid {
                // It may have ended in the meantime, and then there is nothing to hand on.
                kill_process(pid, signal).ok();
            }
        }
    });
    let status = child.wait();
    handle.close();
    forwarder.join().ok();
    status
}

/// Runs a program to its end.
///
/// # Errors
/// When it can't be started.
#[cfg(not(unix))]
pub fn run(command: &mut Command) -> io::Result<ExitStatus> {
    command.status()
}
