//! Lists of workloads as they go.

use std::collections::VecDeque;

use axum::{
    extract::State,
    response::{Response, sse::Event},
};
use futures_util::stream;
use portico_api::workload::{Of, WorkloadFilter};
use portico_core::{UserId, WorkloadId, access::Action};
use serde_json::json;
use tokio::sync::broadcast::{self, error::RecvError};

use super::{filter, shown};
use crate::{
    api::sse,
    auth::{Actor, SignedIn},
    bus::Change,
    error::Error,
    http::extract::Query,
    service,
    state::Hub,
};

/// Changes of my workloads, or of everybody's for administrators.
///
/// `workload` with the workload as it is now, and `gone` with `id`. When too much happened at once, `reset`
/// asks to read the list anew.
#[utoipa::path(get, path = "/api/v1/workloads/stream", tag = "workloads", operation_id = "watch_workloads",
    params(WorkloadFilter),
    responses((status = 200, description = "Server-sent events", body = String, content_type = "text/event-stream")))]
pub(super) async fn stream(
    State(hub): State<Hub>,
    who: SignedIn,
    Query(wish): Query<WorkloadFilter>,
) -> Result<Response, Error> {
    let whose = if wish.of == Some(Of::All) { None } else { Some(who.actor.user().id.clone()) };
    let wanted = filter(&who.actor, wish)?.owner;
    if wanted != Some(who.actor.user().id.clone()) {
        who.actor.may_administer()?;
    }
    let list = List {
        changes: hub.bus.listen(),
        hub: hub.clone(),
        actor: who.actor,
        whose: wanted.or(whose),
        pending: VecDeque::new(),
    };
    let events = stream::unfold(list, async |mut list| Some((list.next().await?, list)));
    Ok(sse::answer(&hub, events))
}

struct List {
    hub: Hub,
    actor: Actor,
    /// Everybody's when absent.
    whose: Option<UserId>,
    changes: broadcast::Receiver<Change>,
    pending: VecDeque<Event>,
}

impl List {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            match self.changes.recv().await {
                Ok(Change::Workload { id, owner }) if self.concerns(&owner) => {
                    self.changed(&id).await.ok()?
                }
                Ok(Change::WorkloadGone { id, owner }) if self.concerns(&owner) => {
                    self.pending.push_back(sse::event("gone", None, &json!({ "id": id })));
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => self.pending.push_back(sse::event("reset", None, &json!({}))),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn concerns(&self, owner: &UserId) -> bool {
        self.whose.as_ref().is_none_or(|whose| whose == owner)
    }

    async fn changed(&mut self, id: &WorkloadId) -> Result<(), Error> {
        let actor = service::workload::present(&self.hub, &self.actor).await?;
        match service::workload::find(&self.hub, &actor, id, Action::View).await {
            Ok(found) => {
                let workload = shown(&self.hub, found.workload).await?;
                self.pending.push_back(sse::event("workload", None, &workload));
            }
            // Deleted since; another word tells it.
            Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
