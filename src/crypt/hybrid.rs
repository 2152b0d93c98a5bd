//! Post-quantum recipients and identities: age's stanza `mlkem768x25519`, which the age library doesn't have.
//!
//! HPKE in base mode (RFC 9180) over the hybrid key encapsulation X-Wing (ML-KEM-768 and X25519), HKDF-SHA256 and
//! ChaCha20-Poly1305; no additional data.

use std::collections::HashSet;
use std::{fmt, io};

use age::{DecryptError, EncryptError};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::primitives::{bech32_decode, bech32_encode};
use age_core::secrecy::{ExposeSecret as _, SecretString};
use bech32::Hrp;
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use data_encoding::BASE64_NOPAD;
use hkdf::{Hkdf, HkdfExtract};
use ml_kem::kem::Decapsulate as _;
use ml_kem::{B32, EncapsulateDeterministic as _, EncodedSizeUser as _, KemCore, MlKem768};
use sha2_10::Sha256;
use sha3::digest::{Digest as _, ExtendableOutput as _, Update as _, XofReader as _};
use sha3::{Sha3_256, Shake256};
use x25519_dalek::{PublicKey as X25519Public, StaticSecret};
use zeroize::Zeroizing;

const STANZA_TAG: &str = "mlkem768x25519";
/// Keeps the stanza from sharing a file with recipients that a quantum computer can break.
const LABEL: &str = "postquantum";
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
/// Key encapsulation 0x647A, derivation 0x0001, encryption 0x0003.
const SUITE: &[u8] = b"HPKE\x64\x7a\x00\x01\x00\x03";
/// Sets X-Wing's use of SHA3 apart from all others.
const X_WING: &[u8] = br"\.//^\";

const SEED_BYTES: usize = 32;
const MLKEM_PUBLIC_BYTES: usize = 1184;
const MLKEM_SEALED_BYTES: usize = 1088;
const X25519_BYTES: usize = 32;
const PUBLIC_BYTES: usize = MLKEM_PUBLIC_BYTES + X25519_BYTES;
const SEALED_BYTES: usize = MLKEM_SEALED_BYTES + X25519_BYTES;
const AEAD_TAG_BYTES: usize = 16;

type Decapsulation = <MlKem768 as KemCore>::DecapsulationKey;
type Encapsulation = <MlKem768 as KemCore>::EncapsulationKey;
type Secret = Zeroizing<[u8; 32]>;

const PUBLIC_PREFIX: Hrp = Hrp::parse_unchecked("age1pq");
const SECRET_PREFIX: Hrp = Hrp::parse_unchecked("AGE-SECRET-KEY-PQ-");

/// A secret key, kept as its seed.
pub(super) struct SecretKey(Zeroizing<[u8; SEED_BYTES]>);

/// A public key.
#[derive(Clone)]
pub(super) struct PublicKey {
    mlkem: Encapsulation,
    x25519: X25519Public,
}

impl SecretKey {
    /// The key that `text` (`AGE-SECRET-KEY-PQ-1…`) encodes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(decode(text, SECRET_PREFIX)?);
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    /// A new key; `None` without random bytes.
    pub(super) fn generate() -> Option<Self> {
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        getrandom::fill(seed.as_mut_slice()).ok()?;
        Some(Self(seed))
    }

    /// As [`SecretKey::parse`] reads it.
    pub(super) fn text(&self) -> SecretString {
        let lower = Zeroizing::new(bech32_encode(SECRET_PREFIX, self.0.as_slice()));
        lower.to_ascii_uppercase().into()
    }

    /// The public key to it.
    pub(super) fn public(&self) -> PublicKey {
        let (mlkem, x25519) = self.expand();
        PublicKey {
            mlkem: mlkem.encapsulation_key().clone(),
            x25519: (&x25519).into(),
        }
    }

    /// The two secret keys that the seed stands for.
    fn expand(&self) -> (Decapsulation, StaticSecret) {
        let mut reader = Shake256::default().chain(self.0.as_slice()).finalize_xof();
        let mut draw = || {
            let mut bytes = Zeroizing::new([0; 32]);
            reader.read(bytes.as_mut_slice());
            bytes
        };
        let (d, z, x25519) = (draw(), draw(), draw());
        let (mlkem, _) = MlKem768::generate_deterministic(&B32::from(*d), &B32::from(*z));
        (mlkem, StaticSecret::from(*x25519))
    }

