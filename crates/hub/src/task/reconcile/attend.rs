//! Brings one workload to agreement with its engine, one step after another.
//!
//! There is at most one worker per workload, so that two steps never meet. A worker holds nothing but
//! the id: each round it reads the row, asks the engine, and does what [`decide`] says. A stop that is
//! asked for meanwhile nudges it, and a launch or probe under way is dropped.

use std::{sync::Arc, time::Duration};

use portico_core::{
    Timestamp, WorkloadId, failpoint,
    names::EntryPointName,
    ports::{Instance, Progress, SpawnError, Spawner, Step},
    workload::{Failure, Workload},
};
use tokio::time::timeout;

use super::{
    ASK, decide,
    end::{self, Engine},
    record::{self, RecordError},
    room::deadline,
};
use crate::{
    live::workers::{Nudge, StayOn},
    state::Hub,
    task::publish,
};

/// Shortest time that a running app is given to answer, even when its deadline passed while the hub was
/// away.
const LEAST_PROBE: Duration = Duration::from_secs(2);

/// What a round ended with.
pub(super) enum Round {
    /// Look again at once.
    Again,
    /// Look again; this is what the engine has.
    Seen(Option<Instance>),
    /// Nothing to do until somebody says so.
    Rest,
}

/// Why a round was broken off. It is begun anew by the next survey.
pub(super) enum Trouble {
    Record(RecordError),
    Engine(SpawnError),
}

impl From<RecordError> for Trouble {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl From<SpawnError> for Trouble {
    fn from(error: SpawnError) -> Self {
        Self::Engine(error)
    }
}

/// Sees to it that somebody attends to this workload now.
pub(crate) fn attend(hub: &Hub, id: &WorkloadId) {
    if let Some(nudge) = hub.live.workers.enter(id) {
        hub.tasks.tracker.spawn(work(hub.clone(), id.clone(), nudge, None));
    }
}

/// The same for a run whose row was just written: the engine need not be asked whether it has it.
pub(super) fn attend_new(hub: &Hub, row: &Workload) {
    if let Some(nudge) = hub.live.workers.enter(&row.id) {
        hub.tasks.tracker.spawn(work(hub.clone(), row.id.clone(), nudge, Some(row.clone())));
    }
}

/// Takes the worker off the list however it ends.
struct Attending<'a> {
    hub: &'a Hub,
    id: &'a WorkloadId,
    nudge: &'a Arc<Nudge>,
}

impl Drop for Attending<'_> {
    fn drop(&mut self) {
        self.hub.live.workers.drop_worker(self.id, self.nudge);
    }
}

async fn work(hub: Hub, id: WorkloadId, nudge: Arc<Nudge>, new: Option<Workload>) {
    let _attending = Attending { hub: &hub, id: &id, nudge: &nudge };
    let mut seen = new.map(|row| (Some(row), None));
    while !hub.tasks.soft.is_cancelled() {
        nudge.begin();
        let known = seen.take();
        match round(&hub, &id, &nudge, known).await {
            Ok(Round::Again) | Err(Trouble::Record(RecordError::Superseded)) => continue,
            Ok(Round::Seen(instance)) => {
                seen = Some((None, instance));
                continue;
            }
            Ok(Round::Rest) => {}
            Err(Trouble::Engine(error)) => {
                tracing::warn!(workload.id = %id, error = &error as &dyn std::error::Error, "the engine did not do its part; trying again");
            }
            Err(Trouble::Record(error)) => {
                tracing::warn!(workload.id = %id, error = &error as &dyn std::error::Error, "a step was not recorded; trying again");
            }
        }
        if let Ok(()) = hub.live.workers.leave(&id) {
            return;
        }
        let StayOn = StayOn;
    }
}

type Known = (Option<Workload>, Option<Instance>);

async fn round(hub: &Hub, id: &WorkloadId, nudge: &Nudge, known: Option<Known>) -> Result<Round, Trouble> {
    let (row, known) = match known {
        Some((row, instance)) => (row, Some(instance)),
        None => (None, None),
    };
    let row = match row {
        Some(row) => row,
        None => match record::load(hub, id).await? {
            Some(row) => row,
            None => return Ok(Round::Rest),
        },
    };
    let Some(engine) = Engine::of(hub, &row) else {
        tracing::warn!(workload.id = %id, engine.name = %row.engine, "its engine is not configured");
        return Ok(Round::Rest);
    };
    let seen = match known {
        Some(seen) => seen,
        None => engine.inspect().await?,
    };
    use decide::Action;
    match decide::decide(&row.state, seen.as_ref()) {
        Action::Rest => Ok(Round::Rest),
        Action::AwaitRoom => {
            hub.live.workers.wake();
            Ok(Round::Rest)
        }
        Action::Launch => launch(hub, &row, &engine, nudge).await,
        Action::Probe { until } => match seen {
            Some(instance) => probe(hub, &row, &engine, instance, until, nudge).await,
            None => Ok(Round::Again),
        },
        Action::Move(doors) => {
            record::amend(hub, &row, row.state.clone().moved(doors).map_err(RecordError::from)?).await?;
            publish::now(hub).await;
            Ok(Round::Rest)
        }
        Action::RecordEnd(exit) => end::record_end(hub, &row, &engine, exit).await,
        Action::RecordLoss(failure) => end::record_failure(hub, &row, failure).await,
        Action::End => end::end(hub, &row, &engine).await,
        Action::Conclude(then) => end::conclude(hub, &row, &engine, then, None).await,
        Action::ClearAway => end::clear_away(hub, &row, &engine).await,
    }
}

