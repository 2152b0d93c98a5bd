//! Identities from every place where SOPS looks (format, section 7). All of them are used; none hides another.
//!
//! Commands are not run here but when nothing at hand opens a file, for each recipient once.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::helper::Attendance;
use crate::crypt::{Error, Identity, KeyCommand, Keyring, Need, Recipient, Source};

/// A place where identities may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What it is called in reports: a variable or a path.
    pub name: String,
    /// What is there.
    pub state: State,
}

/// What is at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The variable is not set, or the file does not exist.
    Absent,
    /// Identities, by what they need.
    Found(Vec<Need>),
    /// A command, which is run when it is needed.
    Command,
    /// It can't be used, and why.
    Unusable(String),
}

/// A number of identities by what they need, such as *2 identities, 1 of them behind a passphrase*.
#[must_use]
pub fn counted(needs: &[Need]) -> String {
    let number = match needs.len() {
        0 => return "no identity".to_owned(),
        1 => "1 identity".to_owned(),
        more => format!("{more} identities"),
    };
    let mut plugins: Vec<String> = Vec::new();
    for need in needs {
        if let Need::Plugin(name) = need {
            plugins.push(format!("age-plugin-{name}"));
        }
    }
    plugins.sort();
    plugins.dedup();
    let mut remarks = Vec::new();
    if !plugins.is_empty() {
        remarks.push(format!("used by {}", plugins.join(", ")));
    }
    if needs.contains(&Need::Passphrase) {
        remarks.push("behind a passphrase".to_owned());
    }
    if remarks.is_empty() {
        number
    } else {
        format!("{number} ({})", remarks.join("; "))
    }
}

/// The identities at hand, and all places that were looked at.
pub struct Found {
    /// The keys.
    pub keyring: Keyring,
    /// The places, in SOPS's order.
    pub places: Vec<Place>,
}

/// Looks at every place. Nothing is asked of a person here.
#[must_use]
pub fn look(attendance: Attendance) -> Found {
    let mut found = Search::default();
    found.variable("SOPS_AGE_SSH_PRIVATE_KEY_FILE", |value| ssh_file(Path::new(&value)));
    found.command("SOPS_AGE_SSH_PRIVATE_KEY_CMD", |output| {
        let text = std::str::from_utf8(output).map_err(|_| Error::InvalidIdentity { line: 1 })?;
        Identity::parse_ssh(text).map(|identity| vec![identity])
    });
    if let Some(home) = home() {
        for name in ["id_ed25519", "id_rsa"] {
            let path = home.join(".ssh").join(name);
            found.file(&path, ssh_file);
        }
    }
    found.variable("SOPS_AGE_KEY", |value| Identity::parse_words(&value.to_string_lossy()));
    found.variable("SOPS_AGE_KEY_FILE", |value| identity_file(Path::new(&value)));
    found.command("SOPS_AGE_KEY_CMD", Identity::parse_file);
    if let Some(path) = default_file() {
        found.file(&path, identity_file);
    }
    Found {
        keyring: Keyring::new(found.sources)
            .with_commands(found.commands)
            .up_to(attendance.reach()),
        places: found.places,
    }
}

/// The user's own identity file: `sops/age/keys.txt` below the configuration folder.
#[must_use]
pub fn default_file() -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let folder = if cfg!(windows) {
        set("APPDATA")
    } else if cfg!(target_os = "macos") {
        set("XDG_CONFIG_HOME").or_else(|| Some(home()?.join("Library/Application Support")))
    } else {
        set("XDG_CONFIG_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| Some(home()?.join(".config")))
    };
    Some(folder?.join("sops").join("age").join("keys.txt"))
}

fn home() -> Option<PathBuf> {
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

#[derive(Default)]
struct Search {
    sources: Vec<Source>,
    commands: Vec<KeyCommand>,
    places: Vec<Place>,
}

impl Search {
    fn variable(&mut self, name: &str, read: impl FnOnce(OsString) -> Result<Vec<Identity>, Error>) {
        // A variable that is set but empty counts as set, as in SOPS.
        match std::env::var_os(name) {
            None => self.place(name, State::Absent),
            Some(value) => self.put(name.to_owned(), read(value)),
        }
    }

    fn file(&mut self, path: &Path, read: impl FnOnce(&Path) -> Result<Vec<Identity>, Error>) {
        let name = path.display().to_string();
        if path.exists() {
            self.put(name, read(path));
        } else {
            self.place(&name, State::Absent);
        }
    }

    fn command(&mut self, name: &'static str, parse: fn(&[u8]) -> Result<Vec<Identity>, Error>) {
        let Some(line) = std::env::var_os(name) else {
            return self.place(name, State::Absent);
        };
        match words(&line) {
            Err(error) => self.put(name.to_owned(), Err(error)),
            Ok(words) => {
                self.place(name, State::Command);
                let run = move |recipient: &str| parse(&output_of(&words, recipient)?);
                self.commands.push(KeyCommand::new(name, Box::new(run)));
            }
        }
    }

    fn place(&mut self, name: &str, state: State) {
        let name = name.to_owned();
        self.places.push(Place { name, state });
    }

    fn put(&mut self, name: String, identities: Result<Vec<Identity>, Error>) {
        let state = match &identities {
            Ok(identities) => State::Found(identities.iter().map(Identity::need).collect()),
            Err(error) => State::Unusable(error.to_string()),
        };
        self.place(&name, state);
        self.sources.push(Source { name, identities });
    }
}

fn unreadable(reason: impl Into<String>) -> Error {
    Error::Unreadable { reason: reason.into() }
}

fn read(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, Error> {
    let content = std::fs::read(path).map_err(|error| unreadable(format!("can't be read: {}", error.kind())))?;
    Ok(zeroize::Zeroizing::new(content))
}

fn identity_file(path: &Path) -> Result<Vec<Identity>, Error> {
    Identity::parse_file(&read(path)?)
}

/// The SSH key in a file. An older form does not tell whose it is before it is opened; the file beside it does.
fn ssh_file(path: &Path) -> Result<Vec<Identity>, Error> {
    let content = read(path)?;
    let text = std::str::from_utf8(&content).map_err(|_| Error::InvalidIdentity { line: 1 })?;
    let identity = Identity::parse_ssh(text)?;
    if identity.public().is_some() {
        return Ok(vec![identity]);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".pub");
    let public = std::fs::read_to_string(beside)
        .ok()
        .and_then(|text| Recipient::parse(&text).ok());
    Ok(vec![match public {
        Some(public) => identity.known_as(public),
        None => identity,
    }])
}

/// The words of a command line, split as a shell would and run without one.
fn words(line: &OsString) -> Result<Vec<String>, Error> {
    let words = shlex::split(&line.to_string_lossy()).ok_or_else(|| unreadable("its quotes are not closed"))?;
    if words.is_empty() {
        Err(unreadable("it is empty"))
    } else {
        Ok(words)
    }
}

/// What a command prints for a recipient.
fn output_of(words: &[String], recipient: &str) -> Result<zeroize::Zeroizing<Vec<u8>>, Error> {
    let (program, arguments) = words.split_first().ok_or_else(|| unreadable("it is empty"))?;
    let output = Command::new(program)
        .args(arguments)
        .env("SOPS_AGE_RECIPIENT", recipient)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    let output = output.map_err(|error| unreadable(format!("can't be run: {}", error.kind())))?;
    let content = zeroize::Zeroizing::new(output.stdout);
    if output.status.success() {
        Ok(content)
    } else {
        Err(unreadable("its command failed"))
    }
}
