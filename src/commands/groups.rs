//! `groups`: a key group added to a sealed file, or deleted from it.

use std::path::PathBuf;

use super::context::Context;
use super::files::Access as FileAccess;
use super::in_out::{InOut, format_of};
use super::stored::{Batch, Fate, Reach};
use super::unopened::{no_data_key, unreadable};
use super::{clock, in_out};
use crate::crypt::Recipient;
use crate::document::Format;
use crate::sops::{self, Clear, Sealed};
use crate::ui::Failure;
use crate::vault::{Access, Base, KeyChoice, Vault};

/// What stands below the options in the help.
const EXAMPLES: &str = "\
Examples:
  git seal groups add -i --file a.yaml --age age1… --age age1…
  git seal groups add -i --file a.yaml --age age1… --shamir-secret-sharing-threshold 2
  git seal groups delete -i --file a.yaml 1

With several groups the data key is shared out: as many groups as the threshold says must come together to open the file, \
any one key of each. A deleted group leaves a new data key behind, so that what it knew is of no use for what comes next.";

/// Arguments of `groups`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Add a group of recipients
    Add(Add),
    /// Delete a group by its number, from 0
    Delete(Delete),
}

/// The file, and where the result goes.
#[derive(Debug, clap::Args)]
struct Target {
    /// The file
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Write the result back to the file
    #[arg(short, long)]
    in_place: bool,
    /// Read as yaml, json, dotenv, ini or binary, whatever the file's name
    #[arg(long, value_name = "TYPE", value_parser = format_of)]
    input_type: Option<Format>,
    /// How many key groups are needed to open the file
    #[arg(long, value_name = "N")]
    shamir_secret_sharing_threshold: Option<u32>,
}

#[derive(Debug, clap::Args)]
struct Add {
    #[command(flatten)]
    target: Target,
    /// age or SSH public keys of the group, separated by commas
    #[arg(short, long, value_name = "RECIPIENTS", required = true)]
    age: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct Delete {
    #[command(flatten)]
    target: Target,
    /// The group's number, from 0
    number: usize,
}

/// Changes the groups of a file.
///
/// # Errors
/// When the file can't be opened, or the groups could not open it afterwards; it is as it was then.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    match &args.verb {
        Verb::Add(add) => {
            let mut group = Vec::new();
            for list in &add.age {
                group.extend(Recipient::parse_list(list)?);
            }
            add.target.change(context, &|access: &mut Access| {
                access.groups.push(group.clone());
                access.key = KeyChoice::Kept;
                Ok(())
            })
        }
        Verb::Delete(delete) => delete.target.change(context, &|access: &mut Access| {
            let there = access.groups.len();
            if delete.number >= there {
                let failure = Failure::new(format!("there is no group {}", delete.number));
                return Err(failure
                    .code(1)
                    .hint(format!("its groups have the numbers 0 to {}", there - 1)));
            }
            if there == 1 {
                return Err(Failure::new("nobody could open it without its only group").code(1));
            }
            access.groups.remove(delete.number);
            Ok(())
        }),
    }
}

impl Target {
    fn change(&self, context: &Context, change: &dyn Fn(&mut Access) -> Result<(), Failure>) -> Result<u8, Failure> {
        if self.in_place {
            let batch = Batch::of(std::slice::from_ref(&self.file), self.input_type, &Reach::Sealed)?;
            return batch.each(context, |stored| {
                let (sealed, plain) = self.regroup(stored.format, &stored.bytes, context, change)?;
                Ok(Fate::Becomes {
                    sealed,
                    plain,
                    said: "its key groups are changed",
                })
            });
        }
        let files = InOut {
            file: Some(self.file.clone()),
            input_type: self.input_type,
            ..InOut::default()
        };
        let bytes = files.read().map_err(|failure| match failure.code {
            in_out::NO_FILE => failure,
            _ => failure.code(2),
        })?;
        let changed = self.regroup(files.input_format(), &bytes, context, change);
        let (sealed, _) = changed.map_err(|failure| failure.at(files.name()))?;
        files.write(context, &sealed, FileAccess::Usual)
    }

    fn regroup(
        &self,
        format: Format,
        bytes: &[u8],
        context: &Context,
        change: &dyn Fn(&mut Access) -> Result<(), Failure>,
    ) -> Result<(Vec<u8>, zeroize::Zeroizing<Vec<u8>>), Failure> {
        let found = context.found();
        let sealed = Sealed::parse(format, bytes)
            .map_err(|error| unreadable(error, format, || sops::Error::NotSealed.into()))?;
        let mut access = Access::of(&sealed.metadata)?;
        change(&mut access)?;
        let asked = self.shamir_secret_sharing_threshold.filter(|&number| number > 0);
        access.threshold = asked.or(access.threshold);
        let needed = access.threshold.map_or(0, |number| number as usize);
        if access.groups.len() > 1 && needed > access.groups.len() || access.groups.len() == 1 && needed > 1 {
            return Err(Failure::new(format!(
                "{needed} key groups are needed to open it, and {} would be left",
                access.groups.len()
            ))
            .code(1)
            .hint("give a lower --shamir-secret-sharing-threshold"));
        }
        let opened = Vault::new(None, &found.keyring).open(format, &sealed, Clear::Refuse);
        let opened = opened.map_err(|error| match error {
            error @ sops::Error::NoIdentity => no_data_key(error, &sealed, found),
            error => error.into(),
        })?;
        let base = Base {
            sealed: &sealed,
            opened: &opened,
        };
        let (bytes, _) = Vault::rekey(&base, format, &access, &clock::now())?;
        Ok((bytes, opened.content.clone()))
    }
}