/// Passes the steps of a launch on to whoever watches.
struct Steps<'a> {
    hub: &'a Hub,
    row: &'a Workload,
}

impl Progress for Steps<'_> {
    fn step(&self, step: Step) {
        self.hub.live.steps.note(&self.row.id, self.hub.now(), step);
        self.hub.tell_workload(self.row);
    }
}

async fn launch(hub: &Hub, row: &Workload, engine: &Engine<'_>, nudge: &Nudge) -> Result<Round, Trouble> {
    let plan = row.plan(&hub.config.realm);
    let steps = Steps { hub, row };
    hub.metrics.work.called(hub.now(), row);
    failpoint::hit("reconcile.before-engine");
    let launched = tokio::select! {
        launched = engine.spawner.launch(&plan, &steps) => launched,
        () = superseded(hub, row, nudge) => return Ok(Round::Again),
        () = hub.tasks.soft.cancelled() => return Ok(Round::Rest),
    };
    failpoint::hit("reconcile.after-engine");
    match launched {
        Ok(instance) => {
            let deadline = deadline(hub.now(), row);
            record::amend(hub, row, row.state.clone().launched(deadline).map_err(RecordError::from)?).await?;
            Ok(Round::Seen(Some(instance)))
        }
        Err(error) if error.is_temporary() => Err(Trouble::Engine(error)),
        Err(error) => end::record_failure(hub, row, failure_of(error)).await,
    }
}

fn failure_of(error: SpawnError) -> Failure {
    match error {
        SpawnError::ImageMissing(image) => Failure::ImageMissing { image },
        SpawnError::ProgramMissing(program) => Failure::ProgramMissing { program },
        SpawnError::NoInstance => Failure::Vanished,
        SpawnError::Refused(reason) | SpawnError::Unreachable(reason) => Failure::Engine { reason },
    }
}

/// Returns when the row is not any more what it was: a stop was asked for.
async fn superseded(hub: &Hub, row: &Workload, nudge: &Nudge) {
    loop {
        nudge.heard().await;
        match record::load(hub, &row.id).await {
            Ok(Some(now)) if now.version == row.version || now.phase() == row.phase() => {}
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(workload.id = %row.id, error = &error as &dyn std::error::Error, "its row could not be read; going on");
            }
        }
    }
}

async fn probe(
    hub: &Hub,
    row: &Workload,
    engine: &Engine<'_>,
    instance: Instance,
    until: Timestamp,
    nudge: &Nudge,
) -> Result<Round, Trouble> {
    let main: EntryPointName = "main".parse().expect("a safe name");
    let left = until.duration_since(hub.now());
    let left = Duration::try_from(left).unwrap_or_default().max(LEAST_PROBE);
    let answered = async {
        match instance.doors.get(&main) {
            Some(door) => {
                let spawner: &dyn Spawner = engine.spawner.as_ref();
                hub.probe.wait(spawner, &row.spec.ready.check, door, &instance.name).await;
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = answered => {
            let now = hub.now();
            failpoint::hit("reconcile.before-ready-row");
            let doors = instance.doors.clone();
            record::write(hub, row, row.state.clone().ready(now, doors).map_err(RecordError::from)?).await?;
            failpoint::hit("reconcile.after-ready-row");
            Ok(Round::Rest)
        }
        // Ended, stopped, or nothing of the kind: the next round looks.
        () = nudge.heard() => Ok(Round::Again),
        () = hub.tasks.soft.cancelled() => Ok(Round::Rest),
        () = tokio::time::sleep(left) => {
            engine.keep_log(hub, row).await;
            let seconds = row.spec.ready.deadline_seconds;
            end::record_failure(hub, row, Failure::NeverReady { seconds }).await
        }
    }
}

/// An answer of an engine within its deadline.
pub(super) async fn asked<T>(
    deadline: Duration,
    question: impl Future<Output = Result<T, SpawnError>>,
) -> Result<T, SpawnError> {
    let late = || SpawnError::Unreachable(format!("no answer within {} seconds", deadline.as_secs()));
    timeout(deadline.max(ASK), question).await.unwrap_or_else(|_| Err(late()))
}
