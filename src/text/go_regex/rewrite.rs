//! The rewriting of a Go pattern into the engine's syntax, one pass from left to right.
//!
//! The shape follows what Go's parser accepts: an operator applies to the last complete piece of the current branch,
//! whatever stood between them without being a piece itself (flags, an empty `\Q\E`). Flags are resolved while
//! reading, so the result holds them only around the piece they change.

use super::class;

/// Open groups at the same time. Go stops at a height of 1000, which no pattern written by a person comes near.
const MAX_GROUPS: usize = 100;
/// Largest count of a repetition, and of nested repetitions multiplied.
const MAX_REPEAT: u64 = 1000;

/// Where and why a pattern is rejected.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) position: usize,
    pub(super) reason: &'static str,
}

/// The flags that change what is matched; `U` only changes which match is preferred.
#[derive(Clone, Copy, Default)]
struct Flags {
    fold_case: bool,
    multi_line: bool,
    dot_all: bool,
}

/// The last complete piece of a branch: what an operator applies to.
struct Piece {
    /// Offset of its text in the output.
    start: usize,
    /// Product of the counts of nested repetitions in it, along the worst path.
    weight: u64,
}

/// A group being read, or the whole pattern.
struct Group {
    /// Offset of its opening in the output.
    start: usize,
    /// Offset of its opening in the pattern.
    opened_at: usize,
    /// Flags to return to when it closes.
    outer: Flags,
    last: Option<Piece>,
    /// The largest weight of its pieces before the last.
    weight: u64,
}

impl Group {
    /// Another piece, or the end of the branch, follows: the weight of the last one is final.
    fn follow(&mut self, next: Option<Piece>) {
        if let Some(piece) = std::mem::replace(&mut self.last, next) {
            self.weight = self.weight.max(piece.weight);
        }
    }
}

/// A repetition as written: `*`, `+`, `?` or `{min,max}`.
struct Repeat {
    min: u64,
    /// `None` for no upper bound.
    max: Option<u64>,
}

/// What a `{` turned out to be.
enum Braces {
    Literal,
    TooLarge,
    Repeat(Repeat, usize),
}

/// Rewrites `pattern` into the syntax of the `regex` crate.
pub(super) fn rewrite(pattern: &str) -> Result<String, Fault> {
    let mut rewriter = Rewriter::new(pattern);
    let mut after_repeat = false;
    while let Some(c) = rewriter.peek() {
        after_repeat = rewriter.step(c, after_repeat)?;
    }
    match rewriter.outer.last() {
        None => Ok(rewriter.out),
        Some(_) => Err(Fault {
            position: rewriter.group.opened_at,
            reason: "group is not closed",
        }),
    }
}

struct Rewriter<'p> {
    pattern: &'p str,
    at: usize,
    flags: Flags,
    group: Group,
    /// The groups around the current one, outermost (the pattern itself) first.
    outer: Vec<Group>,
    out: String,
}

impl<'p> Rewriter<'p> {
    fn new(pattern: &'p str) -> Self {
        let flags = Flags::default();
        let group = Group {
            start: 0,
            opened_at: 0,
            outer: flags,
            last: None,
            weight: 1,
        };
        Self {
            pattern,
            at: 0,
            flags,
            group,
            outer: Vec::new(),
            out: String::with_capacity(pattern.len() + 16),
        }
    }

    fn rest(&self) -> &'p str {
        self.pattern.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn fault<T>(&self, reason: &'static str) -> Result<T, Fault> {
        Err(Fault {
            position: self.at,
            reason,
        })
    }

