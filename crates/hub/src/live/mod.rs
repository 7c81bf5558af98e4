//! What is known only while the hub runs: the steps of launches, what workloads use now, how engines
//! are, and who attends to which workload.
//!
//! All of it can be lost at any moment: it is either seen again by asking the engines, or only of
//! passing interest. What must last stands in the store.

pub mod engines;
pub mod seen;
pub mod steps;
pub mod usage;
pub mod workers;

pub use engines::{Availability, EngineFacts};
pub use seen::Seen;
pub use steps::{StepAt, Steps};
pub use usage::UsageRings;
pub use workers::Workers;

/// See the module.
#[derive(Debug, Default)]
pub struct Live {
    pub steps: Steps,
    pub usage: UsageRings,
    pub engines: EngineFacts,
    pub workers: Workers,
    pub seen: Seen,
    /// Lets one publication of routes happen at a time, so that an older one never wins.
    pub(crate) publishing: tokio::sync::Mutex<()>,
    /// The files of the catalogue as they were last read.
    pub(crate) files: tokio::sync::Mutex<crate::catalogue::files::Files>,
}

/// Locks what no panic can leave half written.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
