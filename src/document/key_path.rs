//! Where a value lies in a document, in SOPS's notation: `["database"]["hosts"][0]` (format, section 9.3).
//!
//! SOPS cuts the notation at each `[`, so that a key can't hold one. Here a key ends at its quote, a `]` behind it, and then the end or
//! the next `[`: `["a[0]"]` is one key.

use std::fmt;

/// One step on the way down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into the entry of a map.
    Key(String),
    /// Into an element of a list, counted from 0. Comments are no elements.
    Index(usize),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "[\"{}\"]", key.escape_debug()),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// The way from the root of a document to a value. Without a step it is the whole document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyPath {
    /// The steps, from the root.
    pub steps: Vec<Step>,
}

/// A notation that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Something stands where a bracket opens.
    #[error("a step is missing its opening bracket")]
    NoBracket,
    /// A step that does not end.
    #[error("a step is missing its closing bracket")]
    Open,
    /// A key that does not end.
    #[error("a key is missing its closing quote and bracket")]
    OpenKey,
    /// A position counted from the end.
    #[error("a position is negative")]
    Negative,
    /// Neither a quoted key nor a number.
    #[error("a step is neither a key in quotes nor a position")]
    Word,
}

impl KeyPath {
    /// Reads the notation.
    ///
    /// # Errors
    /// For what is neither `["key"]`, `['key']` nor `[0]`.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let mut steps = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            rest = rest.strip_prefix('[').ok_or(PathError::NoBracket)?;
            let (step, after) = match rest.chars().next() {
                Some(quote @ ('"' | '\'')) => quoted(rest, quote)?,
                _ => position(rest)?,
            };
            steps.push(step);
            rest = after;
        }
        Ok(Self { steps })
    }
}

/// A key in quotes and what stands behind its bracket.
fn quoted(text: &str, quote: char) -> Result<(Step, &str), PathError> {
    let inner = text.get(1..).unwrap_or_default();
    let end = [quote, ']'].iter().collect::<String>();
    for (at, _) in inner.match_indices(end.as_str()) {
        let (key, after) = inner.split_at(at);
        let after = after.get(end.len()..).unwrap_or_default();
        if after.is_empty() || after.starts_with('[') {
            return Ok((Step::Key(key.to_owned()), after));
        }
    }
    Err(PathError::OpenKey)
}

fn position(text: &str) -> Result<(Step, &str), PathError> {
    let (word, after) = text.split_once(']').ok_or(PathError::Open)?;
    let digits = word.strip_prefix('-').unwrap_or(word);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PathError::Word);
    }
    if word.starts_with('-') {
        return Err(PathError::Negative);
    }
    // Beyond every list that there can be.
    Ok((Step::Index(word.parse().unwrap_or(usize::MAX)), after))
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| step.fmt(f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_path_is_refused() {
        #[track_caller]
        fn case(text: &str, expected: PathError) {
            assert_eq!(KeyPath::parse(text), Err(expected), "{text}");
        }
        case("a", PathError::NoBracket);
        case("a[0]", PathError::NoBracket);
        case("[\"a\"]b", PathError::OpenKey);
        case("[0]b", PathError::NoBracket);
        case("[", PathError::Open);
        case("[1", PathError::Open);
        case("[]", PathError::Word);
        case("[a]", PathError::Word);
        case("[+1]", PathError::Word);
        case("[1.0]", PathError::Word);
        case("[-]", PathError::Word);
        case("[-1]", PathError::Negative);
        case("[\"a\"", PathError::OpenKey);
        case("[\"]", PathError::OpenKey);
        case("[\"a']", PathError::OpenKey);
        case("[\"a\"]]", PathError::OpenKey);
    }

    #[test]
    fn a_path_is_read_and_written() {
        #[track_caller]
        fn case(text: &str, expected: &str) {
            assert_eq!(
                KeyPath::parse(text).map(|path| path.to_string()),
                Ok(expected.to_owned())
            );
        }
        case("", "");
        case(" [\"a\"] ", "[\"a\"]");
        case("['a'][\"b\"][0]", "[\"a\"][\"b\"][0]");
        case("[\"a[0]\"]", "[\"a[0]\"]");
        case("['a\"b']", "[\"a\\\"b\"]");
        case("[\"a]\"][\"\"]", "[\"a]\"][\"\"]");
        case("[\"a\"]b\"]", "[\"a\\\"]b\"]");
        case("[007]", "[7]");
    }
}
