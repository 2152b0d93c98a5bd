//! Policy and keyring together: everything that is sealed or opened for a path goes through here.

pub mod merge;

use zeroize::Zeroizing;

use crate::crypt::{DataKey, Keyring, Recipient};
use crate::document::Format;
use crate::policy::{self, ForeignKey, Policy, Rule};
use crate::sops::open::{Clear, MacCheck, Opened, open, open_content};
use crate::sops::seal::{Fidelity, Order, Recipients, seal, seal_draft};
use crate::sops::{self, Group, Metadata, Sealed, SelectionSettings};

/// Why the vault could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The policy can't be used.
    #[error(".sops.yaml: {0}")]
    Policy(#[from] policy::Error),
    /// A rule names a recipient that can't be used.
    #[error(".sops.yaml: {0}")]
    Recipient(crate::crypt::Error),
    /// A sealed file names a recipient that can't be used.
    #[error("its metadata: {0}")]
    Entry(crate::crypt::Error),
    /// No rule of the policy is for the path, and there is no earlier sealed state either.
    #[error("no rule of .sops.yaml is for this path, so there is nobody to seal it for")]
    NoRule,
    /// Sealing or opening failed.
    #[error(transparent)]
    Sops(#[from] sops::Error),
}

/// Whom a path is sealed for and what is sealed in it: a rule, understood.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Recipients by key group.
    pub groups: Vec<Vec<Recipient>>,
    /// Keys of the rule that only SOPS itself can wrap for.
    pub foreign: Vec<ForeignKey>,
    /// The threshold of several groups.
    pub threshold: Option<u32>,
    /// Which leaves are sealed.
    pub selection: SelectionSettings,
    /// Whether the MAC covers sealed leaves only.
    pub mac_only_encrypted: bool,
}

/// What came of sealing.
pub enum Sealing {
    /// The sealed bytes, and how faithful they are.
    Sealed(Vec<u8>, Fidelity),
    /// The content is no document that can be sealed leaf by leaf; sealed whole as a draft.
    Draft(Vec<u8>, sops::Error),
}

/// An earlier sealed state of a file, opened.
#[derive(Clone, Copy)]
pub struct Base<'b> {
    /// As it is stored.
    pub sealed: &'b Sealed<'b>,
    /// As it opens.
    pub opened: &'b Opened,
}

/// Who can open a file when it is sealed anew.
#[derive(Debug, Clone)]
pub struct Access {
    /// Recipients by key group.
    pub groups: Vec<Vec<Recipient>>,
    /// The threshold of several groups; all of them where none is given.
    pub threshold: Option<u32>,
    /// Which data key the values are sealed with.
    pub key: KeyChoice,
}

/// Which data key a file that is sealed anew gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyChoice {
    /// A new one: whoever had the earlier one can't read what comes next.
    Fresh,
    /// Its own.
    Kept,
}

impl Access {
    /// Whom a file is sealed for, under a new data key.
    ///
    /// # Errors
    /// [`Error::Sops`] for keys that only SOPS can wrap for, [`Error::Entry`] for a recipient that can't be read.
    pub fn of(metadata: &Metadata) -> Result<Self, Error> {
        let group = |group: &Group| {
            if let Some(kind) = group.foreign_kinds().next() {
                return Err(sops::Error::ForeignKey { kind: kind.to_owned() }.into());
            }
            let recipients = group.age.iter().map(|entry| Recipient::parse(&entry.recipient));
            recipients.collect::<Result<Vec<_>, _>>().map_err(Error::Entry)
        };
        Ok(Self {
            groups: metadata.groups.iter().map(group).collect::<Result<_, _>>()?,
            threshold: metadata.threshold,
            key: KeyChoice::Fresh,
        })
    }
}

/// Policy and keyring.
pub struct Vault<'v> {
    policy: Option<&'v Policy>,
    keyring: &'v Keyring,
}

impl<'v> Vault<'v> {
    /// A vault; without a policy no new file can be sealed.
    #[must_use]
    pub const fn new(policy: Option<&'v Policy>, keyring: &'v Keyring) -> Self {
        Self { policy, keyring }
    }

    /// The terms of the first rule for a path (relative to the policy's folder).
    ///
    /// # Errors
    /// [`Error::Policy`] for a rule that can't be judged, [`Error::Recipient`].
    pub fn terms(&self, path: &[u8]) -> Result<Option<Terms>, Error> {
        let Some(rule) = self.policy.map(|policy| policy.rule_for(path)).transpose()?.flatten() else {
            return Ok(None);
        };
        Terms::of_rule(rule).map(Some)
    }

    /// Opens a sealed file.
    ///
    /// # Errors
    /// [`sops::Error::NoIdentity`] when no identity opens it, or what is wrong with the file.
    pub fn open(&self, format: Format, sealed: &Sealed<'_>, clear: Clear) -> Result<Opened, sops::Error> {
        let key = sealed.metadata.data_key(self.keyring)?;
        open(format, sealed, key, clear, MacCheck::Verify)
    }

