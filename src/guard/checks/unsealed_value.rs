//! A sealed file holds a value or comment in the clear that its own settings or the rule seal.
//!
//! # What it finds
//! In a sealed file: a value or a comment that is not encrypted, though the selection that is stored in the file encrypts it, or
//! the selection of the rule for its path does. The second happens when a file was sealed under a weaker rule, or by hand.
//!
//! # Why
//! Someone added a key without sealing it, or took a value out of its envelope. The file still looks sealed at a glance.
//!
//! # How to mend
//! `git seal updatekeys PATH` and `git add PATH` seal it anew by the rule. To leave a
//! value readable on purpose, name it in the rule's selection (`unencrypted_regex`, `unencrypted_suffix`).

use super::leaf_place::{is_comment, key_path};
use super::mending;
use crate::document::{Document, Format};
use crate::guard::check::{Check, Needs};
use crate::guard::finding::Remark;
use crate::guard::findings::Findings;
use crate::guard::subject::Subject;
use crate::guard::words::count;
use crate::sops::{Sealed, SelectionSettings};
use crate::text::Position;

/// Findings in one file; the rest are only counted.
const SHOWN: usize = 10;

/// GS102.
#[derive(Debug)]
pub struct UnsealedValue;

impl Check for UnsealedValue {
    fn id(&self) -> &'static str {
        "GS102"
    }

    fn name(&self) -> &'static str {
        "unsealed-value"
    }

    fn source(&self) -> &'static str {
        include_str!("unsealed_value.rs")
    }

    fn needs(&self) -> Needs {
        Needs::Policy
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        let Some(sealed) = subject.sealed() else { return };
        let own = by_file(subject.format(), sealed);
        let ruled = by_rule(subject, sealed);
        let weaker: Vec<Position> = ruled.into_iter().filter(|place| !own.contains(place)).collect();
        let all = own.iter().map(|place| (place, "the file's own settings seal it"));
        let all = all.chain(
            weaker
                .iter()
                .map(|place| (place, "the rule for this path seals it, and the file does not")),
        );
        let total = own.len() + weaker.len();
        for (index, (place, why)) in all.take(SHOWN).enumerate() {
            let path = key_path(&sealed.document, *place);
            let mut message = format!(
                "{} is in the clear, though {why}",
                what(&sealed.document, *place, &path)
            );
            if index + 1 == SHOWN && total > SHOWN {
                message = format!("{message}, and {} like it", count(total - SHOWN, "further place"));
            }
            findings.add(
                subject,
                Remark::new(message)
                    .at(*place)
                    .marked(path)
                    .help(mending::seal_anew(subject)),
            );
        }
    }
}

fn what(document: &Document<'_>, place: Position, path: &str) -> String {
    match (is_comment(document, place), path.is_empty()) {
        (true, true) => "a comment".to_owned(),
        (true, false) => format!("a comment in `{path}`"),
        (false, true) => "a value".to_owned(),
        (false, false) => format!("the value of `{path}`"),
    }
}

/// What stands in the clear against the file's own settings.
fn by_file(format: Format, sealed: &Sealed<'_>) -> Vec<Position> {
    let settings = &sealed.metadata.selection;
    // A binary file has one value, `data`, which a selection made for other files may miss.
    let whole = SelectionSettings::default();
    let settings = if format == Format::Binary || sealed.metadata.draft {
        &whole
    } else {
        settings
    };
    settings
        .resolve()
        .map(|selection| sealed.clear_leaves(&selection))
        .unwrap_or_default()
}

