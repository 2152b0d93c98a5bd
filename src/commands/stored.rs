//! Sealed files where they are stored: in the work tree or, behind Git's filter, in the index. Many are worked through in
//! one go: Git is asked once a repository, each file is exchanged whole, and one that fails does not stop the others.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use zeroize::Zeroizing;

use super::context::Context;
use super::filtered::is_installed;
use super::in_out::NO_FILE;
use super::index_entry::{self, NewEntry};
use super::{files, paths};
use crate::document::Format;
use crate::git::Repo;
use crate::git::attributes::{AttributeSource, check_from_top};
use crate::sops::{self, Sealed};
use crate::ui::Failure;
use crate::ui::progress::Progress;

/// How many new index entries wait for each other: a call of Git for each would take longer than the sealing.
const WAITING: usize = 256;

/// A sealed file as it is stored.
pub struct Stored {
    /// The file as it was named.
    pub file: PathBuf,
    /// Its format.
    pub format: Format,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
    home: Home,
}

/// Where a file is stored.
#[derive(Clone)]
enum Home {
    /// In the file itself, behind all links.
    Disk(PathBuf),
    /// At a path of the index of a repository.
    Index(Rc<Repo>, Vec<u8>),
}

/// What becomes of a stored file.
pub enum Fate {
    /// It stays as it is, and why.
    Stays(&'static str),
    /// It is exchanged.
    Becomes {
        /// The sealed bytes that take its place.
        sealed: Vec<u8>,
        /// What they open to.
        plain: Zeroizing<Vec<u8>>,
        /// What was done, for people.
        said: &'static str,
    },
}

/// Which files of a folder are meant.
pub enum Reach<'r> {
    /// Those that are sealed.
    Sealed,
    /// Those that a rule is for.
    Ruled(&'r dyn Fn(&Path) -> Result<bool, Failure>),
}

impl Stored {
    /// Repository and path, where the file is stored in an index.
    #[must_use]
    pub fn in_index(&self) -> Option<(&Repo, &[u8])> {
        match &self.home {
            Home::Index(repo, path) => Some((repo, path)),
            Home::Disk(_) => None,
        }
    }

    /// The named file as it is stored.
    fn load(named: &Named, input_type: Option<Format>) -> Result<Self, Failure> {
        let (bytes, path) = match &named.home {
            Home::Disk(real) => {
                files::expect_regular(real)?;
                let bytes = std::fs::read(real).map_err(|error| Failure::io(&named.file, &error))?;
                (bytes, paths::git_path(&named.file))
            }
            Home::Index(repo, path) => {
                let blobs = index_entry::earlier(repo, path)?;
                let stored = blobs.into_iter().find(|(earlier, _)| earlier.in_index);
                let missing = || Failure::new("it is not in the index").hint("stage it with `git add`");
                (stored.ok_or_else(missing)?.1, path.clone())
            }
        };
        Ok(Self {
            file: named.file.clone(),
            format: input_type.unwrap_or_else(|| Format::of_path(&path)),
            bytes,
            home: named.home.clone(),
        })
    }

    fn is_sealed(&self) -> bool {
        let parsed = Sealed::parse(self.format, &self.bytes);
        !matches!(
            parsed,
            Err(sops::Error::NotSealed | sops::Error::NotUtf8 | sops::Error::Document(_))
        )
    }
}

struct Named {
    file: PathBuf,
    home: Home,
    /// Of a folder, and meant only if it is sealed.
    if_sealed: bool,
}

/// Files to be worked through.
pub struct Batch {
    files: Vec<Named>,
    input_type: Option<Format>,
}

impl Batch {
    /// The named files, and of named folders those that are meant. What Git ignores is left out of folders, and so are links.
    ///
    /// # Errors
    /// When a folder can't be walked through, a rule can't be judged, or Git can't be asked.
    pub fn of(named: &[PathBuf], input_type: Option<Format>, reach: &Reach<'_>) -> Result<Self, Failure> {
        let mut found = Vec::new();
        for name in named {
            if !name.is_dir() {
                found.push((name.clone(), false));
                continue;
            }
            for file in below(name)? {
                match reach {
                    Reach::Sealed => found.push((file, true)),
                    Reach::Ruled(is_ruled) => {
                        if is_ruled(&file)? {
                            found.push((file, false));
                        }
                    }
                }
            }
        }
        let homes = homes(&found)?;
        let files = found.into_iter().zip(homes);
        Ok(Self {
            files: files
                .map(|((file, if_sealed), home)| Named { file, home, if_sealed })
                .collect(),
            input_type,
        })
    }

