//! The event bus: typed hints that something changed.
//!
//! A change carries ids, never content: who hears it reads the store under its own rights. Messages
//! may be lost by a slow listener, which then has to look at everything it shows; nothing correct may
//! depend on a message, since reconcilers also wake by time.

use portico_core::{
    ids::{GroupId, LoginId, TokenId, UserId, WorkloadId},
    names::EngineName,
};
use tokio::sync::broadcast;

/// How many changes a slow listener may lag behind.
const CAPACITY: usize = 1024;

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// State, progress or usage of a workload.
    Workload {
        id: WorkloadId,
        owner: UserId,
    },
    /// Deleted.
    WorkloadGone {
        id: WorkloadId,
        owner: UserId,
    },
    /// Name, role, standing or groups.
    User(UserId),
    /// Deleted or disabled: everything of this user has to stop.
    UserShutOut(UserId),
    Group(GroupId),
    LoginEnded(LoginId),
    TokenEnded(TokenId),
    /// Apps or grants.
    Catalogue,
    Engine(EngineName),
}

/// Where changes are told and heard.
#[derive(Debug, Clone)]
pub struct Bus(broadcast::Sender<Change>);

impl Default for Bus {
    fn default() -> Self {
        Self(broadcast::channel(CAPACITY).0)
    }
}

impl Bus {
    /// Tells whoever listens; nobody listening is fine.
    pub fn tell(&self, change: Change) {
        let _listeners = self.0.send(change).unwrap_or(0);
    }

    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.0.subscribe()
    }
}
