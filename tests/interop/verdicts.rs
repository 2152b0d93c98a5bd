//! Damaged sealed files before both programs: the same verdict, and where both open one, the same values.
//!
//! Where the verdicts differ on purpose, [`DEVIATIONS`] has the reason.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use git_seal::crypt::Keyring;
use git_seal::document::Format;

use super::generate::{Case, Random};
use super::mutate::damaged;
use super::peer::{check, difference, listed, number, threads};
use super::sides::Sops;
use super::vectors::{Keys, Settings, every_key, opened, sealed_for, values};

mod deviations;

use deviations::DEVIATIONS;

/// How many damaged files a run makes.
const MUTATIONS: u64 = 3_000;

/// How often a sealed file is damaged before the next one is made.
const PER_FILE: u64 = 10;

/// How many failing files are shown.
const SHOWN: usize = 12;

/// A damaged file with both verdicts.
pub struct Mutant<'m> {
    pub format: Format,
    pub bytes: &'m [u8],
    /// What we opened it to, or our message.
    pub ours: Result<Vec<u8>, String>,
    /// What SOPS opened it to, or its message.
    pub theirs: Result<Vec<u8>, String>,
}

impl Mutant<'_> {
    /// The damaged text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes).into_owned()
    }

    /// Nothing where both agree, else what they say.
    fn disagreement(&self, sops: &Sops) -> Result<(), String> {
        match (&self.ours, &self.theirs) {
            (Err(_), Err(_)) => Ok(()),
            (Ok(_), Err(theirs)) => Err(format!("only SOPS refuses: {}", theirs.trim())),
            (Err(ours), Ok(_)) => Err(format!("only we refuse: {ours}")),
            (Ok(ours), Ok(theirs)) => self.compare(sops, ours, theirs),
        }
    }

    fn compare(&self, sops: &Sops, ours: &[u8], theirs: &[u8]) -> Result<(), String> {
        if ours == theirs {
            return Ok(());
        }
        let about = "the opened values";
        let list = |bytes: &[u8]| listed(self.format, bytes);
        let result = list(ours).and_then(|ours| difference(about, &ours, &list(theirs)?));
        if result.is_ok() || !matches!(self.format, Format::Yaml | Format::Ini) {
            return result;
        }
        // SOPS's writers spoil some texts: then its JSON decides.
        let Ok(json) = sops.decrypt_to_json(self.format, self.bytes) else {
            return if check(self.format, theirs).is_err() {
                Ok(())
            } else {
                result
            };
        };
        let ours = super::peer::as_json(self.format, ours)?;
        difference(about, &listed(Format::Json, &ours)?, &listed(Format::Json, &json)?)
    }
}

/// A sealed file that is damaged several times, and another one of its kind.
struct Source {
    format: Format,
    sealed: String,
    other: String,
}

impl Source {
    /// The file with this number; nothing where one of the programs refuses the document, or fails to open its own file.
    fn new(sops: &Sops, keys: &Keyring, seed: u64, index: u64) -> Option<Self> {
        let case = Case::new(seed, index);
        let seal = |ours: bool| {
            let Case {
                format,
                plain,
                settings,
                keys,
            } = &case;
            let sealed = if ours {
                sealed_for(*format, plain, settings, keys).ok()
            } else {
                sops.encrypt_for(*format, plain, settings, keys).ok()
            };
            String::from_utf8(sealed?).ok()
        };
        let ours = index.is_multiple_of(2);
        let (sealed, other) = (seal(ours)?, seal(!ours)?);
        let source = Self {
            format: case.format,
            sealed,
            other,
        };
        let whole = source.judged(sops, keys, source.sealed.as_bytes());
        (whole.ours.is_ok() && whole.theirs.is_ok() && whole.disagreement(sops).is_ok()).then_some(source)
    }

    fn judged<'m>(&'m self, sops: &Sops, keys: &Keyring, bytes: &'m [u8]) -> Mutant<'m> {
        let ours = catch_unwind(AssertUnwindSafe(|| opened(self.format, bytes, keys)));
        Mutant {
            format: self.format,
            bytes,
            ours: match ours {
                Ok(opened) => opened
                    .map(|opened| opened.content.to_vec())
                    .map_err(|error| error.to_string()),
                Err(_) => Err("PANIC".to_owned()),
            },
            theirs: sops.decrypt(self.format, bytes),
        }
    }
}

