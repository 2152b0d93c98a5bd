//! `edit`: a sealed file changed in an editor and sealed again over its earlier state, so that only what changed
//! differs.
//!
//! What the user wrote is never lost: where it can't be sealed as a document and nobody is there to mend it, it is kept
//! as a sealed draft beside the file.

use std::fs;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::context::Context;
use super::decryption_order::DecryptionOrder;
use super::filtered::filtered;
use super::in_out::{NO_FILE, format_of};
use super::paths::git_path;
use super::terms::{Place, TermsArgs};
use super::unopened::{no_data_key, unreadable};
use super::{clock, files};
use crate::document::Format;
use crate::sops::master_keys::{show, strip};
use crate::sops::open::{MacCheck, Opened, open};
use crate::sops::seal::Fidelity;
use crate::sops::{self, Clear, Sealed};
use crate::ui::Failure;
use crate::ui::editor::{Desk, wait_for_enter};
use crate::vault::{Base, Sealing, Terms, Vault};

/// The exit code of SOPS for a file that was left as it is.
const NOT_CHANGED: u8 = 200;
/// How many drafts of one file may lie about.
const DRAFTS: u32 = 100;

/// What stands below the options in the help.
const EXAMPLES: &str = "\
Examples:
  git seal edit secrets.yaml                  change it, or make it for the recipients of its rule
  git seal edit --age age1… secrets.yaml      make it for somebody
  EDITOR='code --wait' git seal edit a.json   with another editor

A file that is there keeps its recipients and its selection; the options about them are for a new one. \
Where Git's filter keeps a file readable in the work tree, any editor will do.";

/// Arguments of `edit`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The file
    pub file: PathBuf,
    /// Read as yaml, json, dotenv, ini or binary, whatever the file's name
    #[arg(long, value_name = "TYPE", value_parser = format_of)]
    pub input_type: Option<Format>,
    /// Open the file even if it was changed after it was sealed
    #[arg(long)]
    pub ignore_mac: bool,
    /// Show the metadata too, with the wrapped keys; changes to them are not taken
    #[arg(short, long)]
    pub show_master_keys: bool,
    #[command(flatten)]
    order: DecryptionOrder,
    #[command(flatten)]
    terms: TermsArgs,
}

/// Edits a file.
///
/// # Errors
/// With SOPS's exit codes; the file is as it was then.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    args.order.check()?;
    files::expect_regular(&args.file)?;
    match fs::symlink_metadata(&args.file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => create(args, context),
        _ => change(args, context),
    }
}

impl Args {
    /// A failure with the file in front.
    fn at(&self, error: impl Into<Failure>) -> Failure {
        error.into().at(self.file.display())
    }

    fn format(&self) -> Format {
        self.input_type
            .unwrap_or_else(|| Format::of_path(&git_path(&self.file)))
    }
}

/// Edits a file that is there.
fn change(args: &Args, context: &Context) -> Result<u8, Failure> {
    let content = files::read(Some(&args.file))?;
    let format = args.format();
    let sealed =
        Sealed::parse(format, &content).map_err(|error| args.at(unreadable(error, format, || not_sealed(args))))?;
    let check = if args.ignore_mac {
        MacCheck::Ignore
    } else {
        MacCheck::Verify
    };
    let found = context.found();
    let key = sealed.metadata.data_key(&found.keyring);
    let key = key.map_err(|error| args.at(no_data_key(error, &sealed, found)))?;
    let opened = open(format, &sealed, key, Clear::Refuse, check).map_err(|error| args.at(error))?;
    let place = Place::of(&args.file, args.terms.config.as_deref()).unwrap_or_default();
    // A draft is not sealed by any selection yet: what it becomes is for the rule to say.
    let terms = if sealed.metadata.draft {
        args.terms.terms(&place).ok()
    } else {
        None
    };
    let on_disk = content.as_slice();
    let session = Session {
        context,
        path: &args.file,
        format,
        on_disk: Some(on_disk),
        terms,
        base: Some((&sealed, &opened)),
        shown: if args.show_master_keys {
            Shown::WithMetadata
        } else {
            Shown::Plain
        },
    };
    let shown = match session.shown {
        Shown::Plain => None,
        Shown::WithMetadata => Some(show(format, &opened.content, &sealed.metadata).map_err(|error| args.at(error))?),
    };

    let (bytes, fidelity) = session
        .edit(shown.as_ref().unwrap_or(&opened.content))
        .map_err(|failure| args.at(failure))?;

    session.save(&bytes, fidelity)?;
    session.tell_other_recipients(&place);
    Ok(0)
}

