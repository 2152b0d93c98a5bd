//! A plan as text.

use zeroize::Zeroizing;

use super::plan::{Member, Merged, Plan, Side, Standing, Three};
use super::tree::{BodyStyle, Entry};
use super::{ConflictStyle, Markers};
use crate::document::key_path::{KeyPath, Step};
use crate::document::{Format, Shape};

/// What is shown where two sides disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Both, between markers.
    Marked,
    /// One side.
    Only(Side),
}

/// A text in the making.
pub(super) struct Page<'m> {
    pub(super) out: Zeroizing<String>,
    pub(super) conflicts: Vec<KeyPath>,
    view: View,
    format: Format,
    markers: &'m Markers,
    line_break: &'static str,
    path: Vec<Step>,
}

/// How an entry that follows stands in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Line,
    /// Behind something.
    Within,
}

impl<'m> Page<'m> {
    pub(super) fn new(view: View, format: Format, markers: &'m Markers, line_break: &'static str, room: usize) -> Self {
        Self {
            // Room for all of it at once: a string that grows leaves copies of secrets behind.
            out: Zeroizing::new(String::with_capacity(room)),
            conflicts: Vec::new(),
            view,
            format,
            markers,
            line_break,
            path: Vec::new(),
        }
    }

    /// A whole document.
    pub(super) fn document(&mut self, plan: &Plan<'_>) {
        if self.view == View::Marked && plan.is_shown_whole() {
            self.disputed(plan, None, None, 0);
            return;
        }
        self.content(plan, 0, Start::Within);
    }

    /// An entry without what stands in front of it.
    fn content(&mut self, plan: &Plan<'_>, column: usize, start: Start) {
        match plan {
            Plan::Take(entry) => self.shifted(entry.whole, entry.column, column),
            Plan::Line { head, value, tail, .. } => {
                self.out.push_str(head);
                self.out.push_str(value.token);
                self.out.push_str(tail);
            }
            Plan::Conflict(entries) => {
                if let View::Only(side) = self.view
                    && let Some(entry) = entries.of(side)
                {
                    self.shifted(entry.whole, entry.column, column);
                }
            }
            Plan::Branch(merged) => self.branch(merged, start),
        }
    }

    fn branch(&mut self, merged: &Merged<'_>, start: Start) {
        if self.view == View::Only(Side::Base) {
            // Nobody asks for anything but the old text.
            let text = merged.base.map_or("", |base| base.whole);
            self.shifted(text, merged.base.map_or(0, |base| base.column), merged.frame.column);
            return;
        }
        if merged.body.style == BodyStyle::Flow {
            self.out.push_str(merged.head);
            self.flow(merged);
            self.out.push_str(merged.tail);
        } else if self.shown(merged).next().is_none() && self.format == Format::Yaml && start == Start::Line {
            self.emptied(merged);
        } else {
            self.out.push_str(merged.head);
            self.block(merged);
        }
    }

    /// The members that are there in this view.
    fn shown<'p, 'a>(&self, merged: &'p Merged<'a>) -> impl Iterator<Item = &'p Member<'a>> + use<'p, 'a> {
        let view = self.view;
        merged.members.iter().filter(move |member| match (&member.plan, view) {
            (Plan::Conflict(entries), View::Only(side)) => entries.of(side).is_some(),
            _ => true,
        })
    }

    /// A block that has lost all its members.
    fn emptied(&mut self, merged: &Merged<'_>) {
        let brackets = if merged.body.shape == Shape::Map { "{}" } else { "[]" };
        self.out.push_str(merged.head.trim_end());
        self.out.push(' ');
        self.out.push_str(brackets);
        self.out.push_str(self.line_break);
        self.out.push_str(merged.rest);
    }

