//! Both directions with SOPS itself: what we seal it opens, what it seals we open, and what we change of its files it still opens.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Mutex;

use git_seal::crypt::Keyring;
use git_seal::document::Format;
use git_seal::sops::convert::{Indents, convert};
use git_seal::sops::sealed::parse_document;
use git_seal::sops::{Error, Sealed};

use super::generate::Case;
use super::laws::{is_simple, one_value_changed, settings_of};
use super::sides::Sops;
use super::vectors::{
    Keys, Settings, comments, entries, every_key, file, format, keyring, name, opened, read, resealed, sealed_fixtures,
    sealed_for, values,
};
use crate::support::{ALICE, BOB};

/// How many documents a run makes up.
const DOCUMENTS: u64 = 3_000;

/// How many failing documents are cut down to what matters.
const SHORTENED: usize = 12;

/// SOPS can't open what it makes of these itself.
const BROKEN_BY_SOPS: [&str; 1] = ["42-comment-regex-in-list"];

/// What a failed comparison shows.
pub fn difference(about: &str, ours: &str, theirs: &str) -> Result<(), String> {
    if ours == theirs {
        return Ok(());
    }
    let mut lines = format!("{about} differ\n");
    for (ours, theirs) in ours
        .lines()
        .zip(theirs.lines())
        .filter(|(ours, theirs)| ours != theirs)
        .take(3)
    {
        writeln!(lines, "  ours   {ours}\n  theirs {theirs}").unwrap();
    }
    Err(lines)
}

/// Compares two plain files by values, types and comments.
fn same(format: Format, about: &str, ours: &[u8], theirs: &[u8]) -> Result<(), String> {
    difference(
        &format!("{about}: values"),
        &listed(format, ours)?,
        &listed(format, theirs)?,
    )?;
    difference(
        &format!("{about}: comments"),
        &comments(format, ours).join("\n"),
        &comments(format, theirs).join("\n"),
    )
}

/// The values of a plain file. SOPS 3.13.1 takes every number of JSON for a double; 3.13.2 does not, and neither do we.
pub fn listed(format: Format, bytes: &[u8]) -> Result<String, String> {
    check(format, bytes)?;
    let listed = values(format, bytes);
    if format != Format::Json {
        return Ok(listed);
    }
    let as_double = |line: &str| {
        let Some((key, number)) = line.split_once("Int(…) \"").or_else(|| line.split_once("Float(…) \"")) else {
            return line.to_owned();
        };
        let number: f64 = number.trim_end_matches('"').parse().unwrap();
        format!("{key}{}", if number == 0.0 { 0.0 } else { number })
    };
    Ok(listed.lines().map(as_double).collect::<Vec<_>>().join("\n"))
}

/// Whether a plain file is one: SOPS's YAML writer has faults of its own.
pub fn check(format: Format, bytes: &[u8]) -> Result<(), String> {
    match std::str::from_utf8(bytes) {
        Ok(text) if format != Format::Binary => parse_document(format, text)
            .map(drop)
            .map_err(|error| error.to_string()),
        _ => Ok(()),
    }
}

/// A plain file as the JSON that we make of it.
pub fn as_json(format: Format, plain: &[u8]) -> Result<Vec<u8>, String> {
    convert(plain, format, Format::Json, &Indents::default())
        .map(|json| json.to_vec())
        .map_err(|error| error.to_string())
}

/// One document on its way through both programs.
struct Round<'r> {
    sops: &'r Sops,
    format: Format,
    plain: &'r [u8],
    keys: &'r Keyring,
}

