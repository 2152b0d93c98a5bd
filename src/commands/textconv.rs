//! `textconv`: a file as `git diff` shows it. Sealed files are opened, all others passed on; what can't be opened is shown sealed.

use super::context::Context;
use crate::ui::Failure;

/// Arguments of `textconv`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file that Git made for the comparison.
    pub file: std::path::PathBuf,
}

/// Prints a file for a comparison.
///
/// # Errors
/// When the file can't be read, or Git would store the plain text (`cachetextconv`).
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    refuse_cache(context)?;
    let content = std::fs::read(&args.file).map_err(|error| Failure::io(&args.file, &error))?;
    // The base name is the real one, the folder is not; the format needs no more.
    let path = super::paths::git_path(&args.file);

    let smudged = context.filter(&Ok(None)).smudge(&path, content, None);

    super::files::put(context, &smudged.into_bytes())
}

/// Git would keep what we print in the object database, in the clear.
fn refuse_cache(context: &Context) -> Result<(), Failure> {
    let Ok(repo) = context.repo() else { return Ok(()) };
    let key = ["config", "--type=bool", "--get", "diff.git-seal.cachetextconv"];
    match repo.git().exit(&key, b"")? {
        (Some(0), value, _) if value.starts_with(b"true") => Err(Failure::new(
            "diff.git-seal.cachetextconv is set: Git would store the plain text in refs/notes/textconv/git-seal",
        )
        .hint("run `git config --unset-all diff.git-seal.cachetextconv`")),
        _ => Ok(()),
    }
}
