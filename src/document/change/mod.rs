//! A value set or taken away at one place of a text, all else byte for byte.
//!
//! What comes out is read again: it must say exactly what was asked for, and no comment outside of the changed value may be lost.
//! Where that can't be had because the value is written through an alias, or an alias repeats it, the aliases of the document are
//! written out first; then only the one place changes, as in SOPS.

pub(super) mod block;
pub(super) mod data;
pub mod error;
mod flat;
mod flow;
pub(super) mod lines;
mod manner;
pub(super) mod node;
mod write;

use zeroize::Zeroizing;

use self::block::Block;
use self::data::Data;
pub use self::error::Error;
use self::lines::{line_start, starts_line};
use self::node::{Content, Node, roots};
use self::write::Manner;
use super::edit::{Edit, apply};
use super::key_path::{KeyPath, Step};
use super::{Document, Format, Item, Origin, Root, RootStyle, Shape, dotenv, ini, json, yaml};
use crate::text::Span;

/// A changed text.
pub struct Changed {
    /// The whole text.
    pub text: Zeroizing<String>,
    /// How far the change went.
    pub reach: Reach,
}

/// How far a change went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The one place.
    Place,
    /// Aliases had to be written out.
    Aliases,
}

/// Sets a value, given as a JSON text that [`json::parse_value`] has read, in the first document of a text of any format but binary.
///
/// Maps that are missing on the way are made, a position behind the end of a list appends, and a scalar on the way gives place.
///
/// # Errors
/// [`Error::KeyIntoList`], [`Error::IndexIntoMap`], [`Error::EmptyPath`]; [`Error::Document`] when the text is none;
/// [`Error::Layout`] where the text can't be changed at this place alone.
pub fn set(format: Format, text: &str, path: &KeyPath, value: &Document<'_>) -> Result<Changed, Error> {
    change(format, text, &path.steps, Some(value))
}

/// Takes the value at a path away, in the first document of a text of any format but binary.
///
/// # Errors
/// As [`set`], and [`Error::NotFound`].
pub fn unset(format: Format, text: &str, path: &KeyPath) -> Result<Changed, Error> {
    change(format, text, &path.steps, None)
}

/// Reads a text.
fn parse(format: Format, text: &str) -> Result<Document<'_>, Error> {
    Ok(match format {
        Format::Yaml => yaml::parse(text)?,
        Format::Json | Format::Binary => json::parse(text)?,
        Format::Dotenv => dotenv::parse(text)?,
        // No section's name is empty: none is taken for metadata.
        Format::Ini => ini::parse(text, "")?,
    })
}

/// Whether a format has lines in place of maps and lists.
const fn is_flat(format: Format) -> bool {
    matches!(format, Format::Dotenv | Format::Ini)
}

fn change(format: Format, text: &str, steps: &[Step], value: Option<&Document<'_>>) -> Result<Changed, Error> {
    if steps.is_empty() {
        return Err(Error::EmptyPath);
    }
    let value = value.map(|value| ValueRoot::of(value, format)).transpose()?;
    let document = parse(format, text)?;
    let scene = Scene::new(&document)?;
    // Every refusal that is not the layout's is settled here.
    let wanted = scene.wanted(steps, value.as_ref())?;
    if let Some(flat) = value.as_ref().and_then(|value| value.flat.as_ref()) {
        flat.check(format, steps)?;
    }
    if let Some(text) = scene.attempts(steps, value.as_ref(), &wanted) {
        return Ok(Changed {
            text,
            reach: Reach::Place,
        });
    }
    if is_flat(format) && value.is_some() {
        let (what, format) = ("such a value", format.name());
        return Err(Error::Inexpressible { what, format });
    }
    let text = scene.without_aliases().ok_or(Error::Layout)?;
    let expanded = parse(format, &text)?;
    let text = Scene::new(&expanded)?
        .attempts(steps, value.as_ref(), &wanted)
        .ok_or(Error::Layout)?;
    Ok(Changed {
        text,
        reach: Reach::Aliases,
    })
}

