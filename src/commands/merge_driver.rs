//! `merge-driver`: Git's merge of a sealed file. Plain texts are merged, the result is sealed, a conflict too.

use std::path::{Path, PathBuf};

use super::context::Context;
use crate::document::merge::{ConflictStyle, Markers};
use crate::filter::merge::{Lines, Means, Merged, Sides};
use crate::git::Git;
use crate::ui::Failure;

/// Arguments of `merge-driver`, as the driver's command line gives them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The common ancestor's stored content (`%O`).
    pub base: PathBuf,
    /// Ours (`%A`); the result goes here.
    pub ours: PathBuf,
    /// Theirs (`%B`).
    pub theirs: PathBuf,
    /// Width of conflict markers (`%L`).
    pub marker_size: usize,
    /// The file's path (`%P`).
    pub path: PathBuf,
    /// Labels of base, ours and theirs (`%S %X %Y`); older versions of Git have none.
    pub labels: Vec<String>,
}

impl Args {
    fn markers(&self) -> Markers {
        let label = |index: usize, name: &str| {
            let known = self.labels.get(index);
            let known = known.filter(|label| !label.is_empty() && !label.starts_with('%'));
            known.map_or_else(|| name.to_owned(), Clone::clone)
        };
        Markers {
            size: self.marker_size,
            ours: label(1, "ours"),
            base: label(0, "base"),
            theirs: label(2, "theirs"),
            style: ConflictStyle::default(),
        }
    }
}

/// Merges three stored states.
///
/// # Errors
/// When a file can't be read or written, or nothing says for whom to seal.
pub fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let read = |path: &Path| std::fs::read(path).map_err(|error| Failure::io(path, &error));
    let (base, ours, theirs) = (read(&args.base)?, read(&args.ours)?, read(&args.theirs)?);
    let policy = context.work_tree_policy();
    let git = context.repo()?.git();
    let path = super::paths::git_path(&args.path);

    let sides = Sides {
        base: &base,
        ours: &ours,
        theirs: &theirs,
    };
    let means = Means {
        markers: &args.markers(),
        style: &|| conflict_style(git),
        lines: &|sides| by_lines(git, args, sides),
    };
    let merged = context.filter(&policy).merge(&path, sides, &means);
    let merged = merged.map_err(|error| Failure::from(error).at(args.path.display()))?;

    context.memory().flush();
    let put = |bytes: &[u8]| std::fs::write(&args.ours, bytes).map_err(|error| Failure::io(&args.ours, &error));
    match merged {
        Merged::Clean(bytes) => put(&bytes).map(|()| 0),
        Merged::Conflict(bytes) => put(&bytes).map(|()| 1),
        Merged::Unopened(error) => {
            let name = args.path.display();
            context.terminal.warn(&format!(
                "{name}: {error}; our side stays, the other one is not merged in"
            ));
            Ok(1)
        }
    }
}

/// What `merge.conflictStyle` says.
fn conflict_style(git: &Git) -> ConflictStyle {
    let found = git.exit(&["config", "--get", "merge.conflictStyle"], b"").ok();
    let name = found
        .filter(|(code, ..)| *code == Some(0))
        .and_then(|(_, name, _)| String::from_utf8(name).ok());
    name.and_then(|name| ConflictStyle::of_name(name.trim()))
        .unwrap_or_default()
}

/// Merges by line with Git's own means. It reads files, so the plain texts go to a private folder for as long as it runs.
fn by_lines(git: &Git, args: &Args, sides: Sides<'_>) -> Option<Lines> {
    let folder = tempfile::Builder::new().prefix("git-seal-").tempdir().ok()?;
    let write = |name: &str, bytes: &[u8]| -> Option<PathBuf> {
        let path = folder.path().join(name);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        std::io::Write::write_all(&mut options.open(&path).ok()?, bytes).ok()?;
        Some(path)
    };
    let paths = [
        write("ours", sides.ours)?,
        write("base", sides.base)?,
        write("theirs", sides.theirs)?,
    ];
    let mut words: Vec<std::ffi::OsString> = vec!["merge-file".into(), "-p".into()];
    words.push(format!("--marker-size={}", args.marker_size).into());
    let markers = args.markers();
    for label in [markers.ours, markers.base, markers.theirs] {
        words.extend(["-L".into(), label.into()]);
    }
    words.extend(paths.iter().map(|path| path.clone().into_os_string()));
    let (code, text, _) = git.exit(&words, b"").ok()?;
    for path in &paths {
        wipe(path);
    }
    let text = zeroize::Zeroizing::new(text);
    match code? {
        0 => Some(Lines { text, conflict: false }),
        // The number of conflicts, at most 127; above it is an error.
        1..=127 => Some(Lines { text, conflict: true }),
        _ => None,
    }
}

/// Overwrites a file before its folder is removed.
fn wipe(path: &Path) {
    if let Ok(data) = std::fs::metadata(path) {
        let length = usize::try_from(data.len()).unwrap_or(0);
        std::fs::write(path, vec![0; length]).ok();
    }
}
