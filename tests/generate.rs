//! Documents that grow from a number: YAML, JSON, dotenv, INI and bytes in every spelling that people and programs use.

mod lines;

pub use lines::{dotenv, ini};

/// A row of numbers that a seed fixes (splitmix64).
pub struct Chance(u64);

impl Chance {
    /// The row of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_F491_4F6C_DD1D))
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % limit as u64).unwrap()
    }

    /// Whether something happens that happens once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// Scalars of one line that may stand in block context.
const SCALARS: &[&str] = &[
    "word",
    "two words",
    "5",
    "-12",
    "+5",
    "0x1F",
    "0o17",
    "017",
    "1_000",
    "0b101",
    "1.50",
    "1e3",
    "6.",
    ".5",
    ".inf",
    "-.INF",
    ".nan",
    "TRUE",
    "false",
    "yes",
    "Off",
    "~",
    "null",
    "Null",
    "\"\"",
    "''",
    "\"x\\u00e9\\ty\"",
    "\"\\x41\\e\\N\\_\"",
    "'it''s'",
    "\"a\\\"b\"",
    "\"ünï\"",
    "ünï ☃",
    "2001-12-14",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10 -5",
    "12:30:45",
    "!!str 5",
    "! 5",
    "!!int \"5\"",
    "!own tagged",
    "http://x.y/z?a=b#c",
    "a#b",
    "'# no comment'",
    "\"# none\"",
    "a",
    "-x",
    "?x",
    ":x",
    "x:y",
    "[]",
    "{}",
    "[a, 'b', \"c\"]",
    "{a: 1, 'b': [x, {y: z}], \"c\": ~}",
    "[a,b , ]",
    "{a: , b}",
    "\" lead\"",
    "' trail '",
    "\"\\0\\a\\b\\n\\r\"",
    "\"\u{1f600}\\U0001F600\"",
    "<<",
    "=",
    "'multi ''quote'' end'",
    "\"\\u2028\"",
    "0",
    "-0",
    "-0.0",
    "00",
    "9223372036854775807",
    "1e400",
    "0.1e-7",
    "'5'",
    "\"true\"",
    "'null'",
    "ENC",
];
/// Comments with what stands before them.
const COMMENTS: &[&str] = &[" # note", "   #x", " \t# tab", " # a: b", " #", " # 'q\" [", " # ünï"];
const KEYS: &[&str] = &["k", "'k", "\"k", "k-", "K k", "'k: ", "\"k\\t"];

/// A YAML file with one value `before-change`, which stands nowhere else.
pub fn yaml(chance: &mut Chance) -> Vec<u8> {
    let mut writer = Yaml {
        chance,
        out: String::new(),
        scalars: Vec::new(),
        maps: Vec::new(),
        keys: 0,
    };
    if writer.chance.once_in(12) {
        writer.out.push_str("%YAML 1.1\n---\n");
    } else if writer.chance.once_in(6) {
        writer.out.push_str("---\n");
    }
    writer.entries(0, 3);
    let quote = writer.chance.of(&["", "'", "\""]);
    writer.out.push_str(&format!("changed: {quote}before-change{quote}"));
    writer.end_line();
    while writer.chance.once_in(5) {
        let mark = writer.chance.of(&["---\n", "--- # more\n", "...\n---\n"]);
        writer.out.push_str(mark);
        writer.scalars.clear();
        writer.maps.clear();
        writer.entries(0, 2);
    }
    let mut text = std::mem::take(&mut writer.out);
    match chance.below(12) {
        0 => text = text.replace('\n', "\r\n"),
        1 => drop(text.pop()),
        2 => text.push_str("\n\n"),
        3 => text.insert(0, '\u{feff}'),
        4 => text.push_str("# the end"),
        _ => {}
    }
    text.into_bytes()
}

struct Yaml<'c> {
    chance: &'c mut Chance,
    out: String,
    /// Anchors of scalars, and of maps, that an alias may name.
    scalars: Vec<String>,
    maps: Vec<String>,
    keys: usize,
}

