//! Stops what belongs to people who were disabled or deleted.

use std::{collections::HashMap, time::Duration};

use portico_core::{
    UserId,
    user::User,
    workload::{Afterwards, Phase, StopCause, Workload},
};
use tokio::time::timeout;

use super::reconcile;
use crate::{
    bus::Change,
    error::Error,
    service::{
        audit::{self, Act, By},
        workload::{thing, transition},
    },
    state::Hub,
};

/// What wakes it even when no word arrives.
const PAUSE: Duration = Duration::from_secs(20);

/// Runs until the hub ends.
pub(super) async fn run(hub: Hub) {
    let mut changes = hub.bus.listen();
    loop {
        if let Err(error) = once(&hub).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what belongs to nobody could not be stopped; trying again"
            );
        }
        let word = async {
            use tokio::sync::broadcast::error::RecvError;
            loop {
                match changes.recv().await {
                    Ok(Change::User(_) | Change::UserShutOut(_)) | Err(RecvError::Lagged(_)) => return,
                    Ok(_) => {}
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            _ = timeout(PAUSE, word) => {}
            () = hub.tasks.soft.cancelled() => return,
        }
    }
}

async fn once(hub: &Hub) -> Result<(), Error> {
    let mut tx = hub.store.begin_read("outcast.look").await?;
    let live = portico_store::workload::live(&mut tx).await?;
    let mut active: HashMap<UserId, bool> = HashMap::new();
    let mut outcast = Vec::new();
    for row in live.into_iter().filter(|row| row.phase() != Phase::Stopping) {
        let owner = &row.owner.user;
        let is_active = match active.get(owner) {
            Some(known) => *known,
            None => {
                let user = portico_store::user::by_id(&mut tx, owner).await?;
                let is_active = user.as_ref().is_some_and(User::is_active);
                active.insert(owner.clone(), is_active);
                is_active
            }
        };
        if !is_active {
            outcast.push(row);
        }
    }
    drop(tx);
    for row in outcast {
        stop(hub, &row).await?;
    }
    Ok(())
}

async fn stop(hub: &Hub, row: &Workload) -> Result<(), Error> {
    let now = hub.now();
    let Ok(next) = row.state.clone().stop(now, StopCause::Revoked, Afterwards::Rest) else { return Ok(()) };
    let mut tx = hub.store.begin_write("outcast.stop").await?;
    let written = transition(&mut tx, row, next, now, reconcile::ACTOR).await?;
    let act = Act::done("workload.stop", thing(&row.id)).with_detail("its owner lost access");
    audit::record(&mut tx, now, By::portico(), act).await?;
    tx.commit().await?;
    hub.metrics.work.transition(row, &written);
    hub.tell_workload(&written);
    super::publish::now(hub).await;
    reconcile::attend(hub, &row.id);
    Ok(())
}
