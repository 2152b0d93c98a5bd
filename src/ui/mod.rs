//! What a person sees: streams, failures with a way out, questions, the editor.

pub mod child;
pub mod editor;
pub mod failure;
pub mod file_limit;
pub mod private;
pub mod progress;
pub mod prompt;
pub mod terminal;

pub use failure::Failure;
pub use terminal::Terminal;
