//! API tokens. Their texts are kept as digests only.

use jiff::Timestamp;
use portico_core::{TokenId, UserId, login::Token};

use crate::{
    digest::SecretDigest,
    error::{RowError, StoreError},
    row::Row,
    tx::Tx,
    value::params,
};

const INSERT: &str = "INSERT INTO token (id, user_id, digest, name, created, expires, last_used)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const BY_DIGEST: &str = "SELECT id, user_id, name, created, expires, last_used FROM token WHERE digest = $1";
const LIST_OF: &str = "SELECT id, user_id, name, created, expires, last_used
    FROM token WHERE user_id = $1 ORDER BY id DESC";
const TOUCH: &str = "UPDATE token SET last_used = $2 WHERE id = $1 AND (last_used IS NULL OR last_used < $2)";
const DELETE: &str = "DELETE FROM token WHERE id = $1 AND user_id = $2";
const DELETE_ALL_OF: &str = "DELETE FROM token WHERE user_id = $1";
const PRUNE: &str = "DELETE FROM token WHERE expires <= $1";

pub(crate) const STATEMENTS: &[&str] = &[INSERT, BY_DIGEST, LIST_OF, TOUCH, DELETE, DELETE_ALL_OF, PRUNE];

/// # Errors
/// [`StoreError::Reference`] when the user is no more.
pub async fn insert(tx: &mut Tx, token: &Token, digest: &SecretDigest) -> Result<(), StoreError> {
    let params =
        params![token.id, token.user, digest, token.name, token.created, token.expires, token.last_used,];
    tx.execute(INSERT, params).await.map(drop)
}

/// Finds a token, alive or not: [`Token::is_alive`] says.
///
/// # Errors
/// When the database fails.
pub async fn by_digest(tx: &mut Tx, digest: &SecretDigest) -> Result<Option<Token>, StoreError> {
    tx.first(BY_DIGEST, params![digest]).await
}

/// Newest first.
///
/// # Errors
/// When the database fails.
pub async fn list_of(tx: &mut Tx, user: &UserId) -> Result<Vec<Token>, StoreError> {
    tx.all(LIST_OF, params![user]).await
}

/// Notes a use; an earlier moment than the noted one changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn touch(tx: &mut Tx, id: &TokenId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(TOUCH, params![id, at]).await.map(drop)
}

/// Deletes a token if it is this user's.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: &TokenId, user: &UserId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![id, user]).await? > 0)
}

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

impl TryFrom<Row> for Token {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let row = row.of("token");
        Ok(Self {
            id: row.get("id")?,
            user: row.get("user_id")?,
            name: row.get("name")?,
            created: row.get("created")?,
            expires: row.get("expires")?,
            last_used: row.get("last_used")?,
        })
    }
}
