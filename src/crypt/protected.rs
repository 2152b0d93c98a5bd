//! Identities behind a passphrase: identity files that age sealed with one, and SSH keys.
//!
//! The passphrase is asked for when nothing else opens a file, at most once in a process, three tries. SOPS asks gpg-agent first
//! where one is reachable; here it is the terminal alone.

use std::io::Read as _;
use std::sync::OnceLock;

use age::secrecy::{ExposeSecret as _, SecretString};
use age::ssh::EncryptedKey;
use age::{DecryptError, Decryptor};
use age_core::format::{FileKey, Stanza};
use data_encoding::{BASE64, BASE64_NOPAD};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::error::Error;
use super::host::{Host, Question};
use super::identity::Identity;
use super::legacy_pem::LegacyPem;
use super::recipient::Recipient;
use super::wrapped_key;

/// How often a passphrase is asked for.
const TRIES: u8 = 3;
/// Work for a passphrase, as a power of two: age's own limit. Such a file takes 4 GiB of memory.
const MOST_WORK: u8 = 22;
/// Bytes that an identity file may have, sealed and open, as in age and SOPS.
pub(super) const LARGEST: usize = 16 << 20;

/// An identity, or a file of them, that a passphrase opens.
pub(super) struct Protected {
    lock: Lock,
    asked: OnceLock<()>,
}

/// What the passphrase opens.
pub(super) enum Lock {
    /// An identity file, as an age file.
    File(Vec<u8>),
    /// An SSH key in OpenSSH's form.
    Ssh(Box<EncryptedKey>),
    /// An RSA key in the older form.
    Pem(LegacyPem),
}

/// How a file of identities is recognised as an age file.
pub(super) fn is_age_file(content: &[u8]) -> bool {
    content.starts_with(b"age-encryption") || content.starts_with(b"-----BEGIN AGE")
}

impl Protected {
    pub(super) fn new(lock: Lock) -> Self {
        Self {
            lock,
            asked: OnceLock::new(),
        }
    }

    /// An identity file that is an age file.
    pub(super) fn file(content: &[u8]) -> Result<Self, Error> {
        let protected = Self::new(Lock::File(content.to_vec()));
        let decryptor = decryptor(content)?;
        if !decryptor.is_scrypt() {
            return Err(Error::UnusableProtection {
                reason: "it is sealed for a key, not with a passphrase",
            });
        }
        Ok(protected)
    }

    /// Whether this is an SSH key, whose files name it.
    pub(super) const fn is_ssh(&self) -> bool {
        !matches!(self.lock, Lock::File(_))
    }

    /// Whether the passphrase was asked for already, with whatever success.
    pub(super) fn was_asked(&self) -> bool {
        self.asked.get().is_some()
    }

    /// The identities, the first time; none when it was asked for before. `source` is what the question names.
    pub(super) fn open(&self, host: &dyn Host, source: &str) -> Result<Vec<Identity>, Error> {
        let mut answer = Ok(Vec::new());
        self.asked.get_or_init(|| answer = self.ask(host, source));
        answer
    }

    fn ask(&self, host: &dyn Host, source: &str) -> Result<Vec<Identity>, Error> {
        for attempt in 0..TRIES {
            let again = attempt > 0;
            let passphrase = host.ask(Question::Passphrase { source, again })?;
            if let Some(identities) = self.try_with(&passphrase)? {
                return Ok(identities);
            }
        }
        Err(Error::WrongPassphrase { tries: TRIES })
    }

    /// The identities, or `None` if the passphrase is wrong.
    fn try_with(&self, passphrase: &SecretString) -> Result<Option<Vec<Identity>>, Error> {
        match &self.lock {
            Lock::File(content) => open_file(content, passphrase),
            Lock::Ssh(key) => match key.decrypt(passphrase.clone()) {
                Ok(key) => Ok(Some(vec![Identity::of_ssh(age::ssh::Identity::from(key))])),
                Err(_) => Ok(None),
            },
            Lock::Pem(pem) => match pem.open(passphrase.expose_secret().as_bytes()) {
                Some(text) => Identity::parse_ssh(&text).map(|identity| Some(vec![identity])),
                None => Ok(None),
            },
        }
    }
}

