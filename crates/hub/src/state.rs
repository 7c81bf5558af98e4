//! [`Hub`]: the handles that services share.
//!
//! It holds no behaviour: what can be done stands in `service`, as functions that take the hub, the
//! actor and, for effects, a permit.

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use portico_core::{Timestamp, names::EngineName, pass::PassKey, ports::Spawner, route::Published};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{bus::Bus, clock::Clock, config::Config};

/// The shared state; cloning is cheap.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

/// What [`Hub`] dereferences to.
pub struct Inner {
    pub config: Config,
    pub clock: Clock,
    pub engines: Engines,
    /// What the front door knows: routes and revocations.
    pub published: watch::Sender<Published>,
    pub bus: Bus,
    pub keys: Keys,
    pub tasks: Tasks,
}

/// The engines by name.
pub type Engines = BTreeMap<EngineName, Arc<dyn Spawner>>;

/// Keys made at the first start and kept in the store.
pub struct Keys {
    /// Signs tickets and passes.
    pub pass: PassKey,
}

/// Where background work is registered, and the word on which it ends.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    pub tracker: TaskTracker,
    /// Cancelled when Portico shuts down: finish what is at hand and return.
    pub soft: CancellationToken,
}

impl Hub {
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Deref for Hub {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}
