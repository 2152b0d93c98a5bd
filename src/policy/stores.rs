//! The `stores` section of `.sops.yaml`: how the formats indent what they write.

use super::error::Error;
use super::reader::Map;

/// The indentation of JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JsonIndent {
    /// One tab for each level.
    #[default]
    Tabs,
    /// So many blanks for each level; 0 gives line breaks without indentation.
    Blanks(u8),
}

/// How the formats indent what they write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stores {
    /// JSON files.
    pub json: JsonIndent,
    /// Sealed binary files, which are JSON.
    pub json_binary: JsonIndent,
    /// YAML files: blanks for each level, 2 to 9.
    pub yaml: u8,
}

impl Default for Stores {
    fn default() -> Self {
        Self {
            json: JsonIndent::Tabs,
            json_binary: JsonIndent::Tabs,
            yaml: 4,
        }
    }
}

impl Stores {
    /// Reads the section. Stricter than SOPS: at most 255 blanks, since each level of each line takes that many.
    pub(super) fn read(root: &Map<'_>) -> Result<Self, Error> {
        let Some(section) = root.get("stores") else {
            return Ok(Self::default());
        };
        let section = section.map()?;
        Ok(Self {
            json: json(&section, "json")?,
            json_binary: json(&section, "json_binary")?,
            yaml: yaml(&section)?,
        })
    }
}

fn json(section: &Map<'_>, store: &'static str) -> Result<JsonIndent, Error> {
    let Some(store) = section.get(store) else {
        return Ok(JsonIndent::Tabs);
    };
    let Some(node) = store.map()?.get("indent") else {
        return Ok(JsonIndent::Tabs);
    };
    match node.integer()? {
        -1 => Ok(JsonIndent::Tabs),
        blanks => match u8::try_from(blanks) {
            Ok(blanks) => Ok(JsonIndent::Blanks(blanks)),
            Err(_) => node.wrong("a whole number from -1 to 255"),
        },
    }
}

fn yaml(section: &Map<'_>) -> Result<u8, Error> {
    let Some(store) = section.get("yaml") else { return Ok(4) };
    let Some(node) = store.map()?.get("indent") else {
        return Ok(4);
    };
    match node.integer()? {
        0 => Ok(4),
        blanks @ 2..=9 => Ok(u8::try_from(blanks).unwrap_or(2)),
        // SOPS's YAML writer takes any other width as 2.
        1 | 10.. => Ok(2),
        _ => node.wrong("a whole number from 0"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::reader::Source;
    use super::*;

    #[test]
    fn stores_indent_as_sops_does() {
        use JsonIndent::{Blanks, Tabs};
        let cases = [
            ("{}", Tabs, Tabs, 4),
            ("{json: , yaml: {}}", Tabs, Tabs, 4),
            (
                "{json: {indent: -1}, json_binary: {indent: 0}, yaml: {indent: 0}}",
                Tabs,
                Blanks(0),
                4,
            ),
            ("{json: {indent: 2}, yaml: {indent: 2}}", Blanks(2), Tabs, 2),
            ("{yaml: {indent: 1}}", Tabs, Tabs, 2),
            ("{yaml: {indent: 9}}", Tabs, Tabs, 9),
            ("{yaml: {indent: 10}}", Tabs, Tabs, 2),
        ];
        for (text, json, json_binary, yaml) in cases {
            let source = Source::read(format!("stores: {text}").as_bytes()).unwrap().unwrap();
            let stores = Stores::read(&source.root().map().unwrap()).unwrap();
            assert_eq!(
                stores,
                Stores {
                    json,
                    json_binary,
                    yaml
                },
                "{text}"
            );
        }
    }
}
