//! Values sealed and opened: AES-256-GCM with a 32-byte nonce, the key path as additional data (§2.1 – §2.5).
//!
//! The key schedule is worked out once per file. The empty string is never an envelope: it stays empty, unprotected.

use std::borrow::Cow;
use std::sync::LazyLock;

use aes::Aes256;
use aes_gcm::aead::array::ArraySize;
use aes_gcm::aead::consts::{U12, U16, U32};
use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{AesGcm, Nonce, Tag};
use data_encoding::{BASE64, Encoding};
use zeroize::Zeroizing;

use super::data_key::DataKey;
use super::envelope::{Envelope, IV, Kind, PREFIX, TAG, TYPE};
use super::error::{Error, Part};

const TAG_LENGTH: usize = 16;
/// Base64 characters of the longest nonce or tag that is read, with room to spare; longer ones are refused anyway.
const SHORT: usize = 64;

/// Base64 as Go decodes it: bits left over in the last character are not looked at.
static LENIENT: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = BASE64.specification();
    specification.check_trailing_bits = false;
    specification.encoding().unwrap_or(BASE64)
});

/// The cipher of one file.
pub struct Cipher {
    /// Kept beside `gcm` so that the rare other nonce lengths share its key schedule.
    aes: Aes256,
    gcm: AesGcm<Aes256, U32>,
}

impl Cipher {
    /// The cipher under `key`.
    pub fn new(key: &DataKey) -> Self {
        let aes = Aes256::new(key.as_bytes().into());
        Self {
            gcm: AesGcm::from(aes.clone()),
            aes,
        }
    }

    /// Appends the envelope of `plaintext` to `out`; an empty plaintext appends nothing.
    ///
    /// `aad` is the key path with a `:` after each key. A `nonce` must never serve two different plaintexts or paths.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`] above 64 GiB; then `out` is as it was.
    pub fn seal(
        &self,
        kind: Kind,
        plaintext: &[u8],
        aad: &[u8],
        nonce: &[u8; 32],
        out: &mut String,
    ) -> Result<(), Error> {
        if plaintext.is_empty() {
            return Ok(());
        }
        let mut data = plaintext.to_vec();
        let sealed = self
            .gcm
            .encrypt_inout_detached(nonce.into(), aad, data.as_mut_slice().into());
        let tag = sealed.map_err(|_| Error::ValueTooLong)?;
        out.reserve(PREFIX.len() + BASE64.encode_len(data.len()) + 100);
        out.push_str(PREFIX);
        BASE64.encode_append(&data, out);
        out.push_str(IV);
        BASE64.encode_append(nonce, out);
        out.push_str(TAG);
        BASE64.encode_append(&tag, out);
        out.push_str(TYPE);
        out.push_str(kind.word());
        out.push(']');
        Ok(())
    }

    /// The kind and plaintext of an envelope that was sealed under this key and `aad`.
    ///
    /// Nonces of 32 bytes are what SOPS writes; 16 and 12 are read too.
    ///
    /// # Errors
    /// [`Error::UnknownKind`], [`Error::NotBase64`], [`Error::NonceLength`] and [`Error::TagLength`] for a malformed
    /// envelope, [`Error::ValueNotAuthentic`] for one that was changed or belongs elsewhere.
    pub fn open(&self, envelope: &Envelope, aad: &[u8]) -> Result<(Kind, Zeroizing<Vec<u8>>), Error> {
        let kind = Kind::from_word(envelope.kind_word)?;
        let (mut iv_buffer, mut tag_buffer) = ([0; SHORT], [0; SHORT]);
        let iv = decode_short(envelope.iv, Part::Iv, &mut iv_buffer)?;
        let tag = decode_short(envelope.tag, Part::Tag, &mut tag_buffer)?;
        let tag: [u8; TAG_LENGTH] = tag.try_into().map_err(|_| Error::TagLength { found: tag.len() })?;
        // What is decoded becomes the plaintext in place, so it is wiped like one.
        let mut data = Zeroizing::new(decode(envelope.data, Part::Data)?);
        match iv.len() {
            32 => open_in_place(&self.gcm, iv, aad, &mut data, tag),
            16 => open_in_place(&AesGcm::<_, U16>::from(self.aes.clone()), iv, aad, &mut data, tag),
            12 => open_in_place(&AesGcm::<_, U12>::from(self.aes.clone()), iv, aad, &mut data, tag),
            found => Err(Error::NonceLength { found }),
        }?;
        Ok((kind, data))
    }
}

fn open_in_place<N: ArraySize>(
    gcm: &AesGcm<Aes256, N>,
    nonce: &[u8],
    aad: &[u8],
    data: &mut [u8],
    tag: [u8; TAG_LENGTH],
) -> Result<(), Error> {
    let nonce: Nonce<N> = nonce
        .try_into()
        .map_err(|_| Error::NonceLength { found: nonce.len() })?;
    gcm.decrypt_inout_detached(&nonce, aad, data.into(), &Tag::from(tag))
        .map_err(|_| Error::ValueNotAuthentic)
}

