//! The command line of `sops` as git-seal's own: for scripts that were written for it, under its name or ours.
//!
//! SOPS has a root form (`sops -d FILE`, options first, no option for editing) and subcommands; it takes long options behind
//! one dash, and truth values behind a sign (`-in-place=true`), as Go programs do.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::Command;

use super::sops_options::{Known, Meaning, find};
use crate::sops::metadata::FORMAT_VERSION;
use crate::ui::Failure;

/// The exit code of SOPS for a command line that names no file.
const NO_FILE: u8 = 100;
/// The exit code of SOPS for `--set` without path or value.
const BAD_SET: u8 = 7;

/// Under which name the program was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Its own.
    GitSeal,
    /// `sops`: through a link of that name.
    Sops,
}

impl Manner {
    /// By the first word of the command line.
    #[must_use]
    pub fn of(program: &OsStr) -> Self {
        let stem = Path::new(program).file_stem().unwrap_or_default();
        if stem == "sops" { Self::Sops } else { Self::GitSeal }
    }
}

/// Variables by which SOPS would seal a new file for keys that we can't wrap for.
const FOREIGN_KEYS: [&str; 6] = [
    "SOPS_AZURE_KEYVAULT_URLS",
    "SOPS_GCP_KMS_IDS",
    "SOPS_HUAWEICLOUD_KMS_IDS",
    "SOPS_KMS_ARN",
    "SOPS_PGP_FP",
    "SOPS_VAULT_URIS",
];

/// A command line of our own, and what is to be said about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Translated {
    /// The command line, the program's name first.
    pub line: Vec<OsString>,
    /// What was passed over, a sentence each.
    pub warnings: Vec<String>,
}

impl Translated {
    /// A command line that is in our form.
    #[must_use]
    pub const fn as_it_is(line: Vec<OsString>) -> Self {
        Self {
            line,
            warnings: Vec::new(),
        }
    }
}

/// Brings a command line into our form. `tree` is what we understand.
///
/// # Errors
/// For what git-seal can't do in SOPS's place, with SOPS's exit codes.
pub fn translate(line: Vec<OsString>, manner: Manner, tree: &Command) -> Result<Translated, Failure> {
    let mut words = line.iter().skip(1).cloned();
    let mut first = Words::default();
    // Options in front: of the root form, or global ones of a subcommand.
    let head = first.take_options(&mut words, Reading::Head)?;
    if manner == Manner::GitSeal && !first.options.iter().any(|option| option.known.meaning.is_root()) {
        return Ok(Translated::as_it_is(line));
    }
    if let Some(unknown) = first.unknown {
        return Err(Failure::new(format!("there is no option {unknown}")).code(1));
    }
    if first.help {
        return Ok(Translated::as_it_is(vec![program(&line), "--help".into()]));
    }
    let root = first.root_verb();
    let head = head.filter(|word| manner == Manner::GitSeal || !matches!(word.to_str(), Some("help" | "h")));
    let Some(head) = head else {
        if manner == Manner::Sops && root.is_none() {
            return Ok(Translated::as_it_is(vec![program(&line), "--help".into()]));
        }
        return Err(Failure::new("no file is named").code(NO_FILE));
    };
    let verb = head.to_str().and_then(|word| subcommand(word, tree));
    match (root, verb) {
        (None, Some(verb)) => Line { tree, verb, manner }.subcommand(&line, first, words),
        (None, None) if matches!(head.to_str(), Some("publish" | "keyservice")) => {
            let name = head.to_string_lossy();
            Err(
                Failure::new(format!("git-seal has no `{name}`: it makes no network connections"))
                    .code(1)
                    .hint("use sops itself for that"),
            )
        }
        (root, _) => {
            let verb = root.unwrap_or("edit");
            Line { tree, verb, manner }.root(&line, &first, head, words)
        }
    }
}

/// What `sops --version` prints. Scripts take the number from it.
#[must_use]
pub fn version() -> String {
    format!("sops {FORMAT_VERSION} (git-seal {})\n", env!("CARGO_PKG_VERSION"))
}

/// Whether a command line asks for the version as `sops` is asked.
#[must_use]
pub fn asks_version(line: &[OsString]) -> bool {
    let options = line.iter().skip(1).take_while(|word| is_option(word));
    options
        .filter_map(|word| word.to_str())
        .any(|word| matches!(word, "-v" | "-version" | "--version"))
}

