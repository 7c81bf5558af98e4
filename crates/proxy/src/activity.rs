//! When each workload was last really used.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use portico_core::ids::WorkloadId;

/// Last traffic of a workload through this front door; `None` for a direction without any. Input and
/// output are apart, since a notebook that only prints is busy and an open tab alone is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    pub workload: WorkloadId,
    /// Last request, upload or message from a browser.
    pub input: Option<Timestamp>,
    /// Last bytes of an answer or message to a browser.
    pub output: Option<Timestamp>,
}

/// Moments of the last traffic, in milliseconds; zero before the first.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    input: AtomicI64,
    output: AtomicI64,
}

impl Traffic {
    pub(crate) fn input(&self, now: Timestamp) {
        self.input.store(now.as_millisecond(), Ordering::Relaxed);
    }

    pub(crate) fn output(&self, now: Timestamp) {
        self.output.store(now.as_millisecond(), Ordering::Relaxed);
    }

    pub(crate) fn of(&self, workload: WorkloadId) -> Activity {
        Activity { workload, input: moment(&self.input), output: moment(&self.output) }
    }
}

fn moment(at: &AtomicI64) -> Option<Timestamp> {
    match at.load(Ordering::Relaxed) {
        0 => None,
        millis => Timestamp::from_millisecond(millis).ok(),
    }
}
