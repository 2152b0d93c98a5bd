//! `.sops.yaml` or `.git-seal.yaml` does not say what it seems to say.
//!
//! # What it finds
//! A file that can't be read; an invalid regular expression; a rule without keys, with an empty or malformed recipient, or with more
//! needed key groups than there are; two selections in one rule; a setting for a check that does not exist. As a warning: a rule
//! that no path comes to, and a key that SOPS does not know.
//!
//! # Why
//! SOPS takes an invalid pattern as one that never matches, and a misspelt key as absent: in both cases it silently encrypts
//! nothing. Where the policy can't be read, nothing can be judged, so this check can't be turned off.
//!
//! # How to mend
//! Correct the line that is named. Patterns are Go's regular expressions; put them in single quotes, where a backslash is one.

use super::located::located;
use crate::guard::charter::{Charter, POLICY, SETTINGS};
use crate::guard::check::{Check, IDS, Needs};
use crate::guard::finding::Remark;
use crate::guard::findings::Findings;
use crate::guard::law::STEADY;
use crate::guard::subject::Subject;
use crate::policy::{Error, Fault, Policy};
use crate::vault::Terms;

/// GS403.
#[derive(Debug)]
pub struct BadPolicy;

impl Check for BadPolicy {
    fn id(&self) -> &'static str {
        STEADY
    }

    fn name(&self) -> &'static str {
        "bad-policy"
    }

    fn source(&self) -> &'static str {
        include_str!("bad_policy.rs")
    }

    fn needs(&self) -> Needs {
        Needs::Policy
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        let remarks = match subject.path() {
            POLICY => policy(subject.law().own()),
            SETTINGS => settings(subject.law().own()),
            _ => return,
        };
        for remark in remarks {
            findings.add(subject, remark);
        }
        if subject.path() == POLICY
            && let Ok(policy) = subject.law().own().policy()
            && let Ok(Some(rule)) = policy.rule_for(POLICY)
        {
            let line = rule.position.line;
            findings.note(&format!(
                "the rule in line {line} of .sops.yaml matches .sops.yaml itself, which is never sealed"
            ));
        }
    }
}

fn policy(charter: &Charter) -> Vec<Remark> {
    match charter.policy() {
        Err(error) => vec![of_error(".sops.yaml can't be read", error)],
        Ok(policy) => faults(policy)
            .into_iter()
            .chain(recipients(policy))
            .chain(unknown(policy))
            .collect(),
    }
}

fn faults(policy: &Policy) -> Vec<Remark> {
    let of_fault = |problem: crate::policy::Problem| {
        let number = problem.rule + 1;
        match &problem.fault {
            Fault::Invalid(error) => of_error(&format!("rule {number} can't be used"), error),
            fault => {
                let remark = remark(format!("rule {number}: {fault}")).at(problem.position);
                if matches!(fault, Fault::Unreachable { .. }) {
                    remark.mild()
                } else {
                    remark
                }
            }
        }
    };
    policy.check().into_iter().map(of_fault).collect()
}

/// Recipients that can't be parsed; empty ones are among the faults.
fn recipients(policy: &Policy) -> Vec<Remark> {
    let rules = policy
        .rules()
        .iter()
        .filter(|rule| !rule.recipients().any(str::is_empty));
    let bad = rules.filter_map(|rule| Terms::of_rule(rule).err().map(|error| (rule, error)));
    bad.map(|(rule, error)| {
        let text = error.to_string();
        let text = text.strip_prefix(".sops.yaml: ").unwrap_or(&text).to_owned();
        remark(format!("rule {}: {text}", rule.index + 1)).at(rule.position)
    })
    .collect()
}

fn unknown(policy: &Policy) -> Vec<Remark> {
    let of_key = |unknown: &crate::policy::UnknownKey| {
        let meant = unknown
            .suggestion
            .map(|known| format!(", did you mean `{known}`"))
            .unwrap_or_default();
        remark(format!("SOPS does not know the key {:?}{meant}", unknown.key))
            .at(unknown.position)
            .mild()
    };
    policy.unknown_keys().iter().map(of_key).collect()
}

fn settings(charter: &Charter) -> Vec<Remark> {
    let settings = match charter.settings() {
        Err(error) => return vec![of_error(".git-seal.yaml can't be read", error)],
        Ok(settings) => settings,
    };
    let mut remarks = Vec::new();
    for (id, level) in &settings.checks {
        if !IDS.contains(&id.as_str()) {
            remarks.push(remark(format!("there is no check {id}")));
        } else if id == STEADY && *level != crate::policy::Level::Error {
            remarks.push(remark(format!("{id} can't be turned off or made a warning")));
        }
    }
    remarks
}

