//! Our hooks in a repository: written where there are none, put before a hook that is there, never over it.
//!
//! A hook of someone else becomes `NAME.git-seal-chained`; ours runs it once our gate has passed. Where hooks belong to
//! someone (a manager, a folder shared between repositories, files under version control) nothing is written.

use std::fs;
use std::path::Path;

use super::command::Git;
use super::error::Error;
use super::hook_file::{Found, at, chained, found, is_ours, legacy, write_beside};
use super::hook_place::{HookPlan, Obstacle, common_folder, plan};
use super::hook_script::Event;

/// What became of one hook at installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookOutcome {
    /// Ours was written where there was none.
    Written,
    /// An older one of ours was replaced.
    Replaced,
    /// Ours was there already.
    Unchanged,
    /// Someone else's was moved aside and is run by ours.
    Chained,
    /// Ours is there with changes by someone; it was left alone.
    Edited,
    /// Someone else's is there and can't be moved aside, since `NAME.git-seal-chained` exists or it is no file.
    Blocked,
}

/// What an installation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// Each hook has its outcome.
    Hooks(Vec<(Event, HookOutcome)>),
    /// Nothing was written.
    Left(Obstacle),
}

/// What became of one hook when ours were taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Ours was deleted.
    Removed,
    /// The hook that was there before is back in its place.
    Restored,
    /// Ours was changed by someone; it was left alone.
    Edited,
}

/// Installs our hooks for `events` as [`plan`] allows. `fallback` is the absolute path of our program, for a Git that is
/// started with a `PATH` that does not lead to it.
///
/// # Errors
/// Those of [`plan`]; [`Error::Io`] when a hook can't be written or moved. Hooks before that one are in place then.
pub fn install(git: &Git, events: &[Event], fallback: &Path) -> Result<Installed, Error> {
    let folder = match plan(git, events)? {
        HookPlan::Write { folder } => folder,
        HookPlan::Leave(obstacle) => return Ok(Installed::Left(obstacle)),
    };
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    let outcomes: Result<Vec<_>, Error> = events
        .iter()
        .map(|&event| Ok((event, install_one(&folder, event, fallback)?)))
        .collect();
    Ok(Installed::Hooks(outcomes?))
}

/// Takes our hooks away and puts those back that were there before. Hooks that are not ours stay, whatever they are.
/// Lists the hooks that were ours or are back.
///
/// # Errors
/// Those of [`Git::run`]; [`Error::Io`] when a hook can't be deleted or moved.
pub fn uninstall(git: &Git, events: &[Event]) -> Result<Vec<(Event, Removal)>, Error> {
    // Git may be pointed elsewhere since ours were written.
    let mut folders = vec![common_folder(git)?.join("hooks")];
    if let HookPlan::Write { folder } = plan(git, events)? {
        folders.push(folder);
    }
    folders.dedup();
    let mut removals = Vec::new();
    for folder in &folders {
        for &event in events {
            let legacy = legacy(folder, event);
            if is_ours(&legacy, event) {
                fs::remove_file(&legacy).map_err(at(&legacy))?;
                removals.push((event, Removal::Removed));
            }
            removals.extend(uninstall_one(folder, event)?.map(|removal| (event, removal)));
        }
    }
    Ok(removals)
}

fn install_one(folder: &Path, event: Event, fallback: &Path) -> Result<HookOutcome, Error> {
    let hook = folder.join(event.name());
    let chained = chained(folder, event);
    let script = event.script(fallback);
    let outcome = match found(&hook, event)? {
        Found::Nothing => HookOutcome::Written,
        Found::Edited => return Ok(HookOutcome::Edited),
        Found::Ours {
            content,
            executable: true,
        } if content == script => return Ok(HookOutcome::Unchanged),
        Found::Ours { .. } => HookOutcome::Replaced,
        Found::Other if fs::symlink_metadata(&chained).is_ok() => return Ok(HookOutcome::Blocked),
        Found::Other => HookOutcome::Chained,
        Found::NoFile => return Ok(HookOutcome::Blocked),
    };
    let new = write_beside(folder, &script)?;
    if outcome == HookOutcome::Chained {
        fs::rename(&hook, &chained).map_err(at(&hook))?;
    }
    if let Err(failure) = new.persist(&hook) {
        if outcome == HookOutcome::Chained {
            fs::rename(&chained, &hook).map_err(at(&chained))?;
        }
        return Err(at(&hook)(failure.error));
    }
    Ok(outcome)
}

