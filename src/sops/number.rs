//! Numbers and times in envelopes, read as Go's `strconv.ParseFloat` and `time.Time` read them. SOPS writes the plainest of these
//! forms only; other programs that seal for SOPS need not.

use std::borrow::Cow;

use super::metadata::instant;

/// A double: decimal or hexadecimal, with underscores between digits. An overflow is an error in Go, not infinity.
pub(super) fn float(text: &str) -> Option<f64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let signed = digits.len() < text.len();
    let words = ["inf", "infinity"];
    if words.iter().any(|word| digits.eq_ignore_ascii_case(word)) {
        return Some(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if digits.eq_ignore_ascii_case("nan") {
        return (!signed).then_some(f64::NAN);
    }
    let is_hex = digits.starts_with("0x") || digits.starts_with("0X");
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') || !has_fit_underscores(digits, is_hex)
    {
        return None;
    }
    let plain = digits.replace('_', "");
    let number: f64 = if is_hex {
        hexadecimal(plain.get(2..)?)?
    } else {
        plain.parse().ok()?
    };
    number.is_finite().then_some(if negative { -number } else { number })
}

/// Whether each underscore stands between two digits, or between the base and a digit.
fn has_fit_underscores(text: &str, is_hex: bool) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| {
        let byte = at.and_then(|at| bytes.get(at)).copied().unwrap_or_default();
        byte.is_ascii_digit() || is_hex && byte.is_ascii_hexdigit()
    };
    let fits = |at: usize| (is_digit(at.checked_sub(1)) || is_hex && at == 2) && is_digit(Some(at + 1));
    bytes.iter().enumerate().all(|(at, &byte)| byte != b'_' || fits(at))
}

/// A hexadecimal double behind its `0x`: digits, perhaps with a point, and an exponent of two.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if whole.len() + fraction.len() == 0 || unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // More digits than that are beyond any double, whatever the mantissa.
    let exponent: i64 = exponent
        .parse()
        .unwrap_or(if exponent.starts_with('-') { -(1 << 40) } else { 1 << 40 });
    let mut power = exponent.clamp(-(1 << 40), 1 << 40);
    let (mut bits, mut lost) = (0_u64, false);
    for (index, character) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = u64::from(character.to_digit(16)?);
        if bits >> 60 == 0 {
            bits = bits << 4 | digit;
            power -= if index < whole.len() { 0 } else { 4 };
        } else {
            lost |= digit != 0;
            power += if index < whole.len() { 4 } else { 0 };
        }
    }
    Some(scaled(bits, lost, power))
}

/// `bits` times two to the `power`, rounded to the nearest double, to an even one from the middle; `lost` says that more follows.
fn scaled(bits: u64, lost: bool, power: i64) -> f64 {
    if bits == 0 {
        return 0.0;
    }
    let top = power + 63 - i64::from(bits.leading_zeros());
    if top > 1023 {
        return f64::INFINITY;
    }
    // The lowest bit that a double of this size has.
    let unit = (top - 52).max(-1074);
    let drop = unit - power;
    let rounded = match drop {
        ..=0 => bits,
        65.. => 0,
        _ => {
            let wide = u128::from(bits) << 1 | u128::from(lost);
            let (kept, rest, half) = (wide >> (drop + 1), wide & ((1 << (drop + 1)) - 1), 1_u128 << drop);
            let up = rest > half || rest == half && kept & 1 == 1;
            u64::try_from(kept).unwrap_or_default() + u64::from(up)
        }
    };
    let power = if drop > 0 { unit } else { power };
    // At most 53 bits are left, so that the first product is exact; and the second, because its lowest bit is a double's.
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
    let number = rounded as f64;
    let half = i32::try_from(power / 2).unwrap_or_default();
    let rest = i32::try_from(power - power / 2).unwrap_or_default();
    number * 2_f64.powi(half) * 2_f64.powi(rest)
}

/// A time as RFC 3339 has it: Go also takes an hour of one digit, and a comma before the fraction.
pub(super) fn as_strict_time(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if bytes.get(10) != Some(&b'T') || !text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut strict = Cow::Borrowed(text);
    if bytes.get(12) == Some(&b':') {
        strict.to_mut().insert(11, '0');
    }
    if strict.as_bytes().get(19) == Some(&b',') {
        strict.to_mut().replace_range(19..20, ".");
    }
    strict
}

