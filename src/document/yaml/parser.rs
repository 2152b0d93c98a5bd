//! From tokens to nodes, with comments attached as go-yaml attaches them.
//!
//! Each look at a token collects the comments it takes; some nodes then take what has been collected. So the order of
//! looks and takes is part of what is agreed with go-yaml, also where it seems pointless.

use std::collections::HashMap;

use super::comments::{Lines, Role};
use super::resolve::Tag;
use super::scanner::Scanner;
use super::token::{Kind, Load, Scalar, Step, Stop, Token};
use super::tree::{Branch, Content, Node, NodeId, Notes, Tree};
use crate::document::{Fault, StandIn, Style};
use crate::text::Span;

/// Levels of maps and lists that a text may have.
pub(super) const DEPTH_LIMIT: usize = 100;

/// What may stand at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Any node.
    Block,
    /// Any node, or a list whose dashes stand in the column of the key.
    BlockEntry,
    /// A node without indentation.
    Flow,
}

/// Anchor and tag of a node.
#[derive(Debug, Default)]
pub(super) struct Properties<'t> {
    anchor: Option<&'t str>,
    tag: Option<Tag>,
    /// The tag, and the anchor if it stands behind it.
    span: Option<Span>,
}

/// The parser.
#[derive(Debug)]
pub(super) struct Parser<'t> {
    pub(super) scanner: Scanner<'t>,
    pub(super) nodes: Vec<Node<'t>>,
    /// Offsets of directives that SOPS refuses.
    pub(super) bad_directives: Vec<usize>,
    /// They outlive the document they stand in, as in go-yaml.
    anchors: HashMap<&'t str, NodeId>,
    prefixes: Vec<(&'t str, String)>,
    /// Comments collected and not yet taken by a node.
    collected: Notes,
    /// Comments above a dash, set aside for the map or list behind it.
    stem: Lines,
    depth: usize,
    /// The end of the last token that is content.
    pub(super) last_end: usize,
    /// Where the members of the flow map closed last end, and whether a comma follows.
    pub(super) flow_end: (usize, bool),
}

