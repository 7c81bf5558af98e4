//! Who is at the other end of a connection, as the front door saw it.

use std::net::IpAddr;

/// Put by the front door among a request's extensions; never taken from anything a client says,
/// except forwarded headers of peers that the configuration trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    pub address: IpAddr,
    pub transport: Transport,
}

/// Whether the browser's side of the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Plain,
    Tls,
}
