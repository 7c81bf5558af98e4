//! Signed-in browsers. The cookie's secret is kept as a digest only.

use jiff::Timestamp;
use portico_core::{
    LoginId, UserId,
    login::{Login, LoginLifetime},
};

use crate::{
    digest::SecretDigest,
    error::{RowError, StoreError},
    row::Row,
    tx::Tx,
    value::params,
};

const INSERT: &str = "INSERT INTO login (id, user_id, digest, created, last_used, expires, address, agent)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const BY_DIGEST: &str = "SELECT id, user_id, created, last_used, expires, address, agent
    FROM login WHERE digest = $1";
const LIST_OF: &str = "SELECT id, user_id, created, last_used, expires, address, agent
    FROM login WHERE user_id = $1 ORDER BY id DESC";
const TOUCH: &str = "UPDATE login SET last_used = $2 WHERE id = $1 AND last_used < $2";
const DELETE: &str = "DELETE FROM login WHERE id = $1";
const DELETE_ALL_OF: &str = "DELETE FROM login WHERE user_id = $1 RETURNING id";
const PRUNE: &str = "DELETE FROM login WHERE expires <= $1 OR last_used <= $2";

pub(crate) const STATEMENTS: &[&str] = &[INSERT, BY_DIGEST, LIST_OF, TOUCH, DELETE, DELETE_ALL_OF, PRUNE];

/// # Errors
/// [`StoreError::Reference`] when the user is no more.
pub async fn insert(tx: &mut Tx, login: &Login, digest: &SecretDigest) -> Result<(), StoreError> {
    let params = params![
        login.id,
        login.user,
        digest,
        login.created,
        login.last_used,
        login.expires,
        login.address,
        login.agent,
    ];
    tx.execute(INSERT, params).await.map(drop)
}

/// Finds a login, alive or not: [`Login::is_alive`] says.
///
/// # Errors
/// When the database fails.
pub async fn by_digest(tx: &mut Tx, digest: &SecretDigest) -> Result<Option<Login>, StoreError> {
    tx.first(BY_DIGEST, params![digest]).await
}

/// Newest first.
///
/// # Errors
/// When the database fails.
pub async fn list_of(tx: &mut Tx, user: &UserId) -> Result<Vec<Login>, StoreError> {
    tx.all(LIST_OF, params![user]).await
}

/// Notes a use; an earlier moment than the noted one changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn touch(tx: &mut Tx, id: &LoginId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(TOUCH, params![id, at]).await.map(drop)
}

/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: &LoginId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![id]).await? > 0)
}

/// Deletes all logins of a user and returns which, for their revocation.
///
/// # Errors
/// When the database fails.
pub async fn delete_all_of(tx: &mut Tx, user: &UserId) -> Result<Vec<LoginId>, StoreError> {
    let rows = tx.rows(DELETE_ALL_OF, params![user]).await?;
    Ok(rows.into_iter().map(|row| row.of("login").get("id")).collect::<Result<_, _>>()?)
}

/// Deletes what is not alive any more, and tells how many.
///
/// # Errors
/// When the database fails.
pub async fn prune(tx: &mut Tx, now: Timestamp, lifetime: LoginLifetime) -> Result<u64, StoreError> {
    let idle_since = now.as_millisecond().saturating_sub(lifetime.idle_seconds.saturating_mul(1000));
    tx.execute(PRUNE, params![now, idle_since]).await
}

impl TryFrom<Row> for Login {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let row = row.of("login");
        Ok(Self {
            id: row.get("id")?,
            user: row.get("user_id")?,
            created: row.get("created")?,
            last_used: row.get("last_used")?,
            expires: row.get("expires")?,
            address: row.get("address")?,
            agent: row.get("agent")?,
        })
    }
}
