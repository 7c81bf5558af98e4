//! Workloads: what is wished and what is, brought together.
//!
//! ```text
//! room    waiting rows  -> starting rows, by capacity                     (admit decides)
//! survey  engine's list -> workers for what disagrees, orphans cleared
//! attend  one workload  -> one step after another until all agrees        (decide decides)
//! ```
//! None of them takes input: each looks at rows and engines, and may be woken at any time for no
//! reason. Rows are written before engines are told, so that nothing runs outside the ledger, and what
//! an engine made is found again by its name, so that nothing is started twice.

mod admit;
mod attend;
mod decide;
mod end;
mod record;
mod room;
mod survey;

use std::time::Duration;

pub(crate) use attend::attend;
pub(crate) use record::ACTOR;
pub use survey::adopt;

use crate::state::Hub;

/// What wakes everything even when no word arrives.
const PAUSE: Duration = Duration::from_secs(3);

/// Deadline of the short questions to engines.
const ASK: Duration = Duration::from_secs(15);

/// Starts the reconcilers; they end when the hub is told to.
pub(crate) fn start(hub: &Hub) {
    hub.tasks.tracker.spawn(room::run(hub.clone()));
    for engine in hub.engines.keys() {
        hub.tasks.tracker.spawn(survey::run(hub.clone(), engine.clone()));
    }
}
