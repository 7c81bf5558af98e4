//! Workloads: what runs, ran or will run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portico_core::{UserId, WorkloadId, ports, quota, workload as core};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Where a workload is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Accepted.
    Requested,
    /// Waits for room on the engine.
    Queued,
    /// Given to the engine, does not answer yet.
    Starting,
    /// Answers.
    Ready,
    /// Is being ended.
    Stopping,
    /// Ended on request, or by itself without an error.
    Stopped,
    /// Ended by an error; `reason` and `advice` say more.
    Failed,
}

/// Something that runs, ran or will run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Workload {
    #[schema(value_type = String)]
    pub id: WorkloadId,
    /// First part of its host name; never used again.
    pub label: String,
    pub title: String,
    /// Name of the app it was launched from.
    pub app: String,
    /// Name of a built-in icon, or a `data:image/` URL.
    pub icon: String,
    pub engine: String,
    pub owner: Owner,
    pub phase: Phase,
    /// The phase in words, with what is known of its cause.
    pub reason: String,
    /// What to do after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// Moment of the last transition.
    #[schema(value_type = String, format = DateTime)]
    pub changed: Timestamp,
    /// Counts restarts, from 0.
    pub generation: u32,
    /// Accepted answers, by the names of the app's parameters.
    pub parameters: BTreeMap<String, String>,
    pub limits: Limits,
    /// What it sees of the world outside, as planned, in words.
    pub mounts: Vec<String>,
    pub entry_points: Vec<EntryPoint>,
    /// Page of Portico that leads into it, for a signed-in browser.
    pub open_url: String,
    /// Its log, as text.
    pub log_url: String,
    /// Exit code of the last run, where the engine told one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
}

/// Whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Owner {
    #[schema(value_type = String)]
    pub id: UserId,
    /// As the person is called; absent when the account is no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Safe form of the name.
    pub slug: String,
}

/// What it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Limits {
    /// Thousandths of a core.
    pub cpu_millis: u32,
    /// Mebibytes of memory.
    pub memory_mib: u32,
    /// Processes and threads.
    pub pids: u32,
}

/// A door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryPoint {
    /// `main` is what *Open* opens.
    pub name: String,
    pub title: String,
    /// Page of Portico that leads through it, for a signed-in browser.
    pub url: String,
}

/// What to launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorkload {
    /// Name of an app.
    #[schema(max_length = 40, pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
    pub app: String,
    /// Answers by the names of the app's parameters; what is missing takes its default.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Name of one of the app's sizes; the first one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// Another title than the app's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// What to change of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadChanges {
    /// 1 to 80 characters.
    pub title: String,
}

/// Which workloads to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WorkloadFilter {
    /// `all` lists everybody's, for administrators; own ones otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub of: Option<Of>,
    /// Id of an owner, for administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub owner: Option<UserId>,
    /// Phases, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Name of an app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Name of an engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Part of title, app, owner's slug or label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}

/// Whose workloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Of {
    Me,
    All,
}

/// One line of a workload's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Counts from 1 within the workload.
    pub number: i64,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who caused it: a user's name, or `portico`.
    pub actor: String,
    pub phase: Phase,
    pub reason: String,
}

/// From where in the history on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// Number of the last event that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 0)]
    pub after: Option<i64>,
    /// At most this many, 1 to 200; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u16>,
}

/// How much of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// Goes on as the log grows, until the workload ends.
    #[serde(default)]
    pub follow: bool,
    /// Only the last lines, 1 to 10000. Not together with `follow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 10000)]
    pub tail: Option<u32>,
}

/// What a workload used at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// CPU time used so far, in microseconds; grows.
    pub cpu_micros: u64,
    /// Thousandths of a core used since the sample before.
    pub cpu_millis: u64,
    pub memory_bytes: u64,
    pub memory_limit_bytes: u64,
    pub pids: u32,
}

/// What a workload used in the last ten minutes that somebody looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageHistory {
    /// Oldest first, two seconds apart.
    pub samples: Vec<Usage>,
    pub limits: Limits,
}

