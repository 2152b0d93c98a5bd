//! How a file is laid out, found by looking at it.

use super::lines::{before_in_line, column, line_break, skip_trivia, starts_line};
use super::node::Node;
use super::write::Manner;
use crate::document::{Document, Format, Shape};

/// The columns of SOPS.
const STEP: usize = 4;

impl Manner {
    /// The manner of a document.
    pub(super) fn of(document: &Document<'_>, root: &Node<'_>) -> Self {
        let text = document.text;
        let mut found = Found::default();
        found.look(text, root);
        let is_yaml = document.format == Format::Yaml;
        let step = found.step.or(found.dash.filter(|dash| *dash > 0)).unwrap_or(STEP);
        let after_colon = found.after_colon.unwrap_or(" ");
        Self {
            format: document.format,
            line_break: line_break(text),
            step,
            dash: found.dash.unwrap_or(step),
            unit: found.unit.unwrap_or_else(|| "\t".to_owned()),
            after_colon,
            after_comma: if is_yaml {
                " "
            } else {
                found.after_comma.unwrap_or(after_colon)
            },
            blocks: true,
        }
    }
}

/// What the first of each kind shows.
#[derive(Default)]
struct Found {
    step: Option<usize>,
    dash: Option<usize>,
    unit: Option<String>,
    after_colon: Option<&'static str>,
    after_comma: Option<&'static str>,
}

impl Found {
    fn look(&mut self, text: &str, node: &Node<'_>) {
        let Some(branch) = node.branch() else { return };
        let own = column(text, node.span.start);
        for child in &branch.children {
            let Some(inner) = child.branch() else { continue };
            if branch.flow || inner.flow || branch.shape == Shape::List || child.span.start == child.span.end {
                continue;
            }
            let further = column(text, child.span.start).checked_sub(own);
            match inner.shape {
                Shape::Map => self.step = self.step.or(further.filter(|columns| *columns > 0)),
                Shape::List => self.dash = self.dash.or(further),
            }
        }
        if branch.flow {
            self.look_in_brackets(text, node);
        }
        branch.children.iter().for_each(|child| self.look(text, child));
    }

    fn look_in_brackets(&mut self, text: &str, node: &Node<'_>) {
        let children = node
            .branch()
            .map(|branch| branch.children.as_slice())
            .unwrap_or_default();
        let blank = |at: usize| {
            if text.get(at..).is_some_and(|rest| rest.starts_with(' ')) {
                " "
            } else {
                ""
            }
        };
        let start = |child: &Node<'_>| child.key.map_or(child.span.start, |key| key.span.start);
        if let Some(key) = children.first().and_then(|child| child.key) {
            let colon = skip_trivia(text, key.span.end, false);
            self.after_colon = self.after_colon.or(Some(blank(colon + 1)));
        }
        if let Some(first) = children.first().map(start).filter(|first| starts_line(text, *first)) {
            let outer = before_in_line(text, node.span.start);
            let outer = outer.len() - outer.trim_start_matches([' ', '\t']).len();
            let unit = before_in_line(text, first).get(outer..).unwrap_or_default();
            self.unit = self.unit.take().or_else(|| Some(unit.to_owned()));
        }
        if let [first, second, ..] = children
            && !starts_line(text, start(second))
        {
            self.after_comma = self.after_comma.or(Some(blank(first.span.end + 1)));
        }
    }
}
