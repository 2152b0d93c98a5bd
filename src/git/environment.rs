//! The variables by which Git tells a hook or a filter which repository, index and object folder are meant.
//!
//! The names are those of `git rev-parse --local-env-vars` that change what is read. Nothing here reads the process by
//! itself except [`GitEnvironment::from_process`], which the top floor calls once.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::process::Command;

/// Every variable that is taken over, and taken away from children when it is not set.
const NAMES: [&str; 16] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
];

/// Variables whose effect only Git itself knows in full; where one is set, Git is asked where the repository is.
const ONLY_GIT_KNOWS: [&str; 6] = [
    "GIT_COMMON_DIR",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
];

/// Git's repository-choosing variables as they were at one moment. The default has none of them: what a call into
/// *another* repository needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitEnvironment {
    variables: BTreeMap<&'static str, OsString>,
}

impl GitEnvironment {
    /// What this process was started with.
    #[must_use]
    pub fn from_process() -> Self {
        Self::from_lookup(|name| std::env::var_os(name))
    }

    /// Asks `lookup` for each variable that matters.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        Self {
            variables: NAMES
                .into_iter()
                .filter_map(|name| Some((name, lookup(name)?)))
                .collect(),
        }
    }

    /// The value of a variable, as set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(name).map(OsString::as_os_str)
    }

    /// Makes `command` see these variables and none of the others of the list.
    pub fn apply(&self, command: &mut Command) {
        for name in NAMES {
            match self.variables.get(name) {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    }

    /// Whether the rules for finding the repository are few enough to follow without Git.
    pub(super) fn is_plain(&self) -> bool {
        // A work tree without a repository is looked for by rules of its own, and an empty value is an error of Git's.
        let lone_work_tree = self.get("GIT_WORK_TREE").is_some() && self.get("GIT_DIR").is_none();
        let empty = self.variables.values().any(|value| value.is_empty());
        !lone_work_tree && !empty && ONLY_GIT_KNOWS.iter().all(|name| self.get(name).is_none())
    }

    /// Whether objects are read from or written to other folders than the repository's own.
    pub(super) fn moves_objects(&self) -> bool {
        [
            "GIT_OBJECT_DIRECTORY",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            "GIT_COMMON_DIR",
        ]
        .iter()
        .any(|name| self.get(name).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> GitEnvironment {
        GitEnvironment::from_lookup(|name| {
            pairs
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn what_only_git_can_judge_is_not_plain() {
        for (pairs, plain) in [
            (&[("GIT_COMMON_DIR", "x")] as &[(&str, &str)], false),
            (&[("GIT_WORK_TREE", "x")], false),
            (&[("GIT_DIR", "")], false),
            (&[("GIT_CONFIG_PARAMETERS", "'core.bare=true'")], false),
            (&[], true),
            (&[("GIT_DIR", "x"), ("GIT_WORK_TREE", "y")], true),
            (&[("GIT_INDEX_FILE", ".git/index")], true),
            (&[("EDITOR", "")], true),
        ] {
            assert_eq!(of(pairs).is_plain(), plain, "{pairs:?}");
        }
    }

    #[test]
    fn a_child_sees_exactly_the_variables_given() {
        let mut command = Command::new("git");
        command.env("GIT_DIR", "old").env("GIT_WORK_TREE", "old");
        of(&[("GIT_DIR", "new")]).apply(&mut command);
        let seen: BTreeMap<_, _> = command.get_envs().collect();
        assert_eq!(seen[OsStr::new("GIT_DIR")], Some(OsStr::new("new")));
        assert_eq!(seen[OsStr::new("GIT_WORK_TREE")], None);
    }
}
