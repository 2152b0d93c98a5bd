//! A file read as leaves in an untouched layout: sealing and opening exchange the text of leaves and nothing else.

pub mod change;
pub mod dotenv;
pub mod edit;
pub mod error;
pub mod flat;
pub mod format;
pub mod ini;
pub mod item;
pub mod json;
pub mod key_path;
pub mod merge;
pub mod value;
pub mod yaml;

pub use error::{Error, Fault};
pub use format::Format;
pub use item::{Comment, Container, Context, Item, Key, Leaf, Origin, Root, RootStyle, Shape, StandIn, Style};
pub use key_path::KeyPath;
pub use value::Value;

/// A parsed text.
#[derive(Debug, Clone)]
pub struct Document<'t> {
    /// The text itself.
    pub text: &'t str,
    /// Its format.
    pub format: Format,
    /// The walk through it.
    pub items: Vec<Item<'t>>,
    /// What SOPS would refuse to encrypt though it can be read; opening ignores these.
    pub flaws: Vec<Error>,
    /// What can't stay as it is written when an entry is added or a leaf exchanged, and what reads the same there and can: to be applied
    /// before sealing, in ascending order.
    pub stand_ins: Vec<StandIn>,
}
