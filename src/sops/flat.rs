//! The `sops` block of the stores without nesting (format, section 5.4): one line a scalar, its place in the tree folded into its name.

use std::collections::BTreeMap;

use super::error::Error;
use super::metadata::{LAYOUT, Metadata};
use super::node::Node;
use super::placement::Entry;
use super::sealed::Sealed;
use super::walk::{PREFIX, RESERVED};
use crate::document::edit::{Edit, apply};
use crate::document::{Document, Format, Item, Leaf, Origin, Value, ini};
use crate::text::Span;

const MAP: &str = "__map_";
const LIST: &str = "__list_";

/// The scalars of a block with their flat names, in order.
fn flattened(node: &Node) -> Vec<(String, String)> {
    let mut out = Vec::new();
    if let Node::Map(entries) = node {
        for (name, value) in entries {
            flatten(name.clone(), value, &mut out);
        }
    }
    out
}

fn flatten(name: String, node: &Node, out: &mut Vec<(String, String)>) {
    match node {
        Node::Map(entries) => {
            for (key, value) in entries {
                flatten(format!("{name}{MAP}{key}"), value, out);
            }
        }
        Node::List(elements) => {
            for (index, value) in elements.iter().enumerate() {
                flatten(format!("{name}{LIST}{index}"), value, out);
            }
        }
        Node::Text(text) | Node::Word(text) => out.push((name, text.clone())),
        Node::Null => {}
    }
}

/// One step of a flat name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    Index(usize),
}

/// A tree that is being built; a node with both a text and something below it is no tree.
#[derive(Default)]
struct Branch {
    text: Option<String>,
    below: BTreeMap<Step, Branch>,
}

/// The tree of a block from its flat entries, whatever their order.
fn unflattened(entries: impl Iterator<Item = (String, String)>) -> Result<Node, Error> {
    const TWICE: Error = Error::Metadata("an entry stands twice");
    let mut root = Branch::default();
    for (name, text) in entries {
        let mut branch = &mut root;
        for step in steps(&name)? {
            branch = branch.below.entry(step).or_default();
        }
        if branch.text.replace(text).is_some() {
            return Err(TWICE);
        }
    }
    node(root)
}

/// The most steps that a name may have; SOPS's own have four.
const MAX_STEPS: usize = 32;

fn steps(name: &str) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    let (mut rest, mut list) = (name, false);
    loop {
        if steps.len() == MAX_STEPS {
            return Err(Error::Metadata("an entry is nested too deeply"));
        }
        let next = [rest.find(MAP), rest.find(LIST)].into_iter().flatten().min();
        let (part, more) = rest.split_at(next.unwrap_or(rest.len()));
        steps.push(if list {
            Step::Index(part.parse().map_err(|_| Error::Metadata("a list index is no number"))?)
        } else {
            Step::Key(part.to_owned())
        });
        if let Some(more) = more.strip_prefix(LIST) {
            (rest, list) = (more, true);
        } else if let Some(more) = more.strip_prefix(MAP) {
            (rest, list) = (more, false);
        } else {
            return Ok(steps);
        }
    }
}

fn node(branch: Branch) -> Result<Node, Error> {
    let Branch { text, below } = branch;
    match text {
        Some(text) if below.is_empty() => return Ok(Node::Text(text)),
        Some(_) => return Err(Error::Metadata("an entry is both a value and more")),
        None => {}
    }
    let size = below.len();
    let (mut entries, mut elements) = (Vec::new(), Vec::new());
    for (step, branch) in below {
        match step {
            Step::Key(key) => entries.push((key, node(branch)?)),
            Step::Index(index) if index == elements.len() => elements.push(node(branch)?),
            Step::Index(_) => return Err(Error::Metadata("a list has gaps")),
        }
    }
    match elements.len() {
        0 => Ok(Node::Map(entries)),
        length if length == size => Ok(Node::List(elements)),
        _ => Err(Error::Metadata("an entry is both a map and a list")),
    }
}

/// The leaves of a block with their names in it. Values that a later one overrides are left out, as SOPS does.
fn leaves<'d, 't>(document: &'d Document<'t>, entries: &'d [Entry]) -> impl Iterator<Item = (&'d str, &'d Leaf<'t>)> {
    let prefix = if document.format == Format::Dotenv { PREFIX } else { "" };
    let items = entries
        .iter()
        .filter_map(|entry| document.items.get(entry.item..entry.item + entry.length));
    items.flatten().filter_map(move |item| match item {
        Item::Leaf(leaf) if leaf.origin != Origin::Overridden => {
            Some((leaf.key.as_ref()?.name.strip_prefix(prefix)?, leaf))
        }
        _ => None,
    })
}

