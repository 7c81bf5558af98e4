//! Metrics of workloads and engines.

use std::{sync::atomic::AtomicI64, time::Duration};

use portico_core::{
    Timestamp,
    names::EngineName,
    ports::Condition,
    workload::{Phase, Workload},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

/// See the module.
#[derive(Debug)]
pub struct WorkMetrics {
    workloads: Family<PhaseLabel, Gauge>,
    launches: Family<ResultLabel, Counter>,
    call: Histogram,
    ready: Histogram,
    reconcile: Histogram,
    engine: Family<EngineLabel, Gauge<i64, AtomicI64>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabel {
    phase: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EngineLabel {
    engine: String,
}

impl WorkMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let metrics = Self {
            workloads: Family::default(),
            launches: Family::default(),
            call: seconds(),
            ready: seconds(),
            reconcile: seconds(),
            engine: Family::default(),
        };
        registry.register("workloads", "Workloads by phase", metrics.workloads.clone());
        registry.register("launches", "Launches by how they went", metrics.launches.clone());
        let mut timed = |name, help, histogram: &Histogram| {
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        };
        timed("launch_call", "From an accepted launch to the call of the engine", &metrics.call);
        timed("launch_ready", "From an accepted launch to ready", &metrics.ready);
        timed("reconcile", "One look at all rows", &metrics.reconcile);
        registry.register("engine_up", "Whether the engine works: 1 yes, 0 no", metrics.engine.clone());
        metrics
    }

    /// The numbers as the store has them; corrects what was counted.
    pub(crate) fn count(&self, counts: &[(Phase, u64)]) {
        for phase in Phase::ALL {
            let count = counts.iter().find(|(counted, _)| *counted == phase).map_or(0, |(_, count)| *count);
            self.phase(phase).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    pub(crate) fn accepted(&self) {
        self.phase(Phase::Requested).inc();
        self.result("accepted");
    }

    pub(crate) fn refused(&self) {
        self.result("refused");
    }

    pub(crate) fn transition(&self, before: &Workload, now: &Workload) {
        self.phase(before.phase()).dec();
        self.phase(now.phase()).inc();
        match now.phase() {
            Phase::Ready => {
                self.result("ready");
                if now.generation == 0 {
                    self.ready.observe(since(now.created, now.changed));
                }
            }
            Phase::Failed => self.result("failed"),
            _ => {}
        }
    }

    /// The engine is called for this workload now.
    pub(crate) fn called(&self, now: Timestamp, row: &Workload) {
        if row.generation == 0 {
            self.call.observe(since(row.created, now));
        }
    }

    pub(crate) fn erased(&self, row: &Workload) {
        self.phase(row.phase()).dec();
    }

    pub(crate) fn reconciled(&self, took: Duration) {
        self.reconcile.observe(took.as_secs_f64());
    }

    pub(crate) fn engine(&self, name: &EngineName, condition: &Condition) {
        let up = i64::from(!matches!(condition, Condition::Unreachable { .. }));
        self.engine.get_or_create(&EngineLabel { engine: name.to_string() }).set(up);
    }

    fn phase(&self, phase: Phase) -> impl std::ops::Deref<Target = Gauge> + '_ {
        self.workloads.get_or_create(&PhaseLabel { phase: phase.as_str() })
    }

    fn result(&self, result: &'static str) {
        self.launches.get_or_create(&ResultLabel { result }).inc();
    }
}

fn since(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}
