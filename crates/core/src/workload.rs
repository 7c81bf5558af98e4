//! Workloads and their state machine.
//!
//! ```text
//! requested -> queued -> starting -> ready -> stopping -> stopped
//!      \___________\_________\________\__________\______> failed
//! stopped, failed -> requested (restart, next generation)
//! ```
//! A state holds only what is true in it. A transition consumes the state and may refuse; who applies
//! one also writes the [`Event`] that tells it.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    ids::WorkloadId,
    launch::{LaunchPlan, LaunchSpec, Owner},
    names::{AppName, EngineName, EntryPointName, InstanceName, Label, Realm},
    route::Upstream,
};

/// Something that runs, ran or will run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    pub id: WorkloadId,
    pub label: Label,
    pub owner: Owner,
    pub app: AppName,
    /// Title of the app at launch, or what the owner called it.
    pub title: String,
    /// Icon of the app at launch.
    pub icon: String,
    pub engine: EngineName,
    pub spec: LaunchSpec,
    pub state: State,
    /// Counts restarts, from 0; part of the instance's name.
    pub generation: u32,
    pub created: Timestamp,
    /// Moment of the last transition.
    pub changed: Timestamp,
    /// Row version: a write succeeds only on the version that was read.
    pub version: i64,
}

/// Where a workload is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "lowercase")]
pub enum State {
    Requested,
    /// Waits for room on the engine.
    Queued {
        /// Place in the queue, from 1, where the engine knows it.
        place: Option<u32>,
    },
    /// Given to the engine, or about to be. The engine's listing says which.
    Starting {
        since: Timestamp,
        deadline: Timestamp,
    },
    Ready {
        since: Timestamp,
        doors: BTreeMap<EntryPointName, Upstream>,
    },
    Stopping {
        since: Timestamp,
        cause: StopCause,
        then: Afterwards,
    },
    Stopped {
        at: Timestamp,
        cause: StopCause,
        exit_code: Option<i32>,
    },
    Failed {
        at: Timestamp,
        failure: Failure,
    },
}

/// The name of a state; the same words everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Requested,
    Queued,
    Starting,
    Ready,
    Stopping,
    Stopped,
    Failed,
}

impl Phase {
    pub const ALL: [Self; 7] = [
        Self::Requested,
        Self::Queued,
        Self::Starting,
        Self::Ready,
        Self::Stopping,
        Self::Stopped,
        Self::Failed,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Queued => "queued",
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Whether it ended: it holds no resources and counts against no quota.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why it was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StopCause {
    /// Somebody with the right to do so asked for it.
    Asked,
    /// It ended by itself with exit code 0.
    Finished,
    /// Its owner was disabled or deleted.
    Revoked,
}

impl StopCause {
    /// A sentence fragment for people.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Asked => "stopped on request",
            Self::Finished => "the app ended by itself",
            Self::Revoked => "stopped because its owner lost access",
        }
    }
}

/// What follows a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Afterwards {
    Rest,
    Restart,
    Delete,
}

/// Why it failed, for people: what happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Failure {
    #[error("the app ended with exit code {code} before it was stopped")]
    Crashed { code: i32 },
    #[error("the app was killed by signal {signal}")]
    Killed { signal: i32 },
    #[error("the app used more than its {memory_mib} MiB of memory and was ended")]
    OutOfMemory { memory_mib: u32 },
    #[error("the app did not answer within {seconds} seconds")]
    NeverReady { seconds: u32 },
    #[error("the image {image} was not found")]
    ImageMissing { image: String },
    #[error("the program {program} was not found on the engine's host")]
    ProgramMissing { program: String },
    #[error("the engine refused: {reason}")]
    Engine { reason: String },
    #[error("it disappeared from the engine without a trace")]
    Vanished,
}

impl Failure {
    /// What the person can do about it, in a sentence.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::Crashed { .. } | Self::Killed { .. } => {
                "Read its last log lines below, then restart it or ask who maintains the app.".to_owned()
            }
            Self::OutOfMemory { .. } => "Launch it again with a larger size.".to_owned(),
            Self::NeverReady { .. } => {
                "Read its last log lines below. If it only needs more time, ask who maintains the app for a longer ready deadline.".to_owned()
            }
            Self::ImageMissing { image } => {
                format!("An administrator can build or pull it: for an example image, `portico image build`; else `docker pull {image}`.")
            }
            Self::ProgramMissing { program } => format!("Ask an administrator to install {program}."),
            Self::Engine { .. } => "Try again in a moment; if it stays, show this page to an administrator.".to_owned(),
            Self::Vanished => "Somebody may have removed it behind Portico's back. Restart it.".to_owned(),
        }
    }
}

/// How an instance ended, as the engine saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    Code(i32),
    Signal(i32),
    OutOfMemory,
    /// The engine knows only that it ended.
    Unknown,
}