impl From<core::Phase> for Phase {
    fn from(phase: core::Phase) -> Self {
        match phase {
            core::Phase::Requested => Self::Requested,
            core::Phase::Queued => Self::Queued,
            core::Phase::Starting => Self::Starting,
            core::Phase::Ready => Self::Ready,
            core::Phase::Stopping => Self::Stopping,
            core::Phase::Stopped => Self::Stopped,
            core::Phase::Failed => Self::Failed,
        }
    }
}

impl Phase {
    /// Whether it ended.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed)
    }
}

impl From<quota::Limits> for Limits {
    fn from(limits: quota::Limits) -> Self {
        let quota::Limits { cpu_millis, memory_mib, pids } = limits;
        Self { cpu_millis, memory_mib, pids }
    }
}

impl From<core::Event> for Event {
    fn from(event: core::Event) -> Self {
        let core::Event { number, at, actor, phase, reason, .. } = event;
        Self { number, at, actor, phase: phase.into(), reason }
    }
}

impl Usage {
    /// A sample and what was used since the one before.
    #[must_use]
    pub fn between(before: &ports::Usage, now: &ports::Usage, limits: quota::Limits) -> Self {
        let millis = now.at.as_millisecond().saturating_sub(before.at.as_millisecond()).max(1);
        let micros = now.cpu_micros.saturating_sub(before.cpu_micros);
        Self {
            at: now.at,
            cpu_micros: now.cpu_micros,
            cpu_millis: micros / u64::try_from(millis).unwrap_or(1),
            memory_bytes: now.memory_bytes,
            memory_limit_bytes: limits.memory_bytes(),
            pids: now.pids,
        }
    }
}

impl Workload {
    /// As seen by a client of the installation at `origin`; the owner's name is known only to the store.
    #[must_use]
    pub fn new(row: core::Workload, owner: Option<String>, origin: &str) -> Self {
        let advice = match &row.state {
            core::State::Failed { failure, .. } => Some(failure.advice()),
            _ => None,
        };
        let open = format!("{origin}/open/{}", row.label);
        let url = |name: &str| if name == "main" { open.clone() } else { format!("{open}?entry={name}") };
        let entry_points = row.spec.entry_points.iter().map(|(name, entry)| EntryPoint {
            name: name.to_string(),
            title: if entry.title.is_empty() { name.to_string() } else { entry.title.clone() },
            url: url(name.as_str()),
        });
        Self {
            phase: row.phase().into(),
            reason: row.state.reason(),
            exit_code: exit_code(&row.state),
            advice,
            entry_points: entry_points.collect(),
            mounts: mounts(&row.spec.mounts),
            limits: row.spec.limits.into(),
            log_url: format!("{origin}/api/v1/workloads/{}/logs", row.id),
            open_url: open.clone(),
            id: row.id,
            label: row.label.to_string(),
            title: row.title,
            app: row.app.to_string(),
            icon: row.icon,
            engine: row.engine.to_string(),
            owner: Owner { id: row.owner.user, name: owner, slug: row.owner.slug.to_string() },
            created: row.created,
            changed: row.changed,
            generation: row.generation,
            parameters: row.spec.parameters.into_iter().map(|(name, answer)| (name.into(), answer)).collect(),
        }
    }
}

fn exit_code(state: &core::State) -> Option<i32> {
    match state {
        core::State::Stopped { exit_code, .. } => *exit_code,
        core::State::Failed { failure: core::Failure::Crashed { code }, .. } => Some(*code),
        _ => None,
    }
}

fn mounts(mounts: &[portico_core::app::Mount]) -> Vec<String> {
    let workspace = "its own workspace, read-write".to_owned();
    let tell = |mount: &portico_core::app::Mount| {
        let mode = match mount.mode {
            portico_core::app::MountMode::ReadOnly => "read-only",
            portico_core::app::MountMode::ReadWrite => "read-write",
        };
        format!("{} at {}, {mode}", mount.source, mount.target)
    };
    std::iter::once(workspace).chain(mounts.iter().map(tell)).collect()
}
