//! The audit log.

use jiff::Timestamp;
use portico_core::{AuditId, UserId, audit as core};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEvent {
    #[schema(value_type = String)]
    pub id: AuditId,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub user: Option<UserId>,
    /// Name at that time, or what was typed at a failed sign-in.
    pub user_name: String,
    /// `login`, `token`, `console`, `anonymous` or `portico`.
    pub via: String,
    /// Which login or token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via_id: Option<String>,
    /// Address of the peer; empty for local administration.
    pub address: String,
    /// `noun.verb`.
    pub action: String,
    pub thing: String,
    pub outcome: Outcome,
    pub detail: String,
}

/// How an act went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Done,
    Refused,
    Failed,
}

/// Which lines are wanted; what is absent does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditFilter {
    /// Id of a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Beginning of the act: `workload.` or `workload.launch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Kind and id, exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thing: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub outcome: Option<Outcome>,
    /// First moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// First moment that is too late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}

/// In which form to export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object per line.
    #[default]
    Jsonl,
    /// Comma-separated with a heading; texts that a spreadsheet would take for a formula begin with `'`.
    Csv,
}

/// How to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// JSON lines when absent.
    #[serde(default)]
    #[param(inline)]
    pub format: Format,
}

impl From<core::Outcome> for Outcome {
    fn from(outcome: core::Outcome) -> Self {
        match outcome {
            core::Outcome::Done => Self::Done,
            core::Outcome::Refused => Self::Refused,
            core::Outcome::Failed => Self::Failed,
        }
    }
}

impl From<Outcome> for core::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::Refused => Self::Refused,
            Outcome::Failed => Self::Failed,
        }
    }
}

impl From<core::AuditEvent> for AuditEvent {
    fn from(event: core::AuditEvent) -> Self {
        let (via, via_id) = match event.via {
            core::Via::Login(id) => ("login", Some(id.to_string())),
            core::Via::Token(id) => ("token", Some(id.to_string())),
            core::Via::Console => ("console", None),
            core::Via::Anonymous => ("anonymous", None),
            core::Via::Portico => ("portico", None),
        };
        Self {
            id: event.id,
            at: event.at,
            user: event.user,
            user_name: event.user_name,
            via: via.to_owned(),
            via_id,
            address: event.address,
            action: event.action,
            thing: event.thing,
            outcome: event.outcome.into(),
            detail: event.detail,
        }
    }
}