    /// Works through all files. The failure of a single one is handed on; of several they are told as they come, and the
    /// others are done all the same.
    ///
    /// # Errors
    /// When a file could not be done.
    pub fn each(
        &self,
        context: &Context,
        mut work: impl FnMut(&Stored) -> Result<Fate, Failure>,
    ) -> Result<u8, Failure> {
        let mut run = Run::new(context, self.files.len());
        for named in &self.files {
            let name = named.file.display().to_string();
            let done = Stored::load(named, self.input_type).and_then(|stored| {
                if named.if_sealed && !stored.is_sealed() {
                    return Ok(());
                }
                run.settle(&stored, work(&stored)?)
            });
            if let Err(failure) = done {
                run.fail(failure.at(&name))?;
            }
            run.progress.step(&name);
        }
        run.finish()
    }
}

/// One way through a batch.
struct Run<'r> {
    context: &'r Context,
    total: usize,
    progress: Progress,
    waiting: Vec<Waiting>,
    failed: usize,
    changed: usize,
    stayed: usize,
}

/// An index entry that is still to be put in, and what is to be remembered and said when it is.
struct Waiting {
    repo: Rc<Repo>,
    entry: NewEntry,
    format: Format,
    plain: Zeroizing<Vec<u8>>,
    /// The file of a locked checkout with the sealed bytes it then holds: Git would take the earlier ones for a change.
    locked: Option<(PathBuf, Vec<u8>)>,
    message: String,
}

impl<'r> Run<'r> {
    fn new(context: &'r Context, total: usize) -> Self {
        Self {
            context,
            total,
            progress: Progress::new(total),
            waiting: Vec::new(),
            failed: 0,
            changed: 0,
            stayed: 0,
        }
    }

    fn settle(&mut self, stored: &Stored, fate: Fate) -> Result<(), Failure> {
        let name = stored.file.display();
        let (sealed, plain, said) = match fate {
            Fate::Stays(why) => {
                self.stayed += 1;
                // Of many files, those with which nothing happened are only counted.
                if self.total == 1 {
                    self.say(&format!("{name}: {why}"));
                }
                return Ok(());
            }
            Fate::Becomes { sealed, plain, said } => (sealed, plain, said),
        };
        let message = format!("{name}: {said}");
        match &stored.home {
            Home::Disk(real) => {
                files::replace(real, &sealed)?;
                self.changed += 1;
                self.say(&message);
            }
            Home::Index(repo, path) => {
                let entry = index_entry::write(repo, path, &sealed)?;
                let locked = std::fs::read(&stored.file).is_ok_and(|on_disk| on_disk == stored.bytes);
                self.waiting.push(Waiting {
                    repo: Rc::clone(repo),
                    entry,
                    format: stored.format,
                    plain,
                    locked: locked.then(|| (stored.file.clone(), sealed)),
                    message,
                });
                if self.waiting.len() >= WAITING {
                    self.flush()?;
                }
            }
        }
        Ok(())
    }

