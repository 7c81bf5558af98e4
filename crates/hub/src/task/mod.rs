//! Reconcilers: idempotent, without input; time and the event bus only wake them.

mod catalogue;
pub(crate) mod engine;
mod outcast;
pub(crate) mod publish;
pub mod reconcile;
mod sweep;
mod usage;

use crate::state::Hub;

/// Adopts what survived and starts everything that goes on without a request. It all ends on the word of
/// [`crate::state::Tasks::soft`]. The front door may open when this returns.
pub async fn start(hub: &Hub) {
    reconcile::adopt(hub).await;
    reconcile::start(hub);
    let tracker = &hub.tasks.tracker;
    tracker.spawn(catalogue::run(hub.clone()));
    tracker.spawn(engine::run(hub.clone()));
    tracker.spawn(outcast::run(hub.clone()));
    tracker.spawn(sweep::run(hub.clone()));
    tracker.spawn(usage::run(hub.clone()));
}
