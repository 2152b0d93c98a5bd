//! Three texts merged by key: changes to different keys never conflict, neighbouring lines or not.
//!
//! Layout and comments are ours; what theirs alone changed comes along with the text that it has there. A conflict is shown
//! around the lines of its entry alone. Whatever is put together is read again: it must say what was decided, and hold each
//! comment that a side kept or added, or there is no merge by key.

mod list;
mod plan;
mod render;
mod tree;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use zeroize::Zeroizing;

use self::plan::{Plan, Side, Three, decide};
use self::render::{Page, View};
use super::change::data::Data;
use super::change::node::{Node, roots};
use super::key_path::KeyPath;
use super::{Document, Format, Item, Origin, Root, dotenv, ini, json, yaml};

/// The three texts of a merge.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'t> {
    /// The common ancestor; none where there is none.
    pub base: Option<&'t str>,
    /// Our side.
    pub ours: &'t str,
    /// The other side.
    pub theirs: &'t str,
}

/// What stands between markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConflictStyle {
    /// Both sides.
    #[default]
    Merge,
    /// The common ancestor too.
    Diff3,
    /// The same, without lines that both sides begin or end with.
    Zdiff3,
}

impl ConflictStyle {
    /// The style with this name in Git's configuration.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "merge" => Some(Self::Merge),
            "diff3" => Some(Self::Diff3),
            "zdiff3" => Some(Self::Zdiff3),
            _ => None,
        }
    }
}

/// How conflicts are marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markers {
    /// Characters of a marker.
    pub size: usize,
    /// Behind the marker of our side.
    pub ours: String,
    /// Behind the marker of the common ancestor.
    pub base: String,
    /// Behind the marker of the other side.
    pub theirs: String,
    /// What stands between them.
    pub style: ConflictStyle,
}

/// A merged text.
pub struct Merged {
    /// The text, with markers where there are conflicts.
    pub text: Zeroizing<String>,
    /// Where both sides changed something, each in another way.
    pub conflicts: Vec<KeyPath>,
}

/// Merges three texts of a format; none where that can't be done by key: no document, aliases, a key twice, another number of
/// documents, a comment that both sides changed.
#[must_use]
pub fn merge(format: Format, texts: Texts<'_>, markers: &Markers) -> Option<Merged> {
    let read = |text| parse(format, text);
    let documents = Three {
        base: texts.base.map(read),
        ours: Some(read(texts.ours)),
        theirs: Some(read(texts.theirs)),
    };
    let base = match &documents.base {
        Some(base) => Some(base.as_ref()?),
        None => None,
    };
    let (ours, theirs) = (documents.ours.as_ref()?.as_ref()?, documents.theirs.as_ref()?.as_ref()?);
    let trees = (base.map(roots), roots(ours), roots(theirs));
    let pages = Three {
        base: match (base, &trees.0) {
            (Some(document), Some(roots)) => Some(tree::pages(document, roots)?),
            _ => None,
        },
        ours: Some(tree::pages(ours, &trees.1)?),
        theirs: Some(tree::pages(theirs, &trees.2)?),
    };
    let plans = plans(&pages)?;
    if plans.iter().any(|plan| is_for_lines(format, plan)) {
        return None;
    }
    let work = Work {
        format,
        markers,
        line_break: super::change::lines::line_break(texts.ours),
        room: texts.ours.len() + texts.theirs.len(),
        plans,
        comments: wanted_comments(base, ours, theirs),
    };
    work.finish()
}

fn parse(format: Format, text: &str) -> Option<Document<'_>> {
    let document = match format {
        Format::Yaml => yaml::parse(text),
        Format::Json => json::parse(text),
        Format::Dotenv => dotenv::parse(text),
        // No section's name is empty: none is taken for metadata.
        Format::Ini => ini::parse(text, ""),
        Format::Binary => return None,
    };
    let document = document.ok()?;
    let repeats = |item: &Item<'_>| match item {
        Item::Enter(container) => container.origin != Origin::Text,
        Item::Leaf(leaf) => leaf.origin != Origin::Text,
        _ => false,
    };
    let is_plain = document.flaws.is_empty() && !document.items.iter().any(repeats);
    (is_plain && keys_are_unique(&document)).then_some(document)
}

/// Whether no key stands twice in a map: the stores of lines take that.
fn keys_are_unique(document: &Document<'_>) -> bool {
    if !matches!(document.format, Format::Dotenv | Format::Ini) {
        return true;
    }
    let mut open: Vec<HashSet<&str>> = vec![HashSet::new()];
    document.items.iter().all(|item| {
        let key = match item {
            Item::Enter(container) => container.key.as_ref(),
            Item::Leaf(leaf) => leaf.key.as_ref(),
            _ => None,
        };
        let is_new = key
            .zip(open.last_mut())
            .is_none_or(|(key, seen)| seen.insert(key.name.as_ref()));
        match item {
            Item::Enter(_) => open.push(HashSet::new()),
            Item::Leave => {
                open.pop();
            }
            _ => {}
        }
        is_new
    })
}

