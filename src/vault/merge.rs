//! Two states of a file sealed as one: who can open it, under which data key, and whose ciphertext stays.
//!
//! Whoever one side took away can't open the result, and whoever a side added can. Nobody is wrapped for on the word of the
//! other side's file alone: what it holds for a recipient that no rule names is taken as it is or left out, because the file's
//! list of recipients is not authenticated.

use super::{Base, Error, Plan, Sealing, Terms, Vault, seal_as};
use crate::crypt::{DataKey, Recipient, WrappedKey};
use crate::document::Format;
use crate::sops::seal::{Recipients, seal_draft};
use crate::sops::{self, Group, Metadata};

/// The sealed states of a merge; a side that is not sealed is none.
#[derive(Clone, Copy, Default)]
pub struct States<'b> {
    /// The common ancestor.
    pub base: Option<Base<'b>>,
    /// Our side.
    pub ours: Option<Base<'b>>,
    /// The other side.
    pub theirs: Option<Base<'b>>,
}

/// What is sealed of a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A merged text.
    Clean,
    /// A text with conflict markers, which is sealed whole.
    Conflict,
}

/// Whether two states can be opened by the same recipients with the same data key.
#[must_use]
pub fn same_access(one: &Base<'_>, other: &Base<'_>) -> bool {
    let (first, second) = (&one.sealed.metadata, &other.sealed.metadata);
    let groups = first.groups.len() == second.groups.len()
        && first.groups.iter().zip(&second.groups).all(|(one, other)| {
            one.foreign == other.foreign && subset(&one.age, &other.age) && subset(&other.age, &one.age)
        });
    groups && first.threshold == second.threshold && same_key(one, other)
}

fn same_key(one: &Base<'_>, other: &Base<'_>) -> bool {
    one.opened.data_key.as_bytes() == other.opened.data_key.as_bytes()
}

fn subset(one: &[WrappedKey], other: &[WrappedKey]) -> bool {
    one.iter().all(|key| names(other, &key.recipient))
}

/// Whether a list has an entry for a recipient, as an entry spells it.
fn names(list: &[WrappedKey], recipient: &str) -> bool {
    let parsed = Recipient::parse(recipient).ok();
    list.iter()
        .any(|key| key.recipient == recipient || parsed.as_ref().is_some_and(|wanted| is_for(key, wanted)))
}

/// Whether an entry is for a recipient.
fn is_for(key: &WrappedKey, recipient: &Recipient) -> bool {
    Recipient::parse(&key.recipient).is_ok_and(|own| own.same_key(recipient))
}

/// Whether a list has an entry for a recipient.
fn holds(list: &[WrappedKey], recipient: &Recipient) -> bool {
    list.iter().any(|key| is_for(key, recipient))
}

/// The recipients of a file that has one group of age keys and nothing else.
fn age_only(metadata: &Metadata) -> Option<&[WrappedKey]> {
    match metadata.groups.as_slice() {
        [group] if group.foreign_kinds().next().is_none() => Some(&group.age),
        _ => None,
    }
}

impl Vault<'_> {
    /// Seals a merged content over the states that it came from.
    ///
    /// # Errors
    /// [`Error::NoRule`] when no side is sealed and nothing says for whom; [`Error::Sops`] for keys that can't be wrapped for.
    pub fn seal_merged(
        &self,
        format: Format,
        content: (&[u8], Outcome),
        terms: Option<&Terms>,
        states: &States<'_>,
        now: &str,
    ) -> Result<Sealing, Error> {
        let (content, outcome) = content;
        let (near, far) = states.near_and_far(terms);
        let plan = match states.plan(near.as_ref(), far.as_ref(), terms) {
            // A rule that nobody can be sealed for must not break a merge of what is sealed already.
            Err(_) if terms.is_some() && near.is_some() => Plan::of(None, near.as_ref())?,
            plan => plan?,
        };
        let mut order = plan.order(near.as_ref(), now)?;
        if order.base.is_some() {
            order.also = near
                .zip(far)
                .filter(|(near, far)| same_key(near, far))
                .map(|(_, far)| (far.sealed, far.opened));
        }
        match outcome {
            Outcome::Clean => seal_as(format, content, &order),
            Outcome::Conflict => {
                let draft = seal_draft(content, &order)?;
                Ok(Sealing::Draft(draft, sops::Error::Reserved))
            }
        }
    }
}

/// Lists of recipients of three states that have nothing but one group of age keys.
struct Lists<'m> {
    base: Option<&'m [WrappedKey]>,
    ours: &'m [WrappedKey],
    theirs: &'m [WrappedKey],
}

impl Lists<'_> {
    /// Whether a side took a recipient away.
    fn lost(&self, recipient: &str) -> bool {
        self.base.is_some_and(|base| names(base, recipient))
            && !(names(self.ours, recipient) && names(self.theirs, recipient))
    }

    /// Whether this side took somebody away.
    fn takes_away(&self, side: &[WrappedKey]) -> bool {
        self.base.is_some_and(|base| !subset(base, side))
    }
}

