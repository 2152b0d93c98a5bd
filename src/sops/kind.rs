//! Between a document's values and the type words and bytes of envelopes (`aes/cipher.go`).

use std::borrow::Cow;

use super::error::Error;
use super::number;
use crate::crypt::Kind;
use crate::document::Value;
use crate::text::Position;

/// The type word that a value is sealed with; `None` for null.
#[must_use]
pub const fn of_value(value: &Value<'_>) -> Option<Kind> {
    Some(match value {
        Value::Str(_) => Kind::Str,
        Value::Int(_) => Kind::Int,
        Value::Float(_) => Kind::Float,
        Value::Bool(_) => Kind::Bool,
        Value::Time(_) => Kind::Time,
        Value::Null => return None,
    })
}

/// The value that an envelope's plaintext means, read as Go reads it.
///
/// # Errors
/// [`Error::Content`] for a plaintext that is not of its kind; `place` goes into it.
pub fn decode(kind: Kind, plaintext: &[u8], place: impl FnOnce() -> Position) -> Result<Value<'static>, Error> {
    let text = std::str::from_utf8(plaintext).ok();
    let value = match kind {
        Kind::Str | Kind::Comment | Kind::Bytes => Some(Value::Str(Cow::Owned(plaintext.to_vec()))),
        Kind::Int => text.and_then(|text| text.parse().ok()).map(Value::Int),
        Kind::Float => text.and_then(number::float).map(Value::Float),
        Kind::Bool => text.and_then(truth).map(Value::Bool),
        Kind::Time => text.and_then(number::time).map(Value::Time),
    };
    value.ok_or_else(|| Error::Content {
        place: place(),
        kind: kind.word(),
    })
}

/// A truth value as Go's `strconv.ParseBool` reads it.
fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// The plaintext to seal for `value` written as `raw`: the spelling itself where SOPS reads the same value from it, so that it
/// comes back as it was (`1.50`, `+5`), else SOPS's own form.
#[must_use]
pub fn plaintext<'v>(value: &'v Value<'_>, raw: &'v str) -> Cow<'v, [u8]> {
    let spelled = match value {
        Value::Int(_) | Value::Float(_) => of_value(value),
        // `True` and `False` are what SOPS writes for `true` and `false`.
        Value::Bool(_) if matches!(raw, "TRUE" | "FALSE") => Some(Kind::Bool),
        _ => None,
    };
    // Underscores are Go's own way.
    if let Some(kind) = spelled.filter(|_| !raw.contains('_'))
        && let Ok(read) = decode(kind, raw.as_bytes(), || Position { line: 0, column: 0 })
        && same(&read, value)
    {
        return Cow::Borrowed(raw.as_bytes());
    }
    value.plain_bytes().unwrap_or_default()
}

/// Whether two values are of one kind and equal bit for bit.
fn same(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Float(one), Value::Float(other)) => one.to_bits() == other.to_bits(),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    #[test]
    fn contents_are_read_like_go_reads_them() {
        #[track_caller]
        fn case(kind: Kind, text: &str, expected: Option<&str>) {
            let read = decode(kind, text.as_bytes(), || Position { line: 1, column: 1 });
            let read = read
                .ok()
                .map(|value| String::from_utf8(value.plain_bytes().unwrap().into_owned()).unwrap());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
        case(Kind::Int, "+5", Some("5"));
        case(Kind::Int, "0x1F", None);
        case(Kind::Int, "1_000", None);
        case(Kind::Int, "9223372036854775808", None);
        case(Kind::Float, "1e3", Some("1000"));
        case(Kind::Float, "1.50", Some("1.5"));
        case(Kind::Float, "1e400", None);
        case(Kind::Float, "-Inf", Some("-Inf"));
        case(Kind::Bool, "T", Some("True"));
        case(Kind::Bool, "yes", None);
        case(Kind::Time, "2020-01-02T03:04:05Z", Some("2020-01-02T03:04:05Z"));
        case(Kind::Time, "2020-01-02", None);
    }

    #[test]
    fn a_spelling_is_sealed_where_it_means_the_same() {
        #[track_caller]
        fn case(value: &Value<'_>, raw: &str, expected: &str) {
            assert_eq!(plaintext(value, raw), expected.as_bytes());
        }
        case(&Value::Float(1.5), "1.50", "1.50");
        case(&Value::Int(31), "0x1F", "31");
        case(&Value::Int(5), "+5", "+5");
        case(&Value::Bool(true), "true", "True");
        case(&Value::Bool(true), "TRUE", "TRUE");
        case(&Value::Bool(true), "True", "True");
        case(&Value::Float(f64::INFINITY), ".inf", "+Inf");
    }
}
