//! The REST API under `/api/v1`. A handler parses, asks for a permit, calls one function of `service`
//! and renders; its `utoipa::path` attribute is the document.

mod account;
mod app;
pub(crate) mod audit;
mod document;
mod engine;
mod grant;
mod group;
mod health;
mod login;
pub(crate) mod paging;
pub(crate) mod sse;
mod token;
mod user;
mod workload;

use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::state::Hub;

/// All endpoints, one `routes` per noun.
pub(crate) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .merge(account::routes())
        .merge(app::routes())
        .merge(audit::routes())
        .merge(engine::routes())
        .merge(grant::routes())
        .merge(group::routes())
        .merge(health::routes())
        .merge(login::routes())
        .merge(token::routes())
        .merge(user::routes())
        .merge(workload::routes())
}

/// The OpenAPI document, with what all endpoints have in common.
pub(crate) fn document() -> OpenApi {
    let mut document = routes().into_openapi();
    document::complete(&mut document);
    document
}
