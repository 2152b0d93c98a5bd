//! The place that the errors of the floors below begin with, taken apart from the reason.

use crate::text::Position;

/// Splits `LINE:COLUMN: reason`; a text without a place is all reason.
pub(super) fn located(text: &str) -> (Option<Position>, &str) {
    let place = || {
        let (place, reason) = text.split_once(": ")?;
        let (line, column) = place.split_once(':')?;
        let position = Position {
            line: line.parse().ok()?,
            column: column.parse().ok()?,
        };
        Some((Some(position), reason))
    };
    place().unwrap_or((None, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_place_is_taken_off() {
        for (text, line, reason) in [
            ("", None, ""),
            ("no place: at all", None, "no place: at all"),
            ("1: 2: x", None, "1: 2: x"),
            ("a:b: x", None, "a:b: x"),
            ("3:15: what: is wrong", Some(3), "what: is wrong"),
        ] {
            let (position, rest) = located(text);
            assert_eq!((position.map(|position| position.line), rest), (line, reason));
        }
    }
}