    /// The shared secret in `sealed`; `None` if its X25519 share would make that half known to everyone.
    fn decapsulate(&self, sealed: &[u8; SEALED_BYTES]) -> Option<Secret> {
        let (mlkem_sealed, share) = sealed.split_first_chunk::<MLKEM_SEALED_BYTES>()?;
        let share: [u8; X25519_BYTES] = share.try_into().ok()?;
        let (mlkem, x25519) = self.expand();
        let mlkem_secret = Zeroizing::new(mlkem.decapsulate(&(*mlkem_sealed).into()).ok()?.0);
        let x25519_secret = x25519.diffie_hellman(&share.into());
        let public = X25519Public::from(&x25519);
        let contributory = x25519_secret.was_contributory();
        contributory.then(|| combine(&mlkem_secret, x25519_secret.as_bytes(), &share, public.as_bytes()))
    }
}

impl PublicKey {
    /// The key that `text` (`age1pq1…`) encodes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; PUBLIC_BYTES] = decode(text, PUBLIC_PREFIX)?.try_into().ok()?;
        let (mlkem_bytes, x25519) = bytes.split_first_chunk::<MLKEM_PUBLIC_BYTES>()?;
        let mlkem = Encapsulation::from_bytes(&(*mlkem_bytes).into());
        // FIPS 203 demands numbers below the modulus; the library reduces larger ones silently.
        let canonical = mlkem.as_bytes().as_slice() == mlkem_bytes;
        let x25519: [u8; X25519_BYTES] = x25519.try_into().ok()?;
        canonical.then(|| Self {
            mlkem,
            x25519: x25519.into(),
        })
    }

    /// A new shared secret and the text that carries it to the key's owner.
    fn encapsulate(&self) -> Option<(Secret, Vec<u8>)> {
        let mut random = Zeroizing::new([0; SEED_BYTES + X25519_BYTES]);
        getrandom::fill(random.as_mut_slice()).ok()?;
        let (for_mlkem, for_x25519) = random.split_first_chunk::<SEED_BYTES>()?;
        let for_x25519: [u8; X25519_BYTES] = for_x25519.try_into().ok()?;
        let (mlkem_sealed, mlkem_secret) = self.mlkem.encapsulate_deterministic(&B32::from(*for_mlkem)).ok()?;
        let ephemeral = StaticSecret::from(for_x25519);
        let x25519_secret = ephemeral.diffie_hellman(&self.x25519);
        if !x25519_secret.was_contributory() {
            return None;
        }
        let share = X25519Public::from(&ephemeral);
        let mlkem_secret = Zeroizing::new(mlkem_secret.0);
        let secret = combine(
            &mlkem_secret,
            x25519_secret.as_bytes(),
            share.as_bytes(),
            self.x25519.as_bytes(),
        );
        Some((secret, [mlkem_sealed.as_slice(), share.as_bytes()].concat()))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.mlkem.as_bytes().as_slice(), self.x25519.as_bytes()].concat();
        f.write_str(&bech32_encode(PUBLIC_PREFIX, &bytes))
    }
}

impl age::Identity for SecretKey {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != STANZA_TAG {
            return None;
        }
        let [argument] = stanza.args.as_slice() else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        let sealed = BASE64_NOPAD.decode(argument.as_bytes()).ok();
        let sealed: Option<[u8; SEALED_BYTES]> = sealed.and_then(|bytes| bytes.try_into().ok());
        if stanza.body.len() != FILE_KEY_BYTES + AEAD_TAG_BYTES {
            return Some(Err(DecryptError::InvalidHeader));
        }
        let Some(secret) = sealed.and_then(|sealed| self.decapsulate(&sealed)) else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        // Nothing in the stanza tells whose it is, so a failure only means: not this key's.
        let (aead, nonce) = key_schedule(&secret)?;
        let opened = Zeroizing::new(aead.decrypt(&nonce.into(), stanza.body.as_slice()).ok()?);
        let file_key: Zeroizing<[u8; FILE_KEY_BYTES]> = Zeroizing::new(opened.as_slice().try_into().ok()?);
        Some(Ok(FileKey::init_with_mut(|key| *key = *file_key)))
    }
}

