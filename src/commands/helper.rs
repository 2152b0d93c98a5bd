//! The process's way to plugins and to the person at the terminal, as the floor of keys asks for it.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::crypt::host::{Conversation, Host, Machine, Question, attend};
use crate::crypt::{Error, PluginFault, Reach, SecretString};
use crate::ui::Terminal;
use crate::ui::prompt::{self, Echo, NoAnswer};

/// How a command stands to the person who runs it, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attendance {
    /// A person asked for just this: plugins are run and passphrases asked for.
    Asking,
    /// Git waits, and whoever started Git may not know that it does: plugins are run, since a key on a card may be the only one there
    /// is and brings its own window; nothing is asked at the terminal, which is Git's.
    Filter,
    /// Many files are looked at, one after the other: nobody wants to touch a card for each.
    #[default]
    Looking,
}

impl Attendance {
    /// How far a keyring goes.
    #[must_use]
    pub const fn reach(self) -> Reach {
        match self {
            Self::Asking => Reach::Passphrases,
            Self::Filter => Reach::Plugins,
            Self::Looking => Reach::Commands,
        }
    }
}

/// Where a plugin may be silent for as long as a person needs to find a card, and where Git would wait in vain.
const PATIENCE: [u64; 2] = [600, 60];
/// After how long a silent plugin is mentioned.
const MENTION: Duration = Duration::from_secs(10);
/// How long a plugin that is done has to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Has the floor of keys use this process's programs and terminal.
pub fn serve(terminal: Terminal, attendance: Attendance) {
    attend(Box::new(Helper {
        terminal,
        attendance,
        path: std::env::var_os("PATH"),
        hopeless: Arc::default(),
    }));
}

/// Plugins that were silent for too long: a second file would only wait again.
type Hopeless = Arc<Mutex<Vec<String>>>;

struct Helper {
    terminal: Terminal,
    attendance: Attendance,
    path: Option<OsString>,
    hopeless: Hopeless,
}

impl Host for Helper {
    fn start(&self, plugin: &str, machine: Machine) -> Result<Box<dyn Conversation>, PluginFault> {
        if names(&self.hopeless).iter().any(|name| name == plugin) {
            return Err(PluginFault::Silent(self.patience()));
        }
        let program = find(&format!("age-plugin-{plugin}"), self.path.as_ref()).ok_or(PluginFault::Missing)?;
        let child = Command::new(program)
            .arg(format!("--age-plugin={}", machine.word()))
            // As age does it: which folder a person is in is not for a plugin to know.
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let child = child.map_err(|error| PluginFault::NotStarted(error.kind()))?;
        let mut running = Running::new(child);
        plugin.clone_into(&mut running.plugin);
        running.terminal = self.terminal;
        running.patience = Duration::from_secs(self.patience());
        running.hopeless = Arc::clone(&self.hopeless);
        // Where Git waits, its own output is not to be mixed with such.
        running.mentioned = self.attendance != Attendance::Asking;
        Ok(Box::new(running))
    }

    fn patience(&self) -> u64 {
        let [asking, otherwise] = PATIENCE;
        match self.attendance {
            Attendance::Asking => asking,
            Attendance::Filter | Attendance::Looking => otherwise,
        }
    }

    fn ask(&self, question: Question<'_>) -> Result<SecretString, Error> {
        if self.attendance != Attendance::Asking {
            return Err(Error::ProtectedIdentity);
        }
        match question {
            Question::Passphrase { source, again } => {
                let wrong = if again { "Wrong. " } else { "" };
                put(&format!("{wrong}Enter passphrase for identity '{source}': "), Echo::Off)
            }
            Question::Plain { plugin, text } => put(&format!("age-plugin-{plugin}: {text}: "), Echo::On),
            Question::Secret { plugin, text } => put(&format!("age-plugin-{plugin}: {text}: "), Echo::Off),
            Question::Choice { plugin, text, yes, no } => choose(plugin, text, yes, no),
        }
    }

    fn tell(&self, plugin: &str, text: &str) {
        self.terminal.say(&format!("age-plugin-{plugin}: {text}"));
    }
}

fn put(question: &str, echo: Echo) -> Result<SecretString, Error> {
    match prompt::ask(question, echo) {
        Ok(answer) => Ok(answer.as_str().into()),
        Err(NoAnswer::NoTerminal) => Err(Error::NoTerminal),
        Err(NoAnswer::Cancelled) => Err(Error::Unanswered),
    }
}

/// Has a person choose by number; the answer is `yes` or `no`.
fn choose(plugin: &str, text: &str, yes: &str, no: Option<&str>) -> Result<SecretString, Error> {
    let second = no.map(|no| format!(", 2 for \"{no}\"")).unwrap_or_default();
    let question = format!("age-plugin-{plugin}: {text} (1 for \"{yes}\"{second}): ");
    let answer = prompt::ask(&question, Echo::On).map_err(|why| match why {
        NoAnswer::NoTerminal => Error::NoTerminal,
        NoAnswer::Cancelled => Error::Unanswered,
    })?;
    match answer.trim() {
        "1" => Ok("yes".into()),
        "2" if no.is_some() => Ok("no".into()),
        _ => Err(Error::Unanswered),
    }
}

/// Whether the program of a plugin is there.
#[must_use]
pub fn has_plugin(plugin: &str) -> bool {
    find(&format!("age-plugin-{plugin}"), std::env::var_os("PATH").as_ref()).is_some()
}

