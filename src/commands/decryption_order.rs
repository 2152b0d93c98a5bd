//! `--decryption-order`: the order in which SOPS tries the types of keys in a group.
//!
//! age is the only type that is used here, so the order changes nothing; scripts that give one still work, and what SOPS refuses is
//! refused.

use crate::ui::Failure;

/// SOPS's exit code for a type that is named twice.
const DUPLICATE: u8 = 112;

/// The option, to be flattened into the arguments of what opens a file.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DecryptionOrder {
    /// The order in which sops tries types of keys; age is the one that is used here
    #[arg(long, value_name = "TYPES", env = "SOPS_DECRYPTION_ORDER", hide_env_values = true)]
    decryption_order: Option<String>,
}

impl DecryptionOrder {
    /// Looks whether SOPS takes the order. It takes unknown words, and does not trim blanks.
    ///
    /// # Errors
    /// With exit code 112 for a type that is named twice.
    pub fn check(&self) -> Result<(), Failure> {
        let words: Vec<&str> = self
            .decryption_order
            .iter()
            .flat_map(|order| order.split(','))
            .collect();
        let twice = words
            .iter()
            .zip(1..)
            .find(|(word, next)| words.iter().skip(*next).any(|other| other == *word));
        match twice {
            None => Ok(()),
            Some((word, _)) => Err(Failure::new(format!("--decryption-order: `{word}` is named twice"))
                .code(DUPLICATE)
                .hint("name each type once, such as age,pgp")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(order: Option<&str>, code: Option<u8>) {
        let order = DecryptionOrder {
            decryption_order: order.map(str::to_owned),
        };
        assert_eq!(order.check().err().map(|failure| failure.code), code, "{order:?}");
    }

    #[test]
    fn only_what_is_named_twice_is_refused() {
        for twice in ["age,age", "pgp,age,pgp", "x,x", ",", "kms,age,pgp,kms"] {
            case(Some(twice), Some(DUPLICATE));
        }
        for fine in [
            "",
            "age",
            "age,pgp",
            "pgp,kms,gcp_kms,hckms,azure_kv,hc_vault,age",
            "nonsense",
            "age, age",
        ] {
            case(Some(fine), None);
        }
        case(None, None);
    }
}
