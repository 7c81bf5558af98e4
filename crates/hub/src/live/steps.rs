//! The steps of launches under way, for pages that show progress.

use std::{collections::HashMap, sync::Mutex};

use portico_core::{Timestamp, WorkloadId, ports::Step};

use super::lock;

/// Most steps that are kept of one launch.
const MOST: usize = 64;

/// The steps of all launches under way.
#[derive(Debug, Default)]
pub struct Steps(Mutex<HashMap<WorkloadId, Vec<StepAt>>>);

/// A step and when it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepAt {
    pub at: Timestamp,
    pub step: Step,
}

impl Steps {
    /// Notes a step; progress within the same step replaces it.
    pub fn note(&self, id: &WorkloadId, at: Timestamp, step: Step) {
        let mut all = lock(&self.0);
        let steps = all.entry(id.clone()).or_default();
        if let Some(last) = steps.last_mut().filter(|last| is_same(&last.step, &step)) {
            last.step = step;
        } else if steps.len() < MOST {
            steps.push(StepAt { at, step });
        }
    }

    /// The steps so far, in order.
    #[must_use]
    pub fn of(&self, id: &WorkloadId) -> Vec<StepAt> {
        lock(&self.0).get(id).cloned().unwrap_or_default()
    }

    /// A new launch begins, or there is nothing more to show.
    pub fn forget(&self, id: &WorkloadId) {
        lock(&self.0).remove(id);
    }
}

fn is_same(one: &Step, other: &Step) -> bool {
    match (one, other) {
        (Step::Pulling { image: one, .. }, Step::Pulling { image: other, .. }) => one == other,
        _ => one == other,
    }
}
