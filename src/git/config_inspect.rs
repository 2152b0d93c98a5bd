//! What Git's configuration says about our drivers, wherever it says so, and what is dangerous about it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::command::Git;
use super::config::{KEYS, split_pair};
use super::error::Error;
use super::os_path::{git_path, is_executable, os_path};

/// One key of `filter.git-seal`, `diff.git-seal` or `merge.git-seal`, as one file or the command line sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key, its section in lowercase.
    pub key: String,
    /// The value; absent for a key without `=`, which Git takes for true.
    pub value: Option<Vec<u8>>,
    /// Git's word for the kind of place: `system`, `global`, `local`, `worktree` or `command`.
    pub scope: String,
    /// Git's word for the place itself, such as `file:~/.gitconfig`.
    pub origin: Vec<u8>,
}

/// Something in the configuration that leaves secrets unsealed or commands failing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hazard {
    /// A key that we set is not there. Without `filter.git-seal.process` Git stages plaintext.
    Missing {
        /// The key.
        key: &'static str,
    },
    /// `filter.git-seal.process` is the empty string: it hides the one-shot commands and runs nothing.
    EmptyProcess,
    /// `filter.git-seal.required` is not true: plaintext is staged when the filter fails.
    NotRequired,
    /// `diff.git-seal.cachetextconv` is on: Git stores plaintext under `refs/notes/textconv/git-seal`.
    CachedTextconv,
    /// A command names a program that can't be run.
    NoProgram {
        /// The key of the command.
        key: String,
        /// The program as named.
        program: PathBuf,
    },
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drivers {
    /// Every setting in the order in which Git reads them: the last one of a key counts.
    pub settings: Vec<Setting>,
    /// What is dangerous about those that count; empty when all is well.
    pub hazards: Vec<Hazard>,
}

impl Drivers {
    /// The setting of `key` that counts.
    #[must_use]
    pub fn effective(&self, key: &str) -> Option<&Setting> {
        effective(&self.settings, key)
    }
}

fn effective<'a>(settings: &'a [Setting], key: &str) -> Option<&'a Setting> {
    settings.iter().rev().find(|setting| setting.key == key)
}

/// Reads the drivers' settings from all configuration that is in force. `search_path` is the value of `PATH`, to look
/// programs up in.
///
/// # Errors
/// Those of [`Git::run`]; [`Error::Output`] when Git's list can't be read.
pub fn inspect(git: &Git, search_path: Option<&OsStr>) -> Result<Drivers, Error> {
    let args = [
        "config",
        "-z",
        "--show-scope",
        "--show-origin",
        "--get-regexp",
        r"^(filter|diff|merge)\.git-seal\.",
    ];
    let (code, stdout, _) = git.exit(&args, &[])?;
    let stdout = if code == Some(1) {
        Vec::new()
    } else if code == Some(0) {
        stdout
    } else {
        git.run(&args)?
    };
    let mut fields = stdout.split(|&byte| byte == 0);
    let mut settings = Vec::new();
    while let (Some(scope), Some(origin)) = (fields.next(), fields.next()) {
        let pair = fields.next().ok_or(Error::Output { what: "config" })?;
        let (key, value) = split_pair(pair);
        let scope = String::from_utf8_lossy(scope).into_owned();
        settings.push(Setting {
            key,
            value,
            scope,
            origin: origin.to_vec(),
        });
    }
    let hazards = hazards(git.folder(), &settings, search_path);
    Ok(Drivers { settings, hazards })
}

fn hazards(folder: &Path, settings: &[Setting], search_path: Option<&OsStr>) -> Vec<Hazard> {
    let mut hazards = Vec::new();
    for key in KEYS {
        let Some(setting) = effective(settings, key) else {
            // The name is for people only.
            if key != "merge.git-seal.name" {
                hazards.push(Hazard::Missing { key });
            }
            continue;
        };
        let value = setting.value.as_deref();
        match key {
            "filter.git-seal.required" if !is_true(value) => hazards.push(Hazard::NotRequired),
            "filter.git-seal.required" | "merge.git-seal.name" => {}
            "filter.git-seal.process" if value.unwrap_or_default().is_empty() => hazards.push(Hazard::EmptyProcess),
            _ => {
                let program = program_of(value.unwrap_or_default());
                if let Some(program) = program.filter(|program| !runs(folder, program, search_path)) {
                    hazards.push(Hazard::NoProgram {
                        key: key.to_owned(),
                        program,
                    });
                }
            }
        }
    }
    if effective(settings, "diff.git-seal.cachetextconv").is_some_and(|setting| is_true(setting.value.as_deref())) {
        hazards.push(Hazard::CachedTextconv);
    }
    hazards
}

/// Git's idea of a true value.
fn is_true(value: Option<&[u8]>) -> bool {
    let Some(value) = value else { return true };
    let number = std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse::<i64>().ok());
    number.is_some_and(|number| number != 0)
        || [&b"true"[..], b"yes", b"on"]
            .iter()
            .any(|word| value.eq_ignore_ascii_case(word))
}

/// The program that a shell command starts; `None` where only a shell could tell.
fn program_of(command: &[u8]) -> Option<PathBuf> {
    let words = shlex::bytes::split(command)?;
    let word = words.iter().find(|word| **word != b"exec")?;
    let plain = !word.iter().any(|byte| b"$`;&|()<>=~*?!".contains(byte));
    plain.then(|| os_path(word))
}

