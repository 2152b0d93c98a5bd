//! What a plain or tagged scalar means: the table of the SOPS format, section 1.3, row by row.

use std::borrow::Cow;

use data_encoding::BASE64;

use super::timestamp::timestamp;
use crate::document::{Style, Value};

/// What the text of a plain scalar says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Resolved {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer that fits 64 bits only without a sign: SOPS can't encrypt it.
    Unsigned,
    Float(f64),
    Time(String),
    Text,
}

/// A tag, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// `!`: read as if there was no tag.
    Neutral,
    Null,
    Bool,
    Int,
    Float,
    Timestamp,
    Str,
    Binary,
    Merge,
    /// Any other: the value is text.
    Other,
}

impl Tag {
    /// The tag with this full name.
    pub(super) fn of(name: &str) -> Self {
        if name == "!" {
            return Self::Neutral;
        }
        match name
            .strip_prefix("tag:yaml.org,2002:")
            .or_else(|| name.strip_prefix("!!"))
        {
            Some("null") => Self::Null,
            Some("bool") => Self::Bool,
            Some("int") => Self::Int,
            Some("float") => Self::Float,
            Some("timestamp") => Self::Timestamp,
            Some("str") => Self::Str,
            Some("binary") => Self::Binary,
            Some("merge") => Self::Merge,
            _ => Self::Other,
        }
    }

    /// Whether the value of a quoted or block scalar with this tag is its text.
    pub(super) const fn is_text(self) -> bool {
        matches!(self, Self::Neutral | Self::Str | Self::Merge | Self::Other)
    }
}

