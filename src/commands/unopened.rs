//! What to say when a sealed file can't be opened: what it is instead, who could open it, and where identities were
//! looked for.

use super::identities::{Found, State, counted};
use crate::crypt::Recipient;
use crate::document::Format;
use crate::sops::{self, Group, Sealed};
use crate::ui::Failure;

/// The exit code of SOPS for a data key that can't be had.
const NO_DATA_KEY: u8 = 128;

/// The failure to get a file's data key; for a missing identity with all that helps to find it.
#[must_use]
pub fn no_data_key(error: sops::Error, sealed: &Sealed<'_>, found: &Found) -> Failure {
    if !matches!(error, sops::Error::NoIdentity) {
        return Failure::from(error).code(NO_DATA_KEY);
    }
    let mut failure = Failure::from(error);
    failure.hints.clear();
    failure.hints.extend(recipients(sealed, found));
    failure.hints.extend(places(found));
    failure.hint("`git seal doctor` explains how to set an identity up")
}

/// A file that can't be read as a sealed one, with SOPS's exit code. `plain` is the way out for one that is not sealed.
#[must_use]
pub fn unreadable(error: sops::Error, format: Format, plain: impl FnOnce() -> Failure) -> Failure {
    match error {
        sops::Error::NotSealed => plain(),
        // Any bytes are a plain binary file.
        sops::Error::Document(_) | sops::Error::NotUtf8 if format == Format::Binary => plain(),
        error => {
            let mut failure = Failure::from(error).code(1);
            // The ways out are those of somebody who seals.
            failure.hints.retain(|hint| !hint.contains("--input-type"));
            failure
        }
    }
}

/// Whom the file is sealed for; with several groups a line for each.
fn recipients(sealed: &Sealed<'_>, found: &Found) -> Vec<String> {
    let metadata = &sealed.metadata;
    let [group] = metadata.groups.as_slice() else {
        let all = metadata.groups.len();
        let opened = metadata.groups_open(&found.keyring);
        let number = opened.iter().filter(|opens| **opens).count();
        let needed = metadata.groups_needed();
        let mut lines = vec![format!(
            "{needed} of {all} key groups are needed, and {number} can be opened"
        )];
        for (index, (group, opens)) in metadata.groups.iter().zip(opened).enumerate() {
            let word = if opens { "opens" } else { "does not open" };
            lines.push(format!("key group {} {word}: {}", index + 1, keys(group)));
        }
        return lines;
    };
    vec![format!("it is sealed for {}", keys(group))]
}

/// The keys of a group, by name.
fn keys(group: &Group) -> String {
    let short = |text: &str| Recipient::parse(text).map_or_else(|_| "an unknown key".to_owned(), |key| key.to_string());
    let mut names: Vec<String> = group.age.iter().map(|key| short(&key.recipient)).collect();
    for kind in group.foreign_kinds() {
        names.push(format!("keys of type {kind}, which only sops can use"));
    }
    names.join(", ")
}

/// A line for each place with something in it, and one for all the others.
fn places(found: &Found) -> Vec<String> {
    let (mut lines, mut absent) = (Vec::new(), Vec::new());
    let complaints = found.keyring.complaints();
    for place in &found.places {
        let name = &place.name;
        let mut wrong = complaints
            .iter()
            .filter(|complaint| complaint.source == *name)
            .peekable();
        match &place.state {
            State::Absent => absent.push(name.as_str()),
            State::Unusable(reason) => lines.push(format!("{name} can't be used: {reason}")),
            _ if wrong.peek().is_some() => {
                lines.extend(wrong.map(|complaint| format!("{name} can't be used: {}", complaint.error)));
            }
            State::Found(needs) if needs.is_empty() => lines.push(format!("{name} holds no identity")),
            State::Found(needs) if needs.len() == 1 => {
                lines.push(format!("{name} holds {}, which does not open it", counted(needs)));
            }
            State::Found(needs) => lines.push(format!("{name} holds {}, of which none opens it", counted(needs))),
            State::Command => lines.push(format!("{name} gave no identity that opens it")),
        }
    }
    if !absent.is_empty() {
        lines.push(format!("nothing is in {}", absent.join(", ")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::identities::Place;
    use crate::crypt::{Keyring, Need};

    #[test]
    fn each_place_with_something_in_it_has_its_line() {
        let place = |name: &str, state| Place {
            name: name.to_owned(),
            state,
        };
        let places_looked_at = vec![
            place("A", State::Absent),
            place("B", State::Found(vec![Need::Nothing])),
            place("C", State::Found(vec![Need::Nothing, Need::Passphrase])),
            place("F", State::Found(Vec::new())),
            place("G", State::Command),
            place("D", State::Unusable("broken".to_owned())),
            place("E", State::Absent),
        ];
        let found = Found {
            keyring: Keyring::new(Vec::new()),
            places: places_looked_at,
        };
        let expected = [
            "B holds 1 identity, which does not open it",
            "C holds 2 identities (behind a passphrase), of which none opens it",
            "F holds no identity",
            "G gave no identity that opens it",
            "D can't be used: broken",
            "nothing is in A, E",
        ];
        assert_eq!(places(&found), expected);
    }
}
