//! Sealed files damaged from numbers: by single characters, lines, tokens and fields, as transfers, merges, people and attackers do.

use std::ops::Range;

use git_seal::document::Format;

use super::generate::Random;

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

/// Type words, and what is none.
const KINDS: [&str; 10] = [
    "str", "int", "float", "bool", "time", "comment", "STR", "", "string", "str ",
];

/// Fields of the metadata that a file has or may have.
const FIELDS: [&str; 16] = [
    "lastmodified",
    "mac",
    "version",
    "age",
    "key_groups",
    "enc",
    "recipient",
    "shamir_threshold",
    "mac_only_encrypted",
    "unencrypted_suffix",
    "encrypted_suffix",
    "encrypted_regex",
    "unencrypted_regex",
    "encrypted_comment_regex",
    "unencrypted_comment_regex",
    "git_seal_layout",
];

/// Values that a field may get, as they are written.
const VALUES: [&str; 46] = [
    "null",
    "~",
    "\"\"",
    "''",
    "5",
    "-1",
    "0",
    "1",
    "2",
    "3",
    "\"2\"",
    "\"0x2\"",
    "2.0",
    "\"2.000000\"",
    "1.5",
    "true",
    "false",
    "\"true\"",
    "\"True\"",
    "\"1\"",
    "yes",
    "[]",
    "{}",
    "[x]",
    "{a: b}",
    "{\"a\": \"b\"}",
    "\"x\"",
    "x",
    "3.13",
    "\"3.13\"",
    "\"3.13.1.2\"",
    "\"v3.13.1\"",
    "\"3.13.1-rc1+b\"",
    "\"03.13.1\"",
    "\"1.13\"",
    "\"1\"",
    "2026-01-02T03:04:05Z",
    "\"2026-01-02T03:04:05Z\"",
    "\"2026-01-02T03:04:05.5Z\"",
    "\"2026-01-02T03:04:05+00:00\"",
    "\"2026-01-02T05:04:05+02:00\"",
    "\"2026-01-02 03:04:05\"",
    "\"2026-1-2T3:4:5Z\"",
    "\"_unencrypted\"",
    "\"^(secret|pass)\"",
    "\"(\"",
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

    /// Where the envelopes of a text lie.
    fn tokens(text: &str) -> Vec<Range<usize>> {
        let begins = text.match_indices("ENC[").map(|(at, _)| at);
        begins
            .filter_map(|at| Some(at..at + text[at..].find(']')? + 1))
            .collect()
    }

    fn token(&mut self) -> &'static str {
        let own = Self::tokens(&self.text);
        let theirs = Self::tokens(self.other);
        if own.is_empty() || theirs.is_empty() {
            return self.lines();
        }
        let (one, other) = (own[self.index(own.len())].clone(), own[self.index(own.len())].clone());
        match self.random.below(6) {
            0 => {
                let text = self.text[other].to_owned();
                self.text.replace_range(one, &text);
                "a token copied"
            }
            1 if one.end <= other.start => {
                let (first, second) = (self.text[one.clone()].to_owned(), self.text[other.clone()].to_owned());
                self.text.replace_range(other, &first);
                self.text.replace_range(one, &second);
                "two tokens swapped"
            }
            2 => {
                let from = theirs[self.index(theirs.len())].clone();
                self.text.replace_range(one, &self.other[from]);
                "a token of another file"
            }
            3 => {
                let clear = self.random.pick(&[
                    "x",
                    "5",
                    "true",
                    "",
                    "\"\"",
                    "null",
                    "ENC[]",
                    "ENC[AES256_GCM,data:,iv:,tag:,type:str]",
                ]);
                self.text.replace_range(one, clear);
                "a token exchanged for a clear value"
            }
            _ => self.token_part(&one),
        }
    }

    fn token_part(&mut self, token: &Range<usize>) -> &'static str {
        let text = self.text[token.clone()].to_owned();
        let name = self.random.pick(&["data:", "iv:", "tag:", "type:"]);
        let Some(start) = text.find(name).map(|at| at + name.len()) else {
            return self.characters();
        };
        let end = start + text[start..].find([',', ']']).unwrap_or_default();
        let part = &text[start..end];
        let changed = if name == "type:" {
            self.random.pick(&KINDS).to_owned()
        } else {
            match self.random.below(9) {
                0 => part.chars().skip(4).collect(),
                1 => format!("AAAA{part}"),
                2 => part.trim_end_matches('=').to_owned(),
                3 => format!("{part}="),
                4 => part.to_uppercase(),
                5 => part.replace(['+', '/'], "-"),
                6 => format!("{} {}", &part[..part.len() / 2], &part[part.len() / 2..]),
                7 => String::new(),
                // The last character before the padding has bits that stand for nothing.
                _ => {
                    let body = part.trim_end_matches('=');
                    let flipped = body.get(..body.len().saturating_sub(1)).unwrap_or_default();
                    format!(
                        "{flipped}{}{}",
                        ['A', 'B', 'g', 'h'][self.index(4)],
                        &part[body.len()..]
                    )
                }
            }
        };
        let changed = format!("{}{changed}{}", &text[..start], &text[end..]);
        let changed = match self.random.below(10) {
            0 => changed.replace(',', ", "),
            1 => format!("{changed}x"),
            2 => format!(" {changed}"),
            _ => changed,
        };
        self.text.replace_range(token.clone(), &changed);
        "a part of a token changed"
    }

    /// Where a field of the metadata has its name and its value; without the comma of JSON.
    fn find_field(&self, name: &str) -> Option<(Range<usize>, Range<usize>)> {
        let from = self
            .text
            .rfind("sops")
            .map_or(0, |_| self.text.find("sops").unwrap_or_default());
        let mut at = from;
        while let Some(found) = self.text[at..].find(name) {
            let start = at + found;
            let end = start + name.len();
            let behind = self.text[end..].trim_start_matches(['"', '\'', ' ']);
            if behind.starts_with([':', '=']) {
                let value = self.text.len() - behind[1..].trim_start_matches(' ').len();
                let stop = self.text[value..]
                    .find('\n')
                    .map_or(self.text.len(), |line| value + line);
                let stop = value + self.text[value..stop].trim_end_matches(',').len();
                return Some((start..end, value..stop));
            }
            at = end;
        }
        None
    }

    fn field(&mut self) -> &'static str {
        let mut found = None;
        for _ in 0..40 {
            let name = self.random.pick(&FIELDS);
            found = self.find_field(name);
            if found.is_some() {
                break;
            }
        }
        let Some((name, value)) = found else {
            return self.lines();
        };
        match self.random.below(10) {
            0 => {
                let upper = self.text[name.clone()].to_uppercase();
                self.text.replace_range(name, &upper);
                "a field in capitals"
            }
            1 => {
                self.text.insert_str(name.end, "_x");
                "a field renamed"
            }
            2 => {
                let text = self.random.pick(&FIELDS);
                self.text.replace_range(name, text);
                "a field named as another"
            }
            3 => {
                let line = self.text[..name.start].rfind('\n').map_or(0, |at| at + 1);
                let end = self.text[value.end..]
                    .find('\n')
                    .map_or(self.text.len(), |at| value.end + at + 1);
                self.text.replace_range(line..end, "");
                "a field lost"
            }
            4 => {
                let text = self.text[value.clone()].trim_matches(['"', '\'']).to_owned();
                self.text.replace_range(value, &text);
                "a field without quotes"
            }
            5 => {
                let line = self.text[..name.start].rfind('\n').map_or(0, |at| at + 1);
                let end = self.text[value.end..]
                    .find('\n')
                    .map_or(self.text.len(), |at| value.end + at + 1);
                let text = self.text[line..end].to_owned();
                self.text.insert_str(end, &text);
                "a field doubled"
            }
            _ => {
                let text = self.random.pick(&VALUES);
                let bare = matches!(self.format, Format::Dotenv | Format::Ini) && self.random.chance(80);
                let text = if bare { text.trim_matches('"') } else { text };
                self.text.replace_range(value, text);
                "a field with another value"
            }
        }
    }

    fn added_field(&mut self) -> &'static str {
        let Some((name, _)) = self.find_field("lastmodified") else {
            return self.lines();
        };
        let line = self.text[..name.start].rfind('\n').map_or(0, |at| at + 1);
        let indent = self.text[line..name.start].trim_end_matches(['"', '\'']).to_owned();
        let indent = indent.trim_end_matches("sops_").to_owned();
        let field = self.random.pick(&FIELDS[5..]);
        let field = self.random.pick(&[
            field,
            field,
            "unknown",
            "kms",
            "attention",
            "Mac",
            "a__map_b",
            "age__list_1__map_enc",
            "pgp__list_0__map_fp",
            "__map_",
        ]);
        let value = self.random.pick(&VALUES);
        let text = match self.format {
            Format::Yaml => format!("{indent}{field}: {value}\n"),
            Format::Json | Format::Binary => format!("{indent}\"{field}\": {value},\n"),
            Format::Dotenv => format!("sops_{field}={}\n", value.trim_matches('"')),
            Format::Ini => format!("{field} = {}\n", value.trim_matches('"')),
        };
        self.text.insert_str(line, &text);
        "a field put in"
    }

    fn armor(&mut self) -> &'static str {
        let Some(begin) = self.text.find("-----BEGIN") else {
            return self.lines();
        };
        let end = self.text[begin..]
            .find("-----END")
            .map_or(self.text.len(), |at| begin + at + 34);
        let end = (end..=self.text.len())
            .find(|&at| self.text.is_char_boundary(at))
            .unwrap_or(begin);
        let armor = self.text[begin..end.max(begin)].to_owned();
        let line = if armor.contains("\\n") { "\\n" } else { "\n" };
        let parts: Vec<&str> = armor.split(line).collect();
        let at = self.index(parts.len());
        let without = |at: usize| {
            let rest = parts
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != at)
                .map(|(_, part)| *part);
            rest.collect::<Vec<_>>().join(line)
        };
        let (text, done) = match self.random.below(8) {
            0 => (without(at), "a line of armor lost"),
            1 => (armor.replace("AGE", "age"), "an armor's header changed"),
            2 => (
                armor.replacen(line, &format!("{line}{line}"), 1),
                "an empty line in an armor",
            ),
            3 => (armor.replacen(line, &format!("\\r{line}"), 9), "CR in an armor"),
            4 => (armor.replacen(line, &format!(" {line}"), 2), "blanks in an armor"),
            5 => (armor.replacen('A', "B", 2), "an armor's characters changed"),
            6 => (format!("{line}{armor}"), "an armor behind an empty line"),
            _ => (format!("{armor}{line}x"), "more behind an armor"),
        };
        self.text.replace_range(begin..end.max(begin), &text);
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
