//! Engines, as administrators see them.

use portico_core::{access::Permit, names::EngineName, ports::Health};

use crate::{error::Error, state::Hub, task};

/// An engine and how it was when it was last asked.
#[derive(Debug, Clone)]
pub struct EngineState {
    pub name: EngineName,
    pub kind: &'static str,
    pub health: Health,
    /// Workloads on it that have not ended.
    pub workloads: u64,
    /// Most workloads at once.
    pub capacity: Option<u32>,
}

/// All engines by name. One that was not asked yet is asked now.
///
/// # Errors
/// When the store fails.
pub async fn list(hub: &Hub, permit: &Permit) -> Result<Vec<EngineState>, Error> {
    let states = hub.engines.keys().map(|name| get(hub, permit, name, Freshness::Cached));
    futures_util::future::try_join_all(states).await
}

/// How new an answer has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// As last seen.
    Cached,
    /// Asked now.
    Now,
}

/// One engine.
///
/// # Errors
/// [`Error::NotFound`] when there is none of this name.
pub async fn get(
    hub: &Hub,
    _permit: &Permit,
    name: &EngineName,
    fresh: Freshness,
) -> Result<EngineState, Error> {
    let engine = hub.engines.get(name).ok_or(Error::NotFound)?;
    let cached = hub.live.engines.health(name).filter(|_| fresh == Freshness::Cached);
    let health = match cached {
        Some(health) => health,
        None => task::engine::look(hub, name, engine.as_ref()).await,
    };
    let mut tx = hub.store.begin_read("engine.get").await?;
    let live = portico_store::workload::live(&mut tx).await?;
    let workloads = live.iter().filter(|row| row.engine == *name).count();
    Ok(EngineState {
        name: name.clone(),
        kind: engine.kind(),
        health,
        workloads: u64::try_from(workloads).unwrap_or(u64::MAX),
        capacity: hub.config.workload.max_per_engine.get(name).copied(),
    })
}
