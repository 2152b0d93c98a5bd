//! Flow collections: maps in braces, lists in brackets.

use super::cursor::is_blank;
use super::parser::{Parser, Place, Properties};
use super::token::{Kind, Step};
use super::tree::{Branch, Content, NodeId};

impl<'t> Parser<'t> {
    pub(super) fn parse_flow_list(&mut self, node: NodeId) -> Step<Content<'t>> {
        let notes = self.take_notes();
        self.nodes[node].notes = notes;
        self.take()?;
        let mut branch = Branch {
            flow: true,
            ..Branch::default()
        };
        while self.peek_member(Kind::FlowListEnd, branch.children.is_empty())? {
            let child = if self.peek()? == Kind::Key {
                self.parse_container(&Properties::default(), Self::parse_pair)?
            } else {
                self.parse_node(Place::Flow)?
            };
            branch.children.push(child);
        }
        self.end_flow(node)?;
        Ok(Content::List(branch))
    }

    /// Whether a further member stands in a flow collection that ends with `end`; passes the comma before it.
    fn peek_member(&mut self, end: Kind, first: bool) -> Step<bool> {
        let mut kind = self.peek()?;
        let mut flow_end = self.last_end;
        if matches!(self.scanner.last_taken(), Kind::Value | Kind::Tag) {
            // A comma right behind a colon would belong to the key, behind a tag to the tag.
            let cursor = &self.scanner.cursor;
            let blank = usize::from(is_blank(cursor.byte_at(flow_end)));
            flow_end += blank.max(cursor.break_at(flow_end));
        }
        self.flow_end = (flow_end, false);
        if kind != end && !first {
            if kind != Kind::Comma {
                return self.syntax("did not find expected ',' or closing bracket");
            }
            self.take()?;
            self.flow_end.1 = true;
            kind = self.peek()?;
        }
        Ok(kind != end)
    }

    /// Parses the one entry of a map that is written without braces in a list.
    fn parse_pair(&mut self, _: NodeId) -> Step<Content<'t>> {
        self.take()?;
        let mut branch = Branch {
            flow: true,
            ..Branch::default()
        };
        let key = if matches!(self.peek()?, Kind::Value | Kind::Comma | Kind::FlowListEnd) {
            // libyaml passes this token unseen.
            self.take()?;
            self.add_absent()
        } else {
            self.parse_node(Place::Flow)?
        };
        let value = self.parse_flow_value(&[Kind::Comma, Kind::FlowListEnd])?;
        self.peek()?;
        self.add_entry(&mut branch, key, value);
        Ok(Content::Map(branch))
    }

    /// Parses the value of a flow entry, if a colon stands here. Tokens of the kinds in `absent` can't begin it.
    fn parse_flow_value(&mut self, absent: &[Kind]) -> Step<NodeId> {
        if self.peek()? == Kind::Value {
            self.take()?;
            if !absent.contains(&self.peek()?) {
                return self.parse_node(Place::Flow);
            }
        }
        Ok(self.add_absent())
    }

    pub(super) fn parse_flow_map(&mut self, node: NodeId) -> Step<Content<'t>> {
        let notes = self.take_notes();
        self.nodes[node].notes = notes;
        self.take()?;
        let mut branch = Branch {
            flow: true,
            ..Branch::default()
        };
        while self.peek_member(Kind::FlowMapEnd, branch.children.is_empty())? {
            let (key, value);
            if self.peek()? == Kind::Key {
                self.take()?;
                key = match self.peek()? {
                    Kind::Value | Kind::Comma | Kind::FlowMapEnd => self.add_absent(),
                    _ => self.parse_node(Place::Flow)?,
                };
                value = self.parse_flow_value(&[Kind::Comma, Kind::FlowMapEnd])?;
            } else {
                key = self.parse_node(Place::Flow)?;
                self.peek()?;
                value = self.add_absent();
            }
            self.add_entry(&mut branch, key, value);
        }
        self.end_flow(node)?;
        Ok(Content::Map(branch))
    }

    /// Attaches what has been collected at the end of a flow collection, in place of what it had.
    fn end_flow(&mut self, node: NodeId) -> Step<()> {
        let notes = self.take_notes();
        if notes.is_some() || self.nodes.get(node).is_some_and(|node| node.notes.is_some()) {
            let notes = notes.unwrap_or_default();
            let own = self.notes_of(node);
            (own.line, own.foot) = (notes.line, notes.foot);
        }
        self.take()?;
        Ok(())
    }
}
