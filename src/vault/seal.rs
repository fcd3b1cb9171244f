//! Sealing: secrets are stored only as XChaCha20-Poly1305 ciphertext, bound to their place.
//!
//! Each purpose has its own sub-key, so restoring a session cannot read an outbox entry. Everything
//! that does not open gets the same answer, without a reason (ASVS 11.2.5).

use super::key::DeviceKey;
use crate::error::{Error, Kind, Result};
use crate::wire::hex;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use ring::hkdf;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Write};
use zeroize::Zeroizing;

//  A sealed column:
//
//      | format: 1 | nonce: 24 | ciphertext: n | tag: 16 |
//
//  Additional data: FORMAT_NAME, the vault's id, the purpose, the provider, the account, the
//  session's id; each preceded by its length as four little-endian bytes.
//
//  Sub-key: HKDF-SHA256(salt = vault's id, secret = device key, info = FORMAT_NAME, purpose).

const FORMAT: u8 = 1;
const FORMAT_NAME: &str = "sessionkeeper vault 1";
const NONCE: usize = 24;
const TAG: usize = 16;
const KEY: usize = 32;
const DEVICE_ID: usize = 16;

/// Anything larger is neither stored nor decrypted. No session comes near this.
const LARGEST: usize = 1 << 20;

/// What a sealed column is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Session,
    /// The viewer's word on an add-on.
    Permission,
    Outbox,
    /// Work left after a logout.
    Task,
    /// A logout that was confirmed later.
    Confirmation,
    /// A login under way.
    Login,
    /// A known text, to tell a wrong key from a damaged row.
    Check,
    /// No column: what this installation calls itself at the services.
    Device,
}

/// In order of declaration: a purpose is the index of its key.
const PURPOSES: [Purpose; 8] = [
    Purpose::Session,
    Purpose::Permission,
    Purpose::Outbox,
    Purpose::Task,
    Purpose::Confirmation,
    Purpose::Login,
    Purpose::Check,
    Purpose::Device,
];

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Purpose::Session => "session",
            Purpose::Permission => "permission",
            Purpose::Outbox => "outbox",
            Purpose::Task => "task",
            Purpose::Confirmation => "confirmation",
            Purpose::Login => "login",
            Purpose::Check => "check",
            Purpose::Device => "device_id",
        }
    }
}

/// The additional data that binds a sealed column to its place, so that it opens nowhere else.
#[derive(Clone, Copy)]
pub struct Aad<'a> {
    pub purpose: Purpose,
    pub provider: &'a str,
    pub account: &'a str,
    pub id: &'a str,
}

/// The sub-keys of one vault, by purpose.
pub struct Keys {
    vault: String,
    keys: [Zeroizing<[u8; KEY]>; PURPOSES.len()],
}

impl Keys {
    pub fn derive(device: &DeviceKey, vault: &str) -> Result<Self> {
        let mut keys: [Zeroizing<[u8; KEY]>; PURPOSES.len()] = Default::default();
        for (key, purpose) in keys.iter_mut().zip(PURPOSES) {
            *key = sub_key(device, vault, purpose)?;
        }
        Ok(Keys { vault: vault.to_owned(), keys })
    }

    /// The id of the vault that these keys are for.
    pub fn vault(&self) -> &str {
        &self.vault
    }

