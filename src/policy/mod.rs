//! The floor `policy`: `.sops.yaml` says which path is sealed how, and for whom; `.git-seal.yaml` has our own settings.
//!
//! Read as SOPS reads it (spec `sops-format.md` §8), with two differences. A selection pattern that does not compile,
//! which SOPS takes as never matching, is an error. And a wrong type anywhere in a rule is an error at once, not when
//! the rule is first used.

mod error;
mod file;
mod keys;
mod outline;
mod problem;
mod reader;
mod rule;
mod settings;
mod stores;
mod suggest;

pub use error::Error;
pub use file::{NamedRecipient, new_policy_text};
pub use keys::{ForeignKey, KeyGroup};
pub use problem::{Fault, Problem, UnknownKey};
pub use rule::{PathPattern, Rule};
pub use settings::{Allowance, Level, Settings};
pub use stores::{JsonIndent, Stores};

use reader::{Node, Source};

/// Rules in one file: each costs up to 200 KB.
const MAX_RULES: usize = 1_000;
/// Patterns in one file that cost more than the usual: up to 10 MB each.
const MAX_HEAVY_PATTERNS: usize = 10;

/// Whether a file of this path is never sealed, whatever a rule says: Git and SOPS read these files themselves.
#[must_use]
pub fn is_exempt(path: &[u8]) -> bool {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    [b".sops.yaml".as_slice(), b".git-seal.yaml", b".gitattributes"].contains(&name)
}

/// A `.sops.yaml` that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// `None` where `creation_rules` is missing or null.
    rules: Option<Vec<Rule>>,
    stores: Stores,
    unknown: Vec<UnknownKey>,
}

impl Policy {
    /// Reads the bytes of a `.sops.yaml`; only its first YAML document counts.
    ///
    /// # Errors
    /// Any but [`Error::PathRegex`] and [`Error::Selection`], which come from the rule that is asked, and
    /// [`Error::UnknownKey`], which only our own settings are strict about.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        let Some(source) = Source::read(text)? else {
            return Ok(Self::default());
        };
        let root = source.root().map()?;
        let rules = match root.get("creation_rules") {
            None => None,
            Some(list) => Some(rules(list)?),
        };
        let stores = Stores::read(&root)?;
        if let Some(list) = root.get("destination_rules") {
            // Publishing is not ours, but a file that SOPS can't read is none.
            list.list()?
                .filter(|rule| !rule.is_null())
                .try_for_each(|rule| rule.map().map(drop))?;
        }
        Ok(Self {
            rules,
            stores,
            unknown: problem::unknown_keys(&root)?,
        })
    }

    /// Whether there is a `creation_rules` section at all: without one SOPS takes the file as no configuration, with an
    /// empty one it refuses every path.
    pub const fn has_rules_section(&self) -> bool {
        self.rules.is_some()
    }

    /// The rules in their order.
    pub fn rules(&self) -> &[Rule] {
        self.rules.as_deref().unwrap_or_default()
    }

    /// The first rule that is for `path`: relative to the folder of the `.sops.yaml`, with `/` between its parts.
    ///
    /// # Errors
    /// [`Error::PathRegex`] if a rule before the decision has an invalid pattern; [`Error::Selection`] if the rule that
    /// decides does not say unambiguously what is sealed.
    pub fn rule_for(&self, path: impl AsRef<[u8]>) -> Result<Option<&Rule>, Error> {
        let path = path.as_ref();
        for rule in self.rules() {
            if rule.is_for(path)? {
                return rule.check_selection().map(|()| Some(rule));
            }
        }
        Ok(None)
    }

    /// How the formats indent what they write.
    pub const fn stores(&self) -> Stores {
        self.stores
    }

    /// Keys that SOPS ignores without a word, in the order of the file.
    pub fn unknown_keys(&self) -> &[UnknownKey] {
        &self.unknown
    }

    /// What is wrong with any rule, whether a path comes to it or not. Recipients are judged where they are parsed.
    pub fn check(&self) -> Vec<Problem> {
        problem::check(self.rules())
    }
}

