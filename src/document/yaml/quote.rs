//! Text as a scalar of each style, and which style SOPS gives a text.

use std::fmt::Write as _;

use super::cursor::is_blank;
use super::resolve::{Resolved, resolve};
use crate::document::Style;

/// Which characters a double-quoted scalar escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// Those that can't stand in it and those that can't be seen.
    Few,
    /// Those that SOPS escapes: also non-breaking blanks and everything beyond the basic plane.
    Sops,
}

/// Whether a character may stand unescaped in a scalar of one line.
fn is_visible(character: char) -> bool {
    !matches!(character, '\0'..='\x1F' | '\x7F'..='\u{9F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Whether a plain scalar with this text reads back as exactly this text.
pub(super) fn reads_back_plain(text: &str, in_flow: bool) -> bool {
    let bytes = text.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    let second_is_blank = bytes.get(1).copied().is_none_or(is_blank);
    let starts = match first {
        b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@'
        | b'`' => false,
        b'-' => !second_is_blank,
        b'?' | b':' => !second_is_blank && !in_flow,
        byte => !is_blank(byte),
    };
    if !starts || is_blank(last) || last == b':' {
        return false;
    }
    let ends_inside = bytes.windows(2).any(|pair| match pair {
        [b':', after] => is_blank(*after),
        [before, b'#'] => is_blank(*before),
        _ => false,
    });
    let has_flow_indicator = in_flow && text.contains([',', '?', '[', ']', '{', '}']);
    !ends_inside
        && !has_flow_indicator
        && text.chars().all(|character| character == '\t' || is_visible(character))
        && resolve(text) == Resolved::Text
}

/// The text in single quotes; `None` if it can't stand there in one line.
pub(super) fn single(text: &str) -> Option<String> {
    let fits = text.chars().all(|character| character == '\t' || is_visible(character));
    fits.then(|| format!("'{}'", text.replace('\'', "''")))
}

/// The text in double quotes, in one line.
pub(super) fn double(text: &str, escapes: Escapes) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\0' => quoted.push_str("\\0"),
            '\u{85}' => quoted.push_str("\\N"),
            '\u{2028}' => quoted.push_str("\\L"),
            '\u{2029}' => quoted.push_str("\\P"),
            '\x07' if escapes == Escapes::Sops => quoted.push_str("\\a"),
            '\x08' if escapes == Escapes::Sops => quoted.push_str("\\b"),
            '\x0B' if escapes == Escapes::Sops => quoted.push_str("\\v"),
            '\x0C' if escapes == Escapes::Sops => quoted.push_str("\\f"),
            '\x1B' if escapes == Escapes::Sops => quoted.push_str("\\e"),
            '\u{A0}' if escapes == Escapes::Sops => quoted.push_str("\\_"),
            '\u{10000}'.. if escapes == Escapes::Few => quoted.push(character),
            character if is_visible(character) && character < '\u{10000}' => quoted.push(character),
            character => push_escape(&mut quoted, u32::from(character)),
        }
    }
    quoted.push('"');
    quoted
}

/// Adds a character as its number, in as few digits as YAML has.
fn push_escape(text: &mut String, code: u32) {
    // Writing to a string does not fail.
    let _ = match code {
        0..=0xFF => write!(text, "\\x{code:02X}"),
        0x100..=0xFFFF => write!(text, "\\u{code:04X}"),
        _ => write!(text, "\\U{code:08X}"),
    };
}

/// Whether a text can stand in the lines of a block scalar.
pub(super) fn fits_block(text: &str) -> bool {
    text.chars()
        .all(|character| matches!(character, '\n' | '\t') || is_visible(character))
}

/// Lines with each that is not empty indented.
pub(super) fn indented(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let mut body = String::with_capacity(text.len() + indent);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            body.push('\n');
        }
        if !line.is_empty() {
            body.push_str(&margin);
            body.push_str(line);
        }
    }
    body
}

/// The chomping indicator with which a literal block ends as `text` does.
pub(super) fn chomping(text: &str) -> &'static str {
    match text.strip_suffix('\n') {
        None => "-",
        Some("") => "+",
        Some(rest) if rest.ends_with('\n') => "+",
        Some(_) => "",
    }
}

/// The style that SOPS gives a text outside of flow collections.
pub(super) fn sops_style(text: &str) -> Style {
    let is_special =
        |character: char| !(character == '\n' || is_visible(character) && character < '\u{10000}') && character != '\t';
    if text.contains('\n') {
        let blank_at_end = text.ends_with(' ') || text.contains(" \n");
        return if blank_at_end || text.contains(is_special) {
            Style::Double
        } else {
            Style::Literal
        };
    }
    if resolve(text) != Resolved::Text && text != "<<" || is_old_bool(text) || is_base_60(text) {
        return Style::Double;
    }
    if text.contains('\t') || text.contains(is_special) {
        return Style::Double;
    }
    if is_plain_for_sops(text) {
        Style::Plain
    } else {
        Style::Single
    }
}

