//! Connections to workloads: made, kept while they are useful, and bounded.

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use portico_core::{
    ids::WorkloadId,
    route::{Doors, RouteTable, Upstream},
};
use prometheus_client::metrics::counter::Counter;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::link::Link;
use crate::{
    activity::{Activity, Traffic},
    body::Upload,
    config::{Limits, seconds},
    live::lock,
    metrics::Metrics,
    refuse::Refused,
    visit::Visit,
};

/// Most connections to one workload that are kept for later.
const MOST_IDLE: usize = 64;
/// Largest head of an answer, and largest piece of a body in memory, in bytes.
const BUFFER: usize = 64 * 1024;

/// All workloads with traffic.
#[derive(Debug)]
pub(crate) struct Backends {
    options: Options,
    known: Mutex<HashMap<WorkloadId, Arc<Backend>>>,
}

#[derive(Debug, Clone)]
struct Options {
    places: usize,
    connect: Duration,
    idle: Duration,
    dials: Counter,
    /// Tasks that drive the connections.
    drivers: TaskTracker,
}

/// One workload.
#[derive(Debug)]
pub(crate) struct Backend {
    options: Options,
    places: Arc<Semaphore>,
    traffic: Traffic,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    upstream: Upstream,
    sender: SendRequest<Upload>,
    since: Instant,
}

/// A connection in use, on loan from its workload's pool.
#[derive(Debug)]
pub(crate) struct Lease {
    backend: Arc<Backend>,
    upstream: Upstream,
    sender: SendRequest<Upload>,
}

/// A workload could not be connected to.
#[derive(Debug)]
pub(super) enum DialError {
    Slow,
    Failed(io::Error),
    Handshake(hyper::Error),
}

impl Backends {
    pub(crate) fn new(limits: &Limits, metrics: &Metrics) -> Self {
        Self {
            options: Options {
                places: limits.connections_per_workload,
                connect: seconds(limits.connect_seconds),
                idle: seconds(limits.idle_seconds),
                dials: metrics.upstream_dials.clone(),
                drivers: TaskTracker::new(),
            },
            known: Mutex::default(),
        }
    }

    pub(super) fn of(&self, workload: &WorkloadId) -> Arc<Backend> {
        let mut known = lock(&self.known);
        if let Some(backend) = known.get(workload) {
            return Arc::clone(backend);
        }
        let backend = Arc::new(Backend {
            options: self.options.clone(),
            places: Arc::new(Semaphore::new(self.options.places)),
            traffic: Traffic::default(),
            idle: Mutex::default(),
        });
        known.insert(workload.clone(), Arc::clone(&backend));
        backend
    }

    /// Forgets workloads without a route, and closes connections that nobody used for long.
    pub(crate) fn tidy(&self, routes: &RouteTable) {
        let mut known = lock(&self.known);
        if known.is_empty() {
            return;
        }
        let alive: HashSet<&WorkloadId> = routes.iter().map(|route| &route.workload).collect();
        let open: HashSet<&WorkloadId> =
            routes.iter().filter(|route| route.doors != Doors::Closed).map(|route| &route.workload).collect();
        known.retain(|workload, _| alive.contains(workload));
        for (workload, backend) in known.iter() {
            let keep = if open.contains(workload) { self.options.idle } else { Duration::ZERO };
            lock(&backend.idle).retain(|one| !one.sender.is_closed() && one.since.elapsed() < keep);
        }
    }

    pub(crate) fn activity(&self) -> Vec<Activity> {
        lock(&self.known).iter().map(|(workload, backend)| backend.traffic.of(workload.clone())).collect()
    }

    /// Drops all connections and waits until they are closed.
    pub(crate) async fn close(&self) {
        lock(&self.known).clear();
        self.options.drivers.close();
        self.options.drivers.wait().await;
    }
}

impl Backend {
    /// A place among the connections to this workload, unless all are taken.
    pub(super) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    pub(crate) const fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// The connection used last, if one is kept and still open.
    pub(super) fn take(&self, upstream: &Upstream) -> Option<SendRequest<Upload>> {
        let mut idle = lock(&self.idle);
        let at = idle.iter().rposition(|one| one.upstream == *upstream && one.sender.is_ready())?;
        Some(idle.remove(at).sender)
    }

    /// Makes a new connection.
    pub(super) async fn dial(&self, upstream: &Upstream) -> Result<SendRequest<Upload>, DialError> {
        self.options.dials.inc();
        let link = timeout(self.options.connect, Link::dial(upstream))
            .await
            .map_err(|_| DialError::Slow)?
            .map_err(DialError::Failed)?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(BUFFER)
            .handshake(TokioIo::new(link))
            .await
            .map_err(DialError::Handshake)?;
        let driven = connection.with_upgrades();
        self.options.drivers.spawn(async move {
            // Whoever waits for the answer hears of the error too, and judges it.
            if let Err(error) = driven.await {
                debug!(%error, "a connection to a workload ended early");
            }
        });
        Ok(sender)
    }

    pub(super) fn lease(self: &Arc<Self>, upstream: &Upstream, sender: SendRequest<Upload>) -> Lease {
        Lease { backend: Arc::clone(self), upstream: upstream.clone(), sender }
    }
}

impl Lease {
    /// Keeps the connection for the next request.
    pub(crate) fn give_back(self) {
        let Self { backend, upstream, sender } = self;
        if sender.is_closed() {
            return;
        }
        let mut idle = lock(&backend.idle);
        idle.retain(|one| !one.sender.is_closed());
        if idle.len() < MOST_IDLE {
            idle.push(Idle { upstream, sender, since: Instant::now() });
        }
    }
}

impl DialError {
    pub(super) fn refused(self, visit: &Visit) -> Refused {
        let workload = &visit.route.workload;
        match self {
            Self::Slow => {
                warn!(workload.id = %workload, "the app could not be connected to in time");
                Refused::SLOW_UPSTREAM
            }
            Self::Failed(error) => {
                warn!(workload.id = %workload, %error, "the app could not be connected to");
                Refused::BAD_UPSTREAM
            }
            Self::Handshake(error) => {
                warn!(workload.id = %workload, %error, "the app could not be connected to");
                Refused::BAD_UPSTREAM
            }
        }
    }
}
