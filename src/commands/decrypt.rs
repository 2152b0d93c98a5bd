//! `decrypt`: a sealed file in the clear, whole and proven, or nothing at all.

use zeroize::Zeroizing;

use super::context::Context;
use super::decryption_order::DecryptionOrder;
use super::files::Access;
use super::filtered::filtered;
use super::in_out::InOut;
use super::terms::Place;
use super::unopened::{no_data_key, unreadable};
use crate::document::{Format, KeyPath};
use crate::policy::{JsonIndent, Policy};
use crate::sops::convert::{Indents, convert};
use crate::sops::extract::extract;
use crate::sops::open::{MacCheck, open_content};
use crate::sops::{self, Sealed};
use crate::ui::Failure;

/// What stands below the options in the help.
const EXAMPLES: &str = "\
Examples:
  git seal decrypt secrets.yaml                       print it in the clear
  git seal decrypt -i secrets.yaml                    put it in the clear where it is
  git seal decrypt --output-type json secrets.yaml    print it as JSON
  git seal decrypt --extract '[\"db\"][\"password\"]' secrets.yaml
                                                      print one value
  git show HEAD:a.yaml | git seal decrypt --filename-override a.yaml

A new file that --output names is for its owner alone (mode 0600).";

/// The exit code of SOPS for a path that can't be read.
const BAD_EXTRACT: u8 = 91;

/// Arguments of `decrypt`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    files: InOut,
    /// Print only the value at this path; text comes without a line break
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    extract: String,
    /// Open the file even if it was changed after it was sealed
    #[arg(long)]
    ignore_mac: bool,
    #[command(flatten)]
    order: DecryptionOrder,
}

/// Opens a file.
///
/// # Errors
/// With SOPS's exit codes; nothing is written then.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    args.files.check()?;
    args.order.check()?;
    let path = KeyPath::parse(&args.extract).map_err(|error| Failure::from(error).code(BAD_EXTRACT))?;
    let name = args.files.name();
    let content = args.files.read()?;
    let format = args.files.input_format();
    let sealed = Sealed::parse(format, &content)
        .map_err(|error| unreadable(error, format, || not_sealed(&args.files)).at(&name))?;

    let check = if args.ignore_mac {
        MacCheck::Ignore
    } else {
        MacCheck::Verify
    };
    let found = context.found();
    let key = sealed.metadata.data_key(&found.keyring);
    let key = key.map_err(|error| no_data_key(error, &sealed, found).at(&name))?;
    let draft = sealed.metadata.draft;
    let opened = open_content(format, sealed, key, check);
    let opened = opened.map_err(|error| Failure::from(error).at(&name))?;
    let plain = convert_opened(&args.files, &path, draft, opened).map_err(|failure| failure.at(&name))?;

    if args.ignore_mac {
        context
            .terminal
            .warn(&format!("{name}: opened without the proof that nobody changed it"));
    }
    args.files.write(context, &plain, Access::Private)
}

fn not_sealed(files: &InOut) -> Failure {
    let mut failure = Failure::from(sops::Error::NotSealed);
    if files.file().and_then(filtered).is_some() {
        failure.hints = vec!["it is open in the work tree already; Git stores it sealed".to_owned()];
    } else if files.path().is_none() {
        failure.hints = vec!["give --filename-override, or --input-type and --output-type".to_owned()];
    }
    failure
}

/// The plain file in the format that is asked for. A draft's content is of no format and stays as it is.
fn convert_opened(
    files: &InOut,
    path: &KeyPath,
    is_draft: bool,
    content: Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let (from, to) = (files.input_format(), files.output_format());
    let whole = path.steps.is_empty();
    if is_draft && !whole {
        return Err(Failure::new("it is a draft, sealed as a whole: nothing can be looked up in it").code(1));
    }
    if (whole && from == to) || is_draft {
        return Ok(content);
    }
    // Opening needs no policy, so one that is broken must not stand in its way; it only says how to indent.
    let place = files
        .path()
        .and_then(|path| Place::of(path, None).ok())
        .unwrap_or_default();
    let indents = indents(place.policy.as_deref(), to, files.indent);
    let converted = if whole {
        convert(&content, from, to, &indents)
    } else {
        extract(&content, from, to, path, &indents)
    };
    converted.map_err(|error| {
        let mut failure = Failure::from(error);
        if whole && to == Format::Binary {
            failure.hints = vec![format!("give --output-type {from}")];
        }
        failure
    })
}

/// How files of a format are indented: as an option says, else as the policy does. Zero is SOPS's word for its own way.
#[must_use]
pub fn indents(policy: Option<&Policy>, to: Format, option: Option<u8>) -> Indents {
    let stores = policy.map(Policy::stores).unwrap_or_default();
    let blanks = option.filter(|&blanks| blanks > 0);
    let json = if to == Format::Binary {
        stores.json_binary
    } else {
        stores.json
    };
    let json = match blanks.map_or(json, JsonIndent::Blanks) {
        JsonIndent::Tabs => "\t".to_owned(),
        JsonIndent::Blanks(number) => " ".repeat(number.into()),
    };
    Indents {
        json,
        // What SOPS's YAML library makes of other numbers.
        yaml: blanks
            .map_or(stores.yaml, |blanks| if (2..=9).contains(&blanks) { blanks } else { 2 })
            .into(),
    }
}
