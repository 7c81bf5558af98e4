//! What the front door knows: where each workload answers, and who was shut out since.
//!
//! Both are immutable values which the hub publishes as a whole; the front door only looks things up.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{LoginId, UserId, WorkloadId},
    names::{EntryPointName, Label, Slug},
    pass::Pass,
};

/// Where an app listens, seen from the front door.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Upstream {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// One workload that is alive, as the front door sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub workload: WorkloadId,
    pub label: Label,
    pub owner: UserId,
    pub owner_slug: Slug,
    pub doors: Doors,
}

/// Whether a route leads anywhere yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Doors {
    /// Answering: at least `main`.
    Open(BTreeMap<EntryPointName, Upstream>),
    /// Requested, queued, starting or stopping.
    Closed,
}

/// All routes, by label. Cloning shares the routes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteTable {
    routes: HashMap<Label, Arc<Route>>,
}

impl RouteTable {
    #[must_use]
    pub fn get(&self, label: &Label) -> Option<&Arc<Route>> {
        self.routes.get(label)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.values()
    }
}

impl FromIterator<Route> for RouteTable {
    fn from_iter<I: IntoIterator<Item = Route>>(routes: I) -> Self {
        Self { routes: routes.into_iter().map(|route| (route.label.clone(), Arc::new(route))).collect() }
    }
}

/// Who was shut out. Entries may be forgotten once every pass they could concern has expired.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocations {
    /// Logins that ended before their time.
    pub logins: HashMap<LoginId, Timestamp>,
    /// Users whose passes issued up to that moment are void.
    pub users: HashMap<UserId, Timestamp>,
    /// Workloads whose passes issued up to that moment are void.
    pub workloads: HashMap<WorkloadId, Timestamp>,
}

impl Revocations {
    /// Whether this pass was made void.
    #[must_use]
    pub fn cover(&self, pass: &Pass) -> bool {
        self.logins.contains_key(&pass.login)
            || self.users.get(&pass.user).is_some_and(|at| pass.issued <= *at)
            || self.workloads.get(&pass.workload).is_some_and(|at| pass.issued <= *at)
    }
}

/// What the hub publishes to the front door, as one consistent value.
#[derive(Debug, Clone, Default)]
pub struct Published {
    pub routes: Arc<RouteTable>,
    pub revocations: Arc<Revocations>,
}
