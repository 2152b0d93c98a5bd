//! `encrypt`: a file sealed, in its place, on stdout, or, where Git's filter keeps it readable, in the index alone.

use std::path::Path;

use zeroize::Zeroizing;

use super::context::{Context, POLICY, read_policy};
use super::decrypt::indents;
use super::files::Access;
use super::filtered::{Filtered, filtered};
use super::in_out::{CONFLICT, InOut};
use super::terms::{Place, TermsArgs};
use super::unopened::no_data_key;
use super::{clock, index_entry};
use crate::document::Format;
use crate::sops::convert::convert;
use crate::sops::open::Opened;
use crate::sops::seal::Fidelity;
use crate::sops::{self, Clear, Sealed};
use crate::ui::Failure;
use crate::vault::{Base, Sealing, Vault};

/// The exit code of SOPS for a file that is sealed already.
const SEALED_ALREADY: u8 = 203;

/// What stands below the options in the help.
const EXAMPLES: &str = "\
Examples:
  git seal encrypt -i secrets.yaml                   seal it for the recipients of its rule
  git seal encrypt --age age1… a.json > a.enc.json   seal it for somebody
  git seal encrypt --encrypted-regex '^(data|stringData)$' -i secret.yaml
  make-config | git seal encrypt --filename-override secrets/a.yaml - > secrets/a.yaml

The rule is that of the nearest .sops.yaml from the file's folder upward; where there is none, from the current \
folder upward, as sops does. With --age the rule's recipients do not count, but its selection does.

Where Git's filter seals a file, -i puts the sealed form into the index and leaves the file readable. A file that \
is sealed in part (somebody typed into it) is completed by -i with its own key.";

/// Arguments of `encrypt`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    files: InOut,
    #[command(flatten)]
    terms: TermsArgs,
}

/// Seals a file.
///
/// # Errors
/// With SOPS's exit codes; nothing is written then.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    args.files.check()?;
    let Some(path) = args.files.path() else {
        let failure = Failure::new("stdin has no name that a rule could be found by").code(CONFLICT);
        return Err(failure.hint("give --filename-override PATH"));
    };
    let content = args.files.read()?;
    let work = Work {
        args,
        context,
        path,
        content,
    };

    let sealed = match (State::of(args.files.input_format(), &work.content), args.files.in_place) {
        (State::Sealed, _) | (State::Partly(_), false) => Err(sealed_already()),
        (State::Partly(sealed), true) => work.complete(&sealed),
        (State::Plain, true) => match args.files.file().and_then(filtered) {
            Some(at) => work.seal_into_index(&at),
            None => work.seal(),
        },
        (State::Plain, false) => work.seal(),
    };
    match sealed.map_err(|failure| failure.at(args.files.name()))? {
        Some(sealed) => args.files.write(context, &sealed, Access::Usual),
        None => Ok(0),
    }
}

fn sealed_already() -> Failure {
    Failure::new("it is sealed already")
        .code(SEALED_ALREADY)
        .hint("change it with `git seal edit`")
}

/// In which state a file is.
enum State<'c> {
    Plain,
    Sealed,
    /// With metadata, and values in the clear that they say are sealed.
    Partly(Box<Sealed<'c>>),
}

impl<'c> State<'c> {
    fn of(format: Format, content: &'c [u8]) -> Self {
        // Most plain files have not even the word, and reading them twice would be for nothing.
        if !std::str::from_utf8(content).is_ok_and(|text| text.contains("sops")) {
            return Self::Plain;
        }
        let Ok(sealed) = Sealed::parse(format, content) else {
            return Self::Plain;
        };
        match sealed.check_structure() {
            Err(sops::Error::ValueInTheClear { .. }) if format != Format::Binary => Self::Partly(Box::new(sealed)),
            // A file of any bytes may well look like a broken one.
            Err(_) if format == Format::Binary => Self::Plain,
            _ => Self::Sealed,
        }
    }
}

/// What is at hand for sealing one file.
struct Work<'w> {
    args: &'w Args,
    context: &'w Context,
    path: &'w Path,
    content: Zeroizing<Vec<u8>>,
}

