//! A value that is never printed: keys, tokens, passwords; and the seal that it is kept under.
//!
//! A sealed value is AES-256-GCM with a nonce of its own and the identity of the row
//! that holds it as associated data: moved to another row it does not open. Which
//! key it was sealed under is told by a fingerprint, so that a wrong key is not
//! taken for a damaged row.

use std::fmt;

use aes_gcm::{
    Aes256Gcm, Key, KeyInit,
    aead::{Aead, Payload},
};
use alloy::{hex, primitives::keccak256};

/// A value whose `Debug` says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one who must use it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing to keep.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What secrets are kept under at rest: 256 bits.
#[derive(Clone)]
pub struct SealingKey {
    cipher: Aes256Gcm,
    fingerprint: String,
}

/// A secret as it may lie about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Which key opens it.
    pub fingerprint: String,
    /// Used once.
    pub nonce: [u8; 12],
    /// With its tag.
    pub ciphertext: Vec<u8>,
}

/// Why a seal does not open, or none was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key's text is none.
    #[error("the key is not 64 hex digits")]
    NotAKey,
    /// It was sealed under another key.
    #[error("it was sealed under the key {sealed}, and the one given is {given}")]
    AnotherKey {
        /// The fingerprint of the key that it was sealed under.
        sealed: String,
        /// The fingerprint of the one given.
        given: String,
    },
    /// The key is the right one, and what it was to open is not what it sealed.
    #[error("what was sealed for {identity} is damaged, or was sealed for something else")]
    Damaged {
        /// What it was to be of.
        identity: String,
    },
}

impl SealingKey {
    /// Reads 64 hex digits.
    ///
    /// # Errors
    ///
    /// They are not. Stop.
    pub fn parse(text: &Secret) -> Result<Self, SealError> {
        let bytes: [u8; 32] = hex::decode_to_array(text.expose().trim()).map_err(|_| SealError::NotAKey)?;
        let named = keccak256([b"the fingerprint of a sealing key: ".as_slice(), &bytes].concat());
        let fingerprint = named.to_string().chars().skip(2).take(8).collect();
        Ok(Self { cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::from(bytes)), fingerprint })
    }

    /// What it goes by: says nothing of what it is.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Seals a secret for `identity`.
    ///
    /// # Errors
    ///
    /// It is longer than anything that can be sealed. Stop.
    pub fn seal(&self, secret: &Secret, identity: &str) -> Result<Sealed, SealError> {
        let nonce: [u8; 12] = rand::random();
        let payload = Payload { msg: secret.expose().as_bytes(), aad: identity.as_bytes() };
        let ciphertext = self.cipher.encrypt(&nonce.into(), payload);
        let ciphertext = ciphertext.map_err(|_| SealError::Damaged { identity: identity.to_owned() })?;
        Ok(Sealed { fingerprint: self.fingerprint.clone(), nonce, ciphertext })
    }

    /// Opens what was sealed for `identity`.
    ///
    /// # Errors
    ///
    /// It was sealed under another key, for something else, or is damaged. Stop.
    pub fn open(&self, sealed: &Sealed, identity: &str) -> Result<Secret, SealError> {
        if sealed.fingerprint != self.fingerprint {
            let (sealed, given) = (sealed.fingerprint.clone(), self.fingerprint.clone());
            return Err(SealError::AnotherKey { sealed, given });
        }
        let payload = Payload { msg: &sealed.ciphertext, aad: identity.as_bytes() };
        let opened = self.cipher.decrypt(&sealed.nonce.into(), payload).ok();
        let text = opened.and_then(|bytes| String::from_utf8(bytes).ok());
        text.map(Secret).ok_or_else(|| SealError::Damaged { identity: identity.to_owned() })
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[key {}]", self.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: char) -> SealingKey {
        SealingKey::parse(&Secret::new(digit.to_string().repeat(64))).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_for_its_identity_alone() {
        let secret = Secret::new("refresh token");
        let sealed = key('a').seal(&secret, "credential/schwab").unwrap();
        assert_eq!(key('a').open(&sealed, "credential/schwab"), Ok(secret));
        let elsewhere = key('a').open(&sealed, "credential/other");
        assert_eq!(elsewhere, Err(SealError::Damaged { identity: "credential/other".to_owned() }));
    }

    #[test]
    fn a_wrong_key_is_told_from_a_damaged_row() {
        let mut sealed = key('a').seal(&Secret::new("x"), "row").unwrap();
        let error = key('b').open(&sealed, "row").unwrap_err().to_string();
        assert!(error.starts_with("it was sealed under the key ") && error.contains(key('b').fingerprint()));
        sealed.ciphertext[0] ^= 1;
        assert_eq!(key('a').open(&sealed, "row"), Err(SealError::Damaged { identity: "row".to_owned() }));
    }

    #[test]
    fn nothing_that_is_printed_holds_the_key_or_what_it_seals() {
        let text = "0123456789abcdef".repeat(4);
        let key = SealingKey::parse(&Secret::new(&text)).unwrap();
        let sealed = key.seal(&Secret::new("hunter2"), "row").unwrap();
        let told = format!("{key:?} {sealed:?} {}", String::from_utf8_lossy(&sealed.ciphertext));
        assert!(!told.contains("hunter2") && !told.contains(&text[..8]), "{told}");
        assert_eq!(key.fingerprint().len(), 8);
    }

    #[test]
    fn the_same_secret_is_never_sealed_the_same() {
        let seal = || key('a').seal(&Secret::new("x"), "row").unwrap();
        assert_ne!(seal().nonce, seal().nonce);
    }

    #[test]
    fn a_key_is_64_hex_digits() {
        for text in ["", "abc", &"g".repeat(64), &"a".repeat(63), &"a".repeat(66)] {
            assert_eq!(SealingKey::parse(&Secret::new(text)).unwrap_err(), SealError::NotAKey, "{text}");
        }
        assert!(SealingKey::parse(&Secret::new(format!("{}\n", "Aa".repeat(32)))).is_ok());
    }
}
