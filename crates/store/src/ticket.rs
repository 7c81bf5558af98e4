//! Which tickets were used, so that none lets in twice.

use jiff::Timestamp;

use crate::{
    error::StoreError,
    tx::Tx,
    value::{self, params},
};

const SPEND: &str = "INSERT INTO ticket (nonce, until) VALUES ($1, $2) ON CONFLICT (nonce) DO NOTHING";
const PRUNE: &str = "DELETE FROM ticket WHERE until <= $1";

pub(crate) const STATEMENTS: &[&str] = &[SPEND, PRUNE];

/// Whether a ticket counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// It is the first time.
    Now,
    /// It was used before.
    Before,
}

/// Uses a ticket up. It is remembered until it would not be valid anyway.
///
/// # Errors
/// When the database fails.
pub async fn spend(tx: &mut Tx, nonce: &str, until: Timestamp) -> Result<Spent, StoreError> {
    let added = tx.execute(SPEND, params![value::key(nonce)?, until]).await?;
    Ok(if added > 0 { Spent::Now } else { Spent::Before })
}

/// Forgets tickets that are not valid any more, and tells how many.
///
/// # Errors
/// When the database fails.
pub async fn prune(tx: &mut Tx, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PRUNE, params![now]).await
}
