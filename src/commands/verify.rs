//! `verify`: what is in Git held against the policy. The same checks as in the hooks, for CI and people.

use super::context::Context;
use crate::git::{Oid, Repo};
use crate::guard::{Outcome, gather, history};
use crate::report::{self, Format, Style};
use crate::ui::Failure;

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 nothing found, 1 something found, 2 something could not be judged.\n\n\
                        Examples:\n  git seal verify                    the files of HEAD\n  \
                        git seal verify origin/main..HEAD  every commit of a branch\n  \
                        git seal verify --history          every commit of every ref\n  \
                        git seal verify --format json      for programs"
)]
pub struct Args {
    /// A commit (its files), or a range A..B (each commit of it). HEAD when absent.
    #[arg(value_name = "COMMIT|RANGE", conflicts_with_all = ["staged", "worktree", "history"])]
    pub revision: Option<String>,
    /// What is staged, as the pre-commit hook sees it.
    #[arg(long, conflicts_with_all = ["worktree", "history"])]
    pub staged: bool,
    /// The files of the work tree as they would be stored.
    #[arg(long, conflicts_with = "history")]
    pub worktree: bool,
    /// Every commit that any ref reaches.
    #[arg(long)]
    pub history: bool,
    /// The form of the report: human or json.
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = format)]
    pub format: Format,
}

fn format(name: &str) -> Result<Format, String> {
    Format::of_name(name).ok_or_else(|| "it is human or json".to_owned())
}

/// Judges what is asked for.
///
/// # Errors
/// When there is no repository, or Git can't be asked.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let outcome = judge(args, context)?;

    let style = if context.terminal.stdout_coloured() {
        Style::Coloured
    } else {
        Style::Plain
    };
    let text = report::render(&outcome, args.format, style);
    let told = context.terminal.out(text.as_bytes());
    told.map_err(|error| Failure::new(format!("stdout: {error}")))?;
    if args.format == Format::Human {
        super::hook::hint_at_the_top(context, &outcome);
    }
    Ok(outcome.exit_code())
}

fn judge(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let repo = context.repo()?;
    let keyring = &context.found().keyring;
    let outcome = if args.staged {
        gather::staged(repo, keyring)
    } else if args.worktree {
        gather::work_tree(repo, keyring)
    } else if args.history {
        history::history(repo, keyring)
    } else {
        let revision = args.revision.as_deref().unwrap_or("HEAD");
        match revision.split_once("..") {
            Some((from, to)) => {
                let end = |name: &str| resolve(repo, if name.is_empty() { "HEAD" } else { name });
                history::range(repo, keyring, end(from)?, end(to.trim_start_matches('.'))?)
            }
            None => gather::tree(repo, keyring, &resolve(repo, revision)?),
        }
    };
    Ok(outcome?)
}

/// The commit that a name means; where history was cut off, it may only have to be fetched.
fn resolve(repo: &Repo, name: &str) -> Result<Oid, Failure> {
    repo.resolve(name).map_err(|error| {
        let failure = Failure::from(error);
        if repo.is_shallow().unwrap_or(false) {
            failure.hint("this clone is shallow; `git fetch --unshallow` brings what is missing")
        } else {
            failure
        }
    })
}
