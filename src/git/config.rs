//! Our filter, diff and merge driver in Git's configuration: put there, and taken away without a trace.
//!
//! Git itself does the writing, under its own lock. `filter.git-seal.required` is part of it always: without it Git stages
//! plaintext when the filter fails (gitattributes(5)).

use std::ffi::OsStr;
use std::path::PathBuf;

use super::command::Git;
use super::error::Error;
use super::os_path::os_path;
use super::program::Program;
use super::version::Version;

/// The name of all three drivers, in attributes and in the configuration.
pub const DRIVER: &str = "git-seal";

/// Every key that we set, and so every key that is ours to take away.
pub(super) const KEYS: [&str; 7] = [
    "filter.git-seal.process",
    "filter.git-seal.clean",
    "filter.git-seal.smudge",
    "filter.git-seal.required",
    "diff.git-seal.textconv",
    "merge.git-seal.name",
    "merge.git-seal.driver",
];

/// The configuration file that a driver is put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The repository's, shared by its work trees.
    Local,
    /// The user's.
    Global,
    /// That of one work tree; Git wants `extensions.worktreeConfig` for it when there are several.
    Worktree,
}

impl Scope {
    fn option(self) -> &'static str {
        match self {
            Self::Local => "--local",
            Self::Global => "--global",
            Self::Worktree => "--worktree",
        }
    }
}

/// Whether a call changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Something was written.
    Yes,
    /// All was as it should be.
    No,
}

