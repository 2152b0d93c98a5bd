//! The optional `.git-seal.yaml`: our own settings. Strict, since a misspelt setting must not pass for the default.

use std::collections::BTreeMap;

use super::error::Error;
use super::reader::{Map, Source};
use super::suggest::did_you_mean;

/// What a check's findings mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The check is left out.
    Off,
    /// Findings are told.
    Warning,
    /// Findings block.
    Error,
}

/// Our own settings; what is not given is `None` or absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Largest file in bytes that is sealed or looked through.
    pub max_file_size: Option<u64>,
    /// Levels by id of a check (`GS101`). Whether there is such a check is for `guard` to say.
    pub checks: BTreeMap<String, Level>,
}

impl Settings {
    /// Reads the bytes of a `.git-seal.yaml`.
    ///
    /// # Errors
    /// Any but [`Error::PathRegex`] and [`Error::Selection`].
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        let mut settings = Self::default();
        let Some(source) = Source::read(text)? else {
            return Ok(settings);
        };
        let root = source.root().map()?;
        only(&root, &["limits", "checks"])?;
        if let Some(limits) = root.get("limits") {
            let limits = limits.map()?;
            only(&limits, &["max_file_size"])?;
            if let Some(size) = limits.get("max_file_size") {
                settings.max_file_size = match u64::try_from(size.integer()?) {
                    Ok(bytes) if bytes > 0 => Some(bytes),
                    _ => return size.wrong("a number of bytes above 0"),
                };
            }
        }
        let Some(checks) = root.get("checks") else {
            return Ok(settings);
        };
        let checks = checks.map()?;
        for (id, position) in checks.keys() {
            if !is_check_id(id) {
                return Err(Error::UnknownKey {
                    position,
                    key: id.to_owned(),
                    suggestion: None,
                });
            }
            let Some(node) = checks.get(id) else { continue };
            let level = match node.text()?.as_str() {
                "off" => Level::Off,
                "warning" => Level::Warning,
                "error" => Level::Error,
                _ => return node.wrong("off, warning or error"),
            };
            settings.checks.insert(id.to_owned(), level);
        }
        Ok(settings)
    }
}

fn is_check_id(id: &str) -> bool {
    id.strip_prefix("GS")
        .is_some_and(|number| number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()))
}

fn only(map: &Map<'_>, known: &[&'static str]) -> Result<(), Error> {
    match map.keys().find(|(key, _)| !known.contains(key)) {
        None => Ok(()),
        Some((key, position)) => Err(Error::UnknownKey {
            position,
            key: key.to_owned(),
            suggestion: did_you_mean(key, known),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn refuses_what_it_does_not_know() {
        let cases = [
            ("limit: {}", r#"1:1: unknown key "limit", did you mean "limits""#),
            (
                "limits:\n  max-file-size: 1",
                r#"2:3: unknown key "max-file-size", did you mean "max_file_size""#,
            ),
            ("checks: {GS1: off}", r#"1:10: unknown key "GS1""#),
            ("checks:\n  GS101: no", "2:10: GS101 must be off, warning or error"),
            ("checks: [GS101]", "1:9: checks must be a map"),
            (
                "limits: {max_file_size: 0}",
                "1:25: max_file_size must be a number of bytes above 0",
            ),
            (
                "limits: {max_file_size: -5}",
                "1:25: max_file_size must be a number of bytes above 0",
            ),
            (
                "limits: {max_file_size: 1 MB}",
                "1:25: max_file_size must be a whole number",
            ),
            ("- limits", "1:1: the document must be a map"),
            (
                "checks: {GS101: off, GS101: error}",
                r#"1:22: key "GS101" is given twice"#,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(
                Settings::parse(text.as_bytes()).unwrap_err().to_string(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn reads_what_is_given() {
        assert_eq!(Settings::parse(b"# nothing\n").unwrap(), Settings::default());
        assert_eq!(Settings::parse(b"checks:\nlimits:\n").unwrap(), Settings::default());
        let text = b"limits:\n  max_file_size: 1048576\nchecks:\n  GS101: off\n  GS203: 'warning'\n  GS301: error\n";
        let settings = Settings::parse(text).unwrap();
        assert_eq!(settings.max_file_size, Some(1_048_576));
        let levels: Vec<_> = settings
            .checks
            .iter()
            .map(|(id, level)| (id.as_str(), *level))
            .collect();
        assert_eq!(
            levels,
            [
                ("GS101", Level::Off),
                ("GS203", Level::Warning),
                ("GS301", Level::Error)
            ]
        );
    }
}
