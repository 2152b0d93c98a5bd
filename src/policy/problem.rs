//! What `doctor` has to say about a `.sops.yaml` that can be read.

use super::error::Error;
use super::keys::KEY_GROUP_KEYS;
use super::reader::{Map, Node};
use super::rule::{PathPattern, RULE_KEYS, Rule};
use super::suggest::did_you_mean;
use crate::text::Position;

/// A rule that does not do what its author means.
#[derive(Debug)]
pub struct Problem {
    /// Position of the rule in `creation_rules`, from 0.
    pub rule: usize,
    /// Where the rule starts in the file.
    pub position: Position,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a rule.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The path pattern or the selection is invalid; its message has the position in it.
    #[error(transparent)]
    Invalid(Error),
    /// There is no key, or a key group without one.
    #[error("files can't be sealed: there is no key{}", if *.in_group { " in one of its groups" } else { "" })]
    NoKeys {
        /// Whether other groups have keys.
        in_group: bool,
    },
    /// A list of recipients has an empty one.
    #[error("a recipient is empty")]
    EmptyRecipient,
    /// More groups are needed than there are.
    #[error("shamir_threshold is {threshold}, but there are {groups} key groups")]
    ThresholdTooHigh {
        /// Groups needed.
        threshold: u32,
        /// Groups there are.
        groups: usize,
    },
    /// A rule before it takes every path.
    #[error("no path comes to this rule: rule {} takes them all", .by + 1)]
    Unreachable {
        /// Position of that rule, from 0.
        by: usize,
    },
}

/// A key that SOPS ignores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// Where it stands.
    pub position: Position,
    /// The key.
    pub key: String,
    /// The known key that is probably meant.
    pub suggestion: Option<&'static str>,
}

/// Every fault of every rule.
pub(super) fn check(rules: &[Rule]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut taken_by = None;
    for rule in rules {
        let mut add = |fault| {
            problems.push(Problem {
                rule: rule.index,
                position: rule.position,
                fault,
            });
        };
        if let Some(by) = taken_by {
            add(Fault::Unreachable { by });
        }
        if let Err(error) = rule.is_for("") {
            add(Fault::Invalid(error));
        }
        if let Err(error) = rule.check_selection() {
            add(Fault::Invalid(error));
        }
        if !rule.has_keys() {
            add(Fault::NoKeys {
                in_group: rule.groups.iter().any(|group| !group.is_empty()),
            });
        }
        if rule.recipients().any(str::is_empty) {
            add(Fault::EmptyRecipient);
        }
        // With one group SOPS splits nothing, so its threshold is not looked at.
        if let Some(threshold) = rule.threshold
            && rule.groups.len() > 1
            && usize::try_from(threshold).is_ok_and(|threshold| threshold > rule.groups.len())
        {
            add(Fault::ThresholdTooHigh {
                threshold,
                groups: rule.groups.len(),
            });
        }
        if rule.path == PathPattern::Everything && taken_by.is_none() {
            taken_by = Some(rule.index);
        }
    }
    problems
}

/// The keys that SOPS ignores, at the top, in `stores`, in rules and their key groups.
pub(super) fn unknown_keys(root: &Map<'_>) -> Result<Vec<UnknownKey>, Error> {
    let mut unknown = Vec::new();
    collect(root, &["creation_rules", "destination_rules", "stores"], &mut unknown);
    // The customary place for anchors: a top-level key that says itself that nobody reads it.
    unknown.retain(|unknown| !unknown.key.starts_with("x-") && !unknown.key.starts_with('.'));
    if let Some(stores) = root.get("stores") {
        collect(
            &stores.map()?,
            &["dotenv", "ini", "json", "json_binary", "yaml"],
            &mut unknown,
        );
    }
    let Some(rules) = root.get("creation_rules") else {
        return Ok(unknown);
    };
    for rule in rules.list()?.filter(|node| !node.is_null()) {
        let rule = rule.map()?;
        collect(&rule, &RULE_KEYS, &mut unknown);
        if let Some(groups) = rule.get("key_groups") {
            groups.list()?.try_for_each(|group| in_group(group, &mut unknown))?;
        }
    }
    unknown.sort_by_key(|unknown| unknown.position);
    Ok(unknown)
}

fn in_group(group: Node<'_>, unknown: &mut Vec<UnknownKey>) -> Result<(), Error> {
    if group.is_null() {
        return Ok(());
    }
    let group = group.map()?;
    collect(&group, &KEY_GROUP_KEYS, unknown);
    let Some(merged) = group.get("merge") else {
        return Ok(());
    };
    merged.list()?.try_for_each(|group| in_group(group, unknown))
}

fn collect(map: &Map<'_>, known: &[&'static str], unknown: &mut Vec<UnknownKey>) {
    for (key, position) in map.keys().filter(|(key, _)| !known.contains(key)) {
        unknown.push(UnknownKey {
            position,
            key: key.to_owned(),
            suggestion: did_you_mean(key, known),
        });
    }
}
