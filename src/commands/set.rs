//! `set`: one value of a file set, without an editor and without plain text on disk.

use std::path::Path;

use zeroize::Zeroizing;

use super::change::{Change, ChangeArgs};
use super::context::Context;
use super::files;
use super::in_out::NO_FILE;
use crate::document::{Document, json};
use crate::ui::Failure;

/// The exit code of SOPS for a value that is none.
const BAD_VALUE: u8 = 7;

/// What stands below the options in the help.
const EXAMPLES: &str = "\
Examples:
  git seal set a.yaml '[\"db\"][\"port\"]' 5432               set a number
  git seal set a.yaml '[\"db\"][\"password\"]' '\"hunter2\"'   set a text: JSON wants the inner quotes
  git seal set a.yaml '[\"hosts\"][9]' '\"c.example\"'       append to a shorter list
  pwgen -1 | jq -R . | git seal set --value-stdin a.yaml '[\"token\"]'

What is missing on the way is made. Everything else stays as it is, byte for byte. \
An argument can be seen by others on the machine; --value-stdin and --value-file keep a secret from them.";

/// Arguments of `set`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "git-seal set [OPTIONS] <FILE> <PATH> [VALUE]")]
pub struct Args {
    #[command(flatten)]
    change: ChangeArgs,
    /// The value, as JSON
    #[arg(allow_negative_numbers = true)]
    value: Option<String>,
    /// Take VALUE as the name of a file that holds the value
    #[arg(long)]
    value_file: bool,
    /// Read the value from stdin
    #[arg(long)]
    value_stdin: bool,
    /// Leave a file alone that has the value already; git-seal does so anyway
    #[arg(long)]
    idempotent: bool,
    #[arg(hide = true)]
    surplus: Vec<String>,
}

/// Sets a value.
///
/// # Errors
/// With SOPS's exit codes; the file is as it was then.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    if args.value_file && args.value_stdin {
        return Err(Failure::new("--value-file and --value-stdin contradict each other").code(1));
    }
    if !args.surplus.is_empty() || args.value.is_some() == args.value_stdin {
        let wanted = if args.value_stdin {
            "a file and a path"
        } else {
            "a file, a path and a value"
        };
        return Err(Failure::new(format!("{wanted} are needed")).code(NO_FILE));
    }
    let target = args.change.target()?;
    let text = args.text()?;
    let value = value(&text)?;
    target.apply(context, &Change::Set(&value))
}

impl Args {
    /// The JSON text of the value.
    fn text(&self) -> Result<Zeroizing<String>, Failure> {
        let source = match &self.value {
            Some(value) if !self.value_file => return Ok(Zeroizing::new(value.clone())),
            Some(name) => Some(Path::new(name)),
            None => None,
        };
        let mut bytes = files::read(source)?;
        String::from_utf8(std::mem::take(&mut *bytes))
            .map(Zeroizing::new)
            .map_err(|error| {
                // The bytes may be a secret, so they are wiped.
                drop(Zeroizing::new(error.into_bytes()));
                Failure::new("the value is not UTF-8").code(BAD_VALUE)
            })
    }
}

fn value(text: &str) -> Result<Document<'_>, Failure> {
    let bad = |error: &crate::document::Error| {
        let failure = Failure::new(error.to_string()).at("the value").code(BAD_VALUE);
        failure.hint(r#"a text is JSON in its own quotes, such as '"text"'"#)
    };
    let value = json::parse_value(text).map_err(|error| bad(&error))?;
    match value.flaws.first() {
        Some(flaw) => Err(bad(flaw)),
        None => Ok(value),
    }
}
