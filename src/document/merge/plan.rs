//! What becomes of each entry of three texts.

use std::collections::HashMap;

use super::list;
use super::tree::{Body, BodyStyle, Entry};
use crate::document::Shape;
use crate::document::change::data::{self, Data};
use crate::document::change::node::{Content, Node};

/// The same thing in three texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Three<T> {
    pub(super) base: Option<T>,
    pub(super) ours: Option<T>,
    pub(super) theirs: Option<T>,
}

/// Which text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Base,
    Ours,
    Theirs,
}

impl<T: Copy> Three<T> {
    pub(super) const fn of(&self, side: Side) -> Option<T> {
        match side {
            Side::Base => self.base,
            Side::Ours => self.ours,
            Side::Theirs => self.theirs,
        }
    }
}

/// What becomes of an entry.
pub(super) enum Plan<'a> {
    /// It stays as one side has it.
    Take(&'a Entry<'a>),
    /// A scalar in one line, its parts from different sides.
    Line {
        /// Whose place in the text it has.
        frame: &'a Entry<'a>,
        head: &'a str,
        value: &'a Entry<'a>,
        tail: &'a str,
    },
    /// A map or list, merged.
    Branch(Box<Merged<'a>>),
    /// Both sides changed it, each in another way.
    Conflict(Three<&'a Entry<'a>>),
}

/// A map or list, merged.
pub(super) struct Merged<'a> {
    /// Which the layout is of: ours, unless nothing is left of it there.
    pub(super) frame: &'a Entry<'a>,
    pub(super) body: &'a Body<'a>,
    pub(super) base: Option<&'a Entry<'a>>,
    pub(super) head: &'a str,
    pub(super) open: &'a str,
    pub(super) members: Vec<Member<'a>>,
    pub(super) rest: &'a str,
    pub(super) tail: &'a str,
    /// In brackets, the blanks in front of a member that is not the first.
    pub(super) further: &'a str,
}

/// A member of a merged map or list.
pub(super) struct Member<'a> {
    pub(super) name: &'a str,
    /// What stands above it, where both sides have it.
    pub(super) lead: Option<&'a str>,
    /// Whether the text that gives the layout has it, and as the first.
    pub(super) in_frame: Standing,
    pub(super) plan: Plan<'a>,
}

/// Where the text that gives the layout has a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    First,
    Further,
    Nowhere,
}

/// What becomes of an entry; none where it goes.
pub(super) fn decide<'a>(entries: Three<&'a Entry<'a>>) -> Option<Plan<'a>> {
    match (entries.base, entries.ours, entries.theirs) {
        (_, None, None) => None,
        (None, Some(only), None) | (None, None, Some(only)) => Some(Plan::Take(only)),
        (Some(base), Some(kept), None) | (Some(base), None, Some(kept)) => {
            (!same(base.node, kept.node)).then_some(Plan::Conflict(entries))
        }
        (base, Some(ours), Some(theirs)) => Some(both(base, ours, theirs)),
    }
}

fn both<'a>(base: Option<&'a Entry<'a>>, ours: &'a Entry<'a>, theirs: &'a Entry<'a>) -> Plan<'a> {
    let unchanged = |entry: &Entry<'_>| base.is_some_and(|base| base.whole == entry.whole);
    if ours.whole == theirs.whole || unchanged(theirs) {
        return Plan::Take(ours);
    }
    if unchanged(ours) {
        return Plan::Take(theirs);
    }
    if let Some(merged) = branches(base, ours, theirs) {
        return Plan::Branch(Box::new(merged));
    }
    let same_as_base = |entry: &Entry<'_>| base.is_some_and(|base| same(base.node, entry.node));
    let value = if same(ours.node, theirs.node) || same_as_base(theirs) {
        ours
    } else if same_as_base(ours) {
        theirs
    } else {
        return Plan::Conflict(Three {
            base,
            ours: Some(ours),
            theirs: Some(theirs),
        });
    };
    let in_line = |entry: &Entry<'_>| {
        matches!(entry.node.content, Content::Leaf(_)) && !entry.head.contains('\n') && !entry.token.contains('\n')
    };
    if in_line(ours) && in_line(theirs) {
        let part = |part: fn(&Entry<'a>) -> &'a str| three_way(base.map(part), part(ours), part(theirs));
        return Plan::Line {
            frame: ours,
            head: part(|entry| entry.head),
            value,
            tail: part(|entry| entry.tail),
        };
    }
    Plan::Take(value)
}

/// The side of a text that changed; ours where both did.
pub(super) fn three_way<'a>(base: Option<&'a str>, ours: &'a str, theirs: &'a str) -> &'a str {
    if base == Some(ours) || (base.is_none() && ours.trim().is_empty()) {
        theirs
    } else {
        ours
    }
}

