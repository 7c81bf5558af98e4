//! Somebody who acts: a principal, and where the request came from.

use std::net::IpAddr;

use portico_core::{
    LoginId, Timestamp, UserId,
    access::{self, Action, Permit, Principal, Thing},
    audit::Via,
    user::{Role, Standing, User},
};

use crate::error::Error;

/// An identified person with the address of the request. Services take it for the audit trail.
#[derive(Debug, Clone)]
pub struct Actor {
    pub principal: Principal,
    /// Absent for local administration and where the front door did not say.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// Whoever can run the command line on the server itself, as its administrator.
    #[must_use]
    pub fn console(now: Timestamp) -> Self {
        let user = User {
            id: UserId::new(Timestamp::UNIX_EPOCH, [0; 10]),
            name: "console".parse().expect("a name"),
            slug: "console".parse().expect("a safe name"),
            number: 0,
            role: Role::Administrator,
            standing: Standing::Active,
            created: now,
            last_seen: None,
        };
        Self { principal: Principal { user, groups: Vec::new(), via: Via::Console }, address: None }
    }

    #[must_use]
    pub const fn user(&self) -> &User {
        &self.principal.user
    }

    /// The login by which a browser is known.
    #[must_use]
    pub const fn login(&self) -> Option<&LoginId> {
        if let Via::Login(id) = &self.principal.via { Some(id) } else { None }
    }

    /// Asks the one function that decides.
    ///
    /// # Errors
    /// [`Error::NotFound`], whatever the reason.
    pub fn may(&self, action: Action, thing: Thing<'_>) -> Result<Permit, Error> {
        access::decide(&self.principal, action, thing).map_err(Error::from)
    }

    /// For what only administrators do.
    ///
    /// # Errors
    /// [`Error::NotFound`] for everybody else.
    pub fn may_administer(&self) -> Result<Permit, Error> {
        self.may(Action::Administer, Thing::Site)
    }

    /// For what people do with their own account.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the account is disabled.
    pub fn may_manage_account(&self) -> Result<Permit, Error> {
        self.may(Action::ManageAccount, Thing::Account { of: &self.user().id })
    }
}
