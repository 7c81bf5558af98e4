//! REST: workloads.

mod events;
mod logs;
mod stream;
mod usage;
mod watch;

use axum::{Json as AxumJson, extract::State, response::IntoResponse, response::Response};
use http::{HeaderMap, HeaderName, StatusCode, header};
use portico_api::{
    page::{Page, PageQuery},
    workload::{NewWorkload, Of, Workload, WorkloadChanges, WorkloadFilter},
};
use portico_core::{
    WorkloadId, access::Action, names::AppName, workload as core, workload::Phase as CorePhase,
};
use portico_store::workload::Filter;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::paging;
use crate::{
    auth::{Actor, SignedIn},
    error::Error,
    http::extract::{At, Json, Query},
    service::{
        self,
        launch::{Launched, Order},
    },
    state::Hub,
};

/// By which a client makes sure that a launch counts once.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(crate) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list, launch))
        .routes(routes!(stream::stream))
        .routes(routes!(get, change, delete))
        .routes(routes!(stop))
        .routes(routes!(restart))
        .routes(routes!(events::list))
        .routes(routes!(watch::stream))
        .routes(routes!(logs::logs))
        .routes(routes!(usage::get))
        .routes(routes!(usage::stream))
}

/// A row as clients see it, with the owner's name.
async fn shown(hub: &Hub, row: core::Workload) -> Result<Workload, Error> {
    let name = service::workload::owner_name(hub, &row.owner.user).await?;
    Ok(Workload::new(row, name, &hub.config.public_url.origin()))
}

/// My workloads, or everybody's for administrators.
#[utoipa::path(get, path = "/api/v1/workloads", tag = "workloads", operation_id = "list_workloads",
    params(WorkloadFilter, PageQuery),
    responses((status = 200, description = "Newest first", body = Page<Workload>)))]
async fn list(
    State(hub): State<Hub>,
    who: SignedIn,
    Query(wish): Query<WorkloadFilter>,
    Query(page): Query<PageQuery>,
) -> Result<AxumJson<Page<Workload>>, Error> {
    let (before, limit) = paging::read::<WorkloadId>(&page)?;
    let filter = filter(&who.actor, wish)?;
    let found = service::workload::list(&hub, &who.actor, &filter, before.as_ref(), limit).await?;
    let last = found.items.last().map(|row| row.id.to_string());
    let names = service::workload::owner_names(&hub, &found.items).await?;
    let origin = hub.config.public_url.origin();
    let shown = |row: core::Workload| {
        let name = names.get(&row.owner.user).cloned();
        Workload::new(row, name, &origin)
    };
    let items = found.items.into_iter().map(shown).collect();
    Ok(AxumJson(Page { items, next_cursor: last.filter(|_| found.more) }))
}

/// Reads a filter: own workloads unless it says otherwise.
fn filter(actor: &Actor, wish: WorkloadFilter) -> Result<Filter, Error> {
    let of_all = wish.of == Some(Of::All);
    let owner = match wish.owner {
        Some(owner) => Some(owner),
        None if of_all => None,
        None => Some(actor.user().id.clone()),
    };
    let phases = wish.phase.as_deref().unwrap_or_default().split(',').filter(|phase| !phase.is_empty());
    let phase = |text: &str| {
        let known = CorePhase::ALL.into_iter().find(|phase| phase.as_str() == text.trim());
        known.ok_or_else(|| {
            Error::BadRequest("phase: expected names of phases, separated by commas".to_owned())
        })
    };
    let named = |what: &str| Error::BadRequest(format!("{what}: not a name"));
    Ok(Filter {
        owner,
        phases: phases.map(phase).collect::<Result<_, _>>()?,
        app: wish.app.map(|app| app.parse()).transpose().map_err(|_| named("app"))?,
        engine: wish.engine.map(|engine| engine.parse()).transpose().map_err(|_| named("engine"))?,
        text: wish.q.unwrap_or_default(),
    })
}

/// Launch an app.
///
/// With an `Idempotency-Key` the same request may be sent again and launches once; the answer is then 200.
#[utoipa::path(post, path = "/api/v1/workloads", tag = "workloads", operation_id = "launch_workload",
    params(("Idempotency-Key" = Option<String>, Header, max_length = 200,
        description = "Any text that is new for each launch")),
    request_body = NewWorkload,
    responses((status = 201, description = "Accepted", body = Workload,
            headers(("location" = String, description = "Address of the workload"))),
        (status = 200, description = "Was launched before by the same key", body = Workload),
        (status = 409, description = "A quota forbids it, or something is missing where it would run"),
        (status = 410, description = "What the same key launched was deleted")))]