/// A map or list that both sides changed, merged member by member; none where that can't be.
fn branches<'a>(base: Option<&'a Entry<'a>>, ours: &'a Entry<'a>, theirs: &'a Entry<'a>) -> Option<Merged<'a>> {
    let (our, their) = (ours.body.as_ref()?, theirs.body.as_ref()?);
    // Empty brackets hold no layout that members could be put into.
    let side = if our.entries.is_empty() {
        Side::Theirs
    } else {
        Side::Ours
    };
    let (frame, body, other) = if side == Side::Ours {
        (ours, our, their)
    } else {
        (theirs, their, our)
    };
    let in_lines = |body: &Body<'_>| body.style != BodyStyle::Flow;
    let alike = in_lines(our) == in_lines(their);
    let is_emptied = other.entries.is_empty();
    if our.shape != their.shape || body.entries.is_empty() || !(alike || is_emptied) {
        return None;
    }
    let was = base
        .and_then(|base| base.body.as_ref())
        .filter(|body| body.shape == our.shape);
    let lists = Three {
        base: was.map(|body| body.entries.as_slice()),
        ours: Some(our.entries.as_slice()),
        theirs: Some(their.entries.as_slice()),
    };
    let slots = match our.shape {
        Shape::Map => list::keys(&lists),
        Shape::List => list::slots(&lists)?,
    };
    let members: Vec<Member<'_>> = slots
        .into_iter()
        .filter_map(|slot| member(&lists, slot, side))
        .collect();
    if is_emptied && members.iter().any(|member| member.plan.has_conflict()) {
        return None;
    }
    let part = |part: fn(&Entry<'a>) -> &'a str| {
        if alike {
            three_way(base.map(part), part(ours), part(theirs))
        } else {
            part(frame)
        }
    };
    let inner = |part: fn(&Body<'a>) -> &'a str| {
        // What belongs to brackets is the layout of who has them.
        if in_lines(our) && in_lines(their) && was.is_none_or(in_lines) {
            three_way(was.map(part), part(our), part(their))
        } else {
            part(body)
        }
    };
    Some(Merged {
        frame,
        body,
        base,
        head: part(|entry| entry.head),
        open: inner(|body| body.open),
        members,
        rest: inner(|body| body.rest),
        tail: part(|entry| entry.tail),
        further: further(body, other),
    })
}

/// In brackets, the blanks in front of a member that is not the first.
fn further<'a>(body: &Body<'a>, other: &Body<'a>) -> &'a str {
    let first = body.entries.first().map_or("", |entry| entry.lead);
    match (body.entries.get(1), other.entries.get(1)) {
        (Some(own), _) => own.lead,
        (None, _) if first.contains('\n') => first,
        (None, Some(other)) => other.lead,
        (None, None) => " ",
    }
}

fn member<'a>(lists: &Three<&'a [Entry<'a>]>, slot: list::Slot, frame: Side) -> Option<Member<'a>> {
    let entry = |side: Side| lists.of(side)?.get(slot.of(side)?);
    let entries = Three {
        base: entry(Side::Base),
        ours: entry(Side::Ours),
        theirs: entry(Side::Theirs),
    };
    let any = entries.ours.or(entries.theirs)?;
    let lead = match (entries.ours, entries.theirs) {
        (Some(ours), Some(theirs)) => Some(three_way(entries.base.map(|base| base.lead), ours.lead, theirs.lead)),
        _ => None,
    };
    Some(Member {
        name: any.name,
        lead,
        in_frame: match slot.of(frame) {
            Some(0) => Standing::First,
            Some(_) => Standing::Further,
            None => Standing::Nowhere,
        },
        plan: decide(entries)?,
    })
}

/// Whether two nodes say the same; the order of a map's keys does not count.
pub(super) fn same(one: &Node<'_>, other: &Node<'_>) -> bool {
    match (&one.content, &other.content) {
        (Content::Leaf(one), Content::Leaf(other)) => data::same(&one.value, &other.value),
        (Content::Branch(one), Content::Branch(other)) => {
            if one.shape != other.shape || one.children.len() != other.children.len() {
                return false;
            }
            let mut pairs = one.children.iter().zip(&other.children);
            if pairs.clone().all(|(one, other)| one.name() == other.name()) {
                return pairs.all(|(one, other)| same(one, other));
            }
            let others: HashMap<&str, &Node<'_>> = other.children.iter().map(|child| (child.name(), child)).collect();
            one.children
                .iter()
                .all(|child| others.get(child.name()).is_some_and(|other| same(child, other)))
        }
        _ => false,
    }
}

impl<'a> Plan<'a> {
    /// What the merged text says here if conflicts go to one side; none where that side does not have it.
    pub(super) fn data(&self, side: Side) -> Option<Data<'a>> {
        match self {
            Self::Take(entry) | Self::Line { value: entry, .. } => Some(Data::of_node(entry.node, "")),
            Self::Conflict(entries) => entries.of(side).map(|entry| Data::of_node(entry.node, "")),
            Self::Branch(merged) => {
                let inner = merged
                    .members
                    .iter()
                    .filter_map(|member| Some((member.name, member.plan.data(side)?)));
                Some(match merged.body.shape {
                    Shape::Map => Data::Map(inner.collect()),
                    Shape::List => Data::List(inner.map(|(_, data)| data).collect()),
                })
            }
        }
    }

    /// Whether two sides disagree somewhere in it.
    pub(super) fn has_conflict(&self) -> bool {
        match self {
            Self::Take(_) | Self::Line { .. } => false,
            Self::Conflict(_) => true,
            Self::Branch(merged) => merged.members.iter().any(|member| member.plan.has_conflict()),
        }
    }

    /// Whether a conflict can only be shown in lines that are not its own alone, so that all of this is shown as one.
    pub(super) fn is_shown_whole(&self) -> bool {
        match self {
            Self::Take(_) | Self::Line { .. } => false,
            Self::Conflict(_) => true,
            Self::Branch(merged) => {
                let first_in_line = merged.body.style == BodyStyle::Compact;
                let own_lines = merged.has_own_lines();
                merged.members.iter().enumerate().any(|(index, member)| {
                    let owns = own_lines && !(first_in_line && index == 0);
                    !owns && member.plan.has_conflict()
                })
            }
        }
    }
}

impl Merged<'_> {
    /// Whether each member begins a line and ends one.
    fn has_own_lines(&self) -> bool {
        let breaks = |text: &str| text.contains('\n');
        self.body.style != BodyStyle::Flow
            || breaks(self.rest) && self.body.entries.iter().all(|entry| breaks(entry.lead))
    }
}
