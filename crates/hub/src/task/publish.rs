//! Publishes routes to the front door: where each live workload answers.
//!
//! The value is built from the rows each time, so that nothing has to be remembered about what was
//! published before. Doors of an engine that has not told its instances since the hub started stay
//! closed: its ports may belong to somebody else by now.

use std::sync::Arc;

use portico_core::{
    route::{Doors, Route, RouteTable},
    workload::{State, Workload},
};
use portico_store::StoreError;

use crate::state::Hub;

/// Publishes the routes as the rows have them. After a failure the front door keeps what it has, and the
/// next change or the reconcilers' timer tries again.
pub(crate) async fn now(hub: &Hub) {
    if let Err(error) = build(hub).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "routes could not be published; trying again"
        );
        hub.live.workers.wake();
    }
}

async fn build(hub: &Hub) -> Result<(), StoreError> {
    let _alone = hub.live.publishing.lock().await;
    let mut tx = hub.store.begin_read("publish.routes").await?;
    let live = portico_store::workload::live(&mut tx).await?;
    drop(tx);
    let table: RouteTable = live.into_iter().map(|row| route(hub, row)).collect();
    hub.published.send_if_modified(|published| {
        let changed = *published.routes != table;
        if changed {
            published.routes = Arc::new(table);
        }
        changed
    });
    Ok(())
}

fn route(hub: &Hub, row: Workload) -> Route {
    let doors = match row.state {
        State::Ready { doors, .. } if hub.live.engines.is_surveyed(&row.engine) => Doors::Open(doors),
        _ => Doors::Closed,
    };
    Route { workload: row.id, label: row.label, owner: row.owner.user, owner_slug: row.owner.slug, doors }
}
