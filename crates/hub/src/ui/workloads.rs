//! The lists of workloads: mine, and everybody's for administrators.

use askama::Template;
use axum::{extract::State, response::Response};
use portico_core::{UserId, WorkloadId, names::EngineName, workload::Phase};
use portico_store::workload::Filter;
use serde::Deserialize;

use super::{
    frame::{Done, Frame, Section, Tab, render},
    view::{WorkloadView, query_text},
};
use crate::{
    auth::SignedIn,
    error::Error,
    http::extract::Query,
    router::{Audience, Pages},
    service,
    state::Hub,
};

const PAGE: u32 = 50;

pub(super) fn routes() -> Pages {
    Pages::new()
        .get("/workloads", Audience::SignedIn, mine)
        .get("/admin", Audience::Administrator, everybody)
        .get("/admin/workloads", Audience::Administrator, everybody)
}

#[derive(Template)]
#[template(path = "workloads.html")]
struct WorkloadsPage {
    frame: Frame,
    tab: Tab,
    heading: &'static str,
    /// Whether it is the administrators' list.
    everybody: bool,
    base: &'static str,
    filter: Asked,
    phases: [Phase; 7],
    engines: Vec<String>,
    rows: Vec<WorkloadView>,
    next: Option<String>,
}

#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    engine: String,
    #[serde(default)]
    owner: String,
    cursor: Option<WorkloadId>,
    done: Option<String>,
}

impl Asked {
    fn is_empty(&self) -> bool {
        [&self.q, &self.state, &self.engine, &self.owner].iter().all(|text| text.is_empty())
    }

    /// What cannot be a state, an engine or a user filters nothing.
    fn filter(&self, owner: Option<UserId>) -> Filter {
        let phases = Phase::ALL.into_iter().filter(|phase| phase.as_str() == self.state).collect();
        let engine = self.engine.parse::<EngineName>().ok();
        Filter { owner, phases, app: None, engine, text: self.q.trim().to_owned() }
    }
}

async fn mine(State(hub): State<Hub>, who: SignedIn, Query(asked): Query<Asked>) -> Result<Response, Error> {
    let filter = asked.filter(Some(who.actor.user().id.clone()));
    let frame = Frame::of(&hub, &who, Section::Workloads);
    page(
        &hub,
        &who,
        frame,
        asked,
        &filter,
        Scope { heading: "My sessions", base: "/workloads", everybody: false },
    )
    .await
}

async fn everybody(
    State(hub): State<Hub>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let filter = asked.filter(asked.owner.parse().ok());
    let frame = Frame::of(&hub, &who, Section::Administration);
    let scope = Scope { heading: "Sessions of everybody", base: "/admin/workloads", everybody: true };
    page(&hub, &who, frame, asked, &filter, scope).await
}

struct Scope {
    heading: &'static str,
    base: &'static str,
    everybody: bool,
}

async fn page(
    hub: &Hub,
    who: &SignedIn,
    frame: Frame,
    asked: Asked,
    filter: &Filter,
    scope: Scope,
) -> Result<Response, Error> {
    let found = service::workload::list(hub, &who.actor, filter, asked.cursor.as_ref(), PAGE).await?;
    let Scope { heading, base, everybody } = scope;
    let next = found.items.last().filter(|_| found.more).map(|last| {
        let Asked { q, state, engine, owner, .. } = &asked;
        let [q, state, engine, owner] = [q, state, engine, owner].map(|text| query_text(text));
        format!("{base}?q={q}&state={state}&engine={engine}&owner={owner}&cursor={}", last.id)
    });
    let done = Done { done: asked.done.clone() };
    render(&WorkloadsPage {
        frame: frame.after(&done),
        tab: Tab::Workloads,
        heading,
        everybody,
        base,
        filter: asked,
        phases: Phase::ALL,
        engines: hub.engines.keys().map(ToString::to_string).collect(),
        rows: found.items.iter().map(|row| WorkloadView::new(row, row.owner.slug.to_string())).collect(),
        next,
    })
}
