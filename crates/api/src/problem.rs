//! Errors, as RFC 9457 has them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Kind of error: `urn:portico:problem:` and a word that does not change.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    pub status: u16,
    /// What happened and what to do, for people.
    pub detail: String,
    /// Id of the request, as in the log: `urn:portico:request:` and 16 hexadecimal digits.
    pub instance: String,
    /// What is wrong with which field of the body.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, String>,
}
