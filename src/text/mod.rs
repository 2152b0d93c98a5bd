//! Bytes, places in them, and patterns over them: what every floor above needs and nothing that knows of secrets.

pub mod go_regex;
pub mod span;

pub use go_regex::{BadRegex, GoRegex};
pub use span::{Position, Span};
