//! `rotate`: a new data key, and every value sealed anew with it. Whoever had the earlier key can't read what comes next.

use std::path::PathBuf;

use super::clock;
use super::context::Context;
use super::decrypt::indents;
use super::decryption_order::DecryptionOrder;
use super::files::Access as FileAccess;
use super::in_out::{CONFLICT, InOut, format_of};
use super::stored::{Batch, Fate, Reach};
use super::unopened::{no_data_key, unreadable};
use crate::crypt::Recipient;
use crate::document::Format;
use crate::sops::convert::convert;
use crate::sops::metadata::instant;
use crate::sops::open::{MacCheck, open};
use crate::sops::{self, Clear, Sealed};
use crate::ui::Failure;
use crate::vault::{Access, Base, Vault};

/// What stands below the options in the help.
const EXAMPLES: &str = "\
Examples:
  git seal rotate -i secrets.yaml                          a new data key
  git seal rotate -i secrets/                              for all sealed files below a folder
  git seal rotate -i --add-age age1… --rm-age age1… a.json let somebody in and somebody out

A removed recipient keeps what they could read before: change the secrets too. Where Git's filter seals a file, -i \
exchanges the sealed form in the index. Each file is exchanged whole or not at all; --before goes on where an earlier run \
was stopped.";

/// Arguments of `rotate`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files, or folders: of a folder the sealed files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write the result back to the files
    #[arg(short, long)]
    in_place: bool,
    /// Write the result to this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Let these age or SSH public keys in, separated by commas; they go to the first key group
    #[arg(long, value_name = "RECIPIENTS")]
    add_age: Vec<String>,
    /// Let these public keys out of every key group, separated by commas
    #[arg(long, value_name = "RECIPIENTS")]
    rm_age: Vec<String>,
    /// Leave out files that were changed at this time or later (RFC 3339, as `lastmodified` has it)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    before: Option<String>,
    /// Read as yaml, json, dotenv, ini or binary, whatever the files' names
    #[arg(long, value_name = "TYPE", value_parser = format_of)]
    input_type: Option<Format>,
    /// Write as yaml, json, dotenv, ini or binary, whatever the file's name
    #[arg(long, value_name = "TYPE", value_parser = format_of)]
    output_type: Option<Format>,
    /// Open a file even if it was changed after it was sealed
    #[arg(long)]
    ignore_mac: bool,
    #[command(flatten)]
    order: DecryptionOrder,
}

fn moment(text: &str) -> Result<String, String> {
    let moment = instant(text).filter(|moment| moment.ends_with('Z'));
    moment.ok_or_else(|| "it is no time like 2026-01-02T03:04:05Z".to_owned())
}

/// Rotates files.
///
/// # Errors
/// With SOPS's exit codes; the file in question is as it was then.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    args.order.check()?;
    let change = Change::of(args)?;
    if args.in_place {
        if args.output.is_some() {
            return Err(Failure::new("--in-place and --output contradict each other").code(CONFLICT));
        }
        return in_place(args, &change, context);
    }
    let [file] = args.files.as_slice() else {
        return Err(Failure::new("several files can't go to one output")
            .code(CONFLICT)
            .hint("give --in-place"));
    };
    let files = InOut {
        file: Some(file.clone()),
        output: args.output.clone(),
        input_type: args.input_type,
        output_type: args.output_type,
        ..InOut::default()
    };
    let bytes = files.read()?;
    let (from, to) = (files.input_format(), files.output_format());
    let turned = change
        .apply(from, to, &bytes, context)
        .map_err(|failure| failure.at(files.name()))?;
    files.write(context, &turned.0, FileAccess::Usual)
}

fn in_place(args: &Args, change: &Change, context: &Context) -> Result<u8, Failure> {
    let started = clock::now();
    let batch = Batch::of(&args.files, args.input_type, &Reach::Sealed)?;
    let many = args.files.len() > 1 || args.files.iter().any(|file| file.is_dir());
    let done = batch.each(context, |stored| {
        let sealed = Sealed::parse(stored.format, &stored.bytes);
        // `instant` gives both times one form and `Z`, so their texts have their order.
        let is_later = |sealed: &Sealed<'_>, limit: &String| sealed.metadata.last_modified >= *limit;
        if let (Ok(sealed), Some(before)) = (&sealed, &args.before)
            && is_later(sealed, before)
        {
            return Ok(Fate::Stays("was changed since"));
        }
        let to = args.output_type.unwrap_or(stored.format);
        let (sealed, plain) = change.apply(stored.format, to, &stored.bytes, context)?;
        Ok(Fate::Becomes {
            sealed,
            plain,
            said: "sealed anew with a new data key",
        })
    });
    done.map_err(|failure| {
        if !many {
            return failure;
        }
        let since = args.before.as_ref().unwrap_or(&started);
        failure.hint(format!("with --before {since} it leaves out those that are done"))
    })
}

/// What happens to each file.
struct Change {
    add: Vec<Recipient>,
    remove: Vec<Recipient>,
    check: MacCheck,
}

impl Change {
    fn of(args: &Args) -> Result<Self, Failure> {
        let lists = |lists: &[String]| -> Result<Vec<Recipient>, Failure> {
            let mut all = Vec::new();
            for list in lists {
                all.extend(Recipient::parse_list(list)?);
            }
            Ok(all)
        };
        Ok(Self {
            add: lists(&args.add_age)?,
            remove: lists(&args.rm_age)?,
            check: if args.ignore_mac {
                MacCheck::Ignore
            } else {
                MacCheck::Verify
            },
        })
    }

    /// A file sealed anew, and what it opens to.
    fn apply(
        &self,
        from: Format,
        to: Format,
        bytes: &[u8],
        context: &Context,
    ) -> Result<(Vec<u8>, zeroize::Zeroizing<Vec<u8>>), Failure> {
        let found = context.found();
        let sealed =
            Sealed::parse(from, bytes).map_err(|error| unreadable(error, from, || sops::Error::NotSealed.into()))?;
        let access = self.access(&sealed)?;
        let key = sealed.metadata.data_key(&found.keyring);
        let key = key.map_err(|error| no_data_key(error, &sealed, found))?;
        let mut opened = open(from, &sealed, key, Clear::Refuse, self.check)?;
        if from != to && !sealed.metadata.draft {
            opened.content = convert(&opened.content, from, to, &indents(None, to, None))?;
        }
        let base = Base {
            sealed: &sealed,
            opened: &opened,
        };
        let (bytes, _) = Vault::rekey(&base, to, &access, &clock::now())?;
        Ok((bytes, opened.content))
    }

    /// Who can open the file afterwards.
    fn access(&self, sealed: &Sealed<'_>) -> Result<Access, Failure> {
        let mut access = Access::of(&sealed.metadata)?;
        if let Some(first) = access.groups.first_mut() {
            let more = self.add.iter().filter(|new| !first.iter().any(|old| old.same_key(new)));
            let more: Vec<Recipient> = more.cloned().collect();
            first.extend(more);
        }
        for group in &mut access.groups {
            group.retain(|recipient| !self.remove.iter().any(|gone| gone.same_key(recipient)));
            if group.is_empty() {
                return Err(Failure::new("nobody would be left in a key group")
                    .code(1)
                    .hint("add somebody with --add-age, or delete the group with `git seal groups delete`"));
            }
        }
        Ok(access)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_seconds_and_is_in_utc() {
        assert_eq!(moment("2026-01-02T03:04:05.5Z").as_deref(), Ok("2026-01-02T03:04:05Z"));
        for text in ["yesterday", "2026-01-02", "2026-01-02T03:04:05+02:00"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