/// The block as a tree.
///
/// # Errors
/// [`Error::Metadata`] for names that make no tree.
pub(super) fn read(document: &Document<'_>, entries: &[Entry]) -> Result<Node, Error> {
    unflattened(leaves(document, entries).map(|(name, leaf)| (name.to_owned(), text(leaf))))
}

/// The text of a field. A carriage return is what an editor or Git put there; no field ends with one.
fn text(leaf: &Leaf<'_>) -> String {
    let Value::Str(bytes) = &leaf.value else {
        return String::new();
    };
    let text = String::from_utf8_lossy(bytes);
    text.strip_suffix('\r').unwrap_or(&text).replace("\\n", "\n")
}

/// The lines of a block as SOPS writes them.
///
/// In INI, line breaks stand as they are, in three quotes: every release reads that, while 3.13.0 and 3.13.1 do not read the `\n`
/// that the others write.
pub(super) fn lines(format: Format, node: &Node) -> String {
    let entries = flattened(node);
    if format == Format::Dotenv {
        let line = |(name, text): &(String, String)| format!("{PREFIX}{name}={}\n", text.replace('\n', "\\n"));
        return entries.iter().map(line).collect();
    }
    let entries: Vec<(&str, &str)> = entries
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    format!("[{RESERVED}]\n{}", ini::section(&entries))
}

/// The lines that an entry takes, whole.
fn whole_lines(document: &Document<'_>, entry: &Entry) -> Span {
    let text = document.text;
    let items = document
        .items
        .get(entry.item..entry.item + entry.length)
        .unwrap_or_default();
    let mut span = Span::new(text.len(), 0);
    for item in items {
        let (start, end) = match item {
            Item::Enter(container) => (container.span.start, container.span.end),
            Item::Leaf(leaf) if document.format == Format::Dotenv => (
                leaf.key.as_ref().map_or(leaf.span.start, |key| key.span.start),
                leaf.span.end,
            ),
            _ => continue,
        };
        span = Span::new(span.start.min(start), span.end.max(end));
    }
    let start = text[..span.start].rfind('\n').map_or(0, |feed| feed + 1);
    let end = if text[..span.end].ends_with('\n') {
        span.end
    } else {
        text[span.end..]
            .find('\n')
            .map_or(text.len(), |feed| span.end + feed + 1)
    };
    Span::new(start, end)
}

/// The text that an entry takes, with what joins it to what is before it: the blank line above an INI section, and the line feed that a
/// text without one at its end got.
pub(super) fn extent(document: &Document<'_>, entry: &Entry) -> Span {
    let mut span = whole_lines(document, entry);
    let text = document.text;
    if document.format == Format::Ini {
        let before = &text[..span.start];
        if before.ends_with("\n\n") {
            span.start -= 1;
        } else if before.ends_with("\n\r\n") {
            span.start -= 2;
        }
    }
    if span.end == text.len() && !text.ends_with('\n') && span.start > 0 {
        span.start -= 1;
    }
    span
}

/// The edit that puts a block's lines at the end.
pub(super) fn insert(document: &Document<'_>, block: &str) -> Edit {
    let text = document.text;
    let blank = if document.format == Format::Ini && !text.is_empty() {
        "\n"
    } else {
        ""
    };
    let at = Span::new(text.len(), text.len());
    if text.is_empty() || text.ends_with('\n') {
        return Edit::new(at, format!("{blank}{block}"));
    }
    Edit::new(at, format!("\n{blank}{}", block.strip_suffix('\n').unwrap_or(block)))
}

