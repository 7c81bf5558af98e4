//! One workload: what it does, what happened, and what can be done to it.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use portico_core::{
    WorkloadId,
    access::Action,
    app::{Listen, MountMode},
    ports::Step,
    quota::Limits,
    workload::{Phase, Workload},
};
use serde::Deserialize;

use super::{
    frame::{Done, Frame, Section, render},
    view::{Moment, WorkloadView, open_path, size},
};
use crate::{
    auth::SignedIn,
    error::Error,
    http::extract::{At, Form, Query},
    router::{Audience, Pages},
    service::{self, workload::Found},
    state::Hub,
};

/// Lines of the log on the page itself.
const LOG_LINES: usize = 100;
/// Most events that are shown.
const EVENTS: u32 = 200;
/// Seconds after which the page of a change under way asks again, without JavaScript.
const SOON: u32 = 3;

pub(super) fn routes() -> Pages {
    Pages::new()
        .get("/workloads/{id}", Audience::SignedIn, show)
        .post("/workloads/{id}/stop", Audience::SignedIn, stop)
        .post("/workloads/{id}/restart", Audience::SignedIn, restart)
        .post("/workloads/{id}/rename", Audience::SignedIn, rename)
        .get("/workloads/{id}/delete", Audience::SignedIn, confirm_delete)
        .post("/workloads/{id}/delete", Audience::SignedIn, delete)
}

#[derive(Template)]
#[template(path = "workload.html")]
struct WorkloadPage {
    frame: Frame,
    workload: WorkloadView,
    /// Whether the viewer is the owner; others may look and stop, but not enter.
    owned: bool,
    refresh: Option<u32>,
    stop_label: &'static str,
    steps: Vec<StepView>,
    log: String,
    log_path: String,
    events: Vec<EventView>,
    size: String,
    limits: Limits,
    parameters: Vec<ParameterView>,
    mounts: Vec<String>,
    doors: Vec<DoorView>,
}

#[derive(Template)]
#[template(path = "workload_delete.html")]
struct DeletePage {
    frame: Frame,
    workload: WorkloadView,
}

struct StepView {
    /// `done`, `now` or `next`.
    state: &'static str,
    text: String,
}

struct EventView {
    at: Moment,
    phase: Phase,
    reason: String,
    actor: String,
}

struct ParameterView {
    title: String,
    value: String,
}

struct DoorView {
    title: String,
    path: String,
    listen: &'static str,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    title: String,
}

async fn show(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<WorkloadId>,
    Query(done): Query<Done>,
) -> Result<Response, Error> {
    let found = service::workload::find(&hub, &who.actor, &id, Action::View).await?;
    let Found { workload: row, permit } = &found;
    let events = service::workload::events(&hub, &found, 0, EVENTS).await?;
    let log = match service::log::tail(&hub, permit, row, LOG_LINES).await {
        Ok(log) => log,
        Err(error) => format!("The log cannot be read now: {error}"),
    };
    let view = WorkloadView::new(row, row.owner.slug.to_string());
    let moving = view.is_coming() || view.is_stopping();
    render(&WorkloadPage {
        frame: Frame::of(&hub, &who, Section::Workloads).after(&done),
        owned: row.owner.user == who.actor.user().id,
        refresh: moving.then_some(SOON),
        stop_label: if view.is_coming() { "Cancel" } else { "Stop" },
        steps: steps(&hub, row),
        log,
        log_path: format!("/api/v1/workloads/{id}/logs"),
        events: events.items.into_iter().rev().map(EventView::from).collect(),
        size: size(row.spec.limits),
        limits: row.spec.limits,
        parameters: parameters(row),
        mounts: mounts(row),
        doors: doors(row),
        workload: view,
    })
}

impl From<portico_core::workload::Event> for EventView {
    fn from(event: portico_core::workload::Event) -> Self {
        Self { at: event.at.into(), phase: event.phase, reason: event.reason, actor: event.actor }
    }
}