impl<'b> States<'b> {
    fn lists(&self) -> Option<Lists<'b>> {
        let base = match &self.base {
            Some(base) => Some(age_only(&base.sealed.metadata)?),
            None => None,
        };
        Some(Lists {
            base,
            ours: age_only(&self.ours?.sealed.metadata)?,
            theirs: age_only(&self.theirs?.sealed.metadata)?,
        })
    }

    /// The side whose data key and metadata the result has, and the other one.
    fn near_and_far(&self, terms: Option<&Terms>) -> (Option<Base<'b>>, Option<Base<'b>>) {
        let (Some(ours), Some(theirs)) = (self.ours, self.theirs) else {
            return (self.ours.or(self.theirs), None);
        };
        let as_base = |side: &Base<'_>| self.base.is_some_and(|base| same_access(&base, side));
        let by_theirs = match self.lists().filter(|_| terms.is_none_or(simple)) {
            Some(_) if same_key(&ours, &theirs) => false,
            Some(lists) if lists.takes_away(lists.theirs) != lists.takes_away(lists.ours) => {
                lists.takes_away(lists.theirs)
            }
            Some(_) => self.base.is_some_and(|base| same_key(&base, &ours)),
            None => as_base(&ours) && !as_base(&theirs),
        };
        if by_theirs {
            (Some(theirs), Some(ours))
        } else {
            (Some(ours), Some(theirs))
        }
    }

    fn plan(&self, near: Option<&Base<'_>>, far: Option<&Base<'_>>, terms: Option<&Terms>) -> Result<Plan, Error> {
        let lists = self.lists().filter(|_| terms.is_none_or(simple));
        let (Some(near), Some(far), Some(lists)) = (near, far, lists) else {
            return Plan::of(terms, near);
        };
        let (recipients, fresh) = self.access(near, far, &lists, terms)?;
        let (selection, mac_only_encrypted) = match terms {
            Some(terms) => (terms.selection.clone(), terms.mac_only_encrypted),
            None => (
                near.sealed.metadata.selection.clone(),
                near.sealed.metadata.mac_only_encrypted,
            ),
        };
        Ok(Plan {
            recipients,
            fresh,
            selection,
            mac_only_encrypted,
        })
    }

    /// For whom the result is sealed, and the new data key if somebody must not open it who has the old one.
    fn access(
        &self,
        near: &Base<'_>,
        far: &Base<'_>,
        lists: &Lists<'_>,
        terms: Option<&Terms>,
    ) -> Result<(Recipients, Option<DataKey>), Error> {
        let empty = Group::default();
        let group = near.sealed.metadata.groups.first().unwrap_or(&empty);
        let other = far.sealed.metadata.groups.first().unwrap_or(&empty);
        let ruled = |recipient: &Recipient| {
            terms.is_none_or(|terms| terms.groups.iter().flatten().any(|wanted| wanted.same_key(recipient)))
        };
        // What theirs alone has came with a merge: ours knows the rule that it may have brought along only afterwards.
        let joins = |recipient: &str| {
            names(lists.theirs, recipient)
                && !names(lists.ours, recipient)
                && !lists.base.is_some_and(|base| names(base, recipient))
        };
        let may = |recipient: &str| {
            !lists.lost(recipient) && (joins(recipient) || Recipient::parse(recipient).is_ok_and(|own| ruled(&own)))
        };
        let anyone_lost = lists
            .base
            .is_some_and(|base| base.iter().any(|key| lists.lost(&key.recipient)));
        let old_key = self.base.is_some_and(|base| same_key(&base, near));
        let is_exposed = anyone_lost && old_key || group.age.iter().any(|key| !may(&key.recipient));
        let candidates = group
            .age
            .iter()
            .chain(&other.age)
            .filter_map(|key| Recipient::parse(&key.recipient).ok());
        let named = terms
            .into_iter()
            .flat_map(|terms| terms.groups.iter().flatten().cloned());
        let mut wrapped: Vec<Recipient> = Vec::new();
        for recipient in candidates.chain(named) {
            let lost = lists.base.is_some_and(|base| holds(base, &recipient))
                && !(holds(lists.ours, &recipient) && holds(lists.theirs, &recipient));
            if !lost && ruled(&recipient) && !wrapped.iter().any(|known| known.same_key(&recipient)) {
                wrapped.push(recipient);
            }
        }
        if is_exposed {
            let key = DataKey::generate().map_err(sops::Error::from)?;
            let groups = Group::share_out(key.as_bytes(), &[wrapped], None)?;
            return Ok((
                Recipients::Are {
                    groups,
                    threshold: None,
                },
                Some(key),
            ));
        }
        let mut joined = group.clone();
        if same_key(near, far) {
            let more = other
                .age
                .iter()
                .filter(|key| may(&key.recipient) && !names(&group.age, &key.recipient));
            joined.age.extend(more.cloned());
        }
        let missing: Vec<&Recipient> = wrapped
            .iter()
            .filter(|recipient| !holds(&joined.age, recipient))
            .collect();
        let joined = joined.extended(near.opened.data_key.as_bytes(), &missing)?;
        if joined.age.len() == group.age.len() {
            return Ok((Recipients::Keep, None));
        }
        let threshold = near.sealed.metadata.threshold;
        let groups = vec![joined];
        Ok((Recipients::Are { groups, threshold }, None))
    }
}

/// Whether terms name one group of age keys and nothing else.
fn simple(terms: &Terms) -> bool {
    terms.groups.len() == 1 && terms.foreign.is_empty()
}
