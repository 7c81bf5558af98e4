//! Who is refused what: one row per route. Whoever adds a route adds a row, those
//! of pages to `pages`; `coverage` checks that
//! every route has one, and tries each row as everybody who must be refused.

mod pages;
mod work;

use portico_hub::router::Audience;
use serde_json::{Value, json};

/// Whom a route refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Nobody: it works before anybody is known.
    Anyone,
    /// Refuses who is not known; everybody else sees own things only.
    SignedIn,
    /// The thing is the administrator's: refuses who is not known, and other members.
    Owner,
    /// Refuses who is not known, and all members.
    Administrator,
}

/// One route.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) method: &'static str,
    /// As the route is written, with its placeholders.
    pub(crate) path: &'static str,
    /// What stands for the placeholders, in order: keys of the world that `coverage` builds.
    pub(crate) things: &'static [&'static str],
    pub(crate) who: Who,
    /// A body that would be accepted.
    pub(crate) body: Option<Value>,
}

fn row(method: &'static str, path: &'static str, things: &'static [&'static str], who: Who) -> Row {
    Row { method, path, things, who, body: None }
}

impl Row {
    fn with(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// Whom a page of this row states to be for.
    pub(crate) fn audience(&self) -> Audience {
        match self.who {
            Who::Anyone => Audience::Anyone,
            Who::SignedIn | Who::Owner => Audience::SignedIn,
            Who::Administrator => Audience::Administrator,
        }
    }
}

/// Every route of the API and of the pages.
pub(crate) fn rows() -> Vec<Row> {
    [people(), groups(), account(), installation(), pages::rows(), work::rows()].concat()
}

fn installation() -> Vec<Row> {
    use Who::{Administrator, Anyone};
    vec![
        row("GET", "/api/v1/health", &[], Anyone),
        row("GET", "/api/v1/version", &[], Anyone),
        row("GET", "/api/openapi.json", &[], Anyone),
        row("GET", "/api/v1/audit", &[], Administrator),
        row("GET", "/api/v1/audit/export", &[], Administrator),
    ]
}

fn account() -> Vec<Row> {
    use Who::{Anyone, Owner, SignedIn};
    let token = json!({"user": "root", "password": "wrong", "name": "x", "days": 1});
    vec![
        row("GET", "/api/v1/me", &[], SignedIn),
        row("PUT", "/api/v1/me/password", &[], SignedIn)
            .with(json!({"current": "wrong", "password": "eleven blue bicycles"})),
        row("GET", "/api/v1/logins", &[], SignedIn),
        row("DELETE", "/api/v1/logins", &[], SignedIn),
        row("DELETE", "/api/v1/logins/{id}", &["login"], Owner),
        row("GET", "/api/v1/tokens", &[], SignedIn),
        row("POST", "/api/v1/tokens", &[], SignedIn).with(json!({"name": "x", "days": 1})),
        row("DELETE", "/api/v1/tokens/{id}", &["token"], Owner),
        row("POST", "/api/v1/token-requests", &[], Anyone).with(token),
    ]
}

fn people() -> Vec<Row> {
    use Who::Administrator;
    vec![
        row("GET", "/api/v1/users", &[], Administrator),
        row("POST", "/api/v1/users", &[], Administrator).with(json!({"name": "somebody"})),
        row("GET", "/api/v1/users/{id}", &["user"], Administrator),
        row("PATCH", "/api/v1/users/{id}", &["user"], Administrator).with(json!({"role": "member"})),
        row("DELETE", "/api/v1/users/{id}", &["user"], Administrator),
        row("POST", "/api/v1/users/{id}/disable", &["user"], Administrator),
        row("POST", "/api/v1/users/{id}/enable", &["user"], Administrator),
        row("POST", "/api/v1/users/{id}/links", &["user"], Administrator),
    ]
}

fn groups() -> Vec<Row> {
    use Who::Administrator;
    vec![
        row("GET", "/api/v1/groups", &[], Administrator),
        row("POST", "/api/v1/groups", &[], Administrator).with(json!({"name": "somebody"})),
        row("GET", "/api/v1/groups/{id}", &["group"], Administrator),
        row("DELETE", "/api/v1/groups/{id}", &["group"], Administrator),
        row("PUT", "/api/v1/groups/{id}/members/{user}", &["group", "user"], Administrator),
        row("DELETE", "/api/v1/groups/{id}/members/{user}", &["group", "user"], Administrator),
    ]
}
