//! Changes in brackets: JSON, and the flow collections of YAML.

use super::block::untagged;
use super::data::Data;
use super::lines::{before_in_line, line_start, next_line, skip_trivia, starts_line};
use super::node::{Branch, Node};
use super::write::Manner;
use crate::document::Value;
use crate::document::edit::Edit;
use crate::text::Span;

/// Where a member begins.
fn start(child: &Node<'_>) -> usize {
    child.key.map_or(child.span.start, |key| key.span.start)
}

/// The blanks in front of a member's line; none where it shares the line with what is before it.
fn lead(text: &str, at: usize) -> Option<&str> {
    starts_line(text, at).then(|| before_in_line(text, at))
}

/// The blanks in front of the line that an offset lies in.
fn line_lead(text: &str, at: usize) -> &str {
    let line = before_in_line(text, at);
    line.get(..line.len() - line.trim_start_matches([' ', '\t']).len())
        .unwrap_or_default()
}

/// Another value in the place of a member's.
pub(super) fn replace(text: &str, manner: &Manner, node: &Node<'_>, value: &Data<'_>) -> Vec<Edit> {
    let new = manner.flow(value, lead(text, start(node)));
    if node.span.start < node.span.end {
        let is_text = matches!(value, Data::Leaf(Value::Str(_), _));
        let from = if is_text {
            node.span.start
        } else {
            untagged(text, node.span.start)
        };
        return vec![Edit::new(Span::new(from, node.span.end), new.as_str())];
    }
    // A key alone, with its colon or without.
    let colon = if text.get(..node.span.start).is_some_and(|before| before.ends_with(':')) {
        " "
    } else {
        ": "
    };
    vec![Edit::new(node.span, format!("{colon}{}", *new))]
}

/// A new last member.
pub(super) fn insert(
    text: &str,
    manner: &Manner,
    node: &Node<'_>,
    branch: &Branch<'_>,
    key: Option<&str>,
    value: &Data<'_>,
) -> Vec<Edit> {
    let key = key.map(|key| manner.flow_key(key)).unwrap_or_default();
    let Some(last) = branch.children.last() else {
        return insert_first(text, manner, node, &key, value);
    };
    let line = lead(text, start(last));
    let new = manner.flow(value, line);
    let between = match line {
        Some(line) => format!(",{}{line}", manner.line_break),
        None => format!(",{}", manner.after_comma),
    };
    let at = behind(text, last);
    let bare_colon = at == last.span.start && text.get(..at).is_some_and(|before| before.ends_with(':'));
    let blank = if bare_colon { " " } else { "" };
    vec![Edit::new(Span::new(at, at), format!("{blank}{between}{key}{}", *new))]
}

fn insert_first(text: &str, manner: &Manner, node: &Node<'_>, key: &str, value: &Data<'_>) -> Vec<Edit> {
    // A line for each member where the brackets themselves stand in a line of their own, or are all there is.
    let in_lines =
        manner.format != crate::document::Format::Yaml && (starts_line(text, start(node)) || node.span.start == 0);
    let outer = line_lead(text, node.span.start);
    let inside = Span::new(node.span.start + 1, node.span.end.saturating_sub(1));
    if in_lines {
        let inner = format!("{outer}{}", manner.unit);
        let new = manner.flow(value, Some(&inner));
        let (line, blank) = (manner.line_break, inside.of(text).trim().is_empty());
        if blank {
            return vec![Edit::new(inside, format!("{line}{inner}{key}{}{line}{outer}", *new))];
        }
    }
    let at = Span::new(inside.start, inside.start);
    vec![Edit::new(at, format!("{key}{}", *manner.flow(value, None)))]
}

/// Where a member ends: a colon alone needs the blank behind it.
fn behind(text: &str, node: &Node<'_>) -> usize {
    let end = node.span.end;
    let colon = node.span.start == end && text.get(end..).is_some_and(|rest| rest.starts_with(' '));
    end + usize::from(colon)
}

/// A member taken away with one comma. Comments stay.
pub(super) fn remove(text: &str, branch: &Branch<'_>, index: usize) -> Option<Vec<Edit>> {
    let child = branch.children.get(index)?;
    let (from, end) = (start(child), child.span.end);
    // The last one goes with all that stands between it and the one before: so it was put in.
    if let (Some(before), None) = (
        index.checked_sub(1).and_then(|index| branch.children.get(index)),
        branch.children.get(index + 1),
    ) {
        let gap = Span::new(behind(text, before), end);
        let between = text.get(gap.start..from)?.trim();
        if matches!(between, "," | "") {
            return Some(vec![Edit::new(gap, "")]);
        }
    }
    let comma = skip_trivia(text, end, false);
    let followed = text.get(comma..)?.starts_with(',');
    let mut edits = Vec::new();
    let gap = if followed && text.get(end..comma)?.contains('#') {
        // A comment lies between the member and its comma.
        edits.push(Edit::new(Span::new(comma, comma + 1), ""));
        Span::new(from, end)
    } else {
        Span::new(from, if followed { comma + 1 } else { end })
    };
    if let (false, Some(before)) = (
        followed,
        index.checked_sub(1).and_then(|index| branch.children.get(index)),
    ) {
        let comma = skip_trivia(text, before.span.end, false);
        edits.push(Edit::new(Span::new(comma, comma + 1), ""));
    }
    edits.push(Edit::new(widened(text, gap, followed), ""));
    Some(edits)
}

/// A gap with the blanks, or the line, that nobody needs without its content.
fn widened(text: &str, gap: Span, followed: bool) -> Span {
    let rest = text.get(gap.end..next_line(text, gap.end)).unwrap_or_default();
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    if starts_line(text, gap.start) {
        if rest.trim().is_empty() && !rest.is_empty() {
            // The line break before it goes with it: the one behind belongs to what follows.
            let line = line_start(text, gap.start);
            return Span::new(line, gap.end + rest.len());
        }
        return Span::new(gap.start, gap.end + blanks);
    }
    if followed {
        return Span::new(gap.start, gap.end + blanks);
    }
    let before = text.get(..gap.start).unwrap_or_default();
    Span::new(before.trim_end_matches([' ', '\t']).len(), gap.end)
}