    /// Opens a complete sealed file for its content alone.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn open_content(&self, format: Format, sealed: Sealed<'_>) -> Result<Zeroizing<Vec<u8>>, sops::Error> {
        let key = sealed.metadata.data_key(self.keyring)?;
        open_content(format, sealed, key, MacCheck::Verify)
    }

    /// Seals a content over an earlier state, if there is one, for the terms of its rule, or as before where no rule is left.
    ///
    /// # Errors
    /// [`Error::NoRule`] when nothing says for whom; [`Error::Sops`] for keys that can't be wrapped for.
    pub fn seal(
        &self,
        format: Format,
        content: &[u8],
        terms: Option<&Terms>,
        base: Option<&Base<'_>>,
        now: &str,
    ) -> Result<Sealing, Error> {
        let plan = Plan::of(terms, base)?;
        seal_as(format, content, &plan.order(base, now)?)
    }

    /// Seals an earlier state anew for these key groups, its selection and content as they are.
    ///
    /// # Errors
    /// As [`Vault::seal`]; [`Error::Sops`] for groups or a threshold that can't be.
    pub fn rekey(base: &Base<'_>, format: Format, access: &Access, now: &str) -> Result<(Vec<u8>, Fidelity), Error> {
        let metadata = &base.sealed.metadata;
        let fresh = match access.key {
            KeyChoice::Fresh => Some(DataKey::generate().map_err(sops::Error::from)?),
            KeyChoice::Kept => None,
        };
        let key = fresh.as_ref().unwrap_or(&base.opened.data_key);
        let several = access.groups.len() > 1;
        let threshold = access.threshold.filter(|_| several);
        let groups = Group::share_out(key.as_bytes(), &access.groups, threshold)?;
        let threshold = threshold.or_else(|| u32::try_from(groups.len()).ok().filter(|_| several));
        let plan = Plan {
            recipients: Recipients::Are { groups, threshold },
            selection: metadata.selection.clone(),
            mac_only_encrypted: metadata.mac_only_encrypted,
            fresh,
        };
        let order = plan.order(Some(base), now)?;
        if metadata.draft {
            return Ok((seal_draft(&base.opened.content, &order)?, Fidelity::Exact));
        }
        Ok(seal(format, &base.opened.content, &order)?)
    }

    /// Seals a content whole, as a draft.
    ///
    /// # Errors
    /// As [`Vault::seal`].
    pub fn seal_draft(
        &self,
        content: &[u8],
        terms: Option<&Terms>,
        base: Option<&Base<'_>>,
        now: &str,
    ) -> Result<Vec<u8>, Error> {
        Ok(seal_draft(content, &Plan::of(terms, base)?.order(base, now)?)?)
    }
}

/// Seals a content, or else a draft of it.
fn seal_as(format: Format, content: &[u8], order: &Order<'_>) -> Result<Sealing, Error> {
    match seal(format, content, order) {
        Ok((sealed, fidelity)) => Ok(Sealing::Sealed(sealed, fidelity)),
        Err(error @ (sops::Error::Crypt(_) | sops::Error::NoRecipient | sops::Error::ForeignKey { .. })) => {
            Err(error.into())
        }
        Err(error) => Ok(Sealing::Draft(seal_draft(content, order)?, error)),
    }
}

/// What is settled before a content is looked at.
struct Plan {
    recipients: Recipients,
    /// A new data key, where the earlier one can't stay or there is none.
    fresh: Option<DataKey>,
    selection: SelectionSettings,
    mac_only_encrypted: bool,
}

impl Plan {
    fn of(terms: Option<&Terms>, base: Option<&Base<'_>>) -> Result<Self, Error> {
        let Some(terms) = terms else {
            let metadata = &base.ok_or(Error::NoRule)?.sealed.metadata;
            let (selection, mac_only_encrypted) = (metadata.selection.clone(), metadata.mac_only_encrypted);
            return Ok(Self {
                recipients: Recipients::Keep,
                fresh: None,
                selection,
                mac_only_encrypted,
            });
        };
        let (recipients, fresh) = terms.recipients(base)?;
        let (selection, mac_only_encrypted) = (terms.selection.clone(), terms.mac_only_encrypted);
        Ok(Self {
            recipients,
            fresh,
            selection,
            mac_only_encrypted,
        })
    }

    fn order<'o>(&'o self, base: Option<&Base<'o>>, now: &'o str) -> Result<Order<'o>, Error> {
        let known = base.map(|base| &base.opened.data_key);
        Ok(Order {
            data_key: self.fresh.as_ref().or(known).ok_or(Error::NoRule)?,
            recipients: self.recipients.clone(),
            selection: &self.selection,
            mac_only_encrypted: self.mac_only_encrypted,
            now,
            // Under a new data key nothing of the earlier state can stay.
            base: base
                .filter(|_| self.fresh.is_none())
                .map(|base| (base.sealed, base.opened)),
            also: None,
            heritage: base.map(|base| &base.sealed.metadata),
        })
    }
}