#[derive(Default)]
struct Tally {
    /// How often each outcome came, by its name.
    outcomes: BTreeMap<String, usize>,
    failed: Vec<String>,
}

impl Tally {
    fn count(&mut self, outcome: &str) {
        *self.outcomes.entry(outcome.to_owned()).or_default() += 1;
    }

    fn judge(&mut self, mutant: &Mutant<'_>, done: &str, sops: &Sops, number: &str) {
        if mutant.ours.as_ref().is_err_and(|error| error == "PANIC") {
            self.failed.push(format!(
                "=== {number}: {done}\nwe panic\n--- {}\n{}",
                mutant.format,
                mutant.text()
            ));
            return;
        }
        let Err(error) = mutant.disagreement(sops) else {
            return self.count(match (&mutant.ours, &mutant.theirs) {
                (Ok(_), _) => "both open",
                (Err(_), _) => "both refuse",
            });
        };
        match DEVIATIONS.iter().find(|deviation| deviation.fits(mutant)) {
            Some(deviation) => self.count(deviation.reason),
            None => self.failed.push(format!(
                "=== {number}: {done}\n{error}\n--- {}\n{}",
                mutant.format,
                mutant.text()
            )),
        }
    }
}

/// `SEED` repeats a run, `MUTATIONS` is how many, `SOURCE` names one sealed file.
#[test]
#[ignore = "needs sops"]
fn damaged_files_are_judged_as_sops_judges_them() {
    let seed = number("SEED").unwrap_or(4);
    let mutations = number("MUTATIONS").unwrap_or(MUTATIONS);
    println!("SEED={seed}");
    let (sops, keys) = (Sops::new(), every_key());
    let tally = Mutex::new(Tally::default());
    let next = std::sync::atomic::AtomicU64::new(0);
    let made = std::sync::atomic::AtomicU64::new(0);
    let ordering = std::sync::atomic::Ordering::Relaxed;
    let one = number("SOURCE");
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                while made.load(ordering) < mutations {
                    let index = next.fetch_add(1, ordering);
                    let index = match one {
                        Some(_) if index > 0 => break,
                        Some(one) => one,
                        None => index,
                    };
                    // Another row of numbers than the documents of the other test.
                    let Some(source) = Source::new(&sops, &keys, !seed, index) else {
                        continue;
                    };
                    let mut random = Random::new(seed, index);
                    for round in 0..PER_FILE {
                        let (bytes, done) = damaged(&mut random, source.format, &source.sealed, &source.other);
                        let mutant = source.judged(&sops, &keys, &bytes);
                        let number = format!("SEED={seed} SOURCE={index} round {round}");
                        let mut own = Tally::default();
                        own.judge(&mutant, &done, &sops, &number);
                        let mut tally = tally.lock().unwrap();
                        for (outcome, count) in own.outcomes {
                            *tally.outcomes.entry(outcome).or_default() += count;
                        }
                        tally.failed.extend(own.failed);
                        made.fetch_add(1, ordering);
                    }
                }
            });
        }
    });
    report(&tally.into_inner().unwrap(), seed);
}

fn report(tally: &Tally, seed: u64) {
    for (outcome, count) in &tally.outcomes {
        println!("{count:6} {outcome}");
    }
    let shown = number("SHOWN").map_or(SHOWN, |shown| usize::try_from(shown).unwrap());
    for failure in tally.failed.iter().take(shown) {
        println!("{failure}");
    }
    let differ = tally.failed.len();
    assert!(differ == 0, "{differ} verdicts differ; SEED={seed}");
    let count = |outcome: &str| tally.outcomes.get(outcome).copied().unwrap_or_default();
    let (open, refuse) = (count("both open"), count("both refuse"));
    // A run that judges only wrecks, or nothing but whole files, says little.
    let all: usize = tally.outcomes.values().sum();
    assert!(
        open * 12 >= all && refuse * 4 >= all,
        "{open} open, {refuse} refused of {all}"
    );
}

