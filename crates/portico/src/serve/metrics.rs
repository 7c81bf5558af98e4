//! Figures for Prometheus, on an address of their own.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::{Router, http::header, routing::get};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::net::TcpListener;

use super::http;
use crate::{config::Config, lifecycle::Lifecycle};

const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves `/metrics` where the configuration names an address.
pub(super) async fn serve(config: &Config, registry: Registry, lifecycle: &Lifecycle) -> Result<()> {
    let Some(address) = config.metrics.listen else { return Ok(()) };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}, the address of [metrics]"))?;
    let registry = Arc::new(registry);
    let router = Router::new().route(
        "/metrics",
        get(async move || {
            let mut text = String::new();
            encode(&mut text, &registry).map_err(|_| axum::http::StatusCode::INTERNAL_SERVER_ERROR)?;
            Ok::<_, axum::http::StatusCode>(([(header::CONTENT_TYPE, KIND)], text))
        }),
    );
    http::serve(listener, router, lifecycle);
    Ok(())
}
