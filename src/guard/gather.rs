//! What is to be judged of one state of the repository: the index, a commit's tree, the work tree.
//!
//! The index is looked at by what differs from HEAD, without loading all of it, unless policy or attributes change: then every path
//! may be judged in another way than before.

use std::sync::Arc;

use super::charter::{Charter, POLICY, Ruling, SETTINGS};
use super::coverage::{covered, covered_as_in_head, is_attributes, mentions_filter};
use super::docket::{CharterKey, Docket};
use super::error::Error;
use super::findings::Findings;
use super::inspect::inspect;
use super::law::Law;
use super::outcome::{Outcome, Scope};
use super::subject::{Content, Coverage, Origin, Past, Setting, Subject};
use crate::crypt::Keyring;
use crate::git::attributes::{AttributeSource, Early};
use crate::git::change::{Change, staged_changes};
use crate::git::snapshot::{Snapshot, WorkTree};
use crate::git::{Entry, Oid, Repo};

/// Judges what the next commit would record: the index that Git names, against HEAD.
///
/// # Errors
/// [`Error::Git`] when index, HEAD or one of the two policies can't be read.
pub fn staged(repo: &Repo, keyring: &Keyring) -> Result<Outcome, Error> {
    let early = early_attributes(repo)?;
    let changes = staged_changes(repo)?;
    let mut docket = Docket::new(repo, keyring);
    let head = CharterKey::find(|path| repo.head_blob(path))?;
    let own = head.after(&changes);
    let mut parents = vec![head];
    if own != head
        && let Ok(other) = repo.resolve("MERGE_HEAD")
    {
        parents.push(charter_of(&Snapshot::commit(repo, &other)?));
    }
    // Before the first commit there is nothing that could be loosened.
    let bases = if repo.head_tree()?.is_some() {
        vec![parents]
    } else {
        vec![]
    };
    let law = docket.law(own, bases, Origin::Index)?;
    for change in &changes {
        docket.change(change, &law, Origin::Index)?;
    }
    if changes.iter().any(|change| decides(&change.path)) {
        let snapshot = Snapshot::index(repo)?;
        for (path, entry) in snapshot
            .iter()
            .filter(|(path, entry)| entry.is_file() && law.concerns(path))
        {
            docket.content(path, entry.oid, &law, Origin::Index, Past::Same);
        }
        all_coverage(&mut docket, &snapshot, &law, Origin::Index, AttributeSource::Index)?;
        early.into_iter().for_each(Early::forget);
    } else {
        new_coverage(&mut docket, &changes, &law, early)?;
    }
    docket.judge(Scope::Index)
}

/// Git's reading of the index for attributes, begun while the index is being compared; none where HEAD does not use the filter.
fn early_attributes(repo: &Repo) -> Result<Option<Early>, Error> {
    let Some(entry) = repo.head_blob(b".gitattributes")?.filter(Entry::is_file) else {
        return Ok(None);
    };
    if !mentions_filter(&repo.blob(&entry.oid)?) {
        return Ok(None);
    }
    Ok(Some(Early::begin(repo.git())?))
}

/// Judges all files of a commit by the commit's own policy.
///
/// # Errors
/// [`Error::Git`] when the commit or its policy can't be read.
pub fn tree(repo: &Repo, keyring: &Keyring, commit: &Oid) -> Result<Outcome, Error> {
    let mut docket = Docket::new(repo, keyring);
    let snapshot = Snapshot::commit(repo, commit)?;
    let law = docket.law(charter_of(&snapshot), vec![], Origin::Tree)?;
    for (path, entry) in snapshot.iter().filter(|(_, entry)| entry.is_file()) {
        docket.content(path, entry.oid, &law, Origin::Tree, Past::Same);
    }
    all_coverage(
        &mut docket,
        &snapshot,
        &law,
        Origin::Tree,
        AttributeSource::Commit(*commit),
    )?;
    docket.judge(Scope::Tree)
}

