//! Where hooks go in a repository, and whom they belong to when they are not ours to write.

use std::path::{Path, PathBuf};

use super::command::Git;
use super::error::Error;
use super::hook_file::{is_ours, legacy};
use super::hook_managers::{Advice, Manager, configured, shell};
use super::hook_script::Event;
use super::os_path::os_path;
use super::version::Version;

/// Whether hooks may be written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookPlan {
    /// Into this folder, which need not be there yet.
    Write {
        /// The absolute path of the folder.
        folder: PathBuf,
    },
    /// Nowhere.
    Leave(Obstacle),
}

/// Why nothing is written, and what a person can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// Whom the hooks belong to.
    pub owner: Owner,
    /// The absolute path of the folder that Git takes hooks from.
    pub folder: PathBuf,
    /// What to add, each a way or a part of one; empty when a manager already runs our hooks.
    pub advice: Vec<Advice>,
}

/// Whom hooks belong to that we don't touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A program that manages them.
    Manager(Manager),
    /// The repository's authors: the folder is part of the work tree.
    WorkTree,
    /// Other repositories too: the folder is outside this one, named by `core.hooksPath` or a symbolic link.
    Outside,
}

/// Finds the folder that Git takes hooks from, and whether ours may go there.
///
/// # Errors
/// Those of [`Git::run`].
pub fn plan(git: &Git, events: &[Event]) -> Result<HookPlan, Error> {
    let folder = rev_parse(git, &["--git-path", "hooks"])?;
    // A bare repository has no top.
    let top = rev_parse(git, &["--show-toplevel"]).ok();
    let known = Version::of(git)? >= Version::CONFIG_HOOKS;
    let configured_already = if known { in_configuration(git)? } else { Vec::new() };
    let missing = |event: &Event| !configured_already.contains(event);
    let manager = top.as_deref().and_then(|top| Some((Manager::of(top, &folder)?, top)));
    if let Some((manager, top)) = manager {
        let by_itself = matches!(manager, Manager::PreCommit | Manager::Prek);
        let missing: Vec<Event> = events
            .iter()
            .copied()
            .filter(missing)
            .filter(|event| !(by_itself && is_ours(&legacy(&folder, *event), *event)))
            .collect();
        let advice = if missing.is_empty() {
            Vec::new()
        } else {
            manager.advice(top, &missing)
        };
        return Ok(HookPlan::Leave(Obstacle {
            owner: Owner::Manager(manager),
            folder,
            advice,
        }));
    }
    let place = real(&folder);
    if place.starts_with(real(&common_folder(git)?)) {
        return Ok(HookPlan::Write { folder });
    }
    let in_work_tree = top.is_some_and(|top| place.starts_with(real(&top)));
    if in_work_tree && is_ignored(git, &place)? {
        return Ok(HookPlan::Write { folder });
    }
    let missing: Vec<Event> = events.iter().copied().filter(missing).collect();
    let mut advice = Vec::new();
    if known && !missing.is_empty() {
        advice.push(configured(&missing));
    }
    advice.extend(missing.iter().map(|&event| shell(&folder, event)));
    let owner = if in_work_tree { Owner::WorkTree } else { Owner::Outside };
    Ok(HookPlan::Leave(Obstacle { owner, folder, advice }))
}

/// The events at which Git's configuration has our hooks run (`hook.NAME.command`), whatever the hooks folder is.
fn in_configuration(git: &Git) -> Result<Vec<Event>, Error> {
    let question = ["config", "-z", "--get-regexp", r"^hook\..*\.(command|event|enabled)$"];
    let (_, settings, _) = git.exit(&question, &[])?;
    let settings: Vec<(&[u8], &[u8])> = settings
        .split(|byte| *byte == 0)
        .filter_map(|setting| {
            let end = setting.iter().position(|byte| *byte == b'\n')?;
            Some((setting.get(..end)?, setting.get(end + 1..)?))
        })
        .collect();
    let of = |hook: &[u8], variable: &[u8], value: &[u8]| settings.contains(&(&[hook, variable].concat(), value));
    let runs = |event: Event| {
        let call = format!("git-seal hook {}", event.name());
        let ours = settings.iter().filter_map(|(key, value)| {
            let hook = key.strip_suffix(b".command")?;
            value.ends_with(call.as_bytes()).then_some(hook)
        });
        let mut active = ours.filter(|hook| of(hook, b".event", event.name().as_bytes()));
        active.any(|hook| !of(hook, b".enabled", b"false"))
    };
    Ok(Event::ALL.into_iter().filter(|event| runs(*event)).collect())
}

