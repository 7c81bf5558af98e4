//! Garbage: networks and preparations that a broken-off launch left and that nobody will ask for again.
//!
//! A workspace is never garbage: it is somebody's data.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use bollard::models::Network;
use jiff::{SignedDuration, Timestamp};
use portico_core::ports::SpawnError;

use super::{Engine, instance, labels, link::Link, network, workspace};

/// Between two sweeps, and the age of garbage: no launch takes that long between two of its steps.
const INTERVAL: Duration = Duration::from_secs(600);

/// When the last sweep was.
#[derive(Default)]
pub(super) struct Clock(Mutex<Option<Instant>>);

impl Clock {
    /// Whether it is time, and if so, that it is done now.
    fn strikes(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| last.elapsed() > INTERVAL);
        if due {
            *last = Some(Instant::now());
        }
        due
    }
}

/// Sweeps if that was not done for a while. A failure is only told to the log: the next one follows.
pub(super) async fn now_and_then(engine: &Engine, link: &Link) {
    if engine.inner.swept.strikes()
        && let Err(error) = engine.sweep_older(link, INTERVAL).await
    {
        tracing::warn!(%error, "what broken-off launches left could not be removed");
    }
}

impl Engine {
    /// Removes networks of this realm whose container does not exist, and containers that only prepared
    /// a workspace, when they are older than `age`; tells how many. The engine does this by itself too.
    ///
    /// # Errors
    /// When the engine does not answer or refuses.
    pub async fn sweep(&self, age: Duration) -> Result<usize, SpawnError> {
        self.sweep_older(&self.link().await?, age).await
    }

    async fn sweep_older(&self, link: &Link, age: Duration) -> Result<usize, SpawnError> {
        let limit = Timestamp::now() - SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
        let prepared = workspace::remove_preparations(link, self.realm(), None, limit.as_second()).await?;
        let instances = instance::list(link, self.realm(), self.config().reach()).await?;
        let needed: HashSet<_> = instances.into_iter().map(|instance| instance.name.to_string()).collect();
        let keep = |network: &Network| {
            let of = network.labels.as_ref().and_then(|labels| labels.get(labels::INSTANCE));
            let young = network
                .created
                .as_ref()
                .and_then(|created| created.parse::<Timestamp>().ok())
                .is_none_or(|created| created > limit);
            young || of.is_none_or(|name| needed.contains(name))
        };
        Ok(prepared + network::sweep(link, self.realm(), keep).await?)
    }
}
