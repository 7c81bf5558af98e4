//! Which waiting workloads of one engine may start now: a pure function.
//!
//! First come, first served, by id, since ids sort by age. What waits longer than it should is shown its
//! place, not overtaken.

use portico_core::{
    ids::WorkloadId,
    workload::{Phase, State, Workload},
};

/// What happens to a waiting workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Start,
    Wait { place: u32 },
}

/// Decides over all live workloads of one engine that has room for `capacity`, or for any number.
/// Only workloads whose row has to change are named.
pub(crate) fn admit<'a>(
    capacity: Option<u32>,
    live: impl Iterator<Item = &'a Workload>,
) -> Vec<(WorkloadId, Admission)> {
    let (mut waiting, mut held) = (Vec::new(), 0_u32);
    for workload in live {
        match workload.phase() {
            Phase::Requested | Phase::Queued => waiting.push(workload),
            Phase::Starting | Phase::Ready | Phase::Stopping => held += 1,
            Phase::Stopped | Phase::Failed => {}
        }
    }
    waiting.sort_by(|one, other| one.id.cmp(&other.id));
    let mut place = 0;
    let mut decided = Vec::new();
    for workload in waiting {
        if capacity.is_none_or(|capacity| held < capacity) {
            held += 1;
            decided.push((workload.id.clone(), Admission::Start));
            continue;
        }
        place += 1;
        if workload.state != (State::Queued { place: Some(place) }) {
            decided.push((workload.id.clone(), Admission::Wait { place }));
        }
    }
    decided
}