fn program(line: &[OsString]) -> OsString {
    line.first().cloned().unwrap_or_default()
}

/// Our name for a subcommand of SOPS.
fn subcommand<'t>(word: &str, tree: &'t Command) -> Option<&'t str> {
    let ours = match word {
        "completion" => "completions",
        other => other,
    };
    tree.get_subcommands().map(Command::get_name).find(|name| *name == ours)
}

/// An option as it was given.
struct Given {
    known: &'static Known,
    value: Option<OsString>,
}

/// The options of a command line, read as SOPS reads them.
#[derive(Default)]
struct Words {
    options: Vec<Given>,
    help: bool,
    /// One that SOPS does not have.
    unknown: Option<String>,
}

/// How far options are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Those in front, where SOPS knows all.
    Head,
    /// Those of a subcommand, which may have some of our own.
    All,
}

impl Words {
    /// Takes options up to the next word that is none, which is the result.
    fn take_options(
        &mut self,
        words: &mut dyn Iterator<Item = OsString>,
        reading: Reading,
    ) -> Result<Option<OsString>, Failure> {
        while let Some(word) = words.next() {
            if !is_option(&word) {
                return Ok(Some(word));
            }
            let text = word.to_string_lossy().into_owned();
            let body = text.trim_start_matches('-');
            let (name, value) = body
                .split_once('=')
                .map_or((body, None), |(name, value)| (name, Some(value)));
            if matches!(name, "help" | "h") {
                self.help = true;
                continue;
            }
            let known = match (find(name), reading) {
                (Some(known), _) => known,
                // It may be ours. Go's single dash is two to everybody else.
                (None, Reading::All) if body.len() > 1 => return Ok(Some(format!("--{body}").into())),
                (None, Reading::All) => return Ok(Some(word)),
                (None, Reading::Head) if body.is_empty() => return Ok(words.next()),
                (None, Reading::Head) => {
                    self.unknown = Some(text);
                    return Ok(None);
                }
            };
            let value = match (known.takes_value, value) {
                (true, Some(value)) => Some(OsString::from(value)),
                (true, None) => Some(
                    words
                        .next()
                        .ok_or_else(|| Failure::new(format!("--{} needs a value", known.long)).code(1))?,
                ),
                (false, Some("false" | "0" | "f" | "F" | "FALSE" | "False"))
                    if known.long == "enable-local-keyservice" =>
                {
                    return Err(Failure::new("git-seal has no other key service than its own").code(1));
                }
                (false, Some("false" | "0" | "f" | "F" | "FALSE" | "False")) => continue,
                (false, _) => None,
            };
            self.options.push(Given { known, value });
        }
        Ok(None)
    }

    /// The verb of the root form, if an option names one.
    fn root_verb(&self) -> Option<&'static str> {
        let set = self.options.iter().any(|option| option.known.meaning == Meaning::Set);
        let verb = self.options.iter().find_map(|option| match option.known.meaning {
            Meaning::Verb(verb) => Some(verb),
            _ => None,
        });
        verb.or(set.then_some("set"))
    }
}

/// Whether a word is an option. A number below zero is a value.
fn is_option(word: &OsStr) -> bool {
    let text = word.to_string_lossy();
    text.len() > 1 && text.starts_with('-') && !text[1..].starts_with(|c: char| c.is_ascii_digit())
}

/// A command line in the making.
struct Line<'l> {
    tree: &'l Command,
    verb: &'l str,
    manner: Manner,
}

