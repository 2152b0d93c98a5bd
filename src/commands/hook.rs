//! `hook`: what Git's hooks run. The gate lets pass, or says what is wrong and how to mend it; what can't be judged blocks.

use std::io::Read;

use super::context::Context;
use crate::git::push::RefUpdate;
use crate::guard::history::{Side, pushes};
use crate::guard::{Outcome, gather};
use crate::report::{self, Format, Style};
use crate::ui::Failure;

/// Arguments of `hook`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The hook's name.
    pub name: String,
    /// The arguments that Git gave it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<String>,
}

/// Runs a gate.
///
/// # Errors
/// When the hook is none of ours, or what it is about can't be read.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let outcome = judge(args, context)?;
    let Some(outcome) = outcome else { return Ok(0) };

    let code = outcome.exit_code();
    if code != 0 || !outcome.findings.is_empty() {
        let style = if context.terminal.coloured() {
            Style::Coloured
        } else {
            Style::Plain
        };
        context
            .terminal
            .err_text(&report::render(&outcome, Format::Human, style));
        hint_at_the_top(context, &outcome);
    }
    Ok(code)
}

/// Says from where the paths of a report count, to whom is elsewhere.
pub(super) fn hint_at_the_top(context: &Context, outcome: &Outcome) {
    // Git starts hooks at the top and tells by this variable where the user is.
    let called_below = std::env::var_os("GIT_PREFIX").is_some_and(|prefix| !prefix.is_empty());
    let below = called_below || context.repo().is_ok_and(|repo| !repo.prefix().is_empty());
    if below && !outcome.findings.is_empty() {
        context
            .terminal
            .hint("paths and commands are for the top: cd \"$(git rev-parse --show-toplevel)\"");
    }
}

fn judge(args: &Args, context: &Context) -> Result<Option<Outcome>, Failure> {
    let repo = context.repo()?;
    let outcome = match args.name.as_str() {
        "pre-commit" | "pre-merge-commit" => gather::staged(repo, &context.found().keyring),
        "pre-push" => {
            let updates = RefUpdate::parse_pre_push(&input()?)?;
            let remote = args.arguments.first().map_or("", String::as_str);
            pushes(repo, &context.found().keyring, &updates, Side::Sending(remote))
        }
        "pre-receive" => {
            let updates = RefUpdate::parse_pre_receive(&input()?)?;
            pushes(repo, &context.found().keyring, &updates, Side::Receiving)
        }
        // No check needs the message; the hook is there for those who installed it.
        "commit-msg" => return Ok(None),
        other => {
            return Err(
                Failure::new(format!("git-seal has nothing to do in the hook `{other}`"))
                    .hint("its hooks are pre-commit, pre-merge-commit, pre-push and pre-receive"),
            );
        }
    };
    Ok(Some(outcome?))
}

fn input() -> Result<Vec<u8>, Failure> {
    let mut lines = Vec::new();
    std::io::stdin()
        .read_to_end(&mut lines)
        .map_err(|error| Failure::new(format!("stdin: {error}")))?;
    Ok(lines)
}
