//! A signed-in person, and the requests that the person's browser or program sends.

use axum::body::Body;
use http::{Method, Request, header, request::Builder};
use portico_core::{LoginId, user::User};
use portico_hub::{Hub, service::login::NewLogin};
use serde_json::Value;

use super::ORIGIN;

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) user: User,
    pub(crate) login: LoginId,
    /// `name=secret`, as a browser sends it.
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Person {
    pub(crate) fn of(hub: &Hub, user: User, login: &NewLogin) -> Self {
        let cookie = login.cookie(hub);
        let cookie = cookie.to_str().expect("text").split(';').next().expect("a pair").to_owned();
        let csrf = hub.keys.csrf.token(&login.login.id).expose().to_owned();
        Self { user, login: login.login.id.clone(), cookie, csrf }
    }

    /// As a script on one of our own pages sends it.
    pub(crate) fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Request<Body> {
        let request = request(method, path).header(header::COOKIE, &self.cookie);
        let request = request.header(header::ORIGIN, ORIGIN).header("sec-fetch-site", "same-origin");
        with_body(request.header("x-portico-csrf", &self.csrf), body)
    }

    pub(crate) fn get(&self, path: &str) -> Request<Body> {
        self.request(Method::GET, path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Request<Body> {
        self.request(Method::POST, path, Some(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Request<Body> {
        self.request(Method::DELETE, path, None)
    }
}

pub(crate) fn request(method: Method, path: &str) -> Builder {
    Request::builder().method(method).uri(path)
}

/// As a program sends it that nobody knows.
pub(crate) fn anonymous(method: Method, path: &str, body: Option<&Value>) -> Request<Body> {
    with_body(request(method, path), body)
}

/// As a program sends it with a token.
pub(crate) fn bearer(token: &str, method: Method, path: &str, body: Option<&Value>) -> Request<Body> {
    with_body(request(method, path).header(header::AUTHORIZATION, format!("Bearer {token}")), body)
}

/// As the browser sends a form of one of our own pages.
pub(crate) fn form(cookie: Option<&str>, path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let mut request = request(Method::POST, path)
        .header(header::ORIGIN, ORIGIN)
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let pairs: Vec<_> =
        fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    request.body(Body::from(pairs.join("&"))).expect("a request")
}

pub(crate) fn with_body(request: Builder, body: Option<&Value>) -> Request<Body> {
    match body {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .expect("a request"),
        None => request.body(Body::empty()).expect("a request"),
    }
}