/// Reads the rules, within bounds of memory and time that a hostile file can't pass.
fn rules(list: Node<'_>) -> Result<Vec<Rule>, Error> {
    let mut rules = Vec::new();
    let mut heavy = 0;
    for (index, node) in list.list()?.enumerate() {
        let position = node.position();
        if index >= MAX_RULES {
            return Err(Error::TooManyRules {
                position,
                limit: MAX_RULES,
            });
        }
        let rule = Rule::read(node, index)?;
        heavy += rule.heavy_patterns;
        if heavy > MAX_HEAVY_PATTERNS {
            return Err(Error::TooManyHeavyPatterns {
                position,
                limit: MAX_HEAVY_PATTERNS,
            });
        }
        rules.push(rule);
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn policy(text: &str) -> Policy {
        Policy::parse(text.as_bytes()).unwrap()
    }

    /// Text and message.
    const NO_POLICY: &[(&str, &str)] = &[
        ("- creation_rules", "1:1: the document must be a map"),
        ("creation_rules: {}", "1:17: creation_rules must be a list"),
        ("creation_rules:\n  - text", "2:5: creation_rules must be a map"),
        (
            "creation_rules:\n  - age: 5",
            "2:10: age must be a text or a list of texts",
        ),
        (
            "creation_rules:\n  - age: {a: b}",
            "2:10: age must be a text or a list of texts",
        ),
        ("creation_rules:\n  - age: [5]", "2:11: age must be a text"),
        (
            "creation_rules:\n  - pgp: true",
            "2:10: pgp must be a text or a list of texts",
        ),
        (
            "creation_rules:\n  - path_regex: [a]",
            "2:17: path_regex must be a text",
        ),
        (
            "creation_rules:\n  - encrypted_regex: {}",
            "2:22: encrypted_regex must be a text",
        ),
        (
            "creation_rules:\n  - mac_only_encrypted: 1",
            "2:25: mac_only_encrypted must be true or false",
        ),
        (
            "creation_rules:\n  - shamir_threshold: two",
            "2:23: shamir_threshold must be a whole number",
        ),
        (
            "creation_rules:\n  - shamir_threshold: -1",
            "2:23: shamir_threshold must be a whole number from 0",
        ),
        (
            "creation_rules:\n  - key_groups: age1",
            "2:17: key_groups must be a list",
        ),
        (
            "creation_rules:\n  - key_groups: [age1]",
            "2:18: key_groups must be a map",
        ),
        (
            "creation_rules:\n  - key_groups:\n    - age: a",
            "3:12: age must be a list",
        ),
        (
            "creation_rules:\n  - key_groups:\n    - kms: [a]",
            "3:13: kms must be a map",
        ),
        ("creation_rules:\n  - <<: 5", "2:9: << must be a map or maps"),
        (
            "creation_rules:\n  - age: a\n    age: b",
            r#"3:5: key "age" is given twice"#,
        ),
        (
            "creation_rules:\n  - shamir_threshold: 1.5",
            "2:23: shamir_threshold must be a whole number",
        ),
        (
            "creation_rules:\n  - aws_profile: [a]",
            "2:18: aws_profile must be a text",
        ),
        ("destination_rules: text", "1:20: destination_rules must be a list"),
        ("destination_rules: [text]", "1:21: destination_rules must be a map"),
        ("stores: []", "1:9: stores must be a map"),
        ("stores: {json: {indent: a}}", "1:25: indent must be a whole number"),
        (
            "stores: {json: {indent: -2}}",
            "1:25: indent must be a whole number from -1 to 255",
        ),
        (
            "stores: {json_binary: {indent: 1000000000}}",
            "1:32: indent must be a whole number from -1 to 255",
        ),
        (
            "stores: {yaml: {indent: -1}}",
            "1:25: indent must be a whole number from 0",
        ),
    ];

    #[test]
    fn refuses_what_is_no_policy() {
        for &(text, expected) in NO_POLICY {
            assert_eq!(
                Policy::parse(text.as_bytes()).unwrap_err().to_string(),
                expected,
                "{text}"
            );
        }
        assert!(matches!(Policy::parse(b"a: \xff"), Err(Error::NotUtf8 { offset: 3 })));
        assert!(matches!(
            Policy::parse(&vec![b'#'; (1 << 20) + 1]),
            Err(Error::TooLarge { .. })
        ));
        assert!(matches!(Policy::parse(b"a: [\n"), Err(Error::Syntax { .. })));
    }

    #[test]
    fn refuses_what_would_cost_too_much() {
        let parse = |rule: &str, count| Policy::parse(format!("creation_rules:\n{}", rule.repeat(count)).as_bytes());
        assert!(parse("- age: a\n", MAX_RULES).is_ok());
        assert!(matches!(
            parse("- age: a\n", MAX_RULES + 1),
            Err(Error::TooManyRules { .. })
        ));
        let long = format!("- path_regex: {}\n", "a".repeat(10_001));
        for costly in [&long, "- path_regex: .{500}\n", "- encrypted_comment_regex: .{500}\n"] {
            assert!(parse(costly, MAX_HEAVY_PATTERNS).is_ok());
            let error = parse(costly, MAX_HEAVY_PATTERNS + 1);
            assert!(matches!(error, Err(Error::TooManyHeavyPatterns { .. })), "{costly}");
        }
    }

    #[test]
    fn an_invalid_pattern_is_an_error_when_it_is_asked() {
        let text = "creation_rules:\n  - path_regex: ^a\n    age: a\n  - path_regex: (\n    age: b\n  - age: c\n";
        let policy = policy(text);
        assert_eq!(policy.rule_for("a.yaml").unwrap().unwrap().index, 0);
        let error = policy.rule_for("b.yaml").unwrap_err();
        let expected = r#"4:5: path_regex: invalid regular expression "(": group is not closed at byte 0"#;
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn an_invalid_selection_is_an_error_when_its_rule_decides() {
        let cases = [
            ("encrypted_regex: (", "encrypted_regex: invalid regular expression"),
            (
                "unencrypted_comment_regex: '[z-a]'",
                "unencrypted_comment_regex: invalid regular expression",
            ),
            (
                "encrypted_regex: a\n    encrypted_suffix: b",
                "encrypted_suffix and encrypted_regex are both set",
            ),
        ];
        for (line, expected) in cases {
            let policy = policy(&format!(
                "creation_rules:\n  - path_regex: x\n    age: a\n    {line}\n  - age: b\n"
            ));
            let error = policy.rule_for("x").unwrap_err().to_string();
            assert!(error.starts_with("2:5: ") && error.contains(expected), "{error}");
            assert_eq!(policy.rule_for("y").unwrap().unwrap().index, 1);
        }
    }

    #[test]
    fn the_first_rule_that_is_found_in_the_path_decides() {
        let text = r"
creation_rules:
  - path_regex: ^secrets/prod/.*\.ya?ml$
    age: prod
  - path_regex: '[/\\]dev[/\\]'
    age: dev
  - path_regex: \.env$
    age: env
";
        let policy = policy(text);
        let cases = [
            ("README.md", None),
            ("x/secrets/prod/a.yaml", None),
            ("secrets/prod/a.yaml.bak", None),
            ("secrets/prod/a.yaml", Some("prod")),
            ("secrets/prod/x/b.yml", Some("prod")),
            ("a/dev/b.json", Some("dev")),
            ("dev/b.json", None),
            ("secrets/prod/.env", Some("env")),
        ];
        for (path, expected) in cases {
            let rule = policy.rule_for(path).unwrap();
            assert_eq!(rule.and_then(|rule| rule.recipients().next()), expected, "{path}");
        }
        // Paths of Git are bytes, not always UTF-8.
        assert!(policy.rule_for(b"\xff.env").unwrap().is_some());
    }

    #[test]
    fn no_rules_section_is_not_an_empty_one() {
        for text in [
            "",
            "# nothing\n",
            "---\n",
            "null",
            "creation_rules:\n",
            "stores: {}",
            "---\n---\ncreation_rules: []",
        ] {
            assert!(!policy(text).has_rules_section(), "{text}");
        }
        for text in [
            "creation_rules: []",
            "creation_rules: []\n---\n- broken: [",
            "\u{feff}creation_rules: []",
        ] {
            let policy = policy(text);
            assert!(policy.has_rules_section(), "{text}");
            assert_eq!(policy.rule_for("a").unwrap(), None, "{text}");
        }
    }

    #[test]
    fn scalars_are_read_as_sops_reads_them() {
        let text = "
x-common: &common {age: [a], mac_only_encrypted: yes, shamir_threshold: 0}
x-more: &more {<<: *common, encrypted_suffix: _enc}
creation_rules:
  - <<: [{path_regex: ''}, *more]
    shamir_threshold: 2
  -
  - path_regex: 1.50
    encrypted_regex: ''
    unencrypted_regex: ~
    mac_only_encrypted: !!bool false
";
        let policy = policy(text);
        let [merged, null, third] = policy.rules() else {
            panic!("three rules")
        };
        assert_eq!(merged.path, PathPattern::Everything);
        assert_eq!((merged.threshold, merged.mac_only_encrypted), (Some(2), true));
        assert_eq!(merged.recipients().collect::<Vec<_>>(), ["a"]);
        assert_eq!(merged.selection.encrypted_suffix.as_deref(), Some("_enc"));
        assert_eq!(
            (&null.path, null.has_keys(), null.threshold),
            (&PathPattern::Everything, false, None)
        );
        assert!(matches!(&third.path, PathPattern::Regex(regex) if regex.as_str() == "1.50"));
        assert_eq!(
            (third.selection.clone(), third.mac_only_encrypted),
            (crate::sops::SelectionSettings::default(), false)
        );
        assert_eq!((third.index, third.position.line), (2, 8));
    }

    #[test]
    fn tells_keys_that_sops_ignores() {
        let text = "
x-anchors: {anything: 1}
creation_rule: []
creation_rules:
  - path-regex: a
    age: a
  - key_groups:
    - age: [a]
      hc_vault_transit_uri: b
      merge: [{agee: [c]}]
stores: {yml: {}}
";
        let policy = policy(text);
        let unknown: Vec<_> = policy
            .unknown_keys()
            .iter()
            .map(|u| (u.position.line, u.key.as_str(), u.suggestion))
            .collect();
        let expected = [
            (3, "creation_rule", Some("creation_rules")),
            (5, "path-regex", Some("path_regex")),
            (9, "hc_vault_transit_uri", None),
            (10, "agee", Some("age")),
            (11, "yml", Some("yaml")),
        ];
        assert_eq!(unknown, expected);
    }

    #[test]
    fn check_finds_what_no_path_has_met() {
        let text = "
creation_rules:
  - {path_regex: (, age: a}
  - {age: a, encrypted_regex: '[', shamir_threshold: 3}
  - {path_regex: x}
  - {path_regex: y, key_groups: [{age: [a]}, {}], shamir_threshold: 3}
  - {path_regex: z, age: [a, '']}
";
        let problems: Vec<_> = policy(text)
            .check()
            .iter()
            .map(|problem| (problem.rule, problem.fault.to_string()))
            .collect();
        let unreachable = "no path comes to this rule: rule 2 takes them all";
        let expected = [
            (
                0,
                r#"3:5: path_regex: invalid regular expression "(": group is not closed at byte 0"#,
            ),
            (
                1,
                r#"4:5: encrypted_regex: invalid regular expression "[": class is not closed at byte 0"#,
            ),
            (2, unreachable),
            (2, "files can't be sealed: there is no key"),
            (3, unreachable),
            (3, "files can't be sealed: there is no key in one of its groups"),
            (3, "shamir_threshold is 3, but there are 2 key groups"),
            (4, unreachable),
            (4, "a recipient is empty"),
        ];
        assert_eq!(problems, expected.map(|(rule, text)| (rule, text.to_owned())));
        assert!(
            policy("creation_rules: [{path_regex: a, age: a}, {age: b}]")
                .check()
                .is_empty()
        );
    }
}
