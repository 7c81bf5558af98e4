//! An address of Portico: scheme, host and port, nothing behind them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A text that is no address of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected http:// or https://, a host name and perhaps a port, without a path")]
pub struct InvalidUrl;

/// Origin of an installation; the host may begin with `*.` for the origins of workloads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicUrl {
    scheme: Scheme,
    host: String,
    port: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl PublicUrl {
    #[must_use]
    pub const fn is_https(&self) -> bool {
        matches!(self.scheme, Scheme::Https)
    }

    /// Host without port, in lower case.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether browsers treat it as trustworthy without TLS: `localhost` and loopback addresses.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let host = self.host.as_str();
        host == "localhost"
            || host.ends_with(".localhost")
            || host == "[::1]"
            || host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The text that a browser sends as `Origin`.
    #[must_use]
    pub fn origin(&self) -> String {
        self.to_string()
    }
}

impl Default for PublicUrl {
    fn default() -> Self {
        Self { scheme: Scheme::Http, host: "localhost".to_owned(), port: Some(8080) }
    }
}

impl FromStr for PublicUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let (scheme, rest) = if let Some(rest) = text.strip_prefix("https://") {
            (Scheme::Https, rest)
        } else {
            (Scheme::Http, text.strip_prefix("http://").ok_or(InvalidUrl)?)
        };
        let (host, port) = split_port(rest)?;
        let named = host.strip_prefix("*.").unwrap_or(host);
        let well_formed = if let Some(inner) = named.strip_prefix('[') {
            inner.strip_suffix(']').is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok())
        } else {
            is_host_name(named)
        };
        if !well_formed {
            return Err(InvalidUrl);
        }
        let default = if scheme == Scheme::Https { 443 } else { 80 };
        Ok(Self { scheme, host: host.to_owned(), port: port.filter(|port| *port != default) })
    }
}

fn split_port(text: &str) -> Result<(&str, Option<u16>), InvalidUrl> {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            let port: u16 = port.parse().map_err(|_| InvalidUrl)?;
            if digits && port > 0 { Ok((host, Some(port))) } else { Err(InvalidUrl) }
        }
        _ => Ok((text, None)),
    }
}

fn is_host_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https() { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = InvalidUrl;
    fn try_from(text: String) -> Result<Self, InvalidUrl> {
        text.parse()
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> String {
        url.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_origin() {
        for (text, origin) in [
            ("http://localhost:8080", "http://localhost:8080"),
            ("https://Portico.Example.org:443/", "https://portico.example.org"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://*.apps.example.org", "https://*.apps.example.org"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().map(|url| url.origin()), Ok(origin.to_owned()));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "localhost",
            "ftp://a",
            "http://",
            "http://a/b",
            "http://a:0",
            "http://a:+1",
            "http://u@a",
            "http://a b",
        ] {
            assert_eq!(text.parse::<PublicUrl>(), Err(InvalidUrl), "{text}");
        }
    }
}
