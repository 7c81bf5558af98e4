//! One type per identifier.
//!
//! An id is 128 bits: 48 bits of milliseconds since the Unix epoch, then 80 random bits, written as 26
//! lower-case Crockford base32 characters. The time part makes ids sort by age, which the cursors of
//! lists rely on; the random part makes them unguessable. An id is never a permission.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 26;

/// Random bytes of an id; the caller takes them from the system's generator.
pub type IdEntropy = [u8; 10];

/// A text that is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an identifier: expected 26 characters of 0-9 and a-z without i, l, o and u")]
pub struct InvalidId;

fn encode(at: Timestamp, entropy: IdEntropy) -> String {
    let millis = u128::try_from(at.as_millisecond()).unwrap_or_default();
    let mut bits = (millis & 0xffff_ffff_ffff) << 80;
    for (position, byte) in entropy.iter().rev().enumerate() {
        bits |= u128::from(*byte) << (8 * position);
    }
    let mut text = String::with_capacity(LENGTH);
    for digit in (0..LENGTH).rev() {
        let value = (bits >> (5 * digit)) & 0x1f;
        let index = usize::try_from(value).expect("five bits fit");
        text.push(char::from(ALPHABET[index]));
    }
    text
}

fn check(text: &str) -> Result<(), InvalidId> {
    let well_formed = text.len() == LENGTH
        && text.bytes().all(|byte| ALPHABET.contains(&byte))
        && text.as_bytes()[0] <= b'7';
    if well_formed { Ok(()) } else { Err(InvalidId) }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Makes a new id from a moment and random bytes.
            #[must_use]
            pub fn new(at: Timestamp, entropy: IdEntropy) -> Self {
                Self(encode(at, entropy).into_boxed_str())
            }

            /// The 26 characters.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                check(text)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                check(&text)?;
                Ok(Self(text.into_boxed_str()))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into_string()
            }
        }
    )*};
}

ids! {
    /// A person or service account.
    UserId
    /// A set of users.
    GroupId
    /// A signed-in browser.
    LoginId
    /// An API token.
    TokenId
    /// Something that runs, ran or will run.
    WorkloadId
    /// A right to run an app.
    GrantId
    /// A line of the audit log.
    AuditId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = UserId::new(Timestamp::UNIX_EPOCH, [255; 10]);
        assert_eq!(id.as_str().len(), LENGTH);
        assert_eq!(id.as_str().parse::<UserId>(), Ok(id));
    }

    #[test]
    fn ids_sort_by_time() {
        let older = WorkloadId::new(Timestamp::from_millisecond(1).expect("valid"), [255; 10]);
        let newer = WorkloadId::new(Timestamp::from_millisecond(2).expect("valid"), [0; 10]);
        assert!(older < newer);
    }

    #[test]
    fn hostile_texts_are_no_ids() {
        for text in [
            "",
            "../../etc/passwd",
            "zzzzzzzzzzzzzzzzzzzzzzzzzz",
            "0000000000000000000000000O",
            "é0000000000000000000000000",
        ] {
            assert_eq!(text.parse::<UserId>(), Err(InvalidId), "{text}");
        }
    }
}
