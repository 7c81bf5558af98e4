//! Who attends to which workload: at most one worker each, which is nudged rather than doubled.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use portico_core::{WorkloadId, names::InstanceName};
use tokio::sync::Notify;

use super::lock;

/// See the module.
#[derive(Debug, Default)]
pub struct Workers {
    attended: Mutex<HashMap<WorkloadId, Arc<Nudge>>>,
    cleared: Mutex<HashSet<InstanceName>>,
    /// Somebody waits for room, or left some.
    room: Notify,
}

/// The word to look again.
#[derive(Debug, Default)]
pub(crate) struct Nudge {
    word: Notify,
    again: AtomicBool,
}

impl Nudge {
    fn give(&self) {
        self.again.store(true, Ordering::SeqCst);
        self.word.notify_one();
    }

    /// Returns when somebody asked to look again.
    pub(crate) async fn heard(&self) {
        self.word.notified().await;
    }

    /// What comes from here on asks for another look.
    pub(crate) fn begin(&self) {
        self.again.store(false, Ordering::SeqCst);
    }
}

impl Workers {
    /// Wakes whoever gives out room on engines.
    pub fn wake(&self) {
        self.room.notify_one();
    }

    pub(crate) async fn woken(&self) {
        self.room.notified().await;
    }

    /// Nudges the worker of this workload. Returns the nudge of a new one when there is none yet: the
    /// caller becomes it.
    pub(crate) fn enter(&self, id: &WorkloadId) -> Option<Arc<Nudge>> {
        let mut attended = lock(&self.attended);
        if let Some(nudge) = attended.get(id) {
            nudge.give();
            return None;
        }
        let nudge = Arc::new(Nudge::default());
        attended.insert(id.clone(), Arc::clone(&nudge));
        Some(nudge)
    }

    /// The worker wants to go. Refused when it was nudged since it last began.
    pub(crate) fn leave(&self, id: &WorkloadId) -> Result<(), StayOn> {
        let mut attended = lock(&self.attended);
        if attended.get(id).is_some_and(|nudge| nudge.again.load(Ordering::SeqCst)) {
            return Err(StayOn);
        }
        attended.remove(id);
        Ok(())
    }

    /// The worker ended in another way than by leaving.
    pub(crate) fn drop_worker(&self, id: &WorkloadId, nudge: &Arc<Nudge>) {
        let mut attended = lock(&self.attended);
        if attended.get(id).is_some_and(|present| Arc::ptr_eq(present, nudge)) {
            attended.remove(id);
        }
    }

    /// Whether nobody is at work.
    #[must_use]
    pub fn are_idle(&self) -> bool {
        lock(&self.attended).is_empty() && lock(&self.cleared).is_empty()
    }

    /// Whether the caller is the one to clear this instance away.
    pub(crate) fn claim(&self, name: &InstanceName) -> bool {
        lock(&self.cleared).insert(name.clone())
    }

    pub(crate) fn release(&self, name: &InstanceName) {
        lock(&self.cleared).remove(name);
    }
}

/// There is more to do.
#[derive(Debug)]
pub(crate) struct StayOn;
