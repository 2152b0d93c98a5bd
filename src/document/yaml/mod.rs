//! YAML: a text as items, and the spelling of what is exchanged in it.
//!
//! Everything here agrees with go-yaml 3.0.4, which SOPS reads and writes YAML with: what is accepted, what a scalar
//! means and which container a comment belongs to. Sealing depends on it, because values and comments are encrypted with
//! the path of their container, and hashed by what they mean.

mod block;
mod comments;
mod cursor;
mod parser;
mod props;
mod quote;
mod resolve;
mod scalars;
mod scanner;
mod spell;
mod strays;
mod timestamp;
mod token;
mod tree;
mod walk;

use self::parser::Parser;
use self::token::{Step, Stop};
use self::walk::{Source, Walk};
use super::{Document, Error, Fault, Format, Item};
use crate::text::Position;

pub use self::spell::{opened_token, sealed_token};

/// A text as a scalar in block context: plain where that reads back as the same text, else quoted.
#[must_use]
pub fn scalar(text: &str) -> String {
    let value = super::Value::Str(std::borrow::Cow::Borrowed(text.as_bytes()));
    opened_token(super::Style::Plain, super::Context::default(), &value, text.as_bytes()).unwrap_or_default()
}

/// Reads a YAML text of one or more documents.
///
/// Comments are attached as if the entry that sealing appends stood at [`super::Root::insert_at`] of each document, unless
/// it is there already: so they belong to the same containers in the sealed text.
///
/// # Errors
/// When the text is not valid YAML, when SOPS could not read it, and beyond the limits of depth and aliases.
pub fn parse(text: &str) -> Result<Document<'_>, Error> {
    if let Some(at) = cursor::forbidden_character(text) {
        return Err(error(text, Stop::syntax(at, "control characters are not allowed")));
    }
    let mut walk = Walk::new(text);
    walk_documents(&mut walk, text).map_err(|stop| error(text, stop))?;
    if walk.items.is_empty() {
        return Err(error(
            text,
            Stop {
                at: 0,
                fault: Fault::NoDocument,
            },
        ));
    }
    Ok(Document {
        text,
        format: Format::Yaml,
        items: walk.items,
        flaws: flaws(text, walk.flaws),
    })
}

fn walk_documents<'t>(walk: &mut Walk<'t>, text: &'t str) -> Step<()> {
    let mut parser = Parser::new(text);
    let mut first = true;
    // Where the items of the last document begin.
    let mut begin = 0;
    while let Some(tree) = parser.next_document(first)? {
        begin = walk.items.len();
        let source = Source {
            nodes: &parser.nodes,
            comments: &parser.scanner.comments.found,
        };
        walk.document(&tree, source)?;
        place_strays(walk, &parser, begin, tree.end);
        walk.flaws
            .extend(parser.bad_directives.drain(..).map(|at| (at, Fault::YamlDirective)));
        if !parser.has_anchors() {
            parser.nodes.clear();
        }
        first = false;
    }
    if !first {
        place_strays(walk, &parser, begin, text.len() + 1);
    }
    Ok(())
}

/// Places the comments before `end` that no node took among the items since `begin`.
fn place_strays<'t>(walk: &mut Walk<'t>, parser: &Parser<'t>, begin: usize, end: usize) {
    let found = &parser.scanner.comments.found;
    walk.placed.resize(found.len(), false);
    let before_end = found.partition_point(|span| span.start < end);
    let mut strays = Vec::new();
    for (span, placed) in found.iter().zip(&mut walk.placed).take(before_end).skip(walk.settled) {
        if !*placed {
            *placed = true;
            strays.push(*span);
        }
    }
    walk.settled = before_end;
    if !strays.is_empty() {
        let items: Vec<Item<'t>> = walk.items.split_off(begin);
        walk.items.extend(strays::insert(walk.text, items, strays));
    }
}

fn error(text: &str, stop: Stop) -> Error {
    Error {
        place: Position::at(text.as_bytes(), stop.at),
        fault: stop.fault,
    }
}

/// The flaws in the order of the text, with their places counted in one pass.
fn flaws(text: &str, mut found: Vec<(usize, Fault)>) -> Vec<Error> {
    found.sort_by_key(|&(at, _)| at);
    let mut line_start = 0;
    let mut line = 1;
    found
        .into_iter()
        .map(|(at, fault)| {
            let passed = text.as_bytes().get(line_start..at).unwrap_or_default();
            if let Some(newline) = passed.iter().rposition(|&byte| byte == b'\n') {
                line += passed.iter().filter(|&&byte| byte == b'\n').count();
                line_start += newline + 1;
            }
            let column = Position::at(text.as_bytes().get(line_start..).unwrap_or_default(), at - line_start).column;
            Error {
                place: Position { line, column },
                fault,
            }
        })
        .collect()
}
