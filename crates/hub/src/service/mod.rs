//! What can be done, as functions over the hub: one module per noun. Every effect takes a permit and
//! writes its audit event in the transaction of the change.

pub mod account;
pub mod app;
pub mod audit;
pub mod audit_export;
pub mod engine;
pub mod grant;
pub mod group;
pub mod launch;
pub mod link;
pub mod log;
pub mod login;
pub mod open;
pub mod revocation;
pub mod sign_in;
pub mod token;
pub mod user;
pub mod workload;