/// A value to set.
struct ValueRoot<'v> {
    node: Node<'v>,
    text: &'v str,
    /// As a format of lines can hold it.
    flat: Option<flat::New>,
}

impl<'v> ValueRoot<'v> {
    fn of(document: &'v Document<'v>, format: Format) -> Result<Self, Error> {
        let mut roots = roots(document);
        let holder = roots.pop().map(|(_, node)| node);
        let node = holder.and_then(|holder| match holder.content {
            Content::Branch(mut branch) => branch.children.pop(),
            Content::Leaf(_) => None,
        });
        let node = node.unwrap_or_else(node::empty);
        let flat = if is_flat(format) {
            let (what, format) = ("a map or list", format.name());
            Some(flat::New::of(&node).ok_or(Error::Inexpressible { what, format })?)
        } else {
            None
        };
        Ok(Self {
            node,
            text: document.text,
            flat,
        })
    }

    fn data(&self) -> Data<'_> {
        match &self.flat {
            Some(flat) => flat.data(),
            None => Data::of_node(&self.node, self.text),
        }
    }
}

/// A document, ready for changes.
struct Scene<'d> {
    document: &'d Document<'d>,
    root: Root,
    roots: Vec<(Root, Node<'d>)>,
}

impl<'d> Scene<'d> {
    fn new(document: &'d Document<'d>) -> Result<Self, Error> {
        let roots = roots(document);
        let root = roots.first().map(|(root, _)| *root).ok_or(Error::Layout)?;
        Ok(Self { document, root, roots })
    }

    fn node(&self) -> Result<&Node<'d>, Error> {
        self.roots.first().map(|(_, node)| node).ok_or(Error::Layout)
    }

    /// What the first document is to say in the end.
    fn wanted<'w>(&'w self, steps: &'w [Step], value: Option<&'w ValueRoot<'_>>) -> Result<Data<'w>, Error> {
        let mut data = Data::of_node(self.node()?, self.document.text);
        match value {
            Some(value) => data.set(steps, value.data())?,
            None => data.unset(steps)?,
        }
        Ok(data)
    }

    /// The changed text, if one of the ways to change it leads to what is wanted.
    fn attempts(&self, steps: &[Step], value: Option<&ValueRoot<'_>>, wanted: &Data<'_>) -> Option<Zeroizing<String>> {
        let root = self.node().ok()?;
        let mut manner = Manner::of(self.document, root);
        for blocks in [true, false] {
            manner.blocks = blocks;
            let plan = Plan {
                scene: self,
                manner: &manner,
            };
            let (edits, gone) = match value {
                Some(value) if is_flat(manner.format) => {
                    flat::set(manner.format, self.document.text, root, steps, &value.data())
                }
                None if is_flat(manner.format) => flat::unset(self.document.text, root, steps),
                Some(value) => plan.set(steps, value.data()),
                None => plan.unset(steps),
            }?;
            let changed = apply(self.document.text, edits).text;
            if self.is_right(&changed, wanted, gone) {
                return Some(changed);
            }
        }
        None
    }

    /// Whether a text says what is wanted, and has all the comments but those of what is `gone`.
    fn is_right(&self, text: &str, wanted: &Data<'_>, gone: Span) -> bool {
        let Ok(document) = parse(self.document.format, text) else {
            return false;
        };
        let after = roots(&document);
        let as_wanted = after
            .first()
            .is_some_and(|(_, node)| wanted.is(&Data::of_node(node, text)));
        let others = self.roots.iter().skip(1).zip(after.iter().skip(1));
        let others_stay = self.roots.len() == after.len()
            && others.into_iter().all(|((_, before), (_, after))| {
                Data::of_node(before, self.document.text).is(&Data::of_node(after, text))
            });
        as_wanted
            && others_stay
            && document.flaws.len() <= self.document.flaws.len()
            && comments(self.document, gone) == comments(&document, Span::default())
    }

    /// The text with all aliases of the first document written out; none where there is none.
    fn without_aliases(&self) -> Option<Zeroizing<String>> {
        let text = self.document.text;
        let root = self.node().ok()?;
        let manner = Manner::of(self.document, root);
        let mut edits = Vec::new();
        collect_aliases(root, &mut |node| {
            edits.push(Edit::new(
                node.span,
                manner.flow(&Data::of_node(node, text), None).as_str(),
            ));
        });
        (!edits.is_empty()).then(|| apply(text, edits).text)
    }
}

