//! The report for programs: one JSON object. Fields are only ever added while `version` stays the same.

use serde_json::{Map, Value, json};

use crate::guard::{Finding, Outcome, Scope, Severity, Unjudged};

/// The version of the shape.
const VERSION: u32 = 1;

/// Renders the whole report.
pub(super) fn render(outcome: &Outcome) -> String {
    let (scope, commits) = match outcome.scope {
        Scope::Index => ("index", None),
        Scope::Tree => ("tree", None),
        Scope::WorkTree => ("worktree", None),
        Scope::Commits(commits) => ("commits", Some(commits)),
    };
    let report = json!({
        "version": VERSION,
        "findings": outcome.findings.iter().map(finding).collect::<Vec<_>>(),
        "unjudged": outcome.unjudged.iter().map(unjudged).collect::<Vec<_>>(),
        "notes": outcome.notes,
        "summary": {
            "scope": scope,
            "commits": commits,
            "files": outcome.files,
            "sealed": outcome.sealed,
            "errors": outcome.count(Severity::Error),
            "warnings": outcome.count(Severity::Warning),
            "unjudged": outcome.unjudged.len(),
            "exit_code": outcome.exit_code(),
        },
    });
    format!("{report:#}\n")
}

fn finding(finding: &Finding) -> Value {
    let mut object = Map::new();
    object.insert("check".to_owned(), finding.check.into());
    object.insert("name".to_owned(), finding.name.into());
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    object.insert("severity".to_owned(), severity.into());
    path(&mut object, Some(&finding.place.path));
    object.insert(
        "line".to_owned(),
        finding.place.position.map(|position| position.line).into(),
    );
    object.insert(
        "column".to_owned(),
        finding.place.position.map(|position| position.column).into(),
    );
    object.insert(
        "commit".to_owned(),
        finding.place.commit.map(|commit| commit.to_string()).into(),
    );
    object.insert("message".to_owned(), finding.message.as_str().into());
    object.insert("excerpt".to_owned(), finding.excerpt.as_deref().into());
    object.insert("help".to_owned(), finding.help.clone().into());
    object.insert("fingerprint".to_owned(), finding.fingerprint.as_str().into());
    Value::Object(object)
}

fn unjudged(unjudged: &Unjudged) -> Value {
    let mut object = Map::new();
    path(&mut object, unjudged.path.as_deref());
    object.insert(
        "commit".to_owned(),
        unjudged.commit.map(|commit| commit.to_string()).into(),
    );
    object.insert("reason".to_owned(), unjudged.reason.as_str().into());
    Value::Object(object)
}

/// The path as text. JSON has no bytes, so a path that is no UTF-8 comes in hexadecimal as well.
fn path(object: &mut Map<String, Value>, bytes: Option<&[u8]>) {
    object.insert("path".to_owned(), bytes.map(String::from_utf8_lossy).into());
    if let Some(bytes) = bytes.filter(|bytes| std::str::from_utf8(bytes).is_err()) {
        let hex = bytes
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        object.insert("path_hex".to_owned(), hex.into());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::super::testing::outcome;
    use super::*;

    #[test]
    fn every_field_is_there() {
        let commit = "ab".repeat(20);
        let report: Value = serde_json::from_str(&render(&outcome())).unwrap();
        let expected = json!({
            "version": 1,
            "findings": [
                {
                    "check": "GS101", "name": "unsealed-file", "severity": "error", "path": "secrets/prod.yaml",
                    "line": null, "column": null, "commit": null, "message": "this file is in the clear",
                    "excerpt": null, "help": ["git seal fix"], "fingerprint": "0123",
                },
                {
                    "check": "GS402", "name": "filter-without-rule", "severity": "warning", "path": "a\n\u{fffd}",
                    "path_hex": "610aff", "line": 12, "column": 10, "commit": commit, "message": "no rule is for it",
                    "excerpt": "masked…", "help": ["one", "two"], "fingerprint": "4567",
                },
            ],
            "unjudged": [
                { "path": ".env", "commit": null, "reason": "can't be read" },
                { "path": null, "commit": commit, "reason": "the history is cut off" },
            ],
            "notes": ["the MAC of 1 sealed file was not checked"],
            "summary": {
                "scope": "commits", "commits": 3, "files": 4, "sealed": 1, "errors": 1, "warnings": 1, "unjudged": 2,
                "exit_code": 1,
            },
        });
        assert_eq!(report, expected);
    }

    #[test]
    fn scopes_are_named() {
        for (scope, name) in [
            (Scope::Index, "index"),
            (Scope::Tree, "tree"),
            (Scope::WorkTree, "worktree"),
        ] {
            let report: Value = serde_json::from_str(&render(&Outcome { scope, ..outcome() })).unwrap();
            assert_eq!(
                (&report["summary"]["scope"], &report["summary"]["commits"]),
                (&json!(name), &Value::Null)
            );
        }
    }
}
