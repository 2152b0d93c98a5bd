//! Changes in the blocks of YAML: lines that say by their columns what belongs together.

use super::data::Data;
use super::lines::{before_in_line, column, line_end, line_start, next_line, skip_trivia, starts_line};
use super::node::{Branch, Content, Node};
use super::write::Manner;
use crate::document::edit::Edit;
use crate::document::{Leaf, Origin, Shape, Style, Value};
use crate::text::Span;

/// A block text and how it is laid out.
#[derive(Clone, Copy)]
pub(super) struct Block<'b> {
    pub(super) text: &'b str,
    pub(super) manner: &'b Manner,
}

impl Block<'_> {
    /// Another value in the place of a node's.
    pub(super) fn replace(self, node: &Node<'_>, parent: usize, value: &Data<'_>) -> Vec<Edit> {
        let is_block = node.origin == Origin::Text && node.branch().is_some_and(|branch| !branch.flow);
        match (&node.content, value.is_token()) {
            (Content::Leaf(leaf), true) => self.leaf(leaf, value),
            (Content::Branch(_), true) if is_block => self.collapse(node, parent, value),
            (Content::Branch(_), true) => vec![Edit::new(node.span, self.manner.token(value, None).as_str())],
            (Content::Branch(branch), false) if is_block => self.reblock(node, branch.shape, parent, value),
            (_, false) => self.unfold(node, parent, value),
        }
    }

    /// A scalar, or empty brackets, in the place of a scalar: in its style if that holds it.
    fn leaf(self, leaf: &Leaf<'_>, value: &Data<'_>) -> Vec<Edit> {
        if leaf.span.start == leaf.span.end {
            let token = self.manner.token(value, Some(leaf.context.indent));
            return vec![Edit::new(leaf.span, format!(" {}", *token))];
        }
        let bare = Span::new(untagged(self.text, leaf.span.start), leaf.span.end);
        let Data::Leaf(new, raw) = value else {
            let token = self.manner.token(value, None);
            return vec![Edit::new(bare, format!("{}{}", *token, self.header_comment(leaf)))];
        };
        let is_block = matches!(leaf.style, Style::Literal | Style::Folded);
        if is_block
            && same_end(&leaf.value, new)
            && let Some(body) = self.manner.scalar(leaf.style, leaf.context, new, raw)
        {
            return vec![Edit::new(leaf.body, body)];
        }
        let style = match leaf.style {
            style @ (Style::Single | Style::Double) => style,
            _ => Style::Plain,
        };
        let mut context = leaf.context;
        context.takes_block &= self.manner.blocks && !leaf.context.header_comment;
        let mut token = self.manner.scalar(style, context, new, raw).unwrap_or_default();
        token.push_str(&self.header_comment(leaf));
        // A tag that says that it is text would make text of everything.
        let is_text = matches!(new, Value::Str(_));
        vec![Edit::new(if is_text { leaf.span } else { bare }, token)]
    }

    /// The comment in the header of a block scalar, with a blank.
    pub(super) fn header_comment(self, leaf: &Leaf<'_>) -> String {
        if !leaf.context.header_comment {
            return String::new();
        }
        let header = self
            .text
            .get(leaf.span.start..line_end(self.text, leaf.span.start))
            .unwrap_or_default();
        header
            .split_once('#')
            .map(|(_, comment)| format!(" #{comment}"))
            .unwrap_or_default()
    }

    /// Where the value of a node may begin: behind its colon or dash.
    fn marker_end(self, node: &Node<'_>, dash: usize) -> usize {
        let Some(key) = node.key else { return dash + 1 };
        let at = skip_trivia(self.text, key.span.end, false);
        let colon = self.text.get(at..).is_some_and(|rest| rest.starts_with(':'));
        if colon { at + 1 } else { key.span.end }
    }

    /// A token in the place of a block.
    fn collapse(self, node: &Node<'_>, parent: usize, value: &Data<'_>) -> Vec<Edit> {
        let start = node.span.start;
        let Some(marker) = self.marker(node) else {
            return Vec::new();
        };
        let before = self.text.get(marker..start).unwrap_or_default();
        if before.contains('#') {
            let own = column(self.text, start).max(parent + 1);
            let token = self.manner.token(value, None);
            let line = format!("{}{}", " ".repeat(own), *token);
            return vec![Edit::new(Span::new(line_start(self.text, start), node.span.end), line)];
        }
        let indent = parent + if node.key.is_some() { self.manner.step } else { 2 };
        let token = self.manner.token(value, Some(indent));
        vec![Edit::new(
            Span::new(marker, node.span.end),
            format!("{} {}", props(before), *token),
        )]
    }

    /// Where a node's value may begin, if it is an entry or behind a dash that can be found.
    fn marker(self, node: &Node<'_>) -> Option<usize> {
        if node.key.is_some() {
            return Some(self.marker_end(node, 0));
        }
        let before = self.text.get(..node.span.start)?;
        // Between an element and its dash stand blanks, line breaks, properties and comments.
        let mut end = before.len();
        loop {
            let dash = before.get(..end)?.rfind('-')?;
            let line = before_in_line(self.text, dash);
            let only_markers = line.trim_start_matches([' ', '\t', '-', '?', ':']).is_empty();
            let is_dash = before
                .get(dash + 1..)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
            if only_markers && is_dash {
                return Some(dash + 1);
            }
            end = dash;
        }
    }

    /// Lines in the place of a block.
    fn reblock(self, node: &Node<'_>, shape: Shape, parent: usize, value: &Data<'_>) -> Vec<Edit> {
        let start = node.span.start;
        let own = column(self.text, start);
        if !starts_line(self.text, start) {
            return vec![Edit::new(node.span, self.manner.block(value, own).as_str())];
        }
        let keeps = own > parent || (shape == Shape::List && matches!(value, Data::List(_)));
        let own = if keeps { own } else { self.manner.below(value, parent) };
        let lines = format!("{}{}", " ".repeat(own), *self.manner.block(value, own));
        vec![Edit::new(Span::new(line_start(self.text, start), node.span.end), lines)]
    }

    /// Lines in the place of something in a line.
    fn unfold(self, node: &Node<'_>, parent: usize, value: &Data<'_>) -> Vec<Edit> {
        let (text, start, end) = (self.text, node.span.start, node.span.end);
        let Some(marker) = self.marker(node) else {
            return Vec::new();
        };
        let before = text.get(marker..start).unwrap_or_default();
        let header = match &node.content {
            Content::Leaf(leaf) => self.header_comment(leaf),
            Content::Branch(_) => String::new(),
        };
        let after = text.get(end..line_end(text, end)).unwrap_or_default();
        let in_line =
            before.trim().is_empty() && !before.contains('\n') && after.trim().is_empty() && header.is_empty();
        if node.key.is_none() && in_line {
            let blanks = if before.is_empty() { " " } else { before };
            let own = column(text, marker) + blanks.chars().count();
            return vec![Edit::new(
                Span::new(marker, end),
                format!("{blanks}{}", *self.manner.block(value, own)),
            )];
        }
        let own = if node.key.is_some() {
            self.manner.below(value, parent)
        } else {
            parent + 2
        };
        let lines = self.manner.block(value, own);
        if before.contains('#') {
            let lines = format!("{}{}", " ".repeat(own), *lines);
            return vec![Edit::new(Span::new(line_start(text, start), end), lines)];
        }
        let first = Edit::new(Span::new(marker, end), format!("{}{header}", props(before)));
        let below = format!("{}{}", self.manner.line(own), *lines);
        if after.trim().is_empty() {
            let at = Span::new(marker, end + after.len());
            return vec![Edit::new(at, format!("{}{below}", *first.text))];
        }
        let at = line_end(text, end);
        vec![first, Edit::new(Span::new(at, at), below)]
    }

    /// A new last member of a block that has some.
    pub(super) fn insert(self, node: &Node<'_>, branch: &Branch<'_>, key: Option<&str>, value: &Data<'_>) -> Vec<Edit> {
        let (Some(first), Some(last)) = (branch.children.first(), branch.children.last()) else {
            return Vec::new();
        };
        let own = match first.key {
            Some(key) => column(self.text, entry_start(self.text, key.span.start)),
            None => column(self.text, node.span.start),
        };
        let new = match key {
            Some(key) => self.manner.entry(key, value, own),
            None => self.manner.element(value, own),
        };
        let at = self.end_of(last);
        vec![Edit::new(
            Span::new(at, at),
            format!("{}{}", self.manner.line(own), *new),
        )]
    }

    /// The end of the last line of a node: for a block scalar that keeps the line breaks at its end, of the last of these.
    fn end_of(self, node: &Node<'_>) -> usize {
        let mut end = line_end(self.text, node.span.end);
        if self.keeps_breaks(node) {
            end = self.end_of_blank(end);
        }
        end
    }

    /// Whether a node ends in a block scalar that keeps the line breaks at its end.
    fn keeps_breaks(self, node: &Node<'_>) -> bool {
        node.last_leaf().is_some_and(|leaf| {
            let header = leaf.span.of(self.text).lines().next().unwrap_or_default();
            matches!(leaf.style, Style::Literal | Style::Folded)
                && header.split('#').next().unwrap_or_default().contains('+')
        })
    }

    /// The end of the blank lines below the one that ends here.
    fn end_of_blank(self, mut end: usize) -> usize {
        loop {
            let next = next_line(self.text, end);
            let line = Span::new(next, line_end(self.text, next));
            // Only a line that ends in a break is one of its own.
            if next_line(self.text, next) == line.end || !line.of(self.text).trim().is_empty() {
                return end;
            }
            end = line.end;
        }
    }

    /// A member taken away, of a block that has others. Comments stay.
    pub(super) fn remove(self, node: &Node<'_>, branch: &Branch<'_>, index: usize) -> Option<Vec<Edit>> {
        let text = self.text;
        let child = branch.children.get(index)?;
        let start = self.member_start(node, branch, index)?;
        let mut end = self.end_of(child);
        let before = index.checked_sub(1).and_then(|index| branch.children.get(index));
        if before.is_some_and(|before| self.keeps_breaks(before)) {
            // Blank lines would become the value of the one before.
            end = self.end_of_blank(end);
        }
        let own_end = line_end(text, child.span.end);
        let comment = self.comments_of(child, start, own_end);
        if starts_line(text, start) {
            if !comment.is_empty() {
                return Some(vec![Edit::new(Span::new(start, end), comment)]);
            }
            let from = line_start(text, start);
            let next = next_line(text, end);
            if next > end {
                return Some(vec![Edit::new(Span::new(from, next), "")]);
            }
            if before.is_some_and(|before| self.keeps_breaks(before)) {
                return Some(vec![Edit::new(Span::new(from, end), "")]);
            }
            // The last line, without a break: the one before it goes.
            let before = text.get(..from)?;
            let from = before
                .strip_suffix('\n')
                .map_or(from, |rest| rest.trim_end_matches('\r').len());
            return Some(vec![Edit::new(Span::new(from, end), "")]);
        }
        let next = self.member_start(node, branch, index + 1)?;
        let gap_is_blank = text.get(end..next)?.trim().is_empty();
        if comment.is_empty() && gap_is_blank {
            return Some(vec![Edit::new(Span::new(start, next), "")]);
        }
        Some(vec![Edit::new(Span::new(start, end), comment)])
    }

    fn member_start(self, node: &Node<'_>, branch: &Branch<'_>, index: usize) -> Option<usize> {
        let child = branch.children.get(index)?;
        match child.key {
            Some(key) => Some(entry_start(self.text, key.span.start)),
            None if index == 0 => Some(node.span.start),
            None => Some(self.marker(child)? - 1),
        }
    }

    /// The comments that stand in the lines of a member but not inside of it.
    fn comments_of(self, child: &Node<'_>, start: usize, own_end: usize) -> String {
        let after = self.text.get(child.span.end..own_end).unwrap_or_default().trim();
        let before = self
            .marker(child)
            .and_then(|marker| self.text.get(marker..child.span.start));
        let before = before
            .filter(|before| before.contains('#'))
            .and_then(|before| before.find('#').and_then(|at| before.get(at..)));
        let mut comments = vec![before.unwrap_or_default().trim_end().to_owned()];
        if let Content::Leaf(leaf) = &child.content {
            comments.push(self.header_comment(leaf).trim().to_owned());
        }
        if after.starts_with('#') {
            comments.push(after.to_owned());
        }
        comments.retain(|comment| !comment.is_empty());
        comments.join(&self.manner.line(column(self.text, start)))
    }
}

