//! Where a verdict of ours differs from SOPS's on purpose, and why.

use super::Mutant;
use git_seal::document::Format;

/// One reason for which verdicts may differ.
pub struct Deviation {
    /// What it is, with the issue of getsops/sops where there is one.
    pub reason: &'static str,
    /// Whether it is that.
    applies: fn(&Mutant<'_>) -> bool,
}

impl Deviation {
    /// Whether a difference has this reason.
    pub fn fits(&self, mutant: &Mutant<'_>) -> bool {
        (self.applies)(mutant)
    }
}

/// First what we refuse and SOPS takes, then the other way round.
pub const DEVIATIONS: [Deviation; 10] = [
    Deviation {
        reason: "JSON that goes on behind its object: SOPS loses what follows",
        applies: |mutant| {
            let text = mutant.text();
            let mut values = serde_json::Deserializer::from_str(&text).into_iter::<serde::de::IgnoredAny>();
            let whole = values.next().is_some_and(|value| value.is_ok());
            is_json(mutant)
                && we_say(mutant, "not valid json")
                && whole
                && !text[values.byte_offset()..].trim().is_empty()
        },
    },
    Deviation {
        reason: "a selection that is no regular expression: to SOPS it never matches",
        applies: |mutant| we_say(mutant, "_regex: invalid regular expression"),
    },
    Deviation {
        reason: "bytes that are not UTF-8: SOPS exchanges them in JSON, and hands them on in dotenv and INI",
        applies: |mutant| {
            mutant.format != Format::Yaml
                && we_say(mutant, "not valid UTF-8")
                && std::str::from_utf8(mutant.bytes).is_err()
        },
    },
    Deviation {
        reason: "INI: a value that a later one of the same name overrides must be in order too; SOPS does not see it",
        applies: |mutant| {
            let line = mutant
                .ours
                .as_ref()
                .err()
                .and_then(|error| error.split_once(':')?.0.parse::<usize>().ok());
            let text = mutant.text();
            let key = |line: &str| line.split(['=', ':']).next().unwrap_or_default().trim().to_owned();
            let lines: Vec<String> = text.lines().map(key).collect();
            let at = line.filter(|&line| line > 0 && line < lines.len());
            mutant.format == Format::Ini && at.is_some_and(|at| lines[at..].contains(&lines[at - 1]))
        },
    },
    Deviation {
        reason: "dotenv, INI: a list's index that is no number; SOPS drops the entry",
        applies: |mutant| we_say(mutant, "a list index is no number"),
    },
    Deviation {
        reason: "CR within a line of armor: Go's base64 passes over it",
        applies: |mutant| {
            let text = mutant.text().replace("\\r", "\r").replace("\\n", "\n");
            let within = |line: &str| line.trim_end_matches('\r').contains('\r') && !line.contains("ENC[");
            we_say(mutant, "wrapped key") && text.split('\n').any(within)
        },
    },
    Deviation {
        reason: "a threshold below zero, or one that is no whole number",
        applies: |mutant| {
            we_say(mutant, "`shamir_threshold` is not a number")
                && mutant.text().lines().any(|line| {
                    line.split_once("shamir_threshold")
                        .is_some_and(|(_, value)| value.contains(['-', '.']))
                })
        },
    },
    Deviation {
        reason: "dotenv: CR at the end of metadata, as Git and editors put it there (#779, #1157)",
        applies: |mutant| {
            let reads = [
                "extra text",
                "invalid syntax",
                "Invalid character(s) found in",
                "illegal base64",
                "invalid closing line",
                "invalid first line",
            ];
            mutant.format == Format::Dotenv
                && reads.iter().any(|words| sops_says(mutant, words))
                && has_cr(&mutant.text())
        },
    },
    Deviation {
        reason: "YAML: `lastmodified` without quotes, which SOPS read up to 3.12",
        applies: |mutant| {
            mutant.format == Format::Yaml
                && sops_says(
                    mutant,
                    "'lastmodified' expected type 'string', got unconvertible type 'time.Time'",
                )
        },
    },
    Deviation {
        reason: "dotenv, INI: a threshold as `2.000000`, which SOPS wrote before 3.11",
        applies: |mutant| {
            sops_says(mutant, "'shamir_threshold' cannot parse value as 'int'") && mutant.text().contains("2.0")
        },
    },
];

fn is_json(mutant: &Mutant<'_>) -> bool {
    matches!(mutant.format, Format::Json | Format::Binary)
}

/// Whether only we refuse, with these words.
fn we_say(mutant: &Mutant<'_>, words: &str) -> bool {
    mutant.theirs.is_ok() && mutant.ours.as_ref().is_err_and(|error| error.contains(words))
}

/// Whether only SOPS refuses, with these words.
fn sops_says(mutant: &Mutant<'_>, words: &str) -> bool {
    mutant.ours.is_ok() && mutant.theirs.as_ref().is_err_and(|error| error.contains(words))
}

/// Whether a line of dotenv metadata ends in CR.
fn has_cr(text: &str) -> bool {
    text.split('\n')
        .any(|line| line.starts_with("sops_") && line.ends_with('\r'))
}
