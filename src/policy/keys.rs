//! The keys that a rule names: age recipients, which we wrap for, and keys that only SOPS itself can wrap for.

use std::collections::HashSet;

use super::error::Error;
use super::reader::{Map, Node};

/// The keys that SOPS reads in a key group.
pub(super) const KEY_GROUP_KEYS: [&str; 8] = [
    "merge",
    "age",
    "pgp",
    "kms",
    "gcp_kms",
    "hckms",
    "azure_keyvault",
    "hc_vault",
];

/// A rule's own keys besides age, in SOPS's order: the setting and the kind of key.
const SINGLE_GROUP: [(&str, &str); 6] = [
    ("pgp", "pgp"),
    ("kms", "kms"),
    ("gcp_kms", "gcp_kms"),
    ("hckms", "hckms"),
    ("azure_keyvault", "azure_keyvault"),
    ("hc_vault_transit_uri", "hc_vault"),
];

/// A key that is not an age recipient.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ForeignKey {
    /// `pgp`, `kms`, `gcp_kms`, `hckms`, `azure_keyvault` or `hc_vault`.
    pub kind: &'static str,
    /// Fingerprint, ARN, resource or address, with all that tells it from another key.
    pub text: String,
}

/// Keys each of which opens the group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyGroup {
    /// Age and SSH recipients as written, blanks around them trimmed; an empty one is kept, to be refused.
    pub age: Vec<String>,
    /// All other keys.
    pub foreign: Vec<ForeignKey>,
}

impl KeyGroup {
    /// Whether there is no key in it.
    pub const fn is_empty(&self) -> bool {
        self.age.is_empty() && self.foreign.is_empty()
    }

    /// The groups of a rule: those of `key_groups`, else the one that its own keys form, if there are any.
    pub(super) fn of_rule(map: &Map<'_>) -> Result<Vec<Self>, Error> {
        if let Some(groups) = map.get("key_groups") {
            let groups: Vec<Self> = groups.list()?.map(Self::read).collect::<Result<_, _>>()?;
            if !groups.is_empty() {
                return Ok(groups);
            }
        }
        let mut group = Self::default();
        if let Some(node) = map.get("age") {
            group.age = comma_list(node)?;
        }
        for (key, kind) in SINGLE_GROUP {
            if let Some(node) = map.get(key) {
                group
                    .foreign
                    .extend(comma_list(node)?.into_iter().map(|text| ForeignKey { kind, text }));
            }
        }
        Ok(if group.is_empty() { Vec::new() } else { vec![group] })
    }

    /// Reads one group of `key_groups`, without exact duplicates.
    fn read(node: Node<'_>) -> Result<Self, Error> {
        let mut group = Self::default();
        group.add(node)?;
        let mut seen = HashSet::new();
        group.age.retain(|recipient| seen.insert(recipient.clone()));
        let mut seen = HashSet::new();
        group.foreign.retain(|key| seen.insert(key.clone()));
        Ok(group)
    }

    /// Adds a group's keys, those of the groups merged into it first. The reader's depth bounds the recursion.
    fn add(&mut self, node: Node<'_>) -> Result<(), Error> {
        if node.is_null() {
            return Ok(());
        }
        let map = node.map()?;
        if let Some(merged) = map.get("merge") {
            merged.list()?.try_for_each(|node| self.add(node))?;
        }
        if let Some(node) = map.get("age") {
            for item in node.list()? {
                self.age.extend(pieces(item.strict_text()?));
            }
        }
        for kind in ["pgp", "kms", "gcp_kms", "hckms", "azure_keyvault", "hc_vault"] {
            let Some(node) = map.get(kind) else { continue };
            for item in node.list()? {
                self.foreign.push(ForeignKey {
                    kind,
                    text: foreign_text(kind, item)?,
                });
            }
        }
        Ok(())
    }
}

/// A text with commas, where empty pieces are skipped, or a list of texts, where they are not.
fn comma_list(node: Node<'_>) -> Result<Vec<String>, Error> {
    if !node.is_list() {
        let Ok(text) = node.strict_text() else {
            return node.wrong("a text or a list of texts");
        };
        return Ok(pieces(text).filter(|piece| !piece.is_empty()).collect());
    }
    let mut keys = Vec::new();
    for item in node.list()? {
        keys.extend(pieces(item.strict_text()?));
    }
    Ok(keys)
}

fn pieces(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(|piece| piece.trim().to_owned())
}

