//! The report for people: what, where, the way out; then one line that sums up.

use std::fmt::Write as _;

use super::model::Style;
use super::shown;
use crate::guard::words::count;
use crate::guard::{Finding, Outcome, Scope, Severity, Unjudged};

/// Digits of a commit's name.
const COMMIT: usize = 10;
/// Things that could not be judged, of one kind; the rest are only counted.
const UNJUDGED: usize = 10;

/// Renders the whole report.
pub(super) fn render(outcome: &Outcome, style: Style) -> String {
    let mut text = String::new();
    for finding in &outcome.findings {
        one(&mut text, finding, style);
    }
    for unjudged in outcome.unjudged.iter().take(UNJUDGED) {
        let _ = writeln!(
            text,
            "{} {}",
            paint("not judged:", Paint::Yellow, style),
            place_and_reason(unjudged)
        );
    }
    if let Some(more) = outcome.unjudged.len().checked_sub(UNJUDGED).filter(|&more| more > 0) {
        let _ = writeln!(text, "{} {more} more", paint("not judged:", Paint::Yellow, style));
    }
    for note in &outcome.notes {
        let _ = writeln!(text, "note: {note}");
    }
    let _ = writeln!(text, "{}", summary(outcome));
    text
}

/// One finding in two lines and one for each step of help.
fn one(text: &mut String, finding: &Finding, style: Style) {
    let (colour, word) = match finding.severity {
        Severity::Error => (Paint::Red, ""),
        Severity::Warning => (Paint::Yellow, " (warning)"),
    };
    let head = paint(&format!("{} {}{word}", finding.check, finding.name), colour, style);
    let _ = writeln!(text, "{head}: {}", finding.message);
    let mut place = shown::path(&finding.place.path);
    if let Some(position) = finding.place.position {
        let _ = write!(place, ":{position}");
    }
    if let Some(commit) = finding.place.commit {
        let _ = write!(place, " in commit {}", short(&commit.to_string()));
    }
    let excerpt = finding
        .excerpt
        .as_ref()
        .map(|excerpt| format!("   {excerpt}"))
        .unwrap_or_default();
    let _ = writeln!(text, "  {} {place}{excerpt}", paint("-->", Paint::Blue, style));
    for (index, line) in finding.help.iter().enumerate() {
        let word = if index == 0 {
            paint("help:", Paint::Blue, style)
        } else {
            "     ".to_owned()
        };
        let _ = writeln!(text, "  {word} {line}");
    }
}

fn place_and_reason(unjudged: &Unjudged) -> String {
    let path = unjudged
        .path
        .as_ref()
        .map(|path| format!("{}: ", shown::path(path)))
        .unwrap_or_default();
    let commit = unjudged
        .commit
        .map(|commit| format!(" (commit {})", short(&commit.to_string())))
        .unwrap_or_default();
    format!("{path}{}{commit}", unjudged.reason)
}

/// The line that stands alone when nothing is wrong.
fn summary(outcome: &Outcome) -> String {
    let seen = format!(
        "{} looked at, {} of them sealed",
        count(outcome.files, "file"),
        outcome.sealed
    );
    let scope = match outcome.scope {
        Scope::Index => "in the index".to_owned(),
        Scope::Tree => "in the commit".to_owned(),
        Scope::WorkTree => "in the work tree".to_owned(),
        Scope::Commits(commits) => format!("in {}", count(commits, "commit")),
    };
    let mut parts = vec![count(outcome.count(Severity::Error), "finding")];
    for (number, words) in [
        (outcome.count(Severity::Warning), "warning"),
        (outcome.unjudged.len(), "place"),
    ] {
        if number > 0 {
            let judged = if words == "place" { " not judged" } else { "" };
            parts.push(format!("{}{judged}", count(number, words)));
        }
    }
    format!("{} {scope}: {seen}", parts.join(", "))
}

fn short(oid: &str) -> &str {
    oid.get(..COMMIT).unwrap_or(oid)
}

#[derive(Clone, Copy)]
enum Paint {
    Red,
    Yellow,
    Blue,
}

fn paint(text: &str, paint: Paint, style: Style) -> String {
    let code = match (style, paint) {
        (Style::Plain, _) => return text.to_owned(),
        (Style::Coloured, Paint::Red) => "1;31",
        (Style::Coloured, Paint::Yellow) => "1;33",
        (Style::Coloured, Paint::Blue) => "34",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

#[cfg(test)]
mod tests {
    use super::super::testing::outcome;
    use super::*;

    #[test]
    fn a_report_in_full() {
        let expected = r#"GS101 unsealed-file: this file is in the clear
  --> secrets/prod.yaml
  help: git seal fix
GS402 filter-without-rule (warning): no rule is for it
  --> "a\n\377":12:10 in commit ababababab   masked…
  help: one
        two
not judged: .env: can't be read
not judged: the history is cut off (commit ababababab)
note: the MAC of 1 sealed file was not checked
1 finding, 1 warning, 2 places not judged in 3 commits: 4 files looked at, 1 of them sealed
"#;
        assert_eq!(render(&outcome(), Style::Plain), expected);
        let coloured = render(&outcome(), Style::Coloured);
        assert!(
            coloured.contains("\u{1b}[1;31mGS101 unsealed-file\u{1b}[0m: this file"),
            "{coloured}"
        );
        let mut bare = coloured.replace("\u{1b}[0m", "");
        for code in ["1;31", "1;33", "34"] {
            bare = bare.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(bare, expected);
    }

    #[test]
    fn nothing_found_is_one_line() {
        for (scope, words) in [
            (Scope::Index, "in the index"),
            (Scope::Tree, "in the commit"),
            (Scope::WorkTree, "in the work tree"),
        ] {
            let outcome = Outcome {
                scope,
                findings: vec![],
                unjudged: vec![],
                notes: vec![],
                ..outcome()
            };
            let expected = format!("0 findings {words}: 4 files looked at, 1 of them sealed\n");
            assert_eq!(render(&outcome, Style::Plain), expected);
        }
    }

    #[test]
    fn what_was_not_judged_is_counted_beyond_ten() {
        let unjudged = Unjudged {
            path: None,
            commit: None,
            reason: "gone".to_owned(),
        };
        let outcome = Outcome {
            findings: vec![],
            unjudged: vec![unjudged; UNJUDGED + 2],
            ..outcome()
        };
        let text = render(&outcome, Style::Plain);
        assert_eq!(text.matches("not judged: gone\n").count(), UNJUDGED);
        assert!(text.contains("not judged: 2 more\n"), "{text}");
    }
}
