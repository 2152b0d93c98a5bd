//! The floor of keys: data key, sealed values, the MAC over a file, and who may open it.
//!
//! Everything here follows SOPS's format to the byte; a rule is named by its section in the format description. Nothing
//! here reads files, the environment or the clock; randomness comes from the operating system.

mod cipher;
mod data_key;
mod envelope;
mod error;
pub mod host;
mod hybrid;
mod identity;
mod kept;
mod keyring;
mod legacy_pem;
mod mac;
mod plugin;
mod plugin_wire;
mod protected;
mod recipient;
#[cfg(test)]
mod scripted;
pub mod shamir;
mod source;
mod ssh_identity;
mod wrapped_key;

pub use age::secrecy::{ExposeSecret, SecretString};
pub use cipher::Cipher;
pub use data_key::DataKey;
pub use envelope::{Envelope, Kind, looks_like};
pub use error::{Error, Part, PluginFault};
pub use identity::{Identity, Need};
pub use keyring::Keyring;
pub use mac::{Mac, mac_equal};
pub use recipient::Recipient;
pub use shamir::{combine, split};
pub use source::{Complaint, KeyCommand, Reach, Source};
pub use wrapped_key::WrappedKey;
