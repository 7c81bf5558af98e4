//! Server-sent events: how all streams are written, kept alive and ended.
//!
//! A stream ends when Portico shuts down, when who watches loses the right to, and after an hour in any
//! case; browsers come back by themselves. Nothing is gathered for a slow reader: what it misses it reads
//! anew.

use std::{convert::Infallible, time::Duration};

use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, StreamExt};
use http::{HeaderName, HeaderValue, header};
use portico_core::{WorkloadId, access::Action};
use serde::Serialize;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, interval, sleep},
};

use crate::{auth::Actor, bus::Change, service, state::Hub};

/// Longest life of a stream.
const LIFE: Duration = Duration::from_secs(3600);
/// Pause between two signs of life on a quiet stream.
const SIGN: Duration = Duration::from_secs(15);
/// Pause between two checks that who reads still may, when no word tells otherwise.
const RECHECK: Duration = Duration::from_secs(10);

/// One event.
pub(crate) fn event(name: &'static str, id: Option<i64>, data: &impl Serialize) -> Event {
    let text = serde_json::to_string(data).unwrap_or_default();
    let event = Event::default().event(name).data(text);
    match id {
        Some(id) => event.id(id.to_string()),
        None => event,
    }
}

/// The answer that sends these events until the end.
pub(crate) fn answer(hub: &Hub, events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let soft = hub.tasks.soft.clone();
    let end = async move {
        tokio::select! {
            () = soft.cancelled_owned() => {}
            () = sleep(LIFE) => {}
        }
    };
    let events = events.take_until(end).map(Ok::<Event, Infallible>);
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Asks reverse proxies not to gather.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// Ends a stream when the actor may not see the workload any more, or it is gone.
pub(crate) fn while_allowed<S>(
    hub: &Hub,
    actor: &Actor,
    id: WorkloadId,
    items: S,
) -> impl Stream<Item = S::Item> + Send + 'static
where
    S: Stream + Send + 'static,
    S::Item: Send,
{
    let (hub, actor) = (hub.clone(), actor.clone());
    items.take_until(async move {
        let mut changes = hub.bus.listen();
        let mut timer = interval(RECHECK);
        timer.reset_at(Instant::now() + RECHECK);
        loop {
            tokio::select! {
                _ = timer.tick() => {}
                () = concerning_access(&mut changes) => {}
            }
            let present = service::workload::present(&hub, &actor).await;
            let allowed = match present {
                Ok(present) => service::workload::find(&hub, &present, &id, Action::View).await.is_ok(),
                Err(_) => false,
            };
            if !allowed {
                return;
            }
        }
    })
}

/// Returns at a word about this workload, or about rights.
pub(crate) async fn concerning(changes: &mut broadcast::Receiver<Change>, wanted: &WorkloadId) {
    loop {
        match changes.recv().await {
            Ok(Change::Workload { id, .. } | Change::WorkloadGone { id, .. }) if id == *wanted => return,
            Ok(change) if is_about_access(&change) => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

async fn concerning_access(changes: &mut broadcast::Receiver<Change>) {
    loop {
        match changes.recv().await {
            Ok(change) if is_about_access(&change) => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

const fn is_about_access(change: &Change) -> bool {
    matches!(
        change,
        Change::User(_)
            | Change::UserShutOut(_)
            | Change::LoginEnded(_)
            | Change::TokenEnded(_)
            | Change::WorkloadGone { .. }
    )
}
