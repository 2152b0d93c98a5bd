//! A text cut into entries, without a gap: what stands above an entry, its key, its value, the rest of its line.
//!
//! Cut at lines in blocks and in the formats of lines, at commas in brackets. Each byte belongs to one piece, so that pieces of
//! several texts can be put together and the rest stays as it is.

use crate::document::change::lines::{column, line_end, line_start, next_line, skip_trivia, starts_line};
use crate::document::change::node::{Branch, Content, Node};
use crate::document::{Document, Format, Origin, Root, RootStyle, Shape, Style};

/// An entry of a map, an element of a list, or a whole document.
pub(super) struct Entry<'a> {
    /// Its key; empty for elements and documents.
    pub(super) name: &'a str,
    /// What it says.
    pub(super) node: &'a Node<'a>,
    /// Comments and blank lines above it; in brackets, the blanks in front.
    pub(super) lead: &'a str,
    /// The blanks in front of it in its line; in brackets nothing.
    pub(super) indent: &'a str,
    /// The column it begins in.
    pub(super) column: usize,
    /// All of it, up to the end of its last line; in brackets, up to the next comma or bracket.
    pub(super) whole: &'a str,
    /// The part in front of its value.
    pub(super) head: &'a str,
    /// Its value.
    pub(super) token: &'a str,
    /// What follows its value in the line.
    pub(super) tail: &'a str,
    /// Its value, if it is a map or list that can be cut.
    pub(super) body: Option<Body<'a>>,
}

/// A map or list, cut.
pub(super) struct Body<'a> {
    pub(super) shape: Shape,
    pub(super) style: BodyStyle,
    /// What stands before the first entry and what is above it: the bracket; the head of a document.
    pub(super) open: &'a str,
    pub(super) entries: Vec<Entry<'a>>,
    /// What stands behind the last entry: comments; the closing bracket and what is in front of it.
    pub(super) rest: &'a str,
}

/// How a map or list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyStyle {
    /// An entry has lines of its own.
    Lines,
    /// The same, but the first one begins in the line of something else: `- a: 1`.
    Compact,
    /// In brackets.
    Flow,
}

/// The documents of a text; none where it can't be cut.
pub(super) fn pages<'a>(document: &'a Document<'a>, roots: &'a [(Root, Node<'a>)]) -> Option<Vec<Entry<'a>>> {
    let text = document.text;
    if text.starts_with('\u{feff}') {
        return None;
    }
    let cut = Cut {
        text,
        format: document.format,
    };
    let mut pages = Vec::with_capacity(roots.len());
    let mut start = 0;
    for (index, (root, node)) in roots.iter().enumerate() {
        let end = match (index + 1 == roots.len(), root.style) {
            (true, _) => text.len(),
            (false, RootStyle::Flow { .. }) => next_line(text, node.span.end),
            (false, _) => root.insert_at,
        };
        pages.push(cut.page(root, node, start, end)?);
        start = end;
    }
    Some(pages)
}

#[derive(Clone, Copy)]
struct Cut<'a> {
    text: &'a str,
    format: Format,
}

/// Where a value lies.
struct Place<'a> {
    start: usize,
    end: usize,
    /// Where what follows it ends.
    behind: usize,
    body: Option<Body<'a>>,
}

