//! Whom a page is for, enforced at its route besides the permits that its services ask for.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{auth::Visitor, error::Error};

/// Layer: people who are not known sign in first, and come back to where they wanted to go.
pub(crate) async fn signed_in(request: Request, next: Next) -> Response {
    if Visitor::of(&request).0.is_some() { next.run(request).await } else { to_sign_in(&request) }
}

/// Layer: for everybody but administrators the page does not exist.
pub(crate) async fn administrator(request: Request, next: Next) -> Response {
    match Visitor::of(&request).0 {
        None => to_sign_in(&request),
        Some(who) if who.actor.may_administer().is_ok() => next.run(request).await,
        Some(_) => Error::NotFound.into_response(),
    }
}

fn to_sign_in(request: &Request) -> Response {
    let wanted = request.uri().path_and_query().map_or("/", |path| path.as_str());
    // What a form was sent to is no page to come back to.
    let back = if request.method() == Method::GET && wanted.len() <= 1000 { wanted } else { "/" };
    if back == "/" {
        return Redirect::to("/sign-in").into_response();
    }
    let next = utf8_percent_encode(back, NON_ALPHANUMERIC);
    Redirect::to(&format!("/sign-in?next={next}")).into_response()
}