/// A remark whose message tells it from others of the same file.
fn remark(message: String) -> Remark {
    Remark::new(message.clone()).marked(message)
}

/// A remark for an error whose text may begin with its place.
fn of_error(what: &str, error: &Error) -> Remark {
    let text = error.to_string();
    let (position, reason) = located(&text);
    remark(format!("{what}: {reason}")).at(position)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use std::sync::Arc;

    use super::*;
    use crate::guard::finding::Severity;
    use crate::guard::law::Law;
    use crate::guard::testing::Scene;

    /// Line, severity and message of what is said about a policy.
    fn said(policy: &str) -> Vec<(usize, Severity, String)> {
        let scene = Scene::default().then(policy);
        let findings = scene.findings(".sops.yaml", policy.as_bytes());
        assert!(findings.iter().all(|finding| finding.check == "GS403"));
        findings
            .into_iter()
            .map(|f| (f.place.position.map_or(0, |p| p.line), f.severity, f.message))
            .collect()
    }

    #[test]
    fn what_sops_would_pass_over_in_silence_is_refused() {
        let secret = "AGE-PLUGIN-ANY-1SLS2HY0S23JUXVMXN55K";
        let cases: [(String, usize, &str); 8] = [
            ("a: [".into(), 1, ".sops.yaml can't be read: not valid YAML"),
            (
                "creation_rules: {}".into(),
                1,
                "can't be read: creation_rules must be a list",
            ),
            (
                "creation_rules:\n - path_regex: (\n   age: KEY".into(),
                2,
                "rule 1 can't be used: path_regex: invalid",
            ),
            (
                "creation_rules:\n - encrypted_regex: '['\n   age: KEY".into(),
                2,
                "encrypted_regex: invalid",
            ),
            ("creation_rules:\n - path_regex: a".into(), 2, "there is no key"),
            ("creation_rules:\n - age: ['']".into(), 2, "a recipient is empty"),
            (
                "creation_rules:\n - age: nobody".into(),
                2,
                "unknown recipient type `nobody`",
            ),
            (
                format!("creation_rules:\n - age: {secret}"),
                2,
                "a secret key stands where a recipient belongs",
            ),
        ];
        for (policy, line, words) in &cases {
            let said = said(policy);
            assert_eq!(said.len(), 1, "{policy}: {said:?}");
            assert_eq!((said[0].0, said[0].1), (*line, Severity::Error), "{policy}");
            assert!(
                said[0].2.contains(words) && !said[0].2.contains(secret),
                "{}",
                said[0].2
            );
        }
    }

    #[test]
    fn what_is_only_odd_is_a_warning() {
        let said = said("creation_rules:\n - age: KEY\n - age: KEY\n   path-regex: a\n");
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said.iter().all(|(_, severity, _)| *severity == Severity::Warning));
        assert!(said[0].2.contains("no path comes to this rule") && said[1].2.contains("did you mean `path_regex`"));
    }

    #[test]
    fn a_rule_for_everything_is_noted_not_refused() {
        let scene = Scene::ruled("");
        let outcome = scene.look(".sops.yaml", crate::guard::subject::Content::Bytes(b"x"));
        assert_eq!(outcome.findings, []);
        assert_eq!(
            outcome.notes,
            ["the rule in line 2 of .sops.yaml matches .sops.yaml itself, which is never sealed"]
        );
    }

    #[test]
    fn settings_that_have_no_effect_are_refused() {
        for (text, words) in [
            ("checks: {GS999: off}", "there is no check GS999"),
            ("checks: {GS403: off}", "GS403 can't be turned off"),
            ("check: {}", ".git-seal.yaml can't be read: unknown key"),
            ("checks: {GS201: off, GS403: error}", ""),
        ] {
            let own = Arc::new(Charter::read(None, Some(text.as_bytes())));
            let scene = Scene {
                law: Law::new(own, vec![]),
                ..Scene::default()
            };
            let findings = scene.findings(".git-seal.yaml", text.as_bytes());
            assert_eq!(findings.len(), usize::from(!words.is_empty()), "{text}");
            assert!(
                findings.iter().all(|finding| finding.message.contains(words)),
                "{findings:?}"
            );
        }
    }
}
