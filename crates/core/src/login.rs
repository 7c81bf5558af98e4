//! Ways to be known: a signed-in browser, and an API token.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{LoginId, TokenId, UserId},
    names::DisplayName,
};

/// A signed-in browser. The cookie's secret is kept only as a digest, by the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    pub id: LoginId,
    pub user: UserId,
    pub created: Timestamp,
    pub last_used: Timestamp,
    /// Dies here whatever happens.
    pub expires: Timestamp,
    /// Address it was made from.
    pub address: String,
    /// What the browser said of itself, cut to 200 characters.
    pub agent: String,
}

/// How long a login lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginLifetime {
    /// Seconds without use after which it dies.
    pub idle_seconds: i64,
    /// Seconds after which it dies whatever happens.
    pub absolute_seconds: i64,
}

impl Login {
    /// Whether it may still be used at `now`.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp, lifetime: LoginLifetime) -> bool {
        let idle = now.as_second().saturating_sub(self.last_used.as_second());
        now < self.expires && idle < lifetime.idle_seconds
    }
}

/// An API token. Its text is shown once and kept only as a digest, by the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub id: TokenId,
    pub user: UserId,
    pub name: DisplayName,
    pub created: Timestamp,
    pub expires: Timestamp,
    pub last_used: Option<Timestamp>,
}

impl Token {
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        now < self.expires
    }
}
