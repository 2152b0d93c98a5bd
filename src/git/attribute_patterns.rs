//! From the `path_regex` of a SOPS rule to patterns for `.gitattributes` that match at least the same files.
//!
//! A rule's regular expression may be found anywhere in the path, so `secrets/.*` holds for `my-secrets/x` too, and so must the
//! patterns: a file that they miss would be staged in plaintext. A file too many is refused by the filter with a reason.

use super::attribute_regex::{Piece, sequences};

/// More patterns than this are no help to anybody who reads the file.
const MAX_PATTERNS: usize = 32;

/// Patterns that together match every path in which `path_regex` is found; `None` when that can't be told from its form, and
/// a person has to name the patterns.
#[must_use]
pub fn patterns_for(path_regex: &str) -> Option<Vec<String>> {
    let mut patterns = Vec::new();
    for sequence in sequences(path_regex)? {
        for pattern in globs(&normal(sequence)) {
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        }
        if patterns.len() > MAX_PATTERNS {
            return None;
        }
    }
    let patterns = without_covered(&patterns);
    // A regular expression that no path fits has nothing to seal, and is surely not what was meant.
    (!patterns.is_empty()).then_some(patterns)
}

/// The sequence for the whole path: open at the ends that have no anchor, without pieces that say nothing new.
fn normal(sequence: Vec<Piece>) -> Vec<Piece> {
    let anchored = sequence.first() == Some(&Piece::Begin);
    let ended = sequence.last() == Some(&Piece::End);
    // An anchor in the middle can't be passed; to leave it out matches more, never less.
    let inner = sequence
        .into_iter()
        .filter(|piece| !matches!(piece, Piece::Begin | Piece::End));
    let open = |closed: bool| (!closed).then_some(Piece::Deep);
    let mut pieces: Vec<Piece> = Vec::new();
    for piece in open(anchored).into_iter().chain(inner).chain(open(ended)) {
        match (pieces.last(), &piece) {
            (Some(Piece::Deep), Piece::Deep | Piece::Star) | (Some(Piece::Star | Piece::Rune), Piece::Star) => {}
            (Some(Piece::Star), Piece::Deep | Piece::Rune) => {
                pieces.pop();
                pieces.push(piece);
            }
            // After a slash there is a name, so the one character is there anyway.
            (Some(Piece::Rune), Piece::Deep) if starts_a_name(&pieces, pieces.len() - 1) => {
                pieces.pop();
                pieces.push(piece);
            }
            _ => pieces.push(piece),
        }
    }
    for at in 0..pieces.len() {
        let ends_a_name = matches!(pieces.get(at + 1), None | Some(Piece::Slash));
        if pieces[at] == Piece::Rune && ends_a_name && starts_a_name(&pieces, at) {
            pieces[at] = Piece::Star;
        }
    }
    pieces
}

/// Whether the piece at this place stands at the beginning of a name.
fn starts_a_name(pieces: &[Piece], at: usize) -> bool {
    at == 0 || pieces.get(at - 1) == Some(&Piece::Slash)
}

/// A pattern under construction.
#[derive(Clone, Default)]
struct Glob {
    text: String,
    /// Whether the text ends in a star that takes any name's rest.
    open: bool,
}

impl Glob {
    fn push(&mut self, text: &str, open: bool) {
        self.text.push_str(text);
        self.open = open;
    }
}

/// The patterns of one sequence; none when no path can fit it.
fn globs(pieces: &[Piece]) -> Vec<String> {
    if pieces.is_empty() {
        return Vec::new();
    }
    let mut globs = vec![Glob::default()];
    let mut at = 0;
    while let Some(piece) = pieces.get(at) {
        let before = at.checked_sub(1).and_then(|before| pieces.get(before));
        let after = pieces.get(at + 1);
        at += 1;
        match piece {
            Piece::Deep => {
                let over_a_slash = after == Some(&Piece::Slash);
                if over_a_slash && matches!(pieces.get(at + 1), None | Some(Piece::Slash)) {
                    return Vec::new();
                }
                globs = globs.iter().flat_map(|glob| crossed(glob, before, after)).collect();
                at += usize::from(over_a_slash);
            }
            // Neither does a path begin or end in a slash, nor are there two in a row.
            Piece::Slash if before.is_none() || after.is_none() || after == Some(&Piece::Slash) => return Vec::new(),
            piece => globs.iter_mut().for_each(|glob| push_simple(glob, piece)),
        }
    }
    globs.into_iter().map(|glob| anchored(glob.text)).collect()
}

/// The forms of a glob that goes on over any number of folders. A slash behind is part of them: `/**/` stands for one
/// folder boundary or more.
fn crossed(glob: &Glob, before: Option<&Piece>, after: Option<&Piece>) -> Vec<Glob> {
    let starts = before.is_none_or(|before| *before == Piece::Slash);
    let forms: &[&str] = match (starts, after) {
        (true, None) => &["**"],
        (_, Some(Piece::Slash)) => &["*/**/"],
        (true, Some(_)) => &["**/*"],
        (false, None) => &["*", "*/**"],
        (false, Some(_)) => &["*", "*/**/*"],
    };
    let grown = forms.iter().map(|form| {
        let mut glob = glob.clone();
        // The star that stands there already is the form's first.
        glob.push(if glob.open { &form[1..] } else { form }, form.ends_with('*'));
        glob
    });
    grown.collect()
}