    /// Puts in the entries that wait.
    fn flush(&mut self) -> Result<(), Failure> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut rest = waiting.as_slice();
        while let Some(first) = rest.first() {
            let same = rest
                .iter()
                .take_while(|next| Rc::ptr_eq(&next.repo, &first.repo))
                .count();
            let (now, later) = rest.split_at(same);
            index_entry::put_all(&first.repo, now.iter().map(|waiting| &waiting.entry))?;
            for done in now {
                if let Some((file, sealed)) = &done.locked {
                    files::replace(file, sealed)?;
                }
                // Otherwise the next clean would have to open it to see that the work tree holds this very content.
                let filter = self.context.filter(&Ok(None));
                filter.remember(done.format, &done.entry.blob, &done.plain);
                self.changed += 1;
                self.progress.clear();
                self.context.terminal.say(&done.message);
            }
            rest = later;
        }
        self.context.memory().flush();
        Ok(())
    }

    fn say(&mut self, message: &str) {
        self.progress.clear();
        self.context.terminal.say(message);
    }

    /// Tells a failure where others follow, and hands it on where none does.
    fn fail(&mut self, failure: Failure) -> Result<(), Failure> {
        if self.total == 1 {
            return Err(failure);
        }
        self.failed += 1;
        self.progress.clear();
        self.context.terminal.failure(&failure);
        Ok(())
    }

    fn finish(mut self) -> Result<u8, Failure> {
        if !self.waiting.is_empty() {
            self.flush()?;
        }
        self.progress.clear();
        if self.failed > 0 {
            let failed = paths::count(self.failed, "file");
            return Err(Failure::new(format!("{failed} of {} could not be done", self.total))
                .code(1)
                .hint("the others are done; the same command goes on with those that are left"));
        }
        if self.total != 1 {
            let done = paths::count(self.changed, "file");
            self.context
                .terminal
                .say(&format!("{done} sealed anew, {} left as they were", self.stayed));
        }
        Ok(0)
    }
}

/// The regular files below a folder, in the order of their names.
fn below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let walk = ignore::WalkBuilder::new(folder)
        .hidden(false)
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .sort_by_file_name(Ord::cmp)
        .build();
    let mut found = Vec::new();
    for entry in walk {
        let entry = entry.map_err(|error| Failure::new(error.to_string()))?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            found.push(entry.into_path());
        }
    }
    Ok(found)
}

/// Where each file is stored.
fn homes(files: &[(PathBuf, bool)]) -> Result<Vec<Home>, Failure> {
    let mut repos: HashMap<PathBuf, Option<Rc<Repo>>> = HashMap::new();
    let mut homes = Vec::with_capacity(files.len());
    let mut asked: HashMap<PathBuf, Vec<(usize, Vec<u8>)>> = HashMap::new();
    for (index, (file, _)) in files.iter().enumerate() {
        let real = file.canonicalize().map_err(|error| {
            let failure = Failure::io(file, &error);
            if error.kind() == std::io::ErrorKind::NotFound {
                failure.code(NO_FILE)
            } else {
                failure
            }
        })?;
        let top = real.ancestors().skip(1).find(|folder| folder.join(".git").exists());
        if let Some(top) = top {
            let repo = repos.entry(top.to_owned()).or_insert_with(|| installed(top));
            if repo.is_some()
                && let Ok(inside) = real.strip_prefix(top)
            {
                asked
                    .entry(top.to_owned())
                    .or_default()
                    .push((index, paths::git_path(inside)));
            }
        }
        homes.push(Home::Disk(real));
    }
    for (top, paths) in asked {
        let Some(repo) = repos.get(&top).and_then(Option::as_ref) else {
            continue;
        };
        let names = paths.iter().map(|(_, path)| path.as_slice());
        let attributes = check_from_top(repo, AttributeSource::WorkTree, names)?;
        for ((index, path), attributes) in paths.iter().zip(attributes) {
            if attributes.filter.is("git-seal")
                && let Some(home) = homes.get_mut(*index)
            {
                *home = Home::Index(Rc::clone(repo), path.clone());
            }
        }
    }
    Ok(homes)
}

/// The repository with this work tree, if Git's filter seals files in it.
fn installed(top: &Path) -> Option<Rc<Repo>> {
    let repo = Repo::open(top).ok()?;
    is_installed(&repo).then(|| Rc::new(repo))
}
