//! What a scalar of the text means, and in which style it can be exchanged.

use super::resolve::{Resolved, Tag, plain_value, resolve, tagged_value, text_value};
use super::token::Scalar;
use crate::document::{Style, Value};
use crate::text::Span;

impl<'t> Scalar<'t> {
    /// Its value; `None` if the tag does not fit.
    pub(super) fn value(&self, tag: Option<Tag>) -> Option<Value<'t>> {
        match tag {
            Some(tag) => tagged_value(tag, self.text.clone(), self.style),
            None if self.style == Style::Plain => Some(plain_value(self.text.clone())),
            None => Some(text_value(self.text.clone())),
        }
    }

    /// Whether it is an integer that SOPS can't encrypt.
    pub(super) fn is_unsigned(&self, tag: Option<Tag>) -> bool {
        let is_plain = self.style == Style::Plain;
        let may_be_integer = tag.map_or(is_plain, |tag| tag == Tag::Int || tag == Tag::Neutral && is_plain);
        // All of them have that many characters: 63 bits and more, in base 16 at most.
        may_be_integer && self.text.len() >= 18 && resolve(&self.text) == Resolved::Unsigned
    }

    /// The style in which it can be exchanged. `value` is its value.
    pub(super) fn leaf_style(&self, tag: Option<Tag>, value: &Value<'_>) -> Style {
        let keeps_tag = tag.is_none_or(Tag::is_text);
        match self.style {
            // A block keeps its header, if it has lines to exchange.
            style @ (Style::Literal | Style::Folded) if keeps_tag && self.body != Span::default() => style,
            Style::Literal | Style::Folded => Style::Other,
            Style::Plain if *value == Value::Null => Style::Other,
            style if keeps_tag => style,
            _ => Style::Other,
        }
    }
}
