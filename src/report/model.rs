//! In which form a report is given.

use std::fmt;

/// A report's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people: two or three lines a finding, and one that sums up.
    #[default]
    Human,
    /// For programs: one JSON object, with the version of its shape in it.
    Json,
}

impl Format {
    /// Every form.
    pub const ALL: [Self; 2] = [Self::Human, Self::Json];

    /// The form with this name, as `--format` takes it.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a text for people is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Text alone.
    #[default]
    Plain,
    /// With the escape sequences of a terminal.
    Coloured,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_found_by_their_names() {
        assert_eq!((Format::of_name("Human"), Format::of_name("")), (None, None));
        for format in Format::ALL {
            assert_eq!(Format::of_name(&format.to_string()), Some(format));
        }
    }
}
