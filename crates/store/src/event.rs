//! The history of a workload, numbered from 1.

use jiff::Timestamp;
use portico_core::{
    WorkloadId,
    workload::{Event, Phase},
};

use crate::{
    error::{RowError, StoreError},
    page::{Page, fetch},
    row::Row,
    tx::Tx,
    value::params,
};

const NEXT_NUMBER: &str = "UPDATE workload SET events = events + 1 WHERE id = $1 RETURNING events";
const INSERT: &str = "INSERT INTO event (workload_id, number, at, actor, phase, reason)
    VALUES ($1, $2, $3, $4, $5, $6)";
const LIST: &str = "SELECT workload_id, number, at, actor, phase, reason FROM event
    WHERE workload_id = $1 AND number > $2 ORDER BY number LIMIT $3";

pub(crate) const STATEMENTS: &[&str] = &[NEXT_NUMBER, INSERT, LIST];

/// Adds a line and returns it with its number. Lines of one workload are numbered one after the
/// other, whoever else writes.
///
/// # Errors
/// [`StoreError::Missing`] when there is no such workload.
pub async fn append(
    tx: &mut Tx,
    workload: &WorkloadId,
    at: Timestamp,
    actor: &str,
    phase: Phase,
    reason: &str,
) -> Result<Event, StoreError> {
    let row = tx.rows(NEXT_NUMBER, params![workload]).await?.into_iter().next();
    let number: i64 = row.ok_or(StoreError::Missing { what: "workload" })?.of("workload").get("events")?;
    tx.execute(INSERT, params![workload, number, at, actor, phase.as_str(), reason]).await?;
    Ok(Event {
        workload: workload.clone(),
        number,
        at,
        actor: actor.to_owned(),
        phase,
        reason: reason.to_owned(),
    })
}

/// In order, those with a number above `after`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    tx: &mut Tx,
    workload: &WorkloadId,
    after: i64,
    limit: u32,
) -> Result<Page<Event>, StoreError> {
    let events = tx.all(LIST, params![workload, after, fetch(limit)]).await?;
    Ok(Page::cut(events, limit))
}

impl TryFrom<Row> for Event {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let row = row.of("event");
        Ok(Self {
            workload: row.get("workload_id")?,
            number: row.get("number")?,
            at: row.get("at")?,
            actor: row.get("actor")?,
            phase: row.get("phase")?,
            reason: row.get("reason")?,
        })
    }
}
