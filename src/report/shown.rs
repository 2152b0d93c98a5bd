//! Paths in texts for people: as they are where that is safe, else quoted as Git quotes them.

use crate::guard::redact::is_steering;

/// The path as a person reads it. Bytes that are no UTF-8, and what steers a terminal, come as octal escapes in double quotes.
pub(super) fn path(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.is_empty()
        && !text.chars().any(|c| is_steering(c) || matches!(c, '"' | '\\'))
        && text.trim() == text
    {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                c if is_steering(c) => out.extend(c.to_string().bytes().map(octal)),
                c => out.push(c),
            }
        }
        out.extend(chunk.invalid().iter().copied().map(octal));
    }
    out + "\""
}

fn octal(byte: u8) -> String {
    format!("\\{byte:03o}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_are_quoted() {
        for (bytes, shown) in [
            (b"a\nb".as_slice(), r#""a\nb""#),
            (b"\x1b[31m", r#""\033[31m""#),
            (b"a\"\\", r#""a\"\\""#),
            (b"\xffa\xc3", r#""\377a\303""#),
            ("\u{202e}a".as_bytes(), r#""\342\200\256a""#),
            (b"", r#""""#),
            (b" a", r#"" a""#),
            ("dir/ä b.yaml".as_bytes(), "dir/ä b.yaml"),
        ] {
            assert_eq!(path(bytes), shown);
        }
    }
}
