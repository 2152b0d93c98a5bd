//! Identities from every place where SOPS looks (format, section 7). All of them are used; none hides another.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::crypt::{Error, Identity, Keyring, Source};

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
    /// This many identities.
    Found(usize),
    /// It can't be used, and why.
    Unusable(String),
}

/// The identities at hand, and all places that were looked at.
pub struct Found {
    /// The keys.
    pub keyring: Keyring,
    /// The places, in SOPS's order.
    pub places: Vec<Place>,
}

/// Looks at every place. Nothing is asked of a person: a filter may run where nobody sits.
#[must_use]
pub fn look() -> Found {
    let mut found = Search::default();
    found.variable("SOPS_AGE_SSH_PRIVATE_KEY_FILE", |value| ssh_file(Path::new(&value)));
    found.variable("SOPS_AGE_SSH_PRIVATE_KEY_CMD", |value| {
        Identity::parse_ssh(&output_of(&value)?)
            .map(|identity| vec![identity])
            .map_err(Trouble::Key)
    });
    if let Some(home) = home() {
        for name in ["id_ed25519", "id_rsa"] {
            let path = home.join(".ssh").join(name);
            found.file(&path, ssh_file);
        }
    }
    found.variable("SOPS_AGE_KEY", |value| {
        Identity::parse_words(&value.to_string_lossy()).map_err(Trouble::Key)
    });
    found.variable("SOPS_AGE_KEY_FILE", |value| identity_file(Path::new(&value)));
    found.variable("SOPS_AGE_KEY_CMD", |value| {
        Identity::parse_identities(&output_of(&value)?).map_err(Trouble::Key)
    });
    if let Some(path) = default_file() {
        found.file(&path, identity_file);
    }
    Found {
        keyring: Keyring::new(found.sources),
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

/// Why a place yields nothing.
enum Trouble {
    Key(Error),
    Other(String),
}

#[derive(Default)]
struct Search {
    sources: Vec<Source>,
    places: Vec<Place>,
}

impl Search {
    fn variable(&mut self, name: &str, read: impl FnOnce(OsString) -> Result<Vec<Identity>, Trouble>) {
        // A variable that is set but empty counts as set, as in SOPS.
        match std::env::var_os(name) {
            None => self.places.push(Place {
                name: name.to_owned(),
                state: State::Absent,
            }),
            Some(value) => self.put(name.to_owned(), read(value)),
        }
    }

    fn file(&mut self, path: &Path, read: impl FnOnce(&Path) -> Result<Vec<Identity>, Trouble>) {
        let name = path.display().to_string();
        if path.exists() {
            self.put(name, read(path));
        } else {
            self.places.push(Place {
                name,
                state: State::Absent,
            });
        }
    }

    fn put(&mut self, name: String, read: Result<Vec<Identity>, Trouble>) {
        let state = match &read {
            Ok(identities) => match identities.iter().find_map(Identity::complaint) {
                Some(complaint) => State::Unusable(complaint.to_string()),
                None => State::Found(identities.len()),
            },
            Err(Trouble::Key(error)) => State::Unusable(error.to_string()),
            Err(Trouble::Other(reason)) => State::Unusable(reason.clone()),
        };
        self.places.push(Place {
            name: name.clone(),
            state,
        });
        match read {
            Ok(identities) => self.sources.push(Source {
                name,
                identities: Ok(identities),
            }),
            Err(Trouble::Key(error)) => self.sources.push(Source {
                name,
                identities: Err(error),
            }),
            Err(Trouble::Other(_)) => {}
        }
    }
}

fn read(path: &Path) -> Result<String, Trouble> {
    std::fs::read_to_string(path).map_err(|error| Trouble::Other(format!("can't be read: {}", error.kind())))
}

fn identity_file(path: &Path) -> Result<Vec<Identity>, Trouble> {
    Identity::parse_identities(&read(path)?).map_err(Trouble::Key)
}

fn ssh_file(path: &Path) -> Result<Vec<Identity>, Trouble> {
    Identity::parse_ssh(&read(path)?)
        .map(|identity| vec![identity])
        .map_err(Trouble::Key)
}

/// What a command line prints. It is split as a shell would and run without one.
fn output_of(line: &OsString) -> Result<String, Trouble> {
    let trouble = |reason: &str| Trouble::Other(reason.to_owned());
    let words = shlex::split(&line.to_string_lossy()).ok_or_else(|| trouble("its quotes are not closed"))?;
    let (program, arguments) = words.split_first().ok_or_else(|| trouble("it is empty"))?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    let output = output.map_err(|error| Trouble::Other(format!("can't be run: {}", error.kind())))?;
    if !output.status.success() {
        return Err(trouble("its command failed"));
    }
    String::from_utf8(output.stdout).map_err(|_| trouble("its output is not text"))
}
