//! Gives out room on engines: waiting workloads start, or learn their place.

use std::collections::BTreeMap;

use portico_core::{
    Timestamp, failpoint,
    names::EngineName,
    workload::{Phase, Workload},
};
use tokio::time::timeout;

use super::{
    PAUSE,
    admit::{Admission, admit},
    attend::{attend, attend_new},
    record::{self, RecordError},
};
use crate::{state::Hub, task::publish};

/// Runs until the hub ends.
pub(super) async fn run(hub: Hub) {
    loop {
        if let Err(error) = once(&hub).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "rooms could not be given out; trying again"
            );
        }
        tokio::select! {
            _ = timeout(PAUSE, hub.live.workers.woken()) => {}
            () = hub.tasks.soft.cancelled() => return,
        }
    }
}

async fn once(hub: &Hub) -> Result<(), RecordError> {
    let began = std::time::Instant::now();
    let mut tx = hub.store.begin_read("reconcile.room").await?;
    let live = portico_store::workload::live(&mut tx).await?;
    drop(tx);
    let mut by_engine: BTreeMap<&EngineName, Vec<&Workload>> = BTreeMap::new();
    for row in &live {
        by_engine.entry(&row.engine).or_default().push(row);
    }
    for (engine, rows) in by_engine {
        if !hub.engines.contains_key(engine) {
            continue;
        }
        let capacity = hub.config.workload.max_per_engine.get(engine).copied();
        for (id, admission) in admit(capacity, rows.iter().copied()) {
            let row = rows.iter().find(|row| row.id == id).expect("admission names rows that it was given");
            give(hub, row, admission).await?;
        }
    }
    for row in live.iter().filter(|row| matches!(row.phase(), Phase::Starting | Phase::Stopping)) {
        attend(hub, &row.id);
    }
    publish::now(hub).await;
    hub.metrics.work.reconciled(began.elapsed());
    Ok(())
}

/// Writes what was decided about one waiting workload. One that changed meanwhile is looked at again.
async fn give(hub: &Hub, row: &Workload, admission: Admission) -> Result<(), RecordError> {
    let now = hub.now();
    let written = match admission {
        Admission::Start => {
            failpoint::hit("reconcile.before-start-row");
            let deadline = deadline(now, row);
            record::write(hub, row, row.state.clone().start(now, deadline)?).await
        }
        Admission::Wait { place } => {
            let next = row.state.clone().queue(Some(place))?;
            match row.phase() {
                Phase::Queued => record::amend(hub, row, next).await,
                _ => record::write(hub, row, next).await,
            }
        }
    };
    match written {
        Ok(written) if admission == Admission::Start => {
            failpoint::hit("reconcile.after-start-row");
            attend_new(hub, &written);
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(RecordError::Superseded) => {
            hub.live.workers.wake();
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Until when a workload that starts now must answer.
pub(super) fn deadline(now: Timestamp, row: &Workload) -> Timestamp {
    let seconds = i64::from(row.spec.ready.deadline_seconds);
    now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}