/// The seven keys with the values that Git should find for `program`.
///
/// `process` begins with `exec`, because Git runs a command with a space in it through a shell that would stay beside us for
/// as long as the filter runs.
fn values(program: &Program, version: Version) -> [(&'static str, Vec<u8>); 7] {
    let [process, clean, smudge, required, textconv, name, driver] = KEYS;
    let word = program.word();
    let replaced = program.word_with_placeholders();
    let labels: &[u8] = if version >= Version::MERGE_LABELS {
        b" %S %X %Y"
    } else {
        b""
    };
    [
        (process, [b"exec ", &word[..], b" filter-process"].concat()),
        (clean, [&replaced[..], b" clean -- %f"].concat()),
        (smudge, [&replaced[..], b" smudge -- %f"].concat()),
        (required, b"true".to_vec()),
        (textconv, [&word[..], b" textconv"].concat()),
        (name, b"merge of sealed files".to_vec()),
        (
            driver,
            [&replaced[..], b" merge-driver %O %A %B %L %P", labels].concat(),
        ),
    ]
}

/// Sets all keys of the three drivers in one configuration file; a file that has them already is not written.
///
/// # Errors
/// Those of [`Git::run`]: no repository, a locked or unreadable configuration file.
pub fn install(git: &Git, scope: Scope, program: &Program) -> Result<Changed, Error> {
    let found = ours(git, scope)?;
    let mut changed = Changed::No;
    for (key, value) in values(program, Version::of(git)?) {
        let there: Vec<&Entry> = found.iter().filter(|entry| entry.key == key).collect();
        if matches!(there[..], [entry] if entry.value == value) {
            continue;
        }
        let value = os_path(&value).into_os_string();
        let [option, replace] = [scope.option(), "--replace-all"].map(OsStr::new);
        git.run(&[OsStr::new("config"), option, replace, OsStr::new(key), &value])?;
        changed = Changed::Yes;
    }
    Ok(changed)
}

/// Takes our keys away from one configuration file, with the sections that are empty then. Keys that are not ours stay.
///
/// The file is byte for byte what it was before [`install`]; only a last line that had no line end keeps the one that
/// Git gave it.
///
/// # Errors
/// As [`install`].
pub fn uninstall(git: &Git, scope: Scope) -> Result<Changed, Error> {
    let found = ours(git, scope)?;
    let Some(file) = found.first().map(|entry| entry.file.clone()) else {
        return Ok(Changed::No);
    };
    for key in KEYS.iter().filter(|key| found.iter().any(|entry| entry.key == **key)) {
        git.run(&["config", scope.option(), "--unset-all", key])?;
    }
    // Git leaves an empty section behind when a comment stands before it, because that may be a remark on it.
    let text = std::fs::read(&file).map_err(|source| Error::Io {
        path: file.clone(),
        source,
    })?;
    for kind in ["filter", "diff", "merge"] {
        if all_bare(&text, &format!("[{kind} \"{DRIVER}\"]")) {
            git.run(&[
                "config",
                scope.option(),
                "--remove-section",
                &format!("{kind}.{DRIVER}"),
            ])?;
        }
    }
    Ok(Changed::Yes)
}

/// Whether `header` is a line of `text`, and wherever it is, the next section or the end follows at once.
fn all_bare(text: &[u8], header: &str) -> bool {
    let lines: Vec<&[u8]> = text
        .split_inclusive(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .collect();
    let mut after = lines
        .iter()
        .zip(lines.iter().skip(1).map(Some).chain([None]))
        .filter_map(|(line, next)| {
            let is_header = *line == header.as_bytes();
            is_header.then(|| next.is_none_or(|next| next.starts_with(b"[")))
        });
    after.next().is_some_and(|first| first && after.all(|bare| bare))
}

/// One of our keys as a configuration file has it.
struct Entry {
    file: PathBuf,
    key: String,
    value: Vec<u8>,
}

/// Our keys in one configuration file, in its order, without the files that it includes.
fn ours(git: &Git, scope: Scope) -> Result<Vec<Entry>, Error> {
    let args = [
        "config",
        scope.option(),
        "-z",
        "--show-origin",
        "--get-regexp",
        r"^(filter|diff|merge)\.git-seal\.",
    ];
    let (code, stdout, _) = git.exit(&args, &[])?;
    // 1 is "nothing found" (or no such file, for --global); any other failure is told by a plain run.
    let stdout = if code == Some(1) {
        Vec::new()
    } else if code == Some(0) {
        stdout
    } else {
        git.run(&args)?
    };
    let mut fields = stdout.split(|&byte| byte == 0);
    let mut entries = Vec::new();
    while let (Some(origin), Some(pair)) = (fields.next(), fields.next()) {
        let bad = Error::Output { what: "config" };
        let Some(path) = origin.strip_prefix(b"file:") else {
            return Err(bad);
        };
        let (key, value) = split_pair(pair);
        if KEYS.contains(&key.as_str()) {
            let file = absolute(git, scope, os_path(path).as_os_str())?;
            entries.push(Entry {
                file,
                key,
                value: value.unwrap_or_default(),
            });
        }
    }
    Ok(entries)
}

/// A key and its value as `git config -z` writes them; a key without `=` has no value at all.
pub(super) fn split_pair(pair: &[u8]) -> (String, Option<Vec<u8>>) {
    let mut parts = pair.splitn(2, |&byte| byte == b'\n');
    let key = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    (key, parts.next().map(<[u8]>::to_vec))
}

/// The path of a configuration file whose `--show-origin` is `shown`: Git shows those inside the repository relative to a
/// folder that depends on where it was started.
fn absolute(git: &Git, scope: Scope, shown: &OsStr) -> Result<PathBuf, Error> {
    let name = match scope {
        Scope::Global => return Ok(git.folder().join(shown)),
        Scope::Worktree if shown.to_string_lossy().ends_with(".worktree") => "config.worktree",
        // Without the extension, `--worktree` means the repository's own file.
        Scope::Local | Scope::Worktree => "config",
    };
    let mut path = git.run(&["rev-parse", "--path-format=absolute", "--git-path", name])?;
    if path.last() == Some(&b'\n') {
        path.pop();
    }
    Ok(os_path(&path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

    use std::fs;

    use super::*;
    use crate::git::testing::{Sandbox, hermetic};

    const NEW: Version = Version::MERGE_LABELS;
    const OLD: Version = Version { major: 2, minor: 39 };

    fn get(git: &Git, key: &str) -> Vec<u8> {
        git.run(&["config", "-z", key]).unwrap()
    }

    #[test]
    fn the_values_fit_the_running_git() {
        let program = Program::At("/opt/50% off/git-seal".into());
        let text = |version| {
            let values = values(&program, version);
            values.map(|(key, value)| format!("{key}={}", String::from_utf8(value).unwrap()))
        };
        let new = text(NEW);
        let expected = [
            "filter.git-seal.process=exec '/opt/50% off/git-seal' filter-process",
            "filter.git-seal.clean='/opt/50%% off/git-seal' clean -- %f",
            "filter.git-seal.smudge='/opt/50%% off/git-seal' smudge -- %f",
            "filter.git-seal.required=true",
            "diff.git-seal.textconv='/opt/50% off/git-seal' textconv",
            "merge.git-seal.name=merge of sealed files",
            "merge.git-seal.driver='/opt/50%% off/git-seal' merge-driver %O %A %B %L %P %S %X %Y",
        ];
        assert_eq!(new, expected);
        let old = text(OLD);
        assert_eq!(old[..6], new[..6]);
        assert!(old[6].ends_with("%L %P"), "{}", old[6]);
    }

    #[test]
    fn outside_a_repository_nothing_is_written() {
        hermetic(module_path!(), "outside_a_repository_nothing_is_written", |sandbox| {
            let git = sandbox.git_in(".");
            assert!(matches!(
                install(&git, Scope::Local, &Program::OnPath),
                Err(Error::GitFailed { .. })
            ));
            assert!(matches!(uninstall(&git, Scope::Local), Err(Error::GitFailed { .. })));
            assert!(!sandbox.home.join(".gitconfig").exists());
        });
    }

    #[test]
    fn a_locked_file_is_an_error() {
        hermetic(module_path!(), "a_locked_file_is_an_error", |sandbox| {
            sandbox.write(".git/config.lock", b"");
            assert!(matches!(
                install(&sandbox.git, Scope::Local, &Program::OnPath),
                Err(Error::GitFailed { .. })
            ));
        });
    }

    #[test]
    fn uninstalling_gives_the_bytes_back() {
        hermetic(
            module_path!(),
            "uninstalling_gives_the_bytes_back",
            gives_the_bytes_back,
        );
    }

    fn gives_the_bytes_back(sandbox: &Sandbox) {
        let git = &sandbox.git;
        let file = sandbox.path(".git/config");
        let core = String::from_utf8(fs::read(&file).unwrap()).unwrap();
        let cases = [
            core.clone(),
            format!("# before\n{core}\n\n; after\n"),
            format!("{core}# the last line is a comment\n"),
            format!("{core}[filter \"lfs\"]\r\n\tprocess = git-lfs filter-process\r\n"),
            format!("{core}[filter \"git-seal\"]\n\tfoo = kept ; with a remark\n"),
            format!("{core}[filter \"git-seal\"]\n\t# a remark of the user\n[user]\n\tname = A\n"),
            format!("{core}[diff \"git-seal\"]\n\tcachetextconv = false\n[merge]\n\ttool = x\n"),
        ];
        for before in cases {
            fs::write(&file, &before).unwrap();
            for program in [Program::OnPath, Program::At("/a b/it's; #x\\\"".into())] {
                assert_eq!(install(git, Scope::Local, &program).unwrap(), Changed::Yes, "{before}");
                let installed = fs::read(&file).unwrap();
                assert_eq!(install(git, Scope::Local, &program).unwrap(), Changed::No, "{before}");
                assert_eq!(fs::read(&file).unwrap(), installed, "{before}");
                let process = [b"exec ", &program.word()[..], b" filter-process\0"].concat();
                assert_eq!(get(git, "filter.git-seal.process"), process, "{before}");
            }
            assert_eq!(uninstall(git, Scope::Local).unwrap(), Changed::Yes);
            assert_eq!(String::from_utf8(fs::read(&file).unwrap()).unwrap(), before);
            assert_eq!(uninstall(git, Scope::Local).unwrap(), Changed::No);
        }
    }

    #[test]
    fn every_scope_has_its_own_file() {
        hermetic(module_path!(), "every_scope_has_its_own_file", every_scope);
    }

    fn every_scope(sandbox: &Sandbox) {
        sandbox.commit();
        sandbox.write("sub/folder/file", b"");
        let sub = sandbox.git_in("repo/sub/folder");
        let global = sandbox.home.join(".gitconfig");
        fs::write(&global, "[user]\n\tname = A\n# end\n").unwrap();
        sandbox
            .git
            .run(&["config", "extensions.worktreeConfig", "true"])
            .unwrap();
        sandbox.git.run(&["worktree", "add", "--quiet", "../linked"]).unwrap();
        let worktree = sandbox.path(".git/worktrees/linked/config.worktree");
        fs::write(&worktree, "[core]\n\tsparseCheckout = false\n# end\n").unwrap();
        let local = sandbox.path(".git/config");
        let cases = [
            (Scope::Local, &sub, &local),
            (Scope::Global, &sub, &global),
            (Scope::Global, &sandbox.git_in("."), &global),
            (Scope::Worktree, &sandbox.git_in("linked"), &worktree),
        ];
        for (scope, git, file) in cases {
            let before = fs::read(file).unwrap();
            install(git, scope, &Program::OnPath).unwrap();
            let during = String::from_utf8(fs::read(file).unwrap()).unwrap();
            assert!(during.contains("filter-process"), "{scope:?}");
            assert_eq!(get(git, "filter.git-seal.required"), b"true\0", "{scope:?}");
            uninstall(git, scope).unwrap();
            assert_eq!(fs::read(file).unwrap(), before, "{scope:?}");
        }
    }

    #[test]
    fn values_set_twice_become_one() {
        hermetic(module_path!(), "values_set_twice_become_one", |sandbox| {
            for value in ["one", "two"] {
                sandbox
                    .git
                    .run(&["config", "--add", "filter.git-seal.clean", value])
                    .unwrap();
            }
            install(&sandbox.git, Scope::Local, &Program::OnPath).unwrap();
            let all = sandbox
                .git
                .run(&["config", "--get-all", "filter.git-seal.clean"])
                .unwrap();
            assert_eq!(all, b"git-seal clean -- %f\n");
        });
    }
}
