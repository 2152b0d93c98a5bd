//! Work that a filter puts off: jobs on threads of their own, and what they made, kept until Git asks for it by path.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// One job: from the content that Git sent to the content that Git gets.
type Job = Box<dyn FnOnce(&[u8]) -> Vec<u8> + Send>;

/// What the threads and the pool share.
#[derive(Default)]
struct State {
    waiting: VecDeque<(Vec<u8>, Vec<u8>, Job)>,
    running: usize,
    /// Finished, and Git has not been told.
    unlisted: Vec<Vec<u8>>,
    finished: HashMap<Vec<u8>, Vec<u8>>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// A job was queued, or the pool is closed.
    queued: Condvar,
    /// A job was finished.
    done: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Jobs run outside the lock, so a panic can't leave the state half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Threads that do queued jobs in order, for the requests that Git lets us delay.
///
/// When dropped, what has not begun is forgotten and nobody waits for the rest: Git waits for our exit.
pub struct DelayPool {
    shared: Arc<Shared>,
    limit: usize,
    started: usize,
}

impl DelayPool {
    /// A pool of up to `threads` threads; each is started when there is a job for it.
    #[must_use]
    pub fn new(threads: NonZeroUsize) -> Self {
        Self {
            shared: Arc::default(),
            limit: threads.get(),
            started: 0,
        }
    }

    /// Queues a job for `path`, which must not be queued already. A job that panics hands on `content` as it was.
    pub fn queue<J>(&mut self, path: Vec<u8>, content: Vec<u8>, job: J)
    where
        J: FnOnce(&[u8]) -> Vec<u8> + Send + 'static,
    {
        let mut state = self.shared.lock();
        state.waiting.push_back((path, content, Box::new(job)));
        let busy = state.running + state.waiting.len() > self.started;
        drop(state);
        if busy && self.started < self.limit {
            let shared = Arc::clone(&self.shared);
            if thread::Builder::new().spawn(move || work(&shared)).is_ok() {
                self.started += 1;
            }
        }
        if self.started == 0 {
            // A system that grants no thread at all: done here, in line.
            work_off(&self.shared);
        }
        self.shared.queued.notify_one();
    }

    /// Waits until a job is finished and lists the paths that are ready, each only once; empty when nothing is under way.
    pub fn available(&mut self) -> Vec<Vec<u8>> {
        let mut state = self.shared.lock();
        while state.unlisted.is_empty() && (state.running > 0 || !state.waiting.is_empty()) {
            state = self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::take(&mut state.unlisted)
    }

    /// Takes what the job of `path` made; `None` when it is not finished or was never queued.
    pub fn collect(&mut self, path: &[u8]) -> Option<Vec<u8>> {
        self.shared.lock().finished.remove(path)
    }
}

impl Drop for DelayPool {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.waiting.clear();
        drop(state);
        self.shared.queued.notify_all();
    }
}

/// The life of one thread.
fn work(shared: &Shared) {
    loop {
        let mut state = shared.lock();
        while state.waiting.is_empty() && !state.closed {
            state = shared.queued.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return;
        }
        drop(state);
        work_off(shared);
    }
}

/// Does jobs until none is waiting.
fn work_off(shared: &Shared) {
    loop {
        let mut state = shared.lock();
        let Some((path, content, job)) = state.waiting.pop_front() else {
            return;
        };
        state.running += 1;
        drop(state);
        let made = catch_unwind(AssertUnwindSafe(|| job(&content))).unwrap_or(content);
        let mut state = shared.lock();
        state.running -= 1;
        state.unlisted.push(path.clone());
        state.finished.insert(path, made);
        drop(state);
        shared.done.notify_all();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

    use std::collections::BTreeSet;
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use super::*;

    fn pool(threads: usize) -> DelayPool {
        DelayPool::new(NonZeroUsize::new(threads).unwrap())
    }

    fn key(number: usize) -> Vec<u8> {
        number.to_string().into_bytes()
    }

    #[test]
    fn nothing_queued_is_nothing_available() {
        let mut pool = pool(2);
        assert_eq!(pool.available(), Vec::<Vec<u8>>::new());
        assert_eq!(pool.collect(b"a"), None);
    }

    #[test]
    fn every_job_is_listed_once_and_collected_once() {
        for threads in [1, 2, 7] {
            let mut pool = pool(threads);
            for number in 0..500 {
                pool.queue(key(number), key(number), |content| content.repeat(2));
            }
            let mut seen = BTreeSet::new();
            loop {
                let ready = pool.available();
                if ready.is_empty() {
                    break;
                }
                for path in ready {
                    assert_eq!(pool.collect(&path).unwrap(), path.repeat(2));
                    assert_eq!(pool.collect(&path), None);
                    assert!(seen.insert(path), "listed twice");
                }
            }
            assert_eq!(seen.len(), 500, "{threads} threads");
        }
    }

    #[test]
    fn listed_but_not_collected_does_not_block_the_next_list() {
        let mut pool = pool(1);
        pool.queue(b"a".to_vec(), Vec::new(), <[u8]>::to_vec);
        assert_eq!(pool.available(), [b"a"]);
        assert_eq!(pool.available(), Vec::<Vec<u8>>::new());
        assert_eq!(pool.collect(b"a"), Some(Vec::new()));
    }

    #[test]
    fn the_first_ready_is_listed_while_others_run() {
        let mut pool = pool(2);
        let (go, wait) = mpsc::channel::<()>();
        pool.queue(b"slow".to_vec(), Vec::new(), move |content| {
            wait.recv().ok();
            content.to_vec()
        });
        pool.queue(b"fast".to_vec(), Vec::new(), <[u8]>::to_vec);
        assert_eq!(pool.available(), [b"fast"]);
        go.send(()).unwrap();
        assert_eq!(pool.available(), [b"slow"]);
    }

    #[test]
    fn a_panic_hands_on_the_content() {
        let mut pool = pool(1);
        pool.queue(b"a".to_vec(), b"as it was".to_vec(), |_| {
            std::panic::resume_unwind(Box::new(()))
        });
        pool.queue(b"b".to_vec(), b"b".to_vec(), <[u8]>::to_vec);
        let mut listed = pool.available();
        while listed.len() < 2 {
            listed.extend(pool.available());
        }
        assert_eq!(pool.collect(b"a").unwrap(), b"as it was");
        assert_eq!(pool.collect(b"b").unwrap(), b"b");
    }

    #[test]
    fn dropping_waits_for_nobody() {
        let (_keep, wait) = mpsc::channel::<()>();
        let mut pool = pool(1);
        pool.queue(b"a".to_vec(), Vec::new(), move |content| {
            wait.recv_timeout(Duration::from_secs(20)).ok();
            content.to_vec()
        });
        let start = Instant::now();
        drop(pool);
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}