impl<'t> Parser<'t> {
    /// A parser at the start of `text`.
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            scanner: Scanner::new(text),
            nodes: Vec::new(),
            bad_directives: Vec::new(),
            anchors: HashMap::new(),
            prefixes: Vec::new(),
            collected: Notes::default(),
            stem: Lines::new(),
            depth: 0,
            last_end: 0,
            flow_end: (0, false),
        }
    }

    /// Whether nodes of documents before may still be referred to.
    pub(super) fn has_anchors(&self) -> bool {
        !self.anchors.is_empty()
    }

    /// Looks at the next token and collects the comments it takes.
    pub(super) fn peek(&mut self) -> Step<Kind> {
        let token = self.scanner.peek()?;
        let (kind, at) = (token.kind, token.start.at);
        let pending = &mut self.scanner.comments.pending;
        while let Some(comment) = pending.front() {
            // The end of a block has no head: that is for what follows.
            if comment.taken_from > at || comment.role == Role::Head && kind == Kind::BlockEnd {
                break;
            }
            let Some(comment) = pending.pop_front() else { break };
            let lines = match comment.role {
                Role::Head => &mut self.collected.head,
                Role::Line => &mut self.collected.line,
                Role::Foot => &mut self.collected.foot,
            };
            if lines.is_empty() {
                *lines = comment.lines;
            } else {
                lines.extend(comment.lines);
            }
        }
        Ok(kind)
    }

    /// Takes the token looked at last.
    pub(super) fn take(&mut self) -> Step<Token<'t>> {
        let at = self.scanner.cursor.at;
        let token = self.scanner.take().ok_or_else(|| Stop::syntax(at, "unexpected end"))?;
        let is_content = !matches!(
            token.kind,
            Kind::Comma | Kind::BlockMap | Kind::BlockList | Kind::BlockEnd | Kind::DocumentStart | Kind::DocumentEnd
        );
        if is_content && token.end > token.start.at {
            self.last_end = token.end;
        }
        Ok(token)
    }

    /// The comments collected, for a node.
    pub(super) fn take_notes(&mut self) -> Option<Box<Notes>> {
        self.stem.clear();
        if self.collected.is_empty() {
            None
        } else {
            Some(Box::new(std::mem::take(&mut self.collected)))
        }
    }

    pub(super) fn syntax<T>(&mut self, reason: &str) -> Step<T> {
        let at = self.scanner.peek()?.start.at;
        Err(Stop::syntax(at, reason))
    }

    fn add(&mut self, content: Content<'t>, span: Span, notes: Option<Box<Notes>>) -> NodeId {
        self.nodes.push(Node { content, span, notes });
        self.nodes.len() - 1
    }

    pub(super) fn add_absent(&mut self) -> NodeId {
        self.add(Content::Absent, Span::new(self.last_end, self.last_end), None)
    }

    /// The next document; `None` at the end of the text.
    pub(super) fn next_document(&mut self, first: bool) -> Step<Option<Tree>> {
        if first {
            self.peek()?;
            self.take()?;
        }
        let mut kind = self.peek()?;
        while !first && kind == Kind::DocumentEnd {
            self.take()?;
            kind = self.peek()?;
        }
        if kind == Kind::StreamEnd {
            return Ok(None);
        }
        let mut head = Lines::new();
        let root = if first && !matches!(kind, Kind::Directive | Kind::DocumentStart) {
            head = self.split_document_head();
            self.parse_node(Place::Block)?
        } else {
            self.parse_explicit_document()?
        };
        let kind = self.peek()?;
        let end = self.scanner.peek()?.start.at;
        if kind == Kind::DocumentEnd {
            self.take()?;
        }
        self.prefixes.clear();
        self.stem.clear();
        let notes = std::mem::take(&mut self.collected);
        let foot = if notes.foot.is_empty() { notes.head } else { notes.foot };
        let (flow_end, comma) = self.flow_end;
        Ok(Some(Tree {
            root,
            anchored: self.anchors.values().any(|&node| node == root),
            head,
            foot,
            end,
            comma,
            flow_end,
        }))
    }

    /// Parses directives, the marker and the content behind it.
    fn parse_explicit_document(&mut self) -> Step<NodeId> {
        self.parse_directives()?;
        if self.peek()? != Kind::DocumentStart {
            return self.syntax("did not find expected document start");
        }
        self.last_end = self.take()?.end;
        match self.peek()? {
            Kind::Directive | Kind::DocumentStart | Kind::DocumentEnd | Kind::StreamEnd => Ok(self.add_absent()),
            _ => self.parse_node(Place::Block),
        }
    }

    /// Parts the comments at the start of the text at their last blank line: what is above belongs to the document.
    fn split_document_head(&mut self) -> Lines {
        let head = &mut self.collected.head;
        let Some(blank) = head.iter().rposition(Option::is_none).filter(|&blank| blank > 0) else {
            return Lines::new();
        };
        let below = head.split_off(blank + 1);
        std::mem::replace(head, below)
    }

    fn parse_directives(&mut self) -> Step<()> {
        let mut versions = 0;
        while self.peek()? == Kind::Directive {
            let token = self.take()?;
            match token.load {
                Load::Version(major, minor) => {
                    versions += 1;
                    if versions > 1 {
                        return Err(Stop::syntax(token.start.at, "found duplicate %YAML directive"));
                    }
                    if (major, minor) != (1, 1) {
                        self.bad_directives.push(token.start.at);
                    }
                }
                Load::Prefix(handle, prefix) => {
                    if self.prefixes.iter().any(|(known, _)| *known == handle) {
                        return Err(Stop::syntax(token.start.at, "found duplicate %TAG directive"));
                    }
                    self.prefixes.push((handle, prefix));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Parses a node with its anchor and tag.
    pub(super) fn parse_node(&mut self, place: Place) -> Step<NodeId> {
        if self.peek()? == Kind::Alias {
            return self.parse_alias();
        }
        let properties = self.parse_properties()?;
        match self.peek()? {
            Kind::Dash if place == Place::BlockEntry => self.parse_container(&properties, Self::parse_indentless_list),
            Kind::Scalar => self.parse_scalar(&properties),
            Kind::FlowList => self.parse_container(&properties, Self::parse_flow_list),
            Kind::FlowMap => self.parse_container(&properties, Self::parse_flow_map),
            Kind::BlockList if place != Place::Flow => self.parse_container(&properties, Self::parse_block_list),
            Kind::BlockMap if place != Place::Flow => self.parse_container(&properties, Self::parse_block_map),
            _ => self.parse_bare_properties(&properties),
        }
    }

    fn parse_alias(&mut self) -> Step<NodeId> {
        let notes = self.take_notes();
        let token = self.take()?;
        let Load::Name(name) = token.load else {
            return self.syntax("unexpected token");
        };
        let target = self.anchors.get(name).copied();
        let target = target.ok_or_else(|| Stop::syntax(token.start.at, "unknown anchor referenced"))?;
        Ok(self.add(Content::Alias(target), Span::new(token.start.at, token.end), notes))
    }

    fn parse_properties(&mut self) -> Step<Properties<'t>> {
        let mut properties = Properties::default();
        loop {
            match self.peek()? {
                Kind::Anchor if properties.anchor.is_none() => {
                    let token = self.take()?;
                    if let Some(span) = &mut properties.span {
                        span.end = token.end;
                    }
                    if let Load::Name(name) = token.load {
                        properties.anchor = Some(name);
                    }
                }
                Kind::Tag if properties.tag.is_none() => {
                    let token = self.take()?;
                    properties.span = Some(Span::new(token.start.at, token.end));
                    properties.tag = Some(self.resolve_tag(&token)?);
                }
                _ => return Ok(properties),
            }
        }
    }

    fn resolve_tag(&self, token: &Token<'t>) -> Step<Tag> {
        let Load::Tag(handle, suffix) = &token.load else {
            return Ok(Tag::Other);
        };
        let declared = self
            .prefixes
            .iter()
            .find(|(known, _)| known == handle)
            .map(|(_, prefix)| prefix.as_str());
        let prefix = match (declared, *handle) {
            (Some(prefix), _) => prefix,
            (None, "") => "",
            (None, "!") => "!",
            (None, "!!") => "tag:yaml.org,2002:",
            _ => return Err(Stop::syntax(token.start.at, "found undefined tag handle")),
        };
        Ok(Tag::of(&format!("{prefix}{suffix}")))
    }

    fn anchor(&mut self, properties: &Properties<'t>, node: NodeId) {
        if let Some(name) = properties.anchor {
            self.anchors.insert(name, node);
        }
    }

    fn parse_scalar(&mut self, properties: &Properties<'t>) -> Step<NodeId> {
        let notes = self.take_notes();
        let anchor_end = properties.anchor.map(|_| self.last_end);
        let token = self.take()?;
        if anchor_end == Some(token.start.at) {
            // A text in its place would be taken for a part of the anchor's name.
            let span = Span::new(token.start.at, token.start.at);
            self.scanner.stand_ins.push(StandIn { span, text: " " });
        }
        let start = properties.span.map_or(token.start.at, |span| span.start);
        let content = match token.load {
            Load::Scalar(scalar) => Content::Scalar(scalar, properties.tag),
            _ => Content::Appended,
        };
        let node = self.add(content, Span::new(start, token.end), notes);
        self.anchor(properties, node);
        Ok(node)
    }

    /// A node that has an anchor or a tag and nothing else.
    fn parse_bare_properties(&mut self, properties: &Properties<'t>) -> Step<NodeId> {
        let node = match (properties.span, properties.anchor) {
            (Some(span), _) => {
                let scalar = Scalar::of_line("".into(), Style::Plain, span);
                self.add(Content::Scalar(scalar, properties.tag), span, None)
            }
            (None, Some(_)) => self.add_absent(),
            (None, None) => return self.syntax("did not find expected node content"),
        };
        self.anchor(properties, node);
        Ok(node)
    }

    /// Parses a map or list with `parse`, which fills the branch and gives the kind of content.
    pub(super) fn parse_container(
        &mut self,
        properties: &Properties<'t>,
        parse: fn(&mut Self, NodeId) -> Step<Content<'t>>,
    ) -> Step<NodeId> {
        let start = self.scanner.peek()?.start.at;
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(Stop {
                at: start,
                fault: Fault::TooDeep { limit: DEPTH_LIMIT },
            });
        }
        let node = self.add(Content::Absent, Span::new(start, start), None);
        self.anchor(properties, node);
        let content = parse(self, node)?;
        self.depth -= 1;
        let end = self.last_end;
        if let Some(node) = self.nodes.get_mut(node) {
            node.content = content;
            node.span.end = end;
        }
        Ok(node)
    }

    /// Gives a block the comments set aside for it.
    fn attach_stem(&mut self, node: NodeId) {
        if !self.stem.is_empty() {
            let stem = std::mem::take(&mut self.stem);
            self.notes_of(node).head = stem;
        }
    }

    pub(super) fn notes_of(&mut self, node: NodeId) -> &mut Notes {
        // Every id is an index that `add` gave.
        self.nodes[node].notes.get_or_insert_default()
    }

    fn take_foot(&mut self, node: NodeId) -> Option<Lines> {
        let notes = self.nodes.get_mut(node)?.notes.as_mut()?;
        (!notes.foot.is_empty()).then(|| std::mem::take(&mut notes.foot))
    }

    fn parse_block_list(&mut self, node: NodeId) -> Step<Content<'t>> {
        self.attach_stem(node);
        let column = self.take()?.start.column;
        let mut branch = Branch {
            column,
            ..Branch::default()
        };
        while self.peek()? == Kind::Dash {
            let child = self.parse_element(&[Kind::Dash, Kind::BlockEnd])?;
            branch.children.push(child);
        }
        if self.peek()? != Kind::BlockEnd {
            return self.syntax("did not find expected '-' indicator");
        }
        self.take()?;
        Ok(Content::List(branch))
    }

    fn parse_indentless_list(&mut self, _: NodeId) -> Step<Content<'t>> {
        let column = self.scanner.peek()?.start.column;
        let mut branch = Branch {
            column,
            ..Branch::default()
        };
        while self.peek()? == Kind::Dash {
            let child = self.parse_element(&[Kind::Dash, Kind::Key, Kind::Value, Kind::BlockEnd])?;
            branch.children.push(child);
        }
        Ok(Content::List(branch))
    }

    /// Parses an element of a block list. Tokens of the kinds in `absent` can't begin it.
    fn parse_element(&mut self, absent: &[Kind]) -> Step<NodeId> {
        let above = self.collected.head.len();
        self.take()?;
        if above > 0 && matches!(self.peek()?, Kind::BlockList | Kind::BlockMap) {
            // What stands above the dash belongs to the whole element, not to its first entry.
            let below = self.collected.head.split_off(above);
            self.stem = std::mem::replace(&mut self.collected.head, below);
        }
        if absent.contains(&self.peek()?) {
            Ok(self.add_absent())
        } else {
            self.parse_node(Place::Block)
        }
    }

    fn parse_block_map(&mut self, node: NodeId) -> Step<Content<'t>> {
        self.attach_stem(node);
        let column = self.take()?.start.column;
        let mut branch = Branch {
            column,
            ..Branch::default()
        };
        loop {
            match self.peek()? {
                Kind::Key => self.parse_block_entry(&mut branch)?,
                Kind::BlockEnd => break,
                _ => return self.syntax("did not find expected key"),
            }
        }
        let notes = self.take_notes().unwrap_or_default();
        self.take()?;
        if !notes.line.is_empty() {
            self.notes_of(node).line = notes.line;
        }
        if !notes.foot.is_empty() {
            let target = branch.children.iter().rev().nth(1).copied().unwrap_or(node);
            self.notes_of(target).foot = notes.foot;
        }
        Ok(Content::Map(branch))
    }

    fn parse_block_entry(&mut self, branch: &mut Branch) -> Step<()> {
        const NONE: [Kind; 3] = [Kind::Key, Kind::Value, Kind::BlockEnd];
        self.take()?;
        let key = if NONE.contains(&self.peek()?) {
            self.add_absent()
        } else {
            self.parse_node(Place::BlockEntry)?
        };
        if let Some(&before) = branch.children.iter().rev().nth(1)
            && let Some(foot) = self.take_foot(key)
        {
            self.notes_of(before).foot = foot;
        }
        let mut value = None;
        if self.peek()? == Kind::Value {
            self.take()?;
            if !NONE.contains(&self.peek()?) {
                value = Some(self.parse_node(Place::BlockEntry)?);
            }
        }
        let value = value.unwrap_or_else(|| self.add_absent());
        self.add_entry(branch, key, value);
        Ok(())
    }

    /// Adds key and value; the foot of an entry is its key's.
    pub(super) fn add_entry(&mut self, branch: &mut Branch, key: NodeId, value: NodeId) {
        if self
            .nodes
            .get(key)
            .is_none_or(|key| key.notes.as_ref().is_none_or(|notes| notes.foot.is_empty()))
            && let Some(foot) = self.take_foot(value)
        {
            self.notes_of(key).foot = foot;
        }
        branch.children.extend([key, value]);
    }
}
