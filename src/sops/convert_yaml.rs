//! A plain document as YAML (format, section 10.1), laid out as SOPS does it.

use zeroize::Zeroizing;

use super::convert::{first, room_for};
use super::error::Error;
use super::extract::root_shape;
use crate::document::{Context, Document, Format, Item, Key, Origin, Shape, Style, Value, yaml};

/// The longest key that stands in one line with its colon, in bytes; what SOPS's YAML library keeps to.
const LONGEST_KEY: usize = 128;

/// A container that is being written as YAML.
struct Level {
    shape: Shape,
    /// Where its keys or dashes stand.
    column: usize,
}

struct YamlWriter {
    out: Zeroizing<String>,
    step: usize,
    levels: Vec<Level>,
    /// Whether a dash has begun the line: the first member of a container in a list stands behind it.
    behind_dash: bool,
}

/// The first document as YAML.
pub(super) fn to_yaml(document: &Document<'_>, size: usize, step: usize) -> Result<Zeroizing<String>, Error> {
    let out = room_for(document, size, step);
    let shape = root_shape(document);
    let levels = vec![Level { shape, column: 0 }];
    let mut writer = YamlWriter {
        out,
        step: step.max(1),
        levels,
        behind_dash: false,
    };
    let items: Vec<_> = first(document).collect();
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Enter(container) => {
                let mut inside = items.iter().skip(index + 1);
                let next = inside.find(|item| !matches!(item, Item::Comment(_)));
                let empty = matches!(next, Some(Item::Leave));
                writer.enter(container.key.as_ref(), container.shape, empty);
            }
            Item::Leave => {
                writer.levels.pop();
            }
            Item::Leaf(leaf) if leaf.origin == Origin::Overridden => {}
            Item::Leaf(leaf) => writer.leaf(leaf.key.as_ref(), &leaf.value)?,
            Item::Comment(comment) if comment.lost => {}
            Item::Comment(comment) => writer.comment(&comment.text),
            Item::Begin(_) => {}
        }
    }
    if writer.out.is_empty() {
        writer.out.push_str("{}\n");
    }
    Ok(writer.out)
}

impl YamlWriter {
    fn column(&self) -> usize {
        self.levels.last().map_or(0, |level| level.column)
    }

    /// The column of what is nested here: behind a dash two more, else the next step.
    fn nested(&self) -> usize {
        match self.levels.last() {
            Some(Level {
                shape: Shape::List,
                column,
            }) => column + 2,
            _ => self.step * ((self.column() + self.step) / self.step),
        }
    }

    fn line_start(&mut self) {
        if !std::mem::take(&mut self.behind_dash) {
            let column = self.column();
            self.out.extend(std::iter::repeat_n(' ', column));
        }
    }

    /// Begins a member: its key and colon, or its dash.
    fn member(&mut self, key: Option<&Key<'_>>) {
        self.line_start();
        let Some(key) = key else {
            self.out.push('-');
            return;
        };
        let token = yaml::scalar(&key.name);
        if token.len() > LONGEST_KEY {
            self.out.push_str("? ");
            self.out.push_str(&token);
            self.out.push('\n');
            self.line_start();
        } else {
            self.out.push_str(&token);
        }
        self.out.push(':');
    }

    fn enter(&mut self, key: Option<&Key<'_>>, shape: Shape, empty: bool) {
        self.member(key);
        let column = self.nested();
        match (empty, shape) {
            (true, Shape::Map) => self.out.push_str(" {}\n"),
            (true, Shape::List) => self.out.push_str(" []\n"),
            (false, _) if key.is_none() => {
                self.out.push(' ');
                self.behind_dash = true;
            }
            (false, _) => self.out.push('\n'),
        }
        self.levels.push(Level { shape, column });
    }

    /// A comment; each of its lines is one here.
    fn comment(&mut self, text: &str) {
        for line in text.split('\n') {
            self.line_start();
            self.out.push('#');
            self.out.push_str(line.trim_end_matches('\r'));
            self.out.push('\n');
        }
    }

    fn leaf(&mut self, key: Option<&Key<'_>>, value: &Value<'_>) -> Result<(), Error> {
        self.member(key);
        self.out.push(' ');
        let context = Context {
            indent: self.nested(),
            takes_block: true,
            ..Context::default()
        };
        let plain = value.plain_bytes().unwrap_or_default();
        let token = yaml::opened_token(Style::Plain, context, value, &plain).map(Zeroizing::new);
        self.out.push_str(&token.ok_or(Error::Inexpressible {
            what: "a value",
            format: Format::Yaml.name(),
        })?);
        self.out.push('\n');
        Ok(())
    }
}
