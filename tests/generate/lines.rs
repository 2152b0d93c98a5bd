//! dotenv and INI files: odd spacing, quotes, line ends and comments wherever there may be some, and where there should be none.

use super::Chance;

/// What may stand behind a `=` of dotenv.
const DOTENV_VALUES: &[&str] = &[
    "",
    " ",
    "word",
    "two words",
    "\"double\"",
    "'single'",
    "a=b==c",
    "#hash",
    "a # b",
    "x\\ny",
    "C:\\\\temp\\new",
    "\\n",
    "ünï ☃",
    "trail ",
    " lead",
    "true",
    "5",
    "\t",
    "$VAR ${x}",
    "\"a\\nb\"",
    "ENC[",
    "`tick`",
    "a\rb",
    "\u{feff}",
];
const DOTENV_KEYS: &[&str] = &["K", "export K", " K", "K ", "k.k", "K-", "ü", "\"K\"", "K\t"];
const DOTENV_COMMENTS: &[&str] = &["# note", "#", "#x=y", "##", "# ünï ", "# ENC[", "#\ttab"];

/// A dotenv file with one value `before-change`, which stands nowhere else.
pub fn dotenv(chance: &mut Chance) -> Vec<u8> {
    let mut lines = Vec::new();
    for number in 0..chance.below(10) {
        if chance.once_in(4) {
            lines.push(chance.of(DOTENV_COMMENTS).to_owned());
        }
        if chance.once_in(6) {
            lines.push(String::new());
        }
        let (key, value) = (chance.of(DOTENV_KEYS), chance.of(DOTENV_VALUES));
        // Now and then the same key again.
        let number = if chance.once_in(8) { 0 } else { number };
        lines.push(format!("{key}{number}={value}"));
    }
    let at = chance.below(lines.len() + 1);
    let quote = chance.of(&["", "'", "\"", " "]);
    lines.insert(at, format!("changed={quote}before-change{quote}"));
    line_ends(chance, lines.join("\n"))
}

fn line_ends(chance: &mut Chance, mut text: String) -> Vec<u8> {
    match chance.below(9) {
        0 => text.push_str("\n\n"),
        1 => {}
        2 if !text.starts_with(['#', '\n']) => text.insert(0, '\u{feff}'),
        3 if !text.contains("\n\n") && !text.starts_with('\n') => text = text.replace('\n', "\r\n") + "\r\n",
        _ => text.push('\n'),
    }
    text.into_bytes()
}

const INI_VALUES: &[&str] = &[
    "",
    " ",
    "word",
    "two words",
    "\"double\"",
    "'single'",
    "\"a'b\"",
    "'a'b'",
    "\"\"",
    "a=b:c",
    "`tick`",
    "`a ; b`",
    "`a # b`",
    "\"\"\"triple\"\"\"",
    "\"\"\"a\nb\"\"\"",
    "\"\"\"\n  lead\n\ntrail  \n\"\"\"",
    "`over\nlines`",
    "one \\\n  two",
    "one \\\n\ttwo \\\n three",
    "end \\\n",
    "%(x)s",
    "007",
    "true",
    "ünï ☃",
    "back\\slash",
    "\"unclosed",
    "'",
    "\"",
    "[x]",
    "ENC[",
    "\"\"\"x\"\"\" junk",
    "`x` ; junk",
    "\"\"\"a\nb\"\"\" # behind",
    "`a\n[b` x ; behind",
    "\"\"\"a\n[b]\"\"\" ; behind",
    "a\\\\",
    "- x",
    "`a` b`",
    "'\"'",
    "\" \"",
];
const INI_KEYS: &[&str] = &[
    "k",
    "K",
    "key with blank ",
    "k.k",
    "\"q=q",
    "`t:t",
    "\"\"\"r`r",
    "ü",
    "k_unencrypted",
];
const INI_COMMENTS: &[&str] = &[
    "; note",
    "# note",
    ";",
    "#",
    ";; two",
    "# ; mixed",
    ";x",
    "  ; indented",
    "\t# tab",
    "; trail  ",
    "; a = b",
    "; [s]",
    "; ünï",
    "; ENC[",
    "; \\",
];
const INI_HEADERS: &[&str] = &["[s", "[s t", "  [s", "[s.t", "[s]t", "[DEFAULT", "[\"q\""];

/// An INI file with one value `before-change`, which stands nowhere else.
pub fn ini(chance: &mut Chance) -> Vec<u8> {
    let mut writer = Ini {
        chance,
        out: String::new(),
        number: 0,
    };
    let sections = writer.chance.below(4);
    let changed = writer.chance.below(sections + 1);
    for section in 0..=sections {
        if section > 0 {
            writer.between();
            let header = writer.chance.of(INI_HEADERS);
            writer.out.push_str(header);
            writer.out.push(']');
            writer.behind();
        }
        writer.keys();
        if section == changed {
            writer.between();
            let quote = writer.chance.of(&["", "'", "\"", "`", "\"\"\""]);
            let value = format!("changed = {quote}before-change{quote}");
            writer.out.push_str(&value);
            if matches!(quote, "" | "'" | "\"") {
                writer.behind();
            } else {
                writer.out.push('\n');
            }
            writer.keys();
        }
    }
    writer.between();
    let mut text = writer.out;
    match chance.below(9) {
        0 => text.push_str("\n \n"),
        1 => text.truncate(text.trim_end_matches('\n').len()),
        2 => text.insert(0, '\u{feff}'),
        3 => text = text.replace('\n', "\r\n"),
        _ => {}
    }
    text.into_bytes()
}

struct Ini<'c> {
    chance: &'c mut Chance,
    out: String,
    number: usize,
}

impl Ini<'_> {
    /// Comments and blank lines, or none.
    fn between(&mut self) {
        while self.chance.once_in(3) {
            let line = if self.chance.once_in(3) {
                self.chance.of(&["", "  ", "\t"])
            } else {
                self.chance.of(INI_COMMENTS)
            };
            self.out.push_str(line);
            self.out.push('\n');
        }
    }

    /// The end of a line, with a comment or without.
    fn behind(&mut self) {
        if self.chance.once_in(5) {
            let gap = self.chance.of(&["", " ", "\t  "]);
            let comment = self.chance.of(&["; note", "#note", ";  wide ", ";", ";; x", "# a;b"]);
            self.out.push_str(gap);
            self.out.push_str(comment);
        } else if self.chance.once_in(8) {
            self.out.push_str("  ");
        }
        self.out.push('\n');
    }

    fn keys(&mut self) {
        for _ in 0..self.chance.below(4) {
            self.between();
            // Now and then the same key again, or one that gets a number.
            let number = if self.chance.once_in(6) { 0 } else { self.number };
            self.number += 1;
            let start = self.chance.of(INI_KEYS);
            let quote: String = start.chars().take_while(|c| matches!(c, '"' | '`')).collect();
            let key = if self.chance.once_in(12) {
                "-".to_owned()
            } else {
                format!("{start}{number}{quote}")
            };
            let indent = self.chance.of(&["", "", "", "  ", "\t"]);
            let delimiter = self.chance.of(&[" = ", "=", ": ", ":", "   =\t"]);
            let value = self.chance.of(INI_VALUES);
            self.out.push_str(&format!("{indent}{key}{delimiter}{value}"));
            let closed = value.contains(['`', '#', ';', '\\']) || value.contains("\"\"\"");
            if closed {
                self.out.push('\n');
            } else {
                self.behind();
            }
        }
    }
}
