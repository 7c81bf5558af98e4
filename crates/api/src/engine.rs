//! Engines: where workloads run.

use jiff::Timestamp;
use portico_core::ports;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An engine and how it was when it was last asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Engine {
    pub name: String,
    /// `local`, `docker`, ...
    pub kind: String,
    /// Product and version.
    pub version: String,
    pub condition: Condition,
    /// What separates workloads from each other and from the host, and whether it holds.
    pub isolation: Vec<Isolation>,
    #[schema(value_type = String, format = DateTime)]
    pub checked: Timestamp,
    /// Workloads on it that have not ended.
    pub workloads: u64,
    /// Most workloads at once; absent means no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}

/// How an engine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Condition {
    Working,
    /// Works with a limitation.
    Limited {
        problem: String,
        advice: String,
    },
    Unreachable {
        problem: String,
        advice: String,
    },
}

/// One kind of isolation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Isolation {
    pub what: String,
    pub holds: bool,
    /// How it is done, or what is missing.
    pub how: String,
}

impl From<ports::Condition> for Condition {
    fn from(condition: ports::Condition) -> Self {
        match condition {
            ports::Condition::Working => Self::Working,
            ports::Condition::Limited { problem, advice } => Self::Limited { problem, advice },
            ports::Condition::Unreachable { problem, advice } => Self::Unreachable { problem, advice },
        }
    }
}

impl From<ports::Isolation> for Isolation {
    fn from(isolation: ports::Isolation) -> Self {
        let ports::Isolation { what, holds, how } = isolation;
        Self { what, holds, how }
    }
}