/// Makes a file, beginning with an example.
fn create(args: &Args, context: &Context) -> Result<u8, Failure> {
    if filtered(&args.file).is_some() {
        let fact = "Git's filter will keep it readable in the work tree";
        return Err(args.at(any_editor(fact, "make it with any editor; Git seals it")));
    }
    let folder = args
        .file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(args.at(Failure::new("its folder is not there").code(NO_FILE)));
    }
    let place = Place::of(&args.file, args.terms.config.as_deref())?;
    let terms = args.terms.terms(&place).map_err(|failure| args.at(failure))?;
    let session = Session {
        context,
        path: &args.file,
        format: args.format(),
        on_disk: None,
        terms: Some(terms),
        base: None,
        shown: Shown::Plain,
    };
    // Recipients that can't be sealed for are found out before anything is written, not after.
    session.draft(b"").map_err(|failure| args.at(failure))?;

    let (bytes, fidelity) = session
        .edit(example(session.format))
        .map_err(|failure| args.at(failure))?;

    session.save(&bytes, fidelity)?;
    Ok(0)
}

fn not_sealed(args: &Args) -> Failure {
    if filtered(&args.file).is_some() {
        return any_editor(
            "it is open in the work tree already; Git stores it sealed",
            "edit it with any editor",
        );
    }
    sops::Error::NotSealed.into()
}

fn any_editor(fact: &str, hint: &str) -> Failure {
    Failure::new(fact).code(1).hint(hint)
}

/// What a new file begins with.
fn example(format: Format) -> &'static [u8] {
    match format {
        Format::Yaml => {
            b"# Replace these lines by your own.\nuser: somebody\npassword: change me\nhosts:\n    - one\n    - two\n"
        }
        Format::Json => b"{\n\t\"user\": \"somebody\",\n\t\"password\": \"change me\",\n\t\"port\": 5432\n}\n",
        Format::Dotenv => b"# Replace these lines by your own.\nUSER=somebody\nPASSWORD=change me\n",
        Format::Ini => b"; Replace these lines by your own.\n[database]\nuser = somebody\npassword = change me\n",
        Format::Binary => b"Replace this line by your own text.\n",
    }
}

/// One file on its way through the editor.
struct Session<'s> {
    context: &'s Context,
    path: &'s Path,
    format: Format,
    /// As it was read; none for a new file.
    on_disk: Option<&'s [u8]>,
    /// For whom it is sealed; none to keep what the file says.
    terms: Option<Terms>,
    base: Option<(&'s Sealed<'s>, &'s Opened)>,
    shown: Shown,
}

/// What the user sees of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Plain,
    /// The `sops` block too, to look at: who can open the file is for `updatekeys` and `rotate` to change.
    WithMetadata,
}