/// The folder that all work trees share.
pub(super) fn common_folder(git: &Git) -> Result<PathBuf, Error> {
    rev_parse(git, &["--git-common-dir"])
}

/// One absolute path that `git rev-parse` answers.
fn rev_parse(git: &Git, args: &[&str]) -> Result<PathBuf, Error> {
    let mut path = git.run(&[&["rev-parse", "--path-format=absolute"], args].concat())?;
    if path.last() == Some(&b'\n') {
        path.pop();
    }
    Ok(os_path(&path))
}

/// Whether Git ignores files in `folder`, so that no one commits our hooks by accident.
fn is_ignored(git: &Git, folder: &Path) -> Result<bool, Error> {
    let path = folder.join(Event::PreCommit.name());
    let args = [
        "check-ignore".as_ref(),
        "--quiet".as_ref(),
        "--".as_ref(),
        path.as_os_str(),
    ];
    Ok(git.exit(&args, &[])?.0 == Some(0))
}

/// The path without symbolic links, as far as there is anything to follow.
fn real(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    for above in path.ancestors() {
        if let Ok(real) = above.canonicalize() {
            return rest.into_iter().rev().fold(real, |path, name| path.join(name));
        }
        rest.extend(above.file_name());
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::git::testing::{Sandbox, hermetic};

    #[test]
    fn folders_of_others_are_left_alone() {
        hermetic(module_path!(), "folders_of_others_are_left_alone", left_alone);
    }

    fn left_alone(sandbox: &Sandbox) {
        let outside = sandbox.home.join("shared hooks");
        fs::create_dir(&outside).unwrap();
        sandbox.write(".gitignore", b"/ignored/\n");
        sandbox.write(".tracked/post-merge", b"");
        sandbox.commit();
        symlink(&outside, sandbox.path(".git/linked")).unwrap();
        let cases = [
            (outside.to_str().unwrap(), Some(Owner::Outside)),
            ("/dev/null", Some(Owner::Outside)),
            (".git/linked", Some(Owner::Outside)),
            (".tracked", Some(Owner::WorkTree)),
            ("absent", Some(Owner::WorkTree)),
            (".husky/_", Some(Owner::Manager(Manager::Husky))),
            ("ignored", None),
            (".git/other", None),
        ];
        for (folder, owner) in cases {
            sandbox.git.run(&["config", "core.hooksPath", folder]).unwrap();
            let plan = plan(&sandbox.git, &Event::GATES).unwrap();
            match (&plan, owner) {
                (HookPlan::Write { .. }, None) => {}
                (HookPlan::Leave(obstacle), Some(owner)) => {
                    assert_eq!(obstacle.owner, owner, "{folder}");
                    assert!(obstacle.advice.len() >= 3, "{folder}: {obstacle:?}");
                }
                _ => panic!("{folder}: {plan:?}"),
            }
        }
    }

    #[test]
    fn each_kind_of_repository_has_its_folder() {
        hermetic(module_path!(), "each_kind_of_repository_has_its_folder", |sandbox| {
            sandbox.write("sub/file", b"");
            sandbox.commit();
            sandbox.git.run(&["worktree", "add", "--quiet", "../linked"]).unwrap();
            sandbox.with_peer(&["clone", "--quiet", "--bare", ".", "../bare"]);
            let cases = [
                ("repo/sub", "repo/.git"),
                ("linked", "repo/.git"),
                ("repo/.git", "repo/.git"),
                ("bare", "bare"),
            ];
            for (place, repository) in cases {
                let folder = sandbox.home.join(repository).join("hooks");
                assert_eq!(
                    plan(&sandbox.git_in(place), &[]).unwrap(),
                    HookPlan::Write { folder },
                    "{place}"
                );
            }
        });
    }
}
