//! The lines that Git gives to the hooks pre-push and pre-receive: which ref is to become what.

use super::error::Error;
use super::oid::Oid;

/// One ref that a push creates, moves or deletes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefUpdate {
    /// What is pushed, as the user named it: a ref, `HEAD~2`, an object's name, `(delete)`. Absent on the receiving side.
    pub local_ref: Option<Vec<u8>>,
    /// The object that the ref is to have; zero to delete it.
    pub new: Oid,
    /// The ref on the receiving side.
    pub remote_ref: Vec<u8>,
    /// The object that the ref has there; zero if there is no such ref yet.
    pub old: Oid,
}

impl RefUpdate {
    /// Reads pre-push's stdin: `LOCAL-REF LOCAL-OID REMOTE-REF REMOTE-OID`, a line for each ref.
    ///
    /// # Errors
    /// [`Error::NotARefUpdate`] for the first line of another shape.
    pub fn parse_pre_push(input: &[u8]) -> Result<Vec<Self>, Error> {
        parse(input, |line| {
            // The user's own words come first and may contain spaces, so the line is taken apart from its end.
            let mut words = line.rsplitn(4, |byte| *byte == b' ');
            let (old, remote_ref, new, local_ref) = (words.next()?, words.next()?, words.next()?, words.next()?);
            Self::new(Some(local_ref), new, remote_ref, old)
        })
    }

    /// Reads pre-receive's stdin: `OLD-OID NEW-OID REF`, a line for each ref.
    ///
    /// # Errors
    /// [`Error::NotARefUpdate`] for the first line of another shape.
    pub fn parse_pre_receive(input: &[u8]) -> Result<Vec<Self>, Error> {
        parse(input, |line| {
            let mut words = line.splitn(3, |byte| *byte == b' ');
            let (old, new, remote_ref) = (words.next()?, words.next()?, words.next()?);
            Self::new(None, new, remote_ref, old)
        })
    }

    /// Whether the ref is to go, so that nothing arrives.
    pub fn is_deletion(&self) -> bool {
        self.new.is_zero()
    }

    /// Whether the ref isn't there yet.
    pub fn is_creation(&self) -> bool {
        self.old.is_zero()
    }

    fn new(local_ref: Option<&[u8]>, new: &[u8], remote_ref: &[u8], old: &[u8]) -> Option<Self> {
        let (new, old) = (Oid::from_hex(new).ok()?, Oid::from_hex(old).ok()?);
        let whole = !remote_ref.is_empty() && !remote_ref.contains(&b' ');
        // Names of two lengths can't be of one repository.
        let fits = whole && new.as_bytes().len() == old.as_bytes().len();
        fits.then(|| Self {
            local_ref: local_ref.map(<[u8]>::to_vec),
            new,
            remote_ref: remote_ref.to_vec(),
            old,
        })
    }
}

fn parse(input: &[u8], read: impl Fn(&[u8]) -> Option<RefUpdate>) -> Result<Vec<RefUpdate>, Error> {
    let lines = input
        .strip_suffix(b"\n")
        .unwrap_or(input)
        .split(|byte| *byte == b'\n')
        .enumerate();
    // No input at all is a push that changes nothing.
    lines
        .filter(|_| !input.is_empty())
        .map(|(at, line)| read(line).ok_or(Error::NotARefUpdate { line: at + 1 }))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    #[test]
    fn another_shape_is_refused_by_its_line() {
        let long = "a".repeat(64);
        for bad in [
            "\n".to_owned(),
            format!("main {A} refs/heads/main"),
            format!("main {A} refs/heads/main {A} "),
            format!("main {A}  {A}"),
            format!("main {A} refs/heads/main 12"),
            format!("main {A} refs/heads/main {long}"),
            format!("main {A} refs/heads/main {A}\n\nmain {A} refs/heads/main {A}"),
        ] {
            assert!(
                matches!(
                    RefUpdate::parse_pre_push(bad.as_bytes()),
                    Err(Error::NotARefUpdate { .. })
                ),
                "{bad:?}"
            );
        }
        for bad in [
            format!("{A} {A}"),
            format!("{A} {A} "),
            format!("{A} {A} refs/x y"),
            format!("{A} {long} refs/x"),
        ] {
            let input = format!("{A} {A} refs/heads/main\n{bad}\n");
            let error = RefUpdate::parse_pre_receive(input.as_bytes()).unwrap_err();
            assert!(matches!(error, Error::NotARefUpdate { line: 2 }), "{bad:?}");
        }
    }

    #[test]
    fn updates_are_read_with_what_they_do() {
        let zero_long = "0".repeat(64);
        for (line, local, deletes, creates) in [
            (
                format!("refs/heads/main {A} refs/heads/main {A}\n"),
                "refs/heads/main",
                false,
                false,
            ),
            (
                format!("HEAD^{{/a b}} {A} refs/heads/main {ZERO}\n"),
                "HEAD^{/a b}",
                false,
                true,
            ),
            (
                format!("(delete) {ZERO} refs/heads/main {A}\n"),
                "(delete)",
                true,
                false,
            ),
            (
                format!("(delete) {zero_long} refs/heads/main {}", "b".repeat(64)),
                "(delete)",
                true,
                false,
            ),
        ] {
            let updates = RefUpdate::parse_pre_push(line.as_bytes()).unwrap();
            assert_eq!(updates.len(), 1, "{line}");
            let update = &updates[0];
            assert_eq!(update.local_ref.as_deref(), Some(local.as_bytes()), "{line}");
            assert_eq!(
                (update.is_deletion(), update.is_creation()),
                (deletes, creates),
                "{line}"
            );
            assert_eq!(update.remote_ref, b"refs/heads/main", "{line}");
        }
        assert_eq!(RefUpdate::parse_pre_push(b"").unwrap(), []);
        assert_eq!(
            RefUpdate::parse_pre_receive(format!("{ZERO} {A} refs/t\n{A} {ZERO} refs/t\n").as_bytes())
                .unwrap()
                .len(),
            2
        );
    }
}