/// A transition that the present state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it is {from} and cannot {verb}")]
pub struct Refused {
    pub from: Phase,
    pub verb: &'static str,
}

impl State {
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match self {
            Self::Requested => Phase::Requested,
            Self::Queued { .. } => Phase::Queued,
            Self::Starting { .. } => Phase::Starting,
            Self::Ready { .. } => Phase::Ready,
            Self::Stopping { .. } => Phase::Stopping,
            Self::Stopped { .. } => Phase::Stopped,
            Self::Failed { .. } => Phase::Failed,
        }
    }

    /// A sentence fragment that tells the state to a person.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Requested => "accepted".to_owned(),
            Self::Queued { place: Some(place) } => {
                format!("waiting for room, place {place} in the queue")
            }
            Self::Queued { place: None } => "waiting for room".to_owned(),
            Self::Starting { .. } => "starting".to_owned(),
            Self::Ready { .. } => "answering".to_owned(),
            Self::Stopping { then: Afterwards::Restart, .. } => "stopping, to start again".to_owned(),
            Self::Stopping { then: Afterwards::Delete, .. } => "stopping, to be deleted".to_owned(),
            Self::Stopping { .. } => "stopping".to_owned(),
            Self::Stopped { cause, .. } => cause.reason().to_owned(),
            Self::Failed { failure, .. } => failure.to_string(),
        }
    }

    const fn refuse(&self, verb: &'static str) -> Refused {
        Refused { from: self.phase(), verb }
    }

    /// Requested or queued: waits, at a place of the queue where that is known.
    ///
    /// # Errors
    /// In any other state.
    pub fn queue(self, place: Option<u32>) -> Result<Self, Refused> {
        match self {
            Self::Requested | Self::Queued { .. } => Ok(Self::Queued { place }),
            other => Err(other.refuse("wait")),
        }
    }

    /// Requested or queued: is given to the engine now, and must be ready by `deadline`.
    ///
    /// # Errors
    /// In any other state.
    pub fn start(self, now: Timestamp, deadline: Timestamp) -> Result<Self, Refused> {
        match self {
            Self::Requested | Self::Queued { .. } => Ok(Self::Starting { since: now, deadline }),
            other => Err(other.refuse("start")),
        }
    }

    /// Starting: runs now, and must answer by `deadline`. What the engine needed before, such as the
    /// pull of an image, does not count.
    ///
    /// # Errors
    /// In any other state.
    pub fn launched(self, deadline: Timestamp) -> Result<Self, Refused> {
        match self {
            Self::Starting { since, .. } => Ok(Self::Starting { since, deadline }),
            other => Err(other.refuse("be launched")),
        }
    }

    /// Ready: answers at other doors than before, as after the engine itself was started anew.
    ///
    /// # Errors
    /// In any other state.
    pub fn moved(self, doors: BTreeMap<EntryPointName, Upstream>) -> Result<Self, Refused> {
        match self {
            Self::Ready { since, .. } => Ok(Self::Ready { since, doors }),
            other => Err(other.refuse("move")),
        }
    }

    /// Starting: answers at these doors.
    ///
    /// # Errors
    /// In any other state.
    pub fn ready(self, now: Timestamp, doors: BTreeMap<EntryPointName, Upstream>) -> Result<Self, Refused> {
        match self {
            Self::Starting { .. } => Ok(Self::Ready { since: now, doors }),
            other => Err(other.refuse("become ready")),
        }
    }

    /// Any state before the end: begins to stop. A stop under way keeps its cause and start, and takes
    /// over the stronger wish for what comes afterwards.
    ///
    /// # Errors
    /// When it has ended.
    pub fn stop(self, now: Timestamp, cause: StopCause, then: Afterwards) -> Result<Self, Refused> {
        match self {
            Self::Stopped { .. } | Self::Failed { .. } => Err(self.refuse("stop")),
            Self::Stopping { since, cause, then: before } => {
                let then = if before == Afterwards::Delete { before } else { then };
                Ok(Self::Stopping { since, cause, then })
            }
            _ => Ok(Self::Stopping { since: now, cause, then }),
        }
    }

    /// Starting, ready or stopping: the engine says that it ended.
    ///
    /// # Errors
    /// In any other state.
    pub fn ended(self, now: Timestamp, exit: Exit, memory_mib: u32) -> Result<Self, Refused> {
        match (self, exit) {
            (Self::Stopping { then: Afterwards::Restart, .. }, _) => Ok(Self::Requested),
            (Self::Stopping { cause, .. }, exit) => {
                let exit_code = if let Exit::Code(code) = exit { Some(code) } else { None };
                Ok(Self::Stopped { at: now, cause, exit_code })
            }
            (Self::Starting { .. } | Self::Ready { .. }, Exit::Code(0)) => {
                Ok(Self::Stopped { at: now, cause: StopCause::Finished, exit_code: Some(0) })
            }
            (Self::Starting { .. } | Self::Ready { .. }, exit) => {
                let failure = match exit {
                    Exit::Code(code) => Failure::Crashed { code },
                    Exit::Signal(signal) => Failure::Killed { signal },
                    Exit::OutOfMemory => Failure::OutOfMemory { memory_mib },
                    Exit::Unknown => Failure::Vanished,
                };
                Ok(Self::Failed { at: now, failure })
            }
            (other, _) => Err(other.refuse("end")),
        }
    }

    /// Any state before the end: fails.
    ///
    /// # Errors
    /// When it has ended.
    pub fn fail(self, now: Timestamp, failure: Failure) -> Result<Self, Refused> {
        if self.phase().is_ended() {
            return Err(self.refuse("fail"));
        }
        Ok(Self::Failed { at: now, failure })
    }

    /// Stopped or failed: is asked for again.
    ///
    /// # Errors
    /// In any other state.
    pub fn restart(self) -> Result<Self, Refused> {
        match self {
            Self::Stopped { .. } | Self::Failed { .. } => Ok(Self::Requested),
            other => Err(other.refuse("start again")),
        }
    }
}

