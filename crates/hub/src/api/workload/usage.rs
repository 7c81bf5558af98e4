//! What a workload uses: the last minutes, and live.

use axum::{
    Json as AxumJson,
    extract::State,
    response::{Response, sse::Event},
};
use futures_util::{Stream, StreamExt, stream};
use portico_api::workload::{Usage, UsageHistory};
use portico_core::{Timestamp, WorkloadId, access::Action, ports, workload::Workload};
use tokio::time::sleep;

use crate::{
    api::sse, auth::SignedIn, error::Error, http::extract::At, live::usage::PAUSE, service, state::Hub,
};

/// What it used in the last ten minutes. Looking at it starts the sampling.
#[utoipa::path(get, path = "/api/v1/workloads/{id}/usage", tag = "workloads", operation_id = "get_usage",
    params(("id" = String, Path, description = "Id of a workload")),
    responses((status = 200, description = "Samples, oldest first", body = UsageHistory)))]
pub(super) async fn get(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<WorkloadId>,
) -> Result<AxumJson<UsageHistory>, Error> {
    let found = service::workload::find(&hub, &who.actor, &id, Action::View).await?;
    let samples = look(&hub, &found.workload);
    let samples = shown(&samples, &found.workload, None);
    Ok(AxumJson(UsageHistory { samples, limits: found.workload.spec.limits.into() }))
}

/// The same, and on as it goes: `usage` events, one every two seconds.
#[utoipa::path(get, path = "/api/v1/workloads/{id}/usage/stream", tag = "workloads", operation_id = "watch_usage",
    params(("id" = String, Path, description = "Id of a workload")),
    responses((status = 200, description = "Server-sent events", body = String, content_type = "text/event-stream")))]
pub(super) async fn stream(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<WorkloadId>,
) -> Result<Response, Error> {
    let found = service::workload::find(&hub, &who.actor, &id, Action::View).await?;
    let events = samples(hub.clone(), found.workload).map(|usage| event(&usage));
    let events = sse::while_allowed(&hub, &who.actor, id, Box::pin(events));
    Ok(sse::answer(&hub, events))
}

fn event(usage: &Usage) -> Event {
    sse::event("usage", None, usage)
}

fn look(hub: &Hub, row: &Workload) -> Vec<ports::Usage> {
    if row.phase().is_ended() { Vec::new() } else { hub.live.usage.look(&row.id) }
}

/// Looks every two seconds, and tells what is new.
fn samples(hub: Hub, row: Workload) -> impl Stream<Item = Usage> + Send {
    let batches = stream::unfold((hub, row, None, true), async |(hub, row, last, first)| {
        if !first {
            sleep(PAUSE).await;
        }
        let all = hub.live.usage.look(&row.id);
        let fresh = shown(&all, &row, last);
        let last = all.last().map(|usage| usage.at).or(last);
        Some((fresh, (hub, row, last, false)))
    });
    batches.flat_map(stream::iter)
}

/// Samples later than `after`, with the share of a core used since the sample before.
fn shown(all: &[ports::Usage], row: &Workload, after: Option<Timestamp>) -> Vec<Usage> {
    let pairs =
        all.windows(2).filter_map(|pair| if let [before, now] = pair { Some((before, now)) } else { None });
    let fresh = pairs.filter(|(_, now)| after.is_none_or(|after| now.at > after));
    fresh.map(|(before, now)| Usage::between(before, now, row.spec.limits)).collect()
}
