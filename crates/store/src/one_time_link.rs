//! Links that let in once: for the first administrator, and to choose a new password.

use jiff::Timestamp;
use portico_core::UserId;

use crate::{
    digest::SecretDigest,
    error::{RowError, StoreError},
    row::Row,
    tx::Tx,
    value::params,
};

const INSERT: &str = "INSERT INTO one_time_link (digest, purpose, user_id, created, expires)
    VALUES ($1, $2, $3, $4, $5)";
const BY_DIGEST: &str = "SELECT purpose, user_id, created, expires FROM one_time_link
    WHERE digest = $1 AND purpose = $2 AND expires > $3";
const CONSUME: &str = "DELETE FROM one_time_link WHERE digest = $1 AND purpose = $2 AND expires > $3
    RETURNING purpose, user_id, created, expires";
const DELETE_ALL: &str = "DELETE FROM one_time_link WHERE purpose = $1";
const DELETE_ALL_OF: &str = "DELETE FROM one_time_link WHERE user_id = $1";
const PRUNE: &str = "DELETE FROM one_time_link WHERE expires <= $1";

pub(crate) const STATEMENTS: &[&str] = &[INSERT, BY_DIGEST, CONSUME, DELETE_ALL, DELETE_ALL_OF, PRUNE];

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Makes the first administrator.
    Bootstrap,
    /// Lets its user choose a password.
    PasswordReset,
}

/// A link that was not used yet. Its secret is kept as a digest only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeLink {
    pub purpose: Purpose,
    /// Whom it is for; absent when that account does not exist yet.
    pub user: Option<UserId>,
    pub created: Timestamp,
    pub expires: Timestamp,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::PasswordReset => "password-reset",
        }
    }
}

/// # Errors
/// [`StoreError::Reference`] when the user is no more.
pub async fn insert(tx: &mut Tx, link: &OneTimeLink, digest: &SecretDigest) -> Result<(), StoreError> {
    let params = params![digest, link.purpose.as_str(), link.user, link.created, link.expires];
    tx.execute(INSERT, params).await.map(drop)
}

/// Looks at a valid link without using it up, to show its form.
///
/// # Errors
/// When the database fails.
pub async fn by_digest(
    tx: &mut Tx,
    digest: &SecretDigest,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Option<OneTimeLink>, StoreError> {
    tx.first(BY_DIGEST, params![digest, purpose.as_str(), now]).await
}

/// Uses a valid link up. Of several who try at once, one gets it.
///
/// # Errors
/// When the database fails.
pub async fn consume(
    tx: &mut Tx,
    digest: &SecretDigest,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Option<OneTimeLink>, StoreError> {
    tx.first(CONSUME, params![digest, purpose.as_str(), now]).await
}

/// Voids all links of a purpose.
///
/// # Errors
/// When the database fails.
pub async fn delete_all(tx: &mut Tx, purpose: Purpose) -> Result<u64, StoreError> {
    tx.execute(DELETE_ALL, params![purpose.as_str()]).await
}

/// Voids all links of a user.
///
/// # Errors
/// When the database fails.
pub async fn delete_all_of(tx: &mut Tx, user: &UserId) -> Result<u64, StoreError> {
    tx.execute(DELETE_ALL_OF, params![user]).await
}

/// Deletes what is expired, and tells how many.
///
/// # Errors
/// When the database fails.
pub async fn prune(tx: &mut Tx, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PRUNE, params![now]).await
}

impl TryFrom<Row> for OneTimeLink {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let row = row.of("one_time_link");
        let purpose = match row.get::<String>("purpose")?.as_str() {
            "bootstrap" => Purpose::Bootstrap,
            "password-reset" => Purpose::PasswordReset,
            other => return Err(row.failure("purpose", format!("{other:?} is no purpose"))),
        };
        Ok(Self {
            purpose,
            user: row.get("user_id")?,
            created: row.get("created")?,
            expires: row.get("expires")?,
        })
    }
}
