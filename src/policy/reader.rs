//! Typed access to a configuration's values, with the place in each refusal.
//!
//! The types are as forgiving as SOPS's YAML library: null is *not given*, a number is a fine text, `yes` is true.

use serde::Deserialize;
use serde_yaml::{Mapping, Value};

use super::error::Error;
use super::outline::{Outline, outline};
use crate::text::Position;

/// Largest configuration in bytes.
const MAX_SIZE: usize = 1 << 20;

/// A configuration that was read: its value and where its parts stand.
pub(super) struct Source {
    value: Value,
    outline: Outline,
}

impl Source {
    /// Reads the first document; `None` if there is none, or it is null.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, Error> {
        if bytes.len() > MAX_SIZE {
            return Err(Error::TooLarge {
                size: bytes.len(),
                limit: MAX_SIZE,
            });
        }
        let text = std::str::from_utf8(bytes).map_err(|error| Error::NotUtf8 {
            offset: error.valid_up_to(),
        })?;
        let Some(outline) = outline(text)? else { return Ok(None) };
        let Some(document) = serde_yaml::Deserializer::from_str(text).next() else {
            return Ok(None);
        };
        let value = Value::deserialize(document).map_err(|error| syntax(&error))?;
        Ok((!value.is_null()).then_some(Self { value, outline }))
    }

    /// The top of the document.
    pub(super) const fn root(&self) -> Node<'_> {
        Node {
            key: "the document",
            value: &self.value,
            outline: &self.outline,
        }
    }
}

fn syntax(error: &serde_yaml::Error) -> Error {
    let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
    // The reader's message ends with the place once more.
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
    Error::Syntax {
        position: Position { line, column },
        reason,
    }
}

/// A value with the key it is given for.
#[derive(Clone, Copy)]
pub(super) struct Node<'s> {
    key: &'s str,
    value: &'s Value,
    outline: &'s Outline,
}

impl<'s> Node<'s> {
    pub(super) const fn position(&self) -> Position {
        self.outline.position
    }

    /// The refusal of this value.
    pub(super) fn wrong<T>(&self, expected: &'static str) -> Result<T, Error> {
        Err(Error::WrongType {
            position: self.position(),
            key: self.key.to_owned(),
            expected,
        })
    }

    /// The value without tags, which SOPS ignores as well.
    fn untagged(&self) -> &'s Value {
        let mut value = self.value;
        while let Value::Tagged(tagged) = value {
            value = &tagged.value;
        }
        value
    }

    fn mapping(&self) -> Result<&'s Mapping, Error> {
        match self.untagged() {
            Value::Mapping(mapping) => Ok(mapping),
            _ => self.wrong("a map"),
        }
    }

    /// A map, with its merges checked.
    pub(super) fn map(&self) -> Result<Map<'s>, Error> {
        let mapping = self.mapping()?;
        match mapping.get(MERGE) {
            None | Some(Value::Mapping(_)) => {}
            Some(Value::Sequence(items)) if items.iter().all(Value::is_mapping) => {}
            Some(value) => {
                return Node {
                    key: MERGE,
                    value,
                    outline: self.outline.field(MERGE),
                }
                .wrong("a map or maps");
            }
        }
        Ok(Map {
            mapping,
            outline: self.outline,
        })
    }

    /// The items of a list.
    pub(super) fn list(&self) -> Result<impl Iterator<Item = Node<'s>> + use<'s>, Error> {
        let Value::Sequence(items) = self.untagged() else {
            return self.wrong("a list");
        };
        let (key, outline) = (self.key, self.outline);
        Ok(items.iter().enumerate().map(move |(index, value)| Node {
            key,
            value,
            outline: outline.item(index),
        }))
    }

    pub(super) fn is_list(&self) -> bool {
        self.untagged().is_sequence()
    }

    /// Whether the value is null, which SOPS takes as not given.
    pub(super) fn is_null(&self) -> bool {
        self.untagged().is_null()
    }

    /// A text; a number or truth value counts as the text it was written as. Where an alias or a merge hides how it was
    /// written, guessing it could change which leaves are sealed.
    pub(super) fn text(&self) -> Result<String, Error> {
        match (self.untagged(), &self.outline.plain) {
            (Value::String(text), _) => Ok(text.clone()),
            (Value::Bool(_) | Value::Number(_), Some(written)) => Ok(written.clone()),
            (Value::Bool(_) | Value::Number(_), None) => self.wrong("a text in quotes"),
            _ => self.wrong("a text"),
        }
    }

    /// A text that is one in YAML's own eyes.
    pub(super) fn strict_text(&self) -> Result<&'s str, Error> {
        match self.untagged() {
            Value::String(text) => Ok(text),
            _ => self.wrong("a text"),
        }
    }

    pub(super) fn integer(&self) -> Result<i64, Error> {
        match self.untagged() {
            Value::Number(number) if number.is_i64() => Ok(number.as_i64().unwrap_or_default()),
            // A double without a fraction is taken for an integer.
            Value::Number(number) => match number.as_f64().map(|number| number.to_string().parse()) {
                Some(Ok(number)) => Ok(number),
                _ => self.wrong("a whole number"),
            },
            _ => self.wrong("a whole number"),
        }
    }

    pub(super) fn truth(&self) -> Result<bool, Error> {
        match self.untagged() {
            Value::Bool(value) => Ok(*value),
            // The words of YAML 1.1, which SOPS's library takes where a truth value is expected.
            Value::String(word) => match word.as_str() {
                "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Ok(true),
                "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Ok(false),
                _ => self.wrong("true or false"),
            },
            _ => self.wrong("true or false"),
        }
    }
}

/// YAML's merge key.
const MERGE: &str = "<<";

/// A map whose merges are seen through.
#[derive(Clone, Copy)]
pub(super) struct Map<'s> {
    mapping: &'s Mapping,
    outline: &'s Outline,
}

impl<'s> Map<'s> {
    /// The value of a key, its own or merged in; `None` if there is none or it is null.
    pub(super) fn get(&self, key: &'s str) -> Option<Node<'s>> {
        let value = lookup(self.mapping, key)?;
        let node = Node {
            key,
            value,
            outline: self.outline.field(key),
        };
        (!node.is_null()).then_some(node)
    }

    /// The text of a key; `None` if it is not given or empty.
    pub(super) fn text(&self, key: &'s str) -> Result<Option<String>, Error> {
        let text = self.get(key).map(|node| node.text()).transpose()?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// The map's own keys that are texts, in their order, with their places.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&'s str, Position)> + use<'s> {
        let outline = self.outline;
        // The outline keeps the order of the map, so no search is needed; behind an alias it has no fields.
        let keys = self
            .mapping
            .keys()
            .enumerate()
            .filter_map(|(index, key)| Some((index, key.as_str()?)));
        keys.filter(|(_, key)| *key != MERGE)
            .map(move |(index, key)| (key, outline.key_at(index)))
    }
}

/// Own keys come before merged ones, an earlier merge before a later one.
fn lookup<'s>(mapping: &'s Mapping, key: &str) -> Option<&'s Value> {
    mapping.get(key).or_else(|| match mapping.get(MERGE)? {
        Value::Mapping(merged) => lookup(merged, key),
        Value::Sequence(merged) => merged
            .iter()
            .filter_map(Value::as_mapping)
            .find_map(|merged| lookup(merged, key)),
        _ => None,
    })
}
