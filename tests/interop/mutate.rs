//! Sealed files damaged from numbers: by single characters, lines, tokens and fields, as transfers, merges, people and attackers do.

use std::ops::Range;

use git_seal::document::Format;

use super::generate::Random;

mod fields;

/// What may come into a text where it hardly belongs.
const ODD: [&str; 34] = [
    "\t",
    "\r",
    "\n",
    " ",
    "#",
    ":",
    ";",
    "=",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "`",
    ",",
    "\\",
    "-",
    "&",
    "*",
    "!",
    "|",
    ">",
    "%",
    "@",
    "~",
    "0",
    "x",
    "\u{0}",
    "\u{feff}",
    "\u{e9}",
    "\u{2028}",
    "\u{85}",
    "\u{1f511}",
];

/// A sealed file on its way to something that it is not.
struct Victim<'r> {
    random: &'r mut Random,
    format: Format,
    text: String,
    /// Another sealed file of the same format, for the same people.
    other: &'r str,
}

/// A sealed file after one kind of damage, now and then after two, and what was done.
pub fn damaged(random: &mut Random, format: Format, sealed: &str, other: &str) -> (Vec<u8>, String) {
    let mut victim = Victim {
        random,
        format,
        text: sealed.to_owned(),
        other,
    };
    let times = 1 + usize::from(victim.random.chance(12));
    let mut done = Vec::new();
    for _ in 0..times {
        done.push(victim.damage());
    }
    let mut bytes = victim.text.into_bytes();
    if random.chance(3) && !bytes.is_empty() {
        done.push("a bit flipped");
        let at = usize::try_from(random.below(bytes.len() as u64)).unwrap();
        bytes[at] ^= 1 << random.below(8);
    }
    (bytes, done.join(", "))
}

