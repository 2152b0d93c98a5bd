//! Which leaves of a document are sealed: SOPS's six settings (`sops.go`, `shouldBeEncrypted`).

use super::error::Error;
use crate::text::GoRegex;

/// The suffix that SOPS assumes where no setting is given.
pub const DEFAULT_SUFFIX: &str = "_unencrypted";

/// The six settings as a file or a rule gives them; an empty text counts as not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelectionSettings {
    /// Leaves under a key that ends so stay in the clear.
    pub unencrypted_suffix: Option<String>,
    /// Only leaves under a key that ends so are sealed.
    pub encrypted_suffix: Option<String>,
    /// Leaves under a key that matches stay in the clear.
    pub unencrypted_regex: Option<String>,
    /// Only leaves under a key that matches are sealed.
    pub encrypted_regex: Option<String>,
    /// Leaves behind a comment that matches stay in the clear.
    pub unencrypted_comment_regex: Option<String>,
    /// Only leaves behind a comment that matches are sealed.
    pub encrypted_comment_regex: Option<String>,
}

impl SelectionSettings {
    /// The settings with their names, in SOPS's order.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Option<&str>); 6] {
        [
            ("unencrypted_suffix", &self.unencrypted_suffix),
            ("encrypted_suffix", &self.encrypted_suffix),
            ("unencrypted_regex", &self.unencrypted_regex),
            ("encrypted_regex", &self.encrypted_regex),
            ("unencrypted_comment_regex", &self.unencrypted_comment_regex),
            ("encrypted_comment_regex", &self.encrypted_comment_regex),
        ]
        .map(|(name, text)| (name, text.as_deref().filter(|text| !text.is_empty())))
    }

    /// The setting with this name, to be filled.
    pub fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "unencrypted_suffix" => &mut self.unencrypted_suffix,
            "encrypted_suffix" => &mut self.encrypted_suffix,
            "unencrypted_regex" => &mut self.unencrypted_regex,
            "encrypted_regex" => &mut self.encrypted_regex,
            "unencrypted_comment_regex" => &mut self.unencrypted_comment_regex,
            "encrypted_comment_regex" => &mut self.encrypted_comment_regex,
            _ => return None,
        })
    }

    /// These settings with SOPS's default spelled out where none is given.
    #[must_use]
    pub fn or_default(&self) -> Self {
        let mut settings = self.clone();
        if self.named().iter().all(|(_, text)| text.is_none()) {
            settings.unencrypted_suffix = Some(DEFAULT_SUFFIX.to_owned());
        }
        settings
    }

    /// The one setting that holds; SOPS's default where none is given.
    ///
    /// # Errors
    /// [`Error::TwoSelections`]; [`Error::Regex`] where SOPS itself would silently seal nothing.
    pub fn resolve(&self) -> Result<Selection, Error> {
        let mut given = self
            .named()
            .into_iter()
            .filter_map(|(name, text)| text.map(|text| (name, text)));
        let Some((name, text)) = given.next() else {
            return Ok(Selection::UnencryptedSuffix(DEFAULT_SUFFIX.to_owned()));
        };
        if let Some((second, _)) = given.next() {
            return Err(Error::TwoSelections { first: name, second });
        }
        let regex = || GoRegex::new(text).map_err(|source| Error::Regex { setting: name, source });
        Ok(match name {
            "unencrypted_suffix" => Selection::UnencryptedSuffix(text.to_owned()),
            "encrypted_suffix" => Selection::EncryptedSuffix(text.to_owned()),
            "unencrypted_regex" => Selection::UnencryptedRegex(regex()?),
            "encrypted_regex" => Selection::EncryptedRegex(regex()?),
            "unencrypted_comment_regex" => Selection::UnencryptedCommentRegex(regex()?),
            _ => Selection::EncryptedCommentRegex(regex()?),
        })
    }
}

/// The rule by which leaves are chosen.
#[derive(Debug, Clone)]
pub enum Selection {
    /// Sealed unless a key of the path ends with it.
    UnencryptedSuffix(String),
    /// Sealed if a key of the path ends with it.
    EncryptedSuffix(String),
    /// Sealed unless a key of the path matches.
    UnencryptedRegex(GoRegex),
    /// Sealed if a key of the path matches.
    EncryptedRegex(GoRegex),
    /// Sealed unless an active comment matches.
    UnencryptedCommentRegex(GoRegex),
    /// Sealed if an active comment matches.
    EncryptedCommentRegex(GoRegex),
}

