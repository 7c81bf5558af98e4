//! The record of acts: who did what to what, from where, with which result.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AuditId, LoginId, TokenId, UserId};

/// One line of the audit log. Contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    pub id: AuditId,
    pub at: Timestamp,
    /// Absent for acts before anybody is known, such as a failed sign-in.
    pub user: Option<UserId>,
    /// Display name at that time, or what was typed at a failed sign-in, cut and cleaned.
    pub user_name: String,
    pub via: Via,
    /// Address of the peer; empty for local administration.
    pub address: String,
    /// `noun.verb`, for example `workload.launch`, `login.create`, `user.disable`.
    pub action: String,
    /// Kind and id or name of the thing, for example `workload 01j...` or `app terminal`.
    pub thing: String,
    pub outcome: Outcome,
    /// A sentence fragment with what else matters; never a secret.
    pub detail: String,
}

/// By what means somebody acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "lowercase")]
pub enum Via {
    Login(LoginId),
    Token(TokenId),
    /// The command line on the server itself.
    Console,
    /// Nobody was known.
    Anonymous,
    /// Portico itself: reconcilers and deadlines.
    Portico,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Done,
    Refused,
    Failed,
}
