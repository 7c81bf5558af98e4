//! An answer, read to its end.

use axum::{body::to_bytes, response::Response};
use http::{HeaderMap, HeaderName, StatusCode};

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 * 1024 * 1024).await.expect("a body");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {:?}", self.text))
    }

    pub(crate) fn header(&self, name: HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The values of `Set-Cookie`.
    pub(crate) fn cookies(&self) -> Vec<String> {
        let values = self.headers.get_all(http::header::SET_COOKIE).iter();
        values.map(|value| value.to_str().expect("text").to_owned()).collect()
    }

    /// Expects a problem document of this status and kind.
    pub(crate) fn expect_problem(&self, status: u16, kind: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header(http::header::CONTENT_TYPE), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:portico:problem:{kind}"));
        assert_eq!(problem["status"], status);
        let id = self.header(HeaderName::from_static("x-request-id"));
        assert_eq!(problem["instance"], format!("urn:portico:request:{id}"));
    }
}