/// The anchor of a value, with a blank in front. A tag is for what it was.
fn props(before: &str) -> String {
    let anchors = before.split_whitespace().filter(|word| !word.starts_with('!'));
    anchors.map(|word| format!(" {word}")).collect()
}

/// Where a value begins that has its tag in front.
pub(super) fn untagged(text: &str, start: usize) -> usize {
    let before = text.get(..start).unwrap_or_default().trim_end_matches([' ', '\t']);
    let word = before.rfind([' ', '\t', '\n', '[', '{', ',']).map_or(0, |at| at + 1);
    if before.get(word..).is_some_and(|word| word.starts_with('!')) {
        word
    } else {
        start
    }
}

/// Whether two texts end in the same number of line breaks, so that one header fits both, and the new one needs no indentation
/// indicator.
fn same_end(old: &Value<'_>, new: &Value<'_>) -> bool {
    let (Value::Str(old), Value::Str(new)) = (old, new) else {
        return false;
    };
    let breaks = |text: &[u8]| text.iter().rev().take_while(|byte| **byte == b'\n').count();
    let starts = new
        .iter()
        .find(|byte| **byte != b'\n')
        .is_some_and(|byte| !matches!(byte, b' ' | b'\t'));
    starts && breaks(old) == breaks(new)
}

/// Where an entry begins: its key, or what says something about it in front (`?`, an anchor, a tag).
pub(in crate::document) fn entry_start(text: &str, key: usize) -> usize {
    let line = before_in_line(text, key);
    let mut rest = line.trim_start_matches([' ', '\t']);
    while let Some(after) = rest.strip_prefix('-').filter(|after| after.starts_with([' ', '\t'])) {
        rest = after.trim_start_matches([' ', '\t']);
    }
    key - rest.len()
}