/// What stands in the clear against the rule.
fn by_rule(subject: &Subject<'_>, sealed: &Sealed<'_>) -> Vec<Position> {
    let selection = subject.provision().and_then(|provision| provision.selection.as_ref());
    match selection {
        Some(selection) if subject.format() != Format::Binary && !sealed.metadata.draft => {
            sealed.clear_leaves(selection)
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;
    use crate::guard::testing::Scene;

    /// `sealed` with the envelope of `key` exchanged.
    fn opened(sealed: &[u8], key: &str, value: &str) -> Vec<u8> {
        let text = String::from_utf8(sealed.to_vec()).unwrap();
        let (before, rest) = text.split_once(&format!("\"{key}\": ")).unwrap();
        let end = rest.find("]\"").unwrap() + 2;
        format!("{before}\"{key}\": {value}{}", &rest[end..]).into_bytes()
    }

    #[test]
    fn a_value_taken_out_of_its_envelope_is_refused() {
        let mut scene = Scene::ruled("^s/");
        scene.keyring = crate::crypt::Keyring::new(vec![]);
        let sealed = scene.seal("s/a.json", br#"{"a": "x", "m": {"b": "y", "c": ["z"]}}"#);
        let partly = opened(&opened(&sealed, "a", "\"open\""), "b", "7");
        for path in ["s/a.json", "elsewhere/a.json"] {
            let findings = scene.findings(path, &partly);
            let told: Vec<_> = findings
                .iter()
                .map(|finding| (finding.check, finding.message.as_str()))
                .collect();
            let why = "is in the clear, though the file's own settings seal it";
            let expected = [format!("the value of `a` {why}"), format!("the value of `m.b` {why}")];
            assert_eq!(
                told,
                [("GS102", expected[0].as_str()), ("GS102", &expected[1])],
                "{path}"
            );
            assert_eq!(findings[0].place.position, Some(Position { line: 1, column: 7 }));
            assert!(!format!("{findings:?}").contains("open\""), "no value is shown");
        }
        scene.told("s/a.json", &opened(&sealed, "a", "null"), &[]);
        scene.told("s/a.json", &opened(&sealed, "a", "\"\""), &[]);
    }

    #[test]
    fn a_weaker_selection_than_the_rules_is_refused() {
        let narrow = Scene::with(|key| format!("creation_rules: [{{age: {key}, encrypted_regex: ^pass}}]"));
        let sealed = narrow.seal("s/a.json", br#"{"pass": "x", "user": "y"}"#);
        narrow.told("s/a.json", &sealed, &[]);
        let scene = narrow.then("creation_rules: [{age: KEY, encrypted_regex: ^(pass|user)}]");
        let findings = scene.findings("s/a.json", &sealed);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].message.starts_with("the value of `user`") && findings[0].message.contains("the rule"));
        // A rule that seals less than the file is no leak.
        let wide = Scene::ruled("").then("creation_rules: [{age: KEY, encrypted_regex: ^user}]");
        let sealed = Scene {
            law: Scene::ruled("").law,
            ..wide
        };
        assert!(
            sealed
                .findings("s/a.json", &sealed.seal("s/a.json", br#"{"user": "y"}"#))
                .iter()
                .all(|finding| finding.check != "GS102")
        );
    }

    #[test]
    fn a_comment_in_the_clear_is_refused() {
        let scene = Scene::ruled("^s/");
        let plain = "# first\na: x\nm: {b: y} # last\nl:\n  # inner\n  - z\n";
        let sealed = scene.seal("s/a.yaml", plain.as_bytes());
        scene.told("s/a.yaml", &sealed, &[]);
        let text = String::from_utf8(sealed).unwrap();
        let (start, end) = (text.find("#ENC[").unwrap(), text.find('\n').unwrap());
        let open = format!("{}# first{}", &text[..start], &text[end..]);
        let findings = scene.findings("s/a.yaml", open.as_bytes());
        assert_eq!(
            findings[0].message,
            "a comment is in the clear, though the file's own settings seal it"
        );
        assert_eq!((findings.len(), findings[0].check), (1, "GS102"));
    }

    #[test]
    fn many_values_are_counted() {
        let scene = Scene::ruled("^s/");
        let members: Vec<String> = (0..=SHOWN).map(|number| format!("\"k{number}\": \"v\"")).collect();
        let sealed = scene.seal("s/a.json", format!("{{{}}}", members.join(", ")).as_bytes());
        let open = (0..=SHOWN).fold(sealed, |sealed, number| opened(&sealed, &format!("k{number}"), "\"v\""));
        let findings: Vec<_> = scene
            .findings("s/a.json", &open)
            .into_iter()
            .filter(|f| f.check == "GS102")
            .collect();
        assert_eq!(findings.len(), SHOWN);
        let counting: Vec<_> = findings
            .iter()
            .filter(|finding| finding.message.ends_with("and 1 further place like it"))
            .collect();
        assert_eq!(counting.len(), 1, "{findings:?}");
    }
}