/// The comments outside of an extent, line by line: neighbouring ones are one in INI.
fn comments(document: &Document<'_>, gone: Span) -> Vec<String> {
    let found = document.items.iter().filter_map(|item| match item {
        Item::Comment(comment) if !gone.holds(comment.span.start) => Some(&comment.text),
        _ => None,
    });
    let lines = found.flat_map(|text| text.split('\n'));
    let mut lines: Vec<String> = lines
        .map(|line| line.trim().trim_start_matches(['#', ';', ' ']).to_owned())
        .collect();
    lines.sort_unstable();
    lines
}

fn collect_aliases<'n, 'd>(node: &'n Node<'d>, found: &mut impl FnMut(&'n Node<'d>)) {
    match (&node.content, node.origin) {
        (_, Origin::Alias) => found(node),
        (Content::Branch(branch), Origin::Text) => {
            branch.children.iter().for_each(|child| collect_aliases(child, found));
        }
        _ => {}
    }
}

/// The extent whose comments go with a node. Those in the header of a block scalar stay.
const fn own_comments(node: &Node<'_>) -> Span {
    match &node.content {
        Content::Branch(_) => node.span,
        Content::Leaf(_) => Span::new(0, 0),
    }
}

/// Edits, and the extent whose comments go with them.
type Edits = (Vec<Edit>, Span);

/// One way to change a document.
struct Plan<'p, 'd> {
    scene: &'p Scene<'d>,
    manner: &'p Manner,
}

