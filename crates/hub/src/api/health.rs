//! REST: whether Portico is up, which one it is, and the document of this API.

use axum::{Json as AxumJson, extract::State};
use http::StatusCode;
use portico_api::health::{Health, Version};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::state::Hub;

pub(crate) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(version)).routes(routes!(document))
}

/// Is it up?
#[utoipa::path(get, path = "/api/v1/health", tag = "installation", operation_id = "health", security(()),
    responses((status = 200, description = "Ready", body = Health),
        (status = 503, description = "Alive, but the database does not answer", body = Health)))]
async fn health(State(hub): State<Hub>) -> (StatusCode, AxumJson<Health>) {
    let ready = hub.store.begin_read("health").await.is_ok();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, AxumJson(Health { alive: true, ready }))
}

/// Which version is it?
#[utoipa::path(get, path = "/api/v1/version", tag = "installation", operation_id = "version", security(()),
    responses((status = 200, description = "The version", body = Version)))]
async fn version() -> AxumJson<Version> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    AxumJson(Version { version, api: vec!["v1".to_owned()] })
}

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "installation", operation_id = "openapi", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value)))]
async fn document() -> AxumJson<utoipa::openapi::OpenApi> {
    AxumJson(super::document())
}
