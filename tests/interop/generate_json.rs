//! JSON objects made up from numbers.

use super::generate::Random;

const KEYS: [&str; 14] = [
    "k",
    "secret",
    "public",
    "pass word",
    "a.b",
    "a_enc",
    "b_clear",
    "c_unencrypted",
    "\\u0041",
    "\u{fc}ber",
    "\\\"q\\\"",
    "x/y",
    "true",
    "0",
];

/// Without `-0` and integers that no double holds: SOPS 3.13.1 hashes them as doubles where they stay in the clear (getsops/sops#2222).
const SCALARS: [&str; 42] = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "42",
    "9223372036854775808",
    "18446744073709551616",
    "9007199254740991",
    "-9007199254740991",
    "1.0",
    "1.50",
    "-1.5e-7",
    "1e3",
    "1E+3",
    "0.1",
    "123456789.123456789",
    "1e21",
    "5e-324",
    "1.7976931348623157e308",
    "0.30000000000000004",
    "\"\"",
    "\" \"",
    "\"text\"",
    "\"two\\nlines\\n\"",
    "\"tab\\there\"",
    "\"\\u00e9\\u2028\"",
    "\"\\ud83d\\ude00\"",
    "\"<&>\"",
    "\"\\/slash\"",
    "\"\\b\\f\\r\"",
    "\"\u{1f600}\"",
    "\"ENC[\"",
    "\"true\"",
    "\"1.5\"",
    "\"\\u0000\"",
    "\"\\\\\"",
    "\"\\\"\"",
    "\"\u{feff}bom\"",
    "\"2024-02-29\"",
    "\"\u{7f}\"",
];

/// A JSON text whose root is an object.
pub fn object(random: &mut Random) -> String {
    let mut writer = Writer {
        unit: random.pick(&["", "  ", "\t", "    "]).to_owned(),
        colon: random.pick(&[":", ": ", " : "]).to_owned(),
        random,
        out: String::new(),
        keys: 0,
    };
    writer.container(0, true);
    let end = writer.random.pick(&["", "\n", "\r\n", "\n\n"]);
    writer.out + end
}

struct Writer<'r> {
    random: &'r mut Random,
    unit: String,
    colon: String,
    out: String,
    keys: u64,
}

impl Writer<'_> {
    fn container(&mut self, depth: usize, object: bool) {
        self.out.push(if object { '{' } else { '[' });
        let members = self.random.below(6).max(u64::from(depth == 0));
        for member in 0..members {
            if member > 0 {
                self.out.push(',');
            }
            self.line(depth + 1);
            if object {
                self.key();
            }
            self.value(depth + 1);
        }
        if members > 0 {
            self.line(depth);
        }
        self.out.push(if object { '}' } else { ']' });
    }

    fn line(&mut self, depth: usize) {
        if !self.unit.is_empty() {
            self.out.push('\n');
            self.out.push_str(&self.unit.repeat(depth));
        }
    }

    fn key(&mut self) {
        self.keys += 1;
        let name = self.random.pick(&KEYS);
        // The number in front keeps keys apart, and behind a suffix would not be one.
        let (front, back) = if name.starts_with('s') || name.starts_with('k') {
            (String::new(), self.keys.to_string())
        } else {
            (self.keys.to_string(), String::new())
        };
        self.out.push_str(&format!("\"{front}{name}{back}\"{}", self.colon));
    }

    fn value(&mut self, depth: usize) {
        match self.random.below(10) {
            0 | 1 if depth < 5 => self.container(depth, true),
            2 if depth < 5 => self.container(depth, false),
            _ => {
                let scalar = self.random.pick(&SCALARS);
                self.out.push_str(scalar);
            }
        }
    }
}
