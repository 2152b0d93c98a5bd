//! The argument tree, dispatch and exit code. `git seal VERB` and `git-seal VERB` are the same.

mod sops;
mod sops_options;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use self::sops::Manner;
use crate::commands::helper::{self, Attendance};
use crate::commands::{self, Context};
use crate::ui::{Failure, file_limit};

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
    /// Give sealed files a new data key, with all values sealed anew
    Rotate(commands::rotate::Args),
    /// Add a key group to a sealed file, or delete one
    Groups(commands::groups::Args),
    /// Run a command with the values of a sealed file as its variables
    ExecEnv(commands::exec_env::Args),
    /// Run a command with the opened file in place of `{}`
    ExecFile(commands::exec_file::Args),
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

impl Verb {
    /// How a command stands to plugins and passphrases. Only what a person runs for the sake of single files asks.
    const fn attendance(&self) -> Attendance {
        match self {
            Self::Decrypt(_)
            | Self::Edit(_)
            | Self::Encrypt(_)
            | Self::ExecEnv(_)
            | Self::ExecFile(_)
            | Self::Groups(_)
            | Self::Rotate(_)
            | Self::Set(_)
            | Self::Unset(_)
            | Self::Updatekeys(_) => Attendance::Asking,
            Self::Clean(_) | Self::Smudge(_) | Self::FilterProcess(_) | Self::Textconv(_) | Self::MergeDriver(_) => {
                Attendance::Filter
            }
            // These do by the filter what they do.
            Self::Init(_) | Self::Install(_) | Self::Uninstall(_) | Self::Lock(_) | Self::Unlock(_) => {
                Attendance::Filter
            }
            _ => Attendance::Looking,
        }
    }
}

/// Runs the program with its arguments, its own name first.
#[must_use]
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let line: Vec<OsString> = arguments.collect();
    let manner = line.first().map_or(Manner::GitSeal, |program| Manner::of(program));
    let mut context = Context::default();
    let done = match parse(line, manner, &context) {
        Ok(Parsed::Verb(verb)) => {
            file_limit::survive();
            context.attendance = verb.attendance();
            helper::serve(context.terminal, context.attendance);
            dispatch(&verb, &context)
        }
        Ok(Parsed::Answered(code)) => Ok(code),
        Err(failure) => Err(failure),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            context.terminal.failure(&failure);
            ExitCode::from(failure.code)
        }
    }
}

/// What a command line comes to.
enum Parsed {
    Verb(Box<Verb>),
    /// Help, a version or a usage error was printed; the exit code.
    Answered(u8),
}

fn parse(line: Vec<OsString>, manner: Manner, context: &Context) -> Result<Parsed, Failure> {
    if manner == Manner::Sops && sops::asks_version(&line) {
        return commands::files::put(context, sops::version().as_bytes()).map(Parsed::Answered);
    }
    // The tree costs time to build, and our own command lines begin with a verb.
    let is_verb = line.get(1).is_none_or(|word| !word.to_string_lossy().starts_with('-'));
    let translated = if manner == Manner::GitSeal && is_verb {
        sops::Translated::as_it_is(line)
    } else {
        sops::translate(line, manner, &Cli::command())?
    };
    translated
        .warnings
        .iter()
        .for_each(|warning| context.terminal.warn(warning));
    match Cli::try_parse_from(translated.line) {
        Ok(cli) => Ok(Parsed::Verb(Box::new(cli.verb))),
        Err(error) => {
            // Nobody is left to tell that the stream is gone.
            error.print().ok();
            let usage = if manner == Manner::Sops { 1 } else { 2 };
            Ok(Parsed::Answered(if error.use_stderr() { usage } else { 0 }))
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
        Verb::ExecEnv(args) => commands::exec_env::run(args, context),
        Verb::ExecFile(args) => commands::exec_file::run(args, context),
        Verb::Explain(args) => commands::explain::run(args, context),
        Verb::Filestatus(args) => commands::filestatus::run(args, context),
        Verb::FilterProcess(args) => commands::filter_process::run(args, context),
        Verb::Groups(args) => commands::groups::run(args, context),
        Verb::Hook(args) => commands::hook::run(args, context),
        Verb::Init(args) => commands::init::run(args, context),
        Verb::Install(args) => commands::install::run(args, context),
        Verb::Keygen(args) => commands::keygen::run(args, context),
        Verb::Lock(args) => commands::lock::run(args, context),
        Verb::MergeDriver(args) => commands::merge_driver::run(args, context),
        Verb::Rotate(args) => commands::rotate::run(args, context),
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
