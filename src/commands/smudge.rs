//! `smudge`: opens one file from stdin, for a Git that asks so. What can't be opened is handed on.

use std::io::Read;

use super::context::Context;
use super::remarks;
use crate::filter::Smudged;
use crate::ui::Failure;

/// Arguments of `smudge`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file's path, relative to the top of the work tree.
    pub path: std::path::PathBuf,
}

/// Opens stdin for `path`.
///
/// # Errors
/// When stdin or stdout fail.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let mut content = Vec::new();
    std::io::stdin()
        .read_to_end(&mut content)
        .map_err(|error| Failure::new(format!("stdin: {error}")))?;
    let path = super::paths::git_path(&args.path);

    let smudged = context.filter(&Ok(None)).smudge(&path, content, None);

    if let Smudged::Unchanged(_, Some(why)) = &smudged {
        remarks::tell_stayed(
            context.terminal,
            std::slice::from_ref(&path),
            *why,
            &context.found().keyring,
        );
    }
    context.memory().flush();
    super::files::put(context, &smudged.into_bytes())
}