/// Adds a piece that stays within one name.
fn push_simple(glob: &mut Glob, piece: &Piece) {
    match piece {
        Piece::Slash => glob.push("/", false),
        Piece::Byte(byte) => {
            if b"*?[]\\".contains(byte) {
                glob.push("\\", false);
            }
            glob.push(char::from(*byte).encode_utf8(&mut [0; 4]), false);
        }
        Piece::Text(text) => glob.push(text, false),
        Piece::Class(class) => glob.push(class, false),
        // Git's `?` is one byte, and a character may have four.
        Piece::Rune if glob.open => glob.push("?", false),
        Piece::Rune => glob.push("?*", true),
        Piece::Star if glob.open => {}
        Piece::Star => glob.push("*", true),
        Piece::Begin | Piece::End | Piece::Deep => {}
    }
}

/// The pattern with the beginning that Git needs: without a slash in it, it would match at every depth.
fn anchored(text: String) -> String {
    match text.strip_prefix("**/") {
        Some(name) if !name.contains('/') => name.to_owned(),
        _ if text == "**" => "*".to_owned(),
        _ if text.contains('/') => text,
        _ => format!("/{text}"),
    }
}

/// Joins `X` and `*/**/X` to `**/X`.
fn without_covered(patterns: &[String]) -> Vec<String> {
    let top = |pattern: &str| pattern.trim_start_matches('/').to_owned();
    let deep = |pattern: &str| pattern.strip_prefix("*/**/").map(str::to_owned);
    let both = |name: &String| {
        let at_top = patterns
            .iter()
            .any(|other| deep(other).is_none() && !is_name(other) && top(other) == *name);
        at_top && patterns.iter().any(|other| deep(other).as_ref() == Some(name))
    };
    let mut joined: Vec<String> = Vec::new();
    for pattern in patterns {
        let name = deep(pattern).unwrap_or_else(|| top(pattern));
        let pattern = match both(&name) {
            true if is_name(pattern) => pattern.clone(),
            true if name.contains('/') => format!("**/{name}"),
            true => name,
            false => pattern.clone(),
        };
        if !joined.contains(&pattern) {
            joined.push(pattern);
        }
    }
    joined
}

