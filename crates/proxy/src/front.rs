//! The front door as a whole: what it is made of, and its life from the first connection to the last.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use portico_core::{pass::PassKey, ports::Gate, route::Published};
use prometheus_client::registry::Registry;
use tokio::{net::TcpListener, sync::watch, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    activity::Activity,
    address::{Addresses, InvalidConfig},
    body::{HubBody, RequestBody},
    config::{Config, Limits, Network},
    forward::Backends,
    listen::{self, Census},
    live::{self, Live},
    metrics::Metrics,
    peer::RequestIds,
    ticket::Arrivals,
    visit::Reports,
};

/// The hub as the front door sees it: a service that never fails.
///
/// Each request carries [`crate::Peer`] and [`crate::RequestId`] in its extensions. Headers by which a
/// client could pretend to be a proxy (`X-Forwarded-*`, `Forwarded`, `Remote-User`, ...) are gone.
pub type HubService =
    Arc<dyn Fn(Request<RequestBody>) -> BoxFuture<'static, Response<HubBody>> + Send + Sync>;

/// How long connections to workloads may take to notice that they are not needed any more.
const FAREWELL: Duration = Duration::from_secs(1);

/// The front door. Cloning shares it.
#[derive(Clone)]
pub struct FrontDoor(Arc<Door>);

/// Everything a request may need.
pub(crate) struct Door {
    pub(crate) limits: Limits,
    pub(crate) trusted: Vec<Network>,
    pub(crate) addresses: Addresses,
    pub(crate) published: watch::Receiver<Published>,
    pub(crate) key: PassKey,
    pub(crate) gate: Arc<dyn Gate>,
    pub(crate) hub: HubService,
    pub(crate) metrics: Metrics,
    pub(crate) ids: RequestIds,
    pub(crate) census: Arc<Census>,
    pub(crate) live: Arc<Live>,
    pub(crate) reports: Arc<Reports>,
    pub(crate) arrivals: Arrivals,
    pub(crate) backends: Backends,
    /// Connections from outside, and tunnels.
    pub(crate) clients: TaskTracker,
}

impl FrontDoor {
    /// Puts the parts together; nothing listens yet.
    ///
    /// # Errors
    /// When options contradict each other.
    pub fn new(
        config: &Config,
        published: watch::Receiver<Published>,
        key: PassKey,
        gate: Arc<dyn Gate>,
        hub: HubService,
        registry: &mut Registry,
    ) -> Result<Self, InvalidConfig> {
        let metrics = Metrics::register(registry);
        Ok(Self(Arc::new(Door {
            limits: config.limits.clone(),
            trusted: config.trusted_proxies.clone(),
            addresses: Addresses::new(config)?,
            published,
            key,
            hub,
            ids: RequestIds::new(),
            census: Arc::new(Census::new(&config.limits, &metrics)),
            live: Arc::default(),
            reports: Arc::new(Reports::new(Arc::clone(&gate))),
            arrivals: Arrivals::default(),
            backends: Backends::new(&config.limits, &metrics),
            gate,
            metrics,
            clients: TaskTracker::new(),
        })))
    }

    /// Serves until `soft` says to stop accepting and everything in flight has ended, or until `hard`,
    /// which cuts what is left. Event streams and tunnels do not end by themselves: they wait for
    /// `hard`. Serve once only.
    pub async fn serve(&self, listeners: Vec<TcpListener>, soft: CancellationToken, hard: CancellationToken) {
        let door = &self.0;
        let housekeeping = TaskTracker::new();
        let end = CancellationToken::new();
        housekeeping.spawn(live::watch(Arc::clone(door), end.clone()));
        for listener in listeners {
            door.clients.spawn(listen::accept(Arc::clone(door), listener, soft.clone(), hard.clone()));
        }
        tokio::select! {
            () = soft.cancelled() => {}
            () = hard.cancelled() => {}
        }
        door.clients.close();
        door.clients.wait().await;
        end.cancel();
        housekeeping.close();
        housekeeping.wait().await;
        // Whoever still holds on after the farewell is dropped with the runtime.
        let _ = timeout(FAREWELL, door.backends.close()).await;
    }

    /// Last traffic of each workload that had any since it has a route.
    #[must_use]
    pub fn activity(&self) -> Vec<Activity> {
        self.0.backends.activity()
    }

    /// The addresses in use.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.0.addresses
    }
}