/// The value of a plain scalar. [`Resolved::Unsigned`] gives its text.
pub(super) fn plain_value(text: Cow<'_, str>) -> Value<'_> {
    match resolve(&text) {
        Resolved::Null => Value::Null,
        Resolved::Bool(truth) => Value::Bool(truth),
        Resolved::Int(number) => Value::Int(number),
        Resolved::Float(number) => Value::Float(number),
        Resolved::Time(time) => Value::Time(time),
        Resolved::Unsigned | Resolved::Text => text_value(text),
    }
}

/// The value of a scalar that is text whatever it says.
pub(super) fn text_value(text: Cow<'_, str>) -> Value<'_> {
    Value::Str(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}

/// The value of a scalar with a tag; `None` if the tag does not fit.
pub(super) fn tagged_value(tag: Tag, text: Cow<'_, str>, style: Style) -> Option<Value<'_>> {
    match tag {
        Tag::Neutral if style == Style::Plain => return Some(plain_value(text)),
        Tag::Neutral | Tag::Str | Tag::Merge | Tag::Other => return Some(text_value(text)),
        Tag::Binary => {
            // Line breaks inside the encoding mean nothing.
            let encoded: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
            return BASE64.decode(&encoded).ok().map(|bytes| Value::Str(Cow::Owned(bytes)));
        }
        _ => {}
    }
    // Timestamps are looked for only where nothing else is asked for.
    let resolved = if tag == Tag::Timestamp {
        resolve(&text)
    } else {
        resolve_untimed(&text)
    };
    match (tag, resolved) {
        (Tag::Null, Resolved::Null) => Some(Value::Null),
        (Tag::Bool, Resolved::Bool(truth)) => Some(Value::Bool(truth)),
        (Tag::Int, Resolved::Int(number)) => Some(Value::Int(number)),
        (Tag::Int, Resolved::Unsigned) => Some(text_value(text)),
        (Tag::Float, Resolved::Float(number)) => Some(Value::Float(number)),
        #[expect(clippy::cast_precision_loss, reason = "`!!float` asks for it")]
        (Tag::Float, Resolved::Int(number)) => Some(Value::Float(number as f64)),
        (Tag::Timestamp, Resolved::Time(time)) => Some(Value::Time(time)),
        _ => None,
    }
}

/// What a plain scalar says.
pub(super) fn resolve(text: &str) -> Resolved {
    match text.bytes().next() {
        Some(b'0'..=b'9' | b'+' | b'-') => match timestamp(text) {
            Some(time) => Resolved::Time(time),
            None => resolve_untimed(text),
        },
        _ => resolve_untimed(text),
    }
}

/// What a plain scalar says if it can't be a timestamp.
fn resolve_untimed(text: &str) -> Resolved {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "true" | "True" | "TRUE" => return Resolved::Bool(true),
        "false" | "False" | "FALSE" => return Resolved::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match text.bytes().next() {
        Some(b'.') => float(text).map_or(Resolved::Text, Resolved::Float),
        Some(b'0'..=b'9' | b'+' | b'-') if text.contains('_') => number(&text.replace('_', "")),
        Some(b'0'..=b'9' | b'+' | b'-') => number(text),
        _ => Resolved::Text,
    }
}

/// What a text that begins like a number says.
fn number(text: &str) -> Resolved {
    if let Some(resolved) = integer(text) {
        return resolved;
    }
    if let Some(number) = float(text) {
        return Resolved::Float(number);
    }
    // Left overs of the library's own reading of `0b` and `0o`: a second sign is accepted behind the prefix.
    for (prefix, radix) in [("0b", 2), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(['-', '+'])) {
            let negative = text.as_bytes().get(2) == Some(&b'-');
            return magnitude(digits, radix)
                .and_then(|value| signed(negative, value))
                .unwrap_or(Resolved::Text);
        }
    }
    Resolved::Text
}

/// An integer in the syntax of Go's base 0.
fn integer(text: &str) -> Option<Resolved> {
    let (sign, rest) = match text.as_bytes() {
        [b'-', ..] => (Some(true), text.get(1..)?),
        [b'+', ..] => (Some(false), text.get(1..)?),
        _ => (None, text),
    };
    let (radix, digits) = match rest.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, rest.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, rest.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, rest.get(2..)?),
        [b'0', _, ..] => (8, rest.get(1..)?),
        _ => (10, rest),
    };
    let value = magnitude(digits, radix)?;
    match signed(sign == Some(true), value) {
        Some(resolved) => Some(resolved),
        // Only without a sign.
        None if sign.is_none() && u64::try_from(value).is_ok() => Some(Resolved::Unsigned),
        None => None,
    }
}

/// Digits as a number; `None` for a digit that is none, for no digits and beyond 128 bits.
fn magnitude(digits: &str, radix: u32) -> Option<u128> {
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0_u128, |sum, digit| {
        sum.checked_mul(u128::from(radix))?
            .checked_add(u128::from(digit.to_digit(radix)?))
    })
}

fn signed(negative: bool, magnitude: u128) -> Option<Resolved> {
    let magnitude = i128::try_from(magnitude).ok()?;
    i64::try_from(if negative { -magnitude } else { magnitude })
        .ok()
        .map(Resolved::Int)
}

