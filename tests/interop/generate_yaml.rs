//! YAML streams made up from numbers: nested maps and lists, every kind and spelling of scalar, comments everywhere.

use super::generate::{ListComments, Random};

const KEYS: [&str; 22] = [
    "key",
    "k",
    "secret",
    "pass",
    "public",
    "a.b",
    "with space",
    "\u{fc}ber",
    "\"quoted \\\"key\\\"\"",
    "'it''s'",
    "\"\\u00e9\"",
    "a#b",
    "a:b",
    "\"true\"",
    "'12'",
    "\"null\"",
    "\"- dash\"",
    "~tilde",
    "x[0]",
    "\u{1f511}",
    "\"tab\\t\"",
    "k-k/k",
];

const SUFFIXES: [&str; 8] = ["", "", "", "", "", "_enc", "_clear", "_unencrypted"];

/// What may stand behind a key, behind a dash, and between the commas of a flow collection.
const SCALARS: [&str; 78] = [
    "0",
    "7",
    "-1",
    "+5",
    "0x1F",
    "0o14",
    "017",
    "1_000",
    "0b11",
    "9223372036854775807",
    "-9223372036854775808",
    "1.50",
    "1e3",
    "-.5",
    ".5",
    "1.",
    "1e-7",
    ".inf",
    "-.Inf",
    "0.1",
    "1E+3",
    "6.02e23",
    "123456789.123456789",
    "true",
    "True",
    "FALSE",
    "yes",
    "no",
    "on",
    "Off",
    "y",
    "~",
    "null",
    "Null",
    "NULL",
    "2001-12-14t21:59:43.10-05:00",
    "2024-02-29",
    "2001-12-14 21:59:43.10 -5",
    "2001-12-14T00:00:00Z",
    "12:30:45",
    "word",
    "two words",
    "a-b_c",
    "http://x.example/y?z=1",
    "na\u{ef}ve \u{2603}",
    "\u{1f600} \u{65e5}\u{672c}",
    "a'b\"c",
    "50%",
    "user@example.com",
    "$VAR",
    "(paren)",
    "1.2.3",
    "v1",
    "0x",
    "-",
    "\"\"",
    "''",
    "\"dq\"",
    "'sq'",
    "'it''s'",
    "\"tab\\tnl\\n\"",
    "\"\\x41\\u00e9\\U0001F600\"",
    "\"  lead\"",
    "' trail '",
    "\"# no comment\"",
    "'a: b'",
    "\"1\"",
    "'true'",
    "\"\\\\ \\\" \\/\"",
    "\"\\e\\0\"",
    "\"\\N\\_\\L\"",
    "!!str 12",
    "!!str true",
    "!custom tagged",
    "!!binary aGVsbG8=",
    "!!int \"5\"",
    "!!float 3",
    "\"ENC[\"",
];

const LINES: [&str; 12] = [
    "text",
    "  more indented",
    "",
    "# looks like a comment",
    "key: value",
    "- dash",
    "\u{fc}nicode \u{2603}",
    "tab\there",
    "a 'b' \"c\"",
    "---x",
    "word word word word word word word word word word word word word word word word word word",
    "trailing  ",
];

const COMMENTS: [&str; 10] = [
    "# comment",
    "#no blank",
    "# seal this",
    "# plain this",
    "#  two blanks",
    "# \u{fc}nicode \u{2603}",
    "# key: value",
    "## more ##",
    "# ENC[",
    "#\ttab",
];

/// A stream of one document or several, each a map.
pub fn stream(random: Random, lists: ListComments) -> String {
    let mut writer = Writer {
        random,
        lists,
        out: String::new(),
        number: 0,
        scalars: Vec::new(),
        maps: Vec::new(),
    };
    let head = writer.random.pick(&[
        "",
        "",
        "",
        "",
        "---\n",
        "# head\n---\n",
        "--- # start\n",
        "%YAML 1.1\n---\n",
    ]);
    writer.out.push_str(head);
    let documents = if writer.random.chance(12) {
        2 + writer.random.below(2)
    } else {
        1
    };
    for document in 0..documents {
        if document > 0 {
            let between = writer.random.pick(&["---\n", "---\n", "--- # next\n", "...\n---\n"]);
            writer.out.push_str(between);
            // An anchor belongs to its document.
            writer.scalars.clear();
            writer.maps.clear();
        }
        writer.map(0, 0);
        writer.comments(0, 10);
    }
    let mut text = writer.out;
    if writer.random.chance(10) {
        text = text.replace('\n', "\r\n");
    }
    if writer.random.chance(10) {
        // Not behind a block scalar: sealing puts a line below it, so its last line counts as ended, which SOPS sees otherwise.
        text.push_str("end: here");
        text.truncate(text.trim_end_matches(['\n', '\r']).len());
    }
    text
}

