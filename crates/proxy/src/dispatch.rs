//! From a request to who answers it.

use std::{sync::Arc, time::Instant};

use http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use hyper::body::{Body, Incoming};
use jiff::Timestamp;
use portico_core::route::Doors;

use crate::{
    address::Site,
    admit::{admit, is_foreign},
    body::{Answer, RequestBody},
    cookie::CookieName,
    forward,
    front::Door,
    host::{Authority, requested},
    listen::Connection,
    metrics::Kind,
    peer::{self, Peer, RequestId},
    refuse::{Asks, Refused, explained, redirect},
    ticket,
    visit::open_door,
};

/// Answers one request, whatever it is.
pub(crate) async fn answer(
    door: &Arc<Door>,
    connection: &Connection,
    request: Request<Incoming>,
) -> Response<Answer> {
    let started = Instant::now();
    let asked_upgrade = request.headers().contains_key(header::UPGRADE);
    let (kind, mut response) = lead(door, connection, request).await;
    if asked_upgrade && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        // What follows on this connection would not be read strictly any more.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    door.metrics.answered(kind, response.status(), started.elapsed());
    response
}

async fn lead(
    door: &Arc<Door>,
    connection: &Connection,
    mut request: Request<Incoming>,
) -> (Kind, Response<Answer>) {
    let id = door.ids.next();
    let peer = peer::client(connection.peer.ip(), request.headers(), &door.trusted);
    if request.method() == Method::CONNECT || request.method() == Method::TRACE {
        return (Kind::None, Refused::METHOD.answer(door, Asks::Data, &id));
    }
    let port = door.addresses.scheme().default_port();
    let authority = match requested(request.uri(), request.headers(), port) {
        Ok(authority) if request.uri().path().starts_with('/') => authority,
        _ => return (Kind::None, Refused::BAD_REQUEST.answer(door, Asks::Data, &id)),
    };
    forward::strip_claims(request.headers_mut());
    match door.addresses.site(&authority, request.uri().path()) {
        Site::Hub => (Kind::Hub, hub(door, request, peer, &id).await),
        Site::App(entrance) => {
            let call = forward::Call { door, connection, entrance: &entrance, peer, id: &id };
            (Kind::App, app(call, request).await)
        }
        Site::Unslashed => {
            let (origin, path) = (door.addresses.hub_origin(), request.uri().path());
            (Kind::App, redirect(&format!("{origin}{path}/"), &id))
        }
        Site::Unknown => (Kind::None, stranger(door, connection, &authority, &request, &id)),
    }
}

/// The hub's turn.
async fn hub(door: &Door, request: Request<Incoming>, peer: Peer, id: &RequestId) -> Response<Answer> {
    let limit = door.limits.hub_body_bytes;
    if limit != 0 && request.body().size_hint().lower() > limit {
        let (parts, _) = request.into_parts();
        return Refused::BODY.answer(door, Asks::of(&parts), id);
    }
    let mut request = request.map(|incoming| RequestBody::new(incoming, limit));
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(id.clone());
    (door.hub)(request).await.map(Answer::Hub)
}

/// A host that is not ours. Who typed our number is shown the way; nobody is served the hub under a
/// name that is not its own, since that name's owner could read along.
fn stranger(
    door: &Door,
    connection: &Connection,
    authority: &Authority,
    request: &Request<Incoming>,
    id: &RequestId,
) -> Response<Answer> {
    let local = connection.local;
    let by_number = authority.address() == Some(local.ip().to_canonical()) && authority.port == local.port();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if by_number && reads {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return redirect(&format!("{}{path}", door.addresses.hub_origin()), id);
    }
    let asks = if reads { Asks::Page } else { Asks::Data };
    Refused::UNKNOWN_HOST.answer(door, asks, id)
}

/// A workload's turn, if this request may see it.
async fn app(call: forward::Call<'_>, request: Request<Incoming>) -> Response<Answer> {
    let forward::Call { door, connection, entrance, peer, id } = call;
    let (parts, body) = request.into_parts();
    if let Some(rest) = entrance.reserved(parts.uri.path()) {
        return ticket::answer(door, entrance, rest, &parts, peer, id).await;
    }
    let asks = Asks::of(&parts);
    if is_foreign(&parts, asks, &entrance.origin) {
        return Refused::FOREIGN_ORIGIN.answer(door, asks, id);
    }
    let cookie = CookieName::at(entrance, &door.addresses);
    let published = door.published.borrow().clone();
    let now = Timestamp::now();
    let keys = (&door.key, &connection.checked);
    let admitted = match admit(&parts.headers, &cookie, &entrance.label, &published, keys, now) {
        Ok(admitted) => admitted,
        Err(refused) => return without_pass(&call, refused, asks, &parts),
    };
    if asks == Asks::Page {
        door.arrivals.arrived(&parts, peer, entrance);
    }
    let Some(route) = admitted.route.filter(|route| route.doors != Doors::Closed) else {
        let explanation = door.gate.explain(&admitted.pass).await;
        return explained(door, explanation, asks, id);
    };
    let Some(upstream) = open_door(&route, &entrance.entry).cloned() else {
        return Refused::UNKNOWN_HOST.answer(door, asks, id);
    };
    let forwarded = match call.visit(admitted.pass, route, upstream, now) {
        Ok(stay) => call.forward(parts, body, stay).await,
        Err(refused) => Err(refused),
    };
    forwarded.unwrap_or_else(|refused| refused.answer(door, asks, id))
}

/// Sends a browser to the hub for a pass, for unknown labels like for known ones.
fn without_pass(call: &forward::Call<'_>, refused: Refused, asks: Asks, parts: &Parts) -> Response<Answer> {
    let forward::Call { door, entrance, peer, id, .. } = *call;
    if asks == Asks::Data || !refused.is_cured_by_ticket() {
        return refused.answer(door, asks, id);
    }
    if door.arrivals.missed(parts, peer, entrance) {
        return Refused::NO_COOKIE.answer(door, asks, id);
    }
    door.metrics.refused(refused.reason);
    let next = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    redirect(&door.addresses.open_url(entrance, next), id)
}