/// Whether a pattern is matched with the last name of a path alone, at every depth.
fn is_name(pattern: &str) -> bool {
    !pattern.contains('/')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

    use regex::Regex;

    use super::*;
    use crate::git::attribute_lines::add_lines;
    use crate::git::attributes::{AttributeSource, check};
    use crate::git::testing::{Sandbox, hermetic};

    #[test]
    fn what_cant_be_told_is_left_to_a_person() {
        let forms = [
            "(",
            ")",
            "[",
            "[]",
            "[a",
            "a**",
            "*a",
            "+",
            "\\",
            "\\p{L}",
            "\\x41",
            "\\Qa\\E",
            "[[:alpha:]]",
            "[a[b]]",
            "(?m)^a$",
            "a(?i)b",
            "(?x) a",
            "(?=a)",
            "(?<=a)b",
            r"\<a",
            r"[a-\d]",
            "(?#a)",
            "a{,2}",
            "a{x}",
            "{",
            "^$",
            "^/a",
            "a/$",
            "a//b",
            "(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)",
        ];
        for form in forms {
            assert_eq!(patterns_for(form), None, "{form}");
        }
        assert_eq!(patterns_for(&"(".repeat(10_000)), None);
        assert_eq!(
            patterns_for(&format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000))),
            None
        );
    }

    #[test]
    fn common_forms_become_short_patterns() {
        let cases: [(&str, &[&str]); 22] = [
            ("", &["*"]),
            (".*", &["*"]),
            ("secrets/.*", &["**/*secrets/**"]),
            ("secrets/", &["**/*secrets/**"]),
            ("^secrets/", &["secrets/**"]),
            ("^secrets/.*$", &["secrets/**"]),
            ("^secrets/.+", &["secrets/**"]),
            ("^secrets/[^/]+$", &["secrets/*"]),
            (r"^secrets/[^/]+\.yaml$", &["secrets/?*.yaml"]),
            (r"\.enc\.yaml$", &["*.enc.yaml"]),
            (r".*\.secret\.json$", &["*.secret.json"]),
            (
                r"secrets/.*\.ya?ml$",
                &["**/*secrets/**/*.yaml", "**/*secrets/**/*.yml"],
            ),
            (
                r"^secrets/.*\.(yaml|json)$",
                &["secrets/**/*.yaml", "secrets/**/*.json"],
            ),
            ("(^|/)secrets/", &["**/secrets/**"]),
            (r"(^|/)\.env$", &[".env"]),
            (r"^\.env$", &["/.env"]),
            ("^(dev|prod)/db$", &["dev/db", "prod/db"]),
            ("^env/.*/secrets/", &["env/*/**/secrets/**"]),
            (r"^a/.*-b$", &["a/**/*-b"]),
            (r"^a-.*-b$", &["/a-*-b", "a-*/**/*-b"]),
            (r"^x[0-9]\*$", &[r"/x[0-9]\*"]),
            (r"(?i)^ab$", &["/[aA][bB]"]),
        ];
        for (form, patterns) in cases {
            assert_eq!(patterns_for(form).unwrap(), patterns, "{form}");
        }
    }

    /// Paths of up to three names from a few that lie close to each other.
    fn paths() -> Vec<String> {
        let names = [
            "a",
            "b",
            "ab",
            "ba",
            "a.b",
            "aXb",
            "a-b",
            ".a",
            "a.",
            "secrets",
            "my-secrets",
            "secrets2",
            "x.yaml",
            "x.yml",
            "xyaml",
            "\u{e4}",
            "a\u{e4}b",
            "A",
            "\u{212a}",
            "k",
            "*",
            "[a]",
            "a b",
            "1",
        ];
        let mut paths: Vec<String> = names.map(str::to_owned).to_vec();
        for first in names {
            for second in names {
                paths.push(format!("{first}/{second}"));
                for third in ["a", "x.yaml"] {
                    paths.push(format!("{first}/{second}/{third}"));
                }
            }
        }
        paths
    }

    /// A regular expression that `seed` stands for, of small parts in a small depth.
    fn some_regex(seed: &mut u64, depth: usize) -> String {
        let mut next = |limit: usize| {
            *seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(*seed >> 33).unwrap() % limit
        };
        let atoms = [
            "a", "b", "/", ".", r"\.", "[^/]", "[ab]", "[^a]", "secrets", r"\w", "x", "yaml", "^", "$", "\u{e4}",
            "[+-9]", "k", "[^b/]",
        ];
        let repeats = ["", "", "", "*", "+", "?", "*?", "{2}", "{0,1}", "{1,}"];
        let mut text = String::new();
        for _ in 0..=next(4) {
            let choice = next(atoms.len() + 3);
            let repeat = repeats[next(repeats.len())];
            match atoms.get(choice) {
                Some(anchor @ (&"^" | &"$")) => text.push_str(anchor),
                Some(atom) if atom.chars().count() == 1 || atom.starts_with(['[', '\\']) => {
                    text.extend([atom, repeat]);
                }
                Some(atom) => text.extend(["(?:", atom, ")", repeat]),
                None if depth == 0 => text.push('/'),
                None => {
                    let mut inner = *seed;
                    let both = [some_regex(&mut inner, depth - 1), some_regex(&mut inner, depth - 1)].join("|");
                    *seed = inner;
                    return format!("{text}({both}){repeat}");
                }
            }
        }
        text
    }

    #[test]
    fn no_path_is_missed() {
        hermetic(module_path!(), "no_path_is_missed", missed);
    }

    fn missed(sandbox: &Sandbox) {
        let fixed = [
            "secrets/.*",
            "^secrets/",
            r"\.enc\.yaml$",
            r"secrets/.*\.ya?ml$",
            "(^|/)secrets/",
            r".*\.yaml$",
            "a.b",
            "(?i)^A[b-k]?",
            "(?i)K",
            "a/.*/b",
            "a.*b",
            "a/b",
            "^a$",
            "^.a$",
            ".+/a",
            "^[^/]+/[^/]+$",
            "[*]",
            r"\[a\]",
            "a b",
            "^(a|b)(/|$)",
            "/",
            "secrets|x",
            r"\bab\b",
            "a{2,3}|b",
            "^(.*/)?x\\.yaml$",
            r"^[^.]+$",
            "[a-z/]+",
            "(a/)*b$",
            "\u{e4}",
        ];
        let mut seed = 7;
        let random = (0..100).map(|_| some_regex(&mut seed, 2));
        let paths = paths();
        let (mut told, mut sealed, mut needed) = (0, 0, 0);
        for form in fixed.map(str::to_owned).into_iter().chain(random) {
            let Some(patterns) = patterns_for(&form) else {
                assert!(!fixed.contains(&form.as_str()), "{form}");
                continue;
            };
            let regex = Regex::new(&form).unwrap();
            sandbox.write(".gitattributes", &add_lines(b"", &patterns).unwrap());
            let found = check(
                &sandbox.git,
                AttributeSource::WorkTree,
                paths.iter().map(String::as_bytes),
            )
            .unwrap();
            for (path, attributes) in paths.iter().zip(found) {
                let (needs, has) = (regex.is_match(path), attributes.filter.is("git-seal"));
                assert!(has || !needs, "{form} finds {path:?}, {patterns:?} do not match it");
                needed += usize::from(needs);
                sealed += usize::from(has);
            }
            told += 1;
        }
        assert!(told > 80, "{told} forms told");
        assert!(
            sealed < needed * 3 / 2,
            "{sealed} paths matched where {needed} are found"
        );
    }
}
