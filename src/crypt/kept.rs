//! What a keyring learns while it is used: answers, identities that came later, and what went wrong.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::error::Error;
use super::identity::Identity;
use super::source::{Complaint, Reach};

/// What was wrapped.
pub(super) type Secret = Zeroizing<Vec<u8>>;
/// Identities that came later, with the name of their source.
pub(super) type Gained = Arc<(String, Vec<Identity>)>;

/// What came of a text.
#[derive(Clone)]
pub(super) struct Answer {
    /// What it holds, if anything opened it.
    pub secret: Option<Secret>,
    /// How far was gone for it.
    pub reach: Reach,
    /// The count of gained identities by then: more may change a negative answer.
    pub gained: usize,
}

/// All of it. Shared between threads.
#[derive(Default)]
pub(super) struct Kept {
    /// By SHA-256 of the wrapped text.
    answers: Mutex<HashMap<[u8; 32], Answer>>,
    gained: Mutex<Vec<Gained>>,
    count: AtomicUsize,
    complaints: Mutex<Vec<Complaint>>,
}

impl Kept {
    /// The answer for a text.
    pub(super) fn answer(&self, key: &[u8; 32]) -> Option<Answer> {
        lock(&self.answers).get(key).cloned()
    }

    /// Keeps an answer.
    pub(super) fn put(&self, key: [u8; 32], answer: Answer) {
        lock(&self.answers).insert(key, answer);
    }

    /// How many answers are kept.
    #[cfg(test)]
    pub(super) fn number(&self) -> usize {
        lock(&self.answers).len()
    }

    /// How often something was gained.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// The identities that came later.
    pub(super) fn gained(&self) -> Vec<Gained> {
        match self.count() {
            0 => Vec::new(),
            _ => lock(&self.gained).clone(),
        }
    }

    /// Takes identities up; `None` if there are none.
    pub(super) fn gain(&self, source: &str, identities: Vec<Identity>) -> Option<Gained> {
        if identities.is_empty() {
            return None;
        }
        let new = Arc::new((source.to_owned(), identities));
        lock(&self.gained).push(Arc::clone(&new));
        self.count.fetch_add(1, Ordering::Release);
        Some(new)
    }

    /// Notes what went wrong, once.
    pub(super) fn complain(&self, source: &str, error: Error) {
        let complaint = Complaint {
            source: source.to_owned(),
            error,
        };
        let mut complaints = lock(&self.complaints);
        if !complaints.contains(&complaint) {
            complaints.push(complaint);
        }
    }

    /// What went wrong.
    pub(super) fn complaints(&self) -> Vec<Complaint> {
        lock(&self.complaints).clone()
    }
}

/// What is locked here is whole after every step, so a panic of another thread spoils nothing.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