/// What tells a key of a group from another of its kind.
fn foreign_text(kind: &str, item: Node<'_>) -> Result<String, Error> {
    if matches!(kind, "pgp" | "hc_vault") {
        return item.strict_text().map(|text| text.trim().to_owned());
    }
    let map = item.map()?;
    let field = |key| map.text(key).map(Option::unwrap_or_default);
    Ok(match kind {
        "gcp_kms" => field("resource_id")?,
        "hckms" => field("key_id")?,
        "azure_keyvault" => format!("{}/keys/{}/{}", field("vaultUrl")?, field("key")?, field("version")?),
        _ => {
            let mut text = field("arn")?;
            for (mark, value) in [("+", field("role")?), ("@", field("aws_profile")?)] {
                if !value.is_empty() {
                    text = text + mark + &value;
                }
            }
            if let Some(context) = map.get("context") {
                let context = context.map()?;
                for (name, _) in context.keys() {
                    text = format!("{text}|{name}:{}", context.text(name)?.unwrap_or_default());
                }
            }
            text
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::reader::Source;
    use super::*;

    /// The groups of the only rule, which has these lines besides its path.
    fn groups(lines: &str) -> Vec<KeyGroup> {
        let source = Source::read(format!("  - path_regex: x\n{lines}").as_bytes())
            .unwrap()
            .unwrap();
        let rule = source.root().list().unwrap().next().unwrap();
        KeyGroup::of_rule(&rule.map().unwrap()).unwrap()
    }

    fn group(age: &[&str], foreign: &[(&'static str, &str)]) -> KeyGroup {
        KeyGroup {
            age: age.iter().map(ToString::to_string).collect(),
            foreign: foreign
                .iter()
                .map(|(kind, text)| ForeignKey {
                    kind,
                    text: (*text).to_owned(),
                })
                .collect(),
        }
    }

    #[test]
    fn own_keys_form_one_group() {
        let cases = [
            ("", vec![]),
            ("    age: ''", vec![]),
            ("    age:", vec![]),
            ("    age: a", vec![group(&["a"], &[])]),
            ("    age: ' a, b,,a ,'", vec![group(&["a", "b", "a"], &[])]),
            (
                "    age: >-\n      a,\n      b,\n      c",
                vec![group(&["a", "b", "c"], &[])],
            ),
            (
                "    age:\n      - ' a '\n      - b,c\n      - ''",
                vec![group(&["a", "b", "c", ""], &[])],
            ),
            ("    pgp: F1, F2", vec![group(&[], &[("pgp", "F1"), ("pgp", "F2")])]),
            (
                "    kms: arn+role\n    hc_vault_transit_uri: [https://v]\n    age: a\n    aws_profile: p",
                vec![group(&["a"], &[("kms", "arn+role"), ("hc_vault", "https://v")])],
            ),
            ("    key_groups: []\n    age: a", vec![group(&["a"], &[])]),
        ];
        for (lines, expected) in cases {
            assert_eq!(groups(lines), expected, "{lines}");
        }
    }

    #[test]
    fn key_groups_come_before_own_keys() {
        let cases = [
            (
                "    age: x\n    key_groups:\n    - age: [a]\n    - {}",
                vec![group(&["a"], &[]), group(&[], &[])],
            ),
            (
                "    key_groups:\n    - age: ['a,b', a, ' b']",
                vec![group(&["a", "b"], &[])],
            ),
            (
                "    key_groups:\n    - age: [a]\n      merge:\n      \
                 - age: [b]\n        merge: [{age: [c]}]\n      - age: [a]",
                vec![group(&["c", "b", "a"], &[])],
            ),
            (
                "    key_groups:\n    - pgp: [F, F]\n      \
                 kms:\n      - {arn: a, role: r, aws_profile: p, context: {k: v}}\n      \
                 gcp_kms: [{resource_id: g}]\n      hckms: [{key_id: h}]\n      \
                 azure_keyvault: [{vaultUrl: u, key: k, version: 1}]\n      hc_vault: [v]",
                vec![group(
                    &[],
                    &[
                        ("pgp", "F"),
                        ("kms", "a+r@p|k:v"),
                        ("gcp_kms", "g"),
                        ("hckms", "h"),
                        ("azure_keyvault", "u/keys/k/1"),
                        ("hc_vault", "v"),
                    ],
                )],
            ),
        ];
        for (lines, expected) in cases {
            assert_eq!(groups(lines), expected, "{lines}");
        }
    }
}
