//! The history of a workload.

use axum::{Json as AxumJson, extract::State};
use portico_api::{
    page::Page,
    workload::{Event, EventQuery},
};
use portico_core::{WorkloadId, access::Action};

use crate::{
    auth::SignedIn,
    error::Error,
    http::extract::{At, Query},
    service,
    state::Hub,
};

/// What happened to it, oldest first.
#[utoipa::path(get, path = "/api/v1/workloads/{id}/events", tag = "workloads", operation_id = "list_events",
    params(("id" = String, Path, description = "Id of a workload"), EventQuery),
    responses((status = 200, description = "Oldest first; the cursor goes into `after`", body = Page<Event>)))]
pub(super) async fn list(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<WorkloadId>,
    Query(query): Query<EventQuery>,
) -> Result<AxumJson<Page<Event>>, Error> {
    let limit = query.limit.unwrap_or(50);
    let after = query.after.unwrap_or(0);
    if !(1..=200).contains(&limit) || after < 0 {
        return Err(Error::BadRequest(
            "limit: expected 1 to 200; after: expected a number from 0".to_owned(),
        ));
    }
    let found = service::workload::find(&hub, &who.actor, &id, Action::View).await?;
    let events = service::workload::events(&hub, &found, after, u32::from(limit)).await?;
    let last = events.items.last().map(|event| event.number.to_string());
    let items = events.items.into_iter().map(Event::from).collect();
    Ok(AxumJson(Page { items, next_cursor: last.filter(|_| events.more) }))
}
