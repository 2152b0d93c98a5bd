//! Our lines in the text of a `.gitattributes` file, kept between two comments of ours; all other bytes stay as they are.

use super::error::Error;

/// The attributes of every sealed path: `-text`, because line ends and encodings must not be changed in sealed bytes.
pub const ATTRIBUTES: &str = "filter=git-seal diff=git-seal merge=git-seal -text";

/// The comment above our lines.
const BEGIN: &[u8] = b"# git-seal: the paths below are sealed in Git";

/// The comment below our lines.
const END: &[u8] = b"# git-seal: end";

/// Git ignores longer lines.
const MAX_LINE: usize = 2048;

/// Adds a line for each pattern that has none yet. Line ends are those of the text; where its last line has none, neither
/// has it afterwards.
///
/// Patterns are as gitattributes(5) has them, without quotes: those are added here where needed.
///
/// # Errors
/// [`Error::AttributePattern`] for a pattern that Git would ignore or that can't match a file.
pub fn add_lines<P: AsRef<[u8]>>(text: &[u8], patterns: &[P]) -> Result<Vec<u8>, Error> {
    let mut lines = split(text);
    let mut wanted = Vec::new();
    for pattern in patterns {
        let line = line(pattern.as_ref())?;
        if !lines.iter().any(|found| found.trim_ascii() == line) && !wanted.contains(&line) {
            wanted.push(line);
        }
    }
    if wanted.is_empty() {
        return Ok(text.to_vec());
    }
    let ending: &[u8] = if lines.first().is_some_and(|first| first.ends_with(b"\r\n")) {
        b"\r\n"
    } else {
        b"\n"
    };
    let open_end = lines.last().is_some_and(|last| !last.ends_with(b"\n"));
    if open_end && let Some(last) = lines.last_mut() {
        last.extend_from_slice(ending);
    }
    let ended = |text: &[u8]| [text, ending].concat();
    let added = wanted.iter().map(|line| ended(line));
    if let Some((_, end)) = block(&lines) {
        lines.splice(end..end, added);
    } else {
        lines.push(ended(BEGIN));
        lines.extend(added);
        lines.push(ended(END));
    }
    Ok(joined(&lines, open_end))
}

/// Takes the lines of these patterns out of our block, and the block's comments with the last one of them. Lines outside
/// the block stay: someone else wrote them.
#[must_use]
pub fn remove_lines<P: AsRef<[u8]>>(text: &[u8], patterns: &[P]) -> Vec<u8> {
    let mut lines = split(text);
    let Some((begin, end)) = block(&lines) else {
        return text.to_vec();
    };
    let open_end = lines.last().is_some_and(|last| !last.ends_with(b"\n"));
    let unwanted: Vec<Vec<u8>> = patterns
        .iter()
        .filter_map(|pattern| line(pattern.as_ref()).ok())
        .collect();
    let rest: Vec<Vec<u8>> = lines[begin + 1..end]
        .iter()
        .filter(|line| !unwanted.iter().any(|ours| line.trim_ascii() == ours))
        .cloned()
        .collect();
    if rest.len() == end - begin - 1 && !rest.is_empty() {
        return text.to_vec();
    }
    if rest.iter().any(|line| is_ours(line)) {
        lines.splice(begin + 1..end, rest);
    } else {
        // What someone else wrote between our comments stays without them.
        let after = end + usize::from(lines.get(end).is_some_and(|line| line.trim_ascii() == END));
        lines.splice(begin..after, rest);
    }
    joined(&lines, open_end)
}

/// The patterns of our block, as [`add_lines`] takes them.
#[must_use]
pub fn our_patterns(text: &[u8]) -> Vec<Vec<u8>> {
    let lines = split(text);
    let Some((begin, end)) = block(&lines) else {
        return Vec::new();
    };
    lines[begin + 1..end]
        .iter()
        .filter(|line| is_ours(line))
        .map(|line| unquoted(line))
        .collect()
}