impl Yaml<'_> {
    fn indent(&mut self, columns: usize) {
        self.out.push_str(&" ".repeat(columns));
    }

    fn end_line(&mut self) {
        if self.chance.once_in(6) {
            let comment = self.chance.of(COMMENTS);
            self.out.push_str(comment);
        } else if self.chance.once_in(15) {
            self.out.push_str("  ");
        }
        self.out.push('\n');
    }

    /// What may stand between two entries.
    fn between(&mut self, columns: usize) {
        match self.chance.below(14) {
            0 => self.out.push('\n'),
            1 => self.out.push_str("  \n"),
            2 => {
                let odd = self.chance.below(9);
                self.indent(odd);
                self.out.push_str("# odd column\n");
            }
            3 => {
                self.indent(columns);
                self.out.push_str("# a comment\n");
            }
            _ => {}
        }
    }

    fn key(&mut self) {
        self.keys += 1;
        let start = self.chance.of(KEYS);
        let end = match start.as_bytes()[0] {
            b'\'' => "'",
            b'"' => "\"",
            _ => "",
        };
        let gap = if self.chance.once_in(12) { " " } else { "" };
        self.out.push_str(&format!("{start}{}{end}{gap}:", self.keys));
    }

    /// The entries of a map at this column, where the first one's place is already reached.
    fn entries(&mut self, columns: usize, depth: usize) {
        for number in 0..=self.chance.below(4) {
            if number > 0 || columns == 0 {
                self.between(columns);
            }
            if number > 0 {
                self.indent(columns);
            }
            if number == 1 && !self.maps.is_empty() && self.chance.once_in(4) {
                let name = self.maps[self.chance.below(self.maps.len())].clone();
                self.out.push_str(&format!("<<: *{name}"));
                self.end_line();
                continue;
            }
            self.key();
            self.value(columns, depth);
        }
    }

    /// The value behind a key or a dash at this column, with its line's end.
    fn value(&mut self, columns: usize, depth: usize) {
        match self.chance.below(if depth == 0 { 8 } else { 14 }) {
            0..=2 => self.scalar(),
            3 => self.block_scalar(columns),
            4 => self.long_scalar(columns),
            5 => self.alias(columns),
            6 => self.end_line(),
            7 => self.flow(columns),
            8..=10 => self.map(columns, depth),
            _ => self.list(columns, depth),
        }
    }

    fn scalar(&mut self) {
        self.out.push_str(self.chance.of(&[" ", "   "]));
        let scalar = self.chance.of(SCALARS);
        if self.chance.once_in(10) && !scalar.starts_with('!') {
            let name = format!("s{}", self.keys);
            self.out.push_str(&format!("&{name} "));
            self.scalars.push(name);
        }
        self.out.push_str(scalar);
        self.end_line();
    }

    fn alias(&mut self, columns: usize) {
        let names = if self.chance.once_in(2) {
            &self.maps
        } else {
            &self.scalars
        };
        if names.is_empty() {
            return self.scalar();
        }
        let name = names[self.chance.below(names.len())].clone();
        let gap = self.chance.of(&[" ", " ", "  ", "\n      # above\n      "]);
        let gap = if columns < 6 { gap } else { " " };
        self.out.push_str(&format!("{gap}*{name}"));
        self.end_line();
    }

    fn block_scalar(&mut self, columns: usize) {
        let header = self
            .chance
            .of(&[" |", " |-", " |+", " >", " >-", " >+", " !!str |", " | # head"]);
        self.out.push_str(header);
        self.out.push('\n');
        let deeper = columns + 1 + self.chance.below(4);
        for _ in 0..=self.chance.below(3) {
            self.indent(deeper);
            let line = self.chance.of(&[
                "text",
                "more text  ",
                "# no comment",
                "a: b",
                "- x",
                "tab\there",
                "\"quoted\"",
            ]);
            self.out.push_str(line);
            let gap = self.chance.of(&["\n", "\n", "\n\n", "\n  \n"]);
            self.out.push_str(gap);
        }
    }

    fn long_scalar(&mut self, columns: usize) {
        let pad = " ".repeat(columns + 1 + self.chance.below(3));
        let text = match self.chance.below(5) {
            0 => format!(" plain over\n{pad}two lines"),
            1 => format!(" plain with\n\n{pad}a gap"),
            2 => format!(" \"double\n{pad}\\  over\\\n{pad}lines \\n\n\n{pad}end\""),
            3 => format!(" 'single\n\n{pad}over''s\n{pad}lines'"),
            _ => format!("\n{pad}on the next line"),
        };
        self.out.push_str(&text);
        self.end_line();
    }

    fn flow(&mut self, columns: usize) {
        let pad = " ".repeat(columns + 1 + self.chance.below(3));
        let text = match self.chance.below(3) {
            0 => format!(" [one,\n{pad}'two', # note\n{pad}0x1F]"),
            1 => format!(" {{a: 1,\n{pad}\"b\": [c,\n{pad}d e], f: }}"),
            _ => format!("\n{pad}[ ]"),
        };
        self.out.push_str(&text);
        self.end_line();
    }

    fn map(&mut self, columns: usize, depth: usize) {
        let name = self.chance.once_in(5).then(|| format!("m{}", self.keys));
        if let Some(name) = &name {
            self.out.push_str(&format!(" &{name}"));
        }
        self.end_line();
        let deeper = columns + 1 + self.chance.below(4);
        self.indent(deeper);
        self.entries(deeper, depth - 1);
        self.maps.extend(name);
    }

    fn list(&mut self, columns: usize, depth: usize) {
        self.end_line();
        let column = columns + self.chance.below(4);
        for _ in 0..=self.chance.below(3) {
            self.between(column);
            self.indent(column);
            self.out.push('-');
            if self.chance.once_in(3) {
                let gap = 1 + self.chance.below(3);
                self.indent(gap);
                self.entries(column + 1 + gap, depth - 1);
            } else if self.chance.once_in(6) {
                self.out.push_str(" - nested\n");
                self.indent(column + 2);
                self.out.push_str("- 0x2\n");
            } else {
                self.value(column, 0);
            }
        }
    }
}

