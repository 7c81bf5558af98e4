//! The nouns and decisions of Portico.
//!
//! Everything here is pure: no I/O, no runtime, no clock, no randomness. Time and random bytes are
//! arguments, effects are described as values, and the two traits in [`ports`] are the only doors to
//! the outside. What a rule *is* stands here; where it is stored, shown or enforced stands elsewhere.

pub mod access;
pub mod app;
pub mod audit;
pub mod failpoint;
pub mod grant;
pub mod ids;
pub mod launch;
pub mod login;
pub mod names;
pub mod param;
pub mod pass;
pub mod peer;
pub mod ports;
pub mod quota;
pub mod route;
pub mod secret;
pub mod user;
pub mod workload;

pub use ids::{AuditId, GrantId, GroupId, LoginId, TokenId, UserId, WorkloadId};
pub use jiff::Timestamp;
pub use secret::Secret;
