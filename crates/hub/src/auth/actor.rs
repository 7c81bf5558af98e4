//! Somebody who acts: a principal, and where the request came from.

use std::net::IpAddr;

use portico_core::access::{self, Action, Permit, Principal, Thing};

use crate::error::Error;

/// An identified person with the address of the request. Services take it for the audit trail.
#[derive(Debug, Clone)]
pub struct Actor {
    pub principal: Principal,
    /// Absent for local administration and where the front door did not say.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// Asks the one function that decides.
    ///
    /// # Errors
    /// [`Error::NotFound`], whatever the reason.
    pub fn may(&self, action: Action, thing: Thing<'_>) -> Result<Permit, Error> {
        access::decide(&self.principal, action, thing).map_err(Error::from)
    }
}