/// A finite double: sign, digits with at most one point, exponent.
fn float(text: &str) -> Option<f64> {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (rest.get(..at)?, rest.get(at + 1..)?),
        None => (rest, "0"),
    };
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || !digits(exponent) || exponent.is_empty() {
        return None;
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, expected: &Resolved) {
        assert_eq!(resolve(text), *expected, "{text}");
    }

    #[test]
    fn words_of_other_languages_are_text() {
        for text in [
            "yes", "No", "ON", "off", "y", "N", "tRue", "nULL", "<<", "NaN", "inf", "+inf", "-", "+", ".", "-.",
        ] {
            case(text, &Resolved::Text);
        }
        for text in [
            "_1", "1:30", "0x1p4", "0b2", "0o8", "0x", "1e", "1e400", ".e1", "._5", ".1_0", "1.2.3", "- 1", "1 ",
        ] {
            case(text, &Resolved::Text);
        }
        for text in ["0b+-1", "-0b-1", "0O-7", "e5", "+-1", "0xg", "1e1.5"] {
            case(text, &Resolved::Text);
        }
    }

    #[test]
    fn words_resolve() {
        for text in ["", "~", "null", "Null", "NULL"] {
            case(text, &Resolved::Null);
        }
        for (text, truth) in [
            ("true", true),
            ("True", true),
            ("TRUE", true),
            ("false", false),
            ("FALSE", false),
        ] {
            case(text, &Resolved::Bool(truth));
        }
        for (text, number) in [
            (".inf", f64::INFINITY),
            ("+.Inf", f64::INFINITY),
            ("-.INF", f64::NEG_INFINITY),
        ] {
            case(text, &Resolved::Float(number));
        }
        assert!(matches!(resolve(".NaN"), Resolved::Float(number) if number.is_nan()));
    }

    #[test]
    fn integers_resolve_in_every_base() {
        let numbers = [
            ("0", 0),
            ("-0", 0),
            ("+5", 5),
            ("017", 15),
            ("0o17", 15),
            ("0O17", 15),
            ("0x1F", 31),
            ("-0X1f", -31),
            ("0x_F", 15),
            ("0b101", 5),
            ("-0b11", -3),
            ("0b-101", -5),
            ("0o-7", -7),
            ("0b+1", 1),
            ("1_000", 1000),
            ("1__0", 10),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ];
        for (text, number) in numbers {
            case(text, &Resolved::Int(number));
        }
        for text in ["9223372036854775808", "18446744073709551615", "0xFFFFFFFFFFFFFFFF"] {
            case(text, &Resolved::Unsigned);
        }
    }

    #[test]
    fn floats_resolve() {
        let numbers = [
            ("09", 9.0),
            ("08.5", 8.5),
            ("1e3", 1000.0),
            ("5.", 5.0),
            (".5", 0.5),
            ("+.5", 0.5),
            ("-.5e-1", -0.05),
            ("1_0.5", 10.5),
            ("18446744073709551616", 18_446_744_073_709_551_616.0),
            ("+18446744073709551615", 18_446_744_073_709_551_615.0),
            ("-9223372036854775809", -9_223_372_036_854_775_809.0),
            ("1e-400", 0.0),
        ];
        for (text, number) in numbers {
            case(text, &Resolved::Float(number));
        }
        assert!(matches!(resolve("-0.0"), Resolved::Float(number) if number == 0.0 && number.is_sign_negative()));
    }

    #[test]
    fn tags_decide_or_do_not_fit() {
        #[track_caller]
        fn case(tag: Tag, text: &str, expected: Option<&Value<'_>>) {
            assert!(
                tagged_value(tag, Cow::Borrowed(text), Style::Plain).as_ref() == expected,
                "{tag:?} {text}"
            );
        }
        case(Tag::Int, "abc", None);
        case(Tag::Int, "1.0", None);
        case(Tag::Int, "", None);
        case(Tag::Bool, "yes", None);
        case(Tag::Null, "x", None);
        case(Tag::Timestamp, "5", None);
        case(Tag::Binary, "a", None);
        case(Tag::Float, "18446744073709551615", None);
        case(Tag::Int, "0x1F", Some(&Value::Int(31)));
        case(Tag::Float, "5", Some(&Value::Float(5.0)));
        case(Tag::Str, "~", Some(&Value::Str(Cow::Borrowed(b"~"))));
        case(Tag::Other, "5", Some(&Value::Str(Cow::Borrowed(b"5"))));
        case(Tag::Neutral, "5", Some(&Value::Int(5)));
        case(Tag::Binary, "aG\nk=", Some(&Value::Str(Cow::Borrowed(b"hi"))));
        case(
            Tag::Timestamp,
            "2001-1-2",
            Some(&Value::Time("2001-01-02T00:00:00Z".to_owned())),
        );
    }

    #[test]
    fn tags_are_known_by_either_name() {
        assert_eq!(Tag::of("tag:yaml.org,2002:int"), Tag::Int);
        assert_eq!(Tag::of("!!binary"), Tag::Binary);
        assert_eq!(Tag::of("!"), Tag::Neutral);
        assert_eq!(Tag::of("!int"), Tag::Other);
        assert_eq!(Tag::of("tag:yaml.org,2002:map"), Tag::Other);
    }
}
