//! RSA keys behind a passphrase in the form that OpenSSH wrote before its own: PEM with the headers `Proc-Type` and `DEK-Info`.
//!
//! The cipher is AES in CBC mode, its key one or two MD5 hashes of passphrase and nonce. Nothing tells a wrong passphrase but padding
//! and content that make no sense.

use aes::cipher::consts::U16;
use aes::cipher::{BlockCipherDecrypt, BlockSizeUser, KeyInit as _};
use aes::{Aes128, Aes192, Aes256};
use data_encoding::{BASE64, HEXUPPER_PERMISSIVE};
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use super::error::Error;

const BLOCK: usize = 16;
const BEGIN: &str = "-----BEGIN RSA PRIVATE KEY-----";
const END: &str = "-----END RSA PRIVATE KEY-----";

/// A protected key.
pub(super) struct LegacyPem {
    cipher: Cipher,
    nonce: [u8; BLOCK],
    sealed: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
}

impl LegacyPem {
    /// The protected key in `text`, whose lines end in LF; `None` if it is something else.
    ///
    /// # Errors
    /// [`Error::UnusableProtection`] for another cipher or a broken file.
    pub(super) fn parse(text: &str) -> Option<Result<Self, Error>> {
        let body = text.trim().strip_prefix(BEGIN)?.trim_start();
        let (headers, body) = body.split_once("\n\n")?;
        headers.starts_with("Proc-Type: 4,ENCRYPTED").then(|| {
            let unusable = |reason| Error::UnusableProtection { reason };
            let info = headers.lines().find_map(|line| line.strip_prefix("DEK-Info: "));
            let (cipher, nonce) = info
                .and_then(|info| info.split_once(','))
                .ok_or(unusable("it is damaged"))?;
            let cipher = match cipher {
                "AES-128-CBC" => Cipher::Aes128,
                "AES-192-CBC" => Cipher::Aes192,
                "AES-256-CBC" => Cipher::Aes256,
                _ => return Err(unusable("its cipher is none of AES; `ssh-keygen -p` writes it anew")),
            };
            let nonce = HEXUPPER_PERMISSIVE.decode(nonce.trim().as_bytes()).ok();
            let nonce = nonce.and_then(|nonce| <[u8; BLOCK]>::try_from(nonce).ok());
            let letters: String = body.split(END).next().unwrap_or_default().split_whitespace().collect();
            let sealed = BASE64.decode(letters.as_bytes()).ok();
            let sealed = sealed.filter(|sealed| !sealed.is_empty() && sealed.len() % BLOCK == 0);
            let (Some(nonce), Some(sealed)) = (nonce, sealed) else {
                return Err(unusable("it is damaged"));
            };
            Ok(Self { cipher, nonce, sealed })
        })
    }

    /// The key as unprotected PEM; `None` if the passphrase is wrong.
    pub(super) fn open(&self, passphrase: &[u8]) -> Option<Zeroizing<String>> {
        let key = self.key(passphrase)?;
        let plain = match self.cipher {
            Cipher::Aes128 => self.decrypt(&Aes128::new_from_slice(key.get(..16)?).ok()?),
            Cipher::Aes192 => self.decrypt(&Aes192::new_from_slice(key.get(..24)?).ok()?),
            Cipher::Aes256 => self.decrypt(&Aes256::new_from_slice(key.as_slice()).ok()?),
        };
        let padding = usize::from(*plain.last()?);
        let content = plain.get(..plain.len().checked_sub(padding)?)?;
        let padded =
            (1..=BLOCK).contains(&padding) && plain.iter().rev().take(padding).all(|b| usize::from(*b) == padding);
        // A wrong passphrase gets so far once in 256 tries; then what it gives is no sequence of its own length.
        let sequence = match content {
            [0x30, 0x82, high, low, rest @ ..] => usize::from(u16::from_be_bytes([*high, *low])) == rest.len(),
            _ => false,
        };
        if !padded || !sequence {
            return None;
        }
        let letters = Zeroizing::new(BASE64.encode(content));
        let mut text = Zeroizing::new(format!("{BEGIN}\n"));
        for line in letters.as_bytes().chunks(64) {
            text.push_str(std::str::from_utf8(line).ok()?);
            text.push('\n');
        }
        text.push_str(END);
        text.push('\n');
        Some(text)
    }

    /// The cipher's key: OpenSSL's derivation with one round of MD5.
    fn key(&self, passphrase: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let salt = self.nonce.get(..8)?;
        let mut key = Zeroizing::new([0; 32]);
        let first = Md5::new().chain_update(passphrase).chain_update(salt).finalize();
        let second = Md5::new()
            .chain_update(first)
            .chain_update(passphrase)
            .chain_update(salt)
            .finalize();
        let (head, tail) = key.split_at_mut(16);
        head.copy_from_slice(&first);
        tail.copy_from_slice(&second);
        Some(key)
    }

    fn decrypt<C: BlockCipherDecrypt + BlockSizeUser<BlockSize = U16>>(&self, cipher: &C) -> Zeroizing<Vec<u8>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(self.sealed.len()));
        let mut before = self.nonce;
        for sealed in self.sealed.as_chunks::<BLOCK>().0 {
            let mut block = (*sealed).into();
            cipher.decrypt_block(&mut block);
            plain.extend(block.iter().zip(before).map(|(byte, mask)| byte ^ mask));
            before = *sealed;
        }
        plain
    }
}