    /// 32 hexadecimal digits that tell nothing of the key, nor one service of what another gets.
    pub fn device_id(&self, service: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*self.keys[Purpose::Device as usize]);
        hex(&hmac::sign(&key, service.as_bytes()).as_ref()[..DEVICE_ID])
    }

    pub fn seal<T: Serialize>(&self, value: &T, aad: Aad<'_>) -> Result<Vec<u8>> {
        let mut length = Length(0);
        serde_json::to_writer(&mut length, value).map_err(|_| broken())?;
        if length.0 > LARGEST {
            return Err(Error::new(Kind::Storage, "a record is too large to be stored"));
        }
        // Allocated once: a buffer that had to grow would leave a copy behind.
        let mut text = Zeroizing::new(Vec::with_capacity(length.0));
        serde_json::to_writer(&mut *text, value).map_err(|_| broken())?;
        let mut nonce = [0; NONCE];
        SystemRandom::new().fill(&mut nonce).map_err(|_| broken())?;
        let tag = self
            .cipher(aad.purpose)
            .encrypt_inout_detached(
                &XNonce::from(nonce),
                &self.encode(aad),
                text.as_mut_slice().into(),
            )
            .map_err(|_| broken())?;
        let mut sealed = Vec::with_capacity(1 + NONCE + text.len() + TAG);
        sealed.push(FORMAT);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&text);
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// `None` if it does not open: another key, place or format, or a changed byte.
    pub fn open<T: DeserializeOwned>(&self, sealed: &[u8], aad: Aad<'_>) -> Option<T> {
        if sealed.len() > LARGEST + 1 + NONCE + TAG {
            return None;
        }
        let (format, rest) = sealed.split_first()?;
        let (nonce, rest) = rest.split_at_checked(NONCE)?;
        let (text, tag) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
        if *format != FORMAT {
            return None;
        }
        let mut text = Zeroizing::new(text.to_vec());
        self.cipher(aad.purpose)
            .decrypt_inout_detached(
                &XNonce::try_from(nonce).ok()?,
                &self.encode(aad),
                text.as_mut_slice().into(),
                &Tag::try_from(tag).ok()?,
            )
            .ok()?;
        serde_json::from_slice(&text).ok()
    }

    fn cipher(&self, purpose: Purpose) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.keys[purpose as usize]).into())
    }

    fn encode(&self, aad: Aad<'_>) -> Vec<u8> {
        let Aad { purpose, provider, account, id } = aad;
        let mut data = Vec::new();
        for part in [FORMAT_NAME, &self.vault, purpose.as_str(), provider, account, id] {
            data.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }
}

fn sub_key(device: &DeviceKey, vault: &str, purpose: Purpose) -> Result<Zeroizing<[u8; KEY]>> {
    let mut key = Zeroizing::new([0; KEY]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, vault.as_bytes())
        .extract(device.expose())
        .expand(&[FORMAT_NAME.as_bytes(), b" ", purpose.as_str().as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|output| output.fill(&mut *key))
        .map_err(|_| broken())?;
    Ok(key)
}

fn broken() -> Error {
    Error::new(Kind::Internal, "a record cannot be sealed")
}

/// Counts bytes instead of writing them.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod device_id_test {
    use super::*;

    #[test]
    fn a_device_has_another_id_at_each_service_and_in_each_vault() {
        let id = |key: u8, vault: &str, service: &str| {
            let key = DeviceKey::from_bytes([key; KEY]);
            Keys::derive(&key, vault).unwrap().device_id(service)
        };
        let one = id(1, "v", "plex#");
        assert_eq!((one.len(), &one), (32, &id(1, "v", "plex#")));
        for other in [id(1, "v", "emby#"), id(1, "w", "plex#"), id(2, "v", "plex#")] {
            assert_ne!(one, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AAD: Aad<'static> =
        Aad { purpose: Purpose::Session, provider: "angel", account: "7", id: "a" };

    fn keys(vault: &str) -> Keys {
        Keys::derive(&DeviceKey::from_bytes([7; 32]), vault).unwrap()
    }

    #[test]
    fn opens_only_where_it_belongs() {
        let keys = keys("v");
        let sealed = keys.seal(&"text", AAD).unwrap();
        assert_eq!(keys.open::<String>(&sealed, AAD).as_deref(), Some("text"));
        for aad in [
            Aad { purpose: Purpose::Outbox, ..AAD },
            Aad { provider: "other", ..AAD },
            Aad { account: "8", ..AAD },
            Aad { id: "b", ..AAD },
            Aad { provider: "ange", account: "l7", ..AAD },
        ] {
            assert!(keys.open::<String>(&sealed, aad).is_none());
        }
        assert!(self::keys("w").open::<String>(&sealed, AAD).is_none());
    }

    #[test]
    fn no_changed_byte_and_no_cut_opens() {
        let keys = keys("v");
        let sealed = keys.seal(&"a text of some length", AAD).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(keys.open::<String>(&changed, AAD).is_none());
            assert!(keys.open::<String>(&sealed[..at], AAD).is_none());
        }
    }

    #[test]
    fn each_sealing_has_its_own_nonce() {
        let keys = keys("v");
        let first = keys.seal(&"text", AAD).unwrap();
        assert_ne!(first, keys.seal(&"text", AAD).unwrap());
    }

    #[test]
    fn what_is_too_large_is_neither_sealed_nor_opened() {
        let keys = keys("v");
        assert!(keys.seal(&"x".repeat(LARGEST), AAD).is_err());
        assert!(keys.open::<String>(&vec![1; LARGEST + 100], AAD).is_none());
    }
}