    fn block(&mut self, merged: &Merged<'_>) {
        self.out.push_str(merged.open);
        let column = merged.body.entries.first().map_or(0, |entry| entry.column);
        for (index, member) in self.shown(merged).enumerate() {
            let within = merged.body.style == BodyStyle::Compact && index == 0;
            self.enter(merged, member, index);
            if !within && !self.out.is_empty() && !self.out.ends_with('\n') {
                self.out.push_str(self.line_break);
            }
            self.block_member(member, column, if within { Start::Within } else { Start::Line });
            self.path.pop();
        }
        if !merged.rest.is_empty() && !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push_str(self.line_break);
        }
        self.out.push_str(merged.rest);
    }

    fn block_member(&mut self, member: &Member<'_>, column: usize, start: Start) {
        let sides = match &member.plan {
            Plan::Take(entry) => Some(*entry),
            Plan::Line { frame, .. } => Some(*frame),
            Plan::Branch(merged) => Some(merged.frame),
            Plan::Conflict(_) => None,
        };
        if start == Start::Line
            && let Some(lead) = member.lead
        {
            let own = sides.map_or(column, |entry| entry.column);
            self.shifted_lines(lead, own, column);
        }
        if self.view == View::Marked && member.plan.is_shown_whole() {
            self.disputed(&member.plan, member.lead, None, column);
            return;
        }
        let entry = match (&member.plan, self.view) {
            (Plan::Conflict(entries), View::Only(side)) => entries.of(side),
            _ => sides,
        };
        let Some(entry) = entry else { return };
        if start == Start::Line {
            if member.lead.is_none() {
                self.shifted_lines(entry.lead, entry.column, column);
            }
            self.indent(entry, column);
        }
        self.content(&member.plan, column, start);
    }

    fn indent(&mut self, entry: &Entry<'_>, column: usize) {
        if self.format == Format::Yaml {
            self.out.extend(std::iter::repeat_n(' ', column));
        } else {
            self.out.push_str(entry.indent);
        }
    }

    fn enter(&mut self, merged: &Merged<'_>, member: &Member<'_>, index: usize) {
        self.path.push(match merged.body.shape {
            Shape::Map => Step::Key(member.name.to_owned()),
            Shape::List => Step::Index(index),
        });
    }

    /// Members in brackets.
    fn flow(&mut self, merged: &Merged<'_>) {
        self.out.push_str(merged.open);
        let count = self.shown(merged).count();
        for (index, member) in self.shown(merged).enumerate() {
            let lead = flow_lead(merged, member, index);
            let comma = if index + 1 < count { "," } else { "" };
            self.enter(merged, member, index);
            if self.view == View::Marked && member.plan.is_shown_whole() {
                let (above, indent) = lead.rsplit_once('\n').unwrap_or(("", lead));
                self.out.push_str(above);
                self.out.push('\n');
                self.disputed(&member.plan, None, Some((indent, comma)), 0);
                // The next thing begins with a line break.
                let end = self.out.trim_end_matches('\n').trim_end_matches('\r').len();
                self.out.truncate(end);
            } else {
                self.out.push_str(lead);
                self.content(&member.plan, 0, Start::Within);
                self.out.push_str(comma);
            }
            self.path.pop();
        }
        let rest = if count == 0 {
            merged.rest.trim_start().trim_start_matches(',')
        } else {
            merged.rest
        };
        self.out.push_str(rest);
    }

    /// All sides of something, between markers in lines of their own.
    fn disputed(&mut self, plan: &Plan<'_>, lead: Option<&str>, in_brackets: Option<(&str, &str)>, column: usize) {
        let mut parts =
            [Side::Ours, Side::Base, Side::Theirs].map(|side| self.side(plan, side, lead, in_brackets, column));
        let mut path = Vec::new();
        collect(plan, &mut self.path, &mut path);
        self.conflicts.append(&mut path);
        let (mut before, mut after) = (String::new(), String::new());
        if self.markers.style == ConflictStyle::Zdiff3 {
            let [ours, _, theirs] = &mut parts;
            (before, after) = trim_common(ours, theirs);
        }
        self.out.push_str(&before);
        let [ours, base, theirs] = &parts;
        self.marker('<', &self.markers.ours);
        self.out.push_str(ours);
        if self.markers.style != ConflictStyle::Merge {
            self.marker('|', &self.markers.base);
            self.out.push_str(base);
        }
        self.marker('=', "");
        self.out.push_str(theirs);
        self.marker('>', &self.markers.theirs);
        self.out.push_str(&after);
    }

    fn marker(&mut self, sign: char, label: &str) {
        self.out.extend(std::iter::repeat_n(sign, self.markers.size));
        if !label.is_empty() {
            self.out.push(' ');
            self.out.push_str(label);
        }
        self.out.push_str(self.line_break);
    }

    /// One side of something, in whole lines.
    fn side(
        &self,
        plan: &Plan<'_>,
        side: Side,
        lead: Option<&str>,
        in_brackets: Option<(&str, &str)>,
        column: usize,
    ) -> Zeroizing<String> {
        let mut page = Page::new(View::Only(side), self.format, self.markers, self.line_break, 0);
        let entry = match plan {
            Plan::Conflict(Three { base, ours, theirs }) => Three {
                base: *base,
                ours: *ours,
                theirs: *theirs,
            }
            .of(side),
            Plan::Branch(merged) if side == Side::Base => merged.base,
            Plan::Branch(merged) => Some(merged.frame),
            Plan::Take(entry) | Plan::Line { frame: entry, .. } => Some(*entry),
        };
        let Some(entry) = entry else { return page.out };
        if let Some((indent, comma)) = in_brackets {
            page.out.push_str(indent);
            page.content(plan, 0, Start::Within);
            page.out.push_str(comma);
        } else {
            if lead.is_none() {
                page.shifted_lines(entry.lead, entry.column, column);
            }
            page.indent(entry, column);
            page.content(plan, column, Start::Line);
        }
        if !page.out.ends_with('\n') {
            page.out.push_str(self.line_break);
        }
        page.out
    }

    /// A text whose first line begins in a column, moved to another one.
    fn shifted(&mut self, text: &str, from: usize, to: usize) {
        match text.split_once('\n') {
            Some((first, rest)) if from != to && self.format == Format::Yaml => {
                self.out.push_str(first);
                self.out.push('\n');
                self.shifted_lines(rest, from, to);
            }
            _ => self.out.push_str(text),
        }
    }

    /// Whole lines, moved as far as they can be.
    fn shifted_lines(&mut self, text: &str, from: usize, to: usize) {
        if from == to || self.format != Format::Yaml {
            self.out.push_str(text);
            return;
        }
        for line in text.split_inclusive('\n') {
            let content = line.trim_start_matches(' ');
            let blanks = line.len() - content.len();
            if !content.trim().is_empty() {
                self.out
                    .extend(std::iter::repeat_n(' ', (blanks + to).saturating_sub(from)));
            }
            self.out.push_str(content);
        }
    }
}

