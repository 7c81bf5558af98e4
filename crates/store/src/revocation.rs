//! Whom passes do not let in any more, although they are still signed and not expired.

use jiff::Timestamp;
use portico_core::{LoginId, UserId, WorkloadId};

use crate::{
    error::{RowError, StoreError},
    row::Row,
    tx::Tx,
    value::params,
};

const ADD: &str = "INSERT INTO revocation (kind, id, at, until) VALUES ($1, $2, $3, $4)
    ON CONFLICT (kind, id) DO UPDATE SET
        at = CASE WHEN excluded.at > revocation.at THEN excluded.at ELSE revocation.at END,
        until = CASE WHEN excluded.until > revocation.until THEN excluded.until ELSE revocation.until END";
const LIST: &str = "SELECT kind, id, at, until FROM revocation WHERE until > $1 ORDER BY kind, id";
const PRUNE: &str = "DELETE FROM revocation WHERE until <= $1";

pub(crate) const STATEMENTS: &[&str] = &[ADD, LIST, PRUNE];

/// Whose passes are void.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Revoked {
    Login(LoginId),
    User(UserId),
    Workload(WorkloadId),
}

/// Passes that were issued up to a moment are void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    pub whose: Revoked,
    pub at: Timestamp,
    /// From here on no pass from before `at` is alive anyway.
    pub until: Timestamp,
}

/// Adds a revocation. Of two for the same, the later moments count.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &mut Tx, revocation: &Revocation) -> Result<(), StoreError> {
    let (kind, id) = match &revocation.whose {
        Revoked::Login(id) => ("login", id.as_str()),
        Revoked::User(id) => ("user", id.as_str()),
        Revoked::Workload(id) => ("workload", id.as_str()),
    };
    tx.execute(ADD, params![kind, id, revocation.at, revocation.until]).await.map(drop)
}

/// Those that still matter.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &mut Tx, now: Timestamp) -> Result<Vec<Revocation>, StoreError> {
    tx.all(LIST, params![now]).await
}

/// Deletes those that do not matter any more, and tells how many.
///
/// # Errors
/// When the database fails.
pub async fn prune(tx: &mut Tx, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PRUNE, params![now]).await
}

impl TryFrom<Row> for Revocation {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let row = row.of("revocation");
        let whose = match row.get::<String>("kind")?.as_str() {
            "login" => Revoked::Login(row.get("id")?),
            "user" => Revoked::User(row.get("id")?),
            "workload" => Revoked::Workload(row.get("id")?),
            other => return Err(row.failure("kind", format!("{other:?} cannot be revoked"))),
        };
        Ok(Self { whose, at: row.get("at")?, until: row.get("until")? })
    }
}
