//! Who may run which app.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{GrantId, GroupId, UserId},
    names::AppName,
};

/// Whom a grant is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "lowercase")]
pub enum Subject {
    Everyone,
    Group(GroupId),
    User(UserId),
}

/// The right of a subject to see and run an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub id: GrantId,
    pub app: AppName,
    pub subject: Subject,
    pub created: Timestamp,
}

impl Subject {
    /// Whether this subject includes the user, a member of `groups`.
    #[must_use]
    pub fn includes(&self, user: &UserId, groups: &[GroupId]) -> bool {
        match self {
            Self::Everyone => true,
            Self::Group(group) => groups.contains(group),
            Self::User(id) => id == user,
        }
    }
}