    /// Reads one element of the pattern; says whether it was a repetition.
    fn step(&mut self, c: char, after_repeat: bool) -> Result<bool, Fault> {
        match c {
            '(' => self.open_group()?,
            ')' => self.close_group()?,
            '|' => {
                self.at += 1;
                self.out.push('|');
                self.group.follow(None);
            }
            '^' => self.one(if self.flags.multi_line { "(?m:^)" } else { r"\A" }),
            '$' => self.one(if self.flags.multi_line { "(?m:$)" } else { r"\z" }),
            '.' => self.one(if self.flags.dot_all { "(?s:.)" } else { "." }),
            '[' => {
                let (set, length) = class::bracketed(self.pattern, self.at)?;
                self.set(&set);
                self.at += length;
            }
            '*' => return self.repeat(&Repeat { min: 0, max: None }, 1, after_repeat),
            '+' => return self.repeat(&Repeat { min: 1, max: None }, 1, after_repeat),
            '?' => return self.repeat(&Repeat { min: 0, max: Some(1) }, 1, after_repeat),
            '{' => match braces(self.rest()) {
                Braces::Repeat(repeat, length) => return self.repeat(&repeat, length, after_repeat),
                Braces::TooLarge => return self.fault("repeat count is above 1000 or upside down"),
                Braces::Literal => self.literal(c),
            },
            '\\' => self.escape()?,
            _ => self.literal(c),
        }
        Ok(false)
    }

    /// A piece whose text is one byte in the pattern and `text` in the output.
    fn one(&mut self, text: &str) {
        self.piece(text);
        self.at += 1;
    }

    fn piece(&mut self, text: &str) {
        self.group.follow(Some(Piece {
            start: self.out.len(),
            weight: 1,
        }));
        self.out.push_str(text);
    }

    fn literal(&mut self, c: char) {
        self.character(c);
        self.at += c.len_utf8();
    }

    fn character(&mut self, c: char) {
        self.group.follow(Some(Piece {
            start: self.out.len(),
            weight: 1,
        }));
        let folds = self.flags.fold_case && (c.is_alphabetic() || !c.is_ascii());
        self.out.push_str(if folds { "(?i:" } else { "" });
        class::push_escaped(&mut self.out, c);
        self.out.push_str(if folds { ")" } else { "" });
    }

