//! One verb a file: gather, decide, tell.

pub mod checkout;
pub mod clean;
pub mod clock;
pub mod context;
pub mod decrypt;
pub mod doctor;
pub mod edit;
pub mod encrypt;
pub mod explain;
pub mod files;
pub mod filestatus;
pub mod filter_process;
pub mod filtered;
pub mod hook;
pub mod identities;
pub mod in_out;
pub mod index_entry;
pub mod init;
pub mod install;
pub mod keygen;
pub mod lock;
pub mod merge_driver;
pub mod paths;
pub mod remarks;
pub mod smudge;
pub mod status;
pub mod terms;
pub mod textconv;
pub mod uninstall;
pub mod unlock;
pub mod unopened;
pub mod updatekeys;
pub mod verify;
pub mod workshop;

pub use context::Context;