/// The way from accepted to answering, as far as it was gone.
fn steps(hub: &Hub, row: &Workload) -> Vec<StepView> {
    let last = hub.live.steps.of(&row.id).pop().map(|at| at.step);
    let waiting = match row.phase() {
        Phase::Queued => row.state.reason(),
        _ => "waiting for room".to_owned(),
    };
    let fetching = match &last {
        Some(Step::Pulling { image, percent: Some(percent) }) => format!("pulling {image}, {percent} %"),
        Some(Step::Pulling { image, percent: None }) => format!("pulling {image}"),
        _ => "preparing".to_owned(),
    };
    let at = match (row.phase(), &last) {
        (Phase::Requested | Phase::Queued, _) => 1,
        (_, None | Some(Step::Preparing | Step::Pulling { .. })) => 2,
        (_, Some(Step::Creating)) => 3,
        (_, Some(Step::Starting)) => 4,
    };
    let texts = [
        "accepted".to_owned(),
        waiting,
        fetching,
        "starting".to_owned(),
        "waiting for its first answer".to_owned(),
    ];
    let state = |index: usize| match index.cmp(&at) {
        std::cmp::Ordering::Less => "done",
        std::cmp::Ordering::Equal => "now",
        std::cmp::Ordering::Greater => "next",
    };
    texts.into_iter().enumerate().map(|(index, text)| StepView { state: state(index), text }).collect()
}

fn parameters(row: &Workload) -> Vec<ParameterView> {
    let view = |(name, value): (&portico_core::names::ParamName, &String)| ParameterView {
        title: name.to_string(),
        value: value.clone(),
    };
    row.spec.parameters.iter().map(view).collect()
}

/// The mount plan in words.
fn mounts(row: &Workload) -> Vec<String> {
    let mode = |mode| if mode == MountMode::ReadOnly { "read only" } else { "read and write" };
    let planned = row
        .spec
        .mounts
        .iter()
        .map(|mount| format!("{} at {}, {}", mount.source, mount.target, mode(mount.mode)));
    std::iter::once("its own workspace, read and write".to_owned()).chain(planned).collect()
}

fn doors(row: &Workload) -> Vec<DoorView> {
    let view =
        |(name, entry): (&portico_core::names::EntryPointName, &portico_core::app::EntryPoint)| DoorView {
            title: if entry.title.is_empty() { name.to_string() } else { entry.title.clone() },
            path: open_path(&row.label, Some(name)),
            listen: match entry.listen {
                Listen::Unix => "unix socket",
                Listen::Tcp { .. } => "port",
            },
        };
    row.spec.entry_points.iter().map(view).collect()
}

async fn stop(State(hub): State<Hub>, who: SignedIn, At(id): At<WorkloadId>) -> Result<Response, Error> {
    service::workload::stop(&hub, &who.actor, &id).await?;
    Ok(Redirect::to(&format!("/workloads/{id}?done=stopped")).into_response())
}

async fn restart(State(hub): State<Hub>, who: SignedIn, At(id): At<WorkloadId>) -> Result<Response, Error> {
    service::workload::restart(&hub, &who.actor, &id).await?;
    Ok(Redirect::to(&format!("/workloads/{id}?done=restarted")).into_response())
}

async fn rename(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<WorkloadId>,
    Form(typed): Form<Typed>,
) -> Result<Response, Error> {
    service::workload::rename(&hub, &who.actor, &id, &typed.title).await?;
    Ok(Redirect::to(&format!("/workloads/{id}?done=renamed")).into_response())
}

async fn confirm_delete(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<WorkloadId>,
) -> Result<Response, Error> {
    let found = service::workload::find(&hub, &who.actor, &id, Action::Manage).await?;
    let frame = Frame::of(&hub, &who, Section::Workloads);
    let owner = found.workload.owner.slug.to_string();
    render(&DeletePage { frame, workload: WorkloadView::new(&found.workload, owner) })
}

async fn delete(State(hub): State<Hub>, who: SignedIn, At(id): At<WorkloadId>) -> Result<Response, Error> {
    service::workload::delete(&hub, &who.actor, &id).await?;
    Ok(Redirect::to("/workloads?done=deleted").into_response())
}