impl Line<'_> {
    /// The root form: the verb of its options, the file, and nothing behind it.
    fn root(
        &self,
        line: &[OsString],
        words: &Words,
        file: OsString,
        rest: impl Iterator<Item = OsString>,
    ) -> Result<Translated, Failure> {
        let mut translated = Translated::default();
        let set = words.options.iter().find(|option| option.known.meaning == Meaning::Set);
        let set = set.and_then(|option| option.value.clone());
        translated.line = vec![program(line), self.verb.into()];
        self.put_options(&mut translated.line, words)?;
        self.put_policy(&mut translated.line, words);
        translated.line.push("--".into());
        translated.line.push(file);
        if self.verb == "set" {
            let (path, value) = set_arguments(&set.unwrap_or_default())?;
            translated.line.extend([path, value]);
        }
        for word in rest {
            let word = word.to_string_lossy();
            translated.warnings.push(format!(
                "{word} is passed over: options go before the file, and there is one file"
            ));
        }
        Ok(translated)
    }

    /// A subcommand, with its options wherever they stand.
    fn subcommand(
        &self,
        line: &[OsString],
        global: Words,
        mut rest: impl Iterator<Item = OsString>,
    ) -> Result<Translated, Failure> {
        let mut translated = Translated::default();
        let mut words = global;
        let mut others = Vec::new();
        while let Some(word) = words.take_options(&mut rest, Reading::All)? {
            let is_last = word == "--";
            others.push(word);
            if is_last {
                others.extend(rest.by_ref());
                break;
            }
        }
        translated.line = vec![program(line), self.verb.into()];
        if self.verb == "groups" {
            // Its options belong to the verb behind it.
            let verb = (!others.is_empty()).then(|| others.remove(0));
            translated.line.extend(verb);
        }
        if words.help {
            translated.line.push("--help".into());
        }
        self.put_options(&mut translated.line, &words)?;
        self.put_policy(&mut translated.line, &words);
        if self.manner == Manner::Sops && self.verb == "updatekeys" {
            translated.line.push("--keep-threshold".into());
            if !words.options.iter().any(|option| option.known.long == "yes") {
                translated.line.push("--ask".into());
            }
        }
        translated.line.extend(others);
        Ok(translated)
    }

    /// The options that the verb has; SOPS passes over the others as well.
    fn put_options(&self, line: &mut Vec<OsString>, words: &Words) -> Result<(), Failure> {
        for option in &words.options {
            let given = option.value.as_ref().is_none_or(|value| !value.is_empty());
            match option.known.meaning {
                Meaning::Same if self.has(option.known.long) => {
                    let mut word = OsString::from(format!("--{}", option.known.long));
                    if let Some(value) = &option.value {
                        word.push("=");
                        word.push(value);
                    }
                    line.push(word);
                }
                Meaning::Foreign if given => {
                    let name = option.known.long;
                    return Err(foreign(&format!("--{name}")));
                }
                _ => {}
            }
        }
        if self.manner == Manner::Sops && matches!(self.verb, "encrypt" | "edit") {
            let set = |name: &&&str| env::var_os(name).is_some_and(|value| !value.is_empty());
            if let Some(name) = FOREIGN_KEYS.iter().find(set) {
                return Err(foreign(name));
            }
        }
        Ok(())
    }

    /// Under SOPS's name the policy is looked for where SOPS looks: from the current folder upward.
    fn put_policy(&self, line: &mut Vec<OsString>, words: &Words) {
        let given = words.options.iter().any(|option| option.known.long == "config");
        let set = env::var_os("SOPS_CONFIG").is_some_and(|value| !value.is_empty());
        if self.manner == Manner::GitSeal || given || set || !self.has("config") {
            return;
        }
        if let Some(found) = env::current_dir().ok().and_then(|folder| policy_above(&folder)) {
            let mut word = OsString::from("--config=");
            word.push(found);
            line.push(word);
        }
    }

    /// Whether the verb has an option of this name.
    fn has(&self, long: &str) -> bool {
        let Some(verb) = self.tree.find_subcommand(self.verb) else {
            return false;
        };
        let has = |command: &Command| {
            command
                .get_arguments()
                .any(|argument| argument.get_long() == Some(long))
        };
        has(verb) || verb.get_subcommands().any(has)
    }
}

fn policy_above(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .map(|folder| folder.join(".sops.yaml"))
        .find(|path| path.is_file())
}

fn foreign(name: &str) -> Failure {
    Failure::new(format!("{name}: git-seal seals with age and SSH keys only"))
        .code(1)
        .hint("use sops itself for other keys")
}

