//! The known key that a misspelt one probably means.

/// Longest key that is compared: bounds the work, known keys are shorter.
const MAX_KEY: usize = 64;

/// The nearest of `known`: equal but for case and `-` instead of `_`, or at most two edits away.
pub(super) fn did_you_mean(key: &str, known: &[&'static str]) -> Option<&'static str> {
    if key.len() > MAX_KEY {
        return None;
    }
    let plain = key.to_lowercase().replace('-', "_");
    let nearest = known
        .iter()
        .map(|known| (distance(&plain, &known.to_lowercase()), *known))
        .min()?;
    // In a short key two edits turn anything into anything.
    let allowed = if plain.len() < 5 { 1 } else { 2 };
    (nearest.0 <= allowed).then_some(nearest.1)
}

/// Levenshtein's distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let above = *cell;
            left = (above + 1).min(left + 1).min(diagonal + usize::from(x != y));
            diagonal = above;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_what_is_near() {
        let known = [
            "path_regex",
            "age",
            "key_groups",
            "unencrypted_regex",
            "encrypted_regex",
        ];
        let cases = [
            ("colour", None),
            ("ag", Some("age")),
            ("pgp", None),
            ("path-regex", Some("path_regex")),
            ("PathRegex", Some("path_regex")),
            ("path_regexp", Some("path_regex")),
            ("keygroups", Some("key_groups")),
            ("encrypted_regx", Some("encrypted_regex")),
        ];
        for (key, expected) in cases {
            assert_eq!(did_you_mean(key, &known), expected, "{key}");
        }
        assert_eq!(did_you_mean(&"a".repeat(100_000), &known), None);
    }
}
