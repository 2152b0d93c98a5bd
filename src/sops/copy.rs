//! What stands for an alias in the sealed text: the values that it copies, written in one line.

use zeroize::Zeroizing;

use crate::document::edit::Edit;
use crate::document::{Context, Item, Key, Leaf, Shape, Style, Value, json, yaml};
use crate::text::Span;

/// The text that takes the place of an alias to a container while its copy is walked through.
pub(super) struct Copy {
    pub(super) edit: Edit,
    /// How many containers are open inside of it.
    pub(super) depth: usize,
}

impl Copy {
    /// The beginning of a copy in the place of `span`.
    pub(super) fn new(span: Span, shape: Shape, depth: usize) -> Self {
        Self {
            edit: Edit::new(span, opening(shape)),
            depth,
        }
    }

    /// Begins a member of the container that is open.
    fn member(&mut self, key: Option<&Key<'_>>) {
        if !self.edit.text.ends_with(['{', '[']) {
            self.edit.text.push_str(", ");
        }
        if let Some(key) = key {
            self.edit.text.push_str(&json::quote(&key.name));
            self.edit.text.push_str(": ");
        }
    }

    /// Begins a container.
    pub(super) fn enter(&mut self, key: Option<&Key<'_>>, shape: Shape) {
        self.member(key);
        self.edit.text.push_str(opening(shape));
    }

    /// Adds a leaf, written as `text`.
    pub(super) fn leaf(&mut self, key: Option<&Key<'_>>, text: &str) {
        self.member(key);
        self.edit.text.push_str(text);
    }

    /// Ends the container that was begun last.
    pub(super) fn leave(&mut self, shape: Shape) {
        self.edit.text.push(if shape == Shape::Map { '}' } else { ']' });
    }
}

const fn opening(shape: Shape) -> &'static str {
    match shape {
        Shape::Map => "{",
        Shape::List => "[",
    }
}

/// The map that these items are the members of, in one line.
pub(super) fn of_root(items: &[Item<'_>]) -> Zeroizing<String> {
    let mut copy = Copy::new(Span::default(), Shape::Map, 0);
    let mut open = vec![Shape::Map];
    for item in items {
        match item {
            Item::Enter(container) => {
                copy.enter(container.key.as_ref(), container.shape);
                open.push(container.shape);
            }
            Item::Leave => copy.leave(open.pop().unwrap_or(Shape::Map)),
            Item::Leaf(leaf) => copy.leaf(leaf.key.as_ref(), &in_the_clear(leaf)),
            Item::Begin(_) | Item::Comment(_) => {}
        }
    }
    copy.leave(Shape::Map);
    copy.edit.text
}

/// A value as it stands in a flow collection.
pub(super) fn in_the_clear(leaf: &Leaf<'_>) -> String {
    if leaf.value == Value::Null {
        return "null".to_owned();
    }
    let context = Context {
        in_flow: true,
        ..Context::default()
    };
    let plaintext = leaf.value.plain_bytes().unwrap_or_default();
    let style = if matches!(leaf.value, Value::Str(_)) {
        Style::Double
    } else {
        Style::Plain
    };
    let mut text = yaml::opened_token(style, context, &leaf.value, &plaintext).unwrap_or_default();
    // Written as an integer, -0.0 would be read as 0, which is hashed otherwise.
    if matches!(leaf.value, Value::Float(_)) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()) {
        text.push_str(".0");
    }
    text
}
