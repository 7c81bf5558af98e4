//! *Open*: hands a signed-in person over to a workload's own origin.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use portico_core::{
    names::{EntryPointName, Label},
    workload::Phase,
};
use serde::Deserialize;

use crate::{
    auth::SignedIn,
    error::Error,
    http::extract::{At, Query},
    router::{Audience, Pages},
    service,
    state::Hub,
};

pub(super) fn routes() -> Pages {
    Pages::new().get("/open/{label}", Audience::SignedIn, open)
}

#[derive(Deserialize)]
struct Asked {
    entry: Option<EntryPointName>,
    next: Option<String>,
}

async fn open(
    State(hub): State<Hub>,
    who: SignedIn,
    At(label): At<Label>,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let (workload, permit) = service::open::find(&hub, &who.actor, &label).await?;
    if workload.phase() != Phase::Ready {
        // Its own page says what goes on, and leads in when it is ready.
        return Ok(Redirect::to(&format!("/workloads/{}", workload.id)).into_response());
    }
    let login = who.actor.login().ok_or(Error::NotSignedIn)?;
    let entry = asked.entry.unwrap_or_else(|| "main".parse().expect("a safe name"));
    let target =
        service::open::ticket(&hub, &permit, &workload, login, &entry, asked.next.as_deref()).await?;
    Ok(Redirect::to(&target).into_response())
}