/// A program in the folders of PATH. Relative ones don't count: a repository must not bring its own plugin.
fn find(program: &str, path: Option<&OsString>) -> Option<PathBuf> {
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let folders = std::env::split_paths(path?).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(&name)).find(|file| is_program(file))
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}

type Bytes = Zeroizing<Vec<u8>>;

/// A running plugin. Threads move the bytes, so that neither a program that does not read nor one that does not write can stop us.
struct Running {
    child: Child,
    plugin: String,
    terminal: Terminal,
    patience: Duration,
    hopeless: Hopeless,
    /// Whether its silence was mentioned.
    mentioned: bool,
    input: Option<Sender<Bytes>>,
    output: Receiver<Bytes>,
    pending: Bytes,
}

fn names(hopeless: &Hopeless) -> MutexGuard<'_, Vec<String>> {
    hopeless.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Running {
    fn new(mut child: Child) -> Self {
        let (input, to_write) = channel::<Bytes>();
        let (read, output) = channel();
        if let Some(mut stdin) = child.stdin.take() {
            thread::spawn(move || {
                // A program that does not read any more will be noticed by what it does not say.
                while to_write.recv().is_ok_and(|bytes| stdin.write_all(&bytes).is_ok()) {}
            });
        }
        if let Some(mut stdout) = child.stdout.take() {
            thread::spawn(move || {
                let mut chunk = Zeroizing::new(vec![0; 4096]);
                while let Ok(length @ 1..) = stdout.read(&mut chunk) {
                    let bytes = chunk.iter().take(length).copied().collect();
                    if read.send(Zeroizing::new(bytes)).is_err() {
                        break;
                    }
                }
            });
        }
        Self {
            child,
            plugin: String::new(),
            terminal: Terminal,
            patience: Duration::ZERO,
            hopeless: Arc::default(),
            mentioned: false,
            input: Some(input),
            output,
            pending: Zeroizing::default(),
        }
    }

    /// The next bytes; none at the end of what it says.
    fn next(&mut self) -> io::Result<Bytes> {
        let mut wait = self.patience;
        if !self.mentioned && wait > MENTION {
            match self.output.recv_timeout(MENTION) {
                Err(RecvTimeoutError::Timeout) => {
                    self.mentioned = true;
                    let name = &self.plugin;
                    self.terminal
                        .say(&format!("waiting for age-plugin-{name}; Ctrl-C ends it"));
                    wait -= MENTION;
                }
                answer => return Ok(answer.unwrap_or_default()),
            }
        }
        match self.output.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => {
                names(&self.hopeless).push(self.plugin.clone());
                Err(io::ErrorKind::TimedOut.into())
            }
            answer => Ok(answer.unwrap_or_default()),
        }
    }
}

impl Read for Running {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.pending.is_empty() {
            self.pending = self.next()?;
        }
        let length = self.pending.len().min(buffer.len());
        let rest = self.pending.split_off(length);
        buffer
            .iter_mut()
            .zip(self.pending.iter())
            .for_each(|(slot, byte)| *slot = *byte);
        self.pending = Zeroizing::new(rest);
        Ok(length)
    }
}

impl Write for Running {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self
            .input
            .as_ref()
            .map(|input| input.send(Zeroizing::new(bytes.to_vec())));
        match sent {
            Some(Ok(())) => Ok(bytes.len()),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Conversation for Running {
    fn finish(mut self: Box<Self>) {
        self.input = None;
        let end = Instant::now() + FAREWELL;
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to kill.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    /// A program that is given up after some hundred milliseconds.
    fn run(script: &str) -> Running {
        let child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut running = Running::new(child.unwrap());
        "p".clone_into(&mut running.plugin);
        running.patience = Duration::from_millis(300);
        running
    }

    #[test]
    fn a_silent_program_is_given_up_and_ended() {
        let begun = Instant::now();
        let mut running = run("exec sleep 100");
        let hopeless = Arc::clone(&running.hopeless);
        // More than a pipe holds, so that a program which does not read would stop a writer.
        running.write_all(&vec![b'x'; 1 << 20]).unwrap();
        let error = running.read(&mut [0; 9]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(*names(&hopeless), ["p"]);
        drop(running);
        assert!(begun.elapsed() < Duration::from_secs(50), "it was waited for");
    }

    #[test]
    fn bytes_go_both_ways() {
        let mut running = run("read line; printf \"$line\"; read line; exit 3");
        running.write_all(b"hello\n").unwrap();
        let mut text = [0; 5];
        running.read_exact(&mut text[..2]).unwrap();
        running.read_exact(&mut text[2..]).unwrap();
        assert_eq!(&text, b"hello");
        Box::new(running).finish();
        let mut ended = run("exit 1");
        assert_eq!(ended.read(&mut text).unwrap(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn plugins_are_found_in_whole_folders_only() {
        let path = |text: &str| Some(OsString::from(text));
        assert_eq!(
            find("sh", path("relative:/no/such:/bin").as_ref()),
            Some("/bin/sh".into())
        );
        for nowhere in ["", ".", "bin:./bin", "/etc"] {
            assert_eq!(find("sh", path(nowhere).as_ref()), None, "{nowhere}");
        }
        assert_eq!(find("passwd", path("/etc").as_ref()), None, "a file that can't be run");
        assert_eq!(find("sh", None), None);
    }
}
