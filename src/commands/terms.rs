//! For whom and how a command seals a file: the options of the command line over the rule of `.sops.yaml` (format,
//! section 8.5).

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::context::{POLICY, read_policy};
use super::paths::git_path;
use crate::crypt::Recipient;
use crate::policy::{Policy, Rule};
use crate::sops::SelectionSettings;
use crate::ui::Failure;
use crate::vault::{self, Terms};

/// What some people call a policy.
const MISNAMED: &str = ".sops.yml";

/// The options that say for whom and what to seal.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct TermsArgs {
    /// Seal for these age or SSH public keys, separated by commas, in place of those of the rule
    #[arg(short, long, value_name = "RECIPIENTS", env = "SOPS_AGE_RECIPIENTS")]
    pub age: Vec<String>,
    /// Seal only values below keys that match
    #[arg(long, value_name = "REGEX")]
    pub encrypted_regex: Option<String>,
    /// Leave values below keys that match in the clear
    #[arg(long, value_name = "REGEX")]
    pub unencrypted_regex: Option<String>,
    /// Seal only values below keys that end so
    #[arg(long, value_name = "SUFFIX")]
    pub encrypted_suffix: Option<String>,
    /// Leave values below keys that end so in the clear
    #[arg(long, value_name = "SUFFIX")]
    pub unencrypted_suffix: Option<String>,
    /// Seal only values behind a comment that matches
    #[arg(long, value_name = "REGEX")]
    pub encrypted_comment_regex: Option<String>,
    /// Leave values behind a comment that matches in the clear
    #[arg(long, value_name = "REGEX")]
    pub unencrypted_comment_regex: Option<String>,
    /// Let the MAC cover sealed values only
    #[arg(long)]
    pub mac_only_encrypted: bool,
    /// How many key groups are needed to open the file
    #[arg(long, value_name = "N")]
    pub shamir_secret_sharing_threshold: Option<u32>,
    /// Use this policy file
    #[arg(long, value_name = "FILE", env = "SOPS_CONFIG")]
    pub config: Option<PathBuf>,
}

/// A policy, and the path by which its rules are asked about a file.
#[derive(Debug, Default)]
pub struct Place {
    /// The policy; none where there is no policy file.
    pub policy: Option<Rc<Policy>>,
    /// The file's path: from the policy's folder where it lies below it, else absolute.
    pub path: Vec<u8>,
    /// A `.sops.yml` nearer than the policy: nobody reads a file of that name.
    pub misnamed: Option<PathBuf>,
}

impl Place {
    /// The policy for a file: the given one, else the nearest `.sops.yaml` from the file's folder upward, else from the
    /// current folder upward, where SOPS looks.
    ///
    /// # Errors
    /// A policy that can't be read, or that is given and absent.
    pub fn of(file: &Path, given: Option<&Path>) -> Result<Self, Failure> {
        Policies::default().place(file, given)
    }

    /// The rule for the file.
    ///
    /// # Errors
    /// A rule that can't be judged.
    pub fn rule(&self) -> Result<Option<&Rule>, Failure> {
        match &self.policy {
            Some(policy) => Ok(policy.rule_for(&self.path)?),
            None => Ok(None),
        }
    }
}

/// Policy files, each read once however many files ask for it.
#[derive(Default)]
pub struct Policies {
    known: RefCell<HashMap<PathBuf, Option<Rc<Policy>>>>,
}

impl Policies {
    /// The policy for a file, as [`Place::of`] finds it.
    ///
    /// # Errors
    /// As [`Place::of`].
    pub fn place(&self, file: &Path, given: Option<&Path>) -> Result<Place, Failure> {
        let file = plain_absolute(file)?;
        let found = match given.filter(|given| !given.as_os_str().is_empty()) {
            Some(given) => Some(plain_absolute(given)?),
            None => match file.parent().and_then(search) {
                Some(found) => Some(found),
                None => search(&plain_absolute(Path::new("."))?),
            },
        };
        let misnamed = given.is_none().then(|| misnamed(&file, found.as_deref())).flatten();
        let Some(found) = found else {
            return Ok(Place {
                policy: None,
                path: git_path(&file),
                misnamed,
            });
        };
        let policy = self.read(&found)?;
        if policy.is_none() {
            return Err(Failure::new("no such file").at(found.display()).code(1));
        }
        Ok(Place {
            policy,
            path: seen_from(&found, &file),
            misnamed,
        })
    }

    /// A policy file; none where it is absent.
    ///
    /// # Errors
    /// A policy that can't be used.
    pub fn read(&self, path: &Path) -> Result<Option<Rc<Policy>>, Failure> {
        if let Some(policy) = self.known.borrow().get(path) {
            return Ok(policy.clone());
        }
        let policy = read_policy(path).map_err(|reason| Failure::new(reason).code(1))?;
        let policy = policy.map(Rc::new);
        self.known.borrow_mut().insert(path.to_owned(), policy.clone());
        Ok(policy)
    }
}

