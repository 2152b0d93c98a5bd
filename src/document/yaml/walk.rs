//! From nodes to items: the walk through a document in the order of SOPS, with aliases replaced by copies.

use std::borrow::Cow;

use super::comments::Lines;
use super::names::Names;
use super::parser::DEPTH_LIMIT;
use super::resolve::Tag;
use super::source::{DEFAULT_STEP, Source, indent_step, is_mergeable};
use super::token::{Scalar, Step, Stop};
use super::tree::{Branch, Content, Node, NodeId, Notes, Tree};
use crate::document::{
    Comment, Container, Context, Fault, Item, Key, Leaf, Origin, Root, RootStyle, Shape, StandIn, Style, Value,
};
use crate::text::Span;

/// Items that aliases may add to a file.
pub(super) const ALIAS_LIMIT: usize = 100_000;

/// How a plain scalar that was sealed in a flow collection begins: brackets can't stand there without quotes, and the
/// escaped first letter tells it from a scalar that was quoted before.
const FLOW_ENVELOPE: &str = "\"\\x45NC[";

/// The walk, as far as it has come.
#[derive(Debug)]
pub(super) struct Walk<'t> {
    pub(super) text: &'t str,
    pub(super) items: Vec<Item<'t>>,
    /// Place and kind of what SOPS would refuse.
    pub(super) flaws: Vec<(usize, Fault)>,
    /// What stands in for null roots.
    pub(super) stand_ins: Vec<StandIn>,
    /// Which lines of comment have become items.
    pub(super) placed: Vec<bool>,
    /// Lines of comment whose place is final.
    pub(super) settled: usize,
    /// Columns per level, once known.
    step: Option<usize>,
    /// Items that stem from aliases.
    copies: usize,
    /// The containers around the current item.
    open: Vec<NodeId>,
    /// Where the members of a flow root end. The sealed text has one more member there, which comments behind it would belong
    /// to; here and there they are taken for comments of the root.
    members_end: Option<usize>,
    /// Comments behind that place.
    deferred: Vec<usize>,
}

/// Where a node stands.
#[derive(Clone, Copy)]
struct Place {
    in_flow: bool,
    /// Columns of indentation of a block scalar here.
    indent: usize,
    origin: Origin,
}

impl<'t> Walk<'t> {
    /// A walk that has not begun.
    pub(super) const fn new(text: &'t str) -> Self {
        Self {
            text,
            items: Vec::new(),
            flaws: Vec::new(),
            stand_ins: Vec::new(),
            placed: Vec::new(),
            settled: 0,
            step: None,
            copies: 0,
            open: Vec::new(),
            members_end: None,
            deferred: Vec::new(),
        }
    }

    /// Adds the items of a document.
    pub(super) fn document(&mut self, tree: &Tree, source: Source<'_, 't>) -> Step<()> {
        self.placed.resize(source.comments.len(), false);
        let root = source.node(tree.root);
        let (style, branch) = self.root(tree, source)?;
        self.members_end = matches!(style, RootStyle::Flow { .. }).then_some(tree.flow_end);
        let insert_at = self.members_end.unwrap_or(tree.end);
        self.items.push(Item::Begin(Root { style, insert_at }));
        self.comments(&tree.head, source, false);
        if let Some(branch) = branch {
            let (id, origin) = match root.content {
                Content::Alias(target) => (target, Origin::Alias),
                _ => (tree.root, Origin::Text),
            };
            if origin == Origin::Text {
                self.step = indent_step(branch, source, true).or(self.step);
            }
            self.open.push(id);
            self.container(source.node(id), origin, root.notes.as_deref(), source)?;
            self.open.pop();
        } else if let Some(notes) = root.notes.as_deref() {
            for lines in [&notes.head, &notes.line, &notes.foot] {
                self.comments(lines, source, false);
            }
        }
        self.comments(&tree.foot, source, false);
        self.deferred_comments(tree, source);
        Ok(())
    }

