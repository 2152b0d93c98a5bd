//! `filestatus`: tells whether a file is sealed, without a key, as JSON for scripts.

use std::path::PathBuf;

use super::context::Context;
use super::files;
use super::in_out::format_of;
use super::paths::git_path;
use crate::document::Format;
use crate::sops::{self, Sealed};
use crate::ui::Failure;

/// Arguments of `filestatus`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  git seal filestatus secrets.yaml    prints {\"encrypted\":true} or {\"encrypted\":false}"
)]
pub struct Args {
    /// The file
    pub file: PathBuf,
    /// Read as yaml, json, dotenv, ini or binary, whatever the file's name
    #[arg(long, value_name = "TYPE", value_parser = format_of)]
    pub input_type: Option<Format>,
}

/// Prints the state of a file.
///
/// # Errors
/// When the file is not there, or can't be understood.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let content = files::read(Some(&args.file)).map_err(|failure| failure.code(1))?;
    let format = args
        .input_type
        .unwrap_or_else(|| Format::of_path(&git_path(&args.file)));

    let encrypted =
        is_encrypted(format, &content).map_err(|error| Failure::from(error).code(1).at(args.file.display()))?;

    files::put(context, format!("{{\"encrypted\":{encrypted}}}\n").as_bytes())
}

/// Whether the metadata are there, with version and MAC.
fn is_encrypted(format: Format, content: &[u8]) -> Result<bool, sops::Error> {
    match Sealed::parse(format, content) {
        Ok(sealed) => Ok(!sealed.metadata.version.is_empty() && !sealed.metadata.mac.is_empty()),
        Err(sops::Error::NotSealed) => Ok(false),
        // Any bytes are a plain binary file.
        Err(sops::Error::Document(_) | sops::Error::NotUtf8) if format == Format::Binary => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    #[test]
    fn metadata_with_version_and_mac_make_a_sealed_file() {
        let block = |more: &str| {
            let age = r#""age":[{"recipient":"a","enc":"b"}],"lastmodified":"2026-01-02T03:04:05Z""#;
            format!("{{\"sops\":{{{age}{more}}}}}")
        };
        for text in ["{", "{\"sops\":1}", "{\"sops\":{}}", "[]"] {
            assert!(is_encrypted(Format::Json, text.as_bytes()).is_err(), "{text}");
        }
        assert!(is_encrypted(Format::Json, b"\xff").is_err());
        for bytes in [&b"\xff"[..], b"text", b"", b"{}"] {
            assert!(!is_encrypted(Format::Binary, bytes).unwrap());
        }
        for (more, expected) in [
            ("", false),
            (r#","version":"3.13.2""#, false),
            (r#","mac":"x""#, false),
            (r#","mac":"x","version":"3.13.2""#, true),
        ] {
            assert_eq!(
                is_encrypted(Format::Json, block(more).as_bytes()).unwrap(),
                expected,
                "{more}"
            );
        }
    }
}
