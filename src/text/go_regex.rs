//! Regular expressions as SOPS reads them: Go's RE2 syntax, run by the `regex` crate.
//!
//! A pattern is accepted if Go's `regexp` accepts it, and matches what Go would match. Both engines search the
//! leftmost match in linear time; they differ in syntax (spec `sops-format.md` §8.8), so a pattern is rewritten
//! piece by piece. Greediness and captures are dropped on the way, because only *whether* something matches is asked.
//! Stricter than Go: a pattern has at most 10,000 bytes and 100 nested groups, and compiles to at most 10 MB.
//! Wider than Go: names of scripts with an underscore (`\p{Old_Italic}`) are accepted, as Go did before 1.25.

mod class;
mod names;
mod rewrite;

use std::borrow::Cow;
use std::fmt;

use regex::bytes::{Regex, RegexBuilder};

/// Longest pattern in bytes; real ones have less than a hundred.
const MAX_PATTERN: usize = 10_000;
/// Compiled size in bytes: bounds memory and time for `(\pL{500})` and the like.
const MAX_COMPILED: usize = 10 << 20;
/// Compiled size in bytes that patterns of paths and keys stay below, `(?i)` and `\w` included.
const USUAL_COMPILED: usize = 100 << 10;
/// Depth of the rewritten pattern. A group of the pattern is up to four levels deep for the engine; the limit
/// keeps the engine's own recursion within a thread's stack.
const MAX_ENGINE_DEPTH: u32 = 600;

/// Why a pattern can't be used. The pattern comes from configuration and is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRegex {
    /// The pattern as written, shortened to 120 characters.
    pub pattern: String,
    /// Byte offset in the pattern where it goes wrong, if there is one place.
    pub position: Option<usize>,
    /// What is wrong: a clause in lower case.
    pub reason: &'static str,
}

impl fmt::Display for BadRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A pattern may hold line breaks and escape sequences of terminals: `Debug` of `str` escapes them.
        write!(f, "invalid regular expression {:?}: {}", self.pattern, self.reason)?;
        match self.position {
            Some(at) => write!(f, " at byte {at}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for BadRegex {}

/// A compiled pattern in Go's syntax. Cheap to clone; the search is unanchored.
#[derive(Clone)]
pub struct GoRegex {
    pattern: String,
    engine: Regex,
    heavy: bool,
}

impl GoRegex {
    /// Compiles a pattern in Go's syntax.
    ///
    /// # Errors
    /// [`BadRegex`] if Go rejects the pattern or it exceeds one of the limits named at the top of this file.
    pub fn new(pattern: &str) -> Result<Self, BadRegex> {
        let bad = |position, reason| BadRegex {
            pattern: shortened(pattern),
            position,
            reason,
        };
        if pattern.len() > MAX_PATTERN {
            return Err(bad(None, "longer than 10,000 bytes"));
        }
        let rewritten = rewrite::rewrite(pattern).map_err(|fault| bad(Some(fault.position), fault.reason))?;
        let build = |limit| {
            RegexBuilder::new(&rewritten)
                .size_limit(limit)
                .nest_limit(MAX_ENGINE_DEPTH)
                .build()
        };
        let (engine, heavy) = match build(USUAL_COMPILED) {
            Err(regex::Error::CompiledTooBig(_)) => (build(MAX_COMPILED), true),
            engine => (engine, false),
        };
        match engine {
            Ok(engine) => Ok(Self {
                pattern: pattern.to_owned(),
                engine,
                heavy,
            }),
            Err(regex::Error::CompiledTooBig(_)) => Err(bad(None, "needs more than 10 MB when compiled")),
            // The rewritten text is valid by construction; what remains is the engine's own limit on depth.
            Err(_) => Err(bad(None, "nested too deeply")),
        }
    }

    /// Whether the pattern is found somewhere in `subject`.
    ///
    /// Bytes that are not UTF-8 count as one U+FFFD each, as in Go.
    pub fn is_match(&self, subject: impl AsRef<[u8]>) -> bool {
        let subject = subject.as_ref();
        match std::str::from_utf8(subject) {
            Ok(_) => self.engine.is_match(subject),
            Err(_) => self.engine.is_match(&with_replacements(subject)),
        }
    }

    /// Whether it takes more than 100 KB, and time to compile in proportion: hardly one that a person wrote. Whoever
    /// compiles patterns of others in number should limit how many of these there are.
    pub const fn is_heavy(&self) -> bool {
        self.heavy
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }
}

impl fmt::Debug for GoRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GoRegex").field(&self.pattern).finish()
    }
}

