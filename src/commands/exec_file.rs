//! `exec-file`: a command with the opened file in place of `{}`: through a pipe that gives it once, or in a private file.

use std::ffi::OsStr;
use std::path::{Component, Path};

use zeroize::Zeroizing;

use super::context::Context;
use super::decrypt::indents;
use super::exec::ExecArgs;
use super::in_out::format_of;
use crate::document::Format;
use crate::sops::convert::convert;
use crate::ui::Failure;
use crate::ui::private::PrivateFolder;

/// What stands below the options in the help.
const EXAMPLES: &str = "\
Examples:
  git seal exec-file secrets.json 'deploy --values {}'
  git seal exec-file --no-fifo --filename id_ed25519 key.sealed 'ssh -i {} host'

The pipe can be read once and from its beginning only; --no-fifo is for commands that need more. The exit status is the \
command's.";

/// Arguments of `exec-file`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    exec: ExecArgs,
    /// Use a file that only you can read, removed afterwards, in place of a pipe
    #[arg(long)]
    no_fifo: bool,
    /// What the pipe or file is called
    #[arg(long, value_name = "NAME", default_value = "tmp-file")]
    filename: String,
    /// Write as yaml, json, dotenv, ini or binary, whatever the file's name
    #[arg(long, value_name = "TYPE", value_parser = format_of)]
    output_type: Option<Format>,
}

/// Runs the command.
///
/// # Errors
/// With SOPS's exit codes; the command was not started then.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let plain_name = matches!(
        Path::new(&args.filename).components().collect::<Vec<_>>().as_slice(),
        [Component::Normal(_)]
    );
    if !plain_name {
        let failure = Failure::new(format!("{:?} is no name of a file in a folder", args.filename));
        return Err(failure.code(1).hint("give --filename without a path"));
    }
    let plain = args.exec.plain(context)?;
    let (from, to) = (
        args.exec.format(),
        args.output_type.unwrap_or_else(|| args.exec.format()),
    );
    let content: Zeroizing<Vec<u8>> = if from == to {
        plain
    } else {
        convert(&plain, from, to, &indents(None, to, None))
            .map_err(|error| Failure::from(error).at(args.exec.file.display()))?
    };

    let folder = PrivateFolder::make()?;
    let name = OsStr::new(&args.filename);
    let path = if args.no_fifo || args.exec.background {
        folder.put(name, &content)?
    } else {
        folder.put_pipe(name, content)?
    };
    if let Some(owner) = args.exec.owner()? {
        folder.give_to(owner, &path)?;
    }
    let line = args.exec.command.replace("{}", &path.display().to_string());
    let mut command = args.exec.shell(&line)?;
    folder.while_busy(|| args.exec.run(&mut command))
}
