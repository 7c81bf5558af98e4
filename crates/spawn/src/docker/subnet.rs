//! Arithmetic of the address pool: which small network is free. Pure.

use std::{fmt, net::Ipv4Addr, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Bits of the network part of one workload's network: 16 addresses.
const LENGTH: u8 = 28;

/// An IPv4 network, `10.213.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subnet {
    base: u32,
    length: u8,
}

/// A private IPv4 range out of which networks are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pool(Subnet);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected a private IPv4 network between /8 and /24, such as 10.213.0.0/16")]
pub struct InvalidSubnet;

impl Default for Pool {
    fn default() -> Self {
        Self(Subnet { base: u32::from(Ipv4Addr::new(10, 213, 0, 0)), length: 16 })
    }
}

impl Pool {
    /// The free networks, starting at a place that depends on `name`: an address that one workload
    /// gave back is not handed to the next one at once.
    pub(super) fn free<'a>(&self, used: &'a [Subnet], name: &str) -> impl Iterator<Item = Subnet> + 'a {
        let count = 1_u32 << (LENGTH - self.0.length);
        let base = self.0.base;
        let start = hash(name);
        (0..count)
            .map(move |step| {
                let place = start.wrapping_add(step) % count;
                Subnet { base: base + (place << (32 - LENGTH)), length: LENGTH }
            })
            .filter(|candidate| !used.iter().any(|other| other.overlaps(*candidate)))
    }
}

impl Subnet {
    /// The address in hexadecimal, for names.
    pub(super) fn place(self) -> String {
        format!("{:08x}", self.base)
    }

    fn overlaps(self, other: Self) -> bool {
        let mask = mask(self.length.min(other.length));
        self.base & mask == other.base & mask
    }
}

fn mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

/// FNV-1a: any even spread will do.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl FromStr for Subnet {
    type Err = InvalidSubnet;

    fn from_str(text: &str) -> Result<Self, InvalidSubnet> {
        let (address, length) = text.split_once('/').ok_or(InvalidSubnet)?;
        let address: Ipv4Addr = address.parse().map_err(|_| InvalidSubnet)?;
        let length: u8 = length.parse().map_err(|_| InvalidSubnet)?;
        if length > 32 {
            return Err(InvalidSubnet);
        }
        Ok(Self { base: u32::from(address) & mask(length), length })
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.length)
    }
}

impl TryFrom<String> for Pool {
    type Error = InvalidSubnet;

    fn try_from(text: String) -> Result<Self, InvalidSubnet> {
        let subnet: Subnet = text.parse()?;
        let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]
            .into_iter()
            .filter_map(|range| range.parse::<Subnet>().ok())
            .any(|range| subnet.length >= range.length && range.overlaps(subnet));
        if private && (8..=24).contains(&subnet.length) { Ok(Self(subnet)) } else { Err(InvalidSubnet) }
    }
}

impl From<Pool> for String {
    fn from(pool: Pool) -> Self {
        pool.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().expect("a subnet")
    }

    #[test]
    fn used_ranges_are_left_out() {
        let pool = Pool::try_from("10.9.8.0/24".to_owned()).expect("a pool");
        let used = [subnet("10.9.8.0/25"), subnet("10.9.8.240/28"), subnet("10.9.8.136/30")];
        let free: Vec<_> = pool.free(&used, "any").map(|subnet| subnet.to_string()).collect();
        assert_eq!(free.len(), 16 - 8 - 2);
        assert!(free.iter().all(|text| text.starts_with("10.9.8.") && text.ends_with("/28")));
        assert!(pool.free(&[subnet("10.0.0.0/8")], "any").next().is_none());
    }

    #[test]
    fn names_start_at_different_places() {
        let first = |name| Pool::default().free(&[], name).next();
        assert_ne!(first("portico-demo-wa-0"), first("portico-demo-wa-1"));
    }

    #[test]
    fn a_pool_is_private_and_of_sensible_size() {
        for text in ["8.8.0.0/16", "10.0.0.0/7", "10.0.0.0/30", "10.0.0.0", "10.0.0/16", "x/16", "0.0.0.0/0"]
        {
            assert_eq!(Pool::try_from(text.to_owned()), Err(InvalidSubnet), "{text}");
        }
        assert_eq!(
            String::from(Pool::try_from("192.168.7.9/20".to_owned()).expect("a pool")),
            "192.168.0.0/20"
        );
    }
}
