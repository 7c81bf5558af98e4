//! Who is at the other end, and what a request is called in logs.

use std::{
    collections::hash_map::RandomState,
    fmt,
    hash::BuildHasher,
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use http::HeaderMap;

use crate::config::Network;

/// The client's address: that of the connection, or what a trusted proxy says. In each request's
/// extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(pub IpAddr);

/// Sixteen hexadecimal characters, unique among the requests of this process. In each request's
/// extensions, in the header `X-Request-Id` towards workloads, and on pages that refuse.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Box<str>);

impl RequestId {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes request ids: a counter from a random start, so that restarts do not repeat them.
#[derive(Debug)]
pub(crate) struct RequestIds(AtomicU64);

impl RequestIds {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(RandomState::new().hash_one("request ids")))
    }

    pub(crate) fn next(&self) -> RequestId {
        RequestId(format!("{:016x}", self.0.fetch_add(1, Ordering::Relaxed)).into_boxed_str())
    }
}

pub(crate) fn is_trusted(address: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// The client behind `address`: the last entry of `X-Forwarded-For` that no trusted proxy wrote about
/// another trusted proxy. A list that cannot be read counts up to its last readable entry.
pub(crate) fn client(address: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> Peer {
    let mut client = address.to_canonical();
    if !is_trusted(client, trusted) {
        return Peer(client);
    }
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().map(|line| line.to_str().unwrap_or("?")).collect();
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Ok(entry) = entry.trim().parse::<IpAddr>() else { break };
        client = entry.to_canonical();
        if !is_trusted(client, trusted) {
            break;
        }
    }
    Peer(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_of(peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().expect("a network"), "::1".parse().expect("a network")];
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().expect("a value"));
        }
        client(peer.parse().expect("an address"), &headers, &trusted).0.to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(client_of("192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(client_of("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client_of("::ffff:10.0.0.1", &["203.0.113.9, 10.0.0.2"]), "203.0.113.9");
    }

    #[test]
    fn what_the_client_itself_wrote_does_not_count() {
        assert_eq!(client_of("10.0.0.1", &["1.1.1.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(client_of("10.0.0.1", &["1.1.1.1", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(client_of("10.0.0.1", &["203.0.113.9, nonsense"]), "10.0.0.1");
        assert_eq!(client_of("10.0.0.1", &[]), "10.0.0.1");
    }
}