impl Plan<'_, '_> {
    const fn block(&self) -> Block<'_> {
        Block {
            text: self.scene.document.text,
            manner: self.manner,
        }
    }

    fn set(&self, steps: &[Step], value: Data<'_>) -> Option<Edits> {
        let mut above: Vec<&Node<'_>> = Vec::new();
        let mut node = self.scene.node().ok()?;
        for (index, step) in steps.iter().enumerate() {
            let rest = steps.get(index + 1..)?;
            let Some(branch) = node.branch() else {
                let value = Data::nested(steps.get(index..)?, value);
                return Some((self.replace(&above, node, &value), own_comments(node)));
            };
            if node.origin != Origin::Text {
                return None;
            }
            above.push(node);
            match branch.find(step).and_then(|at| branch.children.get(at)) {
                Some(child) => node = child,
                None => return Some((self.insert(&above, step, &Data::nested(rest, value))?, Span::default())),
            }
        }
        Some((self.replace(&above, node, &value), own_comments(node)))
    }

    /// Another value for a node that lies below these.
    fn replace(&self, above: &[&Node<'_>], node: &Node<'_>, value: &Data<'_>) -> Vec<Edit> {
        let text = self.scene.document.text;
        let in_flow = above
            .last()
            .and_then(|parent| parent.branch())
            .is_some_and(|branch| branch.flow);
        if in_flow {
            return flow::replace(text, self.manner, node, value);
        }
        self.block().replace(node, self.column(above), value)
    }

    /// The column of the keys or dashes of the innermost of these nodes.
    fn column(&self, above: &[&Node<'_>]) -> usize {
        let text = self.scene.document.text;
        let Some(parent) = above.last() else { return 0 };
        let first = parent
            .branch()
            .and_then(|branch| branch.children.first())
            .and_then(|child| child.key);
        let start = first.map_or(parent.span.start, |key| block::entry_start(text, key.span.start));
        lines::column(text, start)
    }

    /// A new member for the last of these nodes.
    fn insert(&self, above: &[&Node<'_>], step: &Step, value: &Data<'_>) -> Option<Vec<Edit>> {
        let text = self.scene.document.text;
        let (node, outer) = above.split_last()?;
        let branch = node.branch()?;
        let key = match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        };
        let outer_flow = outer
            .last()
            .and_then(|outer| outer.branch())
            .is_some_and(|branch| branch.flow);
        let whole = || match key {
            Some(key) => Data::Map(vec![(key, value.clone())]),
            None => Data::List(vec![value.clone()]),
        };
        let is_yaml = self.manner.format == Format::Yaml;
        Some(match (branch.flow, branch.children.is_empty(), outer.is_empty()) {
            (false, false, _) => self.block().insert(node, branch, key, value),
            (_, true, true) if is_yaml => self.first_entry(node, &whole()),
            (true, true, false) if is_yaml && !outer_flow => self.block().replace(node, self.column(outer), &whole()),
            // An entry in a list without braces of its own (`[a: 1]`).
            (true, false, false) if !node.span.of(text).starts_with(['{', '[']) => {
                let mut data = Data::of_node(node, text);
                data.set(std::slice::from_ref(step), value.clone()).ok()?;
                vec![Edit::new(node.span, self.manner.flow(&data, None).as_str())]
            }
            _ => flow::insert(text, self.manner, node, branch, key, value),
        })
    }

    /// The first entry of a YAML document that has none.
    fn first_entry(&self, node: &Node<'_>, data: &Data<'_>) -> Vec<Edit> {
        let text = self.scene.document.text;
        let entry = self.manner.block(data, 0);
        let line = self.manner.line_break;
        match self.scene.root.style {
            RootStyle::Flow { .. } if node.span.of(text) == "{}" => {
                let before = if starts_line(text, node.span.start) { "" } else { line };
                vec![Edit::new(node.span, format!("{before}{}", *entry))]
            }
            RootStyle::Flow { .. } => {
                let Data::Map(entries) = data else { return Vec::new() };
                let at = Span::new(self.scene.root.insert_at, self.scene.root.insert_at);
                let entry = entries
                    .iter()
                    .map(|(key, value)| format!("{}{}", self.manner.flow_key(key), *self.manner.flow(value, None)));
                entry.map(|text| Edit::new(at, text)).collect()
            }
            _ => {
                let at = self.scene.root.insert_at.min(text.len());
                let before = if line_start(text, at) == at { "" } else { line };
                vec![Edit::new(Span::new(at, at), format!("{before}{}{line}", *entry))]
            }
        }
    }

    fn unset(&self, steps: &[Step]) -> Option<Edits> {
        let text = self.scene.document.text;
        let mut above: Vec<&Node<'_>> = Vec::new();
        let mut node = self.scene.node().ok()?;
        let (last, way) = steps.split_last()?;
        for step in way {
            above.push(node);
            let branch = node.branch()?;
            node = branch.children.get(branch.find(step)?)?;
        }
        let branch = node.branch()?;
        let index = branch.find(last)?;
        if node.origin != Origin::Text {
            return None;
        }
        if branch.children.len() == 1 {
            return Some(self.empty(&above, node, branch.shape));
        }
        let gone = own_comments(branch.children.get(index)?);
        let edits = if branch.flow {
            flow::remove(text, branch, index)?
        } else {
            self.block().remove(node, branch, index)?
        };
        Some((edits, gone))
    }

    /// Empty brackets for a node that loses its only member.
    fn empty(&self, above: &[&Node<'_>], node: &Node<'_>, shape: Shape) -> Edits {
        let text = self.scene.document.text;
        let data = Data::empty(shape);
        let only = node.branch().and_then(|branch| branch.children.first());
        let gone = only.map_or(node.span, own_comments);
        let flow = node.branch().is_some_and(|branch| branch.flow);
        if above.is_empty() || flow {
            let start = match only.and_then(|child| child.key) {
                Some(key) if !flow => block::entry_start(text, key.span.start),
                _ => node.span.start,
            };
            let span = Span::new(start, node.span.end);
            return (
                vec![Edit::new(span, self.manner.token(&data, None).as_str())],
                node.span,
            );
        }
        let mut edits = self.replace(above, node, &data);
        if let (Some(Content::Leaf(leaf)), Some(edit)) = (only.map(|only| &only.content), edits.last_mut()) {
            edit.text.push_str(&self.block().header_comment(leaf));
        }
        (edits, gone)
    }
}

#[cfg(test)]
mod tests;
