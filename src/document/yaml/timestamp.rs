//! Timestamps as go-yaml reads them, written as RFC 3339.

/// What is left of a text that is read field by field.
struct Fields<'t>(&'t [u8]);

impl Fields<'_> {
    /// Passes one of `bytes` and says which.
    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        if !bytes.contains(&first) {
            return None;
        }
        self.0 = rest;
        Some(first)
    }

    /// Passes up to `most` digits, `least` at least.
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self
            .0
            .iter()
            .take(most)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        Some(digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
    }

    /// Passes one or two digits of a number up to `most`.
    fn field(&mut self, most: u32) -> Option<u32> {
        self.digits(1, 2).filter(|&number| number <= most)
    }
}

/// A timestamp in RFC 3339; `None` for a text that is none.
///
/// Accepted are a date alone, a date and a time behind a blank (both mean UTC), and a date and a time behind `T` or `t`
/// with a zone. Fields may have one digit, the year must have four.
pub(super) fn timestamp(text: &str) -> Option<String> {
    let mut fields = Fields(text.as_bytes());
    let year = fields.digits(4, 4)?;
    fields.one_of(b"-")?;
    let month = fields.field(12).filter(|&month| month > 0)?;
    fields.one_of(b"-")?;
    let day = fields.field(days_in(month, year)).filter(|&day| day > 0)?;
    let date = format!("{year:04}-{month:02}-{day:02}T");
    if fields.0.is_empty() {
        return Some(date + "00:00:00Z");
    }
    let zoned = fields.one_of(b"Tt ")? != b' ';
    while !zoned && fields.one_of(b" ").is_some() {}
    let hour = fields.field(23)?;
    fields.one_of(b":")?;
    let minute = fields.field(59)?;
    fields.one_of(b":")?;
    let second = fields.field(59)?;
    let fraction = fraction(&mut fields);
    let zone = if zoned { zone(&mut fields)? } else { "Z".to_owned() };
    fields
        .0
        .is_empty()
        .then(|| format!("{date}{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
}

/// Passes a fraction of seconds; nine digits count.
fn fraction(fields: &mut Fields<'_>) -> String {
    let [b'.' | b',', rest @ ..] = fields.0 else {
        return String::new();
    };
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return String::new();
    }
    let (digits, rest) = rest.split_at(count);
    fields.0 = rest;
    let digits: String = digits.iter().take(9).copied().map(char::from).collect();
    match digits.trim_end_matches('0') {
        "" => String::new(),
        digits => format!(".{digits}"),
    }
}

/// Passes `Z` or an offset.
fn zone(fields: &mut Fields<'_>) -> Option<String> {
    let sign = fields.one_of(b"Z+-")?;
    if sign == b'Z' {
        return Some("Z".to_owned());
    }
    // Go accepts one hour and one minute more than there are.
    let hours = fields.digits(2, 2).filter(|&hours| hours <= 24)?;
    fields.one_of(b":")?;
    let minutes = fields.digits(2, 2).filter(|&minutes| minutes <= 60)? + hours * 60;
    Some(match minutes {
        0 => "Z".to_owned(),
        _ => format!("{}{:02}:{:02}", char::from(sign), minutes / 60, minutes % 60),
    })
}

/// The number of days of a month.
const fn days_in(month: u32, year: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_timestamps_are_none() {
        for text in [
            "2001-1",
            "2001-01-",
            "201-01-01",
            "20011-1-1",
            "2001-13-1",
            "2001-00-1",
            "2001-02-29",
            "1900-02-29",
            "2001-01-011",
            "2001-01-01T",
            "2001-01-01T10:00",
            "2001-01-01T10:00:00",
            "2001-01-01 10:00:00Z",
            "2001-01-01 10:00:00 -5",
            "2001-01-01T 10:00:00Z",
            "2001-01-01 ",
            "2001-01-01T10:00:00+0100",
            "2001-01-01T10:00:00+1:00",
            "2001-01-01T10:00:00z",
            "2001-01-01T24:00:00Z",
            "2001-01-01T23:60:00Z",
            "2001-01-01T23:59:60Z",
            "2001-01-01T10:00:00.Z",
            "2001-01-01T10:00:00+25:00",
            "2001-01-01T10:00:00Z ",
            "12:30:45",
            "",
            "2001/01/01",
        ] {
            assert_eq!(timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn timestamps_become_rfc_3339() {
        #[track_caller]
        fn case(text: &str, expected: &str) {
            assert_eq!(timestamp(text).as_deref(), Some(expected), "{text}");
        }
        case("2024-02-29", "2024-02-29T00:00:00Z");
        case("2000-2-9", "2000-02-09T00:00:00Z");
        case("0000-01-01", "0000-01-01T00:00:00Z");
        case("2001-12-15T02:59:43.1Z", "2001-12-15T02:59:43.1Z");
        case("2001-12-14t21:59:43.10-05:00", "2001-12-14T21:59:43.1-05:00");
        case("2001-12-15 2:59:43.10", "2001-12-15T02:59:43.1Z");
        case("2001-12-15   2:59:43", "2001-12-15T02:59:43Z");
        case("2001-1-1T1:1:1+00:00", "2001-01-01T01:01:01Z");
        case("2001-1-1T1:1:1,1234567899Z", "2001-01-01T01:01:01.123456789Z");
        case("2001-1-1T1:1:1.000Z", "2001-01-01T01:01:01Z");
        case("2001-1-1T1:1:1-24:60", "2001-01-01T01:01:01-25:00");
    }
}
