//! What the stores without types share, dotenv and INI: each value as text (format, section 10.5).

use std::borrow::Cow;

use super::value::{Value, float_text};

/// The text that SOPS writes for a value: Go's shortest form of a double with capital `E`, `true`, `<nil>`, times without fraction.
#[must_use]
pub fn text_of<'v>(value: &'v Value<'_>) -> Cow<'v, str> {
    match value {
        Value::Str(text) => String::from_utf8_lossy(text),
        Value::Int(number) => Cow::Owned(number.to_string()),
        Value::Float(number) => Cow::Owned(float(*number)),
        Value::Bool(truth) => Cow::Borrowed(if *truth { "true" } else { "false" }),
        Value::Time(text) => Cow::Owned(without_fraction(text)),
        Value::Null => Cow::Borrowed("<nil>"),
    }
}

/// A double as Go's `%G` writes it, with a decimal where it could be taken for an integer.
fn float(number: f64) -> String {
    if !number.is_finite() {
        return float_text(number);
    }
    let size = number.abs();
    if size == 0.0 || (1e-4..1e6).contains(&size) {
        let text = float_text(number);
        return if text.contains('.') { text } else { format!("{text}.0") };
    }
    // Rust writes `1E21` and `1E-7`, Go `1E+21` and `1E-07`.
    let text = format!("{number:E}");
    let Some((digits, exponent)) = text.split_once('E') else {
        return text;
    };
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{digits}E-{exponent:0>2}"),
        None => format!("{digits}E+{exponent:0>2}"),
    }
}

fn without_fraction(time: &str) -> String {
    let Some((whole, rest)) = time.split_once('.') else {
        return time.to_owned();
    };
    format!("{whole}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_sops_writes_them() {
        #[track_caller]
        fn case(value: &Value<'_>, expected: &str) {
            assert_eq!(text_of(value), expected);
        }
        case(&Value::Float(1.0), "1.0");
        case(&Value::Float(-0.0), "-0.0");
        case(&Value::Float(1.5), "1.5");
        case(&Value::Float(0.0001), "0.0001");
        case(&Value::Float(0.00001), "1E-05");
        case(&Value::Float(100_000.0), "100000.0");
        case(&Value::Float(1e6), "1E+06");
        case(&Value::Float(12_345_678.5), "1.23456785E+07");
        case(&Value::Float(1e21), "1E+21");
        case(&Value::Float(1.5e300), "1.5E+300");
        case(&Value::Float(f64::INFINITY), "+Inf");
        case(&Value::Int(-5), "-5");
        case(&Value::Bool(true), "true");
        case(&Value::Null, "<nil>");
        case(
            &Value::Time("2020-01-02T03:04:05.25+01:00".to_owned()),
            "2020-01-02T03:04:05+01:00",
        );
        case(&Value::Time("2020-01-02T03:04:05Z".to_owned()), "2020-01-02T03:04:05Z");
    }
}
