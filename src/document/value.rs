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
