//! The front door, and the hub behind it.

use std::sync::Arc;

use anyhow::{Context, Result};
use portico_hub::Hub;
use portico_proxy::{Addresses, FrontDoor, HubBody, HubService, RequestBody};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::{config::Config, lifecycle::Lifecycle};

/// Takes the addresses before anything else, so that a taken port changes nothing.
pub(super) fn listen(config: &Config) -> Result<Vec<TcpListener>> {
    portico_proxy::bind(&config.front.listen).context(
        "the front door cannot listen there: stop the other program, or choose another address with --listen or [front] listen",
    )
}

/// Puts the front door before the hub.
pub(super) fn build(config: &Config, hub: &Hub, registry: &mut Registry) -> Result<FrontDoor> {
    let published = hub.published.subscribe();
    let key = hub.keys.pass.clone();
    FrontDoor::new(&config.front, published, key, hub.gate(), service(hub), registry)
        .context("[front] is not usable")
}

/// Serves until the lifecycle ends.
pub(super) fn serve(front: FrontDoor, listeners: Vec<TcpListener>, lifecycle: &Lifecycle) {
    let (soft, hard) = (lifecycle.soft.clone(), lifecycle.hard.clone());
    lifecycle.tasks.spawn(async move { front.serve(listeners, soft, hard).await });
}

/// The hub's router as the service that the front door calls.
fn service(hub: &Hub) -> HubService {
    let router = hub.router();
    Arc::new(move |request| {
        let router = router.clone();
        Box::pin(async move {
            let request: hyper::Request<RequestBody> = request;
            let answer = match router.oneshot(request.map(axum::body::Body::new)).await {
                Ok(answer) => answer,
                Err(never) => match never {},
            };
            answer.map(HubBody::new)
        })
    })
}

/// A host name below the apps domain, for trying whether names resolve; none in path mode.
pub(crate) fn sample_host(config: &Config) -> Option<String> {
    let addresses = Addresses::new(&config.front).ok()?;
    let label = "portico-doctor".parse().ok()?;
    let main = "main".parse().ok()?;
    let origin = addresses.origin(&label, &main);
    let host = origin.split_once("://")?.1.split(':').next()?;
    host.starts_with("portico-doctor.").then(|| host.to_owned())
}
