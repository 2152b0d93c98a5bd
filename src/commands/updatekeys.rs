//! `updatekeys`: sealed files brought in line with their rule: its recipients, its groups, its selection.
//!
//! Other than SOPS's command of this name it seals anew where somebody lost access: who is let go must not read what comes next.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use super::clock;
use super::context::{Context, POLICY};
use super::in_out::format_of;
use super::stored::{Batch, Fate, Reach, Stored};
use super::terms::{Place, Policies};
use super::unopened::no_data_key;
use crate::document::Format;
use crate::policy::is_exempt;
use crate::sops::{self, Clear, Sealed};
use crate::ui::Failure;
use crate::vault::{Base, Sealing, Terms, Vault};

/// What stands below the options in the help.
const EXAMPLES: &str = "\
Examples:
  git seal updatekeys secrets/*.yaml    these files
  git seal updatekeys .                 all files below that a rule is for

Where Git's filter seals a file, the sealed form in the index is exchanged; elsewhere the file itself is. Each file is \
exchanged whole or not at all, and one that fails does not stop the others: the same command goes on with what is left.";

/// Arguments of `updatekeys`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files, or folders: of a folder the files that a rule is for
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Do not ask, as is usual here; for scripts written for sops
    #[arg(short, long)]
    pub yes: bool,
    /// Show the differences and ask before each file, as sops does
    #[arg(long, conflicts_with = "yes")]
    pub ask: bool,
    /// Leave the threshold of key groups as the file has it, as sops does
    #[arg(long)]
    pub keep_threshold: bool,
    /// Read as yaml, json, dotenv, ini or binary, whatever the files' names
    #[arg(long, value_name = "TYPE", value_parser = format_of)]
    pub input_type: Option<Format>,
    /// Use this policy file
    #[arg(long, value_name = "FILE", env = "SOPS_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Seals the files for the recipients of their rules.
///
/// # Errors
/// When a file can't be opened or has no rule; it is as it was then.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let policies = Policies::default();
    let is_ruled = |file: &Path| {
        let place = policies.place(file, args.config.as_deref())?;
        Ok(!is_exempt(&place.path) && place.rule()?.is_some())
    };
    let batch = Batch::of(&args.files, args.input_type, &Reach::Ruled(&is_ruled))?;
    let work = Work {
        args,
        context,
        policies: &policies,
    };
    batch.each(context, |stored| work.renew(stored))
}

struct Work<'w> {
    args: &'w Args,
    context: &'w Context,
    policies: &'w Policies,
}

impl Work<'_> {
    /// The policy and path that decide about a file: for one in the index those that the filter goes by.
    fn place(&self, stored: &Stored) -> Result<Place, Failure> {
        let given = self.args.config.as_deref();
        let Some((repo, path)) = stored.in_index().filter(|_| given.is_none()) else {
            return self.policies.place(&stored.file, given);
        };
        let top = repo.work_tree().map(|top| top.join(POLICY)).unwrap_or_default();
        Ok(Place {
            policy: self.policies.read(&top)?,
            path: path.to_vec(),
            misnamed: None,
        })
    }

    /// A sealed file as its rule wants it.
    fn renew(&self, stored: &Stored) -> Result<Fate, Failure> {
        let place = self.place(stored)?;
        let found = self.context.found();
        let format = stored.format;
        let vault = Vault::new(place.policy.as_deref(), &found.keyring);
        let sealed = Sealed::parse(format, &stored.bytes)?;
        let terms = vault.terms(&place.path)?;
        let mut terms = terms.ok_or_else(|| Failure::new(format!("no rule of {POLICY} is for it")).code(1))?;
        if self.args.keep_threshold {
            let groups = u32::try_from(terms.groups.len()).unwrap_or(u32::MAX);
            terms.threshold = sealed.metadata.threshold.map(|threshold| threshold.min(groups));
        }
        if in_line(&sealed, &terms, format)? {
            return Ok(Fate::Stays("is in line with its rule already"));
        }
        if self.args.ask && !self.allowed(stored, &terms, &sealed)? {
            return Ok(Fate::Stays("left as it was"));
        }
        let opened = vault.open(format, &sealed, Clear::Refuse).or_else(|error| match error {
            sops::Error::ValueInTheClear { .. } => vault.open(format, &sealed, Clear::Accept),
            other => Err(other),
        });
        let opened = opened.map_err(|error| match error {
            error @ sops::Error::NoIdentity => no_data_key(error, &sealed, found),
            error => error.into(),
        })?;
        let base = Base {
            sealed: &sealed,
            opened: &opened,
        };
        match vault.seal(format, &opened.content, Some(&terms), Some(&base), &clock::now())? {
            Sealing::Sealed(sealed, _) => Ok(Fate::Becomes {
                sealed,
                plain: opened.content.clone(),
                said: "sealed anew for the recipients of its rule",
            }),
            Sealing::Draft(_, error) => Err(error.into()),
        }
    }

    /// Shows who comes and goes, and asks.
    fn allowed(&self, stored: &Stored, terms: &Terms, sealed: &Sealed<'_>) -> Result<bool, Failure> {
        let (missing, surplus) = terms.differences(&sealed.metadata);
        let mut text = format!("{}: these changes will be made\n", stored.file.display());
        for (sign, names) in [("+++", missing), ("---", surplus)] {
            text.extend(names.iter().map(|name| format!("{sign} {name}\n")));
        }
        text.push_str("Is this okay? (y/n): ");
        self.context.terminal.out(text.as_bytes()).ok();
        std::io::stdout().flush().ok();
        loop {
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line).unwrap_or_default();
            match line.trim() {
                "y" | "Y" | "yes" => return Ok(true),
                "n" | "N" | "no" => return Ok(false),
                _ if read == 0 => {
                    return Err(Failure::new("the input ended before the question was answered")
                        .code(1)
                        .hint("give --yes"));
                }
                _ if std::io::stdin().is_terminal() => {
                    self.context.terminal.out(b"Please answer y or n: ").ok();
                }
                _ => {}
            }
        }
    }
}

/// Whether a file needs nothing: its recipients, its selection, and nothing in the clear that is to be sealed.
fn in_line(sealed: &Sealed<'_>, terms: &Terms, format: Format) -> Result<bool, Failure> {
    let metadata = &sealed.metadata;
    let threshold = metadata.groups.len() < 2
        || metadata.threshold.unwrap_or_default() as usize
            == terms
                .threshold
                .map_or(terms.groups.len(), |threshold| threshold as usize);
    if !terms.fit(metadata) || !threshold {
        return Ok(false);
    }
    if format == Format::Binary || metadata.draft {
        return Ok(true);
    }
    let same = metadata.selection.or_default() == terms.selection.or_default()
        && metadata.mac_only_encrypted == terms.mac_only_encrypted;
    Ok(same && sealed.clear_leaves(&terms.selection.resolve()?).is_empty())
}
