//! The register of what is going on, so that it can be cut.
//!
//! Each admitted request and tunnel is entered with the token that ends its connection. One watcher per
//! front door looks through the register whenever the hub publishes, and once a second for passes that
//! ran out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::{front::Door, metrics::Reason, visit::Visit};

/// How often what has run out is looked for.
const TICK: Duration = Duration::from_secs(1);

/// Requests and tunnels that are going on.
#[derive(Debug, Default)]
pub(crate) struct Live(Mutex<Register>);

#[derive(Debug, Default)]
struct Register {
    next: u64,
    stays: HashMap<u64, (Arc<Visit>, CancellationToken)>,
}

/// The entry of one visit; leaving the register is dropping it.
#[derive(Debug)]
pub(crate) struct Stay {
    live: Arc<Live>,
    number: u64,
    visit: Arc<Visit>,
}

impl Live {
    /// Enters a visit whose connection `cut` ends.
    pub(crate) fn enter(self: &Arc<Self>, visit: Arc<Visit>, cut: CancellationToken) -> Stay {
        let mut register = lock(&self.0);
        let number = register.next;
        register.next += 1;
        register.stays.insert(number, (Arc::clone(&visit), cut));
        Stay { live: Arc::clone(self), number, visit }
    }

    /// Ends the connections of all visits that do not hold any more.
    fn cut_unless(&self, holds: impl Fn(&Visit) -> bool) -> usize {
        // The tokens are cancelled outside of the lock: what wakes up wants to leave the register.
        let cut: Vec<CancellationToken> = lock(&self.0)
            .stays
            .values()
            .filter(|(visit, _)| !holds(visit))
            .map(|(_, cut)| cut.clone())
            .collect();
        for token in &cut {
            token.cancel();
        }
        cut.len()
    }
}

impl Stay {
    pub(crate) const fn visit(&self) -> &Arc<Visit> {
        &self.visit
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        lock(&self.live.0).stays.remove(&self.number);
    }
}

/// Watches what the hub publishes until `end`.
pub(crate) async fn watch(door: Arc<Door>, end: CancellationToken) {
    let mut published = door.published.clone();
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watching = true;
    loop {
        tokio::select! {
            () = end.cancelled() => return,
            changed = published.changed(), if watching => watching = changed.is_ok(),
            _ = tick.tick() => tidy(&door),
        }
        let now = Timestamp::now();
        let seen = published.borrow_and_update().clone();
        let cut = door.live.cut_unless(|visit| visit.holds(&seen, now));
        if cut > 0 {
            door.metrics.refused(Reason::Revoked);
            info!(connections = cut, "connections were cut because their pass or route ended");
        }
    }
}

fn tidy(door: &Door) {
    let now = Timestamp::now();
    door.reports.forget_old(now);
    door.arrivals.forget_old();
    let routes = Arc::clone(&door.published.borrow().routes);
    door.backends.tidy(&routes);
}

/// Locks. What is kept under our locks is whole at every moment, so a panic elsewhere spoils nothing.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