impl TermsArgs {
    /// Whether anything is said about what is sealed.
    #[must_use]
    pub fn select_something(&self) -> bool {
        self.mac_only_encrypted || self.settings().iter().any(|(_, text)| text.is_some())
    }

    /// The terms for a file. Recipients that are given replace the rule's; of its settings, those that are given.
    ///
    /// # Errors
    /// When nobody is named, a recipient is malformed, or the settings contradict each other.
    pub fn terms(&self, place: &Place) -> Result<Terms, Failure> {
        let mut recipients = Vec::new();
        for list in &self.age {
            recipients.extend(Recipient::parse_list(list)?);
        }
        let rule = place.rule()?;
        let mut terms = if recipients.is_empty() {
            let has_rules = place.policy.as_ref().is_some_and(|policy| policy.has_rules_section());
            Terms::of_rule(rule.ok_or_else(|| nobody(has_rules))?)?
        } else {
            Terms {
                groups: vec![recipients],
                foreign: Vec::new(),
                threshold: rule.and_then(|rule| rule.threshold),
                selection: rule.map(|rule| rule.selection.clone()).unwrap_or_default(),
                mac_only_encrypted: rule.is_some_and(|rule| rule.mac_only_encrypted),
            }
        };
        self.put_settings(&mut terms.selection);
        terms.selection.resolve()?;
        terms.mac_only_encrypted |= self.mac_only_encrypted;
        terms.threshold = self
            .shamir_secret_sharing_threshold
            .filter(|&number| number > 0)
            .or(terms.threshold);
        Ok(terms)
    }

    fn put_settings(&self, selection: &mut SelectionSettings) {
        for (name, text) in self.settings() {
            if let (Some(text), Some(slot)) = (text, selection.slot(name)) {
                *slot = Some(text.clone());
            }
        }
    }

