//! Answers that the front door gives itself: pages for people, `application/problem+json` for programs.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header, request::Parts};
use portico_core::ports::{Page, Refusal};

use crate::{body::Answer, front::Door, metrics::Reason, peer::RequestId};

/// Who would read a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    /// A person, whose browser goes to this address.
    Page,
    /// A program or a page's script.
    Data,
}

impl Asks {
    /// Browsers say that they navigate; without their word, who prefers HTML is a person.
    pub(crate) fn of(parts: &Parts) -> Self {
        let reads = matches!(parts.method.as_str(), "GET" | "HEAD");
        if !reads || parts.headers.contains_key(header::UPGRADE) {
            return Self::Data;
        }
        let navigates = match parts.headers.get("sec-fetch-mode") {
            Some(mode) => mode.as_bytes() == b"navigate",
            None => parts
                .headers
                .get(header::ACCEPT)
                .and_then(|accept| accept.to_str().ok())
                .is_some_and(|accept| accept.contains("text/html")),
        };
        if navigates { Self::Page } else { Self::Data }
    }
}

/// Why something is not let through, with everything that must be said about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused {
    pub(crate) reason: Reason,
    page: Option<Refusal>,
    status: StatusCode,
    title: &'static str,
}

macro_rules! refused {
    ($($name:ident = $reason:ident, $page:expr, $status:ident, $title:literal;)*) => {
        impl Refused {$(
            pub(crate) const $name: Self = Self {
                reason: Reason::$reason, page: $page, status: StatusCode::$status, title: $title,
            };
        )*}
    };
}

refused! {
    BAD_REQUEST = BadRequest, None, BAD_REQUEST, "the request is not valid HTTP for this server";
    METHOD = BadRequest, None, METHOD_NOT_ALLOWED, "this method is not allowed here";
    NO_PATH = BadRequest, None, NOT_FOUND, "there is nothing at this address";
    BODY = TooMuch, Some(Refusal::TooMuch), PAYLOAD_TOO_LARGE, "the request body is too large";
    UNKNOWN_HOST = UnknownHost, Some(Refusal::UnknownHost), MISDIRECTED_REQUEST, "the address does not belong here";
    NO_PASS = NoPass, None, UNAUTHORIZED, "sign in and open this workload first";
    TWO_PASSES = TwoPasses, Some(Refusal::NoCookie), BAD_REQUEST, "the cookie of this workload is there twice";
    NO_COOKIE = NoCookie, Some(Refusal::NoCookie), UNAUTHORIZED, "the browser does not keep the cookie";
    VOID_TICKET = VoidTicket, Some(Refusal::VoidTicket), GONE, "the link is not valid any more";
    FOREIGN_ORIGIN = ForeignOrigin, Some(Refusal::ForeignOrigin), FORBIDDEN, "the request comes from another site";
    TOO_MUCH = TooMuch, Some(Refusal::TooMuch), SERVICE_UNAVAILABLE, "too many connections to this workload";
    BAD_UPSTREAM = BadUpstream, Some(Refusal::BadUpstream), BAD_GATEWAY, "the app does not answer";
    SLOW_UPSTREAM = SlowUpstream, Some(Refusal::SlowUpstream), GATEWAY_TIMEOUT, "the app did not answer in time";
}

impl Refused {
    /// Whether a fresh pass would let the same request in.
    pub(crate) const fn is_cured_by_ticket(self) -> bool {
        matches!(self.reason, Reason::NoPass)
    }

    /// The answer.
    pub(crate) fn answer(self, door: &Door, asks: Asks, id: &RequestId) -> Response<Answer> {
        door.metrics.refused(self.reason);
        match (asks, self.page) {
            (Asks::Page, Some(refusal)) => page(door, door.gate.refuse(refusal), id),
            _ => problem(self.status, self.title, id),
        }
    }
}

/// What the hub says of a workload that cannot be entered now.
pub(crate) fn explained(door: &Door, explanation: Page, asks: Asks, id: &RequestId) -> Response<Answer> {
    door.metrics.refused(Reason::NotOpen);
    if asks == Asks::Page {
        return page(door, explanation, id);
    }
    let mut response = problem(status(explanation.status), "the workload cannot be entered now", id);
    retry(&mut response, explanation.retry_after);
    response
}

fn page(door: &Door, page: Page, id: &RequestId) -> Response<Answer> {
    let mut response = Response::new(Answer::Text(Bytes::from(page.html)));
    *response.status_mut() = status(page.status);
    guard_headers(&mut response, "text/html; charset=utf-8", id);
    let hub = door.addresses.hub_origin();
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline' {hub}; img-src data: {hub}; font-src {hub}; \
         form-action {hub}; base-uri 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if let Some(seconds) = page.retry_after {
        response.headers_mut().insert(header::REFRESH, HeaderValue::from(seconds));
    }
    retry(&mut response, page.retry_after);
    response
}

/// An error document of RFC 9457. `title` is plain text without quotes and backslashes.
fn problem(status: StatusCode, title: &str, id: &RequestId) -> Response<Answer> {
    let code = status.as_u16();
    let text = format!(r#"{{"type":"about:blank","title":"{title}","status":{code},"request_id":"{id}"}}"#);
    let mut response = Response::new(Answer::Text(Bytes::from(text)));
    *response.status_mut() = status;
    guard_headers(&mut response, "application/problem+json", id);
    response
}

/// Sends a browser elsewhere with GET.
pub(crate) fn redirect(location: &str, id: &RequestId) -> Response<Answer> {
    let Ok(location) = HeaderValue::try_from(location) else {
        return problem(StatusCode::BAD_REQUEST, "the address is not valid", id);
    };
    let mut response = Response::new(Answer::Text(Bytes::new()));
    *response.status_mut() = StatusCode::SEE_OTHER;
    guard_headers(&mut response, "text/plain", id);
    response.headers_mut().insert(header::LOCATION, location);
    response
}

fn guard_headers(response: &mut Response<Answer>, kind: &'static str, id: &RequestId) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert("x-request-id", id);
    }
}

fn retry(response: &mut Response<Answer>, after: Option<u32>) {
    if let Some(seconds) = after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code)
        .ok()
        .filter(|status| status.is_client_error() || status.is_server_error() || *status == StatusCode::OK)
        .unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}
