//! What to say when a sealed file can't be opened: what it is instead, who could open it, and where identities were
//! looked for.

use super::identities::{Found, State};
use crate::crypt::Recipient;
use crate::document::Format;
use crate::sops::{self, Sealed};
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
    failure.hints.push(recipients(sealed));
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

fn recipients(sealed: &Sealed<'_>) -> String {
    let short = |text: &str| Recipient::parse(text).map_or_else(|_| "an unknown key".to_owned(), |key| key.to_string());
    let mut names: Vec<String> = sealed.metadata.recipients().map(short).collect();
    for kind in sealed.metadata.groups.iter().flat_map(sops::Group::foreign_kinds) {
        names.push(format!("keys of type {kind}, which only sops can use"));
    }
    let groups = match sealed.metadata.groups.len() {
        0 | 1 => String::new(),
        many => format!(
            " ({} of {many} key groups are needed)",
            sealed.metadata.threshold.map_or(many, |n| n as usize)
        ),
    };
    format!("it is sealed for {}{groups}", names.join(", "))
}

/// A line for each place with something in it, and one for all the others.
fn places(found: &Found) -> Vec<String> {
    let (mut lines, mut absent) = (Vec::new(), Vec::new());
    for place in &found.places {
        match &place.state {
            State::Absent => absent.push(place.name.as_str()),
            State::Found(1) => lines.push(format!("{} holds 1 identity, which does not open it", place.name)),
            State::Found(number) => {
                lines.push(format!(
                    "{} holds {number} identities, of which none opens it",
                    place.name
                ));
            }
            State::Unusable(reason) => lines.push(format!("{} can't be used: {reason}", place.name)),
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
    use crate::crypt::Keyring;

    #[test]
    fn each_place_with_something_in_it_has_its_line() {
        let place = |name: &str, state| Place {
            name: name.to_owned(),
            state,
        };
        let places_looked_at = vec![
            place("A", State::Absent),
            place("B", State::Found(1)),
            place("C", State::Found(2)),
            place("D", State::Unusable("broken".to_owned())),
            place("E", State::Absent),
        ];
        let found = Found {
            keyring: Keyring::new(Vec::new()),
            places: places_looked_at,
        };
        let expected = [
            "B holds 1 identity, which does not open it",
            "C holds 2 identities, of which none opens it",
            "D can't be used: broken",
            "nothing is in A, E",
        ];
        assert_eq!(places(&found), expected);
    }
}
