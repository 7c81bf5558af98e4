//! Figures for Prometheus, on an address of their own.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::{
    Router,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use portico_hub::Hub;
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::net::TcpListener;

use super::http;
use crate::{config::Config, lifecycle::Lifecycle};

const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves `/metrics` where the configuration names an address.
pub(super) async fn serve(
    config: &Config,
    hub: &Hub,
    registry: Registry,
    lifecycle: &Lifecycle,
) -> Result<()> {
    let Some(address) = config.metrics.listen else { return Ok(()) };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}, the address of [metrics]"))?;
    let (hub, registry) = (hub.clone(), Arc::new(registry));
    let router = Router::new().route("/metrics", get(async move || text(&hub, &registry)));
    http::serve(listener, router, lifecycle);
    Ok(())
}

/// The hub's figures and the front door's, as one text.
fn text(hub: &Hub, registry: &Registry) -> Result<impl IntoResponse + use<>, StatusCode> {
    let broken = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let mut text = hub.metrics.text().map_err(broken)?;
    text.truncate(text.rfind("# EOF").unwrap_or(text.len()));
    encode(&mut text, registry).map_err(broken)?;
    Ok(([(header::CONTENT_TYPE, KIND)], text))
}
