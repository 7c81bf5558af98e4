//! Failures to sign in, counted per account and per address. What follows from them is decided
//! elsewhere.

use jiff::Timestamp;

use crate::{
    digest::hex_of,
    error::{RowError, StoreError},
    row::Row,
    tx::Tx,
    value::params,
};

const RECORD: &str = "INSERT INTO throttle (kind, subject, minute, failures, last)
    VALUES ($1, $2, $3, 1, $4)
    ON CONFLICT (kind, subject, minute) DO UPDATE SET
        failures = throttle.failures + 1,
        last = CASE WHEN excluded.last > throttle.last THEN excluded.last ELSE throttle.last END";
const SINCE: &str = "SELECT CAST(COALESCE(SUM(failures), 0) AS BIGINT) AS count, MAX(last) AS last
    FROM throttle WHERE kind = $1 AND subject = $2 AND minute >= $3";
const CLEAR: &str = "DELETE FROM throttle WHERE kind = $1 AND subject = $2";
const PRUNE: &str = "DELETE FROM throttle WHERE last < $1";

pub(crate) const STATEMENTS: &[&str] = &[RECORD, SINCE, CLEAR, PRUNE];

/// What failures are counted by. The text may be whatever a stranger typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// An account by [`portico_core::names::DisplayName::key`], whether it exists or not.
    Account(&'a str),
    /// A peer's address.
    Address(&'a str),
}

/// How often it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    pub count: u64,
    pub last: Option<Timestamp>,
}

impl Subject<'_> {
    /// The kind, and the text or what stands for one that does not fit into a key.
    fn parts(self) -> (&'static str, String) {
        let (kind, text) = match self {
            Self::Account(key) => ("account", key),
            Self::Address(address) => ("address", address),
        };
        let fits = text.len() <= 200 && !text.contains('\0');
        (kind, if fits { text.to_owned() } else { format!("sha256 {}", hex_of(text.as_bytes())) })
    }
}

/// Counts one more failure.
///
/// # Errors
/// When the database fails.
pub async fn record(tx: &mut Tx, subject: Subject<'_>, at: Timestamp) -> Result<(), StoreError> {
    let (kind, subject) = subject.parts();
    tx.execute(RECORD, params![kind, subject, minute(at), at]).await.map(drop)
}

/// The failures since the minute of `since`.
///
/// # Errors
/// When the database fails.
pub async fn since(tx: &mut Tx, subject: Subject<'_>, since: Timestamp) -> Result<Failures, StoreError> {
    let (kind, subject) = subject.parts();
    Ok(tx.first(SINCE, params![kind, subject, minute(since)]).await?.unwrap_or_default())
}

/// Forgets the failures of one subject, after a success.
///
/// # Errors
/// When the database fails.
pub async fn clear(tx: &mut Tx, subject: Subject<'_>) -> Result<(), StoreError> {
    let (kind, subject) = subject.parts();
    tx.execute(CLEAR, params![kind, subject]).await.map(drop)
}

/// Forgets what was before `cutoff`, and tells how many rows.
///
/// # Errors
/// When the database fails.
pub async fn prune(tx: &mut Tx, cutoff: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PRUNE, params![cutoff]).await
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

impl TryFrom<Row> for Failures {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let row = row.of("throttle");
        Ok(Self { count: row.get("count")?, last: row.get("last")? })
    }
}
