//! Finds out who sends a request, once, and refuses what was not meant.
//!
//! Pages know people by their cookie; the API by a bearer token or, for our own scripts, by the cookie
//! with a token against forged requests. A stale cookie counts as none; a bad bearer token is refused,
//! because a program that sends one wants to know.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header, request::Parts};
use portico_core::{Secret, access::Principal, audit::Via};

use super::{Actor, Client, cookie, csrf};
use crate::{error::Error, service, state::Hub};

/// Somebody who is known, and active.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub actor: Actor,
    /// What forms carry as `csrf`, and scripts as the header `x-portico-csrf`; none with an API token.
    pub csrf: Option<Secret>,
}

/// Mark among the extensions of requests that come through the administration socket, which only who
/// owns the data directory can open. Put there by the binary, never by a client.
#[derive(Debug, Clone, Copy)]
pub struct Console;

/// Somebody who may be known.
#[derive(Debug, Clone, Default)]
pub struct Visitor(pub Option<SignedIn>);

impl Visitor {
    /// As the layer found out.
    pub(crate) fn of(request: &Request) -> Self {
        request.extensions().get().cloned().unwrap_or_default()
    }

    /// The token of the login, if there is one.
    pub(crate) fn csrf(&self) -> Option<Secret> {
        self.0.as_ref().and_then(|who| who.csrf.clone())
    }
}

/// Layer: puts a [`Visitor`] among the request's extensions.
pub(crate) async fn layer(State(hub): State<Hub>, mut request: Request, next: Next) -> Response {
    match identify(&hub, &mut request).await {
        Ok(visitor) => {
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

async fn identify(hub: &Hub, request: &mut Request) -> Result<Visitor, Error> {
    if request.extensions().get::<Console>().is_some() {
        return Ok(Visitor(Some(SignedIn { actor: Actor::console(hub.now()), csrf: None })));
    }
    let for_program = request.uri().path().starts_with("/api/");
    let unsafe_method = !csrf::is_safe(request.method());
    let (parts, body) = std::mem::take(request).into_parts();
    let client = Client::of(&parts);
    let bearer = if for_program { bearer(&parts.headers)? } else { None };
    let visitor = if let Some(token) = bearer {
        Visitor(Some(by_token(hub, &client, &token).await?))
    } else {
        by_cookie(hub, &client, &parts.headers).await?
    };
    if unsafe_method {
        check_meant(hub, &parts.headers, &visitor, for_program)?;
    }
    *request = Request::from_parts(parts, body);
    Ok(visitor)
}

/// Forms of pages need our origin here and their token at the route; scripts need both here.
fn check_meant(hub: &Hub, headers: &HeaderMap, visitor: &Visitor, for_program: bool) -> Result<(), Error> {
    if !for_program {
        return csrf::check_origin(&hub.config, headers);
    }
    let Some(token) = visitor.csrf() else { return Ok(()) };
    csrf::check_origin(&hub.config, headers)?;
    if csrf::header_matches(headers, &token) { Ok(()) } else { Err(Error::ForeignOrigin) }
}

async fn by_token(hub: &Hub, client: &Client, token: &Secret) -> Result<SignedIn, Error> {
    let (token, user, groups) = service::token::find(hub, token).await?.ok_or(Error::NotSignedIn)?;
    let principal = Principal { user, groups, via: Via::Token(token.id) };
    Ok(SignedIn { actor: Actor { principal, address: client.address }, csrf: None })
}

async fn by_cookie(hub: &Hub, client: &Client, headers: &HeaderMap) -> Result<Visitor, Error> {
    let Some(secret) = cookie::read(&hub.config, headers)? else { return Ok(Visitor(None)) };
    let Some((login, user, groups)) = service::login::find(hub, &secret).await? else {
        return Ok(Visitor(None));
    };
    let csrf = Some(hub.keys.csrf.token(&login.id));
    let principal = Principal { user, groups, via: Via::Login(login.id) };
    Ok(Visitor(Some(SignedIn { actor: Actor { principal, address: client.address }, csrf })))
}

fn bearer(headers: &HeaderMap) -> Result<Option<Secret>, Error> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Error::NotSignedIn);
    }
    let text = value.to_str().map_err(|_| Error::NotSignedIn)?;
    let (scheme, token) = text.split_once(' ').ok_or(Error::NotSignedIn)?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    if is_bearer { Ok(Some(Secret::new(token.trim()))) } else { Err(Error::NotSignedIn) }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let visitor: Visitor = parts.extensions.get().cloned().unwrap_or_default();
        visitor.0.ok_or(Error::NotSignedIn)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or(Visitor(None)).0)
    }
}
