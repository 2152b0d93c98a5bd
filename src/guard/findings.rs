//! The findings of a look in the making: remarks of checks become findings, redacted on the way.

use std::collections::{BTreeSet, HashMap};

use super::finding::{Finding, Place, Remark, Severity, fingerprint};
use super::outcome::{Outcome, Scope, Unjudged};
use super::redact::{harmless, masked};
use super::subject::Subject;
use super::words::count;
use crate::git::Oid;

/// A check as its findings name it, and what they mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speaker {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) severity: Severity,
}

impl Default for Speaker {
    fn default() -> Self {
        Self {
            id: "",
            name: "",
            severity: Severity::Error,
        }
    }
}

/// The findings of a look in the making.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    unjudged: BTreeSet<Unjudged>,
    notes: BTreeSet<String>,
    files: usize,
    sealed: usize,
    /// Sealed files whose MAC was not checked.
    unopened: usize,
    /// Files above the size that is looked through.
    too_large: usize,
    /// Whose turn it is to speak.
    speaker: Speaker,
    /// How often each fingerprint came up in the present subject.
    marks: HashMap<String, usize>,
}

impl Findings {
    /// A subject begins.
    pub(super) fn begin(&mut self, subject: &Subject<'_>) {
        self.marks.clear();
        self.files += usize::from(subject.bytes().is_some());
        self.sealed += usize::from(subject.sealed().is_some());
    }

    /// It is this check's turn.
    pub(super) fn turn(&mut self, speaker: Speaker) {
        self.speaker = speaker;
    }

    /// Adds what the check whose turn it is has to say about `subject`.
    pub fn add(&mut self, subject: &Subject<'_>, remark: Remark) {
        let Speaker { id, name, severity } = self.speaker;
        let path = masked(subject.path()).into_owned();
        let first = fingerprint(&[id.as_bytes(), &path, masked(remark.mark.as_bytes()).as_ref()]);
        let times = self.marks.entry(first.clone()).or_default();
        *times += 1;
        // The second of two that nothing tells apart is known by being the second.
        let fingerprint = if *times == 1 {
            first
        } else {
            fingerprint(&[first.as_bytes(), times.to_string().as_bytes()])
        };
        self.list.push(Finding {
            check: id,
            name,
            severity: if remark.mild { Severity::Warning } else { severity },
            place: Place {
                path,
                position: remark.position,
                commit: subject.commit(),
            },
            message: harmless(&remark.message),
            excerpt: remark.excerpt.as_deref().map(harmless),
            help: remark.help.into_iter().map(|line| harmless(&line)).collect(),
            fingerprint,
        });
    }

    /// Notes that a subject could not be judged.
    pub fn cannot_judge(&mut self, path: Option<&[u8]>, commit: Option<Oid>, reason: &str) {
        let path = path.map(|path| masked(path).into_owned());
        self.unjudged.insert(Unjudged {
            path,
            commit,
            reason: harmless(reason),
        });
    }

    /// Notes something that a person should know.
    pub fn note(&mut self, text: &str) {
        self.notes.insert(harmless(text));
    }

    /// Notes a sealed file that no identity at hand opens.
    pub fn unopened(&mut self) {
        self.unopened += 1;
    }

    /// Notes a file that is above the size that is looked through, and that no rule seals.
    pub(super) fn too_large(&mut self) {
        self.too_large += 1;
    }

    /// The outcome, in order.
    #[must_use]
    pub fn finish(mut self, scope: Scope) -> Outcome {
        let mut notes: Vec<String> = Vec::new();
        if self.unopened > 0 {
            let files = count(self.unopened, "sealed file");
            notes.push(format!(
                "the MAC of {files} was not checked: no identity at hand opens them"
            ));
        }
        if self.too_large > 0 {
            let files = count(self.too_large, "file");
            notes.push(format!(
                "{files} above the size limit were not searched for private keys"
            ));
        }
        notes.extend(self.notes);
        self.list.sort_by_cached_key(|finding| {
            let place = &finding.place;
            (
                place.path.clone(),
                place.position,
                finding.check,
                place.commit,
                finding.message.clone(),
            )
        });
        // One path may have been looked at twice: for its content and for its attributes.
        self.list.dedup();
        let unjudged = self.unjudged.into_iter().collect();
        Outcome {
            scope,
            findings: self.list,
            unjudged,
            notes,
            files: self.files,
            sealed: self.sealed,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;
    use crate::crypt::{ExposeSecret as _, Identity};
    use crate::guard::testing::Scene;
    use crate::text::Position;

    #[test]
    fn a_secret_in_any_part_is_masked() {
        let key = Identity::generate().secret_text();
        let key = key.expose_secret();
        let scene = Scene::default();
        let path = format!("keys/{key}");
        let mut findings = Findings::default();
        let remark = Remark::new(key).showing(key).help([key]).marked(key);
        findings.add(&scene.subject(path.as_bytes(), b""), remark);
        findings.cannot_judge(Some(path.as_bytes()), None, key);
        findings.note(key);
        let outcome = findings.finish(Scope::Index);
        let other = fingerprint(&[b"", b"keys/AGE-SECRET-KEY-\xe2\x80\xa6", "AGE-SECRET-KEY-…".as_bytes()]);
        assert_eq!(outcome.findings[0].fingerprint, other);
        let shown = format!(
            "{outcome:?}{}",
            String::from_utf8_lossy(&outcome.findings[0].place.path)
        );
        assert!(!shown.contains(key));
        let listed = outcome.unjudged[0].path.clone().unwrap();
        assert!(!String::from_utf8(listed).unwrap().contains(key));
    }

    #[test]
    fn fingerprints_stay_when_lines_move_and_differ_otherwise() {
        let scene = Scene::default();
        let told = |path: &[u8], marks: &[(&str, usize)]| -> Vec<String> {
            let mut findings = Findings::default();
            for (mark, line) in marks {
                let remark = Remark::new("m").marked(*mark).at(Position { line: *line, column: 1 });
                findings.add(&scene.subject(path, b""), remark);
            }
            findings
                .finish(Scope::Index)
                .findings
                .into_iter()
                .map(|finding| finding.fingerprint)
                .collect()
        };
        let first = told(b"a", &[("x", 1), ("x", 2), ("y", 3)]);
        assert_eq!(first, told(b"a", &[("x", 7), ("x", 8), ("y", 9)]));
        let all: BTreeSet<_> = first.into_iter().chain(told(b"b", &[("x", 1)])).collect();
        assert_eq!(all.len(), 4);
        assert!(all.iter().all(|text| text.len() == 32));
    }
}