struct Writer {
    random: Random,
    lists: ListComments,
    out: String,
    number: u64,
    /// Anchors of scalars.
    scalars: Vec<u64>,
    /// Anchors of maps that are complete.
    maps: Vec<u64>,
}

impl Writer {
    fn indent(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    /// Comment lines and blank lines, or none.
    fn comments(&mut self, columns: usize, percent: u64) {
        while self.random.chance(percent) {
            if self.random.chance(40) {
                self.out.push('\n');
            } else {
                self.indent(columns);
                let comment = self.random.pick(&COMMENTS);
                self.out.push_str(comment);
                self.out.push('\n');
            }
        }
    }

    /// The end of a line, with a comment or without.
    fn line_end(&mut self, comment: bool) {
        if comment && self.random.chance(15) {
            let blanks = self.random.pick(&[" ", "   ", "\t"]);
            let comment = self.random.pick(&COMMENTS);
            self.out.push_str(blanks);
            self.out.push_str(comment);
        } else if self.random.chance(2) {
            self.out.push(' ');
        }
        self.out.push('\n');
    }

    fn key(&mut self) -> String {
        self.number += 1;
        let name = self.random.pick(&KEYS);
        let suffix = self.random.pick(&SUFFIXES);
        let quote = name.chars().next().filter(|first| ['"', '\''].contains(first));
        match quote {
            Some(quote) => format!("{}{}{suffix}{quote}", &name[..name.len() - 1], self.number),
            None => format!("{name}{}{suffix}", self.number),
        }
    }

    fn map(&mut self, columns: usize, depth: usize) {
        let entries = 1 + self.random.below(if depth == 0 { 7 } else { 4 });
        for entry in 0..entries {
            if entry > 0 || depth == 0 {
                self.comments(columns, 20);
                self.indent(columns);
            }
            if entry == 0 && depth > 0 && !self.maps.is_empty() && self.random.chance(25) {
                self.merge();
                continue;
            }
            let key = self.key();
            self.out.push_str(&key);
            let colon = self.random.pick(&[":", ":", ":", " :"]);
            self.out.push_str(colon);
            self.value(columns, depth, Parent::Map);
        }
    }

    fn merge(&mut self) {
        let anchor = self.maps[usize::try_from(self.random.below(self.maps.len() as u64)).unwrap()];
        let text = if self.random.chance(70) {
            format!("<<: *a{anchor}")
        } else {
            format!("<<: [*a{anchor}]")
        };
        self.out.push_str(&text);
        self.line_end(false);
    }

    fn list(&mut self, columns: usize, depth: usize) {
        let elements = 1 + self.random.below(4);
        for element in 0..elements {
            if self.lists == ListComments::With && element > 0 {
                self.comments(columns, 10);
            }
            // The first dash of a list in a list stands behind the outer one.
            if element > 0 || !self.out.ends_with("- ") {
                self.indent(columns);
            }
            self.out.push('-');
            self.value(columns, depth, Parent::List);
        }
    }

    /// What follows a colon or a dash, up to the end of its line or lines.
    fn value(&mut self, columns: usize, depth: usize, parent: Parent) {
        let comments = parent == Parent::Map || self.lists == ListComments::With;
        match self.random.below(20) {
            0..=2 if depth < 4 => self.nested_map(columns, depth, parent),
            3 | 4 if depth < 4 => self.nested_list(columns, depth, parent),
            5 | 6 => self.block(columns),
            7 | 8 => {
                self.out.push(' ');
                self.flow(0);
                self.line_end(comments && self.lists == ListComments::With);
            }
            9 if !self.scalars.is_empty() => {
                let anchor = self.scalars[usize::try_from(self.random.below(self.scalars.len() as u64)).unwrap()];
                self.out.push_str(&format!(" *a{anchor}"));
                self.line_end(comments);
            }
            10 => self.several_lines(columns),
            11 if parent == Parent::Map => self.out.push('\n'),
            _ => {
                let blanks = self.random.pick(&[" ", " ", " ", "  "]);
                self.out.push_str(blanks);
                if self.random.chance(6) {
                    self.number += 1;
                    self.out.push_str(&format!("&a{} ", self.number));
                    self.scalars.push(self.number);
                }
                let scalar = self.random.pick(&SCALARS);
                self.out.push_str(if scalar == "-" { "'-'" } else { scalar });
                self.line_end(comments);
            }
        }
    }

    fn nested_map(&mut self, columns: usize, depth: usize, parent: Parent) {
        let step = usize::try_from(1 + self.random.below(4)).unwrap();
        if parent == Parent::List && self.random.chance(70) {
            self.out.push(' ');
            // The first key stands behind the dash.
            self.map_entries_behind_dash(columns + 2, depth + 1);
            return;
        }
        let anchor = self.random.chance(12).then(|| {
            self.number += 1;
            self.out.push_str(&format!(" &a{}", self.number));
            self.number
        });
        self.line_end(parent == Parent::Map);
        self.indent(columns + step);
        self.map(columns + step, depth + 1);
        // Known only now: a map can't hold itself.
        self.maps.extend(anchor);
    }

    fn map_entries_behind_dash(&mut self, columns: usize, depth: usize) {
        self.map(columns, depth);
    }

    fn nested_list(&mut self, columns: usize, depth: usize, parent: Parent) {
        if parent == Parent::List {
            self.out.push(' ');
            self.list(columns + 2, depth + 1);
            return;
        }
        // A list may stand in the column of its key.
        let step = usize::try_from(self.random.below(4)).unwrap();
        self.line_end(self.lists == ListComments::With);
        self.list(columns + step, depth + 1);
    }

    fn block(&mut self, columns: usize) {
        let header = self
            .random
            .pick(&["|", "|", "|", "|-", "|+", ">", ">-", ">+", "|2", "|2-"]);
        let step = if header.contains('2') {
            2
        } else {
            usize::try_from(1 + self.random.below(4)).unwrap()
        };
        self.out.push(' ');
        self.out.push_str(header);
        self.line_end(false);
        let lines = 1 + self.random.below(5);
        for line in 0..lines {
            let text = self.random.pick(&LINES);
            // What the first line begins with would count as indentation.
            let text = if line == 0 && !header.contains('2') && (text.starts_with(' ') || text.is_empty()) {
                "first"
            } else {
                text
            };
            if !text.is_empty() {
                self.indent(columns + step);
                self.out.push_str(text);
            }
            self.out.push('\n');
        }
        // A block of blank lines only is a matter of its own; end on a line with text.
        self.indent(columns + step);
        self.out.push_str("last\n");
        if self.random.chance(20) {
            self.out.push('\n');
        }
    }

    /// A quoted or plain scalar over several lines.
    fn several_lines(&mut self, columns: usize) {
        let (open, close) = [("\"", "\""), ("'", "'"), ("", "")][usize::try_from(self.random.below(3)).unwrap()];
        self.out.push_str(&format!(" {open}first line"));
        for _ in 0..=self.random.below(3) {
            self.out.push('\n');
            if self.random.chance(20) {
                self.out.push('\n');
            }
            self.indent(columns + 2);
            self.out.push_str("next line");
        }
        self.out.push_str(close);
        self.out.push('\n');
    }

    fn flow(&mut self, depth: usize) {
        let map = self.random.chance(50);
        self.out.push(if map { '{' } else { '[' });
        let members = self.random.below(4);
        for member in 0..members {
            if member > 0 {
                let comma = self.random.pick(&[",", ", ", ", "]);
                self.out.push_str(comma);
            }
            if map {
                self.number += 1;
                let name = self.random.pick(&["k", "secret", "\"q\"", "'s'"]);
                let key = match name.strip_suffix(['"', '\'']) {
                    Some(open) => format!("{open}{}{}: ", self.number, &open[..1]),
                    None => format!("{name}{}: ", self.number),
                };
                self.out.push_str(&key);
            }
            if depth < 2 && self.random.chance(20) {
                self.flow(depth + 1);
            } else {
                let scalar = self.random.pick(&SCALARS);
                self.out.push_str(if scalar == "-" { "x" } else { scalar });
            }
        }
        self.out.push(if map { '}' } else { ']' });
    }
}

/// What a value belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parent {
    Map,
    List,
}
