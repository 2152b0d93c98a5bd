//! Which elements of three lists are the same one: by a key that names each, by value where no two are equal, else by what stands
//! between unchanged ones.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::plan::{Three, same};
use super::tree::Entry;
use crate::document::change::node::{Content, Node};
use crate::document::{Shape, Value};

/// Keys that name an element, the first of them that fits all.
const NAMES: [&str; 5] = ["name", "id", "key", "uuid", "uid"];

/// Cells of the table that two lists are compared in.
const MAX_CELLS: usize = 4_000_000;

/// Where an element is in each list.
pub(super) type Slot = Three<usize>;

/// The elements of the merged list; none where its order or an element of it is in doubt.
pub(super) fn slots(lists: &Three<&[Entry<'_>]>) -> Option<Vec<Slot>> {
    let base = lists.base?;
    let (ours, theirs) = (lists.ours?, lists.theirs?);
    let all = [base, ours, theirs];
    if let Some(ids) = names(all) {
        return by_id(&ids, Doubt::Allowed);
    }
    if let Some(ids) = scalars(all) {
        return by_id(&ids, Doubt::Refused);
    }
    by_value(base, ours, theirs)
}

/// An element's identity, as a hash under which no two of a list are equal.
type Ids = [Vec<u64>; 3];

/// Whether elements that came in the place of one that both sides took away are taken as they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    Allowed,
    Refused,
}

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

fn hash_value(value: &Value<'_>, into: &mut impl Hasher) {
    std::mem::discriminant(value).hash(into);
    match value {
        Value::Float(number) => number.to_bits().hash(into),
        other => other.plain_bytes().hash(into),
    }
}

fn hash_node(node: &Node<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    match &node.content {
        Content::Leaf(leaf) => hash_value(&leaf.value, &mut hasher),
        Content::Branch(branch) => {
            (branch.shape == Shape::Map).hash(&mut hasher);
            // The order of a map's keys does not count.
            let mut inner: Vec<(&str, u64)> = branch
                .children
                .iter()
                .map(|child| (child.name(), hash_node(child)))
                .collect();
            if branch.shape == Shape::Map {
                inner.sort_unstable();
            }
            inner.hash(&mut hasher);
        }
    }
    hasher.finish()
}

fn leaf<'n>(node: &'n Node<'_>) -> Option<&'n Value<'n>> {
    match &node.content {
        Content::Leaf(leaf) => Some(&leaf.value),
        Content::Branch(_) => None,
    }
}

fn unique(ids: &Ids) -> bool {
    ids.iter().all(|list| {
        let mut seen = HashSet::with_capacity(list.len());
        list.iter().all(|id| seen.insert(*id))
    })
}

