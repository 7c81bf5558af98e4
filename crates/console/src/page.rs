//! The terminal's page: three files, embedded, or a sentence where they were not built.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// What the page may do; it needs nothing from anywhere else. xterm.js sets inline styles for its cells.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; object-src 'none'";

const UNBUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Terminal</title>\
    <p>This Portico was built without its web assets, so it has no terminal page. \
    Build them with <code>make web</code>, then build Portico again.</p></html>";

const HTML: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/terminal.html"));
const SCRIPT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/terminal.js"));
const STYLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/terminal.css"));

/// The page itself.
pub(crate) fn show() -> Response {
    let page = if HTML.is_empty() { UNBUILT.as_bytes() } else { HTML };
    answer("text/html; charset=utf-8", page)
}

/// A file of the page.
pub(crate) fn part(name: &str) -> Response {
    match name {
        "terminal.js" => answer("text/javascript; charset=utf-8", SCRIPT),
        "terminal.css" => answer("text/css; charset=utf-8", STYLE),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(kind: &'static str, body: &'static [u8]) -> Response {
    let mut response = body.into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