/// What is changed around the sealed values by hand, and whether the file still opens; it then says what it said.
#[test]
fn what_nobody_vouches_for_changes_no_value() {
    #[track_caller]
    fn case(format: Format, plain: &str, (from, to): (&str, &str), opens: bool) {
        let keys = every_key();
        let settings = Settings::default();
        let sealed = sealed_for(format, plain.as_bytes(), &settings, &Keys::alice()).unwrap();
        let sealed = String::from_utf8(sealed).unwrap();
        let changed = match from {
            "" => sealed.trim_end_matches('\n').to_owned(),
            from => sealed.replacen(from, to, 1),
        };
        assert_ne!(changed, sealed, "{from:?} is not there");
        let found = opened(format, changed.as_bytes(), &keys);
        assert_eq!(found.is_ok(), opens, "{changed}");
        if let Ok(found) = found {
            assert_eq!(
                values(format, &found.content),
                values(format, plain.as_bytes()),
                "{changed}"
            );
        }
    }
    let yaml = |plain, change, opens| case(Format::Yaml, plain, change, opens);
    let block = "a: |\n  x\n  y\n";
    yaml(block, ("", ""), true);
    yaml(block, ("type:str]\n", "type:str]\n\n"), true);
    let keeps = "a: |+\n  x\n\nb: 0x1F\n";
    yaml(keeps, ("type:str]\n\n", "type:str]\n"), true);
    yaml(keeps, ("type:str]\n", "type:str]\n\n"), true);
    yaml(keeps, ("a: |+", "a: |"), true);
    yaml("# c\na: 1\n", ("type:comment]", "type:str]"), false);
    yaml("# c\na: 1\n", ("type:comment]", "type:float]"), true);
    yaml("a: 1\n", ("    mac:", "    Mac: [x]\n    mac:"), true);
    yaml("a: 1\n", ("    mac:", "    mac: x\n    mac:"), false);
    yaml("a: 1\n", ("    mac:", "    mac_only_encrypted: [x]\n    mac:"), false);
    yaml("a: 1\n", ("    mac:", "    kms: [x]\n    mac:"), false);
    yaml("a: 1\n", ("    mac:", "    pgp: [{fp: x}]\n    mac:"), false);
    yaml("a: 1\n", ("    mac:", "    key_groups: x\n    mac:"), false);
    yaml("a: 1\n", ("version: 3", "version: 03"), false);
    yaml("a: 1\n", ("a:", "%YAML 1.2\n---\na:"), false);
    yaml("a: 1\n", ("FILE-----\n", "FILE----- \n"), false);
    let json = |plain, change, opens| case(Format::Json, plain, change, opens);
    json(
        "{\"a\": 1}",
        (
            "\"mac\"",
            "\"mac_only_encrypted\": \"x\", \"mac_only_encrypted\": false, \"mac\"",
        ),
        true,
    );
    json("{\"a\": 1}", ("\"enc\"", "\"enc\": \"x\", \"enc\""), true);
    json("{\"a\": 1}", ("\"recipient\"", "\"enc\": \"x\", \"recipient\""), false);
    let binary = |change, opens| case(Format::Binary, "x", change, opens);
    binary(("\"sops\"", "\"more\": \"x\", \"sops\""), false);
    binary(("\"sops\"", "\"more\": null, \"sops\""), true);
    binary(("\"mac\"", "\"mac_only_encrypted\": true, \"mac\""), false);
    binary(("\"mac\"", "\"unencrypted_regex\": \"data\", \"mac\""), false);
    binary(("type:str", "type:time"), false);
}

/// The note of spellings counts items: a null that is moved would give each spelling to the item before.
#[test]
fn a_null_that_is_moved_moves_no_spelling() {
    let plain = "a:\nb: [x, 0x1F]\nc: 0x2\nd: 0x3\n";
    let sealed = sealed_for(Format::Yaml, plain.as_bytes(), &Settings::default(), &Keys::alice()).unwrap();
    let sealed = String::from_utf8(sealed).unwrap();
    let moved = sealed
        .strip_prefix("a:\n")
        .unwrap()
        .replacen("sops:\n", "a:\nsops:\n", 1);
    let found = opened(Format::Yaml, moved.as_bytes(), &every_key()).unwrap().content;
    let expected = "b: [x, 31]\nc: 2\nd: 3\na:\n";
    assert_eq!(
        values(Format::Yaml, &found),
        values(Format::Yaml, expected.as_bytes()),
        "{}",
        String::from_utf8_lossy(&found)
    );
}
