//! Values as SOPS sees them: five scalar types and null, with the bytes that are encrypted and hashed for each.

use std::borrow::Cow;
use std::fmt;

/// A scalar of a document (SOPS format, section 1.2).
#[derive(Clone, PartialEq)]
pub enum Value<'t> {
    /// Text; bytes, because a `!!binary` scalar need not be UTF-8.
    Str(Cow<'t, [u8]>),
    /// A signed 64-bit integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A timestamp, kept as RFC 3339 text with as many fraction digits as it needs.
    Time(String),
    /// Nothing: never encrypted, never hashed.
    Null,
}

impl Value<'_> {
    /// The bytes that SOPS encrypts and hashes for this value; `None` for null.
    #[must_use]
    pub fn plain_bytes(&self) -> Option<Cow<'_, [u8]>> {
        Some(match self {
            Self::Str(bytes) => Cow::Borrowed(bytes.as_ref()),
            Self::Int(number) => Cow::Owned(number.to_string().into_bytes()),
            Self::Float(number) => Cow::Owned(float_text(*number).into_bytes()),
            Self::Bool(true) => Cow::Borrowed(b"True"),
            Self::Bool(false) => Cow::Borrowed(b"False"),
            Self::Time(text) => Cow::Borrowed(text.as_bytes()),
            Self::Null => return None,
        })
    }

    /// Whether this is the empty string, which SOPS leaves as it is.
    #[must_use]
    pub fn is_empty_text(&self) -> bool {
        matches!(self, Self::Str(bytes) if bytes.is_empty())
    }
}

impl Value<'_> {
    /// The value as text where a format knows text only: dotenv, INI, the environment (format, section 10.5).
    #[must_use]
    pub fn flat_bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Str(bytes) => Cow::Borrowed(bytes.as_ref()),
            Self::Int(number) => Cow::Owned(number.to_string().into_bytes()),
            Self::Float(number) => Cow::Owned(flat_float(*number).into_bytes()),
            Self::Bool(true) => Cow::Borrowed(b"true"),
            Self::Bool(false) => Cow::Borrowed(b"false"),
            Self::Time(text) => Cow::Owned(without_fraction(text).into_bytes()),
            Self::Null => Cow::Borrowed(b"<nil>"),
        }
    }
}

/// A double as Go's `%G` writes it, with one decimal where that would look like an integer.
fn flat_float(number: f64) -> String {
    if !number.is_finite() {
        return float_text(number);
    }
    // Rust's form has the same shortest digits, with an exponent of its own spelling.
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        let plain = float_text(number);
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}E{sign}{:02}", exponent.abs())
}

/// An RFC 3339 time in whole seconds.
fn without_fraction(text: &str) -> String {
    let Some((seconds, rest)) = text.split_once('.') else {
        return text.to_owned();
    };
    let zone = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{seconds}{zone}")
}

/// The kind alone: a value may be a secret.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Str(_) => "Str(…)",
            Self::Int(_) => "Int(…)",
            Self::Float(_) => "Float(…)",
            Self::Bool(_) => "Bool(…)",
            Self::Time(_) => "Time(…)",
            Self::Null => "Null",
        })
    }
}

/// A double as Go's `strconv.FormatFloat(x, 'f', -1, 64)` writes it: shortest digits, never an exponent.
#[must_use]
pub fn float_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 {
            "+Inf".to_owned()
        } else {
            "-Inf".to_owned()
        }
    } else {
        // Rust's `Display` of a double is the shortest text that reads back the same, without exponent.
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_text_is_what_sops_puts_into_variables() {
        #[track_caller]
        fn case(value: &Value<'_>, expected: &str) {
            assert_eq!(String::from_utf8_lossy(&value.flat_bytes()), expected);
        }
        for (number, expected) in [
            (1.0, "1.0"),
            (123_456.5, "123456.5"),
            (100_000.0, "100000.0"),
            (1_234_567.0, "1.234567E+06"),
            (1e20, "1E+20"),
            (123_456_789.125, "1.23456789125E+08"),
            (0.0001, "0.0001"),
            (0.00001, "1E-05"),
            (-0.0, "-0.0"),
            (f64::INFINITY, "+Inf"),
            (f64::NAN, "NaN"),
        ] {
            case(&Value::Float(number), expected);
        }
        case(
            &Value::Time("2020-01-02T03:04:05.5+02:00".to_owned()),
            "2020-01-02T03:04:05+02:00",
        );
        case(&Value::Time("2020-01-02T00:00:00Z".to_owned()), "2020-01-02T00:00:00Z");
        case(&Value::Bool(true), "true");
        case(&Value::Int(-5), "-5");
        case(&Value::Null, "<nil>");
        case(&Value::Str(Cow::Borrowed(b" x\n")), " x\n");
    }

    #[test]
    fn floats_are_written_like_gos() {
        #[track_caller]
        fn case(number: f64, expected: &str) {
            assert_eq!(float_text(number), expected);
        }
        case(1.0, "1");
        case(1.5, "1.5");
        case(0.1, "0.1");
        case(1e21, "1000000000000000000000");
        case(-0.0, "-0");
        case(1e-7, "0.0000001");
        case(f64::INFINITY, "+Inf");
        case(f64::NEG_INFINITY, "-Inf");
        case(f64::NAN, "NaN");
    }
}
