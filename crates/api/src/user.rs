//! Users, and links for them.

use jiff::Timestamp;
use portico_core::{GroupId, Secret, UserId, user as core};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Uses what was granted.
    Member,
    /// Administers users, apps and all workloads.
    Administrator,
}

/// A person or service account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    #[schema(value_type = String)]
    pub id: UserId,
    /// As written.
    pub name: String,
    /// Safe form of the first name; never changes.
    pub slug: String,
    pub role: Role,
    /// Since when the user cannot sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub disabled_since: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen: Option<Timestamp>,
}

/// One user with the groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserWithGroups {
    #[serde(flatten)]
    pub user: User,
    #[schema(value_type = Vec<String>)]
    pub groups: Vec<GroupId>,
}

/// A user to be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1 to 128 characters; unique whatever the case, Unicode form or blanks.
    pub name: String,
    #[serde(default = "member")]
    pub role: Role,
}

const fn member() -> Role {
    Role::Member
}

/// What to change; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChanges {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// A link by which a person chooses a password, once. To be passed on; it is not shown again.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Link {
    #[schema(value_type = String)]
    pub url: Secret,
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
}

/// A user that was just added.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedUser {
    pub user: User,
    pub link: Link,
}

/// Which users to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UserFilter {
    /// Part of the name or slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}

impl From<core::Role> for Role {
    fn from(role: core::Role) -> Self {
        match role {
            core::Role::Member => Self::Member,
            core::Role::Administrator => Self::Administrator,
        }
    }
}

impl From<Role> for core::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Member => Self::Member,
            Role::Administrator => Self::Administrator,
        }
    }
}

impl From<core::User> for User {
    fn from(user: core::User) -> Self {
        let disabled_since = match user.standing {
            core::Standing::Active => None,
            core::Standing::Disabled { since } => Some(since),
        };
        Self {
            id: user.id,
            name: user.name.into(),
            slug: user.slug.into(),
            role: user.role.into(),
            disabled_since,
            created: user.created,
            last_seen: user.last_seen,
        }
    }
}
