//! `install`: hooks and drivers in this clone, and the checkout opened. Safe to repeat; nothing of anybody else's is overwritten.

use std::path::{Path, PathBuf};

use super::checkout;
use super::context::Context;
use crate::git::Repo;
use crate::git::config::{self, Changed, Scope};
use crate::git::hook_place::{Obstacle, Owner};
use crate::git::hook_script::Event;
use crate::git::hooks::{self, HookOutcome, Installed};
use crate::git::program::Program;
use crate::ui::{Failure, Terminal};

/// Arguments of `install`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  git seal install            this clone: hooks, drivers, files opened\n  \
                        git seal install --global   the driver for all your clones, hooks for this one\n  \
                        git seal install --guard-only   hooks only: files stay sealed in the work tree"
)]
pub struct Args {
    /// Put the drivers into your global configuration, so that new clones open by themselves.
    #[arg(long)]
    pub global: bool,
    /// Install the hooks only, no filter.
    #[arg(long, conflicts_with = "global")]
    pub guard_only: bool,
}

/// Installs git-seal in the repository that we are in.
///
/// # Errors
/// When there is no repository, or a hook or the configuration can't be written.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let repo = context.repo()?;
    let program = own_path()?;

    let hooks = install_hooks(repo, context.terminal, &program)?;
    if !args.guard_only {
        let scope = if args.global { Scope::Global } else { Scope::Local };
        let changed = config::install(repo.git(), scope, &name_of(&program))?;
        let place = if args.global {
            "your global configuration"
        } else {
            "this clone"
        };
        let done = if changed == Changed::Yes {
            "set in"
        } else {
            "already in"
        };
        context
            .terminal
            .say(&format!("filter, diff and merge driver {done} {place}"));
        open_checkout(context)?;
    }
    Ok(hooks)
}

/// Opens the sealed files of the work tree and says what came of it.
///
/// # Errors
/// When Git can't be asked, or fails to write.
pub fn open_checkout(context: &Context) -> Result<(), Failure> {
    let repo = context.repo()?;
    if repo.work_tree().is_none() {
        return Ok(());
    }
    let outcome = checkout::open(context, &checkout::tracked(repo)?)?;
    if outcome.done > 0 {
        context
            .terminal
            .say(&format!("{} opened", super::paths::count(outcome.done, "file")));
    }
    if outcome.unopened > 0 {
        let files = super::paths::count(outcome.unopened, "file");
        context.terminal.say(&format!(
            "{files} stay sealed: no identity at hand opens them; see `git seal doctor`"
        ));
    }
    Ok(())
}

fn install_hooks(repo: &Repo, terminal: Terminal, program: &Path) -> Result<u8, Failure> {
    match hooks::install(repo.git(), &Event::GATES, program)? {
        Installed::Hooks(outcomes) => {
            let mut code = 0;
            for (event, outcome) in outcomes {
                let name = event.name();
                match outcome {
                    HookOutcome::Written | HookOutcome::Replaced => terminal.say(&format!("hook {name} installed")),
                    HookOutcome::Unchanged => terminal.say(&format!("hook {name} is already installed")),
                    HookOutcome::Chained => {
                        terminal.say(&format!("hook {name} installed; the one that was there runs after it"));
                    }
                    HookOutcome::Edited => {
                        terminal.warn(&format!(
                            "hook {name} is ours but was changed by somebody; left as it is"
                        ));
                    }
                    HookOutcome::Blocked => {
                        terminal.error(&format!(
                            "hook {name}: another hook is in the way and can't be moved aside"
                        ));
                        terminal.hint(&format!("call `git-seal hook {name} \"$@\"` from it"));
                        code = 2;
                    }
                }
            }
            Ok(code)
        }
        Installed::Left(obstacle) => {
            tell_obstacle(terminal, &obstacle);
            Ok(0)
        }
    }
}

fn tell_obstacle(terminal: Terminal, obstacle: &Obstacle) {
    let whose = match &obstacle.owner {
        Owner::Manager(manager) => format!("belong to {manager:?}"),
        Owner::WorkTree => "are part of the work tree".to_owned(),
        Owner::Outside => "lie outside of this repository".to_owned(),
    };
    if obstacle.advice.is_empty() {
        terminal.say(&format!("hooks {whose}, which runs git-seal already"));
        return;
    }
    terminal.warn(&format!(
        "hooks {whose} ({}), so none was written; add ours there:",
        obstacle.folder.display()
    ));
    for advice in &obstacle.advice {
        if let Some(file) = &advice.file {
            terminal.say(&format!("  in {}:", file.display()));
        }
        advice
            .lines
            .iter()
            .for_each(|line| terminal.say(&format!("    {line}")));
        advice
            .commands
            .iter()
            .for_each(|command| terminal.say(&format!("  $ {command}")));
    }
}

/// Where our own program lies.
///
/// # Errors
/// When the system can't tell.
pub fn own_path() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| Failure::new(format!("our own program can't be found: {error}")))
}

/// How Git is to call our program: by name where `PATH` leads to this very file, so that an update may move it.
fn name_of(program: &Path) -> Program {
    let same = |candidate: PathBuf| candidate.canonicalize().ok() == program.canonicalize().ok();
    let on_path = std::env::var_os("PATH").is_some_and(|folders| {
        let mut found = std::env::split_paths(&folders)
            .map(|folder| folder.join(Program::NAME))
            .filter(|path| path.is_file());
        found.next().is_some_and(same)
    });
    if on_path {
        Program::OnPath
    } else {
        Program::At(program.to_owned())
    }
}
