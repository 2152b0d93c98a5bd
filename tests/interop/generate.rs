//! Documents made up from a seed: what people write, and what they hardly ever do but may.

use git_seal::document::Format;
use git_seal::sops::SelectionSettings;

use super::vectors::{Keys, Settings, read};
use crate::generate::{self, Chance};
use crate::support::{ALICE, BOB, CAROL};

/// Numbers from a seed (xorshift64*); the same seed gives the same numbers on every machine.
pub struct Random(u64);

impl Random {
    /// The numbers of one document of a run.
    pub fn new(seed: u64, index: u64) -> Self {
        let mut random = Self((seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1);
        for _ in 0..4 {
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True in so many cases of a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub fn pick<'p>(&mut self, from: &[&'p str]) -> &'p str {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// One document to be sealed, and how.
pub struct Case {
    pub format: Format,
    pub plain: Vec<u8>,
    pub settings: Settings,
    pub keys: Keys,
}

impl Case {
    /// The document with this number.
    pub fn new(seed: u64, index: u64) -> Self {
        let mut random = Random::new(seed, index);
        let (setting, pattern) = match random.below(14) {
            0 => ("encrypted_regex", "^(secret|pass)"),
            1 => ("unencrypted_regex", "^(k|public)"),
            2 => ("encrypted_suffix", "_enc"),
            3 => ("unencrypted_suffix", "_clear"),
            4 => ("encrypted_comment_regex", "^ seal"),
            5 => ("unencrypted_comment_regex", "^ plain"),
            _ => ("unencrypted_suffix", "_unencrypted"),
        };
        let mut settings = Settings::default();
        *SelectionSettings::slot(&mut settings.selection, setting).unwrap() = Some(pattern.to_owned());
        settings.mac_only_encrypted = random.chance(15);
        let keys = keys(&mut random);
        let (format, plain) = match random.below(20) {
            0 => (Format::Binary, bytes(&mut random)),
            1..=3 => (Format::Dotenv, generate::dotenv(&mut Chance::new(random.next()))),
            4..=7 => (Format::Ini, generate::ini(&mut Chance::new(random.next()))),
            8..=10 => (Format::Json, super::generate_json::object(&mut random).into_bytes()),
            // A comment that SOPS stores as an element is lost on its own comment selection (getsops/sops#2281).
            _ => {
                let lists = if setting.contains("comment") {
                    ListComments::Without
                } else {
                    ListComments::With
                };
                (Format::Yaml, super::generate_yaml::stream(random, lists).into_bytes())
            }
        };
        Self {
            format,
            plain,
            settings,
            keys,
        }
    }
}

/// Most often Alice; else every kind of recipient, alone and in groups.
fn keys(random: &mut Random) -> Keys {
    let word = |path| String::from_utf8(read(path)).unwrap().trim().to_owned();
    let (ssh, hybrid) = (word("keys/ssh_ed25519.pub"), word("keys/pq.pub"));
    match random.below(24) {
        0 => Keys::one_group(&[CAROL, ALICE]),
        1 => Keys::one_group(&[&ssh]),
        2 => Keys::one_group(&[&hybrid]),
        3 => Keys::one_group(&[&hybrid, BOB, &ssh]),
        4 => Keys::groups(&[ALICE, BOB], None),
        5 => Keys::groups(&[ALICE, &ssh], Some(2)),
        6 => Keys::groups(&[ALICE, &hybrid, CAROL], Some(2)),
        7 => {
            let mut keys = Keys::groups(&[BOB, CAROL, ALICE], Some(3));
            keys.groups[1].push(ssh);
            keys
        }
        _ => Keys::alice(),
    }
}

/// Whether comments stand between the elements of lists.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ListComments {
    With,
    Without,
}

fn bytes(random: &mut Random) -> Vec<u8> {
    let length = random.below(300);
    let highest = if random.chance(50) { 256 } else { 128 };
    (0..length)
        .map(|_| u8::try_from(random.below(highest)).unwrap())
        .collect()
}
