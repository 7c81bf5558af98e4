//! What the front door counts. Labels have few fixed values; nothing is counted per workload or user.

use std::time::Duration;

use http::StatusCode;
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Upper bounds of the duration histogram, in seconds.
const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Kind {
    Hub,
    App,
    /// Addressed to nobody here, or to nobody clearly.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Direction {
    /// From browsers to workloads.
    In,
    /// From workloads to browsers.
    Out,
}

/// Why something was not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Reason {
    Connections,
    BadRequest,
    UnknownHost,
    NoPass,
    TwoPasses,
    ForeignOrigin,
    NoCookie,
    VoidTicket,
    NotOpen,
    Revoked,
    TooMuch,
    BadUpstream,
    SlowUpstream,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    kind: Kind,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DirectionLabel {
    direction: Direction,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: Reason,
}

#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<KindLabel, Histogram, fn() -> Histogram>,
    refused: Family<ReasonLabel, Counter>,
    pub(crate) connections: Gauge,
    pub(crate) tunnels: Gauge,
    pub(crate) upstream_dials: Counter,
    pub(crate) bytes_in: Counter,
    pub(crate) bytes_out: Counter,
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let bytes = Family::<DirectionLabel, Counter>::default();
        let of = |direction| bytes.get_or_create(&DirectionLabel { direction }).clone();
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(BOUNDS)),
            refused: Family::default(),
            connections: Gauge::default(),
            tunnels: Gauge::default(),
            upstream_dials: Counter::default(),
            bytes_in: of(Direction::In),
            bytes_out: of(Direction::Out),
        };
        let door = registry.sub_registry_with_prefix("portico_door");
        door.register("requests", "Answered requests", metrics.requests.clone());
        door.register("request_seconds", "Time until an answer began", metrics.seconds.clone());
        door.register("refused", "Requests and connections not let through", metrics.refused.clone());
        door.register("connections", "Open connections from outside", metrics.connections.clone());
        door.register("tunnels", "Open upgraded connections to workloads", metrics.tunnels.clone());
        door.register("upstream_dials", "Connections made to workloads", metrics.upstream_dials.clone());
        door.register("bytes", "Bytes of bodies and tunnels of workloads", bytes);
        metrics
    }

    pub(crate) fn answered(&self, kind: Kind, status: StatusCode, took: Duration) {
        let status = match status.as_u16() {
            100..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        self.requests.get_or_create(&RequestLabels { kind, status }).inc();
        self.seconds.get_or_create(&KindLabel { kind }).observe(took.as_secs_f64());
    }

    pub(crate) fn refused(&self, reason: Reason) {
        self.refused.get_or_create(&ReasonLabel { reason }).inc();
    }
}

/// Counts one more as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(crate) fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
