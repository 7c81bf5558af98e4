//! What is taken out of requests and answers on their way, and what is put in.
//!
//! A workload may believe what Portico says in headers, because whatever a client says there in
//! Portico's or a proxy's name is removed first.

use std::net::IpAddr;

use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{self, Entry},
    request::Parts,
};
use hyper::body::{Body, Incoming};

use super::{Call, origin_form};
use crate::{address::Entrance, cookie, refuse::Refused, visit::Visit};

/// Headers between two neighbours, besides those that `Connection` names.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Headers by which proxies tell identities and addresses.
const CLAIMS: [&str; 15] = [
    "forwarded",
    "client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "remote-user",
    "remote_user",
    "remote-name",
    "remote-email",
    "remote-groups",
    "ssl-client-cert",
    "ssl-client-verify",
    "front-end-https",
    "via",
    "eaahash",
    "uid",
];

/// Beginnings of such headers.
const CLAIM_PREFIXES: [&str; 10] = [
    "x-forwarded-",
    "x-real-",
    "x-client-",
    "x-original-",
    "x-rewrite-",
    "x-remote-",
    "x-auth-request-",
    "x-authenticated-",
    "x-script-name",
    "x-interactive-tool-",
];

/// Headers of an app's answer that speak for more than the app: the site's transport, other ports of
/// the host, and what the browser keeps for all of Portico's names.
const BEYOND_APP: [&str; 4] = ["strict-transport-security", "alt-svc", "clear-site-data", "public-key-pins"];

/// Removes what only a proxy in front may say, in every spelling. For hub and workloads alike.
pub(crate) fn strip_claims(headers: &mut HeaderMap) {
    remove_where(headers, |name| {
        CLAIMS.contains(&name)
            || CLAIM_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            // Many gateways read `_` as `-`, so that X_Forwarded_For would come out as the real one.
            || name.contains('_') && name.replace('_', "-").starts_with("x-")
    });
}

/// Turns the head of a client's request into that of the request to the workload.
pub(super) fn prepare(parts: &mut Parts, call: &Call<'_>, visit: &Visit) {
    let headers = &mut parts.headers;
    strip_hop_by_hop(headers);
    headers.remove(header::EXPECT);
    remove_where(headers, |name| name.starts_with("x-portico-") || name == "x-request-id");
    cookie::strip_request(headers);
    let scheme = call.door.addresses.scheme().as_str();
    let Entrance { host, port, base, .. } = call.entrance;
    let client = call.peer.0;
    let mut set = |name: &'static str, value: String| {
        // All parts are addresses, checked names and ids, which are valid values.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    set("host", host.clone());
    set("x-forwarded-for", client.to_string());
    set("x-forwarded-proto", scheme.to_owned());
    set("x-forwarded-host", host.clone());
    set("x-forwarded-port", port.to_string());
    set("forwarded", format!("for={};host=\"{host}\";proto={scheme}", Quoted(client)));
    set("x-portico-user", visit.pass.user.to_string());
    set("x-request-id", call.id.to_string());
    if base != "/" {
        set("x-forwarded-prefix", base.trim_end_matches('/').to_owned());
    }
    parts.uri = origin_form(&parts.uri);
    parts.version = http::Version::HTTP_11;
}

/// Turns the head of a workload's answer into that of ours.
pub(super) fn finish(headers: &mut HeaderMap, entrance: &Entrance) {
    strip_hop_by_hop(headers);
    for name in BEYOND_APP {
        headers.remove(name);
    }
    if entrance.base != "/" {
        headers.remove("service-worker-allowed");
    }
    cookie::confine_response(headers, &entrance.base);
}

/// Lets an answer claim no other length than its body has, so that nobody reads its end elsewhere.
pub(super) fn settle_length(response: &mut Response<Incoming>) {
    let (ended, exact) = (response.body().is_end_stream(), response.body().size_hint().exact());
    let one = response.headers().get_all(header::CONTENT_LENGTH).iter().count() == 1;
    let unknown = !ended && exact.is_none();
    if unknown || !one || response.status() == StatusCode::NO_CONTENT {
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    if let (false, Some(length)) = (ended, exact) {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// The protocol that a request asks to switch to. HTTP/2 and TLS are not switched to: within them
/// requests would pass unseen.
pub(super) fn upgrade(parts: &Parts, without_body: bool) -> Result<Option<HeaderValue>, Refused> {
    let mut protocols = parts.headers.get_all(header::UPGRADE).iter();
    let Some(protocol) = protocols.next() else { return Ok(None) };
    let named = connection_names(&parts.headers).any(|name| name.eq_ignore_ascii_case(b"upgrade"));
    if !named || parts.version != http::Version::HTTP_11 {
        return Ok(None);
    }
    if protocols.next().is_some() || !without_body {
        return Err(Refused::BAD_REQUEST);
    }
    let text = protocol.to_str().map_err(|_| Refused::BAD_REQUEST)?.to_ascii_lowercase();
    let other_http = ["h2", "http", "tls", "quic"].iter().any(|prefix| text.starts_with(prefix));
    if other_http || text.contains(',') { Ok(None) } else { Ok(Some(protocol.clone())) }
}

pub(super) fn ask_upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, protocol);
}

/// Passes on the workload's consent to an upgrade.
pub(super) fn finish_upgrade(headers: &mut HeaderMap, entrance: &Entrance) {
    let protocol = headers.remove(header::UPGRADE);
    finish(headers, entrance);
    headers.remove(header::CONTENT_LENGTH);
    if let Some(protocol) = protocol {
        ask_upgrade(headers, protocol);
    }
}

fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> = connection_names(headers)
            .filter_map(|name| HeaderName::from_bytes(name).ok())
            // These are no neighbour's affair, whatever a client says.
            .filter(|name| !matches!(*name, header::HOST | header::CONTENT_LENGTH | header::CONTENT_TYPE))
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

fn connection_names(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|line| line.as_bytes().split(|b| *b == b','))
        .map(<[u8]>::trim_ascii)
}

fn remove_where(headers: &mut HeaderMap, matches: impl Fn(&str) -> bool) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| matches(name.as_str())).cloned().collect();
    for name in names {
        if let Entry::Occupied(entry) = headers.entry(name) {
            entry.remove_entry_mult();
        }
    }
}

/// An address as `Forwarded` wants it.
struct Quoted(IpAddr);

impl std::fmt::Display for Quoted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(address) => write!(f, "\"[{address}]\""),
        }
    }
}
