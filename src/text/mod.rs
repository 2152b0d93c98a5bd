//! Bytes, places in them, and patterns over them: what every floor above needs and nothing that knows of secrets.

pub mod encoding;
pub mod go_regex;
pub mod span;

pub use encoding::{Decoded, Encoding};
pub use go_regex::{BadRegex, GoRegex};
pub use span::{Position, Span};