impl<'a> Cut<'a> {
    fn of(self, start: usize, end: usize) -> Option<&'a str> {
        self.text.get(start..end)
    }

    fn page(self, root: &Root, node: &'a Node<'a>, start: usize, end: usize) -> Option<Entry<'a>> {
        let branch = node.branch()?;
        let (from, to, body) = match root.style {
            RootStyle::Alias { .. } => return None,
            RootStyle::Flow { .. } => (node.span.start, node.span.end, self.flow(node, branch)?),
            _ => (start, end, self.root_block(branch, start, end)?),
        };
        Some(Entry {
            name: "",
            node,
            lead: "",
            indent: "",
            column: 0,
            whole: self.of(start, end)?,
            head: self.of(start, from)?,
            token: self.of(from, to)?,
            tail: self.of(to, end)?,
            body: Some(body),
        })
    }

    fn root_block(self, branch: &'a Branch<'a>, start: usize, end: usize) -> Option<Body<'a>> {
        let children: Vec<&Node<'_>> = self.members(branch);
        let Some(first) = children.first() else {
            return Some(Body {
                shape: Shape::Map,
                style: BodyStyle::Lines,
                open: self.of(start, end)?,
                entries: Vec::new(),
                rest: "",
            });
        };
        // The comment right above the first entry is its own, what a blank line or a document's start separates is not.
        let first = line_start(self.text, self.start_of(first, start)?);
        let own = self.comments_above(first, start);
        let (entries, behind) = self.entries(branch.shape, &children, own, None)?;
        Some(Body {
            shape: Shape::Map,
            style: BodyStyle::Lines,
            open: self.of(start, own)?,
            entries,
            rest: self.of(behind, end)?,
        })
    }

    /// The members that have a text: the section without a header only if it has keys.
    fn members(self, branch: &'a Branch<'a>) -> Vec<&'a Node<'a>> {
        let has_text = |node: &&Node<'_>| {
            self.format != Format::Ini || node.branch().is_none_or(|branch| !branch.children.is_empty()) || named(node)
        };
        branch.children.iter().filter(has_text).collect()
    }

    /// Where the comment lines begin that stand right above a line, not above `limit`.
    fn comments_above(self, mut line: usize, limit: usize) -> usize {
        while line > limit {
            let before = line_start(self.text, line - 1).max(limit);
            if !self.is_comment(before) {
                break;
            }
            line = before;
        }
        line
    }

    fn line(self, at: usize) -> &'a str {
        self.of(at, line_end(self.text, at)).unwrap_or_default()
    }

    fn is_comment(self, at: usize) -> bool {
        let line = self.line(at);
        match self.format {
            Format::Dotenv => line.starts_with('#'),
            Format::Ini => line.trim_start().starts_with(['#', ';']),
            _ => line.trim_start().starts_with('#'),
        }
    }

    /// Whether there is nothing but comments and blank lines between two places that lines start at.
    fn is_trivia(self, start: usize, end: usize) -> bool {
        let mut at = start;
        while at < end {
            if !self.line(at).trim().is_empty() && !self.is_comment(at) {
                return false;
            }
            at = next_line(self.text, at);
        }
        at == end
    }

    /// Where a member begins. An element's dash is looked for from `from` on.
    fn start_of(self, node: &Node<'_>, from: usize) -> Option<usize> {
        match node.key {
            Some(key) if self.format == Format::Ini && node.branch().is_some() => {
                Some(key.span.start.saturating_sub(usize::from(named(node))))
            }
            Some(key) if matches!(self.format, Format::Ini | Format::Dotenv) => Some(key.span.start),
            Some(key) => Some(crate::document::change::block::entry_start(self.text, key.span.start)),
            None => {
                let mut at = from;
                while at < self.text.len() {
                    let line = self.line(at);
                    if !line.trim().is_empty() && !self.is_comment(at) {
                        let dash = at + line.len() - line.trim_start_matches(' ').len();
                        return self.text.get(dash..)?.starts_with('-').then_some(dash);
                    }
                    at = next_line(self.text, at);
                }
                None
            }
        }
    }

    /// Members one below the other, from where the lead of the first begins; gives also where the last one ends. `inline` is the
    /// start of the first one where it does not start its line.
    fn entries(
        self,
        shape: Shape,
        children: &[&'a Node<'a>],
        from: usize,
        inline: Option<usize>,
    ) -> Option<(Vec<Entry<'a>>, usize)> {
        let mut entries = Vec::with_capacity(children.len());
        let mut cursor = from;
        for (index, node) in children.iter().enumerate() {
            let at = match inline.filter(|_| index == 0) {
                Some(at) => at,
                None => self.start_of(node, cursor)?,
            };
            let is_inline = inline.is_some() && index == 0;
            let line = if is_inline { at } else { line_start(self.text, at) };
            if line < cursor || !self.is_trivia(cursor, line) {
                return None;
            }
            let indent = self.of(line, at)?;
            if !indent.bytes().all(|byte| byte == b' ' || byte == b'\t') {
                return None;
            }
            let own = column(self.text, at);
            let place = self.value(node, shape, at, own)?;
            entries.push(Entry {
                name: node.name(),
                node,
                lead: self.of(cursor, line)?,
                indent,
                column: own,
                whole: self.of(at, place.behind)?,
                head: self.of(at, place.start)?,
                token: self.of(place.start, place.end)?,
                tail: self.of(place.end, place.behind)?,
                body: place.body,
            });
            cursor = place.behind;
        }
        Some((entries, cursor))
    }

    /// The value of a member of a block that begins at `at`.
    fn value(self, node: &'a Node<'a>, parent: Shape, at: usize, own: usize) -> Option<Place<'a>> {
        let branch = match &node.content {
            Content::Leaf(leaf) => {
                let (start, end) = self.leaf_place(node, parent, at);
                let mut last = line_end(self.text, end);
                let header = leaf.span.of(self.text).lines().next().unwrap_or_default();
                if matches!(leaf.style, Style::Literal | Style::Folded)
                    && header.split('#').next().unwrap_or_default().contains('+')
                {
                    last = self.end_of_blank(last);
                }
                let behind = next_line(self.text, last);
                return Some(Place {
                    start,
                    end,
                    behind,
                    body: None,
                });
            }
            Content::Branch(branch) => branch,
        };
        if node.origin != Origin::Text {
            return None;
        }
        // The bracket of a section opens no list.
        if branch.flow && self.format != Format::Ini {
            let behind = next_line(self.text, node.span.end);
            return Some(Place {
                start: node.span.start,
                end: node.span.end,
                behind,
                body: self.flow(node, branch),
            });
        }
        let (start, body, behind) = self.inner_block(node, branch, at, own)?;
        Some(Place {
            start,
            end: behind,
            behind,
            body: Some(body),
        })
    }

    /// The lines below a member, or the rest of it where they begin in its own line.
    fn inner_block(
        self,
        node: &'a Node<'a>,
        branch: &'a Branch<'a>,
        at: usize,
        own: usize,
    ) -> Option<(usize, Body<'a>, usize)> {
        let text = self.text;
        let mut body = Body {
            shape: branch.shape,
            style: BodyStyle::Lines,
            open: "",
            entries: Vec::new(),
            rest: "",
        };
        let children: Vec<&Node<'_>> = branch.children.iter().collect();
        if self.format == Format::Ini {
            let start = if named(node) { next_line(text, at) } else { at };
            let behind;
            (body.entries, behind) = self.entries(branch.shape, &children, start, None)?;
            return Some((start, body, behind));
        }
        let first = children.first()?;
        let inside = match first.key {
            Some(_) => self.start_of(first, node.span.start)?,
            None => node.span.start,
        };
        let in_line = !starts_line(text, inside);
        let start = if in_line {
            inside
        } else {
            let line = line_start(text, inside);
            self.trivia_above(line, next_line(text, at))
        };
        let behind;
        (body.entries, behind) = self.entries(branch.shape, &children, start, in_line.then_some(inside))?;
        if in_line {
            body.style = BodyStyle::Compact;
        }
        let inner = body.entries.first()?.column;
        let foot = if inner > own { self.foot(behind, inner) } else { behind };
        body.rest = self.of(behind, foot)?;
        Some((start, body, foot))
    }

    /// Where the comments and blank lines begin that stand right above a line, not above `limit`.
    fn trivia_above(self, mut line: usize, limit: usize) -> usize {
        while line > limit {
            let before = line_start(self.text, line - 1).max(limit);
            if !self.is_trivia(before, line) {
                break;
            }
            line = before;
        }
        line
    }

    /// The end of the comments below a block that stand in its column or further to the right.
    fn foot(self, from: usize, column_of_block: usize) -> usize {
        let (mut at, mut end) = (from, from);
        while at < self.text.len() {
            let line = self.line(at);
            let content = line.trim_start_matches(' ');
            if content.starts_with('#') {
                if line.len() - content.len() < column_of_block {
                    break;
                }
                end = next_line(self.text, at);
            } else if !content.trim().is_empty() {
                break;
            }
            at = next_line(self.text, at);
        }
        end
    }

    /// The end of the blank lines below the one that ends here.
    fn end_of_blank(self, mut end: usize) -> usize {
        loop {
            let next = next_line(self.text, end);
            let last = line_end(self.text, next);
            let ended = next_line(self.text, next) > last;
            if !ended || self.of(next, last).is_none_or(|line| !line.trim().is_empty()) {
                return end;
            }
            end = last;
        }
    }

    /// Where the value of a leaf lies; one that is absent lies right behind its colon or dash.
    fn leaf_place(self, node: &Node<'_>, parent: Shape, at: usize) -> (usize, usize) {
        if node.span.start < node.span.end || matches!(self.format, Format::Ini | Format::Dotenv) {
            return (node.span.start, node.span.end);
        }
        let end = match node.key {
            Some(key) if parent == Shape::Map => {
                let colon = skip_trivia(self.text, key.span.end, false);
                let is_colon = self.text.get(colon..).is_some_and(|rest| rest.starts_with(':'));
                if is_colon { colon + 1 } else { key.span.end }
            }
            _ => at + 1,
        };
        (end, end)
    }

    /// Members in brackets; none where something else than blanks stands between them.
    fn flow(self, node: &'a Node<'a>, branch: &'a Branch<'a>) -> Option<Body<'a>> {
        let whole = node.span.of(self.text);
        let (open, close) = if branch.shape == Shape::Map {
            ('{', '}')
        } else {
            ('[', ']')
        };
        if !whole.starts_with(open) || !whole.ends_with(close) {
            return None;
        }
        let mut entries = Vec::with_capacity(branch.children.len());
        let mut cursor = node.span.start + 1;
        for (index, child) in branch.children.iter().enumerate() {
            if child.origin == Origin::Copy {
                return None;
            }
            let mut tail = cursor;
            if index > 0 {
                tail += self.text.get(cursor..)?.find(',')?;
            }
            let lead_from = tail + usize::from(index > 0);
            let at = child.key.map_or(child.span.start, |key| key.span.start);
            let (lead, behind) = (self.of(lead_from, at)?, self.of(cursor, tail)?);
            if !is_blank(lead) || !is_blank(behind) {
                return None;
            }
            if let Some(Entry { tail: last, whole, .. }) = entries.last_mut() {
                *whole = self.of(cursor - whole.len(), tail)?;
                *last = behind;
            }
            let (start, end) = match &child.content {
                Content::Leaf(_) => self.leaf_place(child, branch.shape, at),
                Content::Branch(_) => (child.span.start, child.span.end),
            };
            let body = child.branch().and_then(|branch| self.flow(child, branch));
            entries.push(Entry {
                name: child.name(),
                node: child,
                lead,
                indent: "",
                column: 0,
                whole: self.of(at, end)?,
                head: self.of(at, start)?,
                token: self.of(start, end)?,
                tail: "",
                body,
            });
            cursor = end;
        }
        let rest = self.of(cursor, node.span.end)?;
        let gap = rest.strip_suffix(close)?;
        let gap = gap.trim_start();
        is_blank(gap.strip_prefix(',').unwrap_or(gap)).then(|| Body {
            shape: branch.shape,
            style: BodyStyle::Flow,
            open: whole.get(..1).unwrap_or_default(),
            entries,
            rest,
        })
    }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Whether a section has a header.
fn named(node: &Node<'_>) -> bool {
    node.key.is_some_and(|key| key.span.start < key.span.end)
}