impl Work<'_> {
    /// The plain file sealed.
    fn seal(&self) -> Result<Option<Vec<u8>>, Failure> {
        let place = Place::of(self.path, self.args.terms.config.as_deref())?;
        if let Some(misnamed) = &place.misnamed {
            let text = format!(
                "{}: never read; its name would have to be .sops.yaml",
                misnamed.display()
            );
            self.context.terminal.warn(&text);
        }
        let terms = self.args.terms.terms(&place)?;
        let (from, to) = (self.args.files.input_format(), self.args.files.output_format());
        let (format, converted) = if from == to {
            (to, None)
        } else {
            // What SOPS writes as binary is the JSON form of the whole document.
            let format = if to == Format::Binary { Format::Json } else { to };
            let plain = convert(
                &self.content,
                from,
                format,
                &indents(place.policy.as_deref(), to, self.args.files.indent),
            )?;
            (format, Some(plain))
        };
        let plain = converted.as_ref().unwrap_or(&self.content);

        let vault = Vault::new(place.policy.as_deref(), &self.context.found().keyring);
        let sealed = sealed_or_refused(vault.seal(format, plain, Some(&terms), None, &clock::now())?)?;

        self.remark(&sealed);
        refuse_clear(format, &sealed.0)?;
        Ok(Some(sealed.0))
    }

    /// Seals the values that stand in the clear with the file's own key.
    fn complete(&self, sealed: &Sealed<'_>) -> Result<Option<Vec<u8>>, Failure> {
        let files = &self.args.files;
        if self.args.terms.select_something() || files.input_format() != files.output_format() {
            let failure = Failure::new("it is sealed in part, and keeps its own selection and format");
            return Err(failure.code(CONFLICT).hint("leave the options out"));
        }
        let found = self.context.found();
        let vault = Vault::new(None, &found.keyring);
        let format = files.input_format();
        let in_the_clear = sealed.clear_leaves(&sealed.metadata.selection.resolve()?).len();
        let opened = vault.open(format, sealed, Clear::Accept);
        let opened = opened.map_err(|error| match error {
            error @ sops::Error::NoIdentity => no_data_key(error, sealed, found),
            error => error.into(),
        })?;
        let base = Base {
            sealed,
            opened: &opened,
        };
        let whole = sealed_or_refused(vault.seal(format, &opened.content, None, Some(&base), &clock::now())?)?;

        let values = super::paths::count(in_the_clear, "value");
        self.context.terminal.warn(&format!(
            "{}: {values} stood in the clear; nothing proves who put them there, so look before you commit",
            files.name()
        ));
        Ok(Some(whole.0))
    }

    /// Puts the sealed form into the index and leaves nothing to write: the file stays readable.
    fn seal_into_index(&self, at: &Filtered) -> Result<Option<Vec<u8>>, Failure> {
        let files = &self.args.files;
        let format = Format::of_path(&at.path);
        if files.filename_override.is_some() || files.input_format() != format || files.output_format() != format {
            let failure = Failure::new("Git's filter seals it, which goes by its own name alone");
            return Err(failure
                .code(CONFLICT)
                .hint("leave out --filename-override, --input-type and --output-type"));
        }
        let place = self.place_in(at)?;
        let terms = self.args.terms.terms(&place)?;
        let vault = Vault::new(place.policy.as_deref(), &self.context.found().keyring);
        let blobs = index_entry::earlier(&at.repo, &at.path)?;
        let mut base: Option<(Sealed<'_>, Opened)> = None;
        for (blob, bytes) in &blobs {
            let Ok(sealed) = Sealed::parse(format, bytes) else {
                continue;
            };
            let Ok(opened) = vault.open(format, &sealed, Clear::Refuse) else {
                continue;
            };
            if blob.in_index && opened.content == self.content {
                self.context
                    .terminal
                    .say(&format!("{}: sealed in the index already", files.name()));
                return Ok(None);
            }
            base.get_or_insert((sealed, opened));
        }
        let base = base.as_ref().map(|(sealed, opened)| Base { sealed, opened });
        let sealed = vault.seal(format, &self.content, Some(&terms), base.as_ref(), &clock::now())?;
        let sealed = sealed_or_refused(sealed)?;
        refuse_clear(format, &sealed.0)?;

        let blob = index_entry::put(&at.repo, &at.path, &sealed.0, is_executable(files.file()))?;
        // Without an identity nothing else would tell Git's next look that this blob holds this very file.
        self.context.filter(&Ok(None)).remember(format, &blob, &self.content);
        self.context.memory().flush();
        self.remark(&sealed);
        self.context.terminal.say(&format!(
            "{}: sealed in the index; it stays readable in the work tree",
            files.name()
        ));
        let committed = blobs.iter().find(|(blob, _)| !blob.in_index);
        if committed.is_some_and(|(_, bytes)| Sealed::parse(format, bytes).is_err()) {
            let name = files.name();
            self.context.terminal.warn(&format!(
                "{name}: its history has it in the clear: take its secrets as known and replace them"
            ));
        }
        Ok(None)
    }

    /// The policy that the filter goes by, unless another one is given.
    fn place_in(&self, at: &Filtered) -> Result<Place, Failure> {
        if let Some(given) = self.args.terms.config.as_deref() {
            return Place::of(self.path, Some(given));
        }
        let top = at.repo.work_tree().unwrap_or(Path::new("."));
        let policy = read_policy(&top.join(POLICY)).map_err(|reason| Failure::new(reason).code(1))?;
        Ok(Place {
            policy: policy.map(std::rc::Rc::new),
            path: at.path.clone(),
            misnamed: None,
        })
    }

    /// Says what the user would not expect of the sealed file.
    fn remark(&self, (_, fidelity): &(Vec<u8>, Fidelity)) {
        let (terminal, name) = (self.context.terminal, self.args.files.name());
        if *fidelity == Fidelity::Values {
            terminal.warn(&format!("{name}: its values are sealed, but its layout can't be kept"));
        }
    }
}

/// Refuses what would be called sealed and is not: SOPS says nothing about a selection that leaves every value in the clear.
fn refuse_clear(format: Format, sealed: &[u8]) -> Result<(), Failure> {
    // Nearly always an envelope stands in front of the metadata, and reading the file once more would be for nothing.
    let text = std::str::from_utf8(sealed).unwrap_or_default();
    let is_sealed = matches!((text.find("ENC["), text.find("sops")), (Some(sealed), Some(sops)) if sealed < sops);
    if format == Format::Binary || is_sealed || !Sealed::parse(format, sealed).is_ok_and(|sealed| sealed.is_all_clear())
    {
        return Ok(());
    }
    Err(
        Failure::new("nothing in it would be encrypted: the selection leaves every value in the clear")
            .code(1)
            .hint("correct the selection, or leave the file out of the rule"),
    )
}

/// The sealed bytes; what could be sealed as a draft only is refused, since the file would not be a document.
fn sealed_or_refused(sealing: Sealing) -> Result<(Vec<u8>, Fidelity), Failure> {
    match sealing {
        Sealing::Sealed(bytes, fidelity) => Ok((bytes, fidelity)),
        Sealing::Draft(_, error) => Err(error.into()),
    }
}

#[cfg(unix)]
fn is_executable(file: Option<&Path>) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.and_then(|file| file.metadata().ok())
        .is_some_and(|data| data.permissions().mode() & 0o100 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: Option<&Path>) -> bool {
    false
}