    fn settings(&self) -> [(&'static str, Option<&String>); 6] {
        [
            ("encrypted_regex", &self.encrypted_regex),
            ("unencrypted_regex", &self.unencrypted_regex),
            ("encrypted_suffix", &self.encrypted_suffix),
            ("unencrypted_suffix", &self.unencrypted_suffix),
            ("encrypted_comment_regex", &self.encrypted_comment_regex),
            ("unencrypted_comment_regex", &self.unencrypted_comment_regex),
        ]
        .map(|(name, text)| (name, text.as_ref().filter(|text| !text.is_empty())))
    }
}

/// Nothing says for whom to seal.
fn nobody(has_rules: bool) -> Failure {
    if has_rules {
        return vault::Error::NoRule.into();
    }
    Failure::new("there is no .sops.yaml with creation rules, so there is nobody to seal it for")
        .code(1)
        .hint("name recipients with --age, or make a policy with `git seal init`")
}

fn search(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .map(|folder| folder.join(POLICY))
        .find(|path| path.exists())
}

/// A policy under a name that is never read, in a folder between a file and its policy.
fn misnamed(file: &Path, policy: Option<&Path>) -> Option<PathBuf> {
    let end = policy.and_then(Path::parent);
    let folders = file.parent()?.ancestors().take_while(|folder| Some(*folder) != end);
    folders.map(|folder| folder.join(MISNAMED)).find(|path| path.is_file())
}

/// The path of a file as the rules of a policy see it.
fn seen_from(policy: &Path, file: &Path) -> Vec<u8> {
    // A policy at the root of the file system is asked about absolute paths, as in SOPS.
    let folder = policy.parent().filter(|folder| folder.parent().is_some());
    let below = folder.and_then(|folder| file.strip_prefix(folder).ok());
    git_path(below.unwrap_or(file))
}

/// The absolute path without `.` and `..`. Links stay as they are: rules are about names (format, section 8.4).
fn plain_absolute(path: &Path) -> Result<PathBuf, Failure> {
    let absolute = std::path::absolute(path).map_err(|error| Failure::io(path, &error))?;
    let mut plain = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    const ALICE: &str = "age1q07uqh3w20ju2rk6c0aet99d7d84gkvk5pgwekllp7v9mwe5wupq0gzf5f";
    const BOB: &str = "age1ltcjpmerv8cz2lw20y9fgdll9a88y3qq70ul9quhmhhzag7e43csavyjvf";

    fn place(text: &str) -> Place {
        Place {
            policy: Some(Rc::new(Policy::parse(text.as_bytes()).unwrap())),
            path: b"a.yaml".to_vec(),
            misnamed: None,
        }
    }

    fn rules(more: &str) -> Place {
        place(&format!(
            "creation_rules:\n  - path_regex: ^a\n    age: {BOB}\n    {more}\n"
        ))
    }

    #[test]
    fn what_names_nobody_or_says_two_things_is_refused() {
        #[track_caller]
        fn case(args: &TermsArgs, place: &Place, code: u8, message: &str) {
            let failure = args.terms(place).unwrap_err();
            assert_eq!(failure.code, code, "{}", failure.message);
            assert!(failure.message.contains(message), "{}", failure.message);
        }
        let none = TermsArgs::default();
        case(&none, &Place::default(), 1, "no .sops.yaml with creation rules");
        case(&none, &place("stores: {}"), 1, "no .sops.yaml with creation rules");
        case(
            &none,
            &place("creation_rules: []"),
            1,
            "no rule of .sops.yaml is for this path",
        );
        case(
            &none,
            &place("creation_rules: [{path_regex: (, age: x}]"),
            1,
            "path_regex",
        );
        let age = |text: &str| TermsArgs {
            age: vec![text.to_owned()],
            ..TermsArgs::default()
        };
        case(&age("age1nonsense"), &Place::default(), 1, "age1nons");
        let regex = TermsArgs {
            encrypted_regex: Some("x".to_owned()),
            ..age(ALICE)
        };
        case(&regex, &rules("encrypted_suffix: y"), 8, "one selection setting only");
        let bad = TermsArgs {
            encrypted_regex: Some("(".to_owned()),
            ..age(ALICE)
        };
        case(&bad, &Place::default(), 1, "encrypted_regex");
    }

    #[test]
    fn options_go_over_the_rule() {
        let none = TermsArgs::default();
        let terms = none.terms(&rules("encrypted_regex: x")).unwrap();
        assert_eq!(
            (terms.groups[0][0].text(), terms.selection.encrypted_regex.as_deref()),
            (BOB, Some("x"))
        );
        let args = TermsArgs {
            age: vec![format!("{ALICE}, {ALICE}")],
            encrypted_regex: Some("y".to_owned()),
            shamir_secret_sharing_threshold: Some(0),
            ..TermsArgs::default()
        };
        let terms = args
            .terms(&rules("encrypted_regex: x\n    mac_only_encrypted: true"))
            .unwrap();
        assert_eq!(
            (terms.groups.len(), terms.groups[0].len(), terms.groups[0][0].text()),
            (1, 2, ALICE)
        );
        assert_eq!(
            (terms.selection.encrypted_regex.as_deref(), terms.mac_only_encrypted),
            (Some("y"), true)
        );
        assert_eq!(terms.threshold, None);
        // With recipients at hand, a policy without a rule for the path is no reason to stop.
        assert!(args.terms(&place("creation_rules: []")).is_ok());
    }

    #[test]
    fn rules_see_the_path_from_their_folder() {
        #[track_caller]
        fn case(policy: &str, file: &str, expected: &str) {
            assert_eq!(seen_from(Path::new(policy), Path::new(file)), expected.as_bytes());
        }
        case("/r/.sops.yaml", "/r/a/b.yaml", "a/b.yaml");
        case("/r/.sops.yaml", "/other/b.yaml", "/other/b.yaml");
        case("/.sops.yaml", "/a/b.yaml", "/a/b.yaml");
        case("/r/x/.sops.yaml", "/r/xy/b.yaml", "/r/xy/b.yaml");
    }

    #[test]
    fn the_nearest_policy_of_the_file_is_found() {
        let top = tempfile::tempdir().unwrap();
        let deep = top.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(top.path().join(".sops.yaml"), "creation_rules: []").unwrap();
        let far = Place::of(&deep.join("../b/./x.yaml"), None).unwrap();
        assert_eq!(String::from_utf8(far.path).unwrap(), "a/b/x.yaml");
        std::fs::write(top.path().join("a/.sops.yaml"), "creation_rules: []").unwrap();
        assert_eq!(Place::of(&deep.join("x.yaml"), None).unwrap().path, b"b/x.yaml");
        std::fs::write(top.path().join("a/.sops.yml"), "").unwrap();
        assert_eq!(Place::of(&deep.join("x.yaml"), None).unwrap().misnamed, None);
        std::fs::write(deep.join(".sops.yml"), "").unwrap();
        let misnamed = Place::of(&deep.join("x.yaml"), None).unwrap().misnamed;
        assert_eq!(misnamed, Some(deep.join(".sops.yml")));
        let given = Place::of(&deep.join("x.yaml"), Some(&top.path().join(".sops.yaml"))).unwrap();
        assert_eq!(given.path, b"a/b/x.yaml");
        assert_eq!(
            Place::of(&deep.join("x.yaml"), Some(Path::new("/no/such")))
                .unwrap_err()
                .code,
            1
        );
    }
}
