//! The other end of a request, before anybody is known.

use std::{convert::Infallible, net::IpAddr};

use axum::extract::FromRequestParts;
use http::{header, request::Parts};
use portico_core::peer::Peer;

/// Longest text of a browser about itself that is kept, in characters.
const MAX_AGENT: usize = 200;

/// Address and browser.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// As the front door saw it.
    pub address: Option<IpAddr>,
    /// What the browser says of itself, cut and without control characters.
    pub agent: String,
}

impl Client {
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        let agent =
            parts.headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        let agent = agent.unwrap_or_default().chars().filter(|c| !c.is_control()).take(MAX_AGENT).collect();
        Self { address: parts.extensions.get::<Peer>().map(|peer| peer.address), agent }
    }

    /// The address as text; empty when it is not known.
    #[must_use]
    pub fn address_text(&self) -> String {
        self.address.map(|address| address.to_string()).unwrap_or_default()
    }

    /// What failures are counted by: an IPv4 address, or the /64 that one holder of IPv6 has.
    #[must_use]
    pub fn throttle_key(&self) -> String {
        match self.address.map(|address| address.to_canonical()) {
            None => "unknown".to_owned(),
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}