/// A JSON file with one value `before-change`, which stands nowhere else.
pub fn json(chance: &mut Chance) -> Vec<u8> {
    let mut out = String::new();
    gap(chance, &mut out);
    out.push('{');
    let mut keys = 0;
    for _ in 0..chance.below(6) {
        member(chance, &mut out, &mut keys, 3);
        out.push(',');
    }
    gap(chance, &mut out);
    out.push_str("\"changed\": \"before-change\"");
    gap(chance, &mut out);
    out.push('}');
    gap(chance, &mut out);
    out.into_bytes()
}

fn gap(chance: &mut Chance, out: &mut String) {
    let gap = chance.of(&["", "", " ", "\n", "\r\n\t", "\n\n    "]);
    out.push_str(gap);
}

fn member(chance: &mut Chance, out: &mut String, keys: &mut usize, depth: usize) {
    gap(chance, out);
    *keys += 1;
    let odd = chance.of(&["", " ", "\\u0041", "\\n", "ü", "\\\""]);
    out.push_str(&format!("\"k{keys}{odd}\""));
    gap(chance, out);
    out.push(':');
    gap(chance, out);
    value(chance, out, keys, depth);
    gap(chance, out);
}

fn value(chance: &mut Chance, out: &mut String, keys: &mut usize, depth: usize) {
    const SCALARS: &[&str] = &[
        "0",
        "-0",
        "5",
        "1.50",
        "1E5",
        "1e-7",
        "-0.0",
        "12345678901234567",
        "true",
        "false",
        "null",
        "\"\"",
        "\"word\"",
        "\"\\u0041\\/\"",
        "\"\\ud83d\\ude00 \\b\\f\"",
        "\"☃ \u{7f}\u{2028}\"",
        "\"\\\\ \\\"\"",
        "\"ENC[\"",
        "\"5\"",
        "\"a\\nb\\r\\n\"",
        "{}",
        "[]",
        "[ \n]",
        "0.1e+3",
    ];
    match chance.below(if depth == 0 { 4 } else { 8 }) {
        0..=4 => out.push_str(chance.of(SCALARS)),
        5 | 6 => {
            out.push('[');
            for number in 0..chance.below(4) {
                if number > 0 {
                    out.push(',');
                }
                gap(chance, out);
                value(chance, out, keys, depth - 1);
                gap(chance, out);
            }
            out.push(']');
        }
        _ => {
            out.push('{');
            for number in 0..chance.below(4) {
                if number > 0 {
                    out.push(',');
                }
                member(chance, out, keys, depth - 1);
            }
            out.push('}');
        }
    }
}

/// Bytes of any kind.
pub fn binary(chance: &mut Chance) -> Vec<u8> {
    let length = 1 + chance.below(300);
    let text = chance.once_in(2);
    let byte = |chance: &mut Chance| {
        let byte = u8::try_from(chance.below(256)).unwrap();
        if text { byte % 96 + 32 } else { byte }
    };
    (0..length).map(|_| byte(chance)).collect()
}
