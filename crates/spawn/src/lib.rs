//! Engines: the places where workloads run, each behind [`portico_core::ports::Spawner`].
//!
//! An engine knows how to start, find, stop and forget instances. It holds no record of its own beyond
//! what the place itself keeps (labels, run directories), so that a hub which died finds everything
//! again by asking. Deciding what should run is the hub's business; seeing that an app answers is
//! [`probe`]'s.

pub mod docker;
#[cfg(feature = "fake")]
pub mod fake;
pub mod local;
pub mod probe;
