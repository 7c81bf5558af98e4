//! Deletes what is too old: ended workloads with log and workspace, tombstones, spent tickets, answered
//! idempotency keys; writes down the last use of logins, and corrects what the metrics counted.

use std::time::Duration;

use jiff::SignedDuration;
use portico_core::{Timestamp, workload::Workload};
use tokio::time::sleep;

use crate::{
    error::Error,
    service::{
        audit::{self, Act, By},
        workload::{discard, erased, thing},
    },
    state::Hub,
};

/// Pause between two sweeps.
const PAUSE: Duration = Duration::from_secs(60);
/// Most workloads of one sweep.
const MOST: u32 = 100;
/// Days that a tombstone says "deleted" rather than "not found".
const GONE_DAYS: i64 = 365;
/// Days that a launch with the same key gives the same workload.
const KEY_DAYS: i64 = 2;

/// Runs until the hub ends.
pub(super) async fn run(hub: Hub) {
    loop {
        if let Err(error) = once(&hub).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "old things could not be swept; trying again"
            );
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = hub.tasks.soft.cancelled() => return,
        }
    }
}

/// One sweep.
///
/// # Errors
/// When the store fails.
pub(crate) async fn once(hub: &Hub) -> Result<(), Error> {
    let mut tx = hub.store.begin_read("sweep.look").await?;
    let cutoff = days_ago(hub.now(), i64::from(hub.config.workload.retention_days));
    let old = portico_store::workload::ended_before(&mut tx, cutoff, MOST).await?;
    hub.metrics.work.count(&portico_store::workload::counts(&mut tx).await?);
    drop(tx);
    for row in old {
        // An engine that does not answer keeps only its own workloads.
        if let Err(error) = expire(hub, &row).await {
            tracing::warn!(workload.id = %row.id, error = &error as &dyn std::error::Error, "an old workload could not be deleted; trying again");
        }
    }
    prune(hub).await
}

async fn expire(hub: &Hub, row: &Workload) -> Result<(), Error> {
    discard(hub, row).await?;
    let mut tx = hub.store.begin_write("sweep.expire").await?;
    // It may have been restarted since it was looked at.
    let present = portico_store::workload::by_id(&mut tx, &row.id).await?;
    if present.is_none_or(|present| present.version != row.version) {
        return Ok(());
    }
    let days = hub.config.workload.retention_days;
    let act = Act::done("workload.expire", thing(&row.id))
        .with_detail(format!("{} ended {days} days ago", row.title));
    audit::record(&mut tx, hub.now(), By::portico(), act).await?;
    portico_store::workload::delete(&mut tx, &row.id, hub.now()).await?;
    tx.commit().await?;
    erased(hub, row);
    Ok(())
}

async fn prune(hub: &Hub) -> Result<(), Error> {
    let now = hub.now();
    let mut tx = hub.store.begin_write("sweep.prune").await?;
    portico_store::gone::prune(&mut tx, days_ago(now, GONE_DAYS)).await?;
    portico_store::idempotency::prune(&mut tx, days_ago(now, KEY_DAYS)).await?;
    portico_store::ticket::prune(&mut tx, now).await?;
    portico_store::revocation::prune(&mut tx, now).await?;
    for (login, at) in hub.live.seen.take() {
        portico_store::login::touch(&mut tx, &login, at).await?;
    }
    portico_store::login::prune(&mut tx, now, hub.config.login.lifetime()).await?;
    Ok(tx.commit().await?)
}

fn days_ago(now: Timestamp, days: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(days.saturating_mul(24))).unwrap_or(Timestamp::MIN)
}
