//! Escapes and character classes of a Go pattern, in the engine's syntax.
//!
//! Classes nest and combine (`&&`, `--`, `~~`) in the engine but not in Go, so every single character is escaped
//! that means something in either place.

use super::names;
use super::rewrite::Fault;

/// Text in the engine's syntax (or a character) and the number of bytes of the pattern it stands for.
type Read<T> = Result<(T, usize), Fault>;

/// The class that matches nothing: Go's `\p{Cs}` over text that is UTF-8.
const NOTHING: &str = r"[^\x00-\x{10FFFF}]";

/// Appends `c` so that the engine takes it as itself, inside and outside of a class.
pub(super) fn push_escaped(out: &mut String, c: char) {
    if matches!(
        c,
        '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' | '#' | '&' | '-' | '~'
    ) {
        out.push('\\');
    }
    out.push(c);
}

/// Reads the escape at `at` if it names a set: `\d`, `\W`, `\pL`, `\p{^Greek}`.
pub(super) fn escaped_set(pattern: &str, at: usize) -> Result<Option<(String, usize)>, Fault> {
    let rest = tail(pattern, at);
    // Go's three Perl classes are ASCII, and its `\s` has no vertical tab.
    let set = match rest.as_bytes().get(1) {
        Some(b'd') => "[0-9]",
        Some(b'D') => "[^0-9]",
        Some(b's') => r"[\t\n\x0C\r ]",
        Some(b'S') => r"[^\t\n\x0C\r ]",
        Some(b'w') => "[0-9A-Za-z_]",
        Some(b'W') => "[^0-9A-Za-z_]",
        Some(b'p' | b'P') => return property(rest, at).map(Some),
        _ => return Ok(None),
    };
    Ok(Some((set.to_owned(), 2)))
}

fn property(rest: &str, at: usize) -> Read<String> {
    let fault = |reason| Fault { position: at, reason };
    let body = rest.get(2..).unwrap_or_default();
    let (name, length) = match body.chars().next() {
        None => return Err(fault("property without a name")),
        Some('{') => {
            let end = body.find('}').ok_or_else(|| fault("property name is not closed"))?;
            (body.get(1..end).unwrap_or_default(), 2 + end + 1)
        }
        Some(c) => (body.get(..c.len_utf8()).unwrap_or_default(), 2 + c.len_utf8()),
    };
    let (name, inner_negation) = match name.strip_prefix('^') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let negated = rest.as_bytes().get(1) == Some(&b'P') || inner_negation;
    // Two negations cancel out.
    let negated = negated && !(rest.starts_with(r"\P") && inner_negation);
    let set = match names::property(name).ok_or_else(|| fault("unknown category or script"))? {
        names::Property::Surrogates if negated => r"\p{Any}".to_owned(),
        names::Property::Surrogates => NOTHING.to_owned(),
        names::Property::Named(kind, name) => format!(r"\{}{{{kind}{name}}}", if negated { 'P' } else { 'p' }),
    };
    Ok((set, length))
}

/// Reads the escape at `at` as one character.
pub(super) fn escaped_char(pattern: &str, at: usize) -> Read<char> {
    let rest = tail(pattern, at);
    let fault = |reason| Fault { position: at, reason };
    let Some(c) = rest.chars().nth(1) else {
        return Err(fault("backslash at the end"));
    };
    let plain = match c {
        'x' => return hexadecimal(rest, at),
        '0'..='7' => return octal(rest, at),
        'a' => '\x07',
        'f' => '\x0C',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0B',
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
        _ => return Err(fault("unknown escape")),
    };
    Ok((plain, 2))
}

/// `\0`, `\12`, `\101`; a single digit other than 0 would be a reference to a group, which Go does not have.
fn octal(rest: &str, at: usize) -> Read<char> {
    let digits = rest
        .bytes()
        .skip(1)
        .take(3)
        .take_while(|b| (b'0'..=b'7').contains(b))
        .count();
    let text = rest.get(1..=digits).unwrap_or_default();
    if digits == 1 && text != "0" {
        return Err(Fault {
            position: at,
            reason: "references to groups are not supported",
        });
    }
    scalar(text, 8, at).map(|c| (c, 1 + digits))
}