/// What becomes of each document.
fn plans<'a>(pages: &'a Three<Vec<tree::Entry<'a>>>) -> Option<Vec<Plan<'a>>> {
    let (ours, theirs) = (pages.ours.as_ref()?, pages.theirs.as_ref()?);
    let count = ours.len();
    if theirs.len() != count || pages.base.as_ref().is_some_and(|base| base.len() != count) {
        return None;
    }
    let plan = |(index, (ours, theirs))| {
        decide(Three {
            base: pages.base.as_ref().and_then(|base| base.get(index)),
            ours: Some(ours),
            theirs: Some(theirs),
        })
    };
    ours.iter().zip(theirs).enumerate().map(plan).collect()
}

/// Whether a conflict is about all of a document, or all keys before the first header: no key names it.
fn is_for_lines(format: Format, plan: &Plan<'_>) -> bool {
    match plan {
        Plan::Conflict(_) => true,
        Plan::Branch(merged) if format == Format::Ini => merged
            .members
            .iter()
            .any(|member| member.name == ini::DEFAULT && matches!(member.plan, Plan::Conflict(_))),
        _ => false,
    }
}

/// How often the merged text must hold each comment: those that both sides have, and those that one added.
fn wanted_comments<'d>(
    base: Option<&'d Document<'_>>,
    ours: &'d Document<'_>,
    theirs: &'d Document<'_>,
) -> HashMap<&'d str, usize> {
    let (base, our, their) = (base.map(counted).unwrap_or_default(), counted(ours), counted(theirs));
    let of = |counts: &HashMap<&str, usize>, comment: &str| counts.get(comment).copied().unwrap_or_default();
    let wanted = |comment: &&'d str| {
        let (our, their) = (of(&our, comment), of(&their, comment));
        (our + their).saturating_sub(of(&base, comment)).min(our.max(their))
    };
    let all: HashSet<&str> = our.keys().chain(their.keys()).copied().collect();
    all.into_iter().map(|comment| (comment, wanted(&comment))).collect()
}

/// How often each comment stands in a text.
fn counted<'d>(document: &'d Document<'_>) -> HashMap<&'d str, usize> {
    let mut counts = HashMap::new();
    for comment in comments(document) {
        *counts.entry(comment).or_default() += 1;
    }
    counts
}

/// The comments of a text, line by line: neighbouring ones are one in INI.
fn comments<'d>(document: &'d Document<'_>) -> impl Iterator<Item = &'d str> {
    let found = document.items.iter().filter_map(|item| match item {
        Item::Comment(comment) => Some(comment.text.as_ref()),
        _ => None,
    });
    let lines = found.flat_map(|text| text.split('\n'));
    lines.map(|line| line.trim().trim_start_matches(['#', ';', ' ']))
}

/// A merge that is decided.
struct Work<'a> {
    format: Format,
    markers: &'a Markers,
    line_break: &'static str,
    room: usize,
    plans: Vec<Plan<'a>>,
    comments: HashMap<&'a str, usize>,
}

impl Work<'_> {
    fn finish(&self) -> Option<Merged> {
        let mut missing = self.comments.clone();
        missing.retain(|_, count| *count > 0);
        let ours = self.checked(Side::Ours, &mut missing)?;
        if !self.plans.iter().any(Plan::has_conflict) {
            return missing.is_empty().then_some(Merged {
                text: ours,
                conflicts: Vec::new(),
            });
        }
        self.checked(Side::Theirs, &mut missing)?;
        let page = self.page(View::Marked);
        missing.is_empty().then_some(Merged {
            text: page.out,
            conflicts: page.conflicts,
        })
    }

    fn page(&self, view: View) -> Page<'_> {
        let mut page = Page::new(view, self.format, self.markers, self.line_break, self.room);
        for plan in &self.plans {
            page.document(plan);
        }
        page
    }

    /// The text if all conflicts go to one side, if it says what was decided; its comments are no longer missing.
    fn checked(&self, side: Side, missing: &mut HashMap<&str, usize>) -> Option<Zeroizing<String>> {
        let page = self.page(View::Only(side));
        let document = parse(self.format, &page.out)?;
        let found: Vec<(Root, Node<'_>)> = roots(&document);
        let is_right = found.len() == self.plans.len()
            && found.iter().zip(&self.plans).all(|((_, node), plan)| {
                let said = with_text(self.format, Data::of_node(node, document.text));
                plan.data(side)
                    .is_some_and(|wanted| with_text(self.format, wanted).is(&said))
            });
        if !is_right {
            return None;
        }
        let there = counted(&document);
        missing.retain(|comment, count| there.get(comment).is_none_or(|found| found < count));
        drop(there);
        drop(found);
        drop(document);
        Some(page.out)
    }
}

/// What a document says without the section that INI has before all headers, if it is empty.
fn with_text(format: Format, mut data: Data<'_>) -> Data<'_> {
    if let (Format::Ini, Data::Map(sections)) = (format, &mut data) {
        sections.retain(|(name, section)| *name != ini::DEFAULT || !section.is_token());
    }
    data
}