/// Judges the files on disk by the policy on disk. What the filter seals on its way into Git may be open there.
///
/// # Errors
/// [`Error::Git`] in a bare repository, or when files can't be listed or read.
pub fn work_tree(repo: &Repo, keyring: &Keyring) -> Result<Outcome, Error> {
    let files = WorkTree::list(repo)?;
    let (policy, settings) = (files.read(POLICY)?, files.read(SETTINGS)?);
    let law = Law::new(Arc::new(Charter::read(policy.as_deref(), settings.as_deref())), vec![]);
    let paths: Vec<&[u8]> = files.paths().collect();
    let mut transparent = false;
    for path in paths.iter().filter(|path| is_attributes(path)) {
        transparent |= files.read(path)?.is_some_and(|text| mentions_filter(&text));
    }
    let answers = if transparent {
        covered(repo, AttributeSource::WorkTree, &paths)?
    } else {
        vec![]
    };
    let mut findings = Findings::default();
    for (index, path) in paths.iter().enumerate() {
        let Some(bytes) = files.read(path)? else { continue };
        let coverage = match answers.get(index) {
            None => Coverage::Unknown,
            Some(true) => Coverage::Covered,
            Some(false) => Coverage::Uncovered,
        };
        let setting = Setting {
            law: &law,
            keyring,
            origin: Origin::WorkTree,
            past: Past::Same,
            coverage,
        };
        inspect(&Subject::new(path, Content::Bytes(&bytes), setting), &mut findings);
    }
    Ok(findings.finish(Scope::WorkTree))
}

/// Whether a file of this path says how others are judged.
pub(super) fn decides(path: &[u8]) -> bool {
    path == POLICY || path == SETTINGS || is_attributes(path)
}

/// The charter's blobs in a snapshot.
pub(super) fn charter_of(snapshot: &Snapshot) -> CharterKey {
    let blob = |path| snapshot.get(path).filter(Entry::is_file).map(|entry| entry.oid);
    CharterKey {
        policy: blob(POLICY),
        settings: blob(SETTINGS),
    }
}

/// Compares rules and filter over a whole snapshot, where it uses the filter.
pub(super) fn all_coverage(
    docket: &mut Docket<'_>,
    snapshot: &Snapshot,
    law: &Law,
    origin: Origin,
    source: AttributeSource,
) -> Result<(), Error> {
    let mut transparent = false;
    for (_, entry) in snapshot
        .iter()
        .filter(|(path, entry)| is_attributes(path) && entry.is_file())
    {
        transparent |= mentions_filter(&docket.repo.blob(&entry.oid)?);
    }
    if !transparent {
        return Ok(());
    }
    let paths: Vec<&[u8]> = snapshot
        .iter()
        .filter(|(_, entry)| entry.is_file())
        .map(|(path, _)| path)
        .collect();
    compare(docket, &paths, law, origin, source)
}

/// Compares rules and filter for the ruled paths that are new in the index. The others were compared when they came in, or when
/// policy or attributes changed.
fn new_coverage(docket: &mut Docket<'_>, changes: &[Change], law: &Law, early: Option<Early>) -> Result<(), Error> {
    let is_new = |change: &&Change| {
        let file = change.before.is_none() && change.after.is_some_and(|entry| entry.is_file());
        file && matches!(law.ruling(&change.path), Ruling::Ruled(_))
    };
    let paths: Vec<&[u8]> = changes
        .iter()
        .filter(is_new)
        .map(|change| change.path.as_slice())
        .collect();
    let Some(early) = early else { return Ok(()) };
    if paths.is_empty() {
        early.forget();
        return Ok(());
    }
    let covered = covered_as_in_head(docket.repo, &paths, early)?;
    tell_differences(docket, paths.iter().copied().zip(covered), law, Origin::Index);
    Ok(())
}

/// Asks Git for these paths and judges those where rule and filter do not go together.
pub(super) fn compare(
    docket: &mut Docket<'_>,
    paths: &[&[u8]],
    law: &Law,
    origin: Origin,
    source: AttributeSource,
) -> Result<(), Error> {
    let covered = covered(docket.repo, source, paths)?;
    tell_differences(docket, paths.iter().copied().zip(covered), law, origin);
    Ok(())
}

