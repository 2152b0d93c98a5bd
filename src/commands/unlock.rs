//! `unlock`: the sealed files of the work tree opened, without touching the index or local changes.

use super::context::Context;
use super::install;
use crate::git::config_inspect;
use crate::ui::Failure;

/// Arguments of `unlock`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Opens what the identities at hand open.
///
/// # Errors
/// When the filter is not installed: Git would take the opened files for changed ones.
pub fn run(_: &Args, context: &Context) -> Result<u8, Failure> {
    let repo = context.repo()?;
    let path = std::env::var_os("PATH");
    let drivers = config_inspect::inspect(repo.git(), path.as_deref())?;
    if drivers.effective("filter.git-seal.process").is_none() {
        let args = install::Args {
            global: false,
            guard_only: false,
        };
        return install::run(&args, context);
    }
    install::open_checkout(context)?;
    Ok(0)
}
