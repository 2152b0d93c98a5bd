//! The formats that SOPS stores are made for, found by the end of a path as SOPS does.

use std::fmt;

/// A store's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// YAML, one or more documents.
    Yaml,
    /// JSON with an object as root.
    Json,
    /// `KEY=VALUE` lines.
    Dotenv,
    /// Sections of `key = value` lines.
    Ini,
    /// Any bytes.
    Binary,
}

impl Format {
    /// The format for a path: its end decides, in lower case only (SOPS, `cmd/sops/formats`).
    #[must_use]
    pub fn of_path(path: &[u8]) -> Self {
        let ends = |end: &str| path.ends_with(end.as_bytes());
        if ends(".yaml") || ends(".yml") {
            Self::Yaml
        } else if ends(".json") {
            Self::Json
        } else if ends(".env") {
            Self::Dotenv
        } else if ends(".ini") {
            Self::Ini
        } else {
            Self::Binary
        }
    }

    /// The format with this name, as `--input-type` takes it.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Yaml, Self::Json, Self::Dotenv, Self::Ini, Self::Binary]
            .into_iter()
            .find(|format| format.name() == name)
    }

    /// The name of this format.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Dotenv => "dotenv",
            Self::Ini => "ini",
            Self::Binary => "binary",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_path_decides() {
        #[track_caller]
        fn case(path: &str, expected: Format) {
            assert_eq!(Format::of_path(path.as_bytes()), expected, "{path}");
        }
        case("a.yaml", Format::Yaml);
        case("dir/a.yml", Format::Yaml);
        case("a.YAML", Format::Binary);
        case("a.yaml.enc", Format::Binary);
        case("a.json", Format::Json);
        case(".env", Format::Dotenv);
        case("x.env.local", Format::Binary);
        case("x.ini", Format::Ini);
        case("", Format::Binary);
    }
}