/// The text as Go's decoder reads it: line breaks anywhere are skipped.
fn unbroken(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if bytes.contains(&b'\n') || bytes.contains(&b'\r') {
        bytes
            .iter()
            .copied()
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .collect()
    } else {
        Cow::Borrowed(bytes)
    }
}

fn decode(text: &str, part: Part) -> Result<Vec<u8>, Error> {
    let text = unbroken(text);
    let mut decoded = vec![0; text.len() / 4 * 3];
    let length = decode_into(&text, part, &mut decoded)?;
    decoded.truncate(length);
    Ok(decoded)
}

/// Like [`decode`], without an allocation for what a nonce or a tag needs.
fn decode_short<'b>(text: &str, part: Part, buffer: &'b mut [u8; SHORT]) -> Result<&'b [u8], Error> {
    let text = unbroken(text);
    let room = buffer
        .get_mut(..text.len() / 4 * 3)
        .ok_or_else(|| too_long(part, text.len()))?;
    let length = decode_into(&text, part, room)?;
    buffer.get(..length).ok_or(Error::NotBase64 { part })
}

/// The refusal of a nonce or tag of so many base64 characters; its length in bytes is near enough.
fn too_long(part: Part, characters: usize) -> Error {
    let found = characters / 4 * 3;
    if part == Part::Tag {
        Error::TagLength { found }
    } else {
        Error::NonceLength { found }
    }
}

