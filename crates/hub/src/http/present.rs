//! How an error is shown: problem+json (RFC 9457) to programs, a page to people.
//!
//! The only place where errors are logged: causes inside Portico with their chain, what a client did
//! wrong at a level that is off by default.

use std::{collections::BTreeMap, error::Error as _, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, header};
use portico_api::problem::Problem;

use super::request_id::RequestId;
use crate::{
    error::{Carried, Error},
    state::Hub,
    ui,
};

/// Layer: writes the body of an answer that carries an [`Error`].
pub(crate) async fn layer(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    let for_program = request.uri().path().starts_with("/api/");
    let id = request.extensions().get::<RequestId>().map_or_else(String::new, |id| id.0.clone());
    let mut response = next.run(request).await;
    let Some(Carried(error)) = response.extensions_mut().remove::<Carried>() else { return response };
    log(&error);
    let mut shown =
        if for_program { as_problem(&error, &id) } else { as_page(&error, &id, &hub.config.title) };
    let (was, _) = response.into_parts();
    for (name, value) in &was.headers {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
            shown.headers_mut().append(name.clone(), value.clone());
        }
    }
    *shown.status_mut() = error.status();
    add_hints(&error, &mut shown, for_program);
    shown
}

fn add_hints(error: &Error, response: &mut Response, for_program: bool) {
    let mut add = |name: HeaderName, value: HeaderValue| response.headers_mut().insert(name, value);
    if let Some(seconds) = error.retry_after() {
        add(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if for_program && matches!(error, Error::NotSignedIn | Error::WrongCredentials) {
        add(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"portico\""));
    }
}

fn as_problem(error: &Error, id: &str) -> Response {
    let problem = Problem {
        kind: format!("urn:portico:problem:{}", error.kind()),
        title: error.status().canonical_reason().unwrap_or_default().to_owned(),
        status: error.status().as_u16(),
        detail: error.to_string(),
        instance: format!("urn:portico:request:{id}"),
        errors: fields(error),
    };
    let mut response = axum::Json(problem).into_response();
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn as_page(error: &Error, id: &str, site: &str) -> Response {
    Html(ui::error::page(&ui::error::ErrorView {
        site,
        status: error.status().as_u16(),
        message: error.to_string(),
        fields: fields(error),
        request_id: id,
    }))
    .into_response()
}

fn fields(error: &Error) -> BTreeMap<String, String> {
    if let Error::Invalid(fields) = error { fields.0.clone() } else { BTreeMap::new() }
}

fn log(error: &Arc<Error>) {
    if !error.status().is_server_error() {
        tracing::debug!(error = %error, "request refused");
        return;
    }
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(below) = cause {
        chain.push_str(": ");
        chain.push_str(&below.to_string());
        cause = below.source();
    }
    tracing::error!(error = %chain, "request failed");
}
