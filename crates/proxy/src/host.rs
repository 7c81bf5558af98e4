//! Reading `Host`: exact, or not at all.
//!
//! Every later decision hangs on the authority a request names, so a request that names none, two, or
//! something that two readers could understand differently is refused here with 400.

use std::{fmt, net::IpAddr};

use http::{HeaderMap, Uri, header::HOST};
use thiserror::Error;

use crate::config::Scheme;

/// Longest name of the domain name system.
const LONGEST: usize = 253;

/// The request does not say clearly which host it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the request does not name exactly one valid host")]
pub(crate) struct BadHost;

/// A host in lower case without a dot at its end (IPv6 in brackets), and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Authority {
    /// Parses `host`, `host:port`, `[v6]` or `[v6]:port`.
    pub(crate) fn parse(text: &[u8], default_port: u16) -> Result<Self, BadHost> {
        let text = std::str::from_utf8(text).map_err(|_| BadHost)?;
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (inside, port) = rest.split_once(']').ok_or(BadHost)?;
            let address: std::net::Ipv6Addr = inside.parse().map_err(|_| BadHost)?;
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or(BadHost)?) };
            (format!("[{address}]"), port)
        } else {
            let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
            (name(host)?, port)
        };
        let port = port.map_or(Ok(default_port), parse_port)?;
        Ok(Self { host, port })
    }

    /// The address, when the host is one and not a name.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// As it stands in a URL of that scheme: without the port that goes without saying.
    pub(crate) fn in_url(&self, scheme: Scheme) -> InUrl<'_> {
        InUrl { authority: self, implied: scheme.default_port() }
    }

    /// Whether browsers treat plain HTTP to this host as secure.
    pub(crate) fn is_local(&self) -> bool {
        self.host == "localhost"
            || self.host.ends_with(".localhost")
            || self.address().is_some_and(|address| address.is_loopback())
    }
}

/// An authority on its way into a URL.
pub(crate) struct InUrl<'a> {
    authority: &'a Authority,
    implied: u16,
}

impl fmt::Display for InUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority.host)?;
        if self.authority.port == self.implied { Ok(()) } else { write!(f, ":{}", self.authority.port) }
    }
}

/// The authority that a request is meant for.
pub(crate) fn requested(uri: &Uri, headers: &HeaderMap, default_port: u16) -> Result<Authority, BadHost> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().ok_or(BadHost)?;
    if hosts.next().is_some() {
        return Err(BadHost);
    }
    let authority = Authority::parse(host.as_bytes(), default_port)?;
    match (uri.scheme_str(), uri.authority()) {
        (None, None) => Ok(authority),
        (Some("http" | "https"), Some(target)) => {
            let target = Authority::parse(target.as_str().as_bytes(), default_port)?;
            if target == authority { Ok(authority) } else { Err(BadHost) }
        }
        _ => Err(BadHost),
    }
}

fn name(text: &str) -> Result<String, BadHost> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let valid = !text.is_empty()
        && text.len() <= LONGEST
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        });
    if valid { Ok(text.to_ascii_lowercase()) } else { Err(BadHost) }
}

fn parse_port(text: &str) -> Result<u16, BadHost> {
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit());
    let port = if digits { text.parse().ok() } else { None };
    port.filter(|port| *port != 0).ok_or(BadHost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Option<(String, u16)> {
        Authority::parse(text.as_bytes(), 80).ok().map(|authority| (authority.host, authority.port))
    }

    #[test]
    fn spellings_of_one_host_are_one_host() {
        for text in ["localhost:8080", "LOCALHOST:8080", "localhost.:8080", "LocalHost:08080"] {
            assert_eq!(parse(text), Some(("localhost".to_owned(), 8080)), "{text}");
        }
        assert_eq!(parse("[::0001]"), Some(("[::1]".to_owned(), 80)));
    }

    #[test]
    fn what_is_not_clearly_a_host_is_refused() {
        for text in [
            "",
            ":80",
            "a:",
            "a:0",
            "a:65536",
            "a:80:80",
            "a:8o",
            "a:+80",
            "a: 80",
            "u@a",
            "u:p@a:80",
            "a/b",
            "a?b",
            "a#b",
            "a\\b",
            "a b",
            "a..b",
            ".a",
            "a%2eb",
            "%61",
            "[::1",
            "::1",
            "[::1]x",
            "[::1]:",
            "[fe80::1%25eth0]",
            "a,b",
            "a;b",
            "é",
            "a\u{0}",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!(parse(&"a".repeat(64)), None);
        assert_eq!(parse(&format!("{}a", "a.".repeat(127))), None, "255 characters");
    }

    proptest! {
        #[test]
        fn a_parsed_host_is_safe_in_a_url_and_parses_to_itself(text in "\\PC{0,40}") {
            if let Ok(authority) = Authority::parse(text.as_bytes(), 80) {
                prop_assert!(authority.host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:[]".contains(&b)));
                let again = Authority::parse(authority.in_url(Scheme::Http).to_string().as_bytes(), 80);
                prop_assert_eq!(again, Ok(authority));
            }
        }
    }
}
