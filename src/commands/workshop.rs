//! What a filter process works with, in a form that its threads can share.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::SystemTime;

use super::clock;
use super::context::{POLICY, read_policy};
use super::helper::Attendance;
use super::identities::{self, Found};
use crate::filter::Filter;
use crate::git::{Memory, Repo};
use crate::policy::Policy;

/// A policy that was read, or why it can't be used.
pub type PolicyRead = Result<Option<Policy>, String>;

/// Repository, keys and memory of a process that outlives single requests.
pub struct Workshop {
    repo: Repo,
    found: OnceLock<Found>,
    memory: Memory,
    policy: Mutex<Option<(Stamp, Arc<PolicyRead>)>>,
}

/// By what a changed policy file is noticed.
type Stamp = Option<(u64, SystemTime)>;

impl Workshop {
    /// A workshop for a repository.
    #[must_use]
    pub fn new(repo: Repo, memory: Memory) -> Self {
        Self {
            repo,
            found: OnceLock::new(),
            memory,
            policy: Mutex::new(None),
        }
    }

    /// What the clone remembers.
    #[must_use]
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The identities at hand.
    #[must_use]
    pub fn found(&self) -> &Found {
        self.found.get_or_init(|| identities::look(Attendance::Filter))
    }

    /// The filter with this policy in force.
    #[must_use]
    pub fn filter<'f>(&'f self, policy: &'f PolicyRead) -> Filter<'f> {
        Filter {
            repo: Some(&self.repo),
            policy: policy.as_ref().map(Option::as_ref).map_err(Clone::clone),
            keyring: &self.found().keyring,
            memory: &self.memory,
            now: &clock::now,
        }
    }

    /// The policy of the work tree as it is at this moment: a rebase changes it under a running filter.
    #[must_use]
    pub fn policy(&self) -> Arc<PolicyRead> {
        let path: PathBuf = self.repo.work_tree().map(|top| top.join(POLICY)).unwrap_or_default();
        let data = std::fs::metadata(&path).ok();
        let stamp = data.and_then(|data| Some((data.len(), data.modified().ok()?)));
        let Ok(mut known) = self.policy.lock() else {
            return Arc::new(read_policy(&path));
        };
        match known.as_ref() {
            // A second change within the clock's grain would go unseen, so a young file is read again.
            Some((old, policy)) if *old == stamp && stamp.is_none_or(|(_, time)| is_settled(time)) => {
                Arc::clone(policy)
            }
            _ => {
                let policy = Arc::new(read_policy(&path));
                *known = Some((stamp, Arc::clone(&policy)));
                policy
            }
        }
    }
}

fn is_settled(time: SystemTime) -> bool {
    time.elapsed().is_ok_and(|age| age.as_millis() > 50)
}