impl Terms {
    /// The terms that a rule sets.
    ///
    /// # Errors
    /// [`Error::Recipient`] for a recipient that is malformed.
    pub fn of_rule(rule: &Rule) -> Result<Self, Error> {
        let mut foreign = Vec::new();
        let mut groups = Vec::new();
        for group in &rule.groups {
            let age = group
                .age
                .iter()
                .map(|text| Recipient::parse(text))
                .collect::<Result<Vec<_>, _>>();
            groups.push(age.map_err(Error::Recipient)?);
            foreign.extend(group.foreign.iter().cloned());
        }
        Ok(Self {
            groups,
            foreign,
            threshold: rule.threshold,
            selection: rule.selection.clone(),
            mac_only_encrypted: rule.mac_only_encrypted,
        })
    }

    /// Whether a file is sealed for exactly these recipients.
    #[must_use]
    pub fn fit(&self, metadata: &Metadata) -> bool {
        self.groups.len() == metadata.groups.len()
            && self.groups.iter().zip(&metadata.groups).all(|(wanted, group)| {
                let (missing, surplus) = difference(wanted, group);
                missing.is_empty() && surplus.is_empty()
            })
            && self.foreign.is_empty()
                == metadata
                    .groups
                    .iter()
                    .all(|group| group.foreign_kinds().next().is_none())
    }

    /// The recipients of these terms whom a file lacks, and those of the file that these terms do not name.
    #[must_use]
    pub fn differences(&self, metadata: &Metadata) -> (Vec<String>, Vec<String>) {
        let (mut missing, mut surplus) = (Vec::new(), Vec::new());
        for index in 0..self.groups.len().max(metadata.groups.len()) {
            let wanted = self.groups.get(index).map_or(&[][..], Vec::as_slice);
            let group = metadata.groups.get(index).cloned().unwrap_or_default();
            let (lacks, has) = difference(wanted, &group);
            missing.extend(lacks.into_iter().map(ToString::to_string));
            surplus.extend(has);
        }
        (missing, surplus)
    }

    /// How a file is to be wrapped: kept as it is, wrapped for more, or, where somebody left, under a new data key, which is the
    /// second result.
    fn recipients(&self, base: Option<&Base<'_>>) -> Result<(Recipients, Option<DataKey>), Error> {
        if let Some(base) = base {
            let (metadata, key) = (&base.sealed.metadata, &base.opened.data_key);
            if self.fit(metadata) {
                return Ok((Recipients::Keep, None));
            }
            if let ([wanted], [group]) = (self.groups.as_slice(), metadata.groups.as_slice()) {
                let (missing, surplus) = difference(wanted, group);
                // The data key stays, so what wraps it for keys of other types stays good.
                if surplus.is_empty() && self.names_foreign_keys_of(group) {
                    let group = group.extended(key.as_bytes(), &missing)?;
                    return Ok((
                        Recipients::Are {
                            groups: vec![group],
                            threshold: self.threshold,
                        },
                        None,
                    ));
                }
            }
        }
        if let Some(key) = self.foreign.first() {
            let kind = key.kind.to_owned();
            return Err(sops::Error::ForeignKey { kind }.into());
        }
        let key = DataKey::generate().map_err(sops::Error::from)?;
        let groups = Group::share_out(key.as_bytes(), &self.groups, self.threshold)?;
        Ok((
            Recipients::Are {
                groups,
                threshold: self.threshold_to_store(),
            },
            Some(key),
        ))
    }

    /// Whether the keys of other types in a group are those that the rule names.
    fn names_foreign_keys_of(&self, group: &Group) -> bool {
        let mut wanted: Vec<&str> = self.foreign.iter().map(|key| key.text.as_str()).collect();
        let mut there = group.foreign_names();
        wanted.sort_unstable();
        there.sort_unstable();
        wanted == there
    }

    /// The threshold as the metadata names it: the number of groups where several are given without one.
    fn threshold_to_store(&self) -> Option<u32> {
        if self.groups.len() > 1 && self.threshold.is_none() {
            return u32::try_from(self.groups.len()).ok();
        }
        self.threshold
    }
}

/// The recipients whom a group lacks, and the group's recipients who are not wanted.
fn difference<'w>(wanted: &'w [Recipient], group: &Group) -> (Vec<&'w Recipient>, Vec<String>) {
    let present: Vec<(&str, Option<Recipient>)> = group
        .age
        .iter()
        .map(|key| (key.recipient.as_str(), Recipient::parse(&key.recipient).ok()))
        .collect();
    let has = |wanted: &Recipient| {
        present
            .iter()
            .any(|(_, recipient)| recipient.as_ref().is_some_and(|recipient| recipient.same_key(wanted)))
    };
    let missing = wanted.iter().filter(|recipient| !has(recipient)).collect();
    let surplus = present
        .iter()
        .filter(|(_, recipient)| {
            !recipient
                .as_ref()
                .is_some_and(|recipient| wanted.iter().any(|wanted| wanted.same_key(recipient)))
        })
        .map(|(text, recipient)| recipient.as_ref().map_or_else(|| short(text), ToString::to_string))
        .collect();
    (missing, surplus)
}

/// The first characters of a text that is no recipient.
fn short(text: &str) -> String {
    text.chars().take(12).chain(['…']).collect()
}
