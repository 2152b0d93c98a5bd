//! The argument tree, dispatch and exit code. `git seal VERB` and `git-seal VERB` are the same.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::commands::{self, Context};
use crate::ui::{Failure, Terminal, file_limit};

/// Keeps the secrets of a repository sealed in Git and readable in the checkout.
#[derive(Debug, Parser)]
#[command(
    name = "git-seal",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Set up a repository: key, policy, attributes, installation
    Init(commands::init::Args),
    /// Set up this clone: hooks, drivers, files opened
    Install(commands::install::Args),
    /// Take hooks and drivers away and seal the work tree back
    Uninstall(commands::uninstall::Args),
    /// Show how every sealed path stands
    Status(commands::status::Args),
    /// Explain a broken set-up and how to mend it
    Doctor(commands::doctor::Args),
    /// Check that nothing unsealed is in Git: for CI, hooks and people
    Verify(commands::verify::Args),
    /// Print the page of a check
    Explain(commands::explain::Args),
    /// Seal a file
    #[command(visible_alias = "seal")]
    Encrypt(commands::encrypt::Args),
    /// Open a file
    Decrypt(commands::decrypt::Args),
    /// Change a sealed file in an editor
    Edit(commands::edit::Args),
    /// Set one value of a sealed file
    Set(commands::set::Args),
    /// Take one value out of a sealed file
    Unset(commands::unset::Args),
    /// Bring sealed files in line with their rule: recipients, groups, selection
    Updatekeys(commands::updatekeys::Args),
    /// Make a key
    Keygen(commands::keygen::Args),
    /// Tell whether a file is sealed
    Filestatus(commands::filestatus::Args),
    /// Print a completion script for a shell
    Completions(commands::completions::Args),
    /// Seal the files of the work tree
    Lock(commands::lock::Args),
    /// Open the files of the work tree
    Unlock(commands::unlock::Args),
    /// Seal one file for Git
    #[command(hide = true)]
    Clean(commands::clean::Args),
    /// Open one file for Git
    #[command(hide = true)]
    Smudge(commands::smudge::Args),
    /// Serve Git's long-running filter protocol
    #[command(hide = true)]
    FilterProcess(commands::filter_process::Args),
    /// Print a file for `git diff`
    #[command(hide = true)]
    Textconv(commands::textconv::Args),
    /// Merge a sealed file for Git
    #[command(hide = true)]
    MergeDriver(commands::merge_driver::Args),
    /// Run one of Git's hooks
    #[command(hide = true)]
    Hook(commands::hook::Args),
}

/// Runs the program with its arguments, its own name first.
#[must_use]
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // Nobody is left to tell that the stream is gone.
            error.print().ok();
            return ExitCode::from(code);
        }
    };
    file_limit::survive();
    let context = Context::default();
    match dispatch(&cli.verb, &context) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            tell(context.terminal, &failure);
            ExitCode::from(failure.code)
        }
    }
}

fn dispatch(verb: &Verb, context: &Context) -> Result<u8, Failure> {
    match verb {
        Verb::Clean(args) => commands::clean::run(args, context),
        Verb::Completions(args) => commands::completions::run(args, &mut Cli::command(), context),
        Verb::Decrypt(args) => commands::decrypt::run(args, context),
        Verb::Doctor(args) => commands::doctor::run(args, context),
        Verb::Edit(args) => commands::edit::run(args, context),
        Verb::Encrypt(args) => commands::encrypt::run(args, context),
        Verb::Explain(args) => commands::explain::run(args, context),
        Verb::Filestatus(args) => commands::filestatus::run(args, context),
        Verb::FilterProcess(args) => commands::filter_process::run(args, context),
        Verb::Hook(args) => commands::hook::run(args, context),
        Verb::Init(args) => commands::init::run(args, context),
        Verb::Install(args) => commands::install::run(args, context),
        Verb::Keygen(args) => commands::keygen::run(args, context),
        Verb::Lock(args) => commands::lock::run(args, context),
        Verb::MergeDriver(args) => commands::merge_driver::run(args, context),
        Verb::Set(args) => commands::set::run(args, context),
        Verb::Smudge(args) => commands::smudge::run(args, context),
        Verb::Status(args) => commands::status::run(args, context),
        Verb::Textconv(args) => commands::textconv::run(args, context),
        Verb::Uninstall(args) => commands::uninstall::run(args, context),
        Verb::Unlock(args) => commands::unlock::run(args, context),
        Verb::Unset(args) => commands::unset::run(args, context),
        Verb::Updatekeys(args) => commands::updatekeys::run(args, context),
        Verb::Verify(args) => commands::verify::run(args, context),
    }
}

fn tell(terminal: Terminal, failure: &Failure) {
    terminal.error(&failure.message);
    failure.hints.iter().for_each(|hint| terminal.hint(hint));
}