impl Victim<'_> {
    fn damage(&mut self) -> &'static str {
        match self.random.below(24) {
            0..=2 => self.characters(),
            3..=6 => self.lines(),
            7 | 8 => self.whole(),
            9 | 10 => self.white(),
            11..=14 => self.token(),
            15..=19 => self.field(),
            20 => self.added_field(),
            21 => self.armor(),
            22 => self.clear_value(),
            _ => self.quotes(),
        }
    }

    /// A number below the length of something that may be empty.
    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.random.below(length.max(1) as u64)).unwrap()
    }

    /// An offset between two characters.
    fn place(&mut self) -> usize {
        let mut at = self.index(self.text.len() + 1);
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// The character at an offset.
    fn character(&self, at: usize) -> Range<usize> {
        at..at + self.text[at..].chars().next().map_or(0, char::len_utf8)
    }

    fn characters(&mut self) -> &'static str {
        let at = self.place();
        let here = self.character(at);
        let odd = self.random.pick(&ODD);
        match self.random.below(5) {
            0 => {
                self.text.replace_range(here, odd);
                "a character exchanged"
            }
            1 => {
                self.text.insert_str(at, odd);
                "a character put in"
            }
            2 => {
                self.text.replace_range(here, "");
                "a character lost"
            }
            3 => {
                let end = (at..).take(8).filter(|&end| self.text.is_char_boundary(end)).last();
                self.text.replace_range(at..end.unwrap_or(at), "");
                "some characters lost"
            }
            _ => {
                let next = self.character(here.end);
                let swapped = format!("{}{}", &self.text[next.clone()], &self.text[here.clone()]);
                self.text.replace_range(here.start..next.end, &swapped);
                "two characters swapped"
            }
        }
    }

    fn split(&self) -> Vec<String> {
        self.text.split_inclusive('\n').map(str::to_owned).collect()
    }

    fn lines(&mut self) -> &'static str {
        let mut lines = self.split();
        let (one, other) = (self.index(lines.len()), self.index(lines.len()));
        if lines.is_empty() {
            return "nothing";
        }
        let done = match self.random.below(7) {
            0 => {
                lines.remove(one);
                "a line lost"
            }
            1 => {
                lines.insert(one, lines[one].clone());
                "a line doubled"
            }
            2 => {
                let line = lines.remove(one);
                lines.insert(other.min(lines.len()), line);
                "a line moved"
            }
            3 => {
                lines.swap(one, other);
                "two lines swapped"
            }
            4 => {
                let theirs: Vec<&str> = self.other.split_inclusive('\n').collect();
                let from = usize::try_from(self.random.below(theirs.len() as u64)).unwrap();
                theirs[from].clone_into(&mut lines[one]);
                "a line of another file"
            }
            5 => {
                let extra = self.random.pick(&[
                    "\n",
                    "# note\n",
                    "; note\n",
                    "---\n",
                    "...\n",
                    "x\n",
                    "k: v\n",
                    "k = v\n",
                    "k=v\n",
                    "[s]\n",
                    "  \n",
                    "\t\n",
                    "\"k\": 1,\n",
                ]);
                lines.insert(one, extra.to_owned());
                "a line put in"
            }
            _ => {
                lines.truncate(one);
                "lines cut off"
            }
        };
        self.text = lines.concat();
        done
    }

    fn whole(&mut self) -> &'static str {
        match self.random.below(8) {
            0 => {
                let at = self.place();
                self.text.truncate(at);
                "cut off"
            }
            1 => {
                self.text = self.text.replace('\n', "\r\n");
                "CRLF"
            }
            2 => {
                self.text.insert(0, '\u{feff}');
                "a byte order mark"
            }
            3 => {
                let end = self.text.trim_end_matches('\n').len();
                self.text.truncate(end);
                "without its last line break"
            }
            4 => {
                let tail = self.random.pick(&[
                    "\n", " ", "garbage", "\n\n\n", "{}", "---\n", "...\n", "# end", "\u{0}", "\u{1a}",
                ]);
                self.text.push_str(tail);
                "more at the end"
            }
            5 => {
                let head = self.random.pick(&[
                    "\n",
                    " ",
                    "---\n",
                    "# head\n",
                    "%YAML 1.1\n---\n",
                    "%YAML 1.2\n---\n",
                    "; head\n",
                    "{}",
                    "\t",
                ]);
                self.text.insert_str(0, head);
                "more in front"
            }
            6 => {
                self.text.push_str(self.other);
                "another file behind it"
            }
            _ => {
                let (from, to) = [
                    ("    ", "  "),
                    ("\t", "  "),
                    ("    ", "\t"),
                    ("ENC[", "enc["),
                    ("\\n", "\n"),
                    ("/", "_"),
                ][self.index(6)];
                self.text = self.text.replace(from, to);
                "one thing exchanged everywhere"
            }
        }
    }

    fn white(&mut self) -> &'static str {
        let mut lines = self.split();
        let at = self.index(lines.len());
        let Some(line) = lines.get_mut(at) else {
            return "nothing";
        };
        let blanks = ["", " ", "  ", "    ", "\t", "\r"][usize::try_from(self.random.below(6)).unwrap()];
        let body = line.trim_end_matches('\n').to_owned();
        let end = line[body.len()..].to_owned();
        let done = match self.random.below(4) {
            0 => {
                *line = format!("{}{end}", body.strip_prefix(' ').unwrap_or(&body));
                "indented less"
            }
            1 => {
                *line = format!("{blanks}{body}{end}");
                "indented more"
            }
            2 => {
                *line = format!("{body}{blanks}{end}");
                "blanks at the end of a line"
            }
            _ => {
                *line = format!("{blanks}{}{end}", body.trim_start());
                "indented otherwise"
            }
        };
        self.text = lines.concat();
        done
    }

    /// The value of a line that holds no token and is no metadata gets one more character.
    fn clear_value(&mut self) -> &'static str {
        let until = self.text.find("sops").unwrap_or(self.text.len());
        let ends: Vec<usize> = self.text[..until]
            .split_inclusive('\n')
            .scan(0, |at, line| {
                *at += line.len();
                Some((*at, line))
            })
            .filter(|(_, line)| !line.contains("ENC[") && line.contains([':', '=']))
            .map(|(end, line)| end - line.len() + line.trim_end_matches(['\n', ',', '"']).len())
            .collect();
        if ends.is_empty() {
            return self.characters();
        }
        let end = ends[self.index(ends.len())];
        let more = self.random.pick(&["0", "1", "x", " ", ".0", "e1", "_", "'", "\u{e9}"]);
        self.text.insert_str(end, more);
        "a clear value changed"
    }

    fn quotes(&mut self) -> &'static str {
        let quoted: Vec<usize> = self.text.match_indices(['"', '\'', '`']).map(|(at, _)| at).collect();
        if quoted.is_empty() {
            return self.characters();
        }
        let at = quoted[self.index(quoted.len())];
        let quote = self.random.pick(&["\"", "'", "`", "", "\"\"", "\"\"\""]);
        self.text.replace_range(at..=at, quote);
        "a quote changed"
    }
}
