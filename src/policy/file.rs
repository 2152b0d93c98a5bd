//! The text of a fresh `.sops.yaml`, for people to read on and for SOPS to read as well.

use std::fmt::Write as _;

/// A recipient and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRecipient {
    /// Whose key it is; becomes a comment. May be empty.
    pub name: String,
    /// The age or SSH public key.
    pub recipient: String,
}

const HEAD: &str = "\
# Which files are encrypted in Git, and who can read them.
# The first rule whose path_regex is found in a file's path (from this folder, with /) decides.
# git-seal and sops read this file alike. After a change of recipients, run: git seal updatekeys FILES
";

/// A `.sops.yaml` with one rule for each of `path_regexes`, all for the same recipients.
///
/// Without patterns there is one rule for every path; without recipients the rules have an empty list.
pub fn new_policy_text(recipients: &[NamedRecipient], path_regexes: &[&str]) -> String {
    let mut text = String::from(HEAD);
    text.push_str("creation_rules:\n");
    for pattern in path_regexes {
        let _ = writeln!(
            text,
            "  - path_regex: {}\n    age:{}",
            quoted(pattern),
            list(recipients)
        );
    }
    if path_regexes.is_empty() {
        let _ = writeln!(text, "  - age:{}", list(recipients));
    }
    text
}

/// A recipient a line, so that a change of one is a change of one line.
fn list(recipients: &[NamedRecipient]) -> String {
    if recipients.is_empty() {
        return " []".to_owned();
    }
    let mut text = String::new();
    for NamedRecipient { name, recipient } in recipients {
        let name = one_line(name);
        let comment = if name.is_empty() {
            String::new()
        } else {
            format!(" # {name}")
        };
        let _ = write!(text, "\n      - {}{comment}", scalar(recipient.trim()));
    }
    text
}

/// A recipient as it is, unless YAML would read something else.
fn scalar(text: &str) -> String {
    let plain = !text.is_empty()
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b" +/=.@_-".contains(&b));
    if plain { text.to_owned() } else { quoted(text) }
}

/// In single quotes, where a pattern's backslashes mean themselves; in double quotes where those can't hold it.
fn quoted(text: &str) -> String {
    if !text.chars().any(is_breaking) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if is_breaking(c) => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "\""
}

fn is_breaking(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}')
}

/// A name without what would end the comment.
fn one_line(name: &str) -> String {
    let spaced: String = name.chars().map(|c| if is_breaking(c) { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::reader::Source;
    use super::*;

    const KEY: &str = "age1q07uqh3w20ju2rk6c0aet99d7d84gkvk5pgwekllp7v9mwe5wupq0gzf5f";

    fn named(name: &str, recipient: &str) -> NamedRecipient {
        NamedRecipient {
            name: name.to_owned(),
            recipient: recipient.to_owned(),
        }
    }

    /// Patterns and recipients that a YAML reader finds in the text.
    fn read(text: &str) -> Vec<(Option<String>, Vec<String>)> {
        let source = Source::read(text.as_bytes()).unwrap().unwrap();
        let root = source.root().map().unwrap();
        let rules = root.get("creation_rules").unwrap().list().unwrap();
        rules
            .map(|rule| {
                let rule = rule.map().unwrap();
                let age = rule
                    .get("age")
                    .unwrap()
                    .list()
                    .unwrap()
                    .map(|item| item.text().unwrap())
                    .collect();
                (rule.text("path_regex").unwrap(), age)
            })
            .collect()
    }

    #[test]
    fn nothing_breaks_out_of_its_place() {
        let hostile = [
            named("a\n- evil # x\u{2028}\u{85}y", "ssh-ed25519 AAAA+/= me@host"),
            named("", "x: #\ny"),
        ];
        let patterns = ["it's", r"\.ya?ml$", "a\nb\t\"\\", "# x", "- x: y", "{a}", "\u{feff}é"];
        let rules = read(&new_policy_text(&hostile, &patterns));
        assert_eq!(rules.len(), patterns.len());
        for ((pattern, age), expected) in rules.iter().zip(patterns) {
            assert_eq!(pattern.as_deref(), Some(expected));
            assert_eq!(age, &["ssh-ed25519 AAAA+/= me@host", "x: #\ny"]);
        }
    }

    #[test]
    fn says_who_can_read_what() {
        let text = new_policy_text(&[named("alice", KEY), named("", KEY)], &[r"^secrets/"]);
        let expected =
            format!("creation_rules:\n  - path_regex: '^secrets/'\n    age:\n      - {KEY} # alice\n      - {KEY}\n");
        assert_eq!(text, HEAD.to_owned() + &expected);
        assert_eq!(
            read(&new_policy_text(&[named("a", KEY)], &[])),
            [(None, vec![KEY.to_owned()])]
        );
        assert_eq!(read(&new_policy_text(&[], &["x"])), [(Some("x".to_owned()), vec![])]);
    }
}
