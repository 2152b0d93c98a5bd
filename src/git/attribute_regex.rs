//! The simple forms of a regular expression over paths, taken apart into all sequences of pieces that it may find.
//!
//! Where a form has no exact piece it becomes one that finds more; never one that finds less. What both Go and Rust don't read
//! alike is refused.

use std::iter::Peekable;
use std::str::Chars;

/// One step of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// The beginning of the path.
    Begin,
    /// The end of the path.
    End,
    /// `/`.
    Slash,
    /// One ASCII character, no slash.
    Byte(u8),
    /// One character beyond ASCII.
    Text(String),
    /// One ASCII character out of a set, written as a bracket expression of a glob.
    Class(String),
    /// One character or more, none of them a slash.
    Rune,
    /// Any number of characters, none of them a slash.
    Star,
    /// Any number of any characters.
    Deep,
}

/// One way through the expression.
type Sequence = Vec<Piece>;

/// In bytes.
const MAX_LEN: usize = 1000;
const MAX_SEQUENCES: usize = 64;
const MAX_DEPTH: usize = 32;

/// Every way through `regex`; `None` when it has a form that is not read here, or too many ways.
pub(super) fn sequences(regex: &str) -> Option<Vec<Sequence>> {
    if regex.len() > MAX_LEN {
        return None;
    }
    let folded = regex.strip_prefix("(?i)");
    let mut parser = Parser {
        rest: folded.unwrap_or(regex).chars().peekable(),
        fold: folded.is_some(),
        depth: 0,
    };
    let sequences = parser.alternation()?;
    parser.rest.next().is_none().then_some(sequences)
}

/// A sign of a class.
enum Sign {
    One(char),
    /// `\d`, `\w` or `\s`.
    Several,
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    /// Whether upper and lower case are the same.
    fold: bool,
    depth: usize,
}