/// The lines with their line ends.
fn split(text: &[u8]) -> Vec<Vec<u8>> {
    text.split_inclusive(|&byte| byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

/// The lines as one text, whose last line end is taken off when it had none before.
fn joined(lines: &[Vec<u8>], open_end: bool) -> Vec<u8> {
    let mut text = lines.concat();
    if open_end && text.ends_with(b"\n") {
        text.pop();
        if text.ends_with(b"\r") {
            text.pop();
        }
    }
    text
}

/// Where our first block begins, and the line below its last pattern. A block whose end was deleted ends with the first
/// line that is not ours.
fn block(lines: &[Vec<u8>]) -> Option<(usize, usize)> {
    let begin = lines.iter().position(|line| line.trim_ascii() == BEGIN)?;
    let below = lines.get(begin + 1..)?;
    let marked = below.iter().position(|line| line.trim_ascii() == END);
    let len = marked.unwrap_or_else(|| below.iter().take_while(|line| is_ours(line)).count());
    Some((begin, begin + 1 + len))
}

fn is_ours(line: &[u8]) -> bool {
    line.trim_ascii().ends_with(&[b" ", ATTRIBUTES.as_bytes()].concat())
}

/// The line of a pattern, without a line end.
fn line(pattern: &[u8]) -> Result<Vec<u8>, Error> {
    let bad = |what| Error::AttributePattern {
        pattern: String::from_utf8_lossy(pattern).into_owned(),
        what,
    };
    if pattern.is_empty() || pattern.contains(&0) {
        return Err(bad("empty or with a zero byte"));
    }
    if pattern.ends_with(b"/") {
        return Err(bad("matches folders and nothing in them"));
    }
    let line = [&quoted(&literal_start(pattern))[..], b" ", ATTRIBUTES.as_bytes()].concat();
    if line.len() > MAX_LINE {
        return Err(bad("longer than Git reads"));
    }
    Ok(line)
}

/// The same pattern with a beginning that Git does not take for something else.
fn literal_start(pattern: &[u8]) -> Vec<u8> {
    match pattern {
        // Negative patterns are forbidden in attributes.
        [b'!', ..] => [b"\\", pattern].concat(),
        // The mark of a macro; the same set of letters in another order is none.
        [b'[', b'a', b't', b't', b'r', b']', rest @ ..] => [b"[atr]", rest].concat(),
        _ => pattern.to_vec(),
    }
}

/// In double quotes, as a C string, where Git would not read the pattern to its end otherwise.
fn quoted(pattern: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_graphic() || *byte >= 0x80;
    if pattern.iter().all(plain) && !matches!(pattern.first(), Some(b'"' | b'#')) {
        return pattern.to_vec();
    }
    let mut text = vec![b'"'];
    for &byte in pattern {
        match byte {
            b'"' | b'\\' => text.extend([b'\\', byte]),
            b' '..=b'~' | 0x80.. => text.push(byte),
            _ => text.extend(format!("\\{byte:03o}").into_bytes()),
        }
    }
    text.push(b'"');
    text
}

/// The pattern of a line that [`line`] made.
fn unquoted(line: &[u8]) -> Vec<u8> {
    let line = line.trim_ascii();
    let Some(quoted) = line.strip_prefix(b"\"") else {
        return line.split(|&byte| byte == b' ').next().unwrap_or_default().to_vec();
    };
    let mut pattern = Vec::new();
    let mut rest = quoted;
    loop {
        rest = match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', rest @ ..] => {
                pattern.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest
            }
            [b'"', ..] | [] => return pattern,
            [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
                pattern.push(*byte);
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

    use super::*;
    use crate::git::attributes::{AttributeSource, check};
    use crate::git::testing::hermetic;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn patterns_without_effect_are_refused() {
        for pattern in [&b""[..], b"dir/", b"a\0b", &[b'a'; MAX_LINE]] {
            assert!(matches!(
                add_lines(b"", &[pattern]),
                Err(Error::AttributePattern { .. })
            ));
        }
    }

    #[test]
    fn adding_and_removing_leaves_no_trace() {
        let cases = [
            "",
            "\n",
            "*.sh eol=lf\n",
            "*.sh eol=lf",
            "*.sh eol=lf\r\n*.bat eol=crlf\r\n",
            "*.sh eol=lf\r\n*.bat eol=crlf",
            "# git-seal: end\n",
            "\n\n# end\n\n",
            "x filter=git-seal diff=git-seal merge=git-seal -text\n",
        ];
        for before in cases {
            let one = add_lines(before.as_bytes(), &["a/**", "*.b"]).unwrap();
            let two = add_lines(&one, &["*.b", "c d", "*.b"]).unwrap();
            assert!(text(two.clone()).starts_with(before), "{before:?}");
            assert_eq!(add_lines(&two, &["a/**", "*.b", "c d"]).unwrap(), two, "{before:?}");
            assert_eq!(
                two.ends_with(b"\n"),
                before.is_empty() || before.ends_with('\n'),
                "{before:?}"
            );
            let lines = text(two.clone()).matches('\n').count();
            assert_eq!(
                text(two.clone()).matches("\r\n").count(),
                if before.contains('\r') { lines } else { 0 }
            );
            assert_eq!(our_patterns(&two), [&b"a/**"[..], b"*.b", b"c d"], "{before:?}");
            assert_eq!(remove_lines(&two, &["c d"]), one, "{before:?}");
            assert_eq!(text(remove_lines(&two, &our_patterns(&two))), before);
            assert_eq!(remove_lines(&two, &["other"]), two, "{before:?}");
            assert_eq!(text(remove_lines(before.as_bytes(), &["x", "a/**"])), before);
        }
    }

    #[test]
    fn what_others_wrote_in_the_block_stays() {
        let line = |pattern: &str| format!("{pattern} {ATTRIBUTES}\n");
        let begin = text(BEGIN.to_vec());
        let cases = [
            (
                format!("{begin}\n{}mine -diff\n# git-seal: end\nz\n", line("a")),
                "mine -diff\nz\n",
            ),
            (format!("y\n{begin}\n{}z\n", line("a")), "y\nz\n"),
            (format!("{begin}\n# git-seal: end\n"), ""),
            (format!("{begin}\n"), ""),
            (begin.clone(), ""),
        ];
        for (before, after) in cases {
            assert_eq!(text(remove_lines(before.as_bytes(), &["a"])), after, "{before}");
        }
        let unended = format!("{begin}\n{}z\n", line("a"));
        let added = text(add_lines(unended.as_bytes(), &["b"]).unwrap());
        assert_eq!(added, format!("{begin}\n{}{}z\n", line("a"), line("b")));
    }

    #[test]
    fn git_reads_every_pattern_as_it_was_meant() {
        hermetic(module_path!(), "git_reads_every_pattern_as_it_was_meant", |sandbox| {
            let cases: [(&[u8], &[u8]); 13] = [
                (b"a/**", b"a/b/c"),
                (b"two words", b"two words"),
                (b" x ", b" x "),
                (b"tab\tand\nline\x7f", b"tab\tand\nline\x7f"),
                (b"\"q\"", b"\"q\""),
                (b"in\"side", b"in\"side"),
                (b"#hash", b"#hash"),
                (b"!not", b"!not"),
                (b"[attr]x", b"tx"),
                (b"a\\ b", b"a b"),
                (b"star\\*", b"star*"),
                ("\u{e4} \u{f6}".as_bytes(), "\u{e4} \u{f6}".as_bytes()),
                (b"\xff\xfe", b"\xff\xfe"),
            ];
            for ending in ["\n", "\r\n"] {
                for (pattern, path) in cases {
                    let lines = add_lines(format!("none x{ending}").as_bytes(), &[pattern]).unwrap();
                    sandbox.write(".gitattributes", &lines);
                    let found = check(&sandbox.git, AttributeSource::WorkTree, [path, b"other"]).unwrap();
                    let name = String::from_utf8_lossy(pattern);
                    assert!(
                        found[0].filter.is("git-seal") && found[0].merge.is("git-seal"),
                        "{name}"
                    );
                    assert_eq!(found[0].text, crate::git::attributes::AttrValue::Unset, "{name}");
                    assert!(!found[1].filter.is("git-seal"), "{name}");
                    assert_eq!(our_patterns(&lines), [literal_start(pattern)], "{name}");
                }
            }
        });
    }
}
