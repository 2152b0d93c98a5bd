//! The inline mark `git-seal:allow ID REASON`: it permits one check's findings on its own line, in sight of every reviewer.

/// What the mark begins with.
const MARK: &[u8] = b"git-seal:allow";

/// Whether the line around `offset` permits findings of check `id`. A mark without a reason permits nothing.
#[must_use]
pub fn permits(bytes: &[u8], offset: usize, id: &str) -> bool {
    let (before, after) = bytes.split_at(offset.min(bytes.len()));
    let start = before.rsplit(|&byte| byte == b'\n').next().map_or(0, <[u8]>::len);
    let end = after.split(|&byte| byte == b'\n').next().map_or(0, <[u8]>::len);
    let line = bytes.get(before.len() - start..before.len() + end).unwrap_or_default();
    line.windows(MARK.len())
        .enumerate()
        .filter(|(_, window)| *window == MARK)
        .any(|(at, _)| {
            let rest = String::from_utf8_lossy(line.get(at + MARK.len()..).unwrap_or_default()).into_owned();
            let mut words = rest.split_whitespace();
            // The sign that ends a comment in some languages is no reason.
            rest.starts_with([' ', '\t'])
                && words.next() == Some(id)
                && words.any(|word| word.chars().any(char::is_alphanumeric))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_mark_with_id_and_reason_on_the_same_line_permits() {
        #[track_caller]
        fn case(text: &str, expected: bool) {
            let offset = text.find("KEY").unwrap_or_default();
            assert_eq!(permits(text.as_bytes(), offset, "GS201"), expected, "{text}");
        }
        case("KEY", false);
        case("KEY # git-seal:allow GS201", false);
        case("<!-- KEY git-seal:allow GS201 -->", false);
        case("KEY # git-seal:allow GS2011 demo", false);
        case("KEY # git-seal:allow GS102 demo", false);
        case("KEY # git-seal:allowGS201 demo", false);
        case("# git-seal:allow GS201 demo\nKEY", false);
        case("KEY\n# git-seal:allow GS201 demo", false);
        case("a\nKEY # git-seal:allow GS201 demo\nb", true);
        case("# git-seal:allow GS102 x git-seal:allow GS201 of the manual: KEY", true);
    }
}
