//! git-seal keeps the secrets of a repository sealed in Git and readable in the checkout.
//!
//! # The house
//!
//! Floors, bottom first; each imports only from floors below it ([`FLOORS`] is the order, and a test reads it).
//!
//! | floor | says |
//! |---|---|
//! | [`text`] | bytes, spans, lines, Go's regular expressions |
//! | [`document`] | a file as leaves in an untouched layout: YAML, JSON |
//! | [`crypt`] | data key, envelope, MAC, recipients, identities |
//! | [`sops`] | a document sealed and opened in SOPS's format |
//! | [`policy`] | `.sops.yaml`: which path is sealed how, for whom |
//! | [`git`] | repository, snapshots, ranges, packet lines, hooks, drivers, the clone's memory |
//! | [`vault`] | policy and keyring: *seal this path, open this file* |
//! | [`filter`] | clean, smudge, merge as functions on bytes |
//! | [`guard`] | checks over changes, and their findings |
//! | [`report`] | findings as text and JSON |
//! | [`ui`] | streams, editor, failures with a way out |
//! | [`commands`] | one verb a file |
//! | [`cli`] | argument tree, dispatch, exit code |
//!
//! # Where to start
//!
//! - Git stores a file: [`git::filter_process`] → [`commands::filter_process`] → [`filter::clean`] → [`vault`] → [`sops::seal`].
//! - Git writes a file: the same way down to [`filter::smudge`] → [`sops::open`].
//! - Something is judged: [`commands::verify`] and [`commands::hook`] → [`guard`] → [`report`].
//!
//! Up to and including `guard` nothing reads the environment, the clock or the home folder, and nothing prints: such things come in
//! as arguments.

pub mod cli;
pub mod commands;
pub mod crypt;
pub mod document;
pub mod filter;
pub mod git;
pub mod guard;
pub mod policy;
pub mod report;
pub mod sops;
pub mod text;
pub mod ui;
pub mod vault;

/// The floors, bottom first.
pub const FLOORS: &[&str] = &[
    "text", "document", "crypt", "sops", "policy", "git", "vault", "filter", "guard", "report", "ui", "commands", "cli",
];
