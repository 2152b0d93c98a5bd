//! `completions`: what a shell needs to complete our command line.

use clap_complete::Shell;

use super::context::Context;
use crate::ui::Failure;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  git-seal completions bash > ~/.local/share/bash-completion/completions/git-seal")]
pub struct Args {
    /// The shell.
    pub shell: Shell,
}

/// Prints the script for a shell.
///
/// # Errors
/// When stdout can't be written.
pub fn run(args: &Args, command: &mut clap::Command, context: &Context) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "git-seal", &mut script);
    super::files::put(context, &script)
}