impl Session<'_> {
    /// Has the user edit until what is there can be sealed.
    fn edit(&self, before: &[u8]) -> Result<(Vec<u8>, Fidelity), Failure> {
        let desk = Desk::lay(self.path.file_name().unwrap_or_default(), before)?;
        loop {
            let edited = desk.edit();
            let content = match (edited, desk.content()) {
                (Ok(()), content) => content?,
                // What was saved before the editor failed is not lost with it.
                (Err(failure), Ok(content)) if content.as_slice() != before => {
                    return Err(self.keep(&content, failure));
                }
                (Err(failure), _) => return Err(failure),
            };
            if content.as_slice() == before {
                return Err(Failure::new("not changed").code(NOT_CHANGED));
            }
            let failure = match self.without_metadata(&content).and_then(|plain| self.seal(&plain)) {
                Ok(sealed) => return Ok(sealed),
                Err(failure) => failure,
            };
            let terminal = self.context.terminal;
            terminal.failure(&failure);
            terminal.say("press Enter to edit again");
            if !wait_for_enter() {
                return Err(self.keep(&content, failure));
            }
        }
    }

    fn without_metadata(&self, content: &Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match self.shown {
            Shown::Plain => Ok(content.clone()),
            Shown::WithMetadata => Ok(strip(self.format, content)?),
        }
    }

    fn seal(&self, content: &[u8]) -> Result<(Vec<u8>, Fidelity), Failure> {
        let base = self.base();
        match self
            .vault()
            .seal(self.format, content, self.terms.as_ref(), base.as_ref(), &clock::now())?
        {
            Sealing::Sealed(bytes, fidelity) => Ok((bytes, fidelity)),
            Sealing::Draft(_, error) => Err(error.into()),
        }
    }

    fn draft(&self, content: &[u8]) -> Result<Vec<u8>, Failure> {
        let base = self.base();
        Ok(self
            .vault()
            .seal_draft(content, self.terms.as_ref(), base.as_ref(), &clock::now())?)
    }

    fn vault(&self) -> Vault<'_> {
        Vault::new(None, &self.context.found().keyring)
    }

    fn base(&self) -> Option<Base<'_>> {
        self.base.map(|(sealed, opened)| Base { sealed, opened })
    }

    /// Writes the sealed file, unless somebody else wrote it meanwhile.
    fn save(&self, bytes: &[u8], fidelity: Fidelity) -> Result<(), Failure> {
        let as_read = match (self.on_disk, fs::read(self.path)) {
            (Some(before), Ok(now)) => before == now,
            (None, Err(error)) => error.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        };
        if !as_read {
            let kept = self.put_beside(bytes)?;
            let failure = Failure::new("somebody else wrote the file while it was edited")
                .at(self.path.display())
                .code(3);
            return Err(failure.hint(format!("your version is sealed in {}", kept.display())));
        }
        files::replace(self.path, bytes).map_err(|failure| match self.put_beside(bytes) {
            Ok(kept) => failure.hint(format!("your version is sealed in {}", kept.display())),
            Err(_) => failure,
        })?;
        if fidelity == Fidelity::Values {
            let path = self.path.display();
            self.context
                .terminal
                .warn(&format!("{path}: its values are sealed, but its layout can't be kept"));
        }
        Ok(())
    }

    /// Keeps what the user wrote as a sealed draft, and adds to the failure where it is.
    fn keep(&self, content: &Zeroizing<Vec<u8>>, failure: Failure) -> Failure {
        let plain = self.without_metadata(content);
        let kept = self
            .draft(plain.as_ref().unwrap_or(content))
            .map(Zeroizing::new)
            .and_then(|draft| self.put_beside(&draft));
        match kept {
            Ok(kept) => {
                let kept = kept.display();
                failure.hint(format!(
                    "what you wrote is sealed in {kept}; `git seal decrypt {kept}` shows it"
                ))
            }
            Err(other) => failure.hint(format!("what you wrote could not be kept: {}", other.message)),
        }
    }

    /// Writes a file beside the edited one, under a name that is free.
    fn put_beside(&self, bytes: &[u8]) -> Result<PathBuf, Failure> {
        let mut last = Failure::new("there are too many drafts");
        for number in 1..=DRAFTS {
            let mut name = self.path.as_os_str().to_owned();
            name.push(".draft");
            if number > 1 {
                name.push(number.to_string());
            }
            let path = PathBuf::from(name);
            match files::create_new(&path, bytes) {
                Ok(()) => return Ok(path),
                Err(_) if path.symlink_metadata().is_ok() => {}
                Err(failure) => {
                    last = failure;
                    break;
                }
            }
        }
        Err(last)
    }

    /// Recipients are for `updatekeys` to change; that they differ from the rule's must not go unseen.
    fn tell_other_recipients(&self, place: &Place) {
        let (Ok(Some(rule)), Some((sealed, _))) = (place.rule(), self.base) else {
            return;
        };
        let Ok(terms) = Terms::of_rule(rule) else { return };
        if !terms.fit(&sealed.metadata) {
            let path = self.path.display();
            self.context.terminal.warn(&format!(
                "{path}: still sealed for other recipients than its rule's; `git seal updatekeys {path}` changes that"
            ));
        }
    }
}