impl age::Recipient for PublicKey {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let wrapped = self.encapsulate().and_then(|(secret, sealed)| {
            let (aead, nonce) = key_schedule(&secret)?;
            let body = aead.encrypt(&nonce.into(), file_key.expose_secret().as_slice()).ok()?;
            Some(Stanza {
                tag: STANZA_TAG.into(),
                args: vec![BASE64_NOPAD.encode(&sealed)],
                body,
            })
        });
        let stanza = wrapped.ok_or_else(|| EncryptError::Io(io::ErrorKind::InvalidInput.into()))?;
        Ok((vec![stanza], HashSet::from([LABEL.to_owned()])))
    }
}

/// X-Wing's combiner: both secrets, and the X25519 half of what was sent and to whom.
fn combine(mlkem: &[u8; 32], x25519: &[u8; 32], share: &[u8; 32], public: &[u8; 32]) -> Secret {
    let hash = [mlkem.as_slice(), x25519, share, public, X_WING]
        .into_iter()
        .fold(Sha3_256::new(), sha3::digest::Digest::chain_update);
    Zeroizing::new(hash.finalize().into())
}

/// HPKE's key schedule for base mode, and the nonce of its first message. `None` can't occur: the lengths are fixed.
fn key_schedule(secret: &Secret) -> Option<(ChaCha20Poly1305, [u8; 12])> {
    let context = [
        &[0],
        extract(&[], b"psk_id_hash", &[]).0.as_slice(),
        &extract(&[], b"info_hash", INFO).0,
    ]
    .concat();
    let (_, derived) = extract(secret.as_slice(), b"secret", &[]);
    let (mut key, mut nonce) = (Zeroizing::new([0; 32]), [0; 12]);
    expand(&derived, b"key", &context, key.as_mut_slice())?;
    expand(&derived, b"base_nonce", &context, &mut nonce)?;
    Some((ChaCha20Poly1305::new(key.as_slice().into()), nonce))
}

fn extract(salt: &[u8], label: &[u8], input: &[u8]) -> ([u8; 32], Hkdf<Sha256>) {
    let mut extract = HkdfExtract::<Sha256>::new(Some(salt));
    for piece in [b"HPKE-v1", SUITE, label, input] {
        extract.input_ikm(piece);
    }
    let (bytes, derived) = extract.finalize();
    (bytes.into(), derived)
}

fn expand(derived: &Hkdf<Sha256>, label: &[u8], context: &[u8], out: &mut [u8]) -> Option<()> {
    let length = u16::try_from(out.len()).ok()?.to_be_bytes();
    derived
        .expand_multi_info(&[&length, b"HPKE-v1", SUITE, label, context], out)
        .ok()
}

