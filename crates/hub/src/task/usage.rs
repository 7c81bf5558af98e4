//! Samples what watched workloads use.

use std::time::Duration;

use portico_core::{WorkloadId, ports::Usage, workload::Phase};
use tokio::time::{sleep, timeout};

use crate::{live::usage::PAUSE, state::Hub};

/// How long an engine may take to say what a workload uses.
const ASK: Duration = Duration::from_secs(5);

/// Runs until the hub ends.
pub(super) async fn run(hub: Hub) {
    loop {
        let samples = hub.live.usage.watched().into_iter().map(|id| sample(&hub, id));
        futures_util::future::join_all(samples).await;
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = hub.tasks.soft.cancelled() => return,
        }
    }
}

/// Takes one sample; a workload that does not run, or an engine that does not answer, gives none.
async fn sample(hub: &Hub, id: WorkloadId) {
    if let Some(usage) = take(hub, &id).await {
        hub.live.usage.add(&id, usage);
    }
}

async fn take(hub: &Hub, id: &WorkloadId) -> Option<Usage> {
    let mut tx = hub.store.begin_read("usage.sample").await.ok()?;
    let row = portico_store::workload::by_id(&mut tx, id).await.ok()??;
    drop(tx);
    if !matches!(row.phase(), Phase::Starting | Phase::Ready | Phase::Stopping) {
        hub.live.usage.forget(id);
        return None;
    }
    let engine = hub.engines.get(&row.engine)?;
    timeout(ASK, engine.usage(&row.instance(&hub.config.realm))).await.ok()?.ok()
}
