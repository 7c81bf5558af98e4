//! Whether Portico is up, and which one it is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether it can do its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Answers at all: always true in an answer.
    pub alive: bool,
    /// The database answers.
    pub ready: bool,
}

/// Which version answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    pub version: String,
    /// Versions of this API.
    pub api: Vec<String>,
}
