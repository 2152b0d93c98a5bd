//! `explain`: the page of a check.

use super::context::Context;
use crate::guard::{CHECKS, register};
use crate::ui::Failure;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The check's id or name, as GS101 or unsealed-file. All checks are listed when absent.
    #[arg(value_name = "ID")]
    pub check: Option<String>,
}

/// Prints a page, or the list of all.
///
/// # Errors
/// When there is no such check.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let text = match &args.check {
        None => CHECKS
            .iter()
            .map(|check| format!("{}  {}\n", check.id(), check.name()))
            .collect(),
        Some(word) => register::find(word)
            .ok_or_else(|| {
                Failure::new(format!("there is no check `{word}`")).hint("`git seal explain` lists all checks")
            })?
            .explain(),
    };
    super::files::put(context, text.as_bytes())
}
