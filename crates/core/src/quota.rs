//! Amounts of resources, and what a user may hold at once.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What one workload may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Thousandths of a core.
    pub cpu_millis: u32,
    /// Mebibytes of memory.
    pub memory_mib: u32,
    /// Processes and threads.
    pub pids: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { cpu_millis: 1000, memory_mib: 1024, pids: 512 }
    }
}

impl Limits {
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        u64::from(self.memory_mib) << 20
    }
}

/// What one user may hold at once, over all engines. `None` is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    pub workloads: Option<u32>,
    pub cpu_millis: Option<u64>,
    pub memory_mib: Option<u64>,
}

/// What a user holds: the sum over workloads that are not stopped or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Held {
    pub workloads: u32,
    pub cpu_millis: u64,
    pub memory_mib: u64,
}

/// Which bound a request would break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Exceeded {
    #[error(
        "you have {held} of {allowed} sessions running; stop one first, or ask an administrator for a larger quota"
    )]
    Workloads { held: u32, allowed: u32 },
    #[error(
        "this needs {asked} thousandths of a core, {held} of your {allowed} are in use; choose a smaller size or stop a session"
    )]
    Cpu { held: u64, asked: u64, allowed: u64 },
    #[error(
        "this needs {asked} MiB of memory, {held} of your {allowed} MiB are in use; choose a smaller size or stop a session"
    )]
    Memory { held: u64, asked: u64, allowed: u64 },
}

impl Quota {
    /// Whether one more workload of these limits fits.
    ///
    /// # Errors
    /// The first bound that the sum would exceed.
    pub fn admit(&self, held: Held, asked: Limits) -> Result<(), Exceeded> {
        if let Some(allowed) = self.workloads.filter(|allowed| held.workloads >= *allowed) {
            return Err(Exceeded::Workloads { held: held.workloads, allowed });
        }
        let cpu = u64::from(asked.cpu_millis);
        if let Some(allowed) =
            self.cpu_millis.filter(|allowed| held.cpu_millis.saturating_add(cpu) > *allowed)
        {
            return Err(Exceeded::Cpu { held: held.cpu_millis, asked: cpu, allowed });
        }
        let memory = u64::from(asked.memory_mib);
        if let Some(allowed) =
            self.memory_mib.filter(|allowed| held.memory_mib.saturating_add(memory) > *allowed)
        {
            return Err(Exceeded::Memory { held: held.memory_mib, asked: memory, allowed });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_sum_never_exceeds_the_quota(requests in prop::collection::vec((1_u32..4000, 1_u32..4000), 0..50)) {
            let quota = Quota { workloads: Some(10), cpu_millis: Some(8000), memory_mib: Some(9000) };
            let mut held = Held::default();
            for (cpu_millis, memory_mib) in requests {
                if quota.admit(held, Limits { cpu_millis, memory_mib, pids: 1 }).is_ok() {
                    held.workloads += 1;
                    held.cpu_millis += u64::from(cpu_millis);
                    held.memory_mib += u64::from(memory_mib);
                }
            }
            prop_assert!(held.workloads <= 10 && held.cpu_millis <= 8000 && held.memory_mib <= 9000);
        }
    }
}
