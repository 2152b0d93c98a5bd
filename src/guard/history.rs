//! What is to be judged of commits: a range, a whole history, a push. Each commit by its own policy, by that of its parents, and
//! by that of where the range starts: a push can't loosen the rule that it is judged by.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::charter::{POLICY, Ruling, SETTINGS};
use super::docket::{CharterKey, Docket};
use super::error::Error;
use super::gather::{all_coverage, charter_of, decides};
use super::law::Law;
use super::outcome::{Outcome, Scope};
use super::subject::{Origin, Past};
use crate::crypt::Keyring;
use crate::git::attributes::AttributeSource;
use crate::git::change::{Change, each_commit};
use crate::git::history::{RangeSpec, commits};
use crate::git::push::RefUpdate;
use crate::git::snapshot::Snapshot;
use crate::git::{Oid, Repo};

/// Which end of a push we are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side<'a> {
    /// The sender's, towards the remote of this name, or URL where it has none.
    Sending(&'a str),
    /// The receiver's, before its refs change.
    Receiving,
}

/// Judges the commits that `to` has and `from` has not.
///
/// # Errors
/// [`Error::Git`] when an end isn't here or the commits can't be compared.
pub fn range(repo: &Repo, keyring: &Keyring, from: Oid, to: Oid) -> Result<Outcome, Error> {
    let mut walk = Walk::new(repo, keyring);
    walk.along(&RangeSpec::Between { from, to }, Some(from), Some(to))?;
    walk.judge()
}

/// Judges every commit that any ref reaches.
///
/// # Errors
/// As [`range`].
pub fn history(repo: &Repo, keyring: &Keyring) -> Result<Outcome, Error> {
    let mut walk = Walk::new(repo, keyring);
    walk.along(&RangeSpec::All, None, None)?;
    walk.judge()
}

/// Judges the commits that a push brings to the other side. Deletions bring nothing.
///
/// # Errors
/// As [`range`].
pub fn pushes(repo: &Repo, keyring: &Keyring, updates: &[RefUpdate], side: Side<'_>) -> Result<Outcome, Error> {
    let mut walk = Walk::new(repo, keyring);
    for update in updates.iter().filter(|update| !update.is_deletion()) {
        let tip = Some(update.old).filter(|old| !old.is_zero());
        // A tip that was never fetched can't be compared with; then the range's other starts count.
        let anchor = match tip {
            Some(old) if repo.contains(&old)? => Some(old),
            _ => None,
        };
        let new = [update.new];
        let spec = match side {
            Side::Sending(remote) => RangeSpec::Push {
                new: update.new,
                old: update.old,
                remote,
            },
            Side::Receiving => RangeSpec::Receive(&new),
        };
        walk.along(&spec, anchor, Some(update.new))?;
    }
    walk.judge()
}

/// A walk along one or more ranges.
struct Walk<'g> {
    docket: Docket<'g>,
    seen: HashSet<Oid>,
}

/// What is known of a range while its commits are gone through.
struct Stretch {
    parents: HashMap<Oid, Vec<Oid>>,
    charters: HashMap<Oid, CharterKey>,
    /// The charters of where the range starts.
    start: Vec<CharterKey>,
    /// Commits whose policy changed, to be looked at as a whole.
    whole: Vec<(Oid, Arc<Law>)>,
    /// Ruled paths that came in.
    added: BTreeSet<Vec<u8>>,
    /// Whether policy or attributes changed anywhere.
    decided: bool,
}

impl<'g> Walk<'g> {
    fn new(repo: &'g Repo, keyring: &'g Keyring) -> Self {
        Self {
            docket: Docket::new(repo, keyring),
            seen: HashSet::new(),
        }
    }