/// Decodes into `out`, which must have three bytes for every four characters; gives the length that was used.
fn decode_into(text: &[u8], part: Part, out: &mut [u8]) -> Result<usize, Error> {
    // The codec takes padded pieces one after the other for one text; Go allows padding at the end only.
    let padding_inside = text[..text.len().saturating_sub(2)].contains(&b'=');
    if !text.len().is_multiple_of(4) || padding_inside {
        return Err(Error::NotBase64 { part });
    }
    LENIENT.decode_mut(text, out).map_err(|_| Error::NotBase64 { part })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use data_encoding::HEXLOWER;

    use super::*;

    const NONCE: [u8; 32] = [9; 32];

    fn cipher() -> Cipher {
        Cipher::new(&DataKey::from_bytes(&[7; 32]).unwrap())
    }

    fn sealed(plaintext: &[u8], aad: &[u8]) -> String {
        let mut out = String::new();
        cipher().seal(Kind::Str, plaintext, aad, &NONCE, &mut out).unwrap();
        out
    }

    fn open(text: &str, aad: &[u8]) -> Result<Vec<u8>, Error> {
        cipher()
            .open(&Envelope::parse(text).unwrap(), aad)
            .map(|(_, plaintext)| plaintext.to_vec())
    }

    #[test]
    fn every_changed_part_is_refused() {
        let text = sealed(b"hello", b"a:");
        let envelope = Envelope::parse(&text).unwrap();
        let cases = [
            (
                Envelope {
                    data: "AAAAAAA=",
                    ..envelope
                },
                Error::ValueNotAuthentic,
            ),
            (
                Envelope {
                    iv: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                    ..envelope
                },
                Error::ValueNotAuthentic,
            ),
            (
                Envelope {
                    iv: "AAAAAAAAAAAAAAAAAAAAAA==",
                    ..envelope
                },
                Error::ValueNotAuthentic,
            ),
            (
                Envelope {
                    iv: "AAAAAAAAAAAAAAAA",
                    ..envelope
                },
                Error::ValueNotAuthentic,
            ),
            (Envelope { iv: "AAAA", ..envelope }, Error::NonceLength { found: 3 }),
            (
                Envelope {
                    tag: "AAAAAAAAAAAAAAAAAAAAAA==",
                    ..envelope
                },
                Error::ValueNotAuthentic,
            ),
            (
                Envelope {
                    tag: "AAAA",
                    ..envelope
                },
                Error::TagLength { found: 3 },
            ),
            (
                Envelope {
                    tag: &"AAAA".repeat(99),
                    ..envelope
                },
                Error::TagLength { found: 297 },
            ),
            (
                Envelope {
                    iv: &"AAAA".repeat(99),
                    ..envelope
                },
                Error::NonceLength { found: 297 },
            ),
            (
                Envelope {
                    kind_word: "strr",
                    ..envelope
                },
                Error::UnknownKind { word: "strr".into() },
            ),
        ];
        for (changed, error) in cases {
            assert_eq!(cipher().open(&changed, b"a:").unwrap_err(), error, "{changed:?}");
        }
        assert_eq!(open(&text, b"b:"), Err(Error::ValueNotAuthentic));
        let other = Cipher::new(&DataKey::from_bytes(&[8; 32]).unwrap());
        assert_eq!(other.open(&envelope, b"a:").unwrap_err(), Error::ValueNotAuthentic);
    }

    #[test]
    fn base64_as_go_reads_it() {
        let refused = [
            "A", "AA", "AAA", "AA=A", "AA==AA==", "AAA=AAA=", "A===", "====", "AAAAA", "AA A", "A-_A", "AAAÄ",
        ];
        for text in refused {
            assert_eq!(
                decode(text, Part::Data),
                Err(Error::NotBase64 { part: Part::Data }),
                "{text}"
            );
        }
        let read: [(&str, &[u8]); 6] = [
            ("", b""),
            ("aGk=", b"hi"),
            ("aGl=", b"hi"),
            ("\r\naG\nk\r=\n", b"hi"),
            ("aGV5", b"hey"),
            ("a+/=", &[0x6b, 0xef]),
        ];
        for (text, bytes) in read {
            assert_eq!(decode(text, Part::Data).unwrap(), bytes, "{text:?}");
            assert_eq!(
                decode_short(text, Part::Iv, &mut [0; SHORT]).unwrap(),
                bytes,
                "{text:?}"
            );
        }
    }

    #[test]
    fn vectors() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/vectors/unit-vectors.json")).unwrap();
        let mut counts = [0; 3];
        for vector in vectors["cipher"].as_array().unwrap() {
            let field = |name: &str| vector[name].as_str().unwrap_or_default();
            let key = HEXLOWER.decode(field("key_hex").as_bytes()).unwrap();
            let cipher = Cipher::new(&DataKey::from_bytes(&key).unwrap());
            let (text, aad) = (field("enc"), field("aad").as_bytes());
            let Some(envelope) = Envelope::parse(text) else {
                assert_eq!((text, field("plaintext")), ("", ""));
                continue;
            };
            let opened = cipher.open(&envelope, aad);
            if vector["must_fail"].as_bool() == Some(true) {
                assert_eq!(opened.unwrap_err(), Error::ValueNotAuthentic);
                counts[0] += 1;
                continue;
            }
            let (kind, plaintext) = opened.unwrap();
            assert_eq!(
                (kind.word(), plaintext.as_slice()),
                (field("type"), field("plaintext").as_bytes())
            );
            counts[1] += 1;
            let nonce: [u8; 32] = BASE64.decode(envelope.iv.as_bytes()).unwrap().try_into().unwrap();
            let mut out = String::from("before ");
            cipher.seal(kind, &plaintext, aad, &nonce, &mut out).unwrap();
            assert_eq!(out, format!("before {text}"));
            counts[2] += 1;
        }
        assert!(counts[0] >= 1 && counts[1] >= 16 && counts[2] >= 16, "{counts:?}");
    }

    #[test]
    fn the_sealed_mac_of_the_vectors() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/vectors/unit-vectors.json")).unwrap();
        let vector = vectors["mac"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["mac_field"].is_string())
            .unwrap();
        let key = HEXLOWER.decode(vector["key_hex"].as_str().unwrap().as_bytes()).unwrap();
        let cipher = Cipher::new(&DataKey::from_bytes(&key).unwrap());
        let envelope = Envelope::parse(vector["mac_field"].as_str().unwrap()).unwrap();
        let (_, digest) = cipher
            .open(&envelope, vector["aad"].as_str().unwrap().as_bytes())
            .unwrap();
        assert_eq!(*digest, vector["mac"].as_str().unwrap().as_bytes());
    }

    #[test]
    fn shorter_nonces_are_read() {
        let key = Aes256::new(&[7; 32].into());
        let mut data = *b"hello";
        let tag = AesGcm::<_, U12>::from(key.clone())
            .encrypt_inout_detached(&[9; 12].into(), b"a:", data.as_mut_slice().into())
            .unwrap();
        let text = |data: &[u8], iv: &[u8], tag: &[u8]| {
            let [data, iv, tag] = [data, iv, tag].map(|part| BASE64.encode(part));
            format!("ENC[AES256_GCM,data:{data},iv:{iv},tag:{tag},type:str]")
        };
        assert_eq!(open(&text(&data, &[9; 12], &tag), b"a:").unwrap(), b"hello");
        let mut data = *b"hello";
        let tag = AesGcm::<_, U16>::from(key)
            .encrypt_inout_detached(&[9; 16].into(), b"a:", data.as_mut_slice().into())
            .unwrap();
        assert_eq!(open(&text(&data, &[9; 16], &tag), b"a:").unwrap(), b"hello");
    }

    #[test]
    fn round_trips() {
        assert_eq!(sealed(b"", b"a:"), "");
        // The ciphertext and tag of an independent implementation for this key, nonce and path.
        let expected = HEXLOWER.decode(b"efb58bb5c14a9de00bcaa9a845a1d3fd10c9bbfbda").unwrap();
        let text = sealed(b"hello", b"a:b:");
        let envelope = Envelope::parse(&text).unwrap();
        assert_eq!(envelope.data, BASE64.encode(&expected[..5]));
        assert_eq!(envelope.tag, BASE64.encode(&expected[5..]));
        for length in [1, 2, 3, 15, 16, 17, 255, 256, 70_000] {
            let plaintext: Vec<u8> = (0..length).map(|index| u8::try_from(index % 251).unwrap()).collect();
            assert_eq!(open(&sealed(&plaintext, b"k:"), b"k:").unwrap(), plaintext);
        }
    }
}