/// Path and value of `--set`, which come in one word.
fn set_arguments(text: &OsStr) -> Result<(OsString, OsString), Failure> {
    let text = text.to_string_lossy();
    let (path, value) = text.split_once("] ").ok_or_else(|| {
        Failure::new("--set needs a path and a value, parted by a blank")
            .code(BAD_SET)
            .hint(r#"for example --set '["key"][0] "value"'"#)
    })?;
    Ok((format!("{path}]").into(), value.into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use clap::CommandFactory as _;

    use super::*;

    fn translated(words: &str, manner: Manner) -> Result<Translated, Failure> {
        let line = shlex::split(words).unwrap().into_iter().map(OsString::from).collect();
        translate(line, manner, &super::super::Cli::command())
    }

    #[track_caller]
    fn case(words: &str, expected: &str) {
        let line = translated(words, Manner::Sops).unwrap().line;
        let words: Vec<&str> = line.iter().map(|word| word.to_str().unwrap()).collect();
        // Which policy is found depends on where the test runs.
        let words: Vec<&str> = words
            .into_iter()
            .filter(|word| !word.starts_with("--config="))
            .collect();
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn what_can_not_be_done_is_refused() {
        for (words, code, message) in [
            ("sops -d", NO_FILE, "no file is named"),
            ("sops --nonsense -d a", 1, "there is no option --nonsense"),
            (
                "sops publish a",
                1,
                "git-seal has no `publish`: it makes no network connections",
            ),
            (
                "sops -e --pgp ABC a",
                1,
                "--pgp: git-seal seals with age and SSH keys only",
            ),
            (
                "sops rotate --add-kms arn a",
                1,
                "--add-kms: git-seal seals with age and SSH keys only",
            ),
            (
                "sops --set x a",
                BAD_SET,
                "--set needs a path and a value, parted by a blank",
            ),
            ("sops --output", 1, "--output needs a value"),
            (
                "sops --enable-local-keyservice=false -d a",
                1,
                "git-seal has no other key service than its own",
            ),
        ] {
            let failure = translated(words, Manner::Sops).unwrap_err();
            assert_eq!((failure.code, failure.message.as_str()), (code, message), "{words}");
        }
    }

    #[test]
    fn the_root_form_becomes_a_verb() {
        case("sops a.yaml", "sops edit -- a.yaml");
        case("sops -s a.yaml", "sops edit --show-master-keys -- a.yaml");
        case("sops -d -i a.yaml", "sops decrypt --in-place -- a.yaml");
        case("sops --decrypt=true -in-place=false a", "sops decrypt -- a");
        case(
            "sops -e --age age1x --encrypted-regex '^a b$' a",
            "sops encrypt --age=age1x --encrypted-regex=^a b$ -- a",
        );
        case("sops -r -i --add-age x a", "sops rotate --in-place --add-age=x -- a");
        case("sops -d --age x --kms '' --verbose a", "sops decrypt -- a");
        case(
            r#"sops --set '["a"]["b c"] {"d": 1}' a"#,
            r#"sops set -- a ["a"]["b c"] {"d": 1}"#,
        );
        let told = translated("sops -d a -i", Manner::Sops).unwrap().warnings;
        assert_eq!(
            told,
            ["-i is passed over: options go before the file, and there is one file"]
        );
    }

    #[test]
    fn subcommands_take_their_options_anywhere() {
        case("sops --verbose decrypt a -output b", "sops decrypt --output=b a");
        case("sops updatekeys a b", "sops updatekeys --keep-threshold --ask a b");
        case("sops updatekeys -y a", "sops updatekeys --yes --keep-threshold a");
        case("sops completion bash", "sops completions bash");
        case(r#"sops set a '["b"]' -5"#, r#"sops set a ["b"] -5"#);
        case("sops groups add --file a --age x", "sops groups add --file=a --age=x");
        case("sops decrypt --help", "sops decrypt --help");
        case("sops help", "sops --help");
    }

    #[test]
    fn our_own_command_line_is_left_alone() {
        for words in [
            "git-seal verify --staged",
            "git-seal --help",
            "git-seal",
            "git-seal -x",
            "git-seal updatekeys -y a",
        ] {
            let line: Vec<OsString> = shlex::split(words).unwrap().into_iter().map(OsString::from).collect();
            assert_eq!(translated(words, Manner::GitSeal).unwrap().line, line);
        }
        let line = translated("git-seal -d -i a", Manner::GitSeal).unwrap().line;
        assert_eq!(line, ["git-seal", "decrypt", "--in-place", "--", "a"]);
    }
}
