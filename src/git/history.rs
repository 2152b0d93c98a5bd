//! Which commits a range, a push or a whole history consists of.

use super::batch::Kind;
use super::error::Error;
use super::oid::Oid;
use super::repo::Repo;

/// A choice of commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeSpec<'a> {
    /// `from..to`: what is reachable from `to` and not from `from`.
    Between {
        /// The excluded end.
        from: Oid,
        /// The included end.
        to: Oid,
    },
    /// All that is reachable from one commit.
    Reachable(Oid),
    /// What a push brings to a remote: what none of its known refs has.
    Push {
        /// The object pushed.
        new: Oid,
        /// The object that the ref has there; zero, or one that isn't here, excludes nothing.
        old: Oid,
        /// The remote's name, or its URL when it has none.
        remote: &'a str,
    },
    /// What a push brings to this repository: what none of its refs has. For the hooks that run before refs change.
    Receive(&'a [Oid]),
    /// All that any ref or any work tree's HEAD reaches.
    All,
}

/// The commits of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Parents before their children.
    pub commits: Vec<Oid>,
    /// Whether a shallow clone's boundary was reached: parents are missing, so the range may be longer than this.
    pub cut: bool,
    /// Blobs and trees that a ref or tag names without a commit; part of no commit's changes.
    pub others: Vec<Oid>,
}

/// Lists the commits of a choice, with tags followed to their commits.
///
/// # Errors
/// [`Error::MissingObject`] when an end isn't here, [`Error::GitFailed`] when Git can't walk.
pub fn commits(repo: &Repo, spec: &RangeSpec<'_>) -> Result<Range, Error> {
    let (mut ends, mut args) = (
        Vec::new(),
        vec!["rev-list".to_owned(), "--topo-order".to_owned(), "--reverse".to_owned()],
    );
    match spec {
        RangeSpec::Between { from, to } => {
            if !repo.contains(from)? {
                return Err(Error::MissingObject { oid: *from });
            }
            ends.push(*to);
            args.push(format!("^{from}"));
        }
        RangeSpec::Reachable(to) => ends.push(*to),
        RangeSpec::Push { new, old, remote } => {
            ends.push(*new);
            // Behind `--not`, a caret would include again.
            if !old.is_zero() && repo.contains(old)? {
                args.push(format!("^{old}"));
            }
            // Git takes the name for a pattern; a name with a pattern's signs can't have refs, and must not hide others'.
            if !remote.is_empty() && !remote.contains(['*', '?', '[', '\\']) {
                args.extend(["--not".to_owned(), format!("--remotes={remote}")]);
            }
        }
        RangeSpec::Receive(new) => {
            ends.extend(new.iter().filter(|oid| !oid.is_zero()));
            args.extend(["--not".to_owned(), "--all".to_owned()]);
        }
        RangeSpec::All => args.push("--all".to_owned()),
    }
    let others = match spec {
        RangeSpec::All => loose_refs(repo)?,
        _ => loose(repo, &ends)?,
    };
    // The ends come first, since `--not` turns around all that follows it.
    args.splice(3..3, ends.iter().map(Oid::to_string));
    args.push("--".to_owned());
    if ends.is_empty() && *spec != RangeSpec::All {
        return Ok(Range {
            commits: Vec::new(),
            cut: false,
            others,
        });
    }
    let printed = repo.git().run(&args)?;
    let lines = printed.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let commits = lines.map(Oid::from_hex).collect::<Result<Vec<_>, _>>()?;
    let boundary = repo.shallow_commits()?;
    let cut = !boundary.is_empty() && {
        let boundary: std::collections::HashSet<Oid> = boundary.into_iter().collect();
        commits.iter().any(|commit| boundary.contains(commit))
    };
    Ok(Range { commits, cut, others })
}

