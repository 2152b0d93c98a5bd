//! `uninstall`: the work tree sealed back, hooks and drivers taken away, everything as it was.

use super::checkout;
use super::context::Context;
use crate::git::config::{self, Changed, Scope};
use crate::git::hook_script::Event;
use crate::git::hooks::{self, Removal};
use crate::ui::Failure;

/// Arguments of `uninstall`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Take the drivers out of your global configuration too.
    #[arg(long)]
    pub global: bool,
}

/// Takes git-seal out of the repository that we are in.
///
/// # Errors
/// When files that go through the filter have changes that are not staged: without it they would be committed in the clear.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let repo = context.repo()?;
    if repo.work_tree().is_some() {
        super::lock::seal_all(context, &checkout::tracked(repo)?)?;
    }
    for scope in [Some(Scope::Local), args.global.then_some(Scope::Global)]
        .into_iter()
        .flatten()
    {
        if config::uninstall(repo.git(), scope)? == Changed::Yes {
            context.terminal.say("filter, diff and merge driver removed");
        }
    }
    for (event, removal) in hooks::uninstall(repo.git(), &Event::ALL)? {
        let name = event.name();
        match removal {
            Removal::Removed => context.terminal.say(&format!("hook {name} removed")),
            Removal::Restored => context
                .terminal
                .say(&format!("hook {name} removed; the one before it is back")),
            Removal::Edited => context
                .terminal
                .warn(&format!("hook {name} was changed by somebody; left as it is")),
        }
    }
    Ok(0)
}