impl Selection {
    /// Whether a key decides.
    fn matches_key(&self, key: &str) -> bool {
        match self {
            Self::UnencryptedSuffix(suffix) | Self::EncryptedSuffix(suffix) => key.ends_with(suffix.as_str()),
            Self::UnencryptedRegex(regex) | Self::EncryptedRegex(regex) => regex.is_match(key.as_bytes()),
            Self::UnencryptedCommentRegex(_) | Self::EncryptedCommentRegex(_) => false,
        }
    }

    /// Whether a comment decides.
    #[must_use]
    pub fn matches_comment(&self, comment: &str) -> bool {
        match self {
            Self::UnencryptedCommentRegex(regex) | Self::EncryptedCommentRegex(regex) => {
                regex.is_match(comment.as_bytes())
            }
            _ => false,
        }
    }

    /// Whether a match means *sealed* rather than *left in the clear*.
    const fn seals_on_match(&self) -> bool {
        matches!(
            self,
            Self::EncryptedSuffix(_) | Self::EncryptedRegex(_) | Self::EncryptedCommentRegex(_)
        )
    }
}

/// The walk's memory for a selection: one level for each open container.
#[derive(Debug)]
pub struct Selector<'s> {
    selection: &'s Selection,
    levels: Vec<Level>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Level {
    /// Whether a key on the way here matched.
    matched: bool,
    /// How many of this level's active comments match.
    active: u32,
    /// How many there were before the last leaf.
    used_up: u32,
}

impl<'s> Selector<'s> {
    /// A selector at the root of a document.
    #[must_use]
    pub fn new(selection: &'s Selection) -> Self {
        Self {
            selection,
            levels: vec![Level::default()],
        }
    }

    /// A container begins under `key` (none in a list).
    pub fn enter(&mut self, key: Option<&str>) {
        let matched = self.path_matches(key);
        self.levels.push(Level {
            matched,
            ..Level::default()
        });
    }

    /// The innermost container ends; with it end the comments that stood before it.
    pub fn leave(&mut self) {
        if self.levels.len() > 1 {
            self.levels.pop();
        }
        self.sibling_done();
    }

    /// Whether the leaf under `key` is sealed. Its comments are used up by this.
    pub fn leaf(&mut self, key: Option<&str>) -> bool {
        let matched = self.path_matches(key) || self.active() > 0;
        if let Some(level) = self.levels.last_mut() {
            level.used_up = level.active;
        }
        self.sibling_done();
        matched == self.selection.seals_on_match()
    }

    /// Whether a comment with this text is sealed. `encrypted_comment_regex` does not count the comment itself, so that the
    /// comment that asks for sealing stays readable; `unencrypted_comment_regex` does.
    pub fn comment(&mut self, text: &str) -> bool {
        let matches = u32::from(self.selection.matches_comment(text));
        let others = self.active();
        if let Some(level) = self.levels.last_mut() {
            level.active += matches;
        }
        match self.selection {
            Selection::EncryptedCommentRegex(_) => others > 0,
            Selection::UnencryptedCommentRegex(_) => others + matches == 0,
            _ => self.levels.last().is_some_and(|level| level.matched) == self.selection.seals_on_match(),
        }
    }

    /// Whether a comment that SOPS loses is sealed. It counts for nothing else.
    pub fn lost_comment(&mut self, text: &str) -> bool {
        let active = self.levels.last().map(|level| level.active);
        let sealed = self.comment(text);
        if let (Some(level), Some(active)) = (self.levels.last_mut(), active) {
            level.active = active;
        }
        sealed
    }

    /// The leaf that was asked about last is a comment that SOPS stores as a list element, with this text in the file: it used up no
    /// comments, and counts as one itself.
    pub fn leaf_was_comment(&mut self, text: &str) {
        if let Some(level) = self.levels.last_mut() {
            level.active = level.used_up;
        }
        self.comment(text);
    }