impl PartialEq for GoRegex {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

impl Eq for GoRegex {}

/// Each byte that is not part of valid UTF-8 becomes one U+FFFD; `from_utf8_lossy` would join some of them.
fn with_replacements(subject: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(subject.len() + 8);
    for chunk in subject.utf8_chunks() {
        text.extend_from_slice(chunk.valid().as_bytes());
        for _ in chunk.invalid() {
            text.extend_from_slice("\u{FFFD}".as_bytes());
        }
    }
    text
}

fn shortened(pattern: &str) -> String {
    let text: Cow<'_, str> = match pattern.char_indices().nth(120) {
        Some((end, _)) => Cow::Owned(format!("{}…", pattern.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(pattern),
    };
    text.into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a failed unwrap is a failed test"
    )]

    use super::*;

    /// Pattern, position, part of the reason.
    const REFUSED: &[(&str, usize, &str)] = &[
        ("a**", 2, "two repetition"),
        ("a*+", 2, "two repetition"),
        ("a{2}{3}", 4, "two repetition"),
        ("a*??", 3, "two repetition"),
        ("*", 0, "nothing to repeat"),
        ("a|*", 2, "nothing to repeat"),
        ("(?i)*", 4, "nothing to repeat"),
        ("{2}", 0, "nothing to repeat"),
        ("a{1001}", 1, "above 1000"),
        ("a{3,2}", 1, "upside down"),
        ("a{99999999999999999999}", 1, "above 1000"),
        ("(a{100}){11}", 8, "multiply"),
        ("(?:(a{100}b){2}c){6}", 17, "multiply"),
        ("(a", 0, "not closed"),
        ("a(b)(c", 4, "not closed"),
        ("a)", 1, "not opened"),
        ("[a", 0, "not closed"),
        ("x[]", 1, "not closed"),
        ("[z-a]", 1, "upside down"),
        ("[a-\\d]", 3, "unknown escape"),
        ("[a--b]", 1, "upside down"),
        ("[\\b]", 1, "unknown escape"),
        ("[[:foo:]]", 1, "class name"),
        ("(?x)a", 0, "flag"),
        ("(?u)a", 0, "flag"),
        ("(?-u)a", 0, "flag"),
        ("(?R)a", 0, "flag"),
        ("(?i-)a", 0, "flag"),
        ("(?--i)a", 0, "flag"),
        ("(?=a)", 0, "flag"),
        ("(?!a)", 0, "flag"),
        ("(?<=a)", 0, "name"),
        ("(?P<a-b>c)", 0, "name"),
        ("(?P=n)", 0, "flag"),
        ("\\", 0, "backslash"),
        ("\\Z", 0, "unknown escape"),
        ("\\h", 0, "unknown escape"),
        ("\\e", 0, "unknown escape"),
        ("\\y", 0, "unknown escape"),
        ("\\C", 0, "unknown escape"),
        ("\\E", 0, "unknown escape"),
        ("a\\1", 1, "references"),
        ("\\8", 0, "unknown escape"),
        ("\\x4", 0, "unknown escape"),
        ("\\x{}", 0, "unknown escape"),
        ("\\x{+41}", 0, "unknown escape"),
        ("\\x{110000}", 0, "no such character"),
        ("\\x{D800}", 0, "no such character"),
        ("\\p", 0, "without a name"),
        ("\\p{Lu", 0, "not closed"),
        ("\\p{}", 0, "unknown category"),
        ("\\p{Alphabetic}", 0, "unknown category"),
        ("\\p{Grek}", 0, "unknown category"),
        ("\\p{sc=Greek}", 0, "unknown category"),
    ];

    #[test]
    fn refuses_what_go_refuses() {
        for (pattern, position, reason) in REFUSED {
            let bad = GoRegex::new(pattern).expect_err(pattern);
            assert_eq!(bad.position, Some(*position), "{pattern}: {bad}");
            assert!(bad.reason.contains(reason), "{pattern}: {bad}");
        }
    }