fn uninstall_one(folder: &Path, event: Event) -> Result<Option<Removal>, Error> {
    let hook = folder.join(event.name());
    let chained = chained(folder, event);
    let restorable = fs::symlink_metadata(&chained).is_ok();
    match found(&hook, event)? {
        Found::Other | Found::NoFile => return Ok(None),
        Found::Nothing if !restorable => return Ok(None),
        Found::Edited => return Ok(Some(Removal::Edited)),
        Found::Nothing | Found::Ours { .. } => {}
    }
    if restorable {
        fs::rename(&chained, &hook).map_err(at(&chained))?;
        return Ok(Some(Removal::Restored));
    }
    fs::remove_file(&hook).map_err(at(&hook))?;
    Ok(Some(Removal::Removed))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

    use std::fs::Permissions;
    use std::os::unix::ffi::OsStringExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::PathBuf;

    use super::*;
    use crate::git::testing::{Sandbox, hermetic};

    /// Writes a program that notes its arguments and stdin in `note` and ends with the code in the variable EXIT.
    fn program(path: &Path, note: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = format!(
            "#!/bin/sh\n{{ echo \"$@\"; cat; }} >> '{}'\nexit ${{EXIT:-0}}\n",
            note.display()
        );
        fs::write(path, text).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }

    /// Every name of a folder with its mode, and its content or where it leads.
    fn listing(folder: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
        let entries = fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()).collect());
        let mut paths: Vec<PathBuf> = entries.unwrap_or_default();
        paths.sort();
        let all = paths.into_iter().map(|path| {
            let link = fs::read_link(&path).map(|target| target.into_os_string().into_vec());
            let mode = fs::symlink_metadata(&path).unwrap().permissions().mode();
            let content = link.or_else(|_| fs::read(&path)).unwrap_or_default();
            (path, mode, content)
        });
        all.collect()
    }

    fn outcomes(git: &Git) -> Vec<HookOutcome> {
        match install(git, &Event::GATES, Path::new("/opt/git-seal")).unwrap() {
            Installed::Hooks(all) => all.into_iter().map(|(_, outcome)| outcome).collect(),
            Installed::Left(obstacle) => panic!("{obstacle:?}"),
        }
    }

    #[test]
    fn where_hooks_are_someone_elses_nothing_is_written() {
        hermetic(
            module_path!(),
            "where_hooks_are_someone_elses_nothing_is_written",
            |sandbox| {
                sandbox.write(".githooks/pre-commit", b"#!/bin/sh\n");
                sandbox.git.run(&["config", "core.hooksPath", ".githooks"]).unwrap();
                let before = listing(&sandbox.path(".githooks"));
                let HookPlan::Leave(obstacle) = plan(&sandbox.git, &Event::GATES).unwrap() else {
                    panic!("no obstacle")
                };
                let installed = install(&sandbox.git, &Event::GATES, Path::new("/x")).unwrap();
                assert_eq!(installed, Installed::Left(obstacle));
                assert_eq!(uninstall(&sandbox.git, &Event::GATES).unwrap(), []);
                assert_eq!(listing(&sandbox.path(".githooks")), before);
            },
        );
    }

    #[test]
    fn uninstalling_restores_what_was_there() {
        hermetic(module_path!(), "uninstalling_restores_what_was_there", restores);
    }

    fn restores(sandbox: &Sandbox) {
        let folder = sandbox.path(".git/hooks");
        let [first, second, third] = Event::GATES.map(|event| folder.join(event.name()));
        fs::create_dir(&folder).unwrap();
        fs::write(&first, "#!/bin/sh\nexit 0\n").unwrap();
        fs::set_permissions(&first, Permissions::from_mode(0o750)).unwrap();
        symlink("../../nowhere", &second).unwrap();
        let before = listing(&folder);
        assert_eq!(
            outcomes(&sandbox.git),
            [HookOutcome::Chained, HookOutcome::Chained, HookOutcome::Written]
        );
        let during = listing(&folder);
        assert_eq!(outcomes(&sandbox.git), [HookOutcome::Unchanged; 3]);
        assert_eq!(listing(&folder), during);
        let removals: Vec<Removal> = uninstall(&sandbox.git, &Event::GATES)
            .unwrap()
            .into_iter()
            .map(|(_, removal)| removal)
            .collect();
        assert_eq!(removals, [Removal::Restored, Removal::Restored, Removal::Removed]);
        assert_eq!(listing(&folder), before);
        assert!(!third.exists());
        assert_eq!(uninstall(&sandbox.git, &Event::GATES).unwrap(), []);
    }

    #[test]
    fn what_someone_changed_stays() {
        hermetic(module_path!(), "what_someone_changed_stays", |sandbox| {
            let folder = sandbox.path(".git/hooks");
            let [commit, merge, push] = Event::GATES.map(|event| folder.join(event.name()));
            outcomes(&sandbox.git);
            fs::write(&commit, [fs::read(&commit).unwrap(), b"make test\n".to_vec()].concat()).unwrap();
            fs::write(&merge, "#!/bin/sh\n").unwrap();
            fs::write(chained(&folder, Event::PreMergeCommit), "#!/bin/sh\n").unwrap();
            fs::write(&push, "#!/bin/sh\n# git-seal hook v0: pre-push\nexec git-seal\n").unwrap();
            let before = listing(&folder);
            assert_eq!(
                outcomes(&sandbox.git),
                [HookOutcome::Edited, HookOutcome::Blocked, HookOutcome::Replaced]
            );
            assert_eq!(listing(&folder)[..3], before[..3]);
            let removals = uninstall(&sandbox.git, &Event::GATES).unwrap();
            assert_eq!(
                removals,
                [(Event::PreCommit, Removal::Edited), (Event::PrePush, Removal::Removed)]
            );
            assert_eq!(listing(&folder)[..], before[..3]);
        });
    }

    #[test]
    fn the_gate_runs_first_and_both_get_the_input() {
        hermetic(module_path!(), "the_gate_runs_first_and_both_get_the_input", both_run);
    }

    fn both_run(sandbox: &Sandbox) {
        let git = &sandbox.git;
        let seal = sandbox.home.join("it's a \"place\"/git-seal");
        let [gate, others] = ["gate", "others"].map(|name| sandbox.home.join(name));
        program(&seal, &gate);
        for event in Event::GATES {
            program(&sandbox.path(".git/hooks").join(event.name()), &others);
        }
        install(git, &Event::GATES, &seal).unwrap();
        let notes = || {
            let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
            let both = (read(&gate), read(&others));
            for path in [&gate, &others] {
                fs::remove_file(path).ok();
            }
            both
        };
        let commit = |exit: &str| {
            let mut command = git.command();
            command
                .args(["commit", "--quiet", "--allow-empty", "--message=x"])
                .env("EXIT", exit);
            command.stdin(std::process::Stdio::null()).output().unwrap()
        };
        assert_eq!(commit("3").status.code(), Some(1));
        assert_eq!(
            notes(),
            ("hook pre-commit\n".into(), String::new()),
            "a closed gate ends it"
        );
        assert_eq!(commit("0").status.code(), Some(0));
        assert_eq!(notes(), ("hook pre-commit\n".into(), "\n".into()));

        git.run(&["init", "--quiet", "--bare", "../other"]).unwrap();
        sandbox.with_peer(&["push", "--quiet", "../other", "main", "main:refs/heads/two"]);
        let (first, second) = notes();
        let (line, input) = first.split_once('\n').unwrap();
        assert_eq!(line, "hook pre-push ../other ../other");
        assert_eq!(input.lines().count(), 2, "{input}");
        assert_eq!(second, format!("../other ../other\n{input}"));

        // The framework pre-commit displaces a hook like this, and runs it still.
        let hook = sandbox.path(".git/hooks/pre-commit");
        fs::rename(&hook, hook.with_extension("legacy")).unwrap();
        let run = |path: &Path| {
            std::process::Command::new(path)
                .stdin(std::process::Stdio::null())
                .status()
                .unwrap()
        };
        assert!(run(&hook.with_extension("legacy")).success());
        assert_eq!(notes(), ("hook pre-commit\n".into(), "\n".into()));
        fs::rename(hook.with_extension("legacy"), &hook).unwrap();

        fs::remove_file(&seal).unwrap();
        let blocked = commit("0");
        let said = String::from_utf8(blocked.stderr).unwrap();
        assert_eq!(blocked.status.code(), Some(1));
        assert!(
            said.starts_with("git-seal: error: ") && said.ends_with("; commit blocked\n"),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1);
        assert_eq!(notes(), (String::new(), String::new()));
    }
}