/// The blanks in front of a member in brackets: its own, unless it has come from elsewhere.
fn flow_lead<'a>(merged: &Merged<'a>, member: &Member<'a>, index: usize) -> &'a str {
    let entries = &merged.body.entries;
    let first = entries.first().map_or("", |entry| entry.lead);
    let further = merged.further;
    match (member.in_frame, index) {
        (Standing::First, 0) => first,
        (Standing::Further, 1..) => match &member.plan {
            Plan::Take(entry) => own_lead(member, entry),
            Plan::Line { frame, .. } => own_lead(member, frame),
            Plan::Branch(merged) => own_lead(member, merged.frame),
            Plan::Conflict(entries) => entries.ours.or(entries.theirs).map_or(further, |entry| entry.lead),
        },
        (_, 0) => first,
        _ => further,
    }
}

fn own_lead<'a>(member: &Member<'a>, entry: &Entry<'a>) -> &'a str {
    member.lead.unwrap_or(entry.lead)
}

/// The places of all conflicts in a plan.
fn collect(plan: &Plan<'_>, path: &mut Vec<Step>, found: &mut Vec<KeyPath>) {
    match plan {
        Plan::Take(_) | Plan::Line { .. } => {}
        Plan::Conflict(_) => found.push(KeyPath { steps: path.clone() }),
        Plan::Branch(merged) => {
            for (index, member) in merged.members.iter().enumerate() {
                path.push(match merged.body.shape {
                    Shape::Map => Step::Key(member.name.to_owned()),
                    Shape::List => Step::Index(index),
                });
                collect(&member.plan, path, found);
                path.pop();
            }
        }
    }
}

/// Takes the lines that two texts begin and end with alike out of both.
fn trim_common(ours: &mut Zeroizing<String>, theirs: &mut Zeroizing<String>) -> (String, String) {
    let lines = |text: &str| text.split_inclusive('\n').map(str::len).collect::<Vec<_>>();
    let common = |one: &str, other: &str| {
        one.split_inclusive('\n')
            .zip(other.split_inclusive('\n'))
            .take_while(|(one, other)| one == other)
            .map(|(line, _)| line.len())
            .sum::<usize>()
    };
    let head = common(ours, theirs);
    let before: String = ours.drain(..head).collect();
    theirs.drain(..head);
    let (our, their) = (lines(ours), lines(theirs));
    let (mut our_at, mut their_at) = (ours.len(), theirs.len());
    for (one, other) in our.iter().rev().zip(their.iter().rev()) {
        if ours.get(our_at - one..our_at) != theirs.get(their_at - other..their_at) {
            break;
        }
        (our_at, their_at) = (our_at - one, their_at - other);
    }
    let after = ours.split_off(our_at);
    theirs.truncate(their_at);
    (before, after)
}
