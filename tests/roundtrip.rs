//! The law of sealing over generated documents: what is opened is what was sealed, sealing is a function, and one changed value
//! leaves every other sealed value as it was. Each document grows from its number alone, so a failure can be had again.

use std::collections::BTreeSet;

use git_seal::crypt::{DataKey, Recipient};
use git_seal::document::Format;
use git_seal::sops::open::{MacCheck, Opened, open};
use git_seal::sops::seal::{Fidelity, seal};
use git_seal::sops::{Clear, Error, Group, Order, Recipients, Sealed, SelectionSettings};
use git_seal::text::Encoding;

use crate::generate::{Chance, binary, dotenv, ini, json, yaml};
use crate::support::ALICE;

/// How many documents of each text format are tried.
const DOCUMENTS: u64 = 1_200;
const THEN: &str = "2026-01-02T03:04:05Z";
const LATER: &str = "2026-01-02T03:05:06Z";

fn data_key() -> DataKey {
    DataKey::from_bytes(&[7; 32]).unwrap()
}

/// How one document is sealed.
struct Case {
    format: Format,
    selection: SelectionSettings,
    mac_only_encrypted: bool,
    groups: Vec<Group>,
    key: DataKey,
}

impl Case {
    fn new(format: Format, chance: &mut Chance, groups: &[Group]) -> Self {
        let mut selection = SelectionSettings::default();
        let text = |text: &str| Some(text.to_owned());
        match chance.below(8) {
            0 => selection.encrypted_regex = text("^k[0-4]|^changed"),
            1 => selection.unencrypted_regex = text("^k[0-4]"),
            2 => selection.encrypted_suffix = text("d"),
            3 => selection.unencrypted_suffix = text("3"),
            _ => {}
        }
        Self {
            format,
            selection,
            mac_only_encrypted: chance.below(4) == 0,
            groups: groups.to_vec(),
            key: data_key(),
        }
    }

