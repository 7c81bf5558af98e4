//! Groups.

use jiff::Timestamp;
use portico_core::{GroupId, user as core};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::user::User;

/// A set of users under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    #[schema(value_type = String)]
    pub id: GroupId,
    pub name: String,
    /// Safe form of the name, as catalogue files use it.
    pub slug: String,
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
}

/// One group with its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupWithMembers {
    #[serde(flatten)]
    pub group: Group,
    pub members: Vec<User>,
}

/// A group to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    /// 1 to 128 characters; unique whatever the case, Unicode form or blanks.
    pub name: String,
}

impl From<core::Group> for Group {
    fn from(group: core::Group) -> Self {
        Self { id: group.id, name: group.name.into(), slug: group.slug.into(), created: group.created }
    }
}
