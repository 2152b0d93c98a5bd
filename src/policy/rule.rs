//! One creation rule of `.sops.yaml`: which paths it is for, who can open them, what is sealed in them.

use super::error::Error;
use super::keys::KeyGroup;
use super::reader::Node;
use crate::sops::{Selection, SelectionSettings};
use crate::text::{BadRegex, GoRegex, Position};

/// The keys that SOPS reads in a rule.
pub(super) const RULE_KEYS: [&str; 18] = [
    "path_regex",
    "age",
    "pgp",
    "kms",
    "gcp_kms",
    "hckms",
    "azure_keyvault",
    "hc_vault_transit_uri",
    "aws_profile",
    "key_groups",
    "shamir_threshold",
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
    "mac_only_encrypted",
];

/// Which paths a rule is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPattern {
    /// No `path_regex`, or an empty one.
    Everything,
    /// The paths that the pattern is found in.
    Regex(GoRegex),
    /// A pattern that does not compile: whether the rule is for a path can't be said.
    Invalid(BadRegex),
}

/// One creation rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Position in `creation_rules`, from 0.
    pub index: usize,
    /// Where the rule starts in the file.
    pub position: Position,
    /// Which paths it is for.
    pub path: PathPattern,
    /// Who can open the files; more than one group means shares of the data key.
    pub groups: Vec<KeyGroup>,
    /// How many groups are needed to open a file; `None` where SOPS takes all of them.
    pub threshold: Option<u32>,
    /// What is sealed in the files; as written, [`Policy::rule_for`](super::Policy::rule_for) has judged it.
    pub selection: SelectionSettings,
    /// Whether the MAC covers sealed values only.
    pub mac_only_encrypted: bool,
    /// Whether `selection` resolves, so that it is judged once and not for each path.
    pub(super) selection_holds: bool,
    /// How many of its patterns are costly to compile.
    pub(super) heavy_patterns: usize,
}

impl Rule {
    /// Whether every group has a key of some kind, without which SOPS refuses to seal.
    pub fn has_keys(&self) -> bool {
        !self.groups.is_empty() && self.groups.iter().all(|group| !group.is_empty())
    }

    /// Whether some key is not an age recipient, so that only SOPS itself can wrap for all of them.
    pub fn has_foreign_keys(&self) -> bool {
        self.groups.iter().any(|group| !group.foreign.is_empty())
    }

    /// The age recipients of all groups as written, in their order.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        self.groups
            .iter()
            .flat_map(|group| group.age.iter().map(String::as_str))
    }

    /// Whether the rule is for this path.
    ///
    /// # Errors
    /// [`Error::PathRegex`] if the pattern does not compile.
    pub fn is_for(&self, path: impl AsRef<[u8]>) -> Result<bool, Error> {
        match &self.path {
            PathPattern::Everything => Ok(true),
            PathPattern::Regex(regex) => Ok(regex.is_match(path)),
            PathPattern::Invalid(bad) => Err(Error::PathRegex {
                position: self.position,
                source: bad.clone(),
            }),
        }
    }

    /// Whether the selection settings can be used.
    ///
    /// # Errors
    /// [`Error::Selection`] if more than one is set, or one does not compile.
    pub fn check_selection(&self) -> Result<(), Error> {
        if self.selection_holds {
            return Ok(());
        }
        let position = self.position;
        self.selection
            .resolve()
            .map(|_| ())
            .map_err(|source| Error::Selection { position, source })
    }

    /// Reads the rule number `index`. Null is a rule without anything in it, as for SOPS.
    pub(super) fn read(node: Node<'_>, index: usize) -> Result<Self, Error> {
        let mut rule = Self {
            index,
            position: node.position(),
            path: PathPattern::Everything,
            groups: Vec::new(),
            threshold: None,
            selection: SelectionSettings::default(),
            mac_only_encrypted: false,
            selection_holds: true,
            heavy_patterns: 0,
        };
        if node.is_null() {
            return Ok(rule);
        }
        let map = node.map()?;
        if let Some(pattern) = map.text("path_regex")? {
            let regex = GoRegex::new(&pattern);
            rule.heavy_patterns += usize::from(is_heavy(regex.as_ref()));
            rule.path = regex.map_or_else(PathPattern::Invalid, PathPattern::Regex);
        }
        for name in rule.selection.named().map(|(name, _)| name) {
            let text = map.text(name)?;
            if let Some(slot) = rule.selection.slot(name) {
                *slot = text;
            }
        }
        let selection = rule.selection.resolve();
        rule.heavy_patterns += usize::from(is_heavy_selection(&selection));
        rule.selection_holds = selection.is_ok();
        map.text("aws_profile")?;
        rule.groups = KeyGroup::of_rule(&map)?;
        if let Some(node) = map.get("shamir_threshold") {
            let Ok(threshold) = u32::try_from(node.integer()?) else {
                return node.wrong("a whole number from 0");
            };
            rule.threshold = (threshold > 0).then_some(threshold);
        }
        if let Some(node) = map.get("mac_only_encrypted") {
            rule.mac_only_encrypted = node.truth()?;
        }
        Ok(rule)
    }
}

/// A pattern that is refused as a whole, not at a place in it, was tried first.
fn is_heavy(regex: Result<&GoRegex, &BadRegex>) -> bool {
    regex.map_or_else(|bad| bad.position.is_none(), GoRegex::is_heavy)
}

fn is_heavy_selection(selection: &Result<Selection, crate::sops::Error>) -> bool {
    match selection {
        Ok(
            Selection::UnencryptedRegex(regex)
            | Selection::EncryptedRegex(regex)
            | Selection::UnencryptedCommentRegex(regex)
            | Selection::EncryptedCommentRegex(regex),
        ) => regex.is_heavy(),
        Err(crate::sops::Error::Regex { source, .. }) => is_heavy(Err(source)),
        _ => false,
    }
}
