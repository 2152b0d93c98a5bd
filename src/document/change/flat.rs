//! Changes in lines: dotenv, and the sections of INI. Every value is text there.

use super::data::Data;
use super::error::Error;
use super::lines::{line_break, line_end, line_start, next_line};
use super::node::{Content, Node};
use crate::document::edit::Edit;
use crate::document::flat::text_of;
use crate::document::key_path::Step;
use crate::document::{Format, Leaf, Style, Value, dotenv, ini};
use crate::text::Span;

/// A new value as such a file can hold it.
pub(super) enum New {
    Text(Value<'static>),
    /// The keys of a section.
    Section(Vec<(String, Value<'static>)>),
}

impl New {
    /// A value as text; a map of scalars as a section.
    pub(super) fn of(node: &Node<'_>) -> Option<Self> {
        match &node.content {
            Content::Leaf(leaf) => Some(Self::Text(text(leaf))),
            Content::Branch(branch) => {
                let entry = |child: &Node<'_>| match &child.content {
                    Content::Leaf(leaf) if child.key.is_some() => Some((child.name().to_owned(), text(leaf))),
                    _ => None,
                };
                let entries: Option<Vec<_>> = branch.children.iter().map(entry).collect();
                entries
                    .filter(|_| branch.shape == crate::document::Shape::Map)
                    .map(Self::Section)
            }
        }
    }

    pub(super) fn data(&self) -> Data<'_> {
        match self {
            Self::Text(value) => Data::Leaf(value, ""),
            Self::Section(entries) => Data::Map(
                entries
                    .iter()
                    .map(|(key, value)| (key.as_str(), Data::Leaf(value, "")))
                    .collect(),
            ),
        }
    }

    /// Refuses a place that the format has no form for.
    pub(super) fn check(&self, format: Format, steps: &[Step]) -> Result<(), Error> {
        let what = match (format, self, steps) {
            (Format::Dotenv, Self::Text(_), [Step::Key(key)]) if dotenv::line(key, &Value::Null).is_some() => {
                return Ok(());
            }
            (Format::Ini, Self::Text(_), [_, Step::Key(key)]) if ini::is_key(key) => return Ok(()),
            (Format::Ini, Self::Section(entries), [_]) if entries.iter().all(|(key, _)| ini::is_key(key)) => {
                return Ok(());
            }
            (Format::Ini, Self::Text(_), [_]) => "a value outside of a section",
            (Format::Dotenv, Self::Text(_), [_]) | (Format::Ini, Self::Text(_), [_, _]) | (Format::Ini, _, [_]) => {
                "such a key"
            }
            _ => "a map or list",
        };
        Err(Error::Inexpressible {
            what,
            format: format.name(),
        })
    }
}

fn text(leaf: &Leaf<'_>) -> Value<'static> {
    Value::Str(text_of(&leaf.value).into_owned().into_bytes().into())
}

/// The edits that put a value at a place, and the extent whose comments go with them.
pub(super) fn set(
    format: Format,
    text: &str,
    root: &Node<'_>,
    steps: &[Step],
    value: &Data<'_>,
) -> Option<(Vec<Edit>, Span)> {
    let branch = root.branch()?;
    let first = steps.first()?;
    let found = branch.find(first).and_then(|at| branch.children.get(at));
    match (format, found, steps, value) {
        (Format::Dotenv, Some(node), _, &Data::Leaf(value, _)) => {
            Some((vec![Edit::new(node.span, dotenv::opened_token(value))], Span::default()))
        }
        (Format::Dotenv, None, [Step::Key(key)], &Data::Leaf(value, _)) => {
            Some((vec![at_end(text, &dotenv::line(key, value)?, "\n")], Span::default()))
        }
        (Format::Ini, Some(section), [_, Step::Key(key)], &Data::Leaf(value, _)) => {
            Some((vec![set_key(text, section, key, value)?], Span::default()))
        }
        (Format::Ini, None, [Step::Key(name), Step::Key(key)], &Data::Leaf(value, _)) => {
            Some((vec![new_section(text, name, &[(key, value)])], Span::default()))
        }
        (Format::Ini, found, [Step::Key(name)], Data::Map(entries)) => {
            let entries: Vec<_> = entries
                .iter()
                .filter_map(|(key, data)| match data {
                    Data::Leaf(value, _) => Some((*key, *value)),
                    _ => None,
                })
                .collect();
            match found {
                Some(section) => exchange(text, section, &entries),
                None => Some((vec![new_section(text, name, &entries)], Span::default())),
            }
        }
        _ => None,
    }
}

/// Lines behind the last one. Those that end in another line break keep it in their own.
fn at_end(text: &str, lines: &str, line_break: &str) -> Edit {
    let at = Span::new(text.len(), text.len());
    if text.is_empty() || text.ends_with('\n') {
        return Edit::new(at, lines);
    }
    let last = lines.strip_suffix('\n').unwrap_or(lines);
    Edit::new(at, format!("{line_break}{}", last.trim_end_matches('\r')))
}

fn set_key(text: &str, section: &Node<'_>, key: &str, value: &Value<'_>) -> Option<Edit> {
    let branch = section.branch()?;
    if let Some(Content::Leaf(leaf)) = branch
        .children
        .iter()
        .find(|child| child.name() == key)
        .map(|child| &child.content)
    {
        let token = ini::opened_token(leaf.style, value).or_else(|| ini::opened_token(Style::Plain, value))?;
        let mut span = leaf.span;
        if span.start == span.end && spaced(text, leaf) {
            // An empty value stands right behind its delimiter.
            let rest = text.get(span.end..line_end(text, span.end))?;
            span.end += rest.len() - rest.trim_start_matches([' ', '\t']).len();
            return Some(Edit::new(span, format!(" {token}")));
        }
        return Some(Edit::new(span, token));
    }
    let line = key_line(text, section, key, value);
    let at = section.span.end;
    if branch.children.is_empty() && at == 0 {
        // The first key before all sections.
        let start = if text.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        return Some(Edit::new(Span::new(start, start), line));
    }
    if at >= text.len() {
        return Some(at_end(text, &line, line_break(text)));
    }
    Some(Edit::new(Span::new(at, at), line))
}

/// Whether a blank stands before the delimiter of a key.
fn spaced(text: &str, leaf: &Leaf<'_>) -> bool {
    let end = leaf.key.as_ref().map_or(0, |key| key.span.end);
    text.get(end..).is_some_and(|rest| rest.starts_with([' ', '\t']))
}

/// A line for a key, its delimiter where the section's last one has it.
fn key_line(text: &str, section: &Node<'_>, key: &str, value: &Value<'_>) -> String {
    let last = section
        .last_leaf()
        .and_then(|leaf| leaf.key.as_ref().map(|key| (key.span, leaf)));
    let words = text_of(value);
    let line = match last {
        Some((_, leaf)) if !spaced(text, leaf) => ini::line(key, &words, 0).replacen(" = ", "=", 1),
        Some((span, leaf)) => {
            let between = text.get(span.end..leaf.span.start).unwrap_or_default();
            let room = between.find(['=', ':']).unwrap_or(1).saturating_sub(1);
            ini::line(key, &words, span.end - span.start + room)
        }
        None => ini::line(key, &words, 0),
    };
    broken(text, &line)
}

/// Lines with the line breaks of the file.
fn broken(text: &str, lines: &str) -> String {
    if line_break(text) == "\n" {
        lines.to_owned()
    } else {
        lines.replace('\n', "\r\n")
    }
}

/// A section behind all others, with a blank line between.
fn new_section(text: &str, name: &str, entries: &[(&str, &Value<'_>)]) -> Edit {
    let words: Vec<_> = entries.iter().map(|(key, value)| (*key, text_of(value))).collect();
    let keys: Vec<(&str, &str)> = words.iter().map(|(key, value)| (*key, value.as_ref())).collect();
    let gap = if text.is_empty() || text.ends_with("\n\n") || text.ends_with("\n\r\n") {
        ""
    } else {
        "\n"
    };
    let lines = broken(text, &format!("{gap}[{name}]\n{}", ini::section(&keys)));
    at_end(text, &lines, line_break(text))
}

/// Other keys in a section.
fn exchange(text: &str, section: &Node<'_>, entries: &[(&str, &Value<'_>)]) -> Option<(Vec<Edit>, Span)> {
    let words: Vec<_> = entries.iter().map(|(key, value)| (*key, text_of(value))).collect();
    let keys: Vec<(&str, &str)> = words.iter().map(|(key, value)| (*key, value.as_ref())).collect();
    let lines = broken(text, &ini::section(&keys));
    let header = next_line(text, section.span.start);
    let inside = Span::new(header.min(section.span.end), section.span.end);
    text.get(section.span.start..)?
        .starts_with('[')
        .then(|| (vec![Edit::new(inside, lines)], inside))
}

/// The edits that take away what is at a place, and the extent whose comments go with them.
pub(super) fn unset(text: &str, root: &Node<'_>, steps: &[Step]) -> Option<(Vec<Edit>, Span)> {
    let branch = root.branch()?;
    let node = branch.children.get(branch.find(steps.first()?)?)?;
    let (node, whole) = match steps.get(1) {
        None => (node, node.branch().is_some()),
        Some(step) => {
            let inner = node.branch()?;
            (inner.children.get(inner.find(step)?)?, false)
        }
    };
    if whole {
        let span = Span::new(line_start(text, node.span.start), node.span.end);
        return Some((vec![Edit::new(span, "")], span));
    }
    let start = line_start(text, node.key?.span.start);
    let end = line_end(text, node.span.end);
    // A dotenv value goes to the end of its line; in INI a comment may follow it.
    let comment = text
        .get(node.span.end..end)?
        .find(['#', ';'])
        .map(|at| node.span.end + at);
    if let Some(comment) = comment {
        return Some((vec![Edit::new(Span::new(start, comment), "")], Span::default()));
    }
    let next = next_line(text, end);
    let from = if next == end { start.saturating_sub(1) } else { start };
    Some((vec![Edit::new(Span::new(from, next), "")], Span::default()))
}