impl Workload {
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.state.phase()
    }

    /// What the engine calls the present run.
    #[must_use]
    pub fn instance(&self, realm: &Realm) -> InstanceName {
        InstanceName::new(realm, &self.label, self.generation)
    }

    /// What the engine is told for the present run.
    #[must_use]
    pub fn plan(&self, realm: &Realm) -> LaunchPlan {
        LaunchPlan {
            instance: self.instance(realm),
            workload: self.id.clone(),
            label: self.label.clone(),
            owner: self.owner.clone(),
            spec: self.spec.clone(),
        }
    }

    /// Applies a transition: the new state, its moment, and the next generation when it starts over.
    #[must_use]
    pub fn with_state(mut self, state: State, now: Timestamp) -> Self {
        let starts_over = state.phase() == Phase::Requested && self.phase() != Phase::Requested;
        if starts_over {
            self.generation = self.generation.saturating_add(1);
        }
        self.state = state;
        self.changed = now;
        self
    }
}

/// One line of a workload's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub workload: WorkloadId,
    /// Counts from 1 within the workload.
    pub number: i64,
    pub at: Timestamp,
    /// Who caused it: a user's display name, or `portico`.
    pub actor: String,
    pub phase: Phase,
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn starting() -> State {
        State::Requested.start(NOW, NOW).expect("starts")
    }

    #[test]
    fn the_straight_path_is_allowed() {
        let ready = starting().ready(NOW, BTreeMap::new()).expect("ready");
        let stopping = ready.stop(NOW, StopCause::Asked, Afterwards::Rest).expect("stopping");
        let stopped = stopping.ended(NOW, Exit::Signal(15), 1).expect("stopped");
        assert_eq!(stopped.phase(), Phase::Stopped);
        assert_eq!(stopped.restart(), Ok(State::Requested));
    }

    #[test]
    fn nothing_leaves_an_ended_state_but_a_restart() {
        let failed = State::Requested.fail(NOW, Failure::Vanished).expect("failed");
        assert!(failed.clone().queue(None).is_err());
        assert!(failed.clone().start(NOW, NOW).is_err());
        assert!(failed.clone().ready(NOW, BTreeMap::new()).is_err());
        assert!(failed.clone().stop(NOW, StopCause::Asked, Afterwards::Rest).is_err());
        assert!(failed.clone().ended(NOW, Exit::Code(0), 1).is_err());
        assert!(failed.clone().fail(NOW, Failure::Vanished).is_err());
        assert_eq!(failed.restart(), Ok(State::Requested));
    }

    #[test]
    fn a_stop_that_deletes_is_not_weakened() {
        let deleting = starting().stop(NOW, StopCause::Asked, Afterwards::Delete).expect("stopping");
        let again = deleting.clone().stop(NOW, StopCause::Asked, Afterwards::Restart).expect("stopping");
        assert_eq!(again, deleting);
    }

    #[test]
    fn an_exit_is_told_by_what_was_wished() {
        assert_eq!(starting().ended(NOW, Exit::Code(0), 1).expect("ended").phase(), Phase::Stopped);
        assert_eq!(
            starting().ended(NOW, Exit::Code(3), 1).expect("ended").reason(),
            "the app ended with exit code 3 before it was stopped"
        );
        let restarting = starting().stop(NOW, StopCause::Asked, Afterwards::Restart).expect("stopping");
        assert_eq!(restarting.ended(NOW, Exit::Code(3), 1), Ok(State::Requested));
    }
}
