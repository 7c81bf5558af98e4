//! People and groups.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{GroupId, UserId},
    names::{DisplayName, Slug},
};

/// What a user may do beyond using what was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Uses what was granted.
    Member,
    /// Administers users, apps and all workloads.
    Administrator,
}

/// Whether an account can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Standing {
    Active,
    /// Cannot sign in; its logins and tokens are dead.
    Disabled {
        since: Timestamp,
    },
}

/// A person or service account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    /// As written; unique by [`DisplayName::key`].
    pub name: DisplayName,
    /// Safe form, unique, never changes even when the name does.
    pub slug: Slug,
    /// Small positive number, unique and never used again; engines derive numeric user ids from it.
    pub number: u32,
    pub role: Role,
    pub standing: Standing,
    pub created: Timestamp,
    pub last_seen: Option<Timestamp>,
}

impl User {
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.standing == Standing::Active
    }

    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.role == Role::Administrator
    }
}

/// A set of users under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub id: GroupId,
    pub name: DisplayName,
    pub slug: Slug,
    pub created: Timestamp,
}
