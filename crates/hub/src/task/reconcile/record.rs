//! Writing what became of a workload: the row, its event, and word to whoever watches.

use portico_core::{
    WorkloadId,
    workload::{Phase, Refused, State, Workload},
};
use portico_store::StoreError;
use thiserror::Error;

use crate::{service::workload::transition, state::Hub, task::publish};

/// Who is named in events that nobody asked for.
pub(crate) const ACTOR: &str = "portico";

/// Why a row was not written.
#[derive(Debug, Error)]
pub(crate) enum RecordError {
    #[error("the state of the workload changed meanwhile")]
    Superseded,
    #[error("the store did not take it")]
    Store(#[source] StoreError),
}

impl From<Refused> for RecordError {
    fn from(_: Refused) -> Self {
        Self::Superseded
    }
}

impl From<StoreError> for RecordError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } | StoreError::Missing { .. } => Self::Superseded,
            other => Self::Store(other),
        }
    }
}

/// Reads a row.
pub(crate) async fn load(hub: &Hub, id: &WorkloadId) -> Result<Option<Workload>, RecordError> {
    let mut tx = hub.store.begin_read("reconcile.load").await?;
    Ok(portico_store::workload::by_id(&mut tx, id).await?)
}

/// Writes the next state of a row with its event, in one transaction, and tells who watches.
pub(crate) async fn write(hub: &Hub, row: &Workload, next: State) -> Result<Workload, RecordError> {
    let mut tx = hub.store.begin_write("reconcile.write").await?;
    let written = transition(&mut tx, row, next, hub.now(), ACTOR).await?;
    tx.commit().await?;
    if written.phase() == Phase::Ready || written.phase().is_ended() {
        // Who hears of it finds the door as it is said to be.
        publish::now(hub).await;
    }
    told(hub, row, &written);
    Ok(written)
}

/// Writes a detail of the state that is no transition, and so no event.
pub(crate) async fn amend(hub: &Hub, row: &Workload, state: State) -> Result<Workload, RecordError> {
    let mut next = Workload { state, ..row.clone() };
    let mut tx = hub.store.begin_write("reconcile.amend").await?;
    next.version = portico_store::workload::update(&mut tx, &next).await?;
    tx.commit().await?;
    hub.tell_workload(&next);
    Ok(next)
}

fn told(hub: &Hub, before: &Workload, now: &Workload) {
    tracing::info!(
        workload.id = %now.id,
        workload.from = %before.phase(),
        workload.phase = %now.phase(),
        workload.reason = now.state.reason(),
        "the workload changed its state"
    );
    hub.metrics.work.transition(before, now);
    if now.phase().is_ended() || now.generation != before.generation {
        hub.live.steps.forget(&now.id);
        hub.live.usage.forget(&now.id);
        hub.live.workers.wake();
    }
    hub.tell_workload(now);
}
