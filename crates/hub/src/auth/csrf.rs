//! Proof that an unsafe request was meant by the person whose cookie it carries.
//!
//! Two things are asked for. The request must come from our own pages: `Origin` is ours or, where a
//! browser leaves it out, `Sec-Fetch-Site` says so. And it must carry a token that only our pages know,
//! a MAC of the login's id: as field `csrf` of a form, or as header `x-portico-csrf`. Forms that work
//! before anybody is signed in have no login and ask for the first only. Bearer tokens are not sent by
//! browsers on their own and need neither.

use std::fmt;

use axum::body::to_bytes;
use axum::{body::Body, extract::Request, middleware::Next, response::IntoResponse, response::Response};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, Method, header};
use portico_core::{LoginId, Secret};
use sha2::Sha256;

use super::known::Visitor;
use crate::{config::Config, error::Error};

/// Header by which scripts send the token.
pub const HEADER: HeaderName = HeaderName::from_static("x-portico-csrf");

/// Largest form, in bytes.
const MAX_FORM: usize = 256 * 1024;

/// Signs the tokens of forms.
#[derive(Clone)]
pub struct CsrfKey([u8; 32]);

impl CsrfKey {
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The token of a login.
    #[must_use]
    pub fn token(&self, login: &LoginId) -> Secret {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(b"csrf\0");
        mac.update(login.as_str().as_bytes());
        Secret::new(HEXLOWER.encode(&mac.finalize().into_bytes()[..16]))
    }
}

impl fmt::Debug for CsrfKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Whether the method changes nothing.
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether the request comes from a page of ours.
///
/// # Errors
/// [`Error::ForeignOrigin`] when it does not, or when nothing says so.
pub(crate) fn check_origin(config: &Config, headers: &HeaderMap) -> Result<(), Error> {
    let one = |name: HeaderName| {
        let mut values = headers.get_all(name).iter();
        values.next().map(|first| (first.as_bytes(), values.next().is_none()))
    };
    let site = one(HeaderName::from_static("sec-fetch-site"));
    let site_is_ours = |(value, alone): (&[u8], bool)| alone && matches!(value, b"same-origin" | b"none");
    let ours = match (one(header::ORIGIN), site) {
        (Some((origin, alone)), site) => {
            let same = alone && origin == config.public_url.origin().as_bytes();
            same && site.is_none_or(site_is_ours)
        }
        (None, Some(site)) => site_is_ours(site),
        (None, None) => false,
    };
    if ours { Ok(()) } else { Err(Error::ForeignOrigin) }
}

/// Whether the header carries the login's token.
pub(crate) fn header_matches(headers: &HeaderMap, token: &Secret) -> bool {
    let mut values = headers.get_all(HEADER).iter();
    let matches = values.next().and_then(|value| value.to_str().ok()).is_some_and(|text| token.matches(text));
    matches && values.next().is_none()
}

/// Layer of pages for people who are signed in: the form's `csrf` field (or the header) must match.
pub(crate) async fn form_layer(request: Request, next: Next) -> Response {
    match check_form(request).await {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

async fn check_form(request: Request) -> Result<Request, Error> {
    let Some(token) = Visitor::of(&request).csrf() else { return Err(Error::NotSignedIn) };
    if header_matches(request.headers(), &token) {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_FORM).await.map_err(|_| Error::TooLarge)?;
    if field_matches(&body, &token) {
        Ok(Request::from_parts(parts, Body::from(body)))
    } else {
        Err(Error::ForeignOrigin)
    }
}

/// Whether exactly one field `csrf` of the form holds the token.
fn field_matches(form: &[u8], token: &Secret) -> bool {
    let mut found = form.split(|byte| *byte == b'&').filter_map(|pair| pair.strip_prefix(b"csrf="));
    let matches = found
        .next()
        .and_then(|value| std::str::from_utf8(value).ok())
        .is_some_and(|value| token.matches(value));
    matches && found.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ours(origin: Option<&str>, site: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in [("origin", origin), ("sec-fetch-site", site)] {
            if let Some(value) = value {
                headers.insert(HeaderName::from_static(name), value.parse().expect("a value"));
            }
        }
        check_origin(&Config::default(), &headers).is_ok()
    }

    #[test]
    fn only_our_own_origin_counts() {
        let ours = "http://localhost:8080";
        assert!(is_ours(Some(ours), None));
        assert!(is_ours(Some(ours), Some("same-origin")));
        assert!(is_ours(None, Some("same-origin")));
        assert!(is_ours(None, Some("none")));
        for site in ["same-site", "cross-site", "", "SAME-ORIGIN", "nonsense"] {
            assert!(!is_ours(None, Some(site)), "{site}");
            assert!(!is_ours(Some(ours), Some(site)), "{site}");
        }
        for origin in [
            "null",
            "http://localhost",
            "http://localhost:8081",
            "https://localhost:8080",
            "http://w1.localhost:8080",
            "http://localhost:8080.evil.org",
            "http://evil.org",
            "",
            "http://LOCALHOST:8080",
            "http://localhost:8080/",
        ] {
            assert!(!is_ours(Some(origin), None), "{origin}");
            assert!(!is_ours(Some(origin), Some("same-origin")), "{origin}");
        }
        assert!(!is_ours(None, None));
    }

    #[test]
    fn a_form_holds_its_token_once() {
        let key = CsrfKey::new([7; 32]);
        let token = key.token(&LoginId::new(jiff::Timestamp::UNIX_EPOCH, [1; 10]));
        let text = token.expose();
        assert!(field_matches(format!("a=1&csrf={text}&b=2").as_bytes(), &token));
        for form in [
            String::new(),
            "csrf=".to_owned(),
            format!("csrf={text}x"),
            format!("csrf={text}&csrf={text}"),
            format!("xcsrf={text}"),
        ] {
            assert!(!field_matches(form.as_bytes(), &token), "{form}");
        }
    }
}
