//! The form in which secrets that are only compared are kept.
//!
//! Login cookies, API tokens and one-time links are long random texts, so that one fast hash is
//! enough; passwords are people's and never come here.

use std::fmt;

use data_encoding::HEXLOWER;
use portico_core::Secret;
use sha2::{Digest as _, Sha256};

use crate::value::{ToValue, Value};

/// SHA-256 of a random secret, in hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretDigest(String);

impl SecretDigest {
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        Self(hex_of(secret.expose().as_bytes()))
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[digest]")
    }
}

impl ToValue for SecretDigest {
    fn to_value(&self) -> Value {
        Value::Text(self.0.clone())
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn hex_of(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}
