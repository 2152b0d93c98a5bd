//! The checks, a file each. The head of a file is the page that `git seal explain ID` prints.

pub mod bad_policy;
pub mod broken_seal;
pub mod draft;
pub mod filter_without_rule;
mod leaf_place;
mod located;
mod mending;
pub mod missing_filter;
pub mod nothing_sealed;
pub mod private_key;
pub mod recipient_drift;
pub mod unmerged_path;
pub mod unsealed_file;
pub mod unsealed_value;
pub mod weaker_policy;
