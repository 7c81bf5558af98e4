//! The front door, and the hub behind it.

use std::sync::Arc;

use anyhow::{Context, Result};
use http_body_util::BodyExt;
use portico_core::peer::{Peer, Transport};
use portico_hub::Hub;
use portico_proxy::{Addresses, BoxError, FrontDoor, HubBody, HubService, RequestBody};
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

/// Where the front door leads, which the hub wants to know too.
pub(super) fn addresses(config: &Config) -> Result<Addresses> {
    Addresses::new(&config.front).context("[front] is not usable")
}

/// Puts the front door before the hub.
pub(super) fn build(config: &Config, hub: &Hub, registry: &mut Registry) -> Result<FrontDoor> {
    let published = hub.published.subscribe();
    let key = hub.keys.pass.clone();
    FrontDoor::new(&config.front, published, key, Arc::new(hub.clone()), service(config, hub), registry)
        .context("[front] is not usable")
}

/// Serves until the lifecycle ends.
pub(super) fn serve(front: FrontDoor, listeners: Vec<TcpListener>, lifecycle: &Lifecycle) {
    let (soft, hard) = (lifecycle.soft.clone(), lifecycle.hard.clone());
    lifecycle.tasks.spawn(async move { front.serve(listeners, soft, hard).await });
}

/// The hub's router as the service that the front door calls.
fn service(config: &Config, hub: &Hub) -> HubService {
    let router = hub.router();
    let encrypted = config.front.public_url.to_string().starts_with("https:");
    let transport = if encrypted { Transport::Tls } else { Transport::Plain };
    Arc::new(move |request| {
        let router = router.clone();
        Box::pin(async move {
            let mut request: hyper::Request<RequestBody> = request;
            if let Some(portico_proxy::Peer(address)) = request.extensions().get().copied() {
                request.extensions_mut().insert(Peer { address, transport });
            }
            let answer = match router.oneshot(request.map(axum::body::Body::new)).await {
                Ok(answer) => answer,
                Err(never) => match never {},
            };
            answer.map(|body| HubBody::new(body.map_err(BoxError::from)))
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
