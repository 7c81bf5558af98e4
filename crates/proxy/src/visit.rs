//! One admitted request or tunnel: whose it is, where it goes, and what it moves.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use jiff::Timestamp;
use portico_core::{
    ids::{LoginId, WorkloadId},
    names::EntryPointName,
    pass::Pass,
    ports::Gate,
    route::{Doors, Published, Route, Upstream},
};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::OwnedSemaphorePermit;

use crate::{forward::Backend, live::lock, metrics::Metrics};

/// Shortest time between two reports of the same pass, in milliseconds.
const REPORT_EVERY: i64 = 5_000;

/// An admitted request or tunnel.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) pass: Pass,
    pub(crate) route: Arc<Route>,
    pub(crate) entry: EntryPointName,
    pub(crate) upstream: Upstream,
    pub(crate) backend: Arc<Backend>,
    pub(crate) reports: Arc<Reports>,
    pub(crate) counters: Counters,
    /// Bytes moved both ways; wraps around.
    pub(crate) bytes: AtomicUsize,
    /// When this visit looked last whether to report, in milliseconds.
    pub(crate) looked: AtomicI64,
    /// Its place among the connections to the workload.
    pub(crate) _place: OwnedSemaphorePermit,
}

/// Counters of bytes both ways.
#[derive(Debug, Clone)]
pub(crate) struct Counters {
    received: Counter,
    sent: Counter,
}

impl From<&Metrics> for Counters {
    fn from(metrics: &Metrics) -> Self {
        Self { received: metrics.bytes_in.clone(), sent: metrics.bytes_out.clone() }
    }
}

impl Visit {
    /// Whether it would still be admitted, and to the same place.
    pub(crate) fn holds(&self, published: &Published, now: Timestamp) -> bool {
        let goes_on = |route: &Arc<Route>| {
            Arc::ptr_eq(route, &self.route)
                || (route.workload == self.route.workload
                    && open_door(route, &self.entry) == Some(&self.upstream))
        };
        now < self.pass.expires
            && published.routes.get(&self.route.label).is_some_and(goes_on)
            && !published.revocations.cover(&self.pass)
    }

    /// The request itself counts as input.
    pub(crate) fn arrived(&self, now: Timestamp) {
        self.backend.traffic().input(now);
        self.report(now);
    }

    /// Bytes came from the browser.
    pub(crate) fn received(&self, count: usize) {
        let now = Timestamp::now();
        self.bytes.fetch_add(count, Ordering::Relaxed);
        self.counters.received.inc_by(u64::try_from(count).unwrap_or_default());
        self.backend.traffic().input(now);
        self.report(now);
    }

    /// Bytes went to the browser.
    pub(crate) fn sent(&self, count: usize) {
        self.bytes.fetch_add(count, Ordering::Relaxed);
        self.counters.sent.inc_by(u64::try_from(count).unwrap_or_default());
        self.backend.traffic().output(Timestamp::now());
    }

    /// Changes whenever bytes were moved.
    pub(crate) fn moved(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Tells the hub that the pass is in use, unless that was said just now.
    pub(crate) fn report(&self, now: Timestamp) {
        let looked = self.looked.load(Ordering::Relaxed);
        if now.as_millisecond().saturating_sub(looked) >= REPORT_EVERY {
            self.looked.store(now.as_millisecond(), Ordering::Relaxed);
            self.reports.report(&self.pass, now);
        }
    }
}

/// Where an entry point answers, if it does.
pub(crate) fn open_door<'a>(route: &'a Route, entry: &EntryPointName) -> Option<&'a Upstream> {
    match &route.doors {
        Doors::Open(doors) => doors.get(entry),
        Doors::Closed => None,
    }
}

/// Reports of use to the hub, thinned out per pass.
pub(crate) struct Reports {
    gate: Arc<dyn Gate>,
    last: Mutex<HashMap<(LoginId, WorkloadId), Timestamp>>,
}

impl std::fmt::Debug for Reports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reports").finish_non_exhaustive()
    }
}

impl Reports {
    pub(crate) fn new(gate: Arc<dyn Gate>) -> Self {
        Self { gate, last: Mutex::default() }
    }

    fn report(&self, pass: &Pass, now: Timestamp) {
        let key = (pass.login.clone(), pass.workload.clone());
        let mut last = lock(&self.last);
        if last.get(&key).is_some_and(|at| is_recent(*at, now)) {
            return;
        }
        last.insert(key, now);
        drop(last);
        self.gate.seen(pass, now);
    }

    /// Forgets reports that hold nothing back any more.
    pub(crate) fn forget_old(&self, now: Timestamp) {
        lock(&self.last).retain(|_, at| is_recent(*at, now));
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.as_millisecond().saturating_sub(at.as_millisecond()) < REPORT_EVERY
}