/// The ends that are no commits, once tags are followed.
fn loose(repo: &Repo, ends: &[Oid]) -> Result<Vec<Oid>, Error> {
    let mut others = Vec::new();
    for end in ends {
        let missing = Error::MissingObject { oid: *end };
        let mut header = repo.objects().header(end)?.ok_or(missing)?;
        if header.kind == Kind::Tag {
            let missing = Error::MissingObject { oid: *end };
            header = repo.objects().header_of(&format!("{end}^{{}}"))?.ok_or(missing)?;
        }
        if matches!(header.kind, Kind::Blob | Kind::Tree) {
            others.push(header.oid);
        }
    }
    Ok(others)
}

/// The same for every ref.
fn loose_refs(repo: &Repo) -> Result<Vec<Oid>, Error> {
    let format = "--format=%(objecttype) %(objectname) %(*objecttype)";
    let printed = repo.git().run(&["for-each-ref", format])?;
    let mut ends = Vec::new();
    for line in printed.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        // Only tags and bare objects are looked at again: a repository has thousands of refs, and few of these.
        if !line.starts_with(b"commit ") && !line.ends_with(b" commit") {
            let oid = line.split(|byte| *byte == b' ').nth(1).ok_or(Error::Output {
                what: "git for-each-ref",
            })?;
            ends.push(Oid::from_hex(oid)?);
        }
    }
    loose(repo, &ends)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::super::change::{Change, commit_changes, each_commit, staged_changes};
    use super::super::sandbox::{Sandbox, variables};
    use super::*;

    /// `first` on main, then `left` on main and `right` on side, then their merge on main.
    fn forked(init: &[&str]) -> (Sandbox, [Oid; 4]) {
        let sandbox = Sandbox::with_commit(init);
        let first = sandbox.oid("r", "HEAD");
        sandbox.git("r", &["checkout", "-q", "-b", "side"]);
        sandbox.write("r/dir/b", "right");
        let right = sandbox.commit("r", "right");
        sandbox.git("r", &["checkout", "-q", "main"]);
        sandbox.write("r/a", "left");
        let left = sandbox.commit("r", "left");
        sandbox.git("r", &["merge", "-q", "--no-commit", "side"]);
        // An evil merge: a file that neither side has.
        sandbox.write("r/evil", "evil");
        let merge = sandbox.commit("r", "merge");
        (sandbox, [first, left, right, merge])
    }

    fn walk(repo: &Repo, spec: &RangeSpec<'_>) -> Vec<Oid> {
        let range = commits(repo, spec).unwrap();
        assert!(!range.cut && range.others.is_empty());
        range.commits
    }

    #[test]
    fn an_end_that_is_not_here_is_missing() {
        let (sandbox, [first, ..]) = forked(&[]);
        let repo = sandbox.open("r");
        let absent = Oid::from_bytes(&[7; 20]).unwrap();
        for spec in [
            RangeSpec::Between {
                from: absent,
                to: first,
            },
            RangeSpec::Between {
                from: first,
                to: absent,
            },
            RangeSpec::Reachable(absent),
            RangeSpec::Push {
                new: absent,
                old: first,
                remote: "origin",
            },
            RangeSpec::Receive(&[first, absent]),
        ] {
            assert!(
                matches!(commits(&repo, &spec), Err(Error::MissingObject { oid }) if oid == absent),
                "{spec:?}"
            );
        }
    }

    #[test]
    fn ranges_are_listed_parents_first() {
        for init in [&[] as &[&str], &["--object-format=sha256"]] {
            let (sandbox, [first, left, right, merge]) = forked(init);
            let repo = sandbox.open("r/dir");
            let zero = Oid::from_bytes(&vec![0; first.as_bytes().len()]).unwrap();
            assert_eq!(
                walk(&repo, &RangeSpec::Between { from: left, to: merge }),
                [right, merge]
            );
            assert_eq!(walk(&repo, &RangeSpec::Between { from: merge, to: left }), []);
            let all = walk(&repo, &RangeSpec::All);
            assert_eq!((all.len(), all[0], all[3]), (4, first, merge));
            assert_eq!(walk(&repo, &RangeSpec::Reachable(merge)), all);
            assert_eq!(walk(&repo, &RangeSpec::Receive(&[merge, zero])), []);
            assert_eq!(walk(&repo, &RangeSpec::Receive(&[zero])), []);
            sandbox.git("r", &["update-ref", "refs/remotes/origin/side", &right.to_string()]);
            for (old, remote, expected) in [
                (zero, "origin", &[left, merge] as &[Oid]),
                (left, "origin", &[merge]),
                (left, "other", &[right, merge]),
                (
                    Oid::from_bytes(&vec![7; zero.as_bytes().len()]).unwrap(),
                    "origin",
                    &[left, merge],
                ),
                (left, "*", &[right, merge]),
                (left, "ori[g]in", &[right, merge]),
                (left, "", &[right, merge]),
                (left, "https://example.org/x", &[right, merge]),
            ] {
                let spec = RangeSpec::Push {
                    new: merge,
                    old,
                    remote,
                };
                assert_eq!(walk(&repo, &spec), expected, "{remote} {old}");
            }
        }
    }

    #[test]
    fn an_empty_repository_has_no_commits() {
        let sandbox = Sandbox::new();
        sandbox.git(".", &["init", "-q", "r"]);
        assert_eq!(walk(&sandbox.open("r"), &RangeSpec::All), []);
    }

    #[test]
    fn tags_lead_to_commits_and_what_is_no_commit_is_told() {
        let (sandbox, [first, .., merge]) = forked(&[]);
        let (blob, tree) = (sandbox.oid("r", "HEAD:a"), sandbox.oid("r", "HEAD^{tree}"));
        sandbox.git("r", &["tag", "-a", "-m", "t", "inner", &merge.to_string()]);
        sandbox.git("r", &["tag", "-a", "-m", "t", "outer", "inner"]);
        sandbox.git("r", &["tag", "-a", "-m", "t", "blob", &blob.to_string()]);
        sandbox.git("r", &["tag", "tree", &tree.to_string()]);
        let repo = sandbox.open("r");
        let outer = sandbox.oid("r", "outer");
        assert_eq!(
            commits(&repo, &RangeSpec::Between { from: first, to: outer })
                .unwrap()
                .commits
                .len(),
            3
        );
        let tagged = sandbox.oid("r", "blob");
        let range = commits(&repo, &RangeSpec::Receive(&[tagged, tree])).unwrap();
        assert_eq!((range.commits, range.others), (vec![], vec![blob, tree]));
        let range = commits(&repo, &RangeSpec::All).unwrap();
        assert_eq!((range.commits.len(), range.others), (4, vec![blob, tree]));
    }

    #[test]
    fn a_shallow_clone_says_where_it_was_cut() {
        let (sandbox, [_, left, right, merge]) = forked(&[]);
        let url = format!("file://{}", sandbox.path("r").display());
        sandbox.git(".", &["clone", "-q", "--depth=2", &url, "s"]);
        sandbox.git("s", &["worktree", "add", "-q", "../w"]);
        for folder in ["s", "w"] {
            let repo = sandbox.open(folder);
            assert!(repo.is_shallow().unwrap(), "{folder}");
            let range = commits(&repo, &RangeSpec::All).unwrap();
            assert_eq!((range.commits.len(), range.cut), (3, true), "{folder}");
            let spec = RangeSpec::Between { from: left, to: merge };
            let range = commits(&repo, &spec).unwrap();
            assert_eq!((range.commits, range.cut), (vec![right, merge], true), "{folder}");
            // What has lost its parents is compared with nothing, so that nothing of it is passed over.
            let changes = commit_changes(&repo, &[right]).unwrap();
            assert_eq!(changes[0].1.len(), 2, "{folder}");
        }
    }

    #[test]
    fn a_merge_is_compared_with_each_parent() {
        for init in [&[] as &[&str], &["--object-format=sha256"]] {
            let (sandbox, [first, left, right, merge]) = forked(init);
            sandbox.git("r", &["commit", "-q", "--allow-empty", "-m", "empty"]);
            let empty = sandbox.oid("r", "HEAD");
            let repo = sandbox.open("r/dir");
            let told = |change: &Change| format!("{}{}", change.status, String::from_utf8_lossy(&change.path));
            let seen: Vec<(Oid, Vec<String>)> = commit_changes(&repo, &[merge, first, empty, left, right])
                .unwrap()
                .into_iter()
                .map(|(oid, changes)| (oid, changes.iter().map(told).collect()))
                .collect();
            let of = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
            let expected = [
                (merge, of(&["Ma", "Mdir/b", "Aevil"])),
                (first, of(&["Aa", "Adir/b"])),
                (empty, vec![]),
                (left, of(&["Ma"])),
                (right, of(&["Mdir/b"])),
            ];
            assert_eq!(seen, expected);
            let mut limited = Vec::new();
            each_commit(&repo, &[first, left], &[b"dir"], |_, changes| limited.extend(changes)).unwrap();
            assert_eq!(limited.iter().map(told).collect::<Vec<_>>(), ["Adir/b"]);
        }
    }

    #[test]
    fn a_replaced_commit_is_judged_as_it_is_sent() {
        let (sandbox, [first, left, ..]) = forked(&[]);
        sandbox.git("r", &["replace", &left.to_string(), &first.to_string()]);
        let changes = commit_changes(&sandbox.open("r"), &[left]).unwrap();
        assert_eq!(
            (changes[0].1.len(), changes[0].1[0].path.as_slice()),
            (1, b"a".as_slice())
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_push_in_quarantine_is_seen_whole() {
        use std::os::unix::fs::PermissionsExt;
        let (sandbox, [first, left, right, merge]) = forked(&[]);
        sandbox.git(".", &["init", "-q", "--bare", "server.git"]);
        sandbox.git(
            "r",
            &["push", "-q", "../server.git", &format!("{first}:refs/heads/main")],
        );
        // The hook keeps a copy of the quarantine, which is gone after the push.
        let hook = "#!/bin/sh\nenv > ../variables\ncp -R \"$GIT_QUARANTINE_PATH\" ../quarantine\nexit 1\n";
        sandbox.write("server.git/hooks/pre-receive", hook);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(sandbox.path("server.git/hooks/pre-receive"), mode).unwrap();
        sandbox
            .command("r")
            .args(["push", "-q", "../server.git", "main"])
            .output()
            .unwrap();
        let printed = std::fs::read_to_string(sandbox.path("variables")).unwrap();
        let quarantine = sandbox.path("quarantine").to_string_lossy().into_owned();
        let mut seen = variables(&printed);
        for (name, value) in &mut seen {
            if name == "GIT_OBJECT_DIRECTORY" || name == "GIT_QUARANTINE_PATH" {
                value.clone_from(&quarantine);
            }
        }
        let seen: Vec<(&str, &str)> = seen
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let repo = sandbox.open_with("server.git", &seen).unwrap();
        assert!(!sandbox.open("server.git").contains(&merge).unwrap());
        let arrived = walk(&repo, &RangeSpec::Receive(&[merge]));
        assert_eq!((arrived.len(), arrived[2]), (3, merge));
        assert!(arrived.contains(&left) && arrived.contains(&right));
        let evil = sandbox.oid("r", "HEAD:evil");
        assert_eq!(repo.blob(&evil).unwrap(), b"evil");
        assert_eq!(commit_changes(&repo, &arrived).unwrap().len(), 3);
        let written = repo.write_blob(b"sealed").unwrap();
        assert!(repo.contains(&written).unwrap() && !sandbox.open("server.git").contains(&written).unwrap());
        assert!(staged_changes(&sandbox.open("r")).unwrap().is_empty());
    }
}