    /// Puts the commits of one range on the docket. `anchor` is the old tip that they are to follow, `tip` their new one.
    fn along(&mut self, spec: &RangeSpec<'_>, anchor: Option<Oid>, tip: Option<Oid>) -> Result<(), Error> {
        let repo = self.docket.repo;
        let range = commits(repo, spec)?;
        if range.cut {
            let reason = "the history is cut off by a shallow clone; `git fetch --unshallow` brings what is missing";
            self.docket.findings.cannot_judge(None, None, reason);
        }
        for other in &range.others {
            self.loose(other)?;
        }
        let mut stretch = Stretch::new(repo, &range.commits, anchor)?;
        let mut failed = None;
        each_commit(repo, &range.commits, &[], |commit, changes| {
            if failed.is_none() {
                failed = self.commit(commit, &changes, &mut stretch).err();
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        for (commit, law) in &stretch.whole {
            let snapshot = Snapshot::commit(repo, commit)?;
            for (path, entry) in snapshot
                .iter()
                .filter(|(path, entry)| entry.is_file() && law.concerns(path))
            {
                self.docket
                    .content(path, entry.oid, law, Origin::Commit(*commit), Past::Same);
            }
        }
        match tip {
            Some(tip) if !range.commits.is_empty() => self.coverage(tip, &stretch),
            _ => Ok(()),
        }
    }

    /// Puts one commit on the docket.
    fn commit(&mut self, commit: Oid, changes: &[Change], stretch: &mut Stretch) -> Result<(), Error> {
        let parents = stretch.parents.get(&commit).map(Vec::as_slice).unwrap_or_default();
        let of = |oid: &Oid| stretch.charters.get(oid).copied().unwrap_or_default();
        let before: Vec<CharterKey> = parents.iter().map(of).collect();
        let own = before.first().copied().unwrap_or_default().after(changes);
        stretch.charters.insert(commit, own);
        let law = self
            .docket
            .law(own, vec![before, stretch.start.clone()], Origin::Commit(commit))?;
        stretch.decided |= changes.iter().any(|change| decides(&change.path));
        if changes
            .iter()
            .any(|change| change.path == POLICY || change.path == SETTINGS)
        {
            stretch.whole.push((commit, Arc::clone(&law)));
        }
        for change in changes {
            if change.before.is_none() && matches!(law.ruling(&change.path), Ruling::Ruled(_)) {
                stretch.added.insert(change.path.clone());
            }
            self.docket.change(change, &law, Origin::Commit(commit))?;
        }
        self.seen.insert(commit);
        Ok(())
    }

    /// Compares rules and filter at the new tip: what they were on the way there leaks nothing.
    fn coverage(&mut self, tip: Oid, stretch: &Stretch) -> Result<(), Error> {
        if !stretch.decided && stretch.added.is_empty() {
            return Ok(());
        }
        let snapshot = Snapshot::commit(self.docket.repo, &tip)?;
        let origin = Origin::Commit(tip);
        let law = self.docket.law(charter_of(&snapshot), vec![], origin)?;
        all_coverage(&mut self.docket, &snapshot, &law, origin, AttributeSource::Commit(tip))
    }

    /// Judges a tree or blob that a tag names without a commit.
    fn loose(&mut self, oid: &Oid) -> Result<(), Error> {
        let repo = self.docket.repo;
        if repo.blob_size(oid).is_ok() {
            let law = self.docket.law(CharterKey::default(), vec![], Origin::Tree)?;
            // It has no path; its own name says where to look.
            self.docket
                .content(oid.to_string().as_bytes(), *oid, &law, Origin::Tree, Past::Same);
            return Ok(());
        }
        let snapshot = Snapshot::commit(repo, oid)?;
        let law = self.docket.law(charter_of(&snapshot), vec![], Origin::Tree)?;
        for (path, entry) in snapshot.iter().filter(|(_, entry)| entry.is_file()) {
            self.docket.content(path, entry.oid, &law, Origin::Tree, Past::Same);
        }
        Ok(())
    }

    fn judge(self) -> Result<Outcome, Error> {
        self.docket.judge(Scope::Commits(self.seen.len()))
    }
}

impl Stretch {
    fn new(repo: &Repo, commits: &[Oid], anchor: Option<Oid>) -> Result<Self, Error> {
        let parents = parents(repo, commits)?;
        let inside: HashSet<&Oid> = commits.iter().collect();
        let outside: BTreeSet<Oid> = parents
            .values()
            .flatten()
            .filter(|oid| !inside.contains(oid))
            .copied()
            .collect();
        let asked: Vec<Oid> = outside.iter().copied().chain(anchor).collect();
        let charters = charters(repo, &asked)?;
        let starts: Vec<Oid> = anchor.map_or_else(|| outside.into_iter().collect(), |anchor| vec![anchor]);
        let start = starts.iter().filter_map(|oid| charters.get(oid).copied()).collect();
        Ok(Self {
            parents,
            charters,
            start,
            whole: Vec::new(),
            added: BTreeSet::new(),
            decided: false,
        })
    }
}

/// The parents of each commit; none where a shallow clone cut them off.
fn parents(repo: &Repo, commits: &[Oid]) -> Result<HashMap<Oid, Vec<Oid>>, Error> {
    if commits.is_empty() {
        return Ok(HashMap::new());
    }
    let input: Vec<u8> = commits.iter().flat_map(|oid| format!("{oid}\n").into_bytes()).collect();
    let args = ["rev-list", "--no-walk=unsorted", "--parents", "--stdin"];
    let printed = repo.git().run_with_input(&args, &input)?;
    let mut parents = HashMap::new();
    for line in printed.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let oids = line
            .split(|&byte| byte == b' ')
            .map(Oid::from_hex)
            .collect::<Result<Vec<_>, _>>()?;
        if let Some((commit, rest)) = oids.split_first() {
            parents.insert(*commit, rest.to_vec());
        }
    }
    Ok(parents)
}

/// The charters of commits that are not gone through.
fn charters(repo: &Repo, commits: &[Oid]) -> Result<HashMap<Oid, CharterKey>, Error> {
    if commits.is_empty() {
        return Ok(HashMap::new());
    }
    let names = |oid: &Oid| [POLICY, SETTINGS].map(|path| [oid.to_string().as_bytes(), b":", path, b"\n"].concat());
    let input: Vec<u8> = commits.iter().flat_map(names).flatten().collect();
    let printed = repo
        .git()
        .run_with_input(&["cat-file", "--batch-check=%(objecttype) %(objectname)"], &input)?;
    // What isn't there is answered by its name and the word `missing`.
    let blob = |line: &[u8]| line.strip_prefix(b"blob ").map(Oid::from_hex).transpose();
    let mut lines = printed.split(|&byte| byte == b'\n').map(blob);
    let mut next = || lines.next().transpose().map(Option::flatten);
    commits
        .iter()
        .map(|commit| {
            Ok((
                *commit,
                CharterKey {
                    policy: next()?,
                    settings: next()?,
                },
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::super::test_checkout::{Checkout, assert_told, told};
    use super::*;

    fn between(checkout: &Checkout, from: Oid, to: Oid) -> Outcome {
        range(&checkout.open("r"), checkout.keyring(), from, to).unwrap()
    }

    fn update(old: Option<Oid>, new: Oid) -> RefUpdate {
        let line = format!(
            "x {new} refs/heads/main {}",
            old.map_or("0".repeat(40), |old| old.to_string())
        );
        RefUpdate::parse_pre_push(line.as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn what_a_later_commit_takes_back_was_still_brought_in() {
        let checkout = Checkout::new();
        let from = checkout.oid("HEAD");
        checkout.write("s/b.json", "{}");
        let bad = checkout.commit();
        checkout.write("s/b.json", checkout.sealed());
        let good = checkout.commit();
        std::fs::remove_file(checkout.path("r/s/b.json")).unwrap();
        let gone = checkout.commit();
        let outcome = between(&checkout, from, gone);
        assert_told(&outcome, &["GS101 s/b.json"]);
        assert_eq!(outcome.findings[0].place.commit, Some(bad));
        assert_eq!(outcome.scope, Scope::Commits(3));
        assert_told(&between(&checkout, bad, gone), &[]);
        assert_told(&between(&checkout, good, from), &[]);
        let all = history(&checkout.open("r"), checkout.keyring()).unwrap();
        assert_eq!((told(&all), all.scope), (told(&outcome), Scope::Commits(4)));
    }

    #[test]
    fn a_push_cannot_loosen_the_rule_it_is_judged_by() {
        let checkout = Checkout::new();
        let from = checkout.oid("HEAD");
        std::fs::remove_file(checkout.path("r/s/a.json")).unwrap();
        checkout.commit();
        checkout.policy("^x/");
        checkout.write(".git-seal.yaml", "checks: {GS106: off}");
        checkout.commit();
        checkout.write("s/new.json", "{}");
        let to = checkout.commit();
        let outcome = between(&checkout, from, to);
        assert_told(&outcome, &["GS106 s/new.json"]);
        assert_eq!(outcome.findings[0].place.commit, Some(to));
        let pushed = pushes(
            &checkout.open("r"),
            checkout.keyring(),
            &[update(Some(from), to)],
            Side::Sending("o"),
        );
        assert_told(&pushed.unwrap(), &["GS106 s/new.json"]);
        assert_told(&between(&checkout, checkout.oid("HEAD~"), to), &[]);
    }

    #[test]
    fn a_changed_policy_is_held_against_the_whole_commit() {
        let checkout = Checkout::new();
        let from = checkout.oid("HEAD");
        checkout.policy("^(s/|readme)");
        let wide = checkout.commit();
        checkout.write("other", "x");
        checkout.commit();
        checkout.policy("^readme");
        let narrow = checkout.commit();
        let outcome = between(&checkout, from, narrow);
        assert_told(&outcome, &["GS101 readme", "GS101 readme", "GS106 s/a.json"]);
        let commits: BTreeSet<_> = outcome.findings.iter().map(|finding| finding.place.commit).collect();
        assert_eq!(commits, BTreeSet::from([Some(wide), Some(narrow)]));
    }

    #[test]
    fn an_evil_merge_is_judged_and_an_honest_one_passes() {
        let checkout = Checkout::new();
        let first = checkout.oid("HEAD");
        checkout.git("r", &["checkout", "-q", "-b", "side"]);
        checkout.write("side", "x");
        checkout.commit();
        checkout.git("r", &["checkout", "-q", "main"]);
        checkout.policy("^x/");
        let given_up = checkout.commit();
        checkout.git("r", &["checkout", "-q", "side"]);
        checkout.git("r", &["merge", "-q", "--no-edit", "main"]);
        let honest = checkout.oid("HEAD");
        assert_told(&between(&checkout, given_up, honest), &[]);
        // Held against the older tip it is a loss, found once though two commits show it.
        assert_told(&between(&checkout, first, honest), &["GS106 s/a.json"]);
        checkout.git("r", &["checkout", "-q", "-b", "evil", "main~"]);
        checkout.write("more", "x");
        checkout.commit();
        checkout.git("r", &["merge", "-q", "--no-commit", "side~"]);
        checkout.write("s/evil", "open");
        let evil = checkout.commit();
        let outcome = between(&checkout, first, evil);
        assert_told(&outcome, &["GS101 s/evil"]);
        assert_eq!(outcome.findings[0].place.commit, Some(evil));
    }

    #[test]
    fn pushes_are_judged_from_both_ends() {
        let checkout = Checkout::new();
        let from = checkout.oid("HEAD");
        checkout.git(".", &["clone", "-q", "--bare", "r", "hub.git"]);
        checkout.git("r", &["remote", "add", "o", "../hub.git"]);
        checkout.git("r", &["fetch", "-q", "o"]);
        checkout.write("s/b.json", "{}");
        let to = checkout.commit();
        let repo = checkout.open("r");
        let zero = Oid::from_bytes(&[0; 20]).unwrap();
        let absent = Oid::from_bytes(&[7; 20]).unwrap();
        for update in [update(Some(from), to), update(None, to), update(Some(absent), to)] {
            let outcome = pushes(&repo, checkout.keyring(), &[update], Side::Sending("o")).unwrap();
            assert_told(&outcome, &["GS101 s/b.json"]);
            assert_eq!(outcome.scope, Scope::Commits(1));
        }
        for update in [update(Some(from), zero), update(None, from)] {
            let outcome = pushes(&repo, checkout.keyring(), &[update], Side::Sending("o")).unwrap();
            assert_told(&outcome, &[]);
            assert_eq!(outcome.scope, Scope::Commits(0));
        }
        // The receiver has the objects, and no ref to them yet.
        checkout.git("r", &["reset", "-q", "--hard", "HEAD~"]);
        let received = pushes(&repo, &Keyring::new(vec![]), &[update(Some(from), to)], Side::Receiving).unwrap();
        assert_told(&received, &["GS101 s/b.json"]);
    }

    #[test]
    fn a_range_that_a_shallow_clone_cut_off_does_not_pass() {
        let checkout = Checkout::new();
        checkout.write("more", "x");
        let middle = checkout.commit();
        checkout.write("more", "y");
        let head = checkout.commit();
        let url = format!("file://{}", checkout.path("r").display());
        checkout.git(".", &["clone", "-q", "--depth=2", &url, "shallow"]);
        let repo = checkout.open("shallow");
        let outcome = history(&repo, checkout.keyring()).unwrap();
        assert_eq!((outcome.findings.len(), outcome.exit_code()), (0, 2), "{outcome:?}");
        assert_told(&range(&repo, checkout.keyring(), middle, head).unwrap(), &[]);
        assert!(range(&repo, checkout.keyring(), checkout.oid("HEAD~2"), head).is_err());
    }

    #[test]
    fn tagged_blobs_and_trees_are_looked_at() {
        use crate::crypt::{ExposeSecret as _, Identity};
        let checkout = Checkout::new();
        checkout.write("key", Identity::generate().secret_text().expose_secret());
        let blob = checkout.git("r", &["hash-object", "-w", "key"]).trim().to_owned();
        checkout.git("r", &["add", "key"]);
        let tree = checkout.git("r", &["write-tree"]).trim().to_owned();
        checkout.git("r", &["tag", "blob", &blob]);
        checkout.git("r", &["tag", "-a", "-m", "x", "tree", &tree]);
        let outcome = history(&checkout.open("r"), checkout.keyring()).unwrap();
        assert_told(&outcome, &[&format!("GS201 {blob}"), "GS201 key"]);
    }

    #[test]
    fn the_filter_is_asked_for_at_the_tip() {
        let checkout = Checkout::new();
        let from = checkout.oid("HEAD");
        checkout.write(".gitattributes", "other/** filter=git-seal\n");
        checkout.commit();
        checkout.write("readme", "y");
        let to = checkout.commit();
        let outcome = between(&checkout, from, to);
        assert_told(&outcome, &["GS401 s/a.json"]);
        assert_eq!(outcome.findings[0].place.commit, Some(to));
        assert_told(&between(&checkout, checkout.oid("HEAD~"), to), &[]);
    }
}
