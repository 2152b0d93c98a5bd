//! What `set` and `unset` share: a file opened, changed at one place, and sealed again over its earlier state.
//!
//! A file that Git's filter keeps plain in the work tree is changed there and stays plain.

use std::fs;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::context::Context;
use super::decryption_order::DecryptionOrder;
use super::filtered::filtered;
use super::in_out::{CONFLICT, NO_FILE, format_of};
use super::paths::git_path;
use super::unopened::{no_data_key, unreadable};
use super::{clock, files};
use crate::document::change::{self, Reach};
use crate::document::key_path::Step;
use crate::document::{Document, Format, Item, KeyPath, Value};
use crate::sops::open::{MacCheck, open};
use crate::sops::seal::Fidelity;
use crate::sops::{self, Clear, Sealed};
use crate::ui::Failure;
use crate::vault::{Base, Sealing, Vault};

/// The options that `set` and `unset` share.
#[derive(Debug, clap::Args)]
pub struct ChangeArgs {
    /// The file
    file: Option<PathBuf>,
    /// Where the value is: keys in quotes and positions, each in brackets
    path: Option<String>,
    /// Open the file even if it was changed after it was sealed
    #[arg(long)]
    ignore_mac: bool,
    /// Read as yaml, json, dotenv, ini or binary, whatever the file's name
    #[arg(long, value_name = "TYPE", value_parser = format_of)]
    input_type: Option<Format>,
    /// For SOPS's sake; a file is never written in another format than it is read in
    #[arg(long, value_name = "TYPE", value_parser = format_of)]
    output_type: Option<Format>,
    #[command(flatten)]
    order: DecryptionOrder,
}

/// What to do at the place.
pub enum Change<'c> {
    /// Put this JSON value there.
    Set(&'c Document<'c>),
    /// Take away what is there.
    Unset,
    /// Take away what is there, if anything.
    UnsetIfThere,
}

/// A place in a file.
pub struct Target<'t> {
    file: &'t Path,
    format: Format,
    path: KeyPath,
    check: MacCheck,
}

impl ChangeArgs {
    /// The place that the arguments name.
    ///
    /// # Errors
    /// For missing arguments, types that differ, and a path that is none.
    pub fn target(&self) -> Result<Target<'_>, Failure> {
        self.order.check()?;
        let (Some(file), Some(path)) = (&self.file, &self.path) else {
            return Err(Failure::new("a file and a path are needed").code(NO_FILE));
        };
        let format = self.input_type.unwrap_or_else(|| Format::of_path(&git_path(file)));
        if self.output_type.is_some_and(|output| output != format) {
            let failure = Failure::new(format!("the file is {format} and stays {format}")).code(CONFLICT);
            return Err(failure.hint("`git seal decrypt --output-type` converts a file"));
        }
        let path = KeyPath::parse(path)?;
        if is_reserved(format, &path) {
            return Err(sops::Error::Reserved.into());
        }
        let check = if self.ignore_mac {
            MacCheck::Ignore
        } else {
            MacCheck::Verify
        };
        Ok(Target {
            file,
            format,
            path,
            check,
        })
    }
}

/// Whether a path leads into SOPS's own metadata.
fn is_reserved(format: Format, path: &KeyPath) -> bool {
    match path.steps.first() {
        Some(Step::Key(key)) if format == Format::Dotenv => key.starts_with("sops_"),
        Some(Step::Key(key)) => key == "sops",
        _ => false,
    }
}