    #[test]
    fn refuses_what_would_cost_too_much() {
        let cases: [(String, &str); 5] = [
            ("a".repeat(10_001), "longer than"),
            ("(".repeat(101) + &")".repeat(101), "nested groups"),
            ("(".repeat(10_000), "nested groups"),
            (r"\pL{1000}".to_owned(), "10 MB"),
            // An operator may stand apart from its piece, so pieces nest without a group.
            ("a".to_owned() + &"(?i)*".repeat(1_500), "too deeply"),
        ];
        for (pattern, reason) in cases {
            let bad = GoRegex::new(&pattern).expect_err(reason);
            assert!(bad.reason.contains(reason), "{bad}");
            assert!(bad.to_string().len() < 300, "{bad}");
        }
        for pattern in [
            "(a".repeat(100) + &")".repeat(100),
            "a|".repeat(5_000),
            "[a]".repeat(3_000),
        ] {
            GoRegex::new(&pattern).unwrap();
        }
    }

    #[test]
    fn tells_what_was_costly() {
        let cases = [
            (r"^clusters/[^/]+/secrets/.*\.(ya?ml|json|env)$", false),
            (r"(?i)^(password|passwd|api[_-]?key|\w+_(secret|token))$", false),
            (r"^\pL+$", false),
            (".{999}", true),
        ];
        for (pattern, heavy) in cases {
            assert_eq!(GoRegex::new(pattern).unwrap().is_heavy(), heavy, "{pattern}");
        }
    }

    #[test]
    fn message_escapes_control_characters() {
        let bad = GoRegex::new("(\n\x1b[31m").expect_err("open group");
        assert_eq!(
            bad.to_string(),
            r#"invalid regular expression "(\n\u{1b}[31m": class is not closed at byte 3"#
        );
    }

