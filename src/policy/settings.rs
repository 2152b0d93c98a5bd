//! The optional `.git-seal.yaml`: our own settings. Strict, since a misspelt setting must not pass for the default.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};

use super::error::Error;
use super::reader::{Map, Node, Source};
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
    /// What is permitted by path.
    pub allow: Vec<Allowance>,
}

/// Paths where one check's findings are permitted.
#[derive(Debug, Clone)]
pub struct Allowance {
    /// The check's id.
    pub check: String,
    /// Which paths, as a glob over the whole path from the top: `*` stays within a folder, `**` does not.
    paths: GlobMatcher,
    /// Why; nothing is permitted without a reason.
    pub reason: String,
}

impl PartialEq for Allowance {
    fn eq(&self, other: &Self) -> bool {
        self.check == other.check && self.paths.glob() == other.paths.glob() && self.reason == other.reason
    }
}

impl Eq for Allowance {}

impl Allowance {
    fn read(node: &Node<'_>) -> Result<Self, Error> {
        let map = node.map()?;
        only(&map, &["check", "path", "reason"])?;
        let text = |key, what| match map.text(key)? {
            Some(text) if !text.trim().is_empty() => Ok(text),
            _ => node.wrong(what),
        };
        let check = text("check", "a map with check, path and reason")?;
        if !is_check_id(&check) {
            return node.wrong("a map whose check is an id such as GS201");
        }
        let glob = text("path", "a map with check, path and reason")?;
        let Ok(glob) = GlobBuilder::new(&glob).literal_separator(true).build() else {
            return node.wrong("a map whose path is a glob");
        };
        let reason = text("reason", "a map with check, path and reason")?;
        Ok(Self {
            check,
            paths: glob.compile_matcher(),
            reason,
        })
    }
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
        only(&root, &["limits", "checks", "allow"])?;
        if let Some(allow) = root.get("allow") {
            settings.allow = allow
                .list()?
                .map(|node| Allowance::read(&node))
                .collect::<Result<_, _>>()?;
        }
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

impl Settings {
    /// Whether findings of a check are permitted at this path.
    #[must_use]
    pub fn allows(&self, check: &str, path: &[u8]) -> bool {
        let path = String::from_utf8_lossy(path);
        let mut found = self.allow.iter().filter(|allowance| allowance.check == check);
        found.any(|allowance| allowance.paths.is_match(path.as_ref()))
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
    fn a_path_is_permitted_for_one_check_with_a_reason() {
        let text = "allow:\n  - {check: GS201, path: 'tests/*/k?y.txt', reason: test keys}\n  - check: GS101\n    path: docs/**\n    reason: examples\n";
        let settings = Settings::parse(text.as_bytes()).unwrap();
        for (check, path, expected) in [
            ("GS201", "tests/a/key.txt", true),
            ("GS201", "tests/a/b/key.txt", false),
            ("GS201", "x/tests/a/key.txt", false),
            ("GS101", "tests/a/key.txt", false),
            ("GS101", "docs/a/b", true),
        ] {
            assert_eq!(settings.allows(check, path.as_bytes()), expected, "{check} {path}");
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let cases = [
            (
                "allow: [{check: GS201, path: x}]",
                "1:9: allow must be a map with check, path and reason",
            ),
            (
                "allow: [{check: GS2, path: x, reason: y}]",
                "1:9: allow must be a map whose check is an id such as GS201",
            ),
            (
                "allow: [{check: GS201, path: 'a[', reason: y}]",
                "1:9: allow must be a map whose path is a glob",
            ),
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