impl Round<'_> {
    /// Compares two plain files made of the document by values, types and the texts of their comments.
    ///
    /// Ours may have kept comments that SOPS's writer loses (it does so behind `{}`), and it copies those of a map for each alias. Where
    /// lines end in CR LF, it may write one to another place, and can't open it there.
    fn compare(&self, about: &str, ours: &[u8], theirs: &[u8]) -> Result<(), String> {
        let format = self.format;
        difference(
            &format!("{about}: values"),
            &listed(format, ours)?,
            &listed(format, theirs)?,
        )?;
        let [ours, theirs, plain] =
            [ours, theirs, self.plain].map(|text| comments(format, text).into_iter().collect::<BTreeSet<_>>());
        let closed = |comment: &&String| comment.starts_with("ENC[AES256_GCM");
        if let Some(comment) = theirs.difference(&ours).find(|comment| !closed(comment)) {
            return Err(format!("{about}: we lost the comment {comment:?}"));
        }
        match ours
            .difference(&plain)
            .find(|comment| !(closed(comment) && theirs.contains(*comment)))
        {
            Some(comment) => Err(format!("{about}: we made up the comment {comment:?}")),
            None => Ok(()),
        }
    }

    /// Compares a plain file with a sealed one as SOPS opens it.
    ///
    /// Where SOPS's YAML or INI reads as something else, its JSON decides: its writers spoil some texts, such as those that begin with an
    /// empty line, or end with a backslash.
    fn compare_opened(&self, about: &str, ours: &[u8], sealed: &[u8]) -> Result<(), String> {
        let opened = self.sops.decrypt(self.format, sealed);
        let opened = opened.map_err(|refusal| format!("{about}: SOPS refuses: {refusal}"))?;
        let result = self.compare(about, ours, &opened);
        if result.is_ok() || !matches!(self.format, Format::Yaml | Format::Ini) {
            return result;
        }
        let Ok(theirs) = self.sops.decrypt_to_json(self.format, sealed) else {
            // There is no JSON for infinities.
            return if check(self.format, &opened).is_err() {
                Ok(())
            } else {
                result
            };
        };
        let ours = as_json(self.format, ours)?;
        let equal = listed(Format::Json, &ours)? == listed(Format::Json, &theirs)?;
        if equal && !result.as_ref().is_err_and(|error| error.contains("comment")) {
            Ok(())
        } else {
            result
        }
    }

    fn run(&self, settings: &Settings, recipients: &Keys) -> Result<Verdict, String> {
        let (sops, format, plain) = (self.sops, self.format, self.plain);
        if format == Format::Ini && numbered(plain) {
            return Ok(Verdict::BrokenBySops);
        }
        let ours = sealed_for(format, plain, settings, recipients);
        let theirs = match (sops.encrypt_for(format, plain, settings, recipients), &ours) {
            (Ok(theirs), _) => theirs,
            (Err(_), Err(Error::Document(_) | Error::CommentMatchesSealed { .. })) => return Ok(Verdict::BothRefuse),
            (Err(crash), _) if crash.starts_with("panic") => return Ok(Verdict::BrokenBySops),
            (Err(refusal), _) => return Err(format!("only SOPS refuses: {refusal}")),
        };
        let ours = ours.map_err(|error| format!("only we refuse: {error}"))?;
        let our_plain = sops.decrypt(format, &ours);
        let our_plain = our_plain.map_err(|refusal| format!("SOPS refuses what we sealed: {refusal}"))?;
        let own = opened(format, &ours, self.keys);
        let own = own.map_err(|error| format!("we refuse what we sealed: {error}"))?;
        if own.content.as_slice() != plain {
            let about = "our opening of our file and the input";
            difference(about, &listed(format, &own.content)?, &listed(format, plain)?)?;
        }
        let Ok(their_plain) = sops.decrypt(format, &theirs) else {
            return Ok(Verdict::BrokenBySops);
        };
        // Both written by SOPS: most often byte for byte the same, and no parser of ours stands between.
        let about = "SOPS's opening of our file and of its own";
        if our_plain != their_plain && check(format, &our_plain).and(check(format, &their_plain)).is_ok() {
            self.compare(about, &our_plain, &their_plain)?;
        } else if our_plain != their_plain {
            // SOPS's writer spoiled a text, in its own file too: then its JSON decides.
            match (
                sops.decrypt_to_json(format, &ours),
                sops.decrypt_to_json(format, &theirs),
            ) {
                (Ok(ours), Ok(theirs)) => {
                    difference(about, &listed(Format::Json, &ours)?, &listed(Format::Json, &theirs)?)?;
                }
                // There is no JSON for infinities. What we open is compared below all the same.
                (Err(_), Err(_)) => {}
                (Err(error), _) | (_, Err(error)) => return Err(format!("{about}: {error}")),
            }
        }
        self.theirs(&theirs)
    }

    /// What SOPS sealed, opened by us; then changed by us and opened by SOPS.
    fn theirs(&self, theirs: &[u8]) -> Result<Verdict, String> {
        let back =
            opened(self.format, theirs, self.keys).map_err(|error| format!("we refuse what SOPS sealed: {error}"))?;
        self.compare_opened("our opening of SOPS's file and its own", &back.content, theirs)?;
        if let Some(changed) = one_value_changed(self.format, &back.content, is_simple) {
            let resealed = resealed(self.format, &changed, theirs, self.keys);
            let resealed = resealed.map_err(|error| format!("sealing SOPS's file anew: {error}"))?;
            self.compare_opened("SOPS's opening of its file that we changed", &changed, &resealed)?;
        }
        Ok(Verdict::Equal)
    }
}

