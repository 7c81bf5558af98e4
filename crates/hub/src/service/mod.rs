//! What can be done, as functions over the hub: one module per noun. Every effect takes a permit and
//! writes its audit event in the transaction of the change.

pub mod account;
pub mod audit;
pub mod audit_export;
pub mod group;
pub mod link;
pub mod login;
pub mod revocation;
pub mod sign_in;
pub mod token;
pub mod user;
