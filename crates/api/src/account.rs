//! The own account.

use portico_core::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{group::Group, user::User};

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    pub user: User,
    pub groups: Vec<Group>,
}

/// A new password for the own account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The present one.
    #[schema(value_type = String)]
    pub current: Secret,
    /// At least 10 characters.
    #[schema(value_type = String)]
    pub password: Secret,
}