/// Whether SOPS writes a text of one visible line without quotes.
fn is_plain_for_sops(text: &str) -> bool {
    let starts = !text.starts_with("---") && !text.starts_with("...") && !text.starts_with("- ");
    starts && reads_back_plain(text, false)
}

/// Truth values of YAML 1.1 that are text here, and that SOPS quotes for the sake of others.
fn is_old_bool(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF"
    )
}

/// Whether YAML 1.1 would read a number with base 60.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let whole = parts.next().unwrap_or_default();
    let is_whole = whole.starts_with(|first: char| first.is_ascii_digit())
        && whole.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let rest: Vec<&str> = parts.collect();
    let is_sixty = |part: &str| match part.as_bytes() {
        [digit] | [b'0'..=b'5', digit] => digit.is_ascii_digit(),
        _ => false,
    };
    let Some((last, middle)) = rest.split_last() else {
        return false;
    };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    let is_fraction = fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    is_whole && is_fraction && is_sixty(last) && middle.iter().all(|part| is_sixty(part))
}

/// A double as go-yaml writes it: shortest digits, an exponent below -4 and from 6; but negative zero with a point.
pub(super) fn float_text(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    if number == 0.0 && number.is_sign_negative() {
        // `-0` would read back as the integer, which has no sign and another hash.
        return "-0.0".to_owned();
    }
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_would_read_otherwise_is_not_plain() {
        for text in [
            "", "~", "1", "true", " a", "a ", "a:", "a: b", "a #b", "a\t#b", "- a", "-", "? a", ": a", "#a", "%a", "@a",
        ] {
            assert!(!reads_back_plain(text, false), "{text}");
        }
        for text in [
            "a\nb",
            "a\u{85}",
            "a\u{2028}b",
            "\u{feff}a",
            "a\x01",
            "2001-01-01",
            "\"a",
            "'a",
            "[a",
            "!a",
            "&a",
            "*a",
        ] {
            assert!(!reads_back_plain(text, false), "{text:?}");
        }
        for text in ["a,b", "a]", "a?b", "?a", ":a", "{}"] {
            assert!(!reads_back_plain(text, true), "{text}");
        }
    }

    #[test]
    fn text_that_reads_back_is_plain() {
        for text in [
            "a", "yes", "-a", "?a", ":a", "a:b", "a#b", "a,b", "a]b", "a\tb", "é😀", "--- a", "...", "<<", "1:30",
        ] {
            assert!(reads_back_plain(text, false), "{text}");
        }
        for text in ["a:b", "-a", "a#b", "http://x/y"] {
            assert!(reads_back_plain(text, true), "{text}");
        }
    }

    #[test]
    fn sops_chooses_styles() {
        #[track_caller]
        fn case(text: &str, expected: Style) {
            assert_eq!(sops_style(text), expected, "{text:?}");
        }
        case("", Style::Double);
        case("y", Style::Double);
        case("Off", Style::Double);
        case("1:30", Style::Double);
        case("-1_0:5:59.5_", Style::Double);
        case("1:60", Style::Plain);
        case("12", Style::Double);
        case("a\tb", Style::Double);
        case("😀", Style::Double);
        case("\u{85}", Style::Double);
        case("a \nb", Style::Double);
        case("a\nb ", Style::Double);
        case("a\n😀", Style::Double);
        case("a\nb\n", Style::Literal);
        case("a\n\tb", Style::Literal);
        case(" a", Style::Single);
        case("a: b", Style::Single);
        case("--- a", Style::Single);
        case("- ", Style::Single);
        case("@a", Style::Single);
        case("a", Style::Plain);
        case("é", Style::Plain);
        case("<<", Style::Plain);
    }

    #[test]
    fn double_quotes_escape_what_can_not_be_seen() {
        assert_eq!(
            double("\"\\\n\t\r\0\x01\x7f\u{80}\u{85}\u{2028}\u{2029}\u{feff}", Escapes::Few),
            r#""\"\\\n\t\r\0\x01\x7F\x80\N\L\P\uFEFF""#
        );
        assert_eq!(double("é\u{a0}😀", Escapes::Few), "\"é\u{a0}😀\"");
        assert_eq!(double("é\u{a0}😀\x07", Escapes::Sops), r#""é\_\U0001F600\a""#);
    }

    #[test]
    fn floats_are_written_like_go_yamls() {
        for (number, text) in [
            (1.0, "1"),
            (-0.0, "-0.0"),
            (1e6, "1e+06"),
            (1_234_567.5, "1.2345675e+06"),
            (123_456.0, "123456"),
            (100_000.5, "100000.5"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1.5e300, "1.5e+300"),
            (f64::NEG_INFINITY, "-.inf"),
        ] {
            assert_eq!(float_text(number), text);
        }
        assert_eq!(float_text(f64::NAN), ".nan");
    }
}