    /// A class in the engine's syntax.
    fn set(&mut self, set: &str) {
        if self.flags.fold_case {
            self.piece(&format!("(?i:{set})"));
        } else {
            self.piece(set);
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        match rest.as_bytes().get(1) {
            Some(b'A') => self.piece(r"\A"),
            Some(b'z') => self.piece(r"\z"),
            Some(b'b') => self.piece(r"(?-u:\b)"),
            // The byte-wise assertion also holds inside a character; its Unicode sisters hold only at the edges.
            Some(b'B') => self.piece(r"(?:(?:\b|\B)(?-u:\B))"),
            Some(b'Q') => {
                self.quoted(rest);
                return Ok(());
            }
            _ => {
                if let Some((set, length)) = class::escaped_set(self.pattern, self.at)? {
                    self.set(&set);
                    self.at += length;
                } else {
                    let (c, length) = class::escaped_char(self.pattern, self.at)?;
                    self.character(c);
                    self.at += length;
                }
                return Ok(());
            }
        }
        self.at += 2;
        Ok(())
    }

    /// `\Q…\E`, where the end of the pattern may stand for `\E`.
    fn quoted(&mut self, rest: &str) {
        let body = rest.get(2..).unwrap_or_default();
        let (text, length) = match body.find(r"\E") {
            Some(end) => (body.get(..end).unwrap_or_default(), end + 4),
            None => (body, body.len() + 2),
        };
        for c in text.chars() {
            self.character(c);
        }
        self.at += length;
    }

    /// Applies a repetition of `length` bytes to the last piece; always answers `true` (*was a repetition*).
    fn repeat(&mut self, repeat: &Repeat, length: usize, after_repeat: bool) -> Result<bool, Fault> {
        if after_repeat {
            return self.fault("two repetition operators in a row");
        }
        let Some(piece) = self.group.last.as_mut() else {
            return self.fault("nothing to repeat");
        };
        // `max` counts, or `min` without a maximum; `{0}` removes what is in it, and with it its weight.
        piece.weight = match (repeat.max.unwrap_or(repeat.min), repeat.max) {
            (0, Some(_)) => 1,
            (count, _) => piece.weight.saturating_mul(count.max(1)),
        };
        let counted = repeat.min >= 2 || repeat.max.is_some_and(|max| max >= 2);
        if counted && piece.weight > MAX_REPEAT {
            return self.fault("nested repeat counts multiply to more than 1000");
        }
        self.out.insert_str(piece.start, "(?:");
        let operator = match (repeat.min, repeat.max) {
            (0, None) => "*".to_owned(),
            (min, None) => format!("{{{min},}}"),
            (0, Some(1)) => "?".to_owned(),
            (min, Some(max)) => format!("{{{min},{max}}}"),
        };
        self.out.push(')');
        self.out.push_str(&operator);
        self.at += length;
        // A `?` behind an operator makes it prefer less, which changes no answer.
        if self.peek() == Some('?') {
            self.at += 1;
        }
        Ok(true)
    }

    fn open_group(&mut self) -> Result<(), Fault> {
        if self.outer.len() >= MAX_GROUPS {
            return self.fault("more than 100 nested groups");
        }
        let (length, inner) = match self.rest().strip_prefix("(?") {
            None => (1, self.flags),
            Some(body) if body.starts_with('<') || body.starts_with("P<") => (
                2 + named(body).map_or_else(|| self.fault("bad group name"), Ok)?,
                self.flags,
            ),
            Some(body) => {
                let Some((flags, length, opens)) = flags(self.flags, body) else {
                    return self.fault("unknown group or flag syntax");
                };
                if !opens {
                    self.flags = flags;
                    self.at += 2 + length;
                    return Ok(());
                }
                (2 + length, flags)
            }
        };
        let group = Group {
            start: self.out.len(),
            opened_at: self.at,
            outer: self.flags,
            last: None,
            weight: 1,
        };
        self.outer.push(std::mem::replace(&mut self.group, group));
        self.flags = inner;
        self.out.push_str("(?:");
        self.at += length;
        Ok(())
    }

    fn close_group(&mut self) -> Result<(), Fault> {
        let Some(outer) = self.outer.pop() else {
            return self.fault("group is closed that was not opened");
        };
        let mut group = std::mem::replace(&mut self.group, outer);
        group.follow(None);
        self.flags = group.outer;
        self.out.push(')');
        self.group.follow(Some(Piece {
            start: group.start,
            weight: group.weight,
        }));
        self.at += 1;
        Ok(())
    }
}

/// Length of `<name>` or `P<name>`, if the name is made of letters, digits and `_`.
fn named(body: &str) -> Option<usize> {
    let start = body.find('<')? + 1;
    let end = body.find('>')?;
    let name = body.get(start..end)?;
    let valid = !name.is_empty() && name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric());
    valid.then_some(end + 1)
}

/// Reads `ims-U)` or `ims-U:`: the flags from there on, the length read, and whether a group opens.
fn flags(current: Flags, body: &str) -> Option<(Flags, usize, bool)> {
    let (mut flags, mut value, mut seen) = (current, true, false);
    for (at, b) in body.bytes().enumerate() {
        match b {
            b'i' => flags.fold_case = value,
            b'm' => flags.multi_line = value,
            b's' => flags.dot_all = value,
            b'U' => {}
            b'-' if value => {
                (value, seen) = (false, false);
                continue;
            }
            b':' | b')' if value || seen => return Some((flags, at + 1, b == b':')),
            _ => return None,
        }
        seen = true;
    }
    None
}

/// Reads `{n}`, `{n,}` or `{n,m}`; anything else is a literal brace.
fn braces(rest: &str) -> Braces {
    let Some(end) = rest.find('}') else {
        return Braces::Literal;
    };
    let body = rest.get(1..end).unwrap_or_default();
    let (min, max) = match body.split_once(',') {
        None => (body, Some(body)),
        Some((min, "")) => (min, None),
        Some((min, max)) => (min, Some(max)),
    };
    if !is_count(min) || !max.is_none_or(is_count) {
        return Braces::Literal;
    }
    // A count that does not even fit the type is above the limit as well.
    let number = |digits: &str| digits.parse::<u64>().unwrap_or(u64::MAX);
    let (min, max) = (number(min), max.map(number));
    if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT || min > max) {
        return Braces::TooLarge;
    }
    Braces::Repeat(Repeat { min, max }, end + 1)
}

/// Digits without a leading zero.
fn is_count(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'))
}
