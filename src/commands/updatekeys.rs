//! `updatekeys`: sealed files brought in line with their rule: its recipients, its groups, its selection.
//!
//! Other than SOPS's command of this name it seals anew where somebody lost access: who is let go must not read what comes next.

use std::path::{Path, PathBuf};

use super::context::{Context, POLICY};
use super::filtered::{Filtered, filtered};
use super::unopened::no_data_key;
use super::{clock, files, index_entry, paths};
use crate::document::Format;
use crate::policy::Policy;
use crate::sops::{self, Clear, Sealed};
use crate::ui::Failure;
use crate::vault::{Base, Sealing, Terms, Vault};

/// Arguments of `updatekeys`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Where Git's filter seals a file, the sealed form in the index is exchanged; elsewhere the file itself is.\n\n\
                        Example:\n  git seal updatekeys secrets/*.yaml"
)]
pub struct Args {
    /// Files, or folders: of a folder the sealed files that a rule is for.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Taken as SOPS takes it: there is no question to answer.
    #[arg(short, long)]
    pub yes: bool,
}

/// What became of a file.
enum Done {
    UpToDate,
    Sealed,
}

/// Seals the files for the recipients of their rules.
///
/// # Errors
/// When a file can't be opened or has no rule; the files before it are done then.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let mut files = Vec::new();
    for file in &args.files {
        if file.is_dir() {
            files.extend(ruled_below(file, context)?);
        } else {
            files.push(file.clone());
        }
    }
    for file in &files {
        let done = one(file, context).map_err(|failure| failure.at(file.display()))?;
        let what = match done {
            Done::UpToDate => "is in line with its rule already",
            Done::Sealed => "sealed anew for the recipients of its rule",
        };
        context.terminal.say(&format!("{}: {what}", file.display()));
    }
    Ok(0)
}

/// The files below a folder that a rule is for; what Git ignores is left out, and so are links.
fn ruled_below(folder: &Path, context: &Context) -> Result<Vec<PathBuf>, Failure> {
    let policy = context
        .work_tree_policy()
        .map_err(|reason| Failure::new(reason).code(1))?;
    let Some(policy) = policy else { return Ok(Vec::new()) };
    let top = context.top()?;
    let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
    let mut found = Vec::new();
    let walk = ignore::WalkBuilder::new(folder)
        .hidden(false)
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .sort_by_file_name(Ord::cmp)
        .build();
    for entry in walk {
        let entry = entry.map_err(|error| Failure::new(error.to_string()))?;
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let real = entry
            .path()
            .canonicalize()
            .map_err(|error| Failure::io(entry.path(), &error))?;
        let Ok(inside) = real.strip_prefix(&top) else { continue };
        let path = paths::git_path(inside);
        if !crate::policy::is_exempt(&path) && policy.rule_for(&path)?.is_some() {
            found.push(entry.into_path());
        }
    }
    Ok(found)
}

fn one(file: &Path, context: &Context) -> Result<Done, Failure> {
    let policy = context
        .work_tree_policy()
        .map_err(|reason| Failure::new(reason).code(1))?;
    if let Some(at) = filtered(file) {
        return in_index(file, &at, policy.as_ref(), context);
    }
    let top = context.top()?;
    let real = file.canonicalize().map_err(|error| Failure::io(file, &error))?;
    let inside = real.strip_prefix(top.canonicalize().unwrap_or_else(|_| top.to_owned()));
    let path = paths::git_path(inside.map_err(|_| Failure::new("it lies outside of this repository"))?);
    let content = std::fs::read(&real).map_err(|error| Failure::io(file, &error))?;
    match anew(&path, &content, policy.as_ref(), context)? {
        None => Ok(Done::UpToDate),
        Some((bytes, _)) => files::replace(&real, &bytes).map(|()| Done::Sealed),
    }
}

/// Exchanges the sealed form in the index; the work tree keeps the plain one, if that is what lies there.
fn in_index(file: &Path, at: &Filtered, policy: Option<&Policy>, context: &Context) -> Result<Done, Failure> {
    let blobs = index_entry::earlier(&at.repo, &at.path)?;
    let Some((_, stored)) = blobs.iter().find(|(earlier, _)| earlier.in_index) else {
        return Err(Failure::new("it is not in the index").hint("stage it with `git add`"));
    };
    match anew(&at.path, stored, policy, context)? {
        None => Ok(Done::UpToDate),
        Some((bytes, content)) => {
            let locked = std::fs::read(file).is_ok_and(|on_disk| on_disk == *stored);
            let blob = index_entry::put(&at.repo, &at.path, &bytes, false)?;
            if locked {
                // Git would take the earlier sealed form for a change back.
                files::replace(file, &bytes)?;
            }
            // Otherwise the next clean would have to open it to see that the work tree holds this very content.
            let format = Format::of_path(&at.path);
            context.filter(&Ok(None)).remember(format, &blob, &content);
            context.memory().flush();
            Ok(Done::Sealed)
        }
    }
}

/// A sealed file as its rule wants it, with its plain content; none where it is so already.
#[expect(clippy::type_complexity, reason = "sealed and plain bytes of one file")]
fn anew(
    path: &[u8],
    stored: &[u8],
    policy: Option<&Policy>,
    context: &Context,
) -> Result<Option<(Vec<u8>, Vec<u8>)>, Failure> {
    let format = Format::of_path(path);
    let found = context.found();
    let vault = Vault::new(policy, &found.keyring);
    let sealed = Sealed::parse(format, stored)?;
    let terms = vault.terms(path)?;
    let terms = terms.ok_or_else(|| Failure::new(format!("no rule of {POLICY} is for it")).code(1))?;
    if in_line(&sealed, &terms, format)? {
        return Ok(None);
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
        Sealing::Sealed(bytes, _) => Ok(Some((bytes, opened.content.to_vec()))),
        Sealing::Draft(_, error) => Err(error.into()),
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
