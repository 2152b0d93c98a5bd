//! Where a command reads a file from and where its result goes (format, sections 1.1 and 9.1).

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::context::Context;
use super::files::{self, Access};
use super::paths::git_path;
use crate::document::Format;
use crate::ui::Failure;

/// The exit code of SOPS for options that contradict each other.
pub const CONFLICT: u8 = 8;
/// The exit code of SOPS for a file that is not there.
pub const NO_FILE: u8 = 100;

/// The options that `encrypt` and `decrypt` share.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct InOut {
    /// The file; stdin when absent or `-`
    pub file: Option<PathBuf>,
    /// Write the result back to the file
    #[arg(short, long)]
    pub in_place: bool,
    /// Write the result to this file
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Read as yaml, json, dotenv, ini or binary, whatever the file's name
    #[arg(long, value_name = "TYPE", value_parser = format_of)]
    pub input_type: Option<Format>,
    /// Write as yaml, json, dotenv, ini or binary, whatever the file's name
    #[arg(long, value_name = "TYPE", value_parser = format_of)]
    pub output_type: Option<Format>,
    /// Indent by so many blanks a level, where the result is in another format
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(..=100))]
    pub indent: Option<u8>,
    /// Take the format and the rule of this path instead of the file's own
    #[arg(long, value_name = "PATH")]
    pub filename_override: Option<PathBuf>,
}

/// The format that an option names. SOPS passes over an unknown word; then a file is taken as what it is not.
///
/// # Errors
/// For a word that is no format's name.
pub fn format_of(word: &str) -> Result<Format, String> {
    Format::of_name(word).ok_or_else(|| "it is none of yaml, json, dotenv, ini, binary".to_owned())
}

impl InOut {
    /// Refuses what contradicts itself, before anything is read.
    ///
    /// # Errors
    /// `--in-place` with another output or without a file.
    pub fn check(&self) -> Result<(), Failure> {
        if self.in_place && self.output.is_some() {
            return Err(Failure::new("--in-place and --output contradict each other").code(CONFLICT));
        }
        if self.in_place && self.file().is_none() {
            return Err(Failure::new("--in-place needs a file, stdin has no place").code(CONFLICT));
        }
        Ok(())
    }

    /// The file; none for stdin.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref().filter(|file| *file != Path::new("-"))
    }

    /// The path that decides about format and rule; none for stdin without an override.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.filename_override.as_deref().or_else(|| self.file())
    }

    /// The input as messages call it.
    #[must_use]
    pub fn name(&self) -> String {
        self.file()
            .map_or_else(|| "stdin".to_owned(), |file| file.display().to_string())
    }

    /// The format to read.
    #[must_use]
    pub fn input_format(&self) -> Format {
        self.input_type.unwrap_or_else(|| self.format_of_path())
    }

    /// The format to write. Like SOPS's it follows the path, not `--input-type`.
    #[must_use]
    pub fn output_format(&self) -> Format {
        self.output_type.unwrap_or_else(|| self.format_of_path())
    }

    /// The input.
    ///
    /// # Errors
    /// What the system says; [`NO_FILE`] for a file that is not there.
    pub fn read(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if let Some(file) = self.file().filter(|_| self.in_place) {
            files::expect_regular(file)?;
        }
        files::read(self.file()).map_err(|failure| match self.file() {
            Some(file) if !file.exists() => failure.code(NO_FILE),
            _ => failure,
        })
    }

    /// Writes the result where it belongs; the exit code 0. `access` is for a file that was not there.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, context: &Context, bytes: &[u8], access: Access) -> Result<u8, Failure> {
        let target = if self.in_place {
            self.file()
        } else {
            self.output.as_deref()
        };
        match target {
            Some(path) => files::write(path, bytes, access).map(|()| 0),
            None => files::put(context, bytes),
        }
    }

    fn format_of_path(&self) -> Format {
        self.path()
            .map_or(Format::Binary, |path| Format::of_path(&git_path(path)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    #[test]
    fn contradictions_are_refused() {
        let file = || Some(PathBuf::from("a.yaml"));
        let both = InOut {
            file: file(),
            in_place: true,
            output: file(),
            ..InOut::default()
        };
        let stdin = InOut {
            file: Some("-".into()),
            in_place: true,
            ..InOut::default()
        };
        for options in [both, stdin] {
            assert_eq!(options.check().unwrap_err().code, CONFLICT);
        }
        assert!(
            InOut {
                file: file(),
                in_place: true,
                ..InOut::default()
            }
            .check()
            .is_ok()
        );
    }

    #[test]
    fn path_and_types_decide_the_formats() {
        #[track_caller]
        fn case(file: &str, other: Option<&str>, types: [Option<&str>; 2], expected: [Format; 2]) {
            let [input_type, output_type] = types.map(|word| word.map(|word| format_of(word).unwrap()));
            let filename_override = other.map(PathBuf::from);
            let file = Some(PathBuf::from(file));
            let options = InOut {
                file,
                input_type,
                output_type,
                filename_override,
                ..InOut::default()
            };
            assert_eq!([options.input_format(), options.output_format()], expected);
        }
        case("a.yaml", None, [None, None], [Format::Yaml, Format::Yaml]);
        case("a.yaml", None, [Some("json"), None], [Format::Json, Format::Yaml]);
        case(
            "a.yaml",
            Some("x/b.json"),
            [None, Some("yaml")],
            [Format::Json, Format::Yaml],
        );
        case("-", None, [None, None], [Format::Binary, Format::Binary]);
        case("-", Some("b.env"), [None, None], [Format::Dotenv, Format::Dotenv]);
        assert!(format_of("yml").is_err());
    }
}