/// Identities by the first key that every element has, each with another scalar.
fn names(lists: [&[Entry<'_>]; 3]) -> Option<Ids> {
    NAMES.iter().find_map(|name| {
        let id = |entry: &Entry<'_>| {
            let branch = entry.node.branch().filter(|branch| branch.shape == Shape::Map)?;
            let value = leaf(branch.children.iter().find(|child| child.name() == *name)?)?;
            matches!(value, Value::Str(_) | Value::Int(_)).then(|| {
                let mut hasher = DefaultHasher::new();
                hash_value(value, &mut hasher);
                hasher.finish()
            })
        };
        ids(lists, id)
    })
}

/// Identities by value, if all elements are scalars.
fn scalars(lists: [&[Entry<'_>]; 3]) -> Option<Ids> {
    ids(lists, |entry| leaf(entry.node).map(|_| hash_node(entry.node)))
}

fn ids(lists: [&[Entry<'_>]; 3], id: impl Fn(&Entry<'_>) -> Option<u64>) -> Option<Ids> {
    let [base, ours, theirs] = lists.map(|list| list.iter().map(&id).collect::<Option<Vec<u64>>>());
    let ids = [base?, ours?, theirs?];
    unique(&ids).then_some(ids)
}

/// Merges lists in which each element has an identity.
fn by_id(ids: &Ids, doubt: Doubt) -> Option<Vec<Slot>> {
    let [base, ours, theirs] = ids;
    let sets = ids
        .each_ref()
        .map(|list| list.iter().copied().collect::<HashSet<u64>>());
    let [in_base, in_ours, in_theirs] = &sets;
    let everywhere = |id: &&u64| sets.iter().all(|set| set.contains(id));
    let order = |list: &'_ [u64]| list.iter().filter(everywhere).copied().collect::<Vec<u64>>();
    let (first, ours_order, theirs_order) = (order(base), order(ours), order(theirs));
    let by_theirs = ours_order == first && theirs_order != first;
    if !by_theirs && theirs_order != first && theirs_order != ours_order {
        return None;
    }
    if doubt == Doubt::Refused {
        let gone = base.iter().any(|id| !in_ours.contains(id) && !in_theirs.contains(id));
        if gone && replaced_twice([base, ours, theirs], &sets) {
            return None;
        }
    }
    let (near, far) = if by_theirs { (theirs, ours) } else { (ours, theirs) };
    let (in_near, in_far) = if by_theirs {
        (in_theirs, in_ours)
    } else {
        (in_ours, in_theirs)
    };
    let merged = interleave(
        near,
        far,
        |id| in_near.contains(id),
        |id| !in_far.contains(id) && !in_base.contains(id),
    );
    let places = ids.each_ref().map(|list| {
        list.iter()
            .enumerate()
            .map(|(at, id)| (*id, at))
            .collect::<HashMap<_, _>>()
    });
    let [at_base, at_ours, at_theirs] = places;
    let slot = |id: &u64| Three {
        base: at_base.get(id).copied(),
        ours: at_ours.get(id).copied(),
        theirs: at_theirs.get(id).copied(),
    };
    Some(merged.iter().map(slot).collect())
}

/// Whether something new stands on a side where an element stood that both sides took away.
fn replaced_twice(lists: [&Vec<u64>; 3], sets: &[HashSet<u64>; 3]) -> bool {
    // Runs of what is not in all lists, by the common element before them.
    let mut runs: HashMap<Option<u64>, [Vec<u64>; 3]> = HashMap::new();
    for (index, list) in lists.iter().enumerate() {
        let mut before = None;
        for id in *list {
            if sets.iter().all(|set| set.contains(id)) {
                before = Some(*id);
            } else if let Some(run) = runs.entry(before).or_default().get_mut(index) {
                run.push(*id);
            }
        }
    }
    runs.values().any(|[base, ours, theirs]| {
        let gone = base.iter().any(|id| !ours.contains(id) && !theirs.contains(id));
        let new = |list: &[u64]| list.iter().copied().filter(|id| !base.contains(id)).collect::<Vec<_>>();
        gone && new(ours) != new(theirs)
    })
}

/// `near` with what only `far` has put behind the same neighbour, and behind what `near` alone has there.
pub(super) fn interleave<T: Copy + Eq + Hash>(
    near: &[T],
    far: &[T],
    in_near: impl Fn(&T) -> bool,
    only_near: impl Fn(&T) -> bool,
) -> Vec<T> {
    let mut behind: HashMap<Option<T>, Vec<T>> = HashMap::new();
    let mut neighbour = None;
    for id in far {
        if in_near(id) {
            neighbour = Some(*id);
        } else {
            behind.entry(neighbour).or_default().push(*id);
        }
    }
    let mut merged = Vec::with_capacity(near.len() + behind.len());
    let mut waiting = behind.remove(&None);
    for id in near {
        if !only_near(id) {
            merged.extend(waiting.take().into_iter().flatten());
        }
        merged.push(*id);
        if let Some(next) = behind.remove(&Some(*id)) {
            merged.extend(waiting.take().into_iter().flatten());
            waiting = Some(next);
        }
    }
    merged.extend(waiting.into_iter().flatten());
    merged
}

/// Merges lists by what stands between elements that did not change.
fn by_value(base: &[Entry<'_>], ours: &[Entry<'_>], theirs: &[Entry<'_>]) -> Option<Vec<Slot>> {
    let hashes = |list: &[Entry<'_>]| list.iter().map(|entry| hash_node(entry.node)).collect::<Vec<u64>>();
    let first = hashes(base);
    let to_ours = pairs(&first, &hashes(ours))?;
    let to_theirs = pairs(&first, &hashes(theirs))?;
    let mut slots = Vec::new();
    let mut at = [0; 3];
    let stable = (0..base.len()).filter_map(|index| Some([index, *to_ours.get(&index)?, *to_theirs.get(&index)?]));
    for next in stable.chain([[base.len(), ours.len(), theirs.len()]]) {
        let region = Region {
            base: at[0]..next[0],
            ours: at[1]..next[1],
            theirs: at[2]..next[2],
        };
        slots.extend(region.merge(base, ours, theirs)?);
        if next[0] < base.len() {
            slots.push(Three {
                base: Some(next[0]),
                ours: Some(next[1]),
                theirs: Some(next[2]),
            });
        }
        at = next.map(|index| index + 1);
    }
    Some(slots)
}

/// What stands between two unchanged elements.
struct Region {
    base: std::ops::Range<usize>,
    ours: std::ops::Range<usize>,
    theirs: std::ops::Range<usize>,
}

impl Region {
    fn merge(self, base: &[Entry<'_>], ours: &[Entry<'_>], theirs: &[Entry<'_>]) -> Option<Vec<Slot>> {
        let (was, our, their) = (
            base.get(self.base.clone())?,
            ours.get(self.ours.clone())?,
            theirs.get(self.theirs.clone())?,
        );
        let equal = |one: &[Entry<'_>], other: &[Entry<'_>]| {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one.node, other.node))
        };
        let trio = |(base, (ours, theirs))| Three {
            base: Some(base),
            ours: Some(ours),
            theirs: Some(theirs),
        };
        let branches = |list: &[Entry<'_>]| list.iter().all(|entry| entry.node.branch().is_some());
        let counts = was.len() == our.len() && was.len() == their.len();
        if counts && (equal(was, our) || equal(was, their) || [was, our, their].into_iter().all(branches)) {
            return Some(self.base.zip(self.ours.zip(self.theirs)).map(trio).collect());
        }
        let only = |base, ours, theirs| Three { base, ours, theirs };
        if equal(our, their) {
            let both = self.ours.zip(self.theirs);
            return Some(
                both.map(|(ours, theirs)| only(None, Some(ours), Some(theirs)))
                    .collect(),
            );
        }
        if equal(was, their) {
            return Some(self.ours.map(|ours| only(None, Some(ours), None)).collect());
        }
        if equal(was, our) {
            return Some(self.theirs.map(|theirs| only(None, None, Some(theirs))).collect());
        }
        None
    }
}

/// The longest common subsequence of two lists, as pairs of places; none for lists too long to compare.
fn pairs(one: &[u64], other: &[u64]) -> Option<HashMap<usize, usize>> {
    let head = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let (rest, others) = (one.get(head..)?, other.get(head..)?);
    let tail = rest
        .iter()
        .rev()
        .zip(others.iter().rev())
        .take_while(|(one, other)| one == other)
        .count();
    let (middle, others) = (rest.get(..rest.len() - tail)?, others.get(..others.len() - tail)?);
    let (rows, columns) = (middle.len(), others.len());
    if (rows + 1).checked_mul(columns + 1)? > MAX_CELLS {
        return None;
    }
    let mut table = vec![0_u32; (rows + 1) * (columns + 1)];
    let cell = |row: usize, column: usize| row * (columns + 1) + column;
    for (row, value) in middle.iter().enumerate().rev() {
        for (column, found) in others.iter().enumerate().rev() {
            table[cell(row, column)] = if value == found {
                table[cell(row + 1, column + 1)] + 1
            } else {
                table[cell(row + 1, column)].max(table[cell(row, column + 1)])
            };
        }
    }
    let mut found: HashMap<usize, usize> = (0..head).map(|at| (at, at)).collect();
    let (mut row, mut column) = (0, 0);
    while row < rows && column < columns {
        if middle.get(row) == others.get(column) {
            found.insert(head + row, head + column);
            (row, column) = (row + 1, column + 1);
        } else if table[cell(row + 1, column)] >= table[cell(row, column + 1)] {
            row += 1;
        } else {
            column += 1;
        }
    }
    found.extend((1..=tail).map(|back| (one.len() - back, other.len() - back)));
    Some(found)
}

/// The order of a map's keys: ours, with new ones of theirs behind the same neighbour.
pub(super) fn keys(entries: &Three<&[Entry<'_>]>) -> Vec<Slot> {
    let place = |list: Option<&[Entry<'_>]>| {
        let list = list.unwrap_or_default();
        let names = list.iter().enumerate().map(|(at, entry)| (hash(entry.name), at));
        names.collect::<HashMap<u64, usize>>()
    };
    let (base, ours, theirs) = (place(entries.base), place(entries.ours), place(entries.theirs));
    let order = |list: Option<&[Entry<'_>]>| {
        let list = list.unwrap_or_default();
        list.iter().map(|entry| hash(entry.name)).collect::<Vec<u64>>()
    };
    let (near, far) = (order(entries.ours), order(entries.theirs));
    let merged = interleave(
        &near,
        &far,
        |id| ours.contains_key(id),
        |id| !theirs.contains_key(id) && !base.contains_key(id),
    );
    let slot = |id: &u64| Three {
        base: base.get(id).copied(),
        ours: ours.get(id).copied(),
        theirs: theirs.get(id).copied(),
    };
    merged.iter().map(slot).collect()
}
