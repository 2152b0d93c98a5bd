//! SOPS's file format: a document sealed and opened, with the metadata that says how and for whom.

mod binary;
mod block;
pub mod convert;
mod convert_lines;
mod convert_yaml;
mod copy;
pub mod door;
pub mod error;
pub mod extract;
mod flat;
pub mod kind;
mod list_comments;
pub mod master_keys;
pub mod metadata;
mod node;
mod number;
pub mod open;
pub mod placement;
mod reuse;
mod sameness;
pub mod seal;
pub mod sealed;
pub mod selection;
mod spelling;
mod walk;

pub use error::Error;
pub use metadata::{Group, Metadata};
pub use open::{Clear, Opened};
pub use seal::{Order, Recipients};
pub use sealed::Sealed;
pub use selection::{Selection, SelectionSettings};
