//! What watched workloads use: the last ten minutes, sampled only while somebody looks.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
    time::{Duration, Instant},
};

use portico_core::{WorkloadId, ports::Usage};

use super::lock;

/// Pause between two samples.
pub const PAUSE: Duration = Duration::from_secs(2);
/// Samples that are kept: ten minutes.
const MOST: usize = 300;
/// A workload counts as watched for this long after the last look.
const ATTENTION: Duration = Duration::from_secs(15);
/// Samples of a workload are forgotten this long after the last look.
const MEMORY: Duration = Duration::from_secs(600);

/// The samples of all watched workloads.
#[derive(Debug, Default)]
pub struct UsageRings(Mutex<HashMap<WorkloadId, Ring>>);

#[derive(Debug)]
struct Ring {
    samples: VecDeque<Usage>,
    looked: Instant,
}

impl UsageRings {
    /// The samples so far, oldest first; from now on, and for a while, there will be more.
    pub fn look(&self, id: &WorkloadId) -> Vec<Usage> {
        let mut rings = lock(&self.0);
        let fresh = || Ring { samples: VecDeque::new(), looked: Instant::now() };
        let ring = rings.entry(id.clone()).or_insert_with(fresh);
        ring.looked = Instant::now();
        ring.samples.iter().copied().collect()
    }

    /// Which workloads are watched; forgets those that nobody looked at for long.
    pub(crate) fn watched(&self) -> Vec<WorkloadId> {
        let mut rings = lock(&self.0);
        rings.retain(|_, ring| ring.looked.elapsed() < MEMORY);
        let watched = rings.iter().filter(|(_, ring)| ring.looked.elapsed() < ATTENTION);
        watched.map(|(id, _)| id.clone()).collect()
    }

    pub(crate) fn add(&self, id: &WorkloadId, usage: Usage) {
        if let Some(ring) = lock(&self.0).get_mut(id) {
            if ring.samples.len() >= MOST {
                ring.samples.pop_front();
            }
            ring.samples.push_back(usage);
        }
    }

    pub(crate) fn forget(&self, id: &WorkloadId) {
        lock(&self.0).remove(id);
    }
}