fn open_file(content: &[u8], passphrase: &SecretString) -> Result<Option<Vec<Identity>>, Error> {
    let decryptor = decryptor(content)?;
    let mut identity = age::scrypt::Identity::new(passphrase.clone());
    identity.set_max_work_factor(MOST_WORK);
    let opened = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity));
    let unusable = |reason| Error::UnusableProtection { reason };
    let payload = match opened {
        Ok(payload) => payload,
        Err(DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed | DecryptError::NoMatchingKeys) => {
            return Ok(None);
        }
        Err(DecryptError::ExcessiveWork { .. }) => return Err(unusable("its passphrase takes too much work")),
        Err(_) => return Err(unusable("it is damaged")),
    };
    let mut text = Zeroizing::new(Vec::with_capacity(content.len()));
    let read = payload.take(LARGEST as u64 + 1).read_to_end(&mut text);
    if read.is_err() {
        return Err(unusable("it is damaged"));
    }
    if text.len() > LARGEST {
        return Err(unusable("it is too large"));
    }
    let text = std::str::from_utf8(&text).map_err(|_| Error::UnknownIdentity { line: 1 })?;
    Identity::parse_plain(text).map(Some)
}

fn decryptor(content: &[u8]) -> Result<Decryptor<impl std::io::BufRead + use<'_>>, Error> {
    let reason = match content.len() {
        0..=LARGEST => "it is damaged",
        _ => {
            return Err(Error::UnusableProtection {
                reason: "it is too large",
            });
        }
    };
    Decryptor::new_buffered(age::armor::ArmoredReader::new(content)).map_err(|_| Error::UnusableProtection { reason })
}

/// Whether the age file `enc` may be for this SSH key, by the key's short tag; for any RSA key where it is not known.
pub(super) fn may_fit(enc: &str, public: Option<&Recipient>) -> bool {
    let probe = Probe {
        tag: public.and_then(ssh_tag),
        met: std::sync::atomic::AtomicBool::new(false),
    };
    // The probe opens nothing, so the answer is always that nothing fits, or that the file is broken.
    wrapped_key::unwrap_by(enc, &probe).ok();
    probe.met.into_inner()
}

/// The tag in the stanzas for an SSH key: the start of a hash of it.
fn ssh_tag(public: &Recipient) -> Option<(String, String)> {
    let mut words = public.text().split_whitespace();
    let (kind, key) = (words.next()?, words.next()?);
    let blob = BASE64.decode(key.as_bytes()).ok()?;
    let hash = Sha256::digest(&blob);
    Some((kind.to_owned(), BASE64_NOPAD.encode(hash.get(..4)?)))
}

struct Probe {
    tag: Option<(String, String)>,
    met: std::sync::atomic::AtomicBool,
}

