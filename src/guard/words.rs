//! Words of findings: paths as they are typed in a shell, lists, and plurals.

/// A path as one word of a POSIX shell; whatever a file name holds, typing it runs nothing.
#[must_use]
pub fn shell_word(path: &[u8]) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@%:,=".contains(&byte);
    let text = std::str::from_utf8(path)
        .ok()
        .filter(|text| !text.chars().any(super::redact::is_steering));
    match text {
        Some(text) if !path.is_empty() && path.iter().copied().all(safe) && !path.starts_with(b"-") => text.to_owned(),
        Some(text) if path.starts_with(b"-") => format!("'./{}'", text.replace('\'', r"'\''")),
        Some(text) => format!("'{}'", text.replace('\'', r"'\''")),
        None => {
            let spell = |&byte: &u8| match byte {
                b'\'' | b'\\' => format!("\\{}", char::from(byte)),
                b' '..=b'~' => char::from(byte).to_string(),
                _ => format!("\\{byte:03o}"),
            };
            format!("$'{}'", path.iter().map(spell).collect::<String>())
        }
    }
}

/// `1 file`, `2 files`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_path_is_one_harmless_word() {
        for (path, word) in [
            (b"secrets/a-1.yaml".as_slice(), "secrets/a-1.yaml"),
            (b"", "''"),
            (b"a b", "'a b'"),
            (b"$(rm)", "'$(rm)'"),
            (b"it's", r"'it'\''s'"),
            (b"-rf", "'./-rf'"),
            ("\u{e4}".as_bytes(), "'\u{e4}'"),
            (b"a\nb'\\", r"$'a\012b\'\\'"),
            (b"\xff", r"$'\377'"),
        ] {
            assert_eq!(shell_word(path), word);
        }
    }

    #[test]
    fn grammar() {
        assert_eq!(
            (count(1, "file"), count(0, "file")),
            ("1 file".to_owned(), "0 files".to_owned())
        );
        let words = ["a", "b", "c"].map(str::to_owned);
        for (length, text) in [(0, ""), (1, "a"), (2, "a and b"), (3, "a, b and c")] {
            assert_eq!(list(&words[..length]), text);
        }
    }
}
