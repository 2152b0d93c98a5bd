//! The `sops` block as a tree: whatever a newer or older SOPS put there, kept in order.

use crate::document::{Item, Value, value::float_text};

/// A map, a list or a scalar of the metadata. Nothing in it is secret: what is, is sealed.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// An ordered map.
    Map(Vec<(String, Node)>),
    /// A list.
    List(Vec<Node>),
    /// Text.
    Text(String),
    /// A number or truth value, as it is written in both YAML and JSON.
    Word(String),
    /// Null.
    Null,
}

impl Node {
    /// Builds the tree of one entry from its items: a leaf, or an `Enter` up to its `Leave`. Comments are left out, as SOPS does.
    #[must_use]
    pub fn of_items(items: &[Item<'_>]) -> Self {
        let mut open: Vec<(Option<String>, Self)> = Vec::new();
        for item in items {
            let done = match item {
                Item::Enter(container) => {
                    let node = match container.shape {
                        crate::document::Shape::Map => Self::Map(Vec::new()),
                        crate::document::Shape::List => Self::List(Vec::new()),
                    };
                    open.push((container.key.as_ref().map(|key| key.name.clone().into_owned()), node));
                    continue;
                }
                Item::Leave => open.pop(),
                Item::Leaf(leaf) => {
                    let key = leaf.key.as_ref().map(|key| key.name.clone().into_owned());
                    Some((key, Self::of_value(&leaf.value)))
                }
                Item::Begin(_) | Item::Comment(_) => None,
            };
            let Some((key, node)) = done else { continue };
            match open.last_mut() {
                Some((_, Self::Map(entries))) => entries.push((key.unwrap_or_default(), node)),
                Some((_, Self::List(elements))) => elements.push(node),
                _ => return node,
            }
        }
        Self::Null
    }

    fn of_value(value: &Value<'_>) -> Self {
        match value {
            Value::Str(text) => Self::Text(String::from_utf8_lossy(text).into_owned()),
            Value::Int(number) => Self::Word(number.to_string()),
            Value::Float(number) => Self::Word(float_text(*number)),
            Value::Bool(truth) => Self::Word(truth.to_string()),
            Value::Time(text) => Self::Text(text.clone()),
            Value::Null => Self::Null,
        }
    }

    /// The last entry with this name, or else the first with this name in another case (SOPS compares so since 3.13).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        let exact = entries.iter().rfind(|(key, _)| key == name);
        exact
            .or_else(|| entries.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)))
            .map(|(_, node)| node)
    }

    /// A scalar as text; `None` for null, maps and lists.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Word(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list; a single map counts as a list of one, null as none.
    #[must_use]
    pub fn elements(&self) -> &[Self] {
        match self {
            Self::List(elements) => elements,
            Self::Map(_) => std::slice::from_ref(self),
            _ => &[],
        }
    }
}
