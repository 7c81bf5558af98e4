//! Asks one engine for everything it has of ours, and finds what disagrees with the rows.

use std::collections::HashMap;

use futures_util::StreamExt;
use portico_core::{
    names::EngineName,
    ports::{Instance, InstanceStatus, SpawnError},
    workload::Workload,
};
use portico_store::StoreError;
use thiserror::Error;
use tokio::time::{Duration, sleep, timeout};

use super::{
    ASK, PAUSE,
    attend::attend,
    decide::{Action, decide},
};
use crate::{state::Hub, task::publish};

/// How long the first survey of an engine may hold up the start of the hub.
const FIRST: Duration = Duration::from_millis(1500);
/// Engines tell changes in bursts; this gathers them.
const GATHER: Duration = Duration::from_millis(15);
/// Grace of an instance that belongs to nobody.
const ORPHAN_GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, Error)]
enum SurveyError {
    #[error("the engine did not answer")]
    Engine(#[source] SpawnError),
    #[error("the store did not answer")]
    Store(#[from] StoreError),
}

/// Surveys every engine once, so that what survived the hub is known before anybody is let in. An engine
/// that does not answer soon is left to its own reconciler; no route leads to it until it answers.
pub async fn adopt(hub: &Hub) {
    let all = hub.engines.keys().map(|engine| async move {
        match timeout(FIRST, once(hub, engine)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => told(engine, &error),
            Err(_) => {
                tracing::warn!(engine.name = %engine, "the engine is slow to answer; going on without it")
            }
        }
    });
    futures_util::future::join_all(all).await;
    publish::now(hub).await;
}

/// Runs until the hub ends.
pub(super) async fn run(hub: Hub, engine: EngineName) {
    let Some(spawner) = hub.engines.get(&engine).cloned() else { return };
    let mut changes = spawner.changes();
    loop {
        if let Err(error) = once(&hub, &engine).await {
            told(&engine, &error);
        }
        tokio::select! {
            _ = timeout(PAUSE, changes.next()) => sleep(GATHER).await,
            () = hub.tasks.soft.cancelled() => return,
        }
    }
}

fn told(engine: &EngineName, error: &SurveyError) {
    tracing::warn!(engine.name = %engine, error = error as &dyn std::error::Error, "the engine could not be surveyed; trying again");
}

async fn once(hub: &Hub, engine: &EngineName) -> Result<(), SurveyError> {
    let Some(spawner) = hub.engines.get(engine) else { return Ok(()) };
    let late = || SpawnError::Unreachable(format!("no list of instances within {} seconds", ASK.as_secs()));
    let listed = timeout(ASK, spawner.list()).await.unwrap_or_else(|_| Err(late()));
    let instances = listed.map_err(SurveyError::Engine)?;
    // Rows are read after the list, so that the row of anything listed is there: rows come first.
    let mut tx = hub.store.begin_read("reconcile.survey").await?;
    let live = portico_store::workload::live(&mut tx).await?;
    let realm = &hub.config.realm;
    let mut listed: HashMap<_, _> =
        instances.into_iter().map(|instance| (instance.name.clone(), instance)).collect();
    for row in live.iter().filter(|row| row.engine == *engine) {
        let seen = listed.remove(&row.instance(realm));
        if !matches!(decide(&row.state, seen.as_ref()), Action::Rest | Action::AwaitRoom) {
            attend(hub, &row.id);
        }
    }
    let ours = format!("portico-{realm}-");
    for instance in listed.into_values().filter(|instance| instance.name.as_str().starts_with(&ours)) {
        let row = portico_store::workload::by_id(&mut tx, &instance.workload).await?;
        match row {
            Some(row) if is_present_run(&row, &instance, engine, hub) => attend(hub, &row.id),
            _ => clear(hub, engine, instance),
        }
    }
    drop(tx);
    if hub.live.engines.note_survey(engine) {
        publish::now(hub).await;
    }
    Ok(())
}

fn is_present_run(row: &Workload, instance: &Instance, engine: &EngineName, hub: &Hub) -> bool {
    row.engine == *engine && row.instance(&hub.config.realm) == instance.name
}

/// Ends and forgets an instance that no row wants: left by a deleted workload, or by an earlier run.
fn clear(hub: &Hub, engine: &EngineName, instance: Instance) {
    let Some(spawner) = hub.engines.get(engine).cloned() else { return };
    if !hub.live.workers.claim(&instance.name) {
        return;
    }
    tracing::warn!(engine.name = %engine, instance.name = %instance.name, "removing an instance that no workload wants");
    let hub = hub.clone();
    let tracker = hub.tasks.tracker.clone();
    tracker.spawn(async move {
        let work = async {
            if !matches!(instance.status, InstanceStatus::Ended(_)) {
                spawner.stop(&instance.name, ORPHAN_GRACE).await?;
            }
            spawner.remove(&instance.name).await
        };
        if let Ok(Err(error)) = timeout(ASK + ORPHAN_GRACE, work).await {
            tracing::warn!(instance.name = %instance.name, error = &error as &dyn std::error::Error, "the instance could not be removed; trying again");
        }
        hub.live.workers.release(&instance.name);
    });
}
