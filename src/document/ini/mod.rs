//! INI as SOPS's library reads it (format, section 1.6): sections of keys, with every comment that stands anywhere.
//!
//! A comment above a key, and one behind it, are one comment that SOPS visits after the key; those of a section come first in it.
//! What SOPS loses is kept as well, marked so: comments at the end and behind closing quotes, values of keys that stand again.

mod comment;
mod reader;
mod spell;
mod value;

pub use comment::{comment_plaintext, opened_comment, sealed_comment};
pub use reader::parse;
pub use spell::{is_key, line, opened_token, sealed_token, section, width};

/// The section of the keys before the first header; it is always there.
pub const DEFAULT: &str = "DEFAULT";
