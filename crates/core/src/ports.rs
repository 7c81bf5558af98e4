//! The doors to the outside: [`Spawner`], behind which engines live, and [`Gate`], by which the front
//! door asks the hub what it cannot know by itself.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    app::Check,
    ids::WorkloadId,
    launch::LaunchPlan,
    names::{EntryPointName, InstanceName, Label},
    pass::Pass,
    route::Upstream,
    workload::Exit,
};

/// An engine: a place where workloads run.
///
/// All methods may be called again after a crash with the same arguments: `launch` finds what it
/// already made, `stop` and `remove` succeed when there is nothing left to do. Each returns within the
/// deadline that the engine's configuration sets; callers may drop the future of any method, and the
/// next call finds out how far it got.
#[async_trait]
pub trait Spawner: Send + Sync + 'static {
    /// What kind of engine it is: `local`, `docker`, ...
    fn kind(&self) -> &'static str;

    /// How it is. Never fails: an engine that cannot be reached says so in the answer.
    async fn health(&self) -> Health;

    /// Whether this app definition could run here: image or program present, options supported.
    async fn check(&self, program: &crate::app::App) -> Result<(), SpawnError>;

    /// Starts the plan's instance unless an instance of that name exists, and tells the steps.
    async fn launch(&self, plan: &LaunchPlan, progress: &dyn Progress) -> Result<Instance, SpawnError>;

    /// All instances of this Portico's realm, ended ones included.
    async fn list(&self) -> Result<Vec<Instance>, SpawnError>;

    /// One instance, or `None` when there is none of that name.
    async fn inspect(&self, name: &InstanceName) -> Result<Option<Instance>, SpawnError>;

    /// Ends it: politely, and after `grace` by force. Returns when it has ended.
    async fn stop(&self, name: &InstanceName, grace: Duration) -> Result<(), SpawnError>;

    /// Forgets an ended instance. Its workspace stays.
    async fn remove(&self, name: &InstanceName) -> Result<(), SpawnError>;

    /// Deletes the workspace of a workload none of whose instances is left.
    async fn discard_workspace(&self, label: &Label) -> Result<(), SpawnError>;

    /// The log from the beginning, and on as it grows when `follow` says so. Ends with the instance.
    async fn logs(&self, name: &InstanceName, follow: Follow) -> Result<LogStream, SpawnError>;

    /// What a running instance uses now.
    async fn usage(&self, name: &InstanceName) -> Result<Usage, SpawnError>;

    /// Yields whenever something may have changed; only a hint to look now rather than later. Never
    /// ends while the engine lives.
    fn changes(&self) -> BoxStream<'static, ()>;
}

/// Lines of a log as raw chunks, in order; both output streams mixed.
pub type LogStream = BoxStream<'static, Result<Bytes, SpawnError>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// Until the present end.
    No,
    /// Until the instance ends.
    Yes,
}

/// One run of a workload, as the engine sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    pub name: InstanceName,
    pub workload: WorkloadId,
    pub label: Label,
    /// The engine's own name for it: container id, process id.
    pub native: String,
    pub status: InstanceStatus,
    /// Where its entry points can be reached; complete as soon as it runs.
    pub doors: BTreeMap<EntryPointName, Upstream>,
    /// What it sees of the outside, in words, as really mounted: `workspace at /workspace, read-write`.
    pub mounts: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceStatus {
    /// Made, but not yet running.
    Created,
    Running,
    Ended(Exit),
}

/// Hears about the steps of a launch. Called from within `launch`; must not block.
pub trait Progress: Send + Sync {
    fn step(&self, step: Step);
}

/// A step of a launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    Preparing,
    /// Fetching an image; percent where the engine knows it.
    Pulling {
        image: String,
        percent: Option<u8>,
    },
    Creating,
    /// Running, not yet answering.
    Starting,
}

/// How an engine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    pub condition: Condition,
    /// Product and version, for example `Docker 20.10.24`.
    pub version: String,
    /// What separates workloads from each other and from the host here, in sentences.
    pub isolation: Vec<Isolation>,
    pub checked: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Condition {
    Working,
    /// Works with a limitation.
    Limited {
        problem: String,
        advice: String,
    },
    Unreachable {
        problem: String,
        advice: String,
    },
}

/// One kind of isolation and whether it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// For example `own file system view`.
    pub what: String,
    pub holds: bool,
    /// How it is done, or what is missing.
    pub how: String,
}

/// What an instance uses at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub at: Timestamp,
    /// CPU time used so far, in microseconds; grows.
    pub cpu_micros: u64,
    pub memory_bytes: u64,
    pub pids: u32,
}

/// Why an engine did not do what it was asked. Texts are for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpawnError {
    /// The engine does not answer; trying again later makes sense.
    #[error("the engine cannot be reached: {0}")]
    Unreachable(String),
    #[error("the image {0} was not found")]
    ImageMissing(String),
    #[error("the program {0} was not found")]
    ProgramMissing(String),
    #[error("there is no such instance")]
    NoInstance,
    /// Trying again will not help.
    #[error("{0}")]
    Refused(String),
}

impl SpawnError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }
}

/// Sees when an app answers.
#[async_trait]
pub trait Probe: Send + Sync + 'static {
    /// Returns once the instance counts as ready, and never for one that never does: who waits sets the
    /// deadline. May be dropped at any point.
    async fn wait(&self, engine: &dyn Spawner, check: &Check, main: &Upstream, instance: &InstanceName);
}

/// How browsers reach workloads; the front door knows.
pub trait Origins: Send + Sync + 'static {
    /// Origin of an entry point, without a slash at its end.
    fn origin(&self, label: &Label, entry: &EntryPointName) -> String;

    /// `/` where the entry point has its own origin, else the path it lives under, with slashes around.
    fn base_path(&self, label: &Label, entry: &EntryPointName) -> String;

    /// Where a browser exchanges a ticket for a pass and goes on to `next`, a path at that origin.
    fn ticket_url(&self, label: &Label, entry: &EntryPointName, ticket: &str, next: &str) -> String;
}

/// What the front door asks of the hub.
#[async_trait]
pub trait Gate: Send + Sync + 'static {
    /// Exchanges a ticket for a pass at the origin of `label`; a ticket is accepted once.
    async fn redeem(&self, ticket: &str, label: &Label) -> Result<SignedPass, Void>;

    /// A page for a person who holds a valid pass to a workload that cannot be entered now.
    async fn explain(&self, pass: &Pass) -> Page;

    /// A page for a person about whom nothing is known.
    fn refuse(&self, refusal: Refusal) -> Page;

    /// Tells that passes were used, at most once every few seconds per pass.
    fn seen(&self, pass: &Pass, at: Timestamp);
}

/// A pass as the cookie carries it.
#[derive(Debug, Clone)]
pub struct SignedPass {
    pub text: String,
    pub pass: Pass,
}

/// The ticket is not valid, or not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the link is not valid any more")]
pub struct Void;

/// What a visitor without a pass, or with a broken app, is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The ticket was used or is too old; says how to go on.
    VoidTicket,
    /// The request comes from another site's page.
    ForeignOrigin,
    /// The app did not answer, or broke off.
    BadUpstream,
    /// The app did not answer in time.
    SlowUpstream,
    /// The browser does not keep our cookie.
    NoCookie,
    /// The address does not belong to this Portico.
    UnknownHost,
    /// Too much at once, or too large.
    TooMuch,
}

/// A complete HTML page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    pub html: String,
    /// Seconds after which the page may be asked for again.
    pub retry_after: Option<u32>,
}
