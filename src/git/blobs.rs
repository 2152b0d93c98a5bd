//! Many blobs in one go: two `git cat-file` children, the first for sizes, the second for what is small enough.

use std::collections::HashSet;

use super::batch::{Header, Kind, content, line};
use super::error::Error;
use super::oid::Oid;
use super::repo::Repo;

/// Up to so many blobs, single look-ups are quicker than the start of two children.
const FEW: usize = 100;

/// What there is under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// The blob's bytes.
    Bytes(&'a [u8]),
    /// A blob above the limit, with its size in bytes; it was not read.
    TooLarge(u64),
    /// Nothing is here (shallow or partial clone, damaged repository).
    Missing,
    /// A tree, commit or tag.
    NotABlob,
}

/// Hands the blobs with up to `limit` bytes to `each`, every name once. The order isn't that of `oids`: what can't be read
/// comes first.
///
/// # Errors
/// [`Error::GitFailed`] when Git stops in the middle, as for a damaged object.
pub fn read_blobs(repo: &Repo, oids: &[Oid], limit: u64, mut each: impl FnMut(Oid, Content<'_>)) -> Result<(), Error> {
    let mut seen = HashSet::new();
    let oids: Vec<Oid> = oids.iter().copied().filter(|oid| seen.insert(*oid)).collect();
    // In a partial clone, Git before 2.45 ends at the first object that it isn't allowed to fetch.
    if repo.objects().in_process() && (oids.len() <= FEW || is_partial(repo)?) {
        return one_by_one(repo, &oids, limit, &mut each);
    }
    let mut small = Vec::new();
    repo.git()
        .stream(&["cat-file", "--batch-check", "--buffer"], &lines(&oids), |output| {
            for oid in &oids {
                let answer = line(output)?.ok_or(Error::Output { what: "git cat-file" })?;
                match sort(Header::parse(&answer)?, limit) {
                    Some(verdict) => each(*oid, verdict),
                    None => small.push(*oid),
                }
            }
            Ok(())
        })?;
    repo.git()
        .stream(&["cat-file", "--batch", "--buffer"], &lines(&small), |output| {
            for oid in &small {
                let answer = line(output)?.ok_or(Error::Output { what: "git cat-file" })?;
                // Gone since the first look: another process has tidied up.
                match Header::parse(&answer)? {
                    None => each(*oid, Content::Missing),
                    Some(header) => each(*oid, Content::Bytes(&content(output, header.size)?)),
                }
            }
            Ok(())
        })
}

fn one_by_one(repo: &Repo, oids: &[Oid], limit: u64, each: &mut dyn FnMut(Oid, Content<'_>)) -> Result<(), Error> {
    for oid in oids {
        match sort(repo.objects().header(oid)?, limit) {
            Some(verdict) => each(*oid, verdict),
            None => match repo.blob(oid) {
                Ok(bytes) => each(*oid, Content::Bytes(&bytes)),
                Err(Error::MissingObject { .. }) => each(*oid, Content::Missing),
                Err(error) => return Err(error),
            },
        }
    }
    Ok(())
}

/// What can be said of an object without reading it; nothing of a blob that is to be read.
fn sort(header: Option<Header>, limit: u64) -> Option<Content<'static>> {
    match header {
        None => Some(Content::Missing),
        Some(header) if header.kind != Kind::Blob => Some(Content::NotABlob),
        Some(header) if header.size > limit => Some(Content::TooLarge(header.size)),
        Some(_) => None,
    }
}

fn lines(oids: &[Oid]) -> Vec<u8> {
    oids.iter().flat_map(|oid| format!("{oid}\n").into_bytes()).collect()
}

/// Whether objects were left out on purpose, to be fetched when needed.
fn is_partial(repo: &Repo) -> Result<bool, Error> {
    let pattern = r"^(extensions\.partialclone|remote\..*\.promisor)$";
    let (code, _, _) = repo.git().exit(&["config", "--get-regexp", pattern], &[])?;
    Ok(code == Some(0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::super::sandbox::Sandbox;
    use super::*;
    use std::collections::HashMap;

    fn told(repo: &Repo, oids: &[Oid], limit: u64) -> HashMap<Oid, String> {
        let mut told = HashMap::new();
        read_blobs(repo, oids, limit, |oid, content| {
            let words = match content {
                Content::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                other => format!("{other:?}"),
            };
            assert!(told.insert(oid, words).is_none(), "{oid} twice");
        })
        .unwrap();
        told
    }

    #[test]
    fn few_and_many_are_read_alike() {
        let sandbox = Sandbox::with_commit(&[]);
        let count = FEW + 20;
        for number in 0..count {
            sandbox.write(&format!("r/n{number}"), &format!("{number}\n\nmore\n"));
        }
        sandbox.write("r/empty", "");
        sandbox.write("r/large", &"x".repeat(100_000));
        let commit = sandbox.commit("r", "many");
        let large = sandbox.oid("r", "HEAD:large");
        let absent = Oid::from_bytes(&[7; 20]).unwrap();
        let repo = sandbox.open("r");
        let mut oids = vec![
            large,
            absent,
            commit,
            sandbox.oid("r", "HEAD:empty"),
            sandbox.oid("r", "HEAD:a"),
            large,
        ];
        let few = told(&repo, &oids, 99_999);
        assert_eq!(few.len(), 5);
        assert_eq!(few[&large], "TooLarge(100000)");
        assert_eq!((few[&absent].as_str(), few[&commit].as_str()), ("Missing", "NotABlob"));
        for number in 0..count {
            oids.push(repo.hash_blob(format!("{number}\n\nmore\n").as_bytes()).unwrap());
        }
        let many = told(&repo, &oids, 99_999);
        assert_eq!(many.len(), count + 5);
        assert!(few.iter().all(|(oid, words)| many[oid] == *words));
        assert_eq!(many[&oids[6]], "0\n\nmore\n");
        assert_eq!(told(&repo, &oids, 100_000)[&large].len(), 100_000);
    }

    #[test]
    fn what_a_partial_clone_left_out_is_missing() {
        let sandbox = Sandbox::with_commit(&[]);
        for number in 0..=FEW {
            sandbox.write(&format!("r/n{number}"), &number.to_string());
        }
        sandbox.commit("r", "many");
        sandbox.git("r", &["config", "uploadpack.allowFilter", "true"]);
        let url = format!("file://{}", sandbox.path("r").display());
        sandbox.git(".", &["clone", "-q", "--no-checkout", "--filter=blob:none", &url, "p"]);
        let repo = sandbox.open("p");
        let oids: Vec<Oid> = (0..=FEW)
            .map(|number| repo.hash_blob(number.to_string().as_bytes()).unwrap())
            .collect();
        assert!(told(&repo, &oids, 10).values().all(|words| words == "Missing"));
    }
}
