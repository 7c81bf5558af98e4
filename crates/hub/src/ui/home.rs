//! The home page: what runs now, and what can be launched.

use askama::Template;
use axum::{extract::State, response::Response};
use portico_core::workload::Phase;
use portico_store::workload::Filter;

use super::{
    frame::{Done, Frame, Section, render},
    view::{AppView, WorkloadView},
};
use crate::{
    auth::SignedIn,
    error::Error,
    http::extract::Query,
    router::{Audience, Pages},
    service,
    state::Hub,
};

/// Most running sessions that are shown here; the list of all has the rest.
const RUNNING: u32 = 50;

pub(super) fn routes() -> Pages {
    Pages::new().get("/", Audience::SignedIn, show)
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    frame: Frame,
    running: Vec<WorkloadView>,
    apps: Vec<AppView>,
}

async fn show(State(hub): State<Hub>, who: SignedIn, Query(done): Query<Done>) -> Result<Response, Error> {
    let user = who.actor.user();
    let phases = Phase::ALL.into_iter().filter(|phase| !phase.is_ended()).collect();
    let filter = Filter { owner: Some(user.id.clone()), phases, ..Filter::default() };
    let running = service::workload::list(&hub, &who.actor, &filter, None, RUNNING).await?;
    let apps = service::app::list(&hub, &who.actor).await?;
    render(&HomePage {
        frame: Frame::of(&hub, &who, Section::Home).after(&done),
        running: running.items.iter().map(|row| WorkloadView::new(row, user.name.to_string())).collect(),
        apps: apps.iter().map(AppView::new).collect(),
    })
}
