//! SSH keys as identities.

use age::secrecy::SecretString;
use age::ssh::{Identity as Ssh, UnsupportedKey as Unsupported};
use zeroize::Zeroizing;

use super::error::Error;
use super::identity::{Identity, Key, public_of};
use super::legacy_pem::LegacyPem;
use super::protected::Lock;

impl Identity {
    /// The identity in an SSH private key file: OpenSSH's own form, or PEM for RSA; both may be behind a passphrase.
    ///
    /// # Errors
    /// [`Error::UnsupportedIdentity`] for other key types, [`Error::UnusableProtection`] for one behind a passphrase in a way that is
    /// not known, [`Error::InvalidIdentity`] for anything malformed.
    pub fn parse_ssh(text: &str) -> Result<Self, Error> {
        let text = Zeroizing::new(text.trim().replace("\r\n", "\n") + "\n");
        if let Some(pem) = LegacyPem::parse(&text) {
            return Ok(Self::protected(&text, None, Lock::Pem(pem?)));
        }
        let unusable = |reason| Err(Error::UnusableProtection { reason });
        if text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
            return unusable("PKCS#8 is no form of SSH's; `ssh-keygen -p` writes it anew");
        }
        match Ssh::from_buffer(text.as_bytes(), None).map_err(|_| Error::InvalidIdentity { line: 1 })? {
            Ssh::Unsupported(Unsupported::EncryptedPem | Unsupported::EncryptedSsh(_)) => {
                unusable("its cipher is not supported; `ssh-keygen -p` writes it anew")
            }
            Ssh::Unsupported(Unsupported::Hardware(key_type) | Unsupported::Type(key_type)) => {
                Err(Error::UnsupportedIdentity { key_type })
            }
            Ssh::Encrypted(key) => {
                let public = age::ssh::Recipient::try_from(Ssh::Encrypted(key.clone()));
                let public = public.map_err(|error| Error::UnsupportedIdentity {
                    key_type: match error {
                        age::ssh::ParseRecipientKeyError::Unsupported(key_type) => key_type,
                        _ => "unknown".to_owned(),
                    },
                })?;
                Ok(Self::protected(&text, public_of(&public), Lock::Ssh(Box::new(key))))
            }
            key @ Ssh::Unencrypted(_) => Ok(Self {
                text: text.as_str().into(),
                ..Self::of_ssh(key)
            }),
        }
    }

    /// The identity of an open SSH key.
    pub(super) fn of_ssh(key: Ssh) -> Self {
        let public = age::ssh::Recipient::try_from(key.clone()).ok();
        Self {
            text: SecretString::default(),
            public: public.and_then(|public| public_of(&public)),
            key: Key::Ssh(Box::new(key)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::crypt::recipient::Recipient;
    use crate::crypt::wrapped_key::WrappedKey;

    fn keys() -> serde_json::Value {
        serde_json::from_str(include_str!("../../tests/vectors/keys.json")).unwrap()
    }

    #[test]
    fn ssh_keys_that_are_refused() {
        let keys = keys();
        let key = |name: &str| keys[name].as_str().unwrap().to_owned();
        let cases = [
            (
                key("rsa_pem_protected").replace("AES-128-CBC", "DES-EDE3-CBC"),
                Error::UnusableProtection {
                    reason: "its cipher is none of AES; `ssh-keygen -p` writes it anew",
                },
            ),
            (
                key("rsa_pem_protected").replace("AES-128-CBC,", "AES-128-CBC,0"),
                Error::UnusableProtection {
                    reason: "it is damaged",
                },
            ),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n".into(),
                Error::UnusableProtection {
                    reason: "PKCS#8 is no form of SSH's; `ssh-keygen -p` writes it anew",
                },
            ),
            (
                key("ecdsa"),
                Error::UnsupportedIdentity {
                    key_type: "ecdsa-sha2-nistp256".into(),
                },
            ),
            (key("rsa_pem")[..400].to_owned(), Error::InvalidIdentity { line: 1 }),
            (String::new(), Error::InvalidIdentity { line: 1 }),
        ];
        for (text, error) in cases {
            assert_eq!(Identity::parse_ssh(&text).unwrap_err(), error);
        }
    }

    #[test]
    fn ssh_rsa_in_both_forms() {
        let keys = keys();
        let recipient = Recipient::parse(keys["rsa_public"].as_str().unwrap()).unwrap();
        let wrapped = WrappedKey::new(b"secret", &recipient).unwrap();
        for form in ["rsa_pem", "rsa_openssh"] {
            let text = keys[form].as_str().unwrap();
            for text in [
                text.to_owned(),
                format!("\n{}", text.replace('\n', "\r\n")),
                text.trim().to_owned(),
            ] {
                let identity = Identity::parse_ssh(&text).unwrap();
                assert!(identity.public().unwrap().same_key(&recipient), "{form}");
                assert_eq!(**wrapped.unwrap(&identity).unwrap().unwrap(), *b"secret", "{form}");
            }
        }
    }
}