impl age::Identity for Probe {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let fits = match &self.tag {
            Some((kind, tag)) => stanza.tag == *kind && stanza.args.first() == Some(tag),
            None => stanza.tag == "ssh-rsa",
        };
        if fits {
            self.met.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::crypt::scripted::Scripted;
    use crate::crypt::wrapped_key::WrappedKey;

    fn vector(name: &str) -> String {
        let all: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/vectors/unit-vectors.json")).unwrap();
        all["age"][name].as_str().unwrap().to_owned()
    }

    fn key(name: &str) -> String {
        let all: serde_json::Value = serde_json::from_str(include_str!("../../tests/vectors/keys.json")).unwrap();
        all[name].as_str().unwrap().to_owned()
    }

    /// An age file behind `passphrase`, with as little work as can be.
    fn sealed(content: &[u8], passphrase: &str) -> Vec<u8> {
        use std::io::Write as _;
        let mut recipient = age::scrypt::Recipient::new(passphrase.into());
        recipient.set_work_factor(2);
        let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient)).unwrap();
        let mut file = Vec::new();
        let mut writer = encryptor.wrap_output(&mut file).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap();
        file
    }

    fn protected(identity: &Identity) -> &Protected {
        match &identity.key {
            crate::crypt::identity::Key::Protected(protected) => protected,
            _ => panic!("not protected"),
        }
    }

    #[track_caller]
    fn opens(content: &[u8], passphrase: &'static str) -> Vec<Identity> {
        let identity = Identity::parse_file(content).unwrap().remove(0);
        let host = Scripted::default().answering(&[Ok("wrong"), Ok(""), Ok(passphrase)]);
        let identities = protected(&identity).open(&host, "S").unwrap();
        assert_eq!(
            host.heard(),
            [
                "passphrase of S, again false",
                "passphrase of S, again true",
                "passphrase of S, again true"
            ]
        );
        // Whoever comes later finds nothing new and asks nobody.
        assert!(protected(&identity).was_asked());
        assert!(protected(&identity).open(&host, "S").unwrap().is_empty());
        assert_eq!(host.heard().len(), 3);
        identities
    }

    #[test]
    fn files_that_no_passphrase_opens() {
        let case = |content: &[u8], error: Error| {
            let host = Scripted::default().answering(&[Ok("p"), Ok("p"), Ok("p"), Ok("p")]);
            let opened = Identity::parse_file(content).and_then(|all| protected(&all[0]).open(&host, "S").map(drop));
            assert_eq!(opened, Err(error));
        };
        let unusable = |reason| Error::UnusableProtection { reason };
        case(&sealed(b"x", "other"), Error::WrongPassphrase { tries: 3 });
        case(&sealed(b"nonsense", "p"), Error::UnknownIdentity { line: 1 });
        case(
            &sealed(b"# c\nAGE-SECRET-KEY-1", "p"),
            Error::InvalidIdentity { line: 2 },
        );
        case(&sealed(b"\xff", "p"), Error::UnknownIdentity { line: 1 });
        let file = sealed(b"# c", "p");
        case(&file[..file.len() - 3], unusable("it is damaged"));
        case(&file[..60], unusable("it is damaged"));
        let too_much = file.iter().position(|byte| *byte == b'\n').unwrap();
        let second = too_much + 1 + file[too_much + 1..].iter().position(|byte| *byte == b'\n').unwrap();
        let mut work = file.clone();
        work.splice(second - 1..second, *b"23");
        case(&work, unusable("its passphrase takes too much work"));
        case(b"---", Error::UnknownIdentity { line: 1 });
        let mut large = b"age-encryption.org/v1\n".to_vec();
        large.resize(LARGEST + 1, b'x');
        case(&large, unusable("it is too large"));
        let host = Scripted::default().answering(&[Err(Error::NoTerminal)]);
        let identity = Identity::parse_file(&file).unwrap().remove(0);
        assert_eq!(protected(&identity).open(&host, "S").map(drop), Err(Error::NoTerminal));
    }

    #[test]
    fn files_open() {
        let armored = vector("passphrase_protected_identity_file");
        let identity = Identity::parse_file(armored.as_bytes()).unwrap().remove(0);
        let host = Scripted::default().answering(&[Ok("passphrase")]);
        let identities = protected(&identity).open(&host, "S").unwrap();
        assert!(!identities.is_empty() && identities.iter().all(|identity| identity.public().is_some()));
        let two = format!("# c\n{}\n{}\n", vector("identity"), vector("post_quantum_identity"));
        let identities = opens(&sealed(two.as_bytes(), "pass word"), "pass word");
        assert_eq!(identities.len(), 2);
        assert_eq!(identities[0].public().unwrap().text(), vector("recipient"));
    }

    #[test]
    fn ssh_keys_open() {
        for (name, passphrase) in [("ed25519_protected", PASSPHRASE), ("rsa_pem_protected", PASSPHRASE)] {
            let identity = opens(key(name).as_bytes(), passphrase).remove(0);
            let wrapped = WrappedKey::new(b"secret", identity.public().unwrap()).unwrap();
            assert_eq!(**wrapped.unwrap(&identity).unwrap().unwrap(), *b"secret", "{name}");
        }
    }

    const PASSPHRASE: &str = "passphrase";

    #[test]
    fn only_files_for_an_ssh_key_are_worth_a_question() {
        let rsa = Recipient::parse(&key("rsa_public")).unwrap();
        let ed25519 = Recipient::parse(&vector("ssh_recipient")).unwrap();
        let native = Recipient::parse(&vector("recipient")).unwrap();
        let enc = |recipient: &Recipient| WrappedKey::new(b"x", recipient).unwrap().enc;
        let cases = [
            (enc(&rsa), Some(&rsa), true),
            (enc(&rsa), None, true),
            (enc(&rsa), Some(&ed25519), false),
            (enc(&ed25519), Some(&ed25519), true),
            (enc(&ed25519), None, false),
            (enc(&native), Some(&rsa), false),
            (String::new(), Some(&rsa), false),
        ];
        for (enc, public, fits) in cases {
            assert_eq!(may_fit(&enc, public), fits, "{public:?}");
        }
    }
}
