//! Comments that SOPS stores as elements of a YAML list, and lists that hold nothing else: opened, those are empty.

use super::sealed::in_the_clear_anyway;
use super::walk::Visit;
use crate::document::Leaf;

/// Where the dash of a list element stands.
pub(super) fn dash(leaf: &Leaf<'_>, text: &str) -> usize {
    let before = text[..leaf.span.start].trim_end_matches(' ');
    before.strip_suffix('-').map_or(leaf.span.start, str::len)
}

/// Where to write that a list is empty whose first element is a comment, and the text up to that comment.
pub(super) fn empty_list(first: &Leaf<'_>, text: &str) -> (usize, String) {
    let dash = dash(first, text);
    let key = text[..dash].trim_end();
    let line = key.rsplit('\n').next().unwrap_or_default();
    let between = &text[key.len()..dash];
    // Behind the key's colon if the list begins right below it, else in the place of its first element.
    if key.ends_with(':') && !line.contains('#') && between.contains('\n') {
        (key.len(), format!(" []{between}"))
    } else {
        (dash, "[] ".to_owned())
    }
}

/// Which lists hold comments as elements and nothing else.
#[derive(Default)]
pub(super) struct Lists {
    /// For each open container: whether something else was seen in it, and the index of its first comment.
    open: Vec<(bool, Option<usize>)>,
    /// The index of the first comment of each such list.
    pub(super) only_comments: Vec<usize>,
}

impl Lists {
    /// Looks at what the walk meets, sealed leaves excepted: those come to [`Lists::leaf`].
    pub(super) fn see(&mut self, visit: Visit<'_, '_>) {
        match visit {
            Visit::Enter(_) => {
                self.leaf(None);
                self.open.push((false, None));
            }
            Visit::Leave => {
                if let Some((false, Some(first))) = self.open.pop() {
                    self.only_comments.push(first);
                }
            }
            Visit::Leaf(leaf, sealed) if !sealed || in_the_clear_anyway(leaf) => self.leaf(None),
            _ => {}
        }
    }

    /// An element, and its index if it is a comment.
    pub(super) fn leaf(&mut self, comment: Option<usize>) {
        if let Some((other, first)) = self.open.last_mut() {
            *other |= comment.is_none();
            *first = first.or(comment);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;
    use crate::document::{Item, yaml};

    #[test]
    fn an_empty_list_is_written_where_yaml_takes_it() {
        #[track_caller]
        fn case(text: &str, expected: &str) {
            let document = yaml::parse(text).unwrap();
            let leaf = document.items.iter().find_map(|item| match item {
                Item::Leaf(leaf) => Some(leaf),
                _ => None,
            });
            let (at, lead) = empty_list(leaf.unwrap(), text);
            assert_eq!(format!("{}{lead}#c\n", &text[..at]), expected);
            assert!(yaml::parse(expected).is_ok(), "{expected}");
        }
        case("a:\n    - x\n", "a: []\n    #c\n");
        case("a:\n- x\n", "a: []\n#c\n");
        case("a:\n    - - x\n", "a:\n    - [] #c\n");
        case("a: # b:\n    - x\n", "a: # b:\n    [] #c\n");
    }
}