/// Whether an INI key is called `-`: SOPS writes the number that it stands for, which reads as a comment.
fn numbered(plain: &[u8]) -> bool {
    check(Format::Ini, plain).is_ok()
        && values(Format::Ini, plain)
            .lines()
            .any(|line| line.trim_start().starts_with("\"#"))
}

/// One document through both programs.
fn round(sops: &Sops, keys: &Keyring, case: &Case) -> Result<Verdict, String> {
    let round = Round {
        sops,
        format: case.format,
        plain: &case.plain,
        keys,
    };
    round.run(&case.settings, &case.keys)
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Equal,
    BothRefuse,
    /// SOPS can't open what it has sealed itself: a text of its own that stays in the clear is no YAML.
    BrokenBySops,
}

#[test]
#[ignore = "needs sops"]
fn each_fixture_goes_both_ways() {
    let (sops, keys) = (Sops::new(), every_key());
    let mut failed = Vec::new();
    for (folder, sealed) in sealed_fixtures() {
        if BROKEN_BY_SOPS.contains(&name(&folder)) {
            continue;
        }
        let format = format(&sealed);
        let plain = read(file(&folder, "plain").unwrap());
        let case = Case {
            format,
            plain,
            settings: settings_of(format, &read(&sealed)),
            keys: Keys::alice(),
        };
        match round(&sops, &keys, &case) {
            Ok(Verdict::Equal) => {}
            Ok(verdict) => failed.push(format!("{}: {verdict:?}", name(&folder))),
            Err(error) => failed.push(format!("{}: {error}", name(&folder))),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
#[ignore = "needs sops"]
fn each_upstream_file_opens_to_what_sops_opens_it_to_after_a_change() {
    let sops = Sops::new();
    let keys = super::vectors::every_identity();
    let mut changed = 0;
    let generated = entries("generated/reemit");
    for path in sealed_fixtures().into_iter().map(|(_, sealed)| sealed).chain(generated) {
        let (format, bytes) = (format(&path), read(&path));
        // Only what SOPS itself opens with the keys that it is given here.
        let Ok(theirs) = sops.decrypt(format, &bytes) else {
            continue;
        };
        let ours = opened(format, &bytes, &keys).unwrap();
        same(format, &path.display().to_string(), &ours.content, &theirs).unwrap();
        let Some(plain) = one_value_changed(format, &ours.content, is_simple) else {
            continue;
        };
        let after = resealed(format, &plain, &bytes, &keys).unwrap();
        let reopened = sops
            .decrypt(format, &after)
            .unwrap_or_else(|refusal| panic!("{}: {refusal}", path.display()));
        same(format, &path.display().to_string(), &plain, &reopened).unwrap();
        changed += 1;
    }
    assert!(changed >= 40, "only {changed} files changed");
}

#[test]
#[ignore = "needs sops"]
fn a_file_of_two_groups_goes_both_ways() {
    let (sops, keys) = (Sops::new(), keyring(&["alice.txt", "bob.txt"]));
    let (settings, both) = (Settings::default(), Keys::groups(&[ALICE, BOB], None));
    for (format, plain) in [
        (Format::Dotenv, "# c\nA=x\\ny\nB=\"q\"\n"),
        (
            Format::Ini,
            "top = 1\n; c\n[s]\na = \"x y\" ; d\nb = \"\"\"p\nq\"\"\"\n",
        ),
        (Format::Yaml, "a: x\n"),
        (Format::Json, "{\"a\": 1}\n"),
    ] {
        let theirs = sops.encrypt_for(format, plain.as_bytes(), &settings, &both).unwrap();
        let back = opened(format, &theirs, &keys).unwrap();
        same(format, "groups", &back.content, plain.as_bytes()).unwrap();
        let sealed = Sealed::parse(format, &theirs).unwrap();
        assert_eq!((sealed.metadata.groups.len(), sealed.metadata.threshold), (2, Some(2)));
        // Over what they wrote, and from nothing.
        let changed = plain.replace('x', "changed");
        let over = resealed(format, changed.as_bytes(), &theirs, &keys).unwrap();
        same(
            format,
            "over",
            &sops.decrypt(format, &over).unwrap(),
            changed.as_bytes(),
        )
        .unwrap();
        let ours = sealed_for(format, plain.as_bytes(), &settings, &both).unwrap();
        same(format, "ours", &sops.decrypt(format, &ours).unwrap(), plain.as_bytes()).unwrap();
    }
}

/// A failing document without the lines that it also fails without, for the same reason.
fn shortened(sops: &Sops, keys: &Keyring, mut case: Case, error: &str) -> Case {
    let reason = |error: &str| error.chars().take(24).collect::<String>();
    let mut size = case.plain.split_inclusive(|byte| *byte == b'\n').count() / 2;
    while size > 0 {
        let mut at = 0;
        loop {
            let lines: Vec<&[u8]> = case.plain.split_inclusive(|byte| *byte == b'\n').collect();
            if at >= lines.len() {
                break;
            }
            let rest = [&lines[..at], &lines[(at + size).min(lines.len())..]].concat().concat();
            let whole = std::mem::replace(&mut case.plain, rest);
            if !matches!(round(sops, keys, &case), Err(other) if reason(&other) == reason(error)) {
                case.plain = whole;
                at += size;
            }
        }
        size /= 2;
    }
    case
}

/// A number from the environment.
pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// How many documents are on their way at a time.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// `SEED` repeats a run, `DOCUMENT` one document of it.
#[test]
#[ignore = "needs sops"]
#[allow(clippy::print_stdout, reason = "the seed, and what failed of a long run, cut down")]
fn documents_made_up_from_a_seed_go_both_ways() {
    let clock = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let seed = number("SEED").unwrap_or(clock.as_secs());
    println!("SEED={seed}");
    let documents: Vec<u64> = match number("DOCUMENT") {
        Some(one) => vec![one],
        None => (0..number("DOCUMENTS").unwrap_or(DOCUMENTS)).collect(),
    };
    let (sops, keys) = (Sops::new(), every_key());
    let threads = threads();
    let (failed, verdicts) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for part in 0..threads {
            let (sops, keys, failed) = (&sops, &keys, &failed);
            let (verdicts, documents) = (&verdicts, &documents);
            scope.spawn(move || {
                for &index in documents.iter().skip(part).step_by(threads) {
                    let case = Case::new(seed, index);
                    match round(sops, keys, &case) {
                        Ok(verdict) => verdicts.lock().unwrap().push(verdict),
                        Err(error) => failed.lock().unwrap().push((index, error, case)),
                    }
                }
            });
        }
    });
    let (failed, verdicts) = (failed.into_inner().unwrap(), verdicts.into_inner().unwrap());
    let count = |verdict: Verdict| verdicts.iter().filter(|one| **one == verdict).count();
    let (equal, refused, differ) = (count(Verdict::Equal), count(Verdict::BothRefuse), failed.len());
    let broken = count(Verdict::BrokenBySops);
    println!("{equal} equal, {refused} refused by both, {broken} broken by SOPS, {differ} differ");
    for (index, error, case) in failed.into_iter().take(SHORTENED) {
        let case = shortened(&sops, &keys, case, &error);
        println!(
            "=== SEED={seed} DOCUMENT={index} {:?}\n{error}",
            case.settings.selection.named()
        );
        println!("--- {}\n{}", case.format, String::from_utf8_lossy(&case.plain));
    }
    assert!(
        differ == 0,
        "{differ} of {} documents differ; SEED={seed}",
        documents.len()
    );
    assert!(
        (equal + broken) * 10 >= documents.len() * 9 && equal * 10 >= documents.len() * 7,
        "only {equal} of {} documents were accepted",
        documents.len()
    );
}