impl Parser<'_> {
    fn alternation(&mut self) -> Option<Vec<Sequence>> {
        let mut all = self.concatenation()?;
        while self.rest.next_if_eq(&'|').is_some() {
            all.extend(self.concatenation()?);
        }
        (all.len() <= MAX_SEQUENCES).then_some(all)
    }

    fn concatenation(&mut self) -> Option<Vec<Sequence>> {
        let mut all = vec![Vec::new()];
        while self.rest.peek().is_some_and(|sign| !matches!(sign, '|' | ')')) {
            let atom = self.atom()?;
            let next = self.repeated(atom)?;
            if all.len() * next.len() > MAX_SEQUENCES {
                return None;
            }
            all = all
                .iter()
                .flat_map(|head| next.iter().map(move |tail| [&head[..], &tail[..]].concat()))
                .collect();
        }
        Some(all)
    }

    /// The ways through an atom with the quantifier that follows.
    fn repeated(&mut self, mut atom: Vec<Sequence>) -> Option<Vec<Sequence>> {
        let (none, many) = match self.rest.peek() {
            Some('*') => (true, true),
            Some('+') => (false, true),
            Some('?') => (true, false),
            Some('{') => return self.counted(atom),
            _ => return Some(atom),
        };
        self.rest.next();
        self.end_of_quantifier()?;
        if many {
            let more = any_number(&atom);
            if none {
                return Some(vec![vec![more]]);
            }
            for sequence in &mut atom {
                sequence.push(more.clone());
            }
        } else {
            atom.push(Vec::new());
        }
        Some(atom)
    }

    /// `{n}`, `{n,}` and `{n,m}`, the number forgotten: none or more, or one or more.
    fn counted(&mut self, mut atom: Vec<Sequence>) -> Option<Vec<Sequence>> {
        self.rest.next();
        let count: String = std::iter::from_fn(|| self.rest.next_if(|&sign| sign != '}')).collect();
        self.rest.next_if_eq(&'}')?;
        self.end_of_quantifier()?;
        let (least, most) = count.split_once(',').unwrap_or((&count, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if least.is_empty() || !digits(least) || !digits(most) {
            return None;
        }
        let more = any_number(&atom);
        if least.bytes().all(|byte| byte == b'0') {
            return Some(vec![vec![more]]);
        }
        for sequence in &mut atom {
            sequence.push(more.clone());
        }
        Some(atom)
    }

    /// The `?` of a lazy quantifier finds the same paths. Go refuses a second quantifier.
    fn end_of_quantifier(&mut self) -> Option<()> {
        self.rest.next_if_eq(&'?');
        (!matches!(self.rest.peek(), Some('*' | '+' | '?' | '{'))).then_some(())
    }

    fn atom(&mut self) -> Option<Vec<Sequence>> {
        let sign = self.rest.next()?;
        match sign {
            '(' => self.group(),
            '[' => self.class(),
            '.' => Some(any_one()),
            '^' => Some(vec![vec![Piece::Begin]]),
            '$' => Some(vec![vec![Piece::End]]),
            '\\' => self.escape(),
            '*' | '+' | '?' | '{' => None,
            sign => Some(vec![vec![self.literal(sign)]]),
        }
    }

    fn group(&mut self) -> Option<Vec<Sequence>> {
        if self.rest.next_if_eq(&'?').is_some() {
            match self.rest.next()? {
                ':' => {}
                'P' | '<' => {
                    let mut name = std::iter::from_fn(|| self.rest.next_if(|&sign| sign != '>'));
                    // Without the letter P, `<` may begin a look-behind.
                    if name.any(|sign| !sign.is_alphanumeric() && !matches!(sign, '_' | '<')) {
                        return None;
                    }
                    self.rest.next_if_eq(&'>')?;
                }
                _ => return None,
            }
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let all = self.alternation()?;
        self.depth -= 1;
        self.rest.next_if_eq(&')')?;
        Some(all)
    }

    fn escape(&mut self) -> Option<Vec<Sequence>> {
        Some(match self.rest.next()? {
            // Go takes ASCII alone here, Rust the letters and digits of all scripts.
            'd' | 'w' | 's' => vec![vec![Piece::Rune]],
            'D' | 'W' | 'S' => any_one(),
            'A' => vec![vec![Piece::Begin]],
            'z' => vec![vec![Piece::End]],
            // Without the condition, more is found.
            'b' | 'B' => vec![Vec::new()],
            sign if is_escapable(sign) => vec![vec![self.literal(sign)]],
            _ => return None,
        })
    }

    fn literal(&self, sign: char) -> Piece {
        match sign {
            '/' => Piece::Slash,
            // Other scripts have letters that are equal to these two, apart from case.
            'k' | 'K' | 's' | 'S' if self.fold => Piece::Rune,
            sign if self.fold && sign.is_ascii_alphabetic() => {
                Piece::Class(format!("[{}{}]", sign.to_ascii_lowercase(), sign.to_ascii_uppercase()))
            }
            sign if self.fold && !sign.is_ascii() => Piece::Rune,
            sign => u8::try_from(sign)
                .ok()
                .filter(u8::is_ascii)
                .map_or_else(|| Piece::Text(sign.into()), Piece::Byte),
        }
    }

    fn class(&mut self) -> Option<Vec<Sequence>> {
        let negated = self.rest.next_if_eq(&'^').is_some();
        let mut glob = String::from("[");
        let (mut exact, mut slash) = (!self.fold && !negated, false);
        let mut first = true;
        while first || self.rest.peek() != Some(&']') {
            let Sign::One(from) = self.class_sign(first)? else {
                exact = false;
                // The signs of `\d`, `\w` and `\s` don't include the slash.
                first = false;
                continue;
            };
            first = false;
            let mut to = from;
            if self.rest.next_if_eq(&'-').is_some() {
                if self.rest.peek() == Some(&']') {
                    // A hyphen at the end stands for itself.
                    glob.push_str("\\-");
                } else {
                    let Sign::One(last) = self.class_sign(false)? else {
                        return None;
                    };
                    to = last;
                }
            }
            exact &= from.is_ascii() && to.is_ascii();
            slash |= (from..=to).contains(&'/');
            push_class(&mut glob, from, to);
        }
        self.rest.next();
        glob.push(']');
        let one = vec![if exact { Piece::Class(glob) } else { Piece::Rune }];
        Some(if slash == negated {
            vec![one]
        } else {
            vec![one, vec![Piece::Slash]]
        })
    }

    fn class_sign(&mut self, first: bool) -> Option<Sign> {
        match self.rest.next()? {
            // Go reads the first as a sign, Rust refuses it.
            ']' if first => None,
            // Rust has sets of sets; Go doesn't.
            '[' => None,
            sign @ ('&' | '~' | '-') if self.rest.peek() == Some(&sign) => None,
            '\\' => match self.rest.next()? {
                'd' | 'w' | 's' => Some(Sign::Several),
                sign if is_escapable(sign) => Some(Sign::One(sign)),
                _ => None,
            },
            sign => Some(Sign::One(sign)),
        }
    }
}

/// Adds the signs from one to another to a bracket expression.
fn push_class(glob: &mut String, from: char, to: char) {
    for (sign, sep) in [(from, ""), (to, "-")] {
        if sep == "-" && from == to {
            return;
        }
        glob.push_str(sep);
        if !sign.is_ascii_alphanumeric() {
            glob.push('\\');
        }
        glob.push(sign);
    }
}

/// Whether a backslash before this sign makes it stand for itself; `\<` and `\>` do so in Go alone.
fn is_escapable(sign: char) -> bool {
    sign.is_ascii_punctuation() && !matches!(sign, '<' | '>')
}

/// Any one character.
fn any_one() -> Vec<Sequence> {
    vec![vec![Piece::Rune], vec![Piece::Slash]]
}

/// What finds at least every repetition of `atom`.
fn any_number(atom: &[Sequence]) -> Piece {
    let within = |piece: &Piece| {
        matches!(
            piece,
            Piece::Byte(_) | Piece::Text(_) | Piece::Class(_) | Piece::Rune | Piece::Star
        )
    };
    if atom.iter().flatten().all(within) {
        Piece::Star
    } else {
        Piece::Deep
    }
}
