//! `lock`: the work tree sealed, without touching the index.

use super::checkout::{self, Tracked};
use super::context::Context;
use crate::ui::Failure;

/// Arguments of `lock`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Writes the sealed form of every opened file.
///
/// # Errors
/// When files have changes that are not staged.
pub fn run(_: &Args, context: &Context) -> Result<u8, Failure> {
    let files = checkout::tracked(context.repo()?)?;
    seal_all(context, &files)?;
    Ok(0)
}

/// Seals the files, all or none.
///
/// # Errors
/// When files have changes that are not staged; nothing is changed then.
pub fn seal_all(context: &Context, files: &[Tracked]) -> Result<(), Failure> {
    let outcome = checkout::seal(context, files)?;
    if let Some(first) = outcome.edited.first() {
        let others = outcome.edited.len() - 1;
        let more = if others == 0 {
            String::new()
        } else {
            format!(" and {} more", super::paths::count(others, "file"))
        };
        let name = String::from_utf8_lossy(first);
        return Err(Failure::new(format!(
            "{name}{more}: changed since it was staged, so it can't be sealed back"
        ))
        .hint("stage or stash the changes first; nothing was changed"));
    }
    if outcome.done > 0 {
        context.terminal.say(&format!(
            "{} sealed in the work tree",
            super::paths::count(outcome.done, "file")
        ));
    }
    Ok(())
}
