//! What is left of a deleted workload: enough to tell its owner that the address is no more.

use jiff::Timestamp;
use portico_core::{UserId, WorkloadId, names::Label};

use crate::{
    error::{RowError, StoreError},
    row::Row,
    tx::Tx,
    value::params,
};

const BY_LABEL: &str = "SELECT label, workload_id, owner_id, title, at FROM gone WHERE label = $1";
const PRUNE: &str = "DELETE FROM gone WHERE at < $1";

pub(crate) const STATEMENTS: &[&str] = &[BY_LABEL, PRUNE];

/// A workload that was deleted; [`crate::workload::delete`] leaves it behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    pub label: Label,
    pub workload: WorkloadId,
    pub owner: UserId,
    pub title: String,
    pub at: Timestamp,
}

/// # Errors
/// When the database fails.
pub async fn by_label(tx: &mut Tx, label: &Label) -> Result<Option<Gone>, StoreError> {
    tx.first(BY_LABEL, params![label]).await
}

/// Forgets those from before `cutoff`, and tells how many.
///
/// # Errors
/// When the database fails.
pub async fn prune(tx: &mut Tx, cutoff: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PRUNE, params![cutoff]).await
}

impl TryFrom<Row> for Gone {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let row = row.of("gone");
        Ok(Self {
            label: row.get("label")?,
            workload: row.get("workload_id")?,
            owner: row.get("owner_id")?,
            title: row.get("title")?,
            at: row.get("at")?,
        })
    }
}
