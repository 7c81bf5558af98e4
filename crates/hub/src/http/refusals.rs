//! Leaves a line in the audit log for each change that a known person asked for and was refused.
//!
//! Refusals of people who are not known are no acts of anybody; failed sign-ins are recorded where they
//! are throttled.

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};

use crate::{
    auth::{Visitor, csrf},
    error::{Carried, Error},
    service::audit::{self, Act},
    state::Hub,
};

/// Layer of all routes, behind the one that finds out who asks.
pub(crate) async fn layer(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    let visitor = Visitor::of(&request).0;
    let Some(who) = visitor.filter(|_| !csrf::is_safe(request.method())) else {
        return next.run(request).await;
    };
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let method = request.method().clone();
    let response = next.run(request).await;
    if let Some(Carried(error)) = response.extensions().get::<Carried>().cloned()
        && let Some(route) = route
        && is_refusal(&error)
    {
        let act = Act::refused("request.refuse", path).with_detail(format!("{method} {route}: {error}"));
        if let Err(error) = audit::record_alone(&hub, &who.actor, act).await {
            tracing::warn!(error = %error, "a refusal could not be recorded");
        }
    }
    response
}

const fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::NotFound | Error::ForeignOrigin | Error::Forbidden(_))
}
