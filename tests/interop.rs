//! Interoperability with SOPS: its files opened by us, ours opened by it, and what neither may accept.
//!
//! `vectors/sops` holds the output of SOPS 3.13 for inputs written for these tests, `vectors/generated` that of two of its layouts, and
//! `vectors/upstream` files of its own repository, wrapped for a published test key as well. The tests of [`peer`] run `sops` itself:
//! `cargo test -- --ignored`, with SOPS 3.13.1 in `PATH` (3.13.2 can't read the list comments that it writes).

mod dropin;
mod generate;
mod generate_json;
mod generate_yaml;
mod laws;
mod mutate;
mod opening;
mod peer;
mod policies;
mod refusals;
mod setting;
mod sides;
mod vectors;
mod verdicts;