    /// How the root is written, and its members if it is a map.
    fn root<'n>(&mut self, tree: &Tree, source: Source<'n, 't>) -> Step<(RootStyle, Option<&'n Branch>)> {
        let root = source.node(tree.root);
        let span = root.span;
        let refused = |fault| Err(Stop { at: span.start, fault });
        let is_null = |node: &Node<'_>| match &node.content {
            Content::Absent => true,
            Content::Scalar(scalar, tag) => scalar.value(*tag) == Some(Value::Null),
            _ => false,
        };
        Ok(match &root.content {
            Content::Absent => (RootStyle::Nothing, None),
            Content::Map(branch) if branch.flow => (
                RootStyle::Flow {
                    empty: branch.children.is_empty(),
                    comma: tree.comma,
                },
                Some(branch),
            ),
            Content::Map(branch) if source.is_appended_only(branch) => (RootStyle::Nothing, Some(branch)),
            Content::Map(branch) => (RootStyle::Block { column: branch.column }, Some(branch)),
            // What refers to it must stay null.
            _ if is_null(root) && tree.anchored => return refused(Fault::RootIsNull),
            _ if is_null(root) => {
                self.stand_ins.push(StandIn { span, text: "{}" });
                (RootStyle::Nothing, None)
            }
            Content::Alias(target) => match source.node(*target) {
                node if is_null(node) => (RootStyle::Alias { span }, None),
                Node {
                    content: Content::Map(branch),
                    ..
                } => (RootStyle::Alias { span }, Some(branch)),
                _ => return refused(Fault::RootIsNotAMap),
            },
            _ => return refused(Fault::RootIsNotAMap),
        })
    }

    /// Adds the comments behind the members of a flow root.
    fn deferred_comments(&mut self, tree: &Tree, source: Source<'_, 't>) {
        let Some(start) = self.members_end.take() else { return };
        let first = source.comments.partition_point(|span| span.start < start);
        let end = source.comments.partition_point(|span| span.start < tree.end);
        let taken = std::mem::take(&mut self.deferred);
        let lost = (first..end).filter(|&line| self.placed.get(line) == Some(&false));
        let mut lines: Lines = taken.into_iter().chain(lost).map(Some).collect();
        lines.sort_unstable();
        lines.dedup();
        self.comments(&lines, source, false);
    }

    /// Adds comments that are not items yet.
    fn comments(&mut self, lines: &Lines, source: Source<'_, 't>, inline: bool) {
        for &line in lines.iter().flatten() {
            let start = source.comments.get(line).map(|span| span.start);
            if self.members_end.is_some_and(|end| start >= Some(end)) {
                self.deferred.push(line);
                continue;
            }
            if let Some(placed) = self.placed.get_mut(line).filter(|placed| !**placed) {
                *placed = true;
                if let Some(&span) = source.comments.get(line) {
                    self.items.push(Item::Comment(Comment {
                        text: Cow::Borrowed(span.of(self.text)),
                        span,
                        rest: Vec::new(),
                        header: None,
                        inline,
                        lost: false,
                    }));
                }
            }
        }
    }

    fn push(&mut self, item: Item<'t>, origin: Origin, at: usize) -> Step<()> {
        if origin != Origin::Text {
            self.copies += 1;
            if self.copies > ALIAS_LIMIT {
                return Err(Stop {
                    at,
                    fault: Fault::TooManyAliases { limit: ALIAS_LIMIT },
                });
            }
        }
        self.items.push(item);
        Ok(())
    }

    /// Adds what a map or list holds, between the comments that belong inside.
    fn container(
        &mut self,
        node: &Node<'t>,
        origin: Origin,
        notes: Option<&Notes>,
        source: Source<'_, 't>,
    ) -> Step<()> {
        let (branch, is_map) = match &node.content {
            Content::Map(branch) => (branch, true),
            Content::List(branch) => (branch, false),
            _ => return Ok(()),
        };
        if let Some(notes) = notes {
            self.comments(&notes.head, source, false);
            self.comments(&notes.line, source, false);
        }
        let place = Place {
            in_flow: branch.flow,
            indent: match (branch.flow, is_map) {
                (true, _) => 0,
                (false, true) => branch.column + self.step.unwrap_or(DEFAULT_STEP),
                (false, false) => branch.column + 2,
            },
            origin: if origin == Origin::Text {
                Origin::Text
            } else {
                Origin::Copy
            },
        };
        if is_map {
            self.entries(branch, place, source)?;
        } else {
            self.elements(branch, place, source)?;
        }
        if let Some(notes) = notes {
            self.comments(&notes.foot, source, false);
        }
        Ok(())
    }

    fn elements(&mut self, branch: &Branch, place: Place, source: Source<'_, 't>) -> Step<()> {
        for &element in &branch.children {
            let notes = source
                .node(element)
                .notes
                .as_deref()
                .filter(|_| place.origin == Origin::Text);
            if let Some(notes) = notes {
                self.comments(&notes.head, source, false);
                self.comments(&notes.line, source, true);
            }
            self.value(None, element, place, source)?;
            if let Some(notes) = notes {
                self.comments(&notes.foot, source, false);
            }
        }
        Ok(())
    }

    fn entries(&mut self, branch: &Branch, place: Place, source: Source<'_, 't>) -> Step<()> {
        let mut names = Names::default();
        for entry in branch.children.chunks_exact(2) {
            let &[key_id, value_id] = entry else { continue };
            let (key_node, value) = (source.node(key_id), source.node(value_id));
            let is_text = place.origin == Origin::Text;
            let key_notes = key_node.notes.as_deref().filter(|_| is_text);
            // Those of maps and lists belong inside. So do those of an alias to one: sealed, it is a map or list in a line.
            let own = matches!(source.target(value_id).content, Content::Scalar(..) | Content::Absent);
            let value_notes = value.notes.as_deref().filter(|_| is_text && own);
            self.notes_above(key_notes, value_notes, source);
            if !matches!(key_node.content, Content::Appended) {
                let key = self.key(key_id, place, source)?;
                if is_text && names.is_known(&key.name) {
                    self.flaws.push((key.span.start, Fault::DuplicateKey));
                }
                if is_text && is_merge(key_node) && !is_mergeable(value_id, source) {
                    self.flaws.push((key.span.start, Fault::MergeIsNotAMap));
                }
                self.value(Some(key), value_id, place, source)?;
            }
            for notes in [value_notes, key_notes].into_iter().flatten() {
                self.comments(&notes.foot, source, false);
            }
        }
        Ok(())
    }

    fn notes_above(&mut self, key: Option<&Notes>, value: Option<&Notes>, source: Source<'_, 't>) {
        if let Some(notes) = key {
            self.comments(&notes.head, source, false);
            self.comments(&notes.line, source, false);
        }
        if let Some(notes) = value {
            self.comments(&notes.head, source, false);
            self.comments(&notes.line, source, true);
        }
    }

    /// The name of a key.
    fn key(&mut self, id: NodeId, place: Place, source: Source<'_, 't>) -> Step<Key<'t>> {
        let at = source.node(id).span;
        let (name, is_name) = match &source.target(id).content {
            Content::Absent => (Cow::Borrowed(""), false),
            Content::Scalar(scalar, tag) => match scalar.value(*tag) {
                Some(_) if scalar.is_unsigned(*tag) => (scalar.text.clone(), false),
                // Mostly the text itself; bytes where the tag is `!!binary`.
                Some(Value::Str(Cow::Borrowed(_))) => (scalar.text.clone(), true),
                Some(Value::Str(Cow::Owned(bytes))) => (Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()), true),
                _ => (scalar.text.clone(), false),
            },
            _ => return Err(Stop::syntax(at.start, "a key is a map or a list")),
        };
        let is_text = place.origin == Origin::Text;
        // A key must not change with what it refers to when that is sealed.
        let is_alias = matches!(source.node(id).content, Content::Alias(_));
        if is_text && (!is_name || is_alias) {
            self.flaws.push((at.start, Fault::KeyIsNotText));
        }
        Ok(Key {
            name,
            span: if is_text { at } else { Span::default() },
        })
    }

    /// Adds a node that is no key.
    fn value(&mut self, key: Option<Key<'t>>, id: NodeId, place: Place, source: Source<'_, 't>) -> Step<()> {
        let written = source.node(id);
        let (id, node, origin) = match written.content {
            Content::Alias(target) if place.origin == Origin::Text => (target, source.node(target), Origin::Alias),
            Content::Alias(target) => (target, source.node(target), Origin::Copy),
            _ => (id, written, place.origin),
        };
        let at = written.span.start;
        // What is inside of a copy has no text of its own.
        let span = if origin == Origin::Copy {
            Span::default()
        } else {
            written.span
        };
        let shape = match &node.content {
            Content::Map(_) => Shape::Map,
            Content::List(_) => Shape::List,
            Content::Scalar(scalar, tag) => {
                let leaf = self.leaf(key, (scalar, *tag), span, Place { origin, ..place });
                return self.push(Item::Leaf(leaf), origin, at);
            }
            _ => {
                return self.push(
                    Item::Leaf(absent_leaf(key, span, Place { origin, ..place })),
                    origin,
                    at,
                );
            }
        };
        if self.open.contains(&id) {
            return Err(Stop {
                at,
                fault: Fault::RecursiveAlias,
            });
        }
        if self.open.len() >= DEPTH_LIMIT {
            return Err(Stop {
                at,
                fault: Fault::TooDeep { limit: DEPTH_LIMIT },
            });
        }
        // An element's comments stand around it; comments are not copied with what they belong to.
        let notes = written
            .notes
            .as_deref()
            .filter(|_| key.is_some() && origin != Origin::Copy);
        let container = Container {
            key,
            shape,
            span,
            origin,
        };
        self.push(Item::Enter(container), origin, at)?;
        self.open.push(id);
        self.container(node, origin, notes, source)?;
        self.open.pop();
        self.push(Item::Leave, origin, at)
    }

    /// Whether the lines of a block scalar can follow an offset: the line ends, and the next one with content is no comment in
    /// the columns of the block.
    fn takes_block(&self, at: usize, indent: usize) -> bool {
        let rest = self.text.get(at..).unwrap_or_default();
        if !rest.is_empty() && !rest.starts_with(['\n', '\r']) {
            return false;
        }
        for line in rest.split(['\n', '\r']) {
            let content = line.trim_start_matches(' ');
            let column = line.len() - content.len();
            if content.trim_start_matches('\t').is_empty() {
                // More blanks than the indentation would be content too.
                if content.is_empty() && column <= indent {
                    continue;
                }
                return false;
            }
            return !content.starts_with('#') || column < indent;
        }
        true
    }

    fn leaf(&mut self, key: Option<Key<'t>>, scalar: (&Scalar<'t>, Option<Tag>), span: Span, place: Place) -> Leaf<'t> {
        let (scalar, tag) = scalar;
        let value = scalar.value(tag);
        let is_text = place.origin == Origin::Text;
        if is_text {
            if value.is_none() {
                self.flaws.push((span.start, Fault::TagDoesNotFit));
            } else if scalar.is_unsigned(tag) {
                self.flaws.push((span.start, Fault::IntegerTooLarge));
            }
        }
        let value = value.unwrap_or(Value::Null);
        let style = if is_text {
            scalar.leaf_style(tag, &value)
        } else {
            Style::Other
        };
        let style = match style {
            Style::Double if place.in_flow && scalar.body.of(self.text).starts_with(FLOW_ENVELOPE) => Style::FlowPlain,
            style => style,
        };
        // Such a tag stays, so that it is not part of what is exchanged.
        let keeps_tag = tag.is_some_and(Tag::is_text) && !matches!(scalar.style, Style::Literal | Style::Folded);
        let span = if is_text && keeps_tag { scalar.body } else { span };
        while style == Style::Other
            && is_text
            // A comment between tag and value goes with them.
            && self.items.pop_if(|item| matches!(item, Item::Comment(comment) if span.holds(comment.span.start))).is_some()
        {
        }
        let is_block = matches!(style, Style::Literal | Style::Folded);
        let context = Context {
            in_flow: place.in_flow,
            indent: if is_block { scalar.indent } else { place.indent },
            header_comment: scalar.header_comment && is_text,
            takes_block: is_text && !place.in_flow && (is_block || self.takes_block(span.end, place.indent)),
        };
        let body = if is_block { scalar.body } else { span };
        Leaf {
            key,
            value,
            style,
            span,
            body,
            context,
            origin: place.origin,
        }
    }
}

/// A leaf where nothing stands.
fn absent_leaf(key: Option<Key<'_>>, span: Span, place: Place) -> Leaf<'_> {
    let style = if place.origin == Origin::Text {
        Style::Plain
    } else {
        Style::Other
    };
    let context = Context {
        in_flow: place.in_flow,
        indent: place.indent,
        ..Context::default()
    };
    Leaf {
        key,
        value: Value::Null,
        style,
        span,
        body: span,
        context,
        origin: place.origin,
    }
}

/// Whether a key is the merge key.
fn is_merge(key: &Node<'_>) -> bool {
    match &key.content {
        Content::Scalar(scalar, tag) if scalar.text == "<<" => match tag {
            None | Some(Tag::Neutral) => scalar.style == Style::Plain,
            Some(tag) => *tag == Tag::Merge,
        },
        _ => false,
    }
}
