//! What a filter is asked and may answer, apart from how Git's protocol says it.

use super::oid::Oid;

/// How a request ends.
#[derive(PartialEq, Eq)]
pub enum Answer {
    /// The filtered content, of any length.
    Content(Vec<u8>),
    /// This file can't be filtered; for a required filter Git stops with an error.
    Refused,
    /// Neither this file nor any later one can be filtered.
    GivenUp,
}

/// How a request that may be put off ends.
#[derive(PartialEq, Eq)]
pub enum Delayed {
    /// It was answered at once.
    Answered(Answer),
    /// The handler keeps it; its path is listed by [`Handler::available`] when it is ready.
    Queued,
}

/// What Git says about a file that it checks out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmudgeRequest {
    /// The file's path relative to the top of the work tree, as raw bytes with `/` between its parts.
    pub path: Vec<u8>,
    /// The name of the blob that the content came from.
    pub blob: Option<Oid>,
    /// The commit or tree that is being checked out; absent for single files taken from the index.
    pub treeish: Option<Oid>,
    /// The full name of the ref that is being checked out.
    pub ref_name: Option<Vec<u8>>,
}

/// Who does the filtering. Contents are whole files; an empty one is an empty file.
pub trait Handler {
    /// From the work tree to the object database.
    fn clean(&mut self, path: &[u8], content: Vec<u8>) -> Answer;

    /// From the object database to the work tree.
    fn smudge(&mut self, request: &SmudgeRequest, content: Vec<u8>) -> Answer;

    /// Whether the last three functions are in use. Git is not told of delay otherwise.
    fn delays(&self) -> bool {
        false
    }

    /// As [`Handler::smudge`] for a file that Git can wait for.
    fn smudge_later(&mut self, request: SmudgeRequest, content: Vec<u8>) -> Delayed {
        Delayed::Answered(self.smudge(&request, content))
    }

    /// Waits until a queued file is ready and lists all that are, each only once; empty when nothing more will come.
    fn available(&mut self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// The answer for a path that was listed.
    fn collect(&mut self, _path: &[u8]) -> Answer {
        Answer::Refused
    }
}
