//! One workload as it goes: states, steps of the launch, lines of the log, the end.

use std::collections::VecDeque;

use axum::{
    extract::State,
    response::{Response, sse::Event},
};
use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use http::HeaderMap;
use portico_core::{
    WorkloadId,
    access::Action,
    ports::Follow,
    workload::{Phase, State as WorkloadState, Workload},
};
use serde_json::{Value, json};
use tokio::{
    sync::broadcast,
    time::{Duration, timeout},
};

use super::logs::lines;
use crate::{
    api::sse,
    auth::{Actor, SignedIn},
    bus::Change,
    error::Error,
    http::extract::At,
    live::StepAt,
    service::{self, workload::Found},
    state::Hub,
};

/// What wakes a watcher even when no word arrives.
const PAUSE: Duration = Duration::from_secs(5);

/// Most lines of the log that are told at the end.
const MOST_AT_END: usize = 1000;

/// What happens to it, as it happens.
///
/// `state` (with the event's number as id: `phase`, `reason`, `advice`, `place`, `actor`, `at`), `step`
/// (`step`, `image`, `percent`), `log` (`line`) and at last `end`. `Last-Event-ID` goes on after a number.
#[utoipa::path(get, path = "/api/v1/workloads/{id}/events/stream", tag = "workloads", operation_id = "watch_workload",
    params(("id" = String, Path, description = "Id of a workload"),
        ("Last-Event-ID" = Option<i64>, Header, minimum = 0, description = "Number of the last event that is known")),
    responses((status = 200, description = "Server-sent events", body = String, content_type = "text/event-stream")))]
pub(super) async fn stream(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<WorkloadId>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let last = headers.get("last-event-id").and_then(|last| last.to_str().ok()?.parse().ok()).unwrap_or(0);
    service::workload::find(&hub, &who.actor, &id, Action::View).await?;
    let watcher = Watcher {
        changes: hub.bus.listen(),
        hub: hub.clone(),
        actor: who.actor,
        id,
        last: std::cmp::max(last, 0),
        steps: 0,
        step: None,
        log: stream::pending().boxed(),
        followed: None,
        told: 0,
        pending: VecDeque::new(),
        over: false,
    };
    let events = stream::unfold(watcher, async |mut watcher| Some((watcher.next().await?, watcher)));
    Ok(sse::answer(&hub, events))
}

struct Watcher {
    hub: Hub,
    actor: Actor,
    id: WorkloadId,
    changes: broadcast::Receiver<Change>,
    /// Number of the last event told.
    last: i64,
    /// Steps told, and the last one as it was told.
    steps: usize,
    step: Option<StepAt>,
    log: BoxStream<'static, String>,
    /// Generation whose log is followed, and how many of its lines were told.
    followed: Option<u32>,
    told: usize,
    pending: VecDeque<Event>,
    over: bool,
}

impl Watcher {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            if self.over || self.look().await.is_err() {
                return None;
            }
            if !self.pending.is_empty() {
                continue;
            }
            let id = &self.id;
            let changes = &mut self.changes;
            tokio::select! {
                line = self.log.next() => match line {
                    Some(line) => {
                        self.told += 1;
                        return Some(log_event(&line));
                    }
                    None => self.log = stream::pending().boxed(),
                },
                _ = timeout(PAUSE, sse::concerning(changes, id)) => {}
            }
        }
    }

    /// Puts aside what is new. Fails when the workload is not there (any more) for this actor.
    async fn look(&mut self) -> Result<(), Error> {
        let actor = service::workload::present(&self.hub, &self.actor).await?;
        let found = service::workload::find(&self.hub, &actor, &self.id, Action::View).await?;
        let events = service::workload::events(&self.hub, &found, self.last, 200).await?;
        for event in events.items {
            self.last = event.number;
            let latest = event.phase == found.workload.phase();
            let mut told =
                json!({ "phase": event.phase, "reason": event.reason, "actor": event.actor, "at": event.at });
            if latest {
                add_present(&mut told, &found.workload);
            }
            self.pending.push_back(sse::event("state", Some(event.number), &told));
        }
        self.look_at_steps();
        self.follow(&found).await;
        if found.workload.phase().is_ended() && !events.more {
            self.tell_rest_of_log(&found).await;
            self.pending.push_back(sse::event("end", None, &json!({ "phase": found.workload.phase() })));
            self.over = true;
        }
        Ok(())
    }

    fn look_at_steps(&mut self) {
        let steps = self.hub.live.steps.of(&self.id);
        if steps.len() < self.steps {
            (self.steps, self.step) = (0, None);
        }
        let from = if self.step.as_ref() == steps.get(self.steps.wrapping_sub(1)) {
            self.steps
        } else {
            self.steps.saturating_sub(1)
        };
        for step in steps.iter().skip(from) {
            self.pending.push_back(sse::event("step", None, &step.step));
        }
        self.steps = steps.len();
        self.step = steps.last().cloned();
    }

    /// What was kept of the log comes before the end; the engine may have forgotten it before it was read.
    async fn tell_rest_of_log(&mut self, found: &Found) {
        if self.followed != Some(found.workload.generation) {
            self.told = 0;
        }
        let Ok(kept) = service::log::read(&self.hub, &found.permit, &found.workload, Follow::No).await else {
            return;
        };
        let kept = lines(Box::pin(kept.filter_map(async |chunk: Result<Bytes, _>| chunk.ok())));
        let rest: Vec<String> = kept.skip(self.told).take(MOST_AT_END).collect().await;
        self.pending.extend(rest.iter().map(|line| log_event(line)));
    }

    /// Follows the log of the present run, once.
    async fn follow(&mut self, found: &Found) {
        let row = &found.workload;
        let has_log = matches!(row.phase(), Phase::Starting | Phase::Ready | Phase::Stopping);
        if !has_log || self.followed == Some(row.generation) {
            return;
        }
        if let Ok(chunks) = service::log::follow_present(&self.hub, &found.permit, row, Follow::Yes).await {
            let chunks = chunks.filter_map(async |chunk: Result<Bytes, _>| chunk.ok());
            self.log = lines(Box::pin(chunks)).boxed();
            self.followed = Some(row.generation);
            self.told = 0;
        }
    }
}

fn log_event(line: &str) -> Event {
    sse::event("log", None, &json!({ "line": line }))
}

/// What only the present state has.
fn add_present(told: &mut Value, row: &Workload) {
    match &row.state {
        WorkloadState::Queued { place } => told["place"] = json!(place),
        WorkloadState::Failed { failure, .. } => told["advice"] = json!(failure.advice()),
        _ => {}
    }
}