/// The lines of a file's block with other values for `mac`, `lastmodified` and the layout note, all else byte for byte. `None` where
/// one of them is missing.
pub(super) fn block_with(sealed: &Sealed<'_>, fields: &Metadata) -> Option<String> {
    let document = &sealed.document;
    let field = |name: &str| leaves(document, &sealed.entries).find(|(own, _)| *own == name);
    let (_, mac) = field("mac")?;
    let (_, modified) = field("lastmodified")?;
    let mut edits = vec![(mac.span, fields.mac.clone())];
    if fields.last_modified != sealed.metadata.last_modified {
        edits.push((modified.span, fields.last_modified.clone()));
    }
    match (field(LAYOUT), &fields.layout) {
        (None, None) => {}
        (Some((_, old)), Some(new)) => edits.push((old.span, new.clone())),
        (None, Some(new)) => {
            let key = modified.key.as_ref()?.span;
            let line = document.text.get(..key.start)?.rfind('\n').map_or(0, |feed| feed + 1);
            edits.push((Span::new(line, line), field_line(document, modified, new)?));
        }
        // The way back is rare: the block is written anew.
        (Some(_), None) => return None,
    }
    let mut block = String::new();
    for entry in &sealed.entries {
        let span = whole_lines(document, entry);
        let inside = edits
            .iter()
            .filter(|(place, _)| span.start <= place.start && place.end <= span.end);
        let inside = inside.map(|(place, text)| {
            Edit::new(
                Span::new(place.start - span.start, place.end - span.start),
                text.as_str(),
            )
        });
        block.push_str(&apply(span.of(document.text), inside.collect()).text);
        if !block.ends_with('\n') {
            block.push('\n');
        }
    }
    Some(block)
}

/// The line of the layout note, its delimiter in the column of `beside`.
fn field_line(document: &Document<'_>, beside: &Leaf<'_>, note: &str) -> Option<String> {
    if document.format == Format::Dotenv {
        return Some(format!("{PREFIX}{LAYOUT}={note}\n"));
    }
    let key = beside.key.as_ref()?.span;
    let between = document.text.get(key.end..beside.span.start)?;
    let room = between.len() - between.trim_start().len();
    Some(ini::line(LAYOUT, note, (key.end - key.start + room).saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    fn entries(names: &[(&str, &str)]) -> Vec<(String, String)> {
        names
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn names_that_make_no_tree_are_refused() {
        #[track_caller]
        fn case(names: &[(&str, &str)], expected: &str) {
            let refused = unflattened(entries(names).into_iter()).unwrap_err();
            assert!(refused.to_string().ends_with(expected), "{refused}");
        }
        case(&[("a", "1"), ("a", "2")], "an entry stands twice");
        case(&[("a", "1"), ("a__map_b", "2")], "an entry is both a value and more");
        case(
            &[("a__list_0", "1"), ("a__map_b", "2")],
            "an entry is both a map and a list",
        );
        case(&[("a__list_1", "1")], "a list has gaps");
        case(
            &[("a__map_b".repeat(50_000).as_str(), "1")],
            "an entry is nested too deeply",
        );
        case(&[("a__list_x", "1")], "a list index is no number");
        case(&[("a__list_99999999999999999999999", "1")], "a list index is no number");
    }

    #[test]
    fn a_tree_is_flattened_and_found_again() {
        let flat = [
            ("age__list_0__map_enc", "x"),
            ("age__list_0__map_recipient", "y"),
            ("key_groups__list_0__map_age__list_0__map_enc", "-"),
            ("key_groups__list_0__map_age__list_1__map_enc", ""),
            ("kms__list_0__map_context__map_a", "1"),
            ("mac", "z"),
        ];
        let tree = unflattened(entries(&flat).into_iter().rev()).unwrap();
        let again = flattened(&tree);
        assert_eq!(again, entries(&flat));
        let many = (0..12).map(|index| (format!("age__list_{index}__map_enc"), index.to_string()));
        let tree = unflattened(many.clone().rev()).unwrap();
        assert_eq!(
            flattened(&tree),
            many.collect::<Vec<_>>(),
            "the order of numbers, not of texts"
        );
        assert!(flattened(&Node::Map(vec![("age".to_owned(), Node::List(vec![]))])).is_empty());
    }

    #[test]
    fn lines_are_those_of_sops() {
        let tree = unflattened(entries(&[("mac", "a#b"), ("age__list_0__map_enc", "x\ny\n")]).into_iter()).unwrap();
        assert_eq!(
            lines(Format::Dotenv, &tree),
            "sops_age__list_0__map_enc=x\\ny\\n\nsops_mac=a#b\n"
        );
        assert_eq!(
            lines(Format::Ini, &tree),
            "[sops]\nage__list_0__map_enc = \"\"\"x\ny\n\"\"\"\nmac                  = `a#b`\n"
        );
    }
}