/// `\x41` or `\x{10FFFF}`.
fn hexadecimal(rest: &str, at: usize) -> Read<char> {
    let body = rest.get(2..).unwrap_or_default();
    let (digits, length) = match body.strip_prefix('{') {
        Some(braced) => {
            let end = braced.find('}').ok_or(Fault {
                position: at,
                reason: "unknown escape",
            })?;
            (braced.get(..end).unwrap_or_default(), 4 + end)
        }
        None => (body.get(..2).unwrap_or_default(), 4),
    };
    scalar(digits, 16, at).map(|c| (c, length))
}

fn scalar(digits: &str, radix: u32, at: usize) -> Result<char, Fault> {
    let fault = |reason| Fault { position: at, reason };
    // `from_str_radix` would take a sign.
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(fault("unknown escape"));
    }
    let significant = digits.trim_start_matches('0');
    let code = match significant {
        "" => 0,
        text => u32::from_str_radix(text, radix).map_err(|_| fault("no such character"))?,
    };
    char::from_u32(code).ok_or_else(|| fault("no such character"))
}

/// Reads the class whose `[` is at `at`.
pub(super) fn bracketed(pattern: &str, at: usize) -> Read<String> {
    let mut out = String::from("[");
    let mut here = at + 1;
    if tail(pattern, here).starts_with('^') {
        out.push('^');
        here += 1;
    }
    // A `]` in the first place is a member.
    let mut first = true;
    loop {
        let rest = tail(pattern, here);
        if rest.starts_with(']') && !first {
            out.push(']');
            return Ok((out, here + 1 - at));
        }
        first = false;
        if let Some((set, length)) = posix(rest, here)? {
            out.push_str(set);
            here += length;
            continue;
        }
        if rest.starts_with('\\')
            && let Some((set, length)) = escaped_set(pattern, here)?
        {
            out.push_str(&set);
            here += length;
            continue;
        }
        here = range(pattern, at, here, &mut out)?;
    }
}

/// `[:alpha:]` and its like; text that only starts like one is a plain `[`.
fn posix(rest: &str, at: usize) -> Result<Option<(&str, usize)>, Fault> {
    let Some(body) = rest.strip_prefix("[:") else {
        return Ok(None);
    };
    let Some(end) = body.find(":]") else { return Ok(None) };
    let name = body.get(..end).unwrap_or_default();
    if !names::POSIX.contains(&name.strip_prefix('^').unwrap_or(name)) {
        return Err(Fault {
            position: at,
            reason: "unknown class name",
        });
    }
    let length = end + 4;
    Ok(rest.get(..length).map(|set| (set, length)))
}

/// Reads one character or `a-z` of the class opened at `class`; returns where it ends.
fn range(pattern: &str, class: usize, at: usize, out: &mut String) -> Result<usize, Fault> {
    let (low, length) = member(pattern, class, at)?;
    push_escaped(out, low);
    let end = at + length;
    let rest = tail(pattern, end);
    // A `-` before the closing bracket is a member.
    if !rest.starts_with('-') || rest.len() < 2 || rest.starts_with("-]") {
        return Ok(end);
    }
    let (high, length) = member(pattern, class, end + 1)?;
    if high < low {
        return Err(Fault {
            position: at,
            reason: "range is upside down",
        });
    }
    out.push('-');
    push_escaped(out, high);
    Ok(end + 1 + length)
}

fn member(pattern: &str, class: usize, at: usize) -> Read<char> {
    match tail(pattern, at).chars().next() {
        None => Err(Fault {
            position: class,
            reason: "class is not closed",
        }),
        Some('\\') => escaped_char(pattern, at),
        Some(c) => Ok((c, c.len_utf8())),
    }
}

fn tail(pattern: &str, at: usize) -> &str {
    pattern.get(at..).unwrap_or_default()
}