    fn seal(
        &self,
        plain: &[u8],
        now: &str,
        base: Option<(&Sealed<'_>, &Opened)>,
    ) -> Result<(Vec<u8>, Fidelity), Error> {
        let order = Order {
            data_key: &self.key,
            recipients: Recipients::Are {
                groups: self.groups.clone(),
                threshold: None,
            },
            selection: &self.selection,
            mac_only_encrypted: self.mac_only_encrypted,
            now,
            base,
            also: None,
            heritage: None,
        };
        seal(self.format, plain, &order)
    }

    fn open(&self, sealed: &Sealed<'_>) -> Opened {
        open(self.format, sealed, data_key(), Clear::Refuse, MacCheck::Verify).unwrap()
    }

    /// Holds the law against one document; what is wrong with it, `None` for a document that is refused as such.
    fn judge(&self, plain: &[u8]) -> Option<Result<(), String>> {
        let (first, fidelity) = match self.seal(plain, THEN, None) {
            Ok(done) => done,
            Err(Error::Document(_)) => return None,
            Err(error) => return Some(Err(format!("can't be sealed: {error}"))),
        };
        Some(self.judge_sealed(plain, &first, fidelity))
    }

    fn judge_sealed(&self, plain: &[u8], first: &[u8], fidelity: Fidelity) -> Result<(), String> {
        let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let sealed = Sealed::parse(self.format, first).map_err(|error| format!("{error} in\n{}", show(first)))?;
        let opened = self.open(&sealed);
        if opened.content.as_slice() != plain || fidelity != Fidelity::Exact {
            return Err(format!(
                "opened {fidelity:?} as\n{}\nfrom\n{}",
                show(&opened.content),
                show(first)
            ));
        }
        let again = self.seal(plain, THEN, None).map_err(|error| error.to_string())?.0;
        if again != first {
            return Err(format!("sealed twice:\n{}\n{}", show(first), show(&again)));
        }
        let base = Some((&sealed, &opened));
        let over = self.seal(plain, LATER, base).map_err(|error| error.to_string())?.0;
        if over != first {
            return Err(format!("sealed over itself:\n{}\n{}", show(first), show(&over)));
        }
        if self.format == Format::Binary {
            return Ok(());
        }
        let changed = changed(plain);
        let changed_sealed = self.seal(&changed, LATER, base).map_err(|error| error.to_string())?.0;
        let (old, new) = (tokens(first), tokens(&changed_sealed));
        let lost = old.iter().filter(|token| !new.contains(*token)).count();
        let reopened = Sealed::parse(self.format, &changed_sealed).map_err(|error| error.to_string())?;
        if self.open(&reopened).content.as_slice() != changed.as_slice() {
            return Err(format!("changed, opened otherwise from\n{}", show(&changed_sealed)));
        }
        // The value itself, the MAC, and the note of spellings, which belongs to one state of the values.
        let sealed_value = usize::from(!show(first).contains("before-change"));
        let allowed = sealed_value + 1 + usize::from(show(first).contains("git_seal_layout"));
        if old.len() != new.len() || lost > allowed || lost < 2 * sealed_value {
            return Err(format!(
                "{lost} of {} sealed values changed:\n{}\n{}",
                old.len(),
                show(first),
                show(&changed_sealed)
            ));
        }
        Ok(())
    }
}

/// The document with its one value that changes, in its own encoding.
fn changed(plain: &[u8]) -> Vec<u8> {
    let encoding = Encoding::of(plain);
    let Some(text) = encoding.decode(plain) else {
        return plain.to_vec();
    };
    encoding.encode(&text.replace("before-change", "after-change")).to_vec()
}

/// Every envelope of a sealed text, the MAC that each document repeats once.
fn tokens(sealed: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(sealed);
    let starts: Vec<usize> = text.match_indices("ENC[AES256_GCM,").map(|(at, _)| at).collect();
    starts
        .iter()
        .map(|&at| text[at..].split(']').next().unwrap().to_owned())
        .collect()
}

/// Tries documents of a format; returns how many were refused.
fn try_all(format: Format, number: u64, make: impl Fn(&mut Chance) -> Vec<u8>) -> u64 {
    let groups = Group::share_out(&[7; 32], &[vec![Recipient::parse(ALICE).unwrap()]], None).unwrap();
    let (mut refused, mut wrong) = (0, Vec::new());
    for seed in 0..number {
        let mut chance = Chance::new(seed);
        let plain = make(&mut chance);
        let case = Case::new(format, &mut chance, &groups);
        match case.judge(&plain) {
            None => refused += 1,
            Some(Ok(())) => {}
            Some(Err(fault)) => wrong.push((plain.len(), seed, plain, fault)),
        }
    }
    wrong.sort();
    let total = wrong.len();
    if let Some((_, seed, plain, fault)) = wrong.into_iter().next() {
        panic!(
            "{total} of {number} fail, the smallest is document {seed}:\n{}\n--- {fault}",
            String::from_utf8_lossy(&plain)
        );
    }
    refused
}

#[test]
fn yaml_comes_back_byte_for_byte() {
    let refused = try_all(Format::Yaml, DOCUMENTS, yaml);
    assert!(
        refused * 50 < DOCUMENTS,
        "{refused} documents were refused: the test tries too few"
    );
}

#[test]
fn json_comes_back_byte_for_byte() {
    assert_eq!(try_all(Format::Json, DOCUMENTS, json), 0);
}

#[test]
fn dotenv_comes_back_byte_for_byte() {
    assert_eq!(try_all(Format::Dotenv, DOCUMENTS, dotenv), 0);
}

#[test]
fn ini_comes_back_byte_for_byte() {
    let refused = try_all(Format::Ini, DOCUMENTS, ini);
    assert!(
        refused * 50 < DOCUMENTS,
        "{refused} documents were refused: the test tries too few"
    );
}

#[test]
fn binary_comes_back_byte_for_byte() {
    assert_eq!(try_all(Format::Binary, DOCUMENTS / 4, binary), 0);
}

#[test]
fn utf_16_comes_back_byte_for_byte() {
    let refused = try_all(Format::Yaml, DOCUMENTS / 4, |chance| {
        let text = String::from_utf8(yaml(chance)).unwrap();
        let encoding = if chance.once_in(2) {
            Encoding::Utf16Le
        } else {
            Encoding::Utf16Be
        };
        encoding.encode(&text).to_vec()
    });
    assert!(refused * 12 < DOCUMENTS, "{refused} documents were refused");
}

#[test]
fn traps_come_back_byte_for_byte() {
    let traps = [
        // An alias that stands in the clear, because it is empty or not selected.
        "a: &a ''\nb: *a\nchanged: before-change\n",
        "k1: &a text\nk2: [*a, &b ~, *b]\nchanged: before-change\n",
        // A comment behind an alias is inside of the map that takes the alias's place.
        "a: &a\n  b: c\nz: *a # comment\nchanged: before-change\n",
        "a: &a {b: c}\nz:\n  # above\n  *a\n<<: *a # ünï\nchanged: before-change\n",
        // A copy in a list has the place of what it is a copy of.
        "a:\n- &a [b, b]\n- *a\n- *a\nchanged: before-change\n",
        // A document may end with a line break that is no line feed.
        "a: |\n  b\r---\nchanged: before-change\n",
        "a: |\n  b\u{85}...\n---\nchanged: before-change\u{2028}---\n",
        // What stands at the end, or is glued to an anchor, or is no map at all.
        "changed: before-change\na: |\n  b",
        "changed: before-change\na: |+2\n  b\n\n ",
        "k1: &a:x y\nk2: *a\n&b:c : d\nchanged: before-change\n",
        "k1: &a {k2: [1, {x: -0.0}]}\nchanged: before-change\n---\n*a\n--- ~ # none\n--- !!null\n",
        "changed: before-change\nk1:\n#\n- a #\n-\n #\n - #\n  b\n",
        "k1: !!bool \"true\"# comment\nchanged: before-change\n",
        // Written as an integer, a negative zero loses its sign.
        "a: &a -0.0\nk1: *a\nk2: &m {b: -0.0}\nk3: *m\nchanged: before-change\n",
    ];
    all_come_back(Format::Yaml, &traps);
}

#[test]
fn traps_of_lines_come_back_byte_for_byte() {
    let traps = [
        // Comments of several lines, with one behind the key, and one that holds nothing but marks.
        "; a\n\n  # b\nchanged = before-change ; c\n;\n;\nk = v\n",
        "; a\r\n# b \r\nchanged = before-change # c\r\n",
        // Behind a header, an envelope's bracket would end the name.
        "[s] ;  c  \nchanged = before-change\n",
        "\u{feff}  [s];c\nchanged = before-change\n; a\n[t] # b\n",
        // What SOPS loses is sealed as well: values and comments of a key that stands again, what stands at the end or behind quotes.
        "; one\nchanged = x ; two\n; three\nchanged = before-change\n; the end\n# of it",
        "changed = `before-change` ; behind\nk = \"\"\"x\ny\"\"\" z # c\n",
        // A value at the end that asks for one more line.
        "changed = before-change\nk = v \\",
        "changed = before-change\nk = v \\\n",
        "; nothing else\nchanged: before-change",
        "- = x\n- = before-change\n[s]\n- = y\n",
    ];
    all_come_back(Format::Ini, &traps);
    let traps = [
        "\nchanged=before-change",
        "changed=before-change\r\n#c\r\n",
        "sops=x\nchanged=before-change\nsopsy_=z\n",
        "=\n= \nchanged=before-change\nchanged=\n",
    ];
    all_come_back(Format::Dotenv, &traps);
}

#[track_caller]
fn all_come_back(format: Format, traps: &[&str]) {
    let groups = Group::share_out(&[7; 32], &[vec![Recipient::parse(ALICE).unwrap()]], None).unwrap();
    for trap in traps {
        for seed in 0..40 {
            let case = Case::new(format, &mut Chance::new(seed), &groups);
            let judged = case.judge(trap.as_bytes());
            assert_eq!(judged, Some(Ok(())), "{trap}");
        }
    }
}
