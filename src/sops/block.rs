//! The text of the `sops` block: as SOPS emits it in YAML (section 10.1) and JSON (section 10.2).

use std::fmt::Write as _;

use super::node::Node;
use super::walk::RESERVED;
use crate::document::{json, yaml};

/// How a JSON object (or a YAML flow map) is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JsonLayout {
    /// All in one line.
    Line,
    /// One entry a line, each level indented by this.
    Lines(String),
}

/// The block as YAML lines, each ending in a line feed, with its key in `column`.
pub(super) fn yaml_lines(node: &Node, column: usize) -> String {
    let mut out = String::new();
    blanks(&mut out, column);
    out.push_str(RESERVED);
    out.push(':');
    yaml_value(&mut out, node, column);
    out
}

/// One field of the block as a YAML line with its key in `column`.
pub(super) fn yaml_field(name: &str, value: &Node, column: usize) -> String {
    let mut out = String::new();
    blanks(&mut out, column);
    yaml_key(&mut out, name);
    yaml_value(&mut out, value, column);
    out
}

/// The column of what is nested below `column`: SOPS's YAML library goes to the next multiple of four that is at least one more.
fn nested(column: usize) -> usize {
    4 * ((column + 4) / 4)
}

fn blanks(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

fn yaml_key(out: &mut String, name: &str) {
    out.push_str(&yaml::scalar(name));
    out.push(':');
}

/// What follows a key's colon or a dash in `column`, with its line feeds.
fn yaml_value(out: &mut String, node: &Node, column: usize) {
    match node {
        Node::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
        Node::List(elements) if elements.is_empty() => out.push_str(" []\n"),
        Node::Map(entries) => {
            out.push('\n');
            let column = nested(column);
            for (name, value) in entries {
                blanks(out, column);
                yaml_key(out, name);
                yaml_value(out, value, column);
            }
        }
        Node::List(elements) => {
            out.push('\n');
            for element in elements {
                blanks(out, nested(column));
                out.push('-');
                yaml_element(out, element, nested(column));
            }
        }
        Node::Text(text) => yaml_text(out, text, column),
        Node::Word(word) => {
            out.push(' ');
            out.push_str(word);
            out.push('\n');
        }
        Node::Null => out.push_str(" null\n"),
    }
}

/// A list element whose dash stands in `dash`: a map begins right behind it.
fn yaml_element(out: &mut String, node: &Node, dash: usize) {
    match node {
        Node::Map(entries) if !entries.is_empty() => {
            for (index, (name, value)) in entries.iter().enumerate() {
                if index == 0 {
                    out.push(' ');
                } else {
                    blanks(out, dash + 2);
                }
                yaml_key(out, name);
                yaml_value(out, value, dash + 2);
            }
        }
        other => yaml_value(out, other, dash),
    }
}

fn yaml_text(out: &mut String, text: &str, column: usize) {
    out.push(' ');
    // Armor is the only text of several lines here; it ends in one line feed and no line begins with a blank.
    let lines = text
        .strip_suffix('\n')
        .filter(|body| body.contains('\n') && !body.starts_with([' ', '\n']));
    match lines {
        Some(body) if !body.contains('\r') => {
            out.push_str("|\n");
            for line in body.split('\n') {
                if !line.is_empty() {
                    blanks(out, nested(column));
                }
                out.push_str(line);
                out.push('\n');
            }
        }
        _ if text.contains('\n') => {
            out.push_str(&json::quote(text));
            out.push('\n');
        }
        _ => {
            out.push_str(&yaml::scalar(text));
            out.push('\n');
        }
    }
}

/// A JSON value; `depth` is the level that its own entries' closing bracket stands on.
pub(super) fn json_value(node: &Node, layout: &JsonLayout, depth: usize) -> String {
    let mut out = String::new();
    write_json(&mut out, node, layout, depth);
    out
}

fn write_json(out: &mut String, node: &Node, layout: &JsonLayout, depth: usize) {
    match node {
        Node::Map(entries) if !entries.is_empty() => {
            out.push('{');
            for (index, (name, value)) in entries.iter().enumerate() {
                separate(out, layout, index, depth + 1);
                // Writing to a String can't fail.
                write!(out, "{}: ", json::quote(name)).ok();
                write_json(out, value, layout, depth + 1);
            }
            line(out, layout, depth);
            out.push('}');
        }
        Node::List(elements) if !elements.is_empty() => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                separate(out, layout, index, depth + 1);
                write_json(out, element, layout, depth + 1);
            }
            line(out, layout, depth);
            out.push(']');
        }
        Node::Map(_) => out.push_str("{}"),
        Node::List(_) => out.push_str("[]"),
        Node::Text(text) => out.push_str(&json::quote(text)),
        Node::Word(word) => out.push_str(word),
        Node::Null => out.push_str("null"),
    }
}

fn separate(out: &mut String, layout: &JsonLayout, index: usize, depth: usize) {
    if index > 0 {
        out.push(',');
        if *layout == JsonLayout::Line {
            out.push(' ');
        }
    }
    line(out, layout, depth);
}

fn line(out: &mut String, layout: &JsonLayout, depth: usize) {
    if let JsonLayout::Lines(unit) = layout {
        out.push('\n');
        (0..depth).for_each(|_| out.push_str(unit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Node {
        let text = |text: &str| Node::Text(text.to_owned());
        let entry = Node::Map(vec![
            ("enc".to_owned(), text("-----BEGIN\nabc\n")),
            ("recipient".to_owned(), text("ssh-ed25519 AAAA name")),
        ]);
        let groups = Node::List(vec![Node::Map(vec![("age".to_owned(), Node::List(vec![entry]))])]);
        Node::Map(vec![
            ("key_groups".to_owned(), groups),
            ("lastmodified".to_owned(), text("2026-01-02T03:04:05Z")),
            ("shamir_threshold".to_owned(), Node::Word("2".to_owned())),
            ("version".to_owned(), text("3.13.2")),
        ])
    }

    #[test]
    fn yaml_is_indented_as_sops_does_it() {
        let expected = "\
sops:
    key_groups:
        - age:
            - enc: |
                -----BEGIN
                abc
              recipient: ssh-ed25519 AAAA name
    lastmodified: \"2026-01-02T03:04:05Z\"
    shamir_threshold: 2
    version: 3.13.2
";
        assert_eq!(yaml_lines(&sample(), 0), expected);
    }

    #[test]
    fn json_comes_in_one_line_or_many() {
        let node = Node::Map(vec![(
            "a".to_owned(),
            Node::List(vec![Node::Word("1".to_owned()), Node::Null]),
        )]);
        assert_eq!(json_value(&node, &JsonLayout::Line, 1), "{\"a\": [1, null]}");
        let lines = JsonLayout::Lines("\t".to_owned());
        assert_eq!(
            json_value(&node, &lines, 1),
            "{\n\t\t\"a\": [\n\t\t\t1,\n\t\t\tnull\n\t\t]\n\t}"
        );
    }
}