async fn launch(
    State(hub): State<Hub>,
    who: SignedIn,
    headers: HeaderMap,
    Json(wish): Json<NewWorkload>,
) -> Result<Response, Error> {
    let app: AppName = wish.app.parse().map_err(|_| Error::NotFound)?;
    let key = headers.get(IDEMPOTENCY_KEY).map(|key| key.to_str().map(str::to_owned)).transpose();
    let key = key.map_err(|_| Error::BadRequest("idempotency-key: expected visible ASCII".to_owned()))?;
    let NewWorkload { parameters, size, title, .. } = wish;
    let order = Order { app, parameters, size, title, idempotency_key: key };
    let launched = service::launch::launch(&hub, &who.actor, order).await?;
    let status = if matches!(launched, Launched::New(_)) { StatusCode::CREATED } else { StatusCode::OK };
    let workload = shown(&hub, launched.into_workload()).await?;
    let location = format!("/api/v1/workloads/{}", workload.id);
    Ok((status, [(header::LOCATION, location)], AxumJson(workload)).into_response())
}

/// One workload.
#[utoipa::path(get, path = "/api/v1/workloads/{id}", tag = "workloads", operation_id = "get_workload",
    params(("id" = String, Path, description = "Id of a workload")),
    responses((status = 200, description = "The workload", body = Workload)))]
async fn get(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<WorkloadId>,
) -> Result<AxumJson<Workload>, Error> {
    let found = service::workload::find(&hub, &who.actor, &id, Action::View).await?;
    Ok(AxumJson(shown(&hub, found.workload).await?))
}

/// Change the title.
#[utoipa::path(patch, path = "/api/v1/workloads/{id}", tag = "workloads", operation_id = "change_workload",
    params(("id" = String, Path, description = "Id of a workload")), request_body = WorkloadChanges,
    responses((status = 200, description = "Changed", body = Workload),
        (status = 409, description = "It changes too quickly just now")))]
async fn change(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<WorkloadId>,
    Json(wish): Json<WorkloadChanges>,
) -> Result<AxumJson<Workload>, Error> {
    let row = service::workload::rename(&hub, &who.actor, &id, &wish.title).await?;
    Ok(AxumJson(shown(&hub, row).await?))
}

/// Delete a workload with its log and workspace. One that runs is stopped first; then the answer is 202.
#[utoipa::path(delete, path = "/api/v1/workloads/{id}", tag = "workloads", operation_id = "delete_workload",
    params(("id" = String, Path, description = "Id of a workload")),
    responses((status = 204, description = "Deleted"),
        (status = 202, description = "Will be deleted as soon as it has ended", body = Workload),
        (status = 409, description = "It changes too quickly just now")))]
async fn delete(State(hub): State<Hub>, who: SignedIn, At(id): At<WorkloadId>) -> Result<Response, Error> {
    match service::workload::delete(&hub, &who.actor, &id).await? {
        None => Ok(StatusCode::NO_CONTENT.into_response()),
        Some(row) => Ok((StatusCode::ACCEPTED, AxumJson(shown(&hub, row).await?)).into_response()),
    }
}

/// Stop a workload. One that has ended is left as it is.
#[utoipa::path(post, path = "/api/v1/workloads/{id}/stop", tag = "workloads", operation_id = "stop_workload",
    params(("id" = String, Path, description = "Id of a workload")),
    responses((status = 200, description = "Stopping, or ended before", body = Workload),
        (status = 409, description = "It changes too quickly just now")))]
async fn stop(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<WorkloadId>,
) -> Result<AxumJson<Workload>, Error> {
    let row = service::workload::stop(&hub, &who.actor, &id).await?;
    Ok(AxumJson(shown(&hub, row).await?))
}

/// Run it anew under the same address and with the same workspace.
#[utoipa::path(post, path = "/api/v1/workloads/{id}/restart", tag = "workloads", operation_id = "restart_workload",
    params(("id" = String, Path, description = "Id of a workload")),
    responses((status = 200, description = "Requested, or stopping to start again", body = Workload),
        (status = 409, description = "A quota forbids it, or its engine is no more")))]
async fn restart(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<WorkloadId>,
) -> Result<AxumJson<Workload>, Error> {
    let row = service::workload::restart(&hub, &who.actor, &id).await?;
    Ok(AxumJson(shown(&hub, row).await?))
}