fn decode(text: &str, prefix: Hrp) -> Option<Vec<u8>> {
    let right = |found: Hrp| if found == prefix { Ok(()) } else { Err(()) };
    bech32_decode(text, |_| (), right, |_, bytes| Ok(bytes.collect())).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use age::{Identity as _, Recipient as _};

    use super::*;
    use crate::crypt::cipher::Cipher;
    use crate::crypt::data_key::DataKey;
    use crate::crypt::envelope::Envelope;
    use crate::crypt::identity::Identity;
    use crate::crypt::wrapped_key::WrappedKey;

    fn vector(name: &str) -> String {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/vectors/unit-vectors.json")).unwrap();
        vectors["age"][name].as_str().unwrap().to_owned()
    }

    fn key() -> SecretKey {
        SecretKey::parse(&vector("post_quantum_identity")).unwrap()
    }

    fn file_key() -> FileKey {
        FileKey::new(Box::new([7; FILE_KEY_BYTES]))
    }

    fn stanza_for(key: &PublicKey) -> Stanza {
        key.wrap_file_key(&file_key()).unwrap().0.remove(0)
    }

    #[test]
    fn keys_that_are_refused() {
        let public = vector("post_quantum_recipient");
        let bytes = decode(&public, PUBLIC_PREFIX).unwrap();
        let mut beyond_modulus = bytes.clone();
        beyond_modulus[..3].fill(0xff);
        let refused = [
            public[..1900].to_owned(),
            public.replacen('4', "5", 1),
            vector("recipient"),
            bech32_encode(PUBLIC_PREFIX, &bytes[1..]),
            bech32_encode(PUBLIC_PREFIX, &beyond_modulus),
        ];
        for text in refused {
            assert!(PublicKey::parse(&text).is_none(), "{text}");
        }
        let secrets = [
            vector("identity"),
            bech32_encode(SECRET_PREFIX, &[7; 31]),
            bech32_encode(SECRET_PREFIX, &[7; 33]),
        ];
        for text in secrets {
            assert!(SecretKey::parse(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn malformed_stanzas_are_errors() {
        let key = key();
        let sound = stanza_for(&key.public());
        let argument = sound.args[0].clone();
        let mut zero_share = BASE64_NOPAD.decode(argument.as_bytes()).unwrap();
        zero_share[MLKEM_SEALED_BYTES..].fill(0);
        let malformed: [(Vec<String>, usize); 6] = [
            (vec![], 32),
            (vec![argument.clone(), "x".into()], 32),
            (vec![argument[..1000].to_owned()], 32),
            (vec![argument.clone() + "="], 32),
            (vec![BASE64_NOPAD.encode(&zero_share)], 32),
            (vec![argument.clone()], 31),
        ];
        for (args, body) in malformed {
            let stanza = Stanza {
                tag: STANZA_TAG.into(),
                args,
                body: sound.body[..body].to_vec(),
            };
            assert!(
                matches!(key.unwrap_stanza(&stanza), Some(Err(DecryptError::InvalidHeader))),
                "{stanza:?}"
            );
        }
    }

    #[test]
    fn what_is_not_ours_is_no_error() {
        let key = key();
        let other = SecretKey(Zeroizing::new([7; SEED_BYTES]));
        assert!(key.unwrap_stanza(&stanza_for(&other.public())).is_none());
        let mut damaged = stanza_for(&key.public());
        damaged.body[0] ^= 1;
        assert!(key.unwrap_stanza(&damaged).is_none());
        let foreign = Stanza {
            tag: "X25519".into(),
            ..stanza_for(&key.public())
        };
        assert!(key.unwrap_stanza(&foreign).is_none());
    }

    #[test]
    fn a_low_order_recipient_is_refused() {
        let public = PublicKey {
            x25519: [0; 32].into(),
            ..key().public()
        };
        assert!(public.wrap_file_key(&file_key()).is_err());
    }

    #[test]
    fn round_trip() {
        let key = key();
        assert_eq!(key.public().to_string(), vector("post_quantum_recipient"));
        let (stanzas, labels) = key.public().wrap_file_key(&file_key()).unwrap();
        assert_eq!(labels, HashSet::from(["postquantum".to_owned()]));
        let opened = key.unwrap_stanza(&stanzas[0]).unwrap().unwrap();
        assert_eq!(opened.expose_secret(), file_key().expose_secret());
    }

    #[test]
    fn opens_what_sops_wrapped() {
        let keys: serde_json::Value = serde_json::from_str(include_str!("../../tests/vectors/keys.json")).unwrap();
        let field = |name: &str| keys[name].as_str().unwrap();
        let identity = Identity::parse(&vector("post_quantum_identity")).unwrap();
        let wrapped = WrappedKey {
            recipient: String::new(),
            enc: field("hybrid_enc").into(),
        };
        let data_key = DataKey::from_bytes(&wrapped.unwrap(&identity).unwrap().unwrap()).unwrap();
        let envelope = Envelope::parse(field("hybrid_value")).unwrap();
        let (_, value) = Cipher::new(&data_key)
            .open(&envelope, field("hybrid_aad").as_bytes())
            .unwrap();
        assert_eq!(*value, b"first");
    }
}
