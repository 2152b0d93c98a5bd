//! What one snapshot of the repository says about sealing: its `.sops.yaml` and `.git-seal.yaml`, each read once.

use std::sync::OnceLock;

use crate::policy::{Error, Policy, Rule, Settings, is_exempt};
use crate::sops::Selection;
use crate::text::Position;
use crate::vault::Terms;

/// The policy's place: at the top, and nowhere else.
pub const POLICY: &[u8] = b".sops.yaml";
/// The place of our own settings.
pub const SETTINGS: &[u8] = b".git-seal.yaml";

/// A rule, understood.
#[derive(Debug)]
pub struct Provision {
    /// Where it starts in `.sops.yaml`.
    pub position: Position,
    /// For whom files are sealed; absent where a recipient is malformed.
    pub terms: Option<Terms>,
    /// Which leaves are sealed; absent where the settings contradict each other.
    pub selection: Option<Selection>,
}

impl Provision {
    fn new(rule: &Rule) -> Self {
        Self {
            position: rule.position,
            terms: Terms::of_rule(rule).ok(),
            selection: rule.selection.resolve().ok(),
        }
    }
}

/// Whether a path is to be sealed.
#[derive(Debug, Clone, Copy)]
pub enum Ruling<'c> {
    /// By this rule.
    Ruled(&'c Provision),
    /// No rule is for it.
    Unruled,
    /// The policy can't be read, or a pattern that had to be asked is invalid.
    Unknown,
}

/// One state of the two files.
#[derive(Debug)]
pub struct Charter {
    policy: Result<Policy, Error>,
    settings: Result<Settings, Error>,
    provisions: Vec<OnceLock<Provision>>,
}

impl Charter {
    /// Reads both; a file that isn't there says nothing.
    #[must_use]
    pub fn read(policy: Option<&[u8]>, settings: Option<&[u8]>) -> Self {
        let policy = policy.map_or_else(|| Ok(Policy::default()), Policy::parse);
        let rules = policy.as_ref().map_or(0, |policy| policy.rules().len());
        Self {
            policy,
            settings: settings.map_or_else(|| Ok(Settings::default()), Settings::parse),
            provisions: std::iter::repeat_with(OnceLock::new).take(rules).collect(),
        }
    }

    /// The policy, or why it can't be read.
    ///
    /// # Errors
    /// Those of [`Policy::parse`].
    pub fn policy(&self) -> Result<&Policy, &Error> {
        self.policy.as_ref()
    }

    /// Our settings, or why they can't be read.
    ///
    /// # Errors
    /// Those of [`Settings::parse`].
    pub fn settings(&self) -> Result<&Settings, &Error> {
        self.settings.as_ref()
    }

    /// What this charter says about a path.
    pub fn ruling(&self, path: &[u8]) -> Ruling<'_> {
        if is_exempt(path) {
            return Ruling::Unruled;
        }
        let Ok(policy) = &self.policy else {
            return Ruling::Unknown;
        };
        match policy.rule_for(path) {
            Err(_) => Ruling::Unknown,
            Ok(None) => Ruling::Unruled,
            Ok(Some(rule)) => match self.provisions.get(rule.index) {
                Some(slot) => Ruling::Ruled(slot.get_or_init(|| Provision::new(rule))),
                None => Ruling::Unknown,
            },
        }
    }

    /// The rule for a path, where it can be told.
    pub fn provision(&self, path: &[u8]) -> Option<&Provision> {
        match self.ruling(path) {
            Ruling::Ruled(provision) => Some(provision),
            Ruling::Unruled | Ruling::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_cannot_be_read_leaves_everything_unknown() {
        let broken = Charter::read(Some(b"creation_rules: {}"), None);
        assert!(broken.policy().is_err() && matches!(broken.ruling(b"a"), Ruling::Unknown));
        let invalid = Charter::read(
            Some(b"creation_rules: [{path_regex: '^a$', age: x}, {path_regex: (}]"),
            None,
        );
        assert!(matches!(invalid.ruling(b"a"), Ruling::Ruled(_)));
        assert!(matches!(invalid.ruling(b"b"), Ruling::Unknown));
        assert!(matches!(Charter::read(None, None).ruling(b"a"), Ruling::Unruled));
    }

    #[test]
    fn files_that_others_read_are_never_ruled() {
        let all = Charter::read(Some(b"creation_rules: [{age: x}]"), None);
        for path in [
            ".sops.yaml",
            "a/.sops.yaml",
            ".git-seal.yaml",
            ".gitattributes",
            "a/b/.gitattributes",
        ] {
            assert!(matches!(all.ruling(path.as_bytes()), Ruling::Unruled), "{path}");
        }
        for path in ["a", "sops.yaml", "x.sops.yaml", ".gitattributes/a"] {
            assert!(all.provision(path.as_bytes()).is_some(), "{path}");
        }
    }
}
