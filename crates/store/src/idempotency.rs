//! Requests that must count once though they are sent twice.
//!
//! A request claims its key, does its work and stores its answer with [`finish`]; done in one
//! transaction, a crash leaves nothing half claimed. Across transactions [`abandon`] gives a key back.

use jiff::Timestamp;
use portico_core::UserId;

use crate::{
    error::{RowError, StoreError},
    row::Row,
    tx::Tx,
    value::{self, params},
};

const CLAIM: &str = "INSERT INTO idempotency (user_id, key, request, at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id, key) DO NOTHING";
const BY_KEY: &str = "SELECT request, status, body FROM idempotency WHERE user_id = $1 AND key = $2";
const FINISH: &str = "UPDATE idempotency SET status = $3, body = $4 WHERE user_id = $1 AND key = $2";
const ABANDON: &str = "DELETE FROM idempotency WHERE user_id = $1 AND key = $2 AND status IS NULL";
const PRUNE: &str = "DELETE FROM idempotency WHERE at < $1";

pub(crate) const STATEMENTS: &[&str] = &[CLAIM, BY_KEY, FINISH, ABANDON, PRUNE];

/// What a key is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// First of its kind: do it, then [`finish`].
    New,
    /// Done before: give the same answer.
    Same(Answer),
    /// The key was used for another request.
    Mismatch,
    /// The first one is not answered yet.
    InProgress,
}

/// The answer that the first request got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    pub body: String,
}

/// Claims a key of a user for a request that is known by its digest.
///
/// # Errors
/// [`StoreError::Reference`] when the user is no more, [`StoreError::Unstorable`] for a key of more
/// than 1000 bytes.
pub async fn claim(
    tx: &mut Tx,
    user: &UserId,
    key: &str,
    request: &str,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    if tx.execute(CLAIM, params![user, value::key(key)?, value::key(request)?, now]).await? > 0 {
        return Ok(Claim::New);
    }
    let stored: Option<Stored> = tx.first(BY_KEY, params![user, key]).await?;
    Ok(match stored {
        // Given back in this very moment: the next try is the first.
        None => Claim::InProgress,
        Some(stored) if stored.request != request => Claim::Mismatch,
        Some(Stored { answer: Some(answer), .. }) => Claim::Same(answer),
        Some(_) => Claim::InProgress,
    })
}

/// Stores the answer for the next request with this key.
///
/// # Errors
/// [`StoreError::Missing`] when the key was not claimed.
pub async fn finish(tx: &mut Tx, user: &UserId, key: &str, answer: &Answer) -> Result<(), StoreError> {
    match tx.execute(FINISH, params![user, key, answer.status, answer.body]).await? {
        0 => Err(StoreError::Missing { what: "idempotency key" }),
        _ => Ok(()),
    }
}

/// Gives back a key that was not finished.
///
/// # Errors
/// When the database fails.
pub async fn abandon(tx: &mut Tx, user: &UserId, key: &str) -> Result<(), StoreError> {
    tx.execute(ABANDON, params![user, key]).await.map(drop)
}

/// Forgets keys from before `cutoff`, and tells how many.
///
/// # Errors
/// When the database fails.
pub async fn prune(tx: &mut Tx, cutoff: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PRUNE, params![cutoff]).await
}

struct Stored {
    request: String,
    answer: Option<Answer>,
}

impl TryFrom<Row> for Stored {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let row = row.of("idempotency");
        let answer = match row.get("status")? {
            Some(status) => Some(Answer { status, body: row.get("body")? }),
            None => None,
        };
        Ok(Self { request: row.get("request")?, answer })
    }
}
