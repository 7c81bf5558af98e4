//! The ends of a run: by itself, on request, by failure, and what follows.
//!
//! What a run said is kept before the engine forgets it, and the row of a run that ended by itself is
//! written before the engine forgets it too, since its exit code stands nowhere else.

use std::{sync::Arc, time::Duration};

use portico_core::{
    failpoint,
    names::InstanceName,
    ports::{Follow, Instance, InstanceStatus, SpawnError, Spawner},
    workload::{Afterwards, Exit, Failure, Phase, Workload},
};

use super::{
    ASK,
    attend::{Round, Trouble, asked},
    record::{self, RecordError},
};
use crate::{
    service::{log, workload::erased},
    state::Hub,
    task::publish,
};

/// How much longer than its grace an end may take.
const FORCE: Duration = Duration::from_secs(30);

/// The engine of one workload, and what it calls the present run.
pub(super) struct Engine<'a> {
    pub(super) spawner: &'a Arc<dyn Spawner>,
    pub(super) name: InstanceName,
}

impl<'a> Engine<'a> {
    pub(super) fn of(hub: &'a Hub, row: &Workload) -> Option<Self> {
        let spawner = hub.engines.get(&row.engine)?;
        Some(Self { spawner, name: row.instance(&hub.config.realm) })
    }

    pub(super) async fn inspect(&self) -> Result<Option<Instance>, SpawnError> {
        asked(ASK, self.spawner.inspect(&self.name)).await
    }

    async fn stop(&self, row: &Workload) -> Result<(), SpawnError> {
        let grace = Duration::from_secs(u64::from(row.spec.grace_seconds));
        asked(grace + FORCE, self.spawner.stop(&self.name, grace)).await
    }

    /// Keeps the end of the log. An engine or a disk that does not do it never holds up the end.
    pub(super) async fn keep_log(&self, hub: &Hub, row: &Workload) {
        let kept = asked(ASK, async {
            let lines = self.spawner.logs(&self.name, Follow::No).await?;
            Ok(log::keep(hub, &row.id, lines).await)
        });
        match kept.await {
            Ok(Ok(())) | Err(SpawnError::NoInstance) => {}
            Ok(Err(error)) => {
                tracing::warn!(workload.id = %row.id, error = &error as &dyn std::error::Error, "its log could not be kept");
            }
            Err(error) => {
                tracing::warn!(workload.id = %row.id, error = &error as &dyn std::error::Error, "its log could not be read");
            }
        }
    }

    async fn forget(&self) -> Result<(), SpawnError> {
        asked(ASK, self.spawner.remove(&self.name)).await
    }
}

/// It ended by itself: the log, the row, and then the instance.
pub(super) async fn record_end(
    hub: &Hub,
    row: &Workload,
    engine: &Engine<'_>,
    exit: Exit,
) -> Result<Round, Trouble> {
    engine.keep_log(hub, row).await;
    failpoint::hit("reconcile.after-logs");
    failpoint::hit("reconcile.before-ended-row");
    let next = row.state.clone().ended(hub.now(), exit, row.spec.limits.memory_mib);
    record::write(hub, row, next.map_err(RecordError::from)?).await?;
    failpoint::hit("reconcile.after-ended-row");
    Ok(Round::Again)
}

/// It failed; what is left of it is cleared away by the next round.
pub(super) async fn record_failure(hub: &Hub, row: &Workload, failure: Failure) -> Result<Round, Trouble> {
    failpoint::hit("reconcile.before-ended-row");
    let next = row.state.clone().fail(hub.now(), failure);
    record::write(hub, row, next.map_err(RecordError::from)?).await?;
    failpoint::hit("reconcile.after-ended-row");
    Ok(Round::Again)
}

/// Ends it: grace, then force; keeps its log; forgets it; and goes on to what follows.
pub(super) async fn end(hub: &Hub, row: &Workload, engine: &Engine<'_>) -> Result<Round, Trouble> {
    engine.stop(row).await?;
    failpoint::hit("reconcile.after-engine-stop");
    let exit = match engine.inspect().await?.map(|instance| instance.status) {
        Some(InstanceStatus::Ended(exit)) => Some(exit),
        Some(InstanceStatus::Running | InstanceStatus::Created) | None => None,
    };
    engine.keep_log(hub, row).await;
    failpoint::hit("reconcile.after-logs");
    engine.forget().await?;
    failpoint::hit("reconcile.after-remove");
    // Somebody may have asked for more than a stop meanwhile.
    let Some(row) = record::load(hub, &row.id).await? else { return Ok(Round::Rest) };
    match &row.state {
        portico_core::workload::State::Stopping { then, .. } => {
            let then = *then;
            conclude(hub, &row, engine, then, exit).await
        }
        _ => Ok(Round::Again),
    }
}

/// Nothing is left of it: writes what follows.
pub(super) async fn conclude(
    hub: &Hub,
    row: &Workload,
    engine: &Engine<'_>,
    then: Afterwards,
    exit: Option<Exit>,
) -> Result<Round, Trouble> {
    failpoint::hit("reconcile.before-ended-row");
    if then == Afterwards::Delete {
        asked(ASK, engine.spawner.discard_workspace(&row.label)).await?;
        erase(hub, row).await?;
    } else {
        let exit = exit.unwrap_or(Exit::Unknown);
        let next = row.state.clone().ended(hub.now(), exit, row.spec.limits.memory_mib);
        let written = record::write(hub, row, next.map_err(RecordError::from)?).await?;
        if written.phase() == Phase::Requested {
            log::forget(hub, &row.id).await;
        }
    }
    failpoint::hit("reconcile.after-ended-row");
    hub.live.workers.wake();
    publish::now(hub).await;
    Ok(Round::Rest)
}

/// Removes the last traces: log and row. A tombstone stays.
pub(crate) async fn erase(hub: &Hub, row: &Workload) -> Result<(), RecordError> {
    log::forget(hub, &row.id).await;
    let mut tx = hub.store.begin_write("reconcile.erase").await?;
    portico_store::workload::delete(&mut tx, &row.id, hub.now()).await?;
    tx.commit().await?;
    erased(hub, row);
    Ok(())
}

/// The row has ended; what is left at the engine is ended and forgotten.
pub(super) async fn clear_away(hub: &Hub, row: &Workload, engine: &Engine<'_>) -> Result<Round, Trouble> {
    engine.stop(row).await?;
    engine.keep_log(hub, row).await;
    engine.forget().await?;
    hub.live.workers.wake();
    Ok(Round::Rest)
}