    fn active(&self) -> u32 {
        self.levels.iter().map(|level| level.active).sum()
    }

    fn path_matches(&self, key: Option<&str>) -> bool {
        self.levels.last().is_some_and(|level| level.matched) || key.is_some_and(|key| self.selection.matches_key(key))
    }

    fn sibling_done(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.active = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    fn settings(name: &str, text: &str) -> SelectionSettings {
        let mut settings = SelectionSettings::default();
        *settings.slot(name).unwrap() = Some(text.to_owned());
        settings
    }

    #[test]
    fn a_pattern_that_does_not_compile_is_never_silence() {
        let refused = settings("encrypted_regex", "(").resolve().unwrap_err();
        assert!(
            matches!(
                refused,
                Error::Regex {
                    setting: "encrypted_regex",
                    ..
                }
            ),
            "{refused}"
        );
    }

    #[test]
    fn two_settings_are_refused_and_an_empty_one_is_none() {
        let mut both = settings("encrypted_regex", "a");
        both.unencrypted_suffix = Some("_b".to_owned());
        assert!(matches!(both.resolve(), Err(Error::TwoSelections { .. })));
        both.unencrypted_suffix = Some(String::new());
        assert!(both.resolve().is_ok());
    }

    #[test]
    fn keys_decide_for_all_that_is_below() {
        #[track_caller]
        fn case(name: &str, text: &str, path: &[&str], expected: bool) {
            let selection = settings(name, text).resolve().unwrap();
            let mut selector = Selector::new(&selection);
            let (leaf, containers) = path.split_last().unwrap();
            for key in containers {
                selector.enter((*key != "-").then_some(*key));
            }
            assert_eq!(
                selector.leaf((*leaf != "-").then_some(*leaf)),
                expected,
                "{name} {text} {path:?}"
            );
        }
        case("unencrypted_suffix", "_unencrypted", &["a"], true);
        case("unencrypted_suffix", "_unencrypted", &["a_unencrypted"], false);
        case(
            "unencrypted_suffix",
            "_unencrypted",
            &["a_unencrypted", "b", "-"],
            false,
        );
        case("encrypted_suffix", "_enc", &["a"], false);
        case("encrypted_suffix", "_enc", &["x_enc", "-"], true);
        case("encrypted_regex", "^data$", &["data", "x"], true);
        case("encrypted_regex", "^data$", &["metadata", "x"], false);
        case("unencrypted_regex", "^(kind|metadata)$", &["metadata", "x"], false);
        case("unencrypted_regex", "^(kind|metadata)$", &["data", "x"], true);
        case("encrypted_comment_regex", "seal", &["a"], false);
        case("unencrypted_comment_regex", "plain", &["a"], true);
    }

    #[test]
    fn comments_count_until_the_next_sibling_is_done() {
        let selection = settings("encrypted_comment_regex", "seal").resolve().unwrap();
        let mut selector = Selector::new(&selection);
        assert!(!selector.comment(" seal this"), "the asking comment stays readable");
        assert!(selector.comment(" seal too"), "a further comment is sealed");
        selector.enter(Some("map"));
        assert!(
            selector.leaf(Some("a")) && selector.leaf(Some("b")),
            "the whole subtree is meant"
        );
        selector.leave();
        assert!(!selector.leaf(Some("next")));

        let selection = settings("unencrypted_comment_regex", "plain").resolve().unwrap();
        let mut selector = Selector::new(&selection);
        assert!(selector.comment(" other"));
        assert!(!selector.comment(" plain"));
        assert!(!selector.leaf(Some("a")));
        assert!(selector.leaf(Some("b")));
    }

    #[test]
    fn a_comment_that_is_a_list_element_uses_up_no_comments() {
        let selection = settings("encrypted_comment_regex", "seal").resolve().unwrap();
        let mut selector = Selector::new(&selection);
        selector.enter(Some("list"));
        assert!(!selector.comment(" seal this"));
        assert!(selector.leaf(None));
        selector.leaf_was_comment("ENC[…]");
        assert!(selector.leaf(None), "the element behind the sealed comment");
        assert!(!selector.leaf(None));
    }
}