/// A time as SOPS hashes it: RFC 3339 with as many digits of a fraction as it needs, nine at most.
pub(super) fn time(text: &str) -> Option<String> {
    let strict = as_strict_time(text);
    let seconds = instant(&strict)?;
    let (before, zone) = seconds.split_at_checked(19)?;
    let digits: String = strict
        .get(19..)?
        .strip_prefix('.')
        .unwrap_or_default()
        .chars()
        .take_while(char::is_ascii_digit)
        .take(9)
        .collect();
    let fraction = digits.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{before}{point}{fraction}{zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_does_not_read_is_refused() {
        for text in [
            "",
            "0x1",
            "0x1.8",
            "_1",
            "1_",
            "1__0",
            "1_.5",
            "0x1p",
            "0xp1",
            "0x1p1024",
            "0x1.fffffffffffff8p1023",
            "+NaN",
            "-nan",
            "infin",
            "1e",
            "1e+",
            ".",
            "1e400",
            "0x1p99999999999999999999",
            "0b1p1",
            "1f",
            " 1",
            "1 ",
            "--1",
            "+-1",
            "-",
            "0x.p1",
            "0x1p--1",
        ] {
            assert_eq!(float(text), None, "{text:?}");
        }
        for text in [
            "2020-01-02t03:04:05Z",
            "2020-01-02T03:04:05z",
            "2020-01-02 03:04:05Z",
            "2020-02-30T03:04:05Z",
            "2020-01-02T24:00:00Z",
            "2020-01-02T03:04:60Z",
            "2020-01-02T03:04:05",
            "2020-01-02T03:04:05+24:00",
            "2020-01-02T03:04:05.Z",
            "2020-01-02T03:04:05+0530",
            "2020-1-2T03:04:05Z",
            "",
        ] {
            assert_eq!(time(text), None, "{text:?}");
        }
    }

    #[test]
    fn doubles_are_read_as_go_reads_them() {
        #[track_caller]
        fn case(text: &str, expected: f64) {
            assert_eq!(float(text).map(f64::to_bits), Some(expected.to_bits()), "{text}");
        }
        case("0x1p-2", 0.25);
        case("0X1.8P1", 3.0);
        case("-0x.8p0", -0.5);
        case("-0x0p1", -0.0);
        case("0x_1p1", 2.0);
        case("0x1_0p1", 32.0);
        case("0x1p1_0", 1024.0);
        case("1_000", 1000.0);
        case("1_0.5", 10.5);
        case("0_1", 1.0);
        case("1e5_0", 1e50);
        case("0x1p-1074", 5e-324);
        case("0x1p-1075", 0.0);
        case("0x1.8p-1075", 5e-324);
        case("0x1p-99999999999999999999", 0.0);
        case("0x1.fffffffffffffp1023", f64::MAX);
        case("0x1.00000000000008p0", 1.0);
        case("0x1.000000000000081p0", 1.000_000_000_000_000_2);
        case("0x1.00000000000018p0", 1.000_000_000_000_000_4);
        case("0x1.000000000000080000000000000000000001p0", 1.000_000_000_000_000_2);
        case("0x123456789abcdef01p0", 2.098_829_547_942_064_5e19);
        case("0x0.0000000000000000000000001p100", 1.0);
        case("0x0p99999999999", 0.0);
        case("-INFINITY", f64::NEG_INFINITY);
        case("inf", f64::INFINITY);
        case("1e-400", 0.0);
        case("1.", 1.0);
        case(".5", 0.5);
        assert!(float("nan").is_some_and(f64::is_nan));
    }

    #[test]
    fn times_are_hashed_as_go_writes_them() {
        #[track_caller]
        fn case(text: &str, expected: &str) {
            assert_eq!(time(text).as_deref(), Some(expected));
        }
        case("2020-01-02T03:04:05.5Z", "2020-01-02T03:04:05.5Z");
        case("2020-01-02T03:04:05.1234567891Z", "2020-01-02T03:04:05.123456789Z");
        case("2020-01-02T03:04:05,5Z", "2020-01-02T03:04:05.5Z");
        case("2020-01-02T03:04:05.50+05:30", "2020-01-02T03:04:05.5+05:30");
        case("2020-01-02T03:04:05.000-00:00", "2020-01-02T03:04:05Z");
        case("2020-01-02T3:04:05Z", "2020-01-02T03:04:05Z");
        case("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z");
    }
}
