//! The time as SOPS writes it. `SOURCE_DATE_EPOCH` stands in for the clock, as it does for other reproducible tools.

use std::time::{SystemTime, UNIX_EPOCH};

/// The present time: RFC 3339, UTC, whole seconds.
#[must_use]
pub fn now() -> String {
    let fixed = std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse().ok());
    let seconds = fixed.unwrap_or_else(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |past| past.as_secs())
    });
    text(seconds)
}

/// Seconds since 1970 as RFC 3339.
fn text(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Years counted from March have their leap day at the end, so months have fixed offsets.
    let since = days + 719_468;
    let (era, day) = (since / 146_097, since % 146_097);
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_dates() {
        #[track_caller]
        fn case(seconds: u64, expected: &str) {
            assert_eq!(text(seconds), expected);
        }
        case(0, "1970-01-01T00:00:00Z");
        case(951_782_399, "2000-02-28T23:59:59Z");
        case(951_782_400, "2000-02-29T00:00:00Z");
        case(1_709_251_200, "2024-03-01T00:00:00Z");
        case(1_795_478_399, "2026-11-23T23:59:59Z");
        case(4_102_444_800, "2100-01-01T00:00:00Z");
    }
}
