//! One id per request, in the log, in the answer and on error pages.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderName, HeaderValue};
use tracing::Instrument;

use crate::entropy;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Made here; what a client sends under that name is not looked at.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// Layer: gives the id, opens the span that log messages of this request stand in.
pub(crate) async fn layer(mut request: Request, next: Next) -> Response {
    let id = data_encoding::HEXLOWER.encode(&entropy::bytes::<8>());
    // The path may hold link secrets only in its query, which is never logged.
    let path: String = request.uri().path().chars().take(200).collect();
    let span =
        tracing::info_span!("request", request.id = %id, http.method = %request.method(), http.path = ?path);
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| tracing::debug!(http.status = response.status().as_u16(), "request answered"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}
