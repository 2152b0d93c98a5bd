//! What commands have in common: repository, policy, keys and memory, each opened when it is first asked for.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use super::clock;
use super::helper::Attendance;
use super::identities::{self, Found};
use crate::filter::Filter;
use crate::git::{Memory, Repo};
use crate::policy::Policy;
use crate::ui::{Failure, Terminal};

/// The name of the policy file, at the top of the repository.
pub const POLICY: &str = ".sops.yaml";

/// The surroundings of one command.
#[derive(Default)]
pub struct Context {
    /// The streams.
    pub terminal: Terminal,
    /// How the command stands to the person who runs it.
    pub attendance: Attendance,
    repo: OnceCell<Result<Repo, crate::git::Error>>,
    found: OnceCell<Found>,
    memory: OnceCell<Memory>,
}

impl Context {
    /// The repository that the command was started in.
    ///
    /// # Errors
    /// What Git says when there is none.
    pub fn repo(&self) -> Result<&Repo, Failure> {
        match self.repo.get_or_init(|| Repo::open(Path::new("."))) {
            Ok(repo) => Ok(repo),
            Err(crate::git::Error::NoRepository) => Err(crate::git::Error::NoRepository.into()),
            Err(error) => Err(Failure::new(error.to_string())),
        }
    }

    /// The top of the work tree.
    ///
    /// # Errors
    /// When there is no repository, or it is bare.
    pub fn top(&self) -> Result<&Path, Failure> {
        self.repo()?
            .work_tree()
            .ok_or_else(|| Failure::new("this repository is bare: it has no work tree"))
    }

    /// The identities at hand.
    #[must_use]
    pub fn found(&self) -> &Found {
        self.found.get_or_init(|| identities::look(self.attendance))
    }

    /// What the clone remembers; a memory that forgets at the end where there is no repository.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        self.memory.get_or_init(|| match self.repo() {
            Ok(repo) => Memory::open(repo.common_dir(), &random),
            Err(_) => Memory::of_process(random().unwrap_or_default()),
        })
    }

    /// The filter with `policy` in force.
    #[must_use]
    pub fn filter<'f>(&'f self, policy: &'f Result<Option<Policy>, String>) -> Filter<'f> {
        Filter {
            repo: self.repo().ok(),
            policy: policy.as_ref().map(Option::as_ref).map_err(Clone::clone),
            keyring: &self.found().keyring,
            memory: self.memory(),
            now: &clock::now,
        }
    }

    /// The policy of the work tree: none where the file is absent.
    ///
    /// # Errors
    /// One sentence on why it can't be used.
    pub fn work_tree_policy(&self) -> Result<Option<Policy>, String> {
        let Ok(top) = self.top() else { return Ok(None) };
        read_policy(&top.join(POLICY))
    }
}

/// Reads a policy file; none where it is absent.
///
/// # Errors
/// One sentence on why it can't be used.
pub fn read_policy(path: &Path) -> Result<Option<Policy>, String> {
    match std::fs::read(path) {
        Ok(bytes) => Policy::parse(&bytes)
            .map(Some)
            .map_err(|error| format!("{}: {error}", path_name(path))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {}", path_name(path), error.kind())),
    }
}

fn path_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(|| PathBuf::from(path), PathBuf::from)
        .display()
        .to_string()
}

pub(super) fn random() -> Option<[u8; 32]> {
    crate::crypt::DataKey::generate().ok().map(|key| *key.as_bytes())
}
