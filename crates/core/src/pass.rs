//! Signed admission to a workload: tickets and passes.
//!
//! A **ticket** is made by the hub for one click, lives for seconds, and is redeemed once at the
//! workload's own origin. A **pass** is what it is redeemed for: the content of a host-only cookie
//! that the front door checks on each request without asking anybody. Both are
//! `<payload>.<mac>`: base64url of JSON, and HMAC-SHA256 over a purpose and that text, so that one can
//! never stand for the other.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::Sha256;
use thiserror::Error;

use crate::ids::{LoginId, UserId, WorkloadId};

/// Longest signed text that is looked at, in bytes.
const MAX_LENGTH: usize = 1024;

/// The key that signs tickets and passes: 32 random bytes, made at the first start and kept.
#[derive(Clone)]
pub struct PassKey([u8; 32]);

impl PassKey {
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for PassKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// Who may enter which workload, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    #[serde(rename = "w")]
    pub workload: WorkloadId,
    #[serde(rename = "u")]
    pub user: UserId,
    #[serde(rename = "l")]
    pub login: LoginId,
    #[serde(rename = "i", with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub issued: Timestamp,
    #[serde(rename = "e", with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires: Timestamp,
}

/// One click on *Open*: the pass it stands for, and what makes it unique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// 128 random bits in hexadecimal; the hub remembers the used ones.
    #[serde(rename = "n")]
    pub nonce: String,
    /// Last moment of its own validity.
    #[serde(rename = "t", with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub valid_until: Timestamp,
    #[serde(rename = "p")]
    pub pass: Pass,
}

/// Why a signed text is not accepted. People are told only that it is not valid any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unacceptable {
    #[error("it is malformed or its signature is wrong")]
    Forged,
    #[error("it has expired")]
    Expired,
}

impl Pass {
    #[must_use]
    pub fn sign(&self, key: &PassKey) -> String {
        sign(key, "pass", self)
    }

    /// Reads a pass and checks signature and expiry. Revocation is checked by the caller.
    ///
    /// # Errors
    /// When it was not made by this key, or is over.
    pub fn verify(text: &str, key: &PassKey, now: Timestamp) -> Result<Self, Unacceptable> {
        let pass: Self = verify(key, "pass", text)?;
        if now < pass.expires { Ok(pass) } else { Err(Unacceptable::Expired) }
    }
}

impl Ticket {
    #[must_use]
    pub fn sign(&self, key: &PassKey) -> String {
        sign(key, "ticket", self)
    }

    /// Reads a ticket and checks signature and expiry. Single use is checked by the caller.
    ///
    /// # Errors
    /// When it was not made by this key, or is over.
    pub fn verify(text: &str, key: &PassKey, now: Timestamp) -> Result<Self, Unacceptable> {
        let ticket: Self = verify(key, "ticket", text)?;
        if now < ticket.valid_until { Ok(ticket) } else { Err(Unacceptable::Expired) }
    }
}

fn mac(key: &PassKey, purpose: &str, payload: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes keys of any length");
    mac.update(purpose.as_bytes());
    mac.update(b"\0");
    mac.update(payload.as_bytes());
    mac
}

fn sign<T: Serialize>(key: &PassKey, purpose: &str, value: &T) -> String {
    let json = serde_json::to_vec(value).expect("plain structures serialise");
    let payload = BASE64URL_NOPAD.encode(&json);
    let tag = mac(key, purpose, &payload).finalize().into_bytes();
    format!("{payload}.{}", BASE64URL_NOPAD.encode(&tag))
}

fn verify<T: DeserializeOwned>(key: &PassKey, purpose: &str, text: &str) -> Result<T, Unacceptable> {
    if text.len() > MAX_LENGTH {
        return Err(Unacceptable::Forged);
    }
    let (payload, tag) = text.split_once('.').ok_or(Unacceptable::Forged)?;
    let tag = BASE64URL_NOPAD.decode(tag.as_bytes()).map_err(|_| Unacceptable::Forged)?;
    mac(key, purpose, payload).verify_slice(&tag).map_err(|_| Unacceptable::Forged)?;
    let json = BASE64URL_NOPAD.decode(payload.as_bytes()).map_err(|_| Unacceptable::Forged)?;
    serde_json::from_slice(&json).map_err(|_| Unacceptable::Forged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass() -> Pass {
        let at = Timestamp::from_second(1000).expect("valid");
        Pass {
            workload: WorkloadId::new(at, [1; 10]),
            user: UserId::new(at, [2; 10]),
            login: LoginId::new(at, [3; 10]),
            issued: at,
            expires: Timestamp::from_second(2000).expect("valid"),
        }
    }

    #[test]
    fn a_pass_is_valid_until_it_expires() {
        let key = PassKey::new([7; 32]);
        let text = pass().sign(&key);
        assert_eq!(Pass::verify(&text, &key, pass().issued), Ok(pass()));
        assert_eq!(Pass::verify(&text, &key, pass().expires), Err(Unacceptable::Expired));
    }

    #[test]
    fn no_altered_byte_is_accepted() {
        let key = PassKey::new([7; 32]);
        let text = pass().sign(&key);
        for position in 0..text.len() {
            let mut altered = text.clone().into_bytes();
            altered[position] ^= 1;
            let altered = String::from_utf8_lossy(&altered).into_owned();
            assert_eq!(Pass::verify(&altered, &key, pass().issued), Err(Unacceptable::Forged), "{position}");
        }
    }

    #[test]
    fn a_ticket_is_no_pass_and_other_keys_do_not_count() {
        let key = PassKey::new([7; 32]);
        let ticket = Ticket { nonce: "n".to_owned(), valid_until: pass().expires, pass: pass() };
        assert!(Pass::verify(&ticket.sign(&key), &key, pass().issued).is_err());
        assert!(Ticket::verify(&pass().sign(&key), &key, pass().issued).is_err());
        assert!(Pass::verify(&pass().sign(&key), &PassKey::new([8; 32]), pass().issued).is_err());
    }
}
