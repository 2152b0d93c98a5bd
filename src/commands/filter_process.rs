//! `filter-process`: Git's long-running filter, one process for all files of one Git command.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::context::{Context, random};
use super::remarks;
use super::workshop::Workshop;
use crate::filter::{Smudged, Unopened};
use crate::git::delay::DelayPool;
use crate::git::filter_handler::{Answer, Delayed, Handler, SmudgeRequest};
use crate::git::{Memory, Repo, filter_process};
use crate::ui::{Failure, Terminal};

/// Arguments: none.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Serves Git until it closes its side.
///
/// # Errors
/// When there is no repository, or what comes is not the protocol.
pub fn run(_: &Args, context: &Context) -> Result<u8, Failure> {
    keep_memory();
    let repo = Repo::open(std::path::Path::new("."))?;
    let memory = Memory::open(repo.common_dir(), &random);
    let workshop = Arc::new(Workshop::new(repo, memory));
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let mut process = Process {
        workshop: Arc::clone(&workshop),
        terminal: context.terminal,
        pool: DelayPool::new(threads),
        unopened: Arc::default(),
        told: BTreeSet::new(),
        pace: Duration::ZERO,
    };
    let served = filter_process::serve(std::io::stdin().lock(), std::io::stdout().lock(), &mut process);
    process.tell_unopened();
    workshop.memory().flush();
    served?;
    Ok(0)
}

/// Has the C library's allocator keep what it has: it hands memory back to the system whenever a file is done, and asks for it again for
/// the next one, which costs as much as reading the file. Freeing one large block raises its limit (mallopt(3), `M_TRIM_THRESHOLD`).
fn keep_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(8 << 20)));
}

/// The sealed files that stayed sealed: how many, and the first of each reason.
#[derive(Default)]
pub struct Stayed {
    no_identity: Vec<Vec<u8>>,
    damaged: Vec<Vec<u8>>,
}

impl Stayed {
    /// Notes what became of a file.
    pub fn note(&mut self, path: &[u8], smudged: &Smudged) {
        match smudged {
            Smudged::Unchanged(_, Some(Unopened::NoIdentity)) => self.no_identity.push(path.to_vec()),
            Smudged::Unchanged(_, Some(Unopened::Damaged)) => self.damaged.push(path.to_vec()),
            _ => {}
        }
    }
}

struct Process {
    workshop: Arc<Workshop>,
    terminal: Terminal,
    pool: DelayPool,
    unopened: Arc<Mutex<Stayed>>,
    /// The paths that something was said about: once a process is enough.
    told: BTreeSet<Vec<u8>>,
    /// How long opening took that was done at once last.
    pace: Duration,
}

/// A put-off file costs a second round of Git's small packets, a tenth of a millisecond. Opening pays that when it takes longer: large
/// files, slow keys.
const WORTH_A_THREAD: Duration = Duration::from_micros(500);
/// Bytes of a sealed file that take about as long.
const LARGE: usize = 128 << 10;

impl Handler for Process {
    fn clean(&mut self, path: &[u8], content: Vec<u8>) -> Answer {
        let policy = self.workshop.policy();
        match self.workshop.filter(&policy).clean(path, content) {
            Ok(cleaned) => {
                if let Some(note) = &cleaned.note
                    && self.told.insert(path.to_vec())
                {
                    remarks::tell(self.terminal, path, note);
                }
                Answer::Content(cleaned.bytes)
            }
            Err(error) => {
                remarks::fail(self.terminal, &Failure::from(error).at(String::from_utf8_lossy(path)));
                Answer::Refused
            }
        }
    }

    fn smudge(&mut self, request: &SmudgeRequest, content: Vec<u8>) -> Answer {
        Answer::Content(open(&self.workshop, &self.unopened, request, content))
    }

    fn delays(&self) -> bool {
        true
    }

    fn smudge_later(&mut self, request: SmudgeRequest, content: Vec<u8>) -> Delayed {
        if content.len() < LARGE && self.pace < WORTH_A_THREAD {
            let begun = Instant::now();
            let answer = self.smudge(&request, content);
            self.pace = begun.elapsed();
            return Delayed::Answered(answer);
        }
        let (workshop, unopened) = (Arc::clone(&self.workshop), Arc::clone(&self.unopened));
        let path = request.path.clone();
        self.pool.queue(path, content, move |content| {
            open(&workshop, &unopened, &request, content.to_vec())
        });
        Delayed::Queued
    }

    fn available(&mut self) -> Vec<Vec<u8>> {
        self.pool.available()
    }

    fn collect(&mut self, path: &[u8]) -> Answer {
        self.pool.collect(path).map_or(Answer::Refused, Answer::Content)
    }
}

impl Process {
    fn tell_unopened(&self) {
        let stayed = self.unopened.lock().unwrap_or_else(PoisonError::into_inner);
        let both = [
            (&stayed.no_identity, Unopened::NoIdentity),
            (&stayed.damaged, Unopened::Damaged),
        ];
        for (paths, why) in both.into_iter().filter(|(paths, _)| !paths.is_empty()) {
            remarks::tell_stayed(self.terminal, paths, why, &self.workshop.found().keyring);
        }
    }
}

fn open(workshop: &Workshop, stayed: &Mutex<Stayed>, request: &SmudgeRequest, content: Vec<u8>) -> Vec<u8> {
    // Opening asks the file who may open it, not the policy.
    let smudged = workshop.filter(&Ok(None)).smudge(&request.path, content, request.blob);
    stayed
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .note(&request.path, &smudged);
    smudged.into_bytes()
}
