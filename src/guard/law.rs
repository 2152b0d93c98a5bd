//! By what a snapshot is judged: its own charter, and those before it, which a change must not loosen unseen.

use std::sync::Arc;

use super::charter::{Charter, Provision, Ruling};
use super::finding::Severity;
use crate::policy::Level;

/// Largest file in bytes that no rule seals and that is looked through, unless the settings raise it.
const SIZE_LIMIT: u64 = 5_000_000;

/// The check that nobody can lower: where the policy can't be read, nothing is left to judge by.
pub(super) const STEADY: &str = "GS403";

/// The charters in force.
#[derive(Debug)]
pub struct Law {
    own: Arc<Charter>,
    /// Charters before: the old tip of a branch, the parents of a commit. A group binds where all of its members agree: what a
    /// merge takes over from one of its parents was judged there.
    bases: Vec<Vec<Arc<Charter>>>,
}

impl Law {
    /// A law of a snapshot's own charter and groups of earlier ones. A group that holds the own charter binds to nothing more.
    #[must_use]
    pub fn new(own: Arc<Charter>, mut bases: Vec<Vec<Arc<Charter>>>) -> Self {
        bases.retain(|group| !group.is_empty() && !group.iter().any(|base| Arc::ptr_eq(base, &own)));
        Self { own, bases }
    }

    /// The snapshot's own charter.
    #[must_use]
    pub fn own(&self) -> &Charter {
        &self.own
    }

    /// What the own charter says about a path.
    #[must_use]
    pub fn ruling(&self, path: &[u8]) -> Ruling<'_> {
        self.own.ruling(path)
    }

    /// The rule that bound a path before.
    #[must_use]
    pub fn earlier(&self, path: &[u8]) -> Option<&Provision> {
        self.bases.iter().find_map(|group| {
            let rules: Option<Vec<&Provision>> = group.iter().map(|base| base.provision(path)).collect();
            rules.and_then(|rules| rules.first().copied())
        })
    }

    /// Whether the own charter or an earlier one seals a path, or can't say.
    #[must_use]
    pub fn concerns(&self, path: &[u8]) -> bool {
        !matches!(self.ruling(path), Ruling::Unruled) || self.earlier(path).is_some()
    }

    /// What the findings of the check `id` at a path mean: as the settings say, and at least what they said before. `usual` is what
    /// they mean where nothing is said.
    #[must_use]
    pub fn level(&self, id: &str, path: &[u8], usual: Severity) -> Level {
        if id == STEADY {
            return Level::Error;
        }
        let usual = match usual {
            Severity::Warning => Level::Warning,
            Severity::Error => Level::Error,
        };
        let of = |charter: &Charter| {
            let settings = charter.settings().ok();
            if settings.is_some_and(|settings| settings.allows(id, path)) {
                return Level::Off;
            }
            settings
                .and_then(|settings| settings.checks.get(id).copied())
                .unwrap_or(usual)
        };
        let earlier = self
            .bases
            .iter()
            .filter_map(|group| group.iter().map(|base| of(base)).min());
        earlier.fold(of(&self.own), Level::max)
    }

    /// Largest file in bytes that is looked through where no rule seals it. A setting can raise it, not lower it: a small limit
    /// would hide what it is there to find.
    #[must_use]
    pub fn size_limit(&self) -> u64 {
        let set = self.own.settings().ok().and_then(|settings| settings.max_file_size);
        set.unwrap_or(SIZE_LIMIT).max(SIZE_LIMIT)
    }
}

#[cfg(test)]
impl Law {
    /// The own charter, to become an earlier one.
    pub(crate) fn into_own(self) -> Arc<Charter> {
        self.own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charter(pattern: &str, settings: &str) -> Arc<Charter> {
        let policy = format!("creation_rules: [{{path_regex: {pattern}, age: x}}]");
        Arc::new(Charter::read(Some(policy.as_bytes()), Some(settings.as_bytes())))
    }

    #[test]
    fn an_earlier_rule_binds_where_all_of_its_group_agree() {
        let [a, b, none] = ["^a", "^b", "^$"].map(|pattern| charter(pattern, ""));
        let binds = |bases: Vec<Vec<Arc<Charter>>>| Law::new(Arc::clone(&none), bases).earlier(b"a").is_some();
        assert!(!binds(vec![]));
        assert!(!binds(vec![vec![]]));
        assert!(!binds(vec![vec![Arc::clone(&b)]]));
        assert!(
            !binds(vec![vec![Arc::clone(&a), Arc::clone(&b)]]),
            "one parent had given it up"
        );
        assert!(
            !binds(vec![vec![Arc::clone(&a), Arc::clone(&none)]]),
            "the own charter is a parent's"
        );
        assert!(binds(vec![vec![Arc::clone(&a)]]));
        assert!(binds(vec![
            vec![Arc::clone(&b)],
            vec![Arc::clone(&a), charter("a$", "")]
        ]));
    }

    #[test]
    fn a_change_cannot_turn_off_the_check_that_judges_it() {
        let [off, mild, strict] =
            ["checks: {GS201: off, GS403: off}", "checks: {GS201: warning}", ""].map(|text| charter("a", text));
        let level = |own: &Arc<Charter>, bases: &[&Arc<Charter>]| {
            let group = bases.iter().map(|&base| Arc::clone(base)).collect();
            Law::new(Arc::clone(own), vec![group]).level("GS201", b"x", Severity::Error)
        };
        assert_eq!(level(&off, &[&strict]), Level::Error);
        assert_eq!(level(&off, &[&mild]), Level::Warning);
        assert_eq!(level(&mild, &[&off]), Level::Warning);
        assert_eq!(level(&strict, &[&off]), Level::Error);
        assert_eq!(level(&off, &[&off]), Level::Off);
        assert_eq!(level(&off, &[]), Level::Off);
        let law = Law::new(Arc::clone(&off), vec![]);
        assert_eq!(law.level(STEADY, b"x", Severity::Error), Level::Error);
        assert_eq!(law.level("GS402", b"x", Severity::Warning), Level::Warning);
    }

    #[test]
    fn the_size_limit_can_only_be_raised() {
        for (settings, limit) in [
            ("", SIZE_LIMIT),
            ("limits: {max_file_size: 1}", SIZE_LIMIT),
            ("limits: {max_file_size: 9000000}", 9_000_000),
            ("limits: []", SIZE_LIMIT),
        ] {
            assert_eq!(
                Law::new(charter("a", settings), vec![]).size_limit(),
                limit,
                "{settings}"
            );
        }
    }
}
