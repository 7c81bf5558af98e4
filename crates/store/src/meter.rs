//! Counts and durations of transactions by their names.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// What transactions of one name took so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TxMeter {
    pub committed: u64,
    /// Rolled back, or read-only and let go.
    pub dropped: u64,
    /// Sum from begin to end.
    pub total: Duration,
    pub longest: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Meters(Mutex<BTreeMap<&'static str, TxMeter>>);

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Committed,
    Dropped,
}

impl Meters {
    pub(crate) fn record(&self, name: &'static str, ending: Ending, took: Duration) {
        let mut meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let meter = meters.entry(name).or_default();
        match ending {
            Ending::Committed => meter.committed += 1,
            Ending::Dropped => meter.dropped += 1,
        }
        meter.total += took;
        meter.longest = meter.longest.max(took);
    }

    pub(crate) fn snapshot(&self) -> BTreeMap<&'static str, TxMeter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
