//! Looks after engines: how they are, and which apps could run on them.

use std::time::Duration;

use portico_core::{
    names::EngineName,
    ports::{Condition, Health, Spawner},
};
use tokio::time::{sleep, timeout};

use crate::{bus::Change, service, state::Hub};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(10);
/// How long an engine may take to say how it is.
const ASK: Duration = Duration::from_secs(5);

/// Runs until the hub ends.
pub(super) async fn run(hub: Hub) {
    let mut changes = hub.bus.listen();
    loop {
        once(&hub).await;
        let catalogue = async {
            // Lost messages, or none: the timer looks again.
            while !matches!(changes.recv().await, Ok(Change::Catalogue)) {
                if changes.is_closed() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            _ = timeout(PAUSE, catalogue) => {}
            () = hub.tasks.soft.cancelled() => return,
        }
        // A change that this very look caused is not looked at in a circle.
        sleep(Duration::from_millis(50)).await;
        changes = hub.bus.listen();
    }
}

async fn once(hub: &Hub) {
    let healths = hub.engines.iter().map(|(name, engine)| look(hub, name, engine.as_ref()));
    futures_util::future::join_all(healths).await;
    let catalogue = hub.catalogue.now();
    hub.live.engines.keep_apps(|name| catalogue.entries.contains_key(name));
    for entry in catalogue.entries.values() {
        service::app::look(hub, &entry.app).await;
    }
}

/// Asks one engine how it is, and remembers the answer.
pub(crate) async fn look(hub: &Hub, name: &EngineName, engine: &dyn Spawner) -> Health {
    let health = timeout(ASK, engine.health()).await.unwrap_or_else(|_| Health {
        condition: Condition::Unreachable {
            problem: format!("no answer within {} seconds", ASK.as_secs()),
            advice: "See whether the engine still works; Portico asks again by itself.".to_owned(),
        },
        version: String::new(),
        isolation: Vec::new(),
        checked: hub.now(),
    });
    hub.metrics.work.engine(name, &health.condition);
    if hub.live.engines.set_health(name, health.clone()) {
        hub.bus.tell(Change::Engine(name.clone()));
    }
    health
}
