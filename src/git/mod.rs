//! Git's side of the house: the repository, what is in it, what changes, and the places where Git calls us.

pub mod attribute_lines;
pub mod attribute_patterns;
mod attribute_regex;
pub mod attributes;
mod batch;
pub mod blobs;
pub mod change;
pub mod command;
pub mod config;
pub mod config_inspect;
pub mod delay;
mod discover;
pub mod entry;
pub mod environment;
pub mod error;
pub mod filter_handler;
pub mod filter_process;
pub mod history;
mod hook_file;
pub mod hook_managers;
pub mod hook_place;
pub mod hook_script;
pub mod hooks;
mod index;
pub mod memory;
mod objects;
pub mod oid;
pub mod os_path;
pub mod pkt_line;
pub mod program;
pub mod push;
pub mod repo;
#[cfg(test)]
mod sandbox;
pub mod snapshot;
#[cfg(test)]
mod testing;
mod tree;
pub mod version;

pub use command::Git;
pub use entry::Entry;
pub use environment::GitEnvironment;
pub use error::Error;
pub use memory::Memory;
pub use oid::{ObjectFormat, Oid};
pub use repo::Repo;
