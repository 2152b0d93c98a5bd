//! Values without layout: what a document is to say after a change, and whether it does.

use super::error::Error;
use super::node::{Content, Node};
use crate::document::key_path::Step;
use crate::document::{Shape, Value};

/// A value with all that is in it.
#[derive(Clone)]
pub(in crate::document) enum Data<'a> {
    /// A scalar and how it is spelled where it comes from.
    Leaf(&'a Value<'a>, &'a str),
    Map(Vec<(&'a str, Data<'a>)>),
    List(Vec<Data<'a>>),
}

impl<'a> Data<'a> {
    /// What a node says.
    pub(in crate::document) fn of_node(node: &Node<'a>, text: &'a str) -> Self {
        match &node.content {
            Content::Leaf(leaf) => Self::Leaf(&leaf.value, leaf.span.of(text)),
            Content::Branch(branch) => {
                let inner = branch
                    .children
                    .iter()
                    .map(|child| (child.name(), Self::of_node(child, text)));
                match branch.shape {
                    Shape::Map => Self::Map(inner.collect()),
                    Shape::List => Self::List(inner.map(|(_, data)| data).collect()),
                }
            }
        }
    }

    /// A value below steps that lead to nothing yet: maps for keys, lists of one element for positions.
    pub(in crate::document) fn nested(steps: &'a [Step], value: Self) -> Self {
        steps.iter().rev().fold(value, |inner, step| match step {
            Step::Key(key) => Self::Map(vec![(key, inner)]),
            Step::Index(_) => Self::List(vec![inner]),
        })
    }

    /// This with `value` at a place, as SOPS sets it.
    pub(in crate::document) fn set(&mut self, steps: &'a [Step], value: Self) -> Result<(), Error> {
        let Some((step, rest)) = steps.split_first() else {
            *self = value;
            return Ok(());
        };
        match (self, step) {
            (Self::Map(entries), Step::Key(key)) => match entries.iter_mut().find(|(name, _)| name == key) {
                Some((_, inner)) => return inner.set(rest, value),
                None => entries.push((key, Self::nested(rest, value))),
            },
            (Self::List(elements), &Step::Index(index)) => match elements.get_mut(index) {
                Some(inner) => return inner.set(rest, value),
                None => elements.push(Self::nested(rest, value)),
            },
            (Self::Map(_), step) => return Err(Error::IndexIntoMap(step.clone())),
            (Self::List(_), step) => return Err(Error::KeyIntoList(step.clone())),
            (leaf @ Self::Leaf(..), _) => *leaf = Self::nested(steps, value),
        }
        Ok(())
    }

    /// This without the value at a place.
    pub(in crate::document) fn unset(&mut self, steps: &[Step]) -> Result<(), Error> {
        let Some((step, rest)) = steps.split_first() else {
            return Err(Error::EmptyPath);
        };
        let missing = || Error::NotFound(step.clone());
        match (self, step) {
            (Self::Map(entries), Step::Key(key)) => {
                let at = entries.iter().position(|(name, _)| name == key).ok_or_else(missing)?;
                if rest.is_empty() {
                    entries.remove(at);
                    return Ok(());
                }
                entries.get_mut(at).ok_or_else(missing)?.1.unset(rest)
            }
            (Self::List(elements), &Step::Index(index)) if index < elements.len() => {
                if rest.is_empty() {
                    elements.remove(index);
                    return Ok(());
                }
                elements.get_mut(index).ok_or_else(missing)?.unset(rest)
            }
            (Self::Map(_), Step::Index(_)) => Err(Error::IndexIntoMap(step.clone())),
            (Self::List(_), Step::Key(_)) => Err(Error::KeyIntoList(step.clone())),
            _ => Err(missing()),
        }
    }

    /// Whether two values say the same, doubles bit for bit.
    pub(in crate::document) fn is(&self, other: &Data<'_>) -> bool {
        match (self, other) {
            (Self::Leaf(one, _), Data::Leaf(other, _)) => same(one, other),
            (Self::Map(ours), Data::Map(others)) => {
                let pairs = ours.iter().zip(others);
                ours.len() == others.len()
                    && pairs
                        .into_iter()
                        .all(|(one, other)| one.0 == other.0 && one.1.is(&other.1))
            }
            (Self::List(ours), Data::List(others)) => {
                ours.len() == others.len() && ours.iter().zip(others).all(|(one, other)| one.is(other))
            }
            _ => false,
        }
    }

    /// A map or list that holds nothing.
    pub(in crate::document) const fn empty(shape: Shape) -> Self {
        match shape {
            Shape::Map => Self::Map(Vec::new()),
            Shape::List => Self::List(Vec::new()),
        }
    }

    /// Whether it has one token: a scalar, or nothing in brackets.
    pub(in crate::document) fn is_token(&self) -> bool {
        match self {
            Self::Leaf(..) => true,
            Self::Map(entries) => entries.is_empty(),
            Self::List(elements) => elements.is_empty(),
        }
    }
}

/// Whether two values are the same, doubles bit for bit.
pub(in crate::document) fn same(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Float(one), Value::Float(other)) => one.to_bits() == other.to_bits(),
        _ => one == other,
    }
}
