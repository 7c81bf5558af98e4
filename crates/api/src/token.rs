//! API tokens.

use jiff::Timestamp;
use portico_core::{Secret, TokenId, login as core};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An API token, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    #[schema(value_type = String)]
    pub id: TokenId,
    pub name: String,
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used: Option<Timestamp>,
}

/// A token to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// Days until it expires, from 1 to what the installation allows.
    #[schema(minimum = 1)]
    pub days: i64,
}

/// A token to be made for whoever knows name and password.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// Name of the user.
    pub user: String,
    #[schema(value_type = String)]
    pub password: Secret,
    /// What the token is for.
    pub name: String,
    /// Days until it expires, from 1 to what the installation allows.
    #[schema(minimum = 1)]
    pub days: i64,
}

/// A token that was just made. Its text is not shown again.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    pub token: Token,
    /// To be sent as `Authorization: Bearer`.
    #[schema(value_type = String)]
    pub text: Secret,
}

impl From<core::Token> for Token {
    fn from(token: core::Token) -> Self {
        Self {
            id: token.id,
            name: token.name.into(),
            created: token.created,
            expires: token.expires,
            last_used: token.last_used,
        }
    }
}
