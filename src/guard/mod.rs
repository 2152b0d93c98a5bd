//! The floor `guard`: what Git is about to record, or has recorded, held against the policy.
//!
//! [`gather`] and [`history`] read what is to be judged through `git`; everything else is a function of what they read. A commit
//! hook, a push hook, a server and a CI run go through the same [`inspect()`], so that they can't disagree.

pub mod allowance;
pub mod charter;
pub mod check;
pub mod checks;
mod coverage;
mod docket;
pub mod error;
pub mod finding;
pub mod findings;
pub mod gather;
pub mod history;
pub mod inspect;
pub mod law;
pub mod outcome;
pub mod redact;
pub mod register;
pub mod subject;
#[cfg(test)]
pub(crate) mod test_checkout;
#[cfg(test)]
pub(crate) mod testing;
pub mod words;

pub use charter::Charter;
pub use check::{Check, Needs};
pub use error::Error;
pub use finding::{Finding, Place, Severity};
pub use findings::Findings;
pub use inspect::inspect;
pub use law::Law;
pub use outcome::{Outcome, Scope, Unjudged};
pub use register::CHECKS;
pub use subject::Subject;
