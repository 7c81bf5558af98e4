//! Logins: signed-in browsers.

use jiff::Timestamp;
use portico_core::{LoginId, login as core};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Login {
    #[schema(value_type = String)]
    pub id: LoginId,
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub last_used: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
    /// Address it was made from.
    pub address: String,
    /// What the browser said of itself.
    pub agent: String,
    /// Whether this very request came by it.
    pub current: bool,
}

impl Login {
    #[must_use]
    pub fn of(login: core::Login, current: Option<&LoginId>) -> Self {
        Self {
            current: current == Some(&login.id),
            id: login.id,
            created: login.created,
            last_used: login.last_used,
            expires: login.expires,
            address: login.address,
            agent: login.agent,
        }
    }
}