    /// Pattern, subjects it is found in, subjects it is not found in.
    const MATCHES: &[(&str, &[&str], &[&str])] = &[
        ("", &["", "a"], &[]),
        (r"\.ya?ml$", &["a.yaml", "x/b.yml"], &["a.yaml\n", "a.yamlx", "ayaml"]),
        (r"^secrets/", &["secrets/a"], &["x/secrets/a", "x\nsecrets/a"]),
        (r"[/\\]prod[/\\]", &["a/prod/b", r"a\prod\b"], &["a/prod"]),
        // Perl classes and boundaries are ASCII.
        (r"^\d$", &["7"], &["٧"]),
        (r"^\w$", &["a", "_"], &["é"]),
        (r"^\W$", &["é"], &["a"]),
        (r"^\s$", &[" ", "\t", "\x0C"], &["\x0B", "\u{a0}"]),
        (r"a\b", &["a", "a b", "aé"], &["ab"]),
        (r"\B", &["", "é", "ab"], &["a", "aéa"]),
        // A brace is literal unless it counts something.
        (r"^{$", &["{"], &["a"]),
        (r"^x{$", &["x{"], &["x"]),
        (r"^x{a}$", &["x{a}"], &["xa"]),
        (r"^x{,3}$", &["x{,3}"], &["xx"]),
        (r"^x{01}$", &["x{01}"], &["x"]),
        (r"^x{2,3}$", &["xx", "xxx"], &["x", "xxxx"]),
        (r"^x{2,}$", &["xx", "xxxx"], &["x"]),
        // No word boundaries of vi.
        (r"\<a\>", &["<a>"], &["a"]),
        // Classes neither nest nor combine.
        ("^[[]$", &["["], &["a"]),
        ("^[]a]$", &["]", "a"], &["["]),
        ("^[^]]$", &["a", "\n"], &["]"]),
        ("^[a&&b]$", &["a", "&", "b"], &["ab"]),
        ("^[a~~b]$", &["a", "~", "b"], &["c"]),
        ("^[+--]$", &["+", ",", "-"], &["."]),
        (r"^[\d-z]$", &["1", "-", "z"], &["y"]),
        (r"^[a-]$", &["a", "-"], &["b"]),
        ("^[[:a]$", &["[", ":", "a"], &["b"]),
        ("^[[:alpha:]_]$", &["a", "_"], &["é", ":"]),
        ("^[[:^alpha:]]$", &["1", "é"], &["a"]),
        (r"^[\w.-]+$", &["a.b-c"], &["a b"]),
        // Quoting.
        (r"^\Qa.*\E$", &["a.*"], &["abc"]),
        (r"^\Qab\E*$", &["a", "abb"], &["abab"]),
        (r"\Qa\", &[r"a\"], &["a"]),
        // Octal and hexadecimal.
        (r"^\101\0$", &["A\0"], &["101"]),
        (r"^\x41\x{e9}$", &["Aé"], &["A"]),
        (r"^\_\/$", &["_/"], &[]),
        // Categories and scripts.
        (r"^\pL\PL$", &["é1"], &["1é"]),
        (r"^\p{^Greek}$", &["a"], &["α"]),
        (r"^\P{^Greek}$", &["α"], &["a"]),
        (r"^[^\p{Greek}]$", &["a"], &["α"]),
        (r"^\p{uppercase letter}$", &["É"], &["é"]),
        (r"^\p{Old_Italic}$", &["\u{10300}"], &["a"]),
        (r"\p{Cs}", &[], &["", "a", "\u{fffd}"]),
        (r"^\P{Cs}$", &["a"], &[""]),
        // Flags end with their group and hold across its branches.
        ("^(?i)k$", &["k", "K", "\u{212a}"], &["a"]),
        (r"^(?i)\w$", &["\u{17f}"], &["é"]),
        (r"^(?i)\W$", &["é"], &["\u{17f}"]),
        ("^(?:(?i)a|b)c$", &["Ac", "Bc"], &["AC"]),
        ("^(?i:a)b$", &["Ab"], &["AB"]),
        ("^(?i)a(?-i)b$", &["Ab"], &["AB"]),
        ("(?m)^b$", &["a\nb\nc"], &["ab"]),
        ("^a.b$", &["aéb"], &["a\nb"]),
        ("^(?s)a.b$", &["a\nb"], &["ab"]),
        ("^(?U)a+$", &["aa"], &[""]),
        ("^(?)a$", &["a"], &[]),
        // An operator applies to the last piece, whatever stands between.
        ("^a(?i)*$", &["", "aa"], &["A"]),
        (r"^a*\Q\E*$", &["aa"], &["b"]),
        ("^a*?$", &["aa"], &["b"]),
        // Names are no part of the meaning.
        ("^(?P<n>a)(?P<n>b)$", &["ab"], &["a"]),
        ("^(?<n>a)|()$", &["a", ""], &[]),
        // What is repeated zero times has no weight.
        ("^(?:(a{500}){0}b){3}$", &["bbb"], &["bb"]),
        ("^(?:(a{100}){10})$", &[], &["a"]),
    ];

    #[test]
    fn matches_what_go_matches() {
        for (pattern, found, not_found) in MATCHES {
            let regex = GoRegex::new(pattern).unwrap();
            assert_eq!(regex.as_str(), *pattern);
            for subject in *found {
                assert!(regex.is_match(subject), "{pattern} in {subject:?}");
            }
            for subject in *not_found {
                assert!(!regex.is_match(subject), "{pattern} not in {subject:?}");
            }
        }
    }

    #[test]
    fn invalid_bytes_are_one_replacement_each() {
        let cases: &[(&str, &[u8], bool)] = &[
            ("^.$", b"\xff", true),
            ("^..$", b"\xe2\x82", true),
            ("^.$", b"\xe2\x82", false),
            (r"a\x{FFFD}b", b"a\xffb", true),
            ("^[^a]b$", b"\xffb", true),
        ];
        for (pattern, subject, expected) in cases {
            assert_eq!(
                GoRegex::new(pattern).unwrap().is_match(subject),
                *expected,
                "{pattern} in {subject:?}"
            );
        }
    }

    #[test]
    fn every_known_name_has_a_set() {
        for name in names::all() {
            GoRegex::new(&format!(r"\p{{{name}}}\P{{{name}}}[^\p{{{name}}}]")).unwrap();
        }
    }
}