impl Target<'_> {
    /// Changes the file; the exit code 0.
    ///
    /// # Errors
    /// With SOPS's exit codes; the file is as it was then.
    pub fn apply(&self, context: &Context, what: &Change<'_>) -> Result<u8, Failure> {
        files::expect_regular(self.file)?;
        let content = files::read(Some(self.file)).map_err(|failure| {
            if self.file.exists() {
                failure
            } else {
                failure.code(NO_FILE)
            }
        })?;
        let changed = match Sealed::parse(self.format, &content) {
            Ok(sealed) => self
                .change_sealed(context, &sealed, what)
                .map_err(|failure| self.at(failure))?,
            Err(error) => {
                let mut is_plain = false;
                let failure = unreadable(error, self.format, || {
                    is_plain = true;
                    sops::Error::NotSealed.into()
                });
                if !is_plain || filtered(self.file).is_none() {
                    return Err(self.at(failure));
                }
                self.change_plain(context, &content, what)
                    .map_err(|failure| self.at(failure))?
            }
        };
        if let Some(changed) = changed.filter(|changed| **changed != *content) {
            self.save(&content, &changed)?;
        }
        Ok(0)
    }

    /// A failure with the file in front.
    fn at(&self, failure: Failure) -> Failure {
        failure.at(self.file.display())
    }

    /// The sealed file after the change; none where there is nothing to change.
    fn change_sealed(
        &self,
        context: &Context,
        sealed: &Sealed<'_>,
        what: &Change<'_>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        if sealed.metadata.draft {
            let failure = Failure::new("it is a draft, sealed as a whole: nothing can be looked up in it").code(1);
            return Err(failure.hint("`git seal edit` makes it a sealed file"));
        }
        let found = context.found();
        let key = sealed.metadata.data_key(&found.keyring);
        let key = key.map_err(|error| no_data_key(error, sealed, found))?;
        let opened = open(self.format, sealed, key, Clear::Refuse, self.check)?;
        let Some(plain) = self.change_plain(context, &opened.content, what)? else {
            return Ok(None);
        };
        if plain == opened.content {
            return Ok(None);
        }
        let base = Base {
            sealed,
            opened: &opened,
        };
        let vault = Vault::new(None, &found.keyring);
        match vault.seal(self.format, &plain, None, Some(&base), &clock::now())? {
            Sealing::Sealed(bytes, fidelity) => {
                if fidelity == Fidelity::Values {
                    self.warn(context, "its values are sealed, but its layout can't be kept");
                }
                Ok(Some(Zeroizing::new(bytes)))
            }
            Sealing::Draft(_, error) => Err(error.into()),
        }
    }

    fn warn(&self, context: &Context, text: &str) {
        context.terminal.warn(&format!("{}: {text}", self.file.display()));
    }

    /// The plain content after the change; none where there is nothing to change.
    fn change_plain(
        &self,
        context: &Context,
        content: &[u8],
        what: &Change<'_>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        if self.format == Format::Binary {
            return self.change_binary(what).map(Some);
        }
        let (text, encoding) = sops::door::text_of(self.format, content)?;
        let changed = match what {
            Change::Set(value) => change::set(self.format, &text, &self.path, value),
            Change::Unset | Change::UnsetIfThere => change::unset(self.format, &text, &self.path),
        };
        let changed = match (changed, what) {
            (Err(change::Error::NotFound(_)), Change::UnsetIfThere) => return Ok(None),
            (changed, _) => changed?,
        };
        if changed.reach == Reach::Aliases {
            self.warn(
                context,
                "its aliases are written out, because one of them repeats or holds the value",
            );
        }
        Ok(Some(encoding.encode(&changed.text)))
    }

    /// A binary file is one text under the key `data`.
    fn change_binary(&self, what: &Change<'_>) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let is_data = matches!(self.path.steps.as_slice(), [Step::Key(key)] if key == "data");
        if let (true, Change::Set(Document { items, .. })) = (is_data, what)
            && let [_, Item::Leaf(leaf)] = items.as_slice()
            && let Value::Str(text) = &leaf.value
        {
            return Ok(Zeroizing::new(text.to_vec()));
        }
        let failure = Failure::new("a binary file is one text, and nothing can be looked up in it").code(4);
        Err(failure.hint(r#"`git seal set FILE '["data"]' '"text"'` replaces the text"#))
    }

    /// Writes the file, unless somebody else wrote it meanwhile.
    fn save(&self, before: &[u8], after: &[u8]) -> Result<(), Failure> {
        if !fs::read(self.file).is_ok_and(|found| found == before) {
            return Err(self.at(Failure::new("somebody else wrote the file meanwhile").code(3)));
        }
        files::replace(self.file, after)
    }
}