/// Whether `program` is a file that may be executed: at its path, or for a bare name in the search path.
fn runs(folder: &Path, program: &Path, search_path: Option<&OsStr>) -> bool {
    let executable = |path: &Path| {
        path.metadata()
            .is_ok_and(|found| found.is_file() && is_executable(&found, 0o111))
    };
    if git_path(program).contains(&b'/') {
        return executable(&folder.join(program));
    }
    search_path
        .is_some_and(|list| std::env::split_paths(list).any(|place| executable(&folder.join(place).join(program))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

    use std::fs;

    use super::*;
    use crate::git::config::{Scope, install};
    use crate::git::program::Program;
    use crate::git::testing::{Sandbox, hermetic};

    #[test]
    fn programs_are_the_first_word() {
        let cases: [(&str, Option<&str>); 9] = [
            ("", None),
            ("'open", None),
            ("$HOME/git-seal clean", None),
            ("X=1 git-seal clean", None),
            ("git-seal", Some("git-seal")),
            ("git-seal clean -- %f", Some("git-seal")),
            ("exec git-seal filter-process", Some("git-seal")),
            ("exec '/a b/git-seal' filter-process", Some("/a b/git-seal")),
            ("/a\\ b/git-seal x", Some("/a b/git-seal")),
        ];
        for (command, program) in cases {
            assert_eq!(program_of(command.as_bytes()), program.map(PathBuf::from), "{command}");
        }
    }

    #[test]
    fn truth_is_gits() {
        for (value, truth) in [
            ("", false),
            ("0", false),
            ("off", false),
            ("no", false),
            ("maybe", false),
        ] {
            assert_eq!(is_true(Some(value.as_bytes())), truth, "{value}");
        }
        for value in ["true", "TRUE", "Yes", "on", "1", "-1"] {
            assert!(is_true(Some(value.as_bytes())), "{value}");
        }
        assert!(is_true(None));
    }

    #[test]
    fn hazards_are_named() {
        hermetic(module_path!(), "hazards_are_named", named);
    }

    fn named(sandbox: &Sandbox) {
        let git = &sandbox.git;
        let found = |path: Option<&Path>| inspect(git, path.map(Path::as_os_str)).unwrap().hazards;
        let all_missing = KEYS
            .into_iter()
            .filter(|key| !key.ends_with("name"))
            .map(|key| Hazard::Missing { key });
        assert_eq!(found(None), all_missing.collect::<Vec<_>>());

        let bin = sandbox.home.join("bin");
        fs::create_dir(&bin).unwrap();
        let program = bin.join("git-seal");
        fs::write(&program, "").unwrap();
        install(git, Scope::Local, &Program::OnPath).unwrap();
        let lost = found(Some(&bin));
        assert_eq!(
            lost.len(),
            5,
            "a file without the executable bit is no program: {lost:?}"
        );
        crate::git::os_path::make_executable(&fs::File::open(&program).unwrap()).unwrap();
        assert_eq!(found(Some(&bin)), []);
        assert_eq!(found(None).len(), 5);

        let path = Some(bin.as_path());
        let gone = PathBuf::from("/nowhere/x y");
        let cases: [(&[&str], Hazard); 6] = [
            (&["filter.git-seal.process", ""], Hazard::EmptyProcess),
            (&["filter.git-seal.required", "false"], Hazard::NotRequired),
            (
                &["--unset", "filter.git-seal.required"],
                Hazard::Missing {
                    key: "filter.git-seal.required",
                },
            ),
            (
                &["--unset", "diff.git-seal.textconv"],
                Hazard::Missing {
                    key: "diff.git-seal.textconv",
                },
            ),
            (&["diff.git-seal.cachetextconv", "true"], Hazard::CachedTextconv),
            (
                &["merge.git-seal.driver", "exec '/nowhere/x y' %O"],
                Hazard::NoProgram {
                    key: "merge.git-seal.driver".into(),
                    program: gone,
                },
            ),
        ];
        let config = sandbox.path(".git/config");
        let before = fs::read(&config).unwrap();
        for (args, hazard) in cases {
            git.run(&[&["config"], args].concat()).unwrap();
            assert_eq!(found(path), [hazard]);
            fs::write(&config, &before).unwrap();
        }
    }

    #[test]
    fn the_last_place_counts() {
        hermetic(module_path!(), "the_last_place_counts", |sandbox| {
            install(&sandbox.git, Scope::Global, &Program::At("/global/git-seal".into())).unwrap();
            install(&sandbox.git, Scope::Local, &Program::At("/local/git-seal".into())).unwrap();
            let drivers = inspect(&sandbox.git, None).unwrap();
            let process: Vec<&Setting> = drivers
                .settings
                .iter()
                .filter(|setting| setting.key == "filter.git-seal.process")
                .collect();
            let scopes: Vec<&str> = process.iter().map(|setting| setting.scope.as_str()).collect();
            assert_eq!(scopes, ["global", "local"]);
            let counts = drivers.effective("filter.git-seal.process").unwrap();
            assert_eq!(
                counts.value.as_deref(),
                Some(&b"exec /local/git-seal filter-process"[..])
            );
            assert_eq!(counts.origin, b"file:.git/config");
        });
    }
}
