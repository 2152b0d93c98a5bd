//! `clean`: seals one file from stdin, for a Git that asks so.

use std::io::Read;

use super::context::Context;
use super::remarks;
use crate::ui::Failure;

/// Arguments of `clean`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file's path, relative to the top of the work tree.
    pub path: std::path::PathBuf,
}

/// Seals stdin for `path`.
///
/// # Errors
/// When nothing says for whom to seal.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let mut content = Vec::new();
    std::io::stdin()
        .read_to_end(&mut content)
        .map_err(|error| Failure::new(format!("stdin: {error}")))?;
    let policy = context.work_tree_policy();
    let path = super::paths::git_path(&args.path);

    let cleaned = context.filter(&policy).clean(&path, content);
    let cleaned = cleaned.map_err(|error| Failure::from(error).at(args.path.display()))?;

    if let Some(note) = &cleaned.note {
        remarks::tell(context.terminal, &path, note);
    }
    context.memory().flush();
    super::files::put(context, &cleaned.bytes)
}
