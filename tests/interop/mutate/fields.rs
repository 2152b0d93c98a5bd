//! Damage to what is SOPS's in a sealed file: tokens, the fields of the metadata, the armor of wrapped keys.

use std::ops::Range;

use git_seal::document::Format;

use super::Victim;

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

impl Victim<'_> {
    /// Where the envelopes of a text lie.
    fn tokens(text: &str) -> Vec<Range<usize>> {
        let begins = text.match_indices("ENC[").map(|(at, _)| at);
        begins
            .filter_map(|at| Some(at..at + text[at..].find(']')? + 1))
            .collect()
    }

    pub(super) fn token(&mut self) -> &'static str {
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

    pub(super) fn field(&mut self) -> &'static str {
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

    pub(super) fn added_field(&mut self) -> &'static str {
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

    pub(super) fn armor(&mut self) -> &'static str {
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
}
