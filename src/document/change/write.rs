//! New values as text, in the file's own manner.

use zeroize::Zeroizing;

use super::data::Data;
use crate::document::{Context, Format, Style, Value, json, yaml};

/// The longest key that stands in one line with its colon, in bytes; what SOPS's YAML library keeps to.
const LONGEST_KEY: usize = 128;

/// How a file is laid out, as far as new text has to look alike.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    pub(super) format: Format,
    pub(super) line_break: &'static str,
    /// Columns that a map is indented by below its key.
    pub(super) step: usize,
    /// Columns that dashes are indented by below their key.
    pub(super) dash: usize,
    /// What a line of JSON has more in front than the one around it.
    pub(super) unit: String,
    /// What stands behind colons and commas in one line.
    pub(super) after_colon: &'static str,
    pub(super) after_comma: &'static str,
    /// Whether text of several lines may become a block scalar.
    pub(super) blocks: bool,
}

impl Manner {
    /// A scalar, or an empty map or list. `indent` is where lines of a block scalar would begin; none where there can't be one.
    pub(super) fn token(&self, data: &Data<'_>, indent: Option<usize>) -> Zeroizing<String> {
        Zeroizing::new(match data {
            Data::Map(_) => "{}".to_owned(),
            Data::List(_) => "[]".to_owned(),
            Data::Leaf(value, raw) if self.format != Format::Yaml => json::opened_token(value, raw.as_bytes()),
            Data::Leaf(value, raw) => {
                let context = Context {
                    in_flow: false,
                    indent: indent.unwrap_or_default(),
                    takes_block: indent.is_some() && self.blocks,
                    ..Context::default()
                };
                self.scalar(Style::Plain, context, value, raw).unwrap_or_default()
            }
        })
    }

    /// A YAML scalar in a style; none where the style can't hold it.
    pub(super) fn scalar(&self, style: Style, context: Context, value: &Value<'_>, raw: &str) -> Option<String> {
        let mut token = yaml::opened_token(style, context, value, raw.as_bytes())?;
        if let Value::Float(number) = value
            && !token.contains(['.', 'e', 'E'])
        {
            // Without a point it would be an integer.
            token = yaml::opened_token(style, context, value, format!("{number:?}").as_bytes())?;
        }
        Some(if self.line_break == "\n" {
            token
        } else {
            token.replace('\n', self.line_break)
        })
    }

    /// A line break and blanks.
    pub(super) fn line(&self, column: usize) -> String {
        format!("{}{}", self.line_break, " ".repeat(column))
    }

    /// The entries or elements of a block, the first one without indentation.
    pub(super) fn block(&self, data: &Data<'_>, column: usize) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::new());
        match data {
            Data::Map(entries) => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        out.push_str(&self.line(column));
                    }
                    out.push_str(&self.entry(key, value, column));
                }
            }
            Data::List(elements) => {
                for (index, value) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push_str(&self.line(column));
                    }
                    out.push_str(&self.element(value, column));
                }
            }
            Data::Leaf(..) => out.push_str(&self.token(data, None)),
        }
        out
    }

    /// An entry of a block map whose keys stand in this column.
    pub(super) fn entry(&self, key: &str, value: &Data<'_>, column: usize) -> Zeroizing<String> {
        let mut out = Zeroizing::new(key_token(key, false));
        if out.len() > LONGEST_KEY {
            *out = format!("? {}{}", *out, self.line(column));
        }
        out.push(':');
        if value.is_token() {
            out.push(' ');
            out.push_str(&self.token(value, Some(column + self.step)));
        } else {
            let inner = self.below(value, column);
            out.push_str(&self.line(inner));
            out.push_str(&self.block(value, inner));
        }
        out
    }

    /// An element of a block list whose dashes stand in this column.
    pub(super) fn element(&self, value: &Data<'_>, column: usize) -> Zeroizing<String> {
        let mut out = Zeroizing::new("- ".to_owned());
        if value.is_token() {
            out.push_str(&self.token(value, Some(column + 2)));
        } else {
            out.push_str(&self.block(value, column + 2));
        }
        out
    }

    /// The column of a block that is the value of an entry.
    pub(super) const fn below(&self, value: &Data<'_>, column: usize) -> usize {
        match value {
            Data::List(_) => column + self.dash,
            _ => column + self.step,
        }
    }

    /// A value in brackets. `lead` is what stands in front of the line it begins in, where JSON has a line for each member.
    pub(super) fn flow(&self, data: &Data<'_>, lead: Option<&str>) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::new());
        self.flow_into(&mut out, data, lead.filter(|_| self.format != Format::Yaml));
        out
    }

    fn flow_into(&self, out: &mut String, data: &Data<'_>, lead: Option<&str>) {
        let inner = lead.map(|lead| format!("{lead}{}", self.unit));
        let between = |out: &mut String, index: usize| {
            if index > 0 {
                out.push(',');
            }
            match &inner {
                Some(inner) => {
                    out.push_str(self.line_break);
                    out.push_str(inner);
                }
                None if index > 0 => out.push_str(self.after_comma),
                None => {}
            }
        };
        match data {
            Data::Leaf(value, raw) => out.push_str(&self.flow_token(value, raw)),
            Data::Map(entries) => {
                out.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    between(out, index);
                    out.push_str(&self.flow_key(key));
                    self.flow_into(out, value, inner.as_deref());
                }
            }
            Data::List(elements) => {
                out.push('[');
                for (index, value) in elements.iter().enumerate() {
                    between(out, index);
                    self.flow_into(out, value, inner.as_deref());
                }
            }
        }
        if let (false, Some(lead)) = (data.is_token(), lead) {
            out.push_str(self.line_break);
            out.push_str(lead);
        }
        out.push_str(match data {
            Data::Leaf(..) => "",
            Data::Map(_) => "}",
            Data::List(_) => "]",
        });
    }

    fn flow_token(&self, value: &Value<'_>, raw: &str) -> Zeroizing<String> {
        let context = Context {
            in_flow: true,
            ..Context::default()
        };
        Zeroizing::new(if self.format == Format::Yaml {
            self.scalar(Style::Plain, context, value, raw).unwrap_or_default()
        } else {
            json::opened_token(value, raw.as_bytes())
        })
    }

    /// A key in brackets with its colon.
    pub(super) fn flow_key(&self, key: &str) -> String {
        if self.format == Format::Yaml {
            // YAML needs the blank.
            format!("{}: ", key_token(key, true))
        } else {
            format!("{}:{}", json::quote(key), self.after_colon)
        }
    }
}

/// A key of YAML.
fn key_token(key: &str, in_flow: bool) -> String {
    // Without quotes it would be the merge key.
    if key == "<<" {
        return "\"<<\"".to_owned();
    }
    let context = Context {
        in_flow,
        ..Context::default()
    };
    let value = Value::Str(key.as_bytes().into());
    yaml::opened_token(Style::Plain, context, &value, key.as_bytes()).unwrap_or_default()
}
