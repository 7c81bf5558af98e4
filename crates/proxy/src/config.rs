//! The front door's part of the configuration file.
//!
//! Values are parsed where they stand, so that a mistake is reported at its own line and column; what
//! depends on several of them is checked by [`crate::Addresses::new`].

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::host::Authority;

/// Options of the front door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Addresses to listen on. Default: `["127.0.0.1:8080"]`.
    pub listen: Vec<SocketAddr>,
    /// How browsers reach the hub, scheme, host and port only. Default: `http://localhost:8080`.
    pub public_url: PublicUrl,
    /// Domain under which each workload has a name of its own, as `host` or `host:port`; names below it
    /// must all lead here. Default: host and port of `public_url`, so that `http://localhost:8080`
    /// gives `<label>.localhost:8080`, which needs no DNS.
    pub apps_domain: Option<AppsDomain>,
    /// How workloads are told apart. Default: `domain`.
    pub mode: Mode,
    /// Networks of reverse proxies in front of this one. Their `X-Forwarded-For` tells the client's
    /// address, and the limit of connections per client does not hold for them. Default: none.
    pub trusted_proxies: Vec<Network>,
    /// Limits and deadlines.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8080))],
            public_url: PublicUrl::default(),
            apps_domain: None,
            mode: Mode::default(),
            trusted_proxies: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// How workloads are told apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One origin per workload: `<label>.<apps domain>`. Browsers keep workloads apart.
    #[default]
    Domain,
    /// All workloads below `/w/<label>/` of the hub's own origin, for sites without wildcard names. It
    /// costs the separation by the browser: a page of one workload can act as its visitor towards the
    /// hub and towards every other workload that the visitor has open. Only where everybody who may
    /// run anything is trusted by everybody who may sign in.
    Path,
}

/// Limits and deadlines of the front door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest head of a request, in bytes, 8192 at least; larger ones get 431. Default: 65536.
    pub header_bytes: usize,
    /// Most header fields of a request; more get 431. Default: 100.
    pub header_count: usize,
    /// Most connections from outside at once; more get 503. Default: 10000.
    pub connections: usize,
    /// Most connections from one address at once; more get 503. Default: 512.
    pub connections_per_client: usize,
    /// Most connections to one workload at once; more get the page "too much". Default: 512.
    pub connections_per_workload: usize,
    /// Largest request body for the hub, in bytes; larger ones get 413. Workloads have no such limit.
    /// Default: 67108864. `0` means no limit.
    pub hub_body_bytes: u64,
    /// Seconds within which the head of a request must have arrived, and after which a connection
    /// without requests is closed. Default: 60.
    pub header_seconds: u32,
    /// Seconds to connect to a workload. Default: 5.
    pub connect_seconds: u32,
    /// Seconds without any progress until a workload begins its answer. Default: 300.
    pub answer_seconds: u32,
    /// Seconds for the answer to an upgrade (WebSocket handshake). Default: 30.
    pub upgrade_seconds: u32,
    /// Seconds after which an unused connection to a workload is closed. Default: 30.
    pub idle_seconds: u32,
    /// Seconds of silence that end a tunnel one side of which is closed already. Default: 60.
    pub half_open_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 64 * 1024,
            header_count: 100,
            connections: 10_000,
            connections_per_client: 512,
            connections_per_workload: 512,
            hub_body_bytes: 64 * 1024 * 1024,
            header_seconds: 60,
            connect_seconds: 5,
            answer_seconds: 300,
            upgrade_seconds: 30,
            idle_seconds: 30,
            half_open_seconds: 60,
        }
    }
}

/// Seconds of the configuration as a duration; none is shorter than one second.
pub(crate) fn seconds(count: u32) -> Duration {
    Duration::from_secs(u64::from(count.max(1)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    pub(crate) const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Origin of the hub: `http` or `https`, host, and port where it is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicUrl {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
}

impl Default for PublicUrl {
    fn default() -> Self {
        Self { scheme: Scheme::Http, authority: Authority { host: "localhost".to_owned(), port: 8080 } }
    }
}

impl std::fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority.in_url(self.scheme))
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = if let Some(rest) = text.strip_prefix("https://") {
            (Scheme::Https, rest)
        } else if let Some(rest) = text.strip_prefix("http://") {
            (Scheme::Http, rest)
        } else {
            return Err(format!("{text:?} is not an address: expected http://host:port or https://host"));
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let authority = Authority::parse(rest.as_bytes(), scheme.default_port()).map_err(|_| {
            format!("{text:?} is not an address of a whole host: expected http://host:port without a path")
        })?;
        Ok(Self { scheme, authority })
    }
}

/// Domain of the workloads' names: host, and port where it is not that of `public_url`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppsDomain {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl std::fmt::Display for AppsDomain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

impl FromStr for AppsDomain {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a domain: expected host or host:port, without a scheme");
        let authority = Authority::parse(text.as_bytes(), 0).map_err(|_| wrong())?;
        if authority.address().is_some() {
            return Err(format!("{text:?} is a number, below which no names exist: expected a domain"));
        }
        let port = (authority.port != 0).then_some(authority.port);
        Ok(Self { host: authority.host, port })
    }
}

/// A network in the notation `10.0.0.0/8`; a single address stands for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether the address lies inside. An IPv4 address counts in its IPv6-mapped form too.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(one)) => {
                let shift = 32 - u32::from(self.bits);
                shift == 32 || u32::from(net) >> shift == u32::from(one) >> shift
            }
            (IpAddr::V6(net), IpAddr::V6(one)) => {
                let shift = 128 - u32::from(self.bits);
                shift == 128 || u128::from(net) >> shift == u128::from(one) >> shift
            }
            _ => false,
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a network: expected for example 10.0.0.0/8 or ::1");
        let (address, bits) = text.split_once('/').map_or((text, None), |(one, bits)| (one, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse::<u8>().map_err(|_| wrong()))?;
        if bits > most { Err(wrong()) } else { Ok(Self { address, bits }) }
    }
}

macro_rules! by_text {
    ($($name:ident)*) => {$(
        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    )*};
}

by_text! { PublicUrl AppsDomain Network }
