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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;
    use crate::crypt::{Identity, Keyring};
    use crate::sops::open::{Clear, MacCheck, Opened, open};
    use crate::sops::seal::{Order, seal};
    use crate::sops::{Sealed, SelectionSettings};

    const NOW: &str = "2026-01-02T03:04:05Z";

    /// Recipients by letter.
    struct People(Vec<(char, Identity)>);

    impl People {
        fn of(&self, letters: &str) -> Vec<Recipient> {
            let known = self.0.iter().filter(|(letter, _)| letters.contains(*letter));
            known.map(|(_, identity)| identity.public().unwrap().clone()).collect()
        }

        fn letters(&self, metadata: &Metadata) -> String {
            let list = age_only(metadata).unwrap();
            let there = self
                .0
                .iter()
                .filter(|(letter, _)| holds(list, &self.of(&letter.to_string())[0]));
            there.map(|(letter, _)| *letter).collect()
        }

        fn sealed(&self, letters: &str, key: &DataKey, text: &str) -> Vec<u8> {
            let groups = Group::share_out(key.as_bytes(), &[self.of(letters)], None).unwrap();
            let order = Order {
                data_key: key,
                recipients: Recipients::Are {
                    groups,
                    threshold: None,
                },
                selection: &SelectionSettings::default(),
                mac_only_encrypted: false,
                now: NOW,
                base: None,
                also: None,
                heritage: None,
            };
            seal(Format::Yaml, text.as_bytes(), &order).unwrap().0
        }
    }

    fn opened(bytes: &[u8], key: &DataKey) -> Option<Opened> {
        let key = DataKey::from_bytes(key.as_bytes()).unwrap();
        let sealed = Sealed::parse(Format::Yaml, bytes).unwrap();
        open(Format::Yaml, &sealed, key, Clear::Refuse, MacCheck::Verify).ok()
    }

    #[test]
    fn who_was_taken_away_can_not_open_it_and_who_came_can() {
        let people = People("abc".chars().map(|letter| (letter, Identity::generate())).collect());
        let keys = [(); 2].map(|()| DataKey::generate().unwrap());
        let keyring = Keyring::new(Vec::new());
        // Base, ours and theirs with the number of their data key; the rule; who can open the result, and under which key.
        let case = |sides: [(&str, usize); 3], rule: Option<&str>, expected: (&str, Option<usize>)| {
            let texts = ["a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 1\nb: 2\n"];
            let stored: Vec<Vec<u8>> = sides
                .iter()
                .zip(texts)
                .map(|((letters, key), text)| people.sealed(letters, &keys[*key], text))
                .collect();
            let parsed: Vec<Sealed<'_>> = stored
                .iter()
                .map(|bytes| Sealed::parse(Format::Yaml, bytes).unwrap())
                .collect();
            let open: Vec<Opened> = stored
                .iter()
                .zip(sides)
                .map(|(bytes, (_, key))| opened(bytes, &keys[key]).unwrap())
                .collect();
            let state = |index: usize| {
                Some(Base {
                    sealed: &parsed[index],
                    opened: &open[index],
                })
            };
            let states = States {
                base: state(0),
                ours: state(1),
                theirs: state(2),
            };
            let terms = rule.map(|letters| Terms {
                groups: vec![people.of(letters)],
                foreign: Vec::new(),
                threshold: None,
                selection: SelectionSettings::default(),
                mac_only_encrypted: false,
            });
            let content = (b"a: 2\nb: 2\n".as_slice(), Outcome::Clean);
            let sealing = Vault::new(None, &keyring).seal_merged(Format::Yaml, content, terms.as_ref(), &states, NOW);
            let Ok(Sealing::Sealed(bytes, _)) = sealing else {
                unreachable!("a merged text is sealed")
            };
            let found = people.letters(&Sealed::parse(Format::Yaml, &bytes).unwrap().metadata);
            let key = keys.iter().position(|key| opened(&bytes, key).is_some());
            assert_eq!((found.as_str(), key), expected, "{sides:?} {rule:?}");
        };
        case([("a", 0), ("a", 0), ("ab", 0)], Some("a"), ("ab", Some(0)));
        case([("a", 0), ("ab", 0), ("ac", 0)], None, ("abc", Some(0)));
        case([("a", 0), ("a", 0), ("a", 0)], Some("ab"), ("ab", Some(0)));
        // Taken away without a new data key: it gets one.
        case([("ab", 0), ("ab", 0), ("a", 0)], Some("ab"), ("a", None));
        case([("ab", 0), ("a", 0), ("ab", 0)], None, ("a", None));
        case([("abc", 0), ("ab", 0), ("ac", 0)], Some("abc"), ("a", None));
        // With one: it is that.
        case([("ab", 0), ("ab", 0), ("a", 1)], Some("ab"), ("a", Some(1)));
        case([("ab", 0), ("a", 1), ("ab", 0)], Some("a"), ("a", Some(1)));
        case([("ab", 0), ("abc", 0), ("a", 1)], Some("abc"), ("ac", Some(1)));
        // A rotation stays one.
        case([("a", 0), ("a", 0), ("a", 1)], Some("a"), ("a", Some(1)));
        // The rule has let go whom all three still have.
        case([("ab", 0), ("ab", 0), ("ab", 0)], Some("a"), ("a", None));
    }
}