/// Notes each path for which rule and filter do not go together.
fn tell_differences<'p>(
    docket: &mut Docket<'_>,
    covered: impl Iterator<Item = (&'p [u8], bool)>,
    law: &Law,
    origin: Origin,
) {
    for (path, covered) in covered {
        let coverage = match (law.ruling(path), covered) {
            (Ruling::Unruled, true) => Coverage::Covered,
            (Ruling::Ruled(_), false) => Coverage::Uncovered,
            _ => continue,
        };
        docket.bare(path, Content::Unread, law, origin, coverage);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::super::test_checkout::{Checkout, assert_told};
    use super::*;

    fn staged_in(checkout: &Checkout, folder: &str) -> Outcome {
        staged(&checkout.open(folder), checkout.keyring()).unwrap()
    }

    const FILTER: &str = "s/** filter=git-seal\n";

    #[test]
    fn what_is_staged_is_judged_not_what_lies_on_disk() {
        let checkout = Checkout::new();
        assert_told(&staged_in(&checkout, "r"), &[]);
        checkout.stage("s/a.json", "{}");
        checkout.stage("s/new.key", "open");
        checkout.write("s/a.json", checkout.sealed());
        checkout.write("s/other", "not staged");
        for folder in ["r", "r/s"] {
            assert_told(&staged_in(&checkout, folder), &["GS101 s/a.json", "GS101 s/new.key"]);
        }
        checkout.stage("s/a.json", checkout.sealed());
        checkout.git("r", &["rm", "-q", "--cached", "-f", "s/new.key"]);
        let outcome = staged_in(&checkout, "r");
        assert_told(&outcome, &[]);
        assert_eq!(outcome.exit_code(), 0);
    }

    #[test]
    fn before_the_first_commit_the_index_is_all() {
        let checkout = Checkout::empty();
        checkout.stage("s/a.json", "{}");
        assert_told(&staged_in(&checkout, "r"), &[]);
        checkout.policy("^s/");
        checkout.git("r", &["add", "-A"]);
        assert_told(&staged_in(&checkout, "r"), &["GS101 s/a.json"]);
    }

    #[test]
    fn a_changed_policy_is_held_against_every_path() {
        let checkout = Checkout::new();
        checkout.policy("^(s/|readme)");
        checkout.git("r", &["add", "-A"]);
        assert_told(&staged_in(&checkout, "r"), &["GS101 readme"]);
        checkout.policy("^x/");
        checkout.git("r", &["add", "-A"]);
        assert_told(&staged_in(&checkout, "r"), &["GS106 s/a.json"]);
        checkout.stage("s/a.json", "{}");
        checkout.stage("s/new", "open");
        assert_told(&staged_in(&checkout, "r"), &["GS106 s/a.json", "GS106 s/new"]);
        checkout.stage(".git-seal.yaml", "checks: {GS106: off}");
        assert_eq!(
            staged_in(&checkout, "r").exit_code(),
            1,
            "a change can't turn off its own judge"
        );
        checkout.git("r", &["rm", "-q", "--cached", "-f", ".sops.yaml", "s/a.json", "s/new"]);
        assert_told(&staged_in(&checkout, "r"), &[]);
    }

    #[test]
    fn a_policy_that_cannot_be_read_blocks_every_commit() {
        let checkout = Checkout::new();
        checkout.write(".sops.yaml", "creation_rules: [");
        checkout.commit();
        checkout.stage("readme", "changed");
        assert_told(&staged_in(&checkout, "r"), &["GS403 .sops.yaml"]);
    }

    #[test]
    fn a_conflict_is_no_content() {
        let checkout = Checkout::new();
        checkout.git("r", &["checkout", "-q", "-b", "side"]);
        checkout.write("readme", "side");
        checkout.commit();
        checkout.git("r", &["checkout", "-q", "main"]);
        checkout.write("readme", "main");
        checkout.commit();
        assert!(!checkout.try_git("r", &["merge", "-q", "side"]).0);
        assert_told(&staged_in(&checkout, "r"), &["GS107 readme"]);
    }

    #[test]
    fn a_merge_may_take_over_what_a_parent_gave_up() {
        let checkout = Checkout::new();
        checkout.git("r", &["checkout", "-q", "-b", "side"]);
        checkout.write("more", "x");
        checkout.commit();
        checkout.git("r", &["checkout", "-q", "main"]);
        checkout.policy("^x/");
        checkout.commit();
        checkout.git("r", &["checkout", "-q", "side"]);
        checkout.git("r", &["merge", "-q", "--no-commit", "main"]);
        assert_told(&staged_in(&checkout, "r"), &[]);
    }

    #[test]
    fn symbolic_links_and_submodules_are_passed_over() {
        let checkout = Checkout::new();
        let oid = checkout.oid("HEAD");
        checkout.git(
            "r",
            &[
                "update-index",
                "--add",
                "--cacheinfo",
                &format!("160000,{oid},s/module"),
            ],
        );
        let blob = checkout.oid("HEAD:readme");
        checkout.git(
            "r",
            &["update-index", "--add", "--cacheinfo", &format!("120000,{blob},s/link")],
        );
        assert_told(&staged_in(&checkout, "r"), &[]);
    }

    #[test]
    fn the_filter_must_be_for_every_ruled_path_once_it_is_used() {
        let checkout = Checkout::new();
        checkout.policy("^(s|t)/");
        checkout.write("t/a.json", checkout.sealed());
        checkout.commit();
        assert_told(&staged_in(&checkout, "r"), &[]);
        checkout.stage(".gitattributes", format!("{FILTER}readme filter=git-seal\n"));
        let outcome = staged_in(&checkout, "r/s");
        assert_told(&outcome, &["GS402 readme", "GS401 t/a.json"]);
        checkout.git("r", &["-c", "filter.git-seal.clean=cat", "commit", "-q", "-m", "x"]);
        checkout.stage("other", "x");
        assert_told(&staged_in(&checkout, "r"), &[]);
        checkout.stage("t/new.json", checkout.sealed());
        assert_told(&staged_in(&checkout, "r"), &["GS401 t/new.json"]);
        let outcome = tree(&checkout.open("r"), checkout.keyring(), &checkout.oid("HEAD")).unwrap();
        assert_told(&outcome, &["GS402 readme", "GS401 t/a.json"]);
    }

    #[test]
    fn a_tree_is_judged_whole_in_any_repository() {
        let checkout = Checkout::new();
        checkout.write("s/b.json", "{}");
        checkout.write("empty", "");
        let head = checkout.commit();
        checkout.git(".", &["clone", "-q", "--bare", "r", "bare.git"]);
        let url = format!("file://{}", checkout.path("r").display());
        checkout.git(".", &["clone", "-q", "--depth=1", &url, "shallow"]);
        for folder in ["r", "r/s", "bare.git", "shallow"] {
            let outcome = tree(&checkout.open(folder), &Keyring::new(vec![]), &head).unwrap();
            assert_told(&outcome, &["GS101 s/b.json"]);
            assert_eq!(
                (outcome.files, outcome.sealed, outcome.notes.len()),
                (5, 1, 1),
                "{folder}"
            );
        }
    }

    #[test]
    fn what_is_not_here_is_not_judged() {
        let checkout = Checkout::new();
        let head = checkout.oid("HEAD");
        let blob = checkout.oid("HEAD:s/a.json").to_string();
        std::fs::remove_file(checkout.path("r/.git/objects").join(&blob[..2]).join(&blob[2..])).unwrap();
        let outcome = tree(&checkout.open("r"), checkout.keyring(), &head).unwrap();
        assert_eq!(
            (outcome.findings.len(), outcome.unjudged.len(), outcome.exit_code()),
            (0, 1, 2)
        );
        let absent = Oid::from_bytes(&[7; 20]).unwrap();
        assert!(tree(&checkout.open("r"), checkout.keyring(), &absent).is_err());
    }

    #[test]
    fn the_work_tree_may_be_open_where_the_filter_is() {
        let checkout = Checkout::new();
        checkout.write("s/a.json", "{}");
        checkout.write("untracked", "x");
        let repo = checkout.open("r");
        assert_told(&work_tree(&repo, checkout.keyring()).unwrap(), &["GS101 s/a.json"]);
        checkout.write(".gitattributes", FILTER);
        assert_told(&work_tree(&repo, checkout.keyring()).unwrap(), &[]);
        checkout.policy("^(s/|untracked)");
        assert_told(
            &work_tree(&repo, checkout.keyring()).unwrap(),
            &["GS101 untracked", "GS401 untracked"],
        );
        checkout.git(".", &["clone", "-q", "--bare", "r", "bare.git"]);
        assert!(work_tree(&checkout.open("bare.git"), checkout.keyring()).is_err());
    }
}
