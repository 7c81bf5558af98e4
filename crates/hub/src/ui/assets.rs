//! Styles, islands and icons, embedded into the binary.
//!
//! A build without `web/dist` has none of them; the pages still work, plainly. Files are served as they
//! were built, with their gzip twin where there is one.

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::{
    error::Error,
    router::{Audience, Pages},
};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Assets;

pub(super) fn routes() -> Pages {
    Pages::new().get("/assets/{*path}", Audience::Anyone, show)
}

async fn show(Path(path): Path<String>, headers: HeaderMap) -> Result<Response, Error> {
    let plain = Assets::get(&path).filter(|_| !path.ends_with(".gz")).ok_or(Error::NotFound)?;
    let tag = tag(&plain);
    let mut response = if headers.get(header::IF_NONE_MATCH).is_some_and(|known| *known == tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body(&path, plain, accepts_gzip(&headers))
    };
    let out = response.headers_mut();
    out.insert(header::ETAG, tag);
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep(&path)));
    // A workload's own pages about its state use our style sheet.
    out.insert("cross-origin-resource-policy", HeaderValue::from_static("same-site"));
    Ok(response)
}

fn body(path: &str, plain: EmbeddedFile, gzip: bool) -> Response {
    let squeezed = if gzip { Assets::get(&format!("{path}.gz")) } else { None };
    let is_squeezed = squeezed.is_some();
    let mut response = squeezed.unwrap_or(plain).data.into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    if is_squeezed {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn tag(file: &EmbeddedFile) -> HeaderValue {
    let digest = data_encoding::HEXLOWER.encode(&file.metadata.sha256_hash()[..16]);
    HeaderValue::from_str(&format!("\"{digest}\"")).expect("hexadecimal digits")
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|list| list.split(',').any(|coding| coding.trim() == "gzip"))
}

/// Names below `assets/` hold a digest of their content; the others are asked about each time.
fn keep(path: &str) -> &'static str {
    if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("html") => "text/html; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}
