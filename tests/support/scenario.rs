//! What the scenarios share: a file with two values far apart, branches that change it, and what holds after each of them.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::{CANARY, Sandbox, contains, files_below};

/// The sealed file of most scenarios.
pub const FILE: &str = "secrets/app.yaml";

/// Its first state: two values with lines between them, so that changes of both don't meet.
pub const BASE: &str = "one: CANARY-1\n\n# far\n# from\n# each\n# other\n\ntwo: CANARY-2\n";

/// The file with another first value.
pub fn one(value: &str) -> String {
    BASE.replace("CANARY-1", value)
}

/// The file with another second value.
pub fn two(value: &str) -> String {
    BASE.replace("CANARY-2", value)
}

/// The file with both values changed.
pub fn both(first: &str, second: &str) -> String {
    one(first).replace("CANARY-2", second)
}

/// A set-up repository with the file committed; no command of it opens an editor.
pub fn committed() -> Sandbox {
    let mut sandbox = Sandbox::set_up();
    sandbox.set("GIT_EDITOR", "true");
    sandbox.put(FILE, BASE, "base");
    sandbox
}

/// Two branches, `main` (checked out) and `side`, that changed the file from its first state.
pub fn branches(ours: &str, theirs: &str) -> Sandbox {
    let sandbox = committed();
    sandbox.git(&["checkout", "--quiet", "-b", "side"]).ok();
    sandbox.put(FILE, theirs, "theirs");
    sandbox.git(&["checkout", "--quiet", "main"]).ok();
    sandbox.put(FILE, ours, "ours");
    sandbox
}

impl Sandbox {
    /// Writes a file and commits it with everything else.
    #[track_caller]
    pub fn put(&self, path: &str, text: &str, message: &str) {
        self.write(path, text);
        self.commit_all(message);
    }

    /// The output of a Git command that goes well.
    #[track_caller]
    pub fn tell(&self, args: &[&str]) -> String {
        self.git(args).ok().text()
    }

    /// What `git status --porcelain` lists.
    #[track_caller]
    pub fn status(&self) -> String {
        self.tell(&["status", "--porcelain"])
    }

    /// Asserts what holds after every scenario: the tree is clean, also after a touch and a second later, and no plain text lies
    /// anywhere of Git's own.
    #[track_caller]
    pub fn standing(&self) {
        self.standing_in(&self.repo);
    }

    /// As [`Sandbox::standing`] in another work tree.
    #[track_caller]
    pub fn standing_in(&self, folder: &Path) {
        self.assert_clean_in(folder);
        sleep(Duration::from_millis(1100));
        let status = self.git_in(folder, &["status", "--porcelain"]).ok().text();
        assert_eq!(status, "", "not clean a second later");
        self.sealed_in(folder);
    }

    /// Asserts that no plain text lies anywhere of Git's own, with the folder that linked work trees share.
    #[track_caller]
    pub fn sealed_in(&self, folder: &Path) {
        self.assert_no_leak_in(folder);
        let common = self.git_in(folder, &["rev-parse", "--git-common-dir"]).ok().text();
        for path in files_below(&folder.join(common.trim_end())) {
            assert!(
                !contains(&fs::read(&path).unwrap_or_default(), CANARY.as_bytes()),
                "plain text in {}",
                path.display()
            );
        }
    }

    /// Has every filter process of this repository leave a line behind, and returns how many did so far.
    pub fn count_filters(&self) -> impl Fn() -> usize + use<> {
        let log = self.root().join("filters.log");
        let command = format!("echo x >> '{}'; exec git-seal filter-process", log.display());
        self.git(&["config", "filter.git-seal.process", &command]).ok();
        move || fs::read_to_string(&log).map_or(0, |text| text.lines().count())
    }
}
