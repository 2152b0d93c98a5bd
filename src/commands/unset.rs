//! `unset`: one value of a file taken away, without an editor and without plain text on disk.

use super::change::{Change, ChangeArgs};
use super::context::Context;
use super::in_out::NO_FILE;
use crate::ui::Failure;

/// What stands below the options in the help.
const EXAMPLES: &str = "\
Examples:
  git seal unset a.yaml '[\"db\"][\"password\"]'         take an entry away
  git seal unset a.yaml '[\"hosts\"][0]'               take the first element away
  git seal unset --idempotent a.yaml '[\"old\"]'       if it is there

Everything else stays as it is, comments too. What is empty then is left as {} or [].";

/// Arguments of `unset`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "git-seal unset [OPTIONS] <FILE> <PATH>")]
pub struct Args {
    #[command(flatten)]
    change: ChangeArgs,
    /// Leave a file alone that has no such value
    #[arg(long)]
    idempotent: bool,
    #[arg(hide = true)]
    surplus: Vec<String>,
}

/// Takes a value away.
///
/// # Errors
/// With SOPS's exit codes; the file is as it was then.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    if !args.surplus.is_empty() {
        return Err(Failure::new("a file and a path are needed").code(NO_FILE));
    }
    let change = if args.idempotent {
        Change::UnsetIfThere
    } else {
        Change::Unset
    };
    args.change.target()?.apply(context, &change)
}
