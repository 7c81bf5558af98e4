//! Wire types of the REST API, shared by the hub and the command line.
//!
//! They carry what clients see and no rule: parsing into the nouns of `portico-core` happens at the
//! hub's border. One file per noun.

pub mod account;
pub mod app;
pub mod audit;
pub mod engine;
pub mod group;
pub mod health;
pub mod login;
pub mod page;
pub mod problem;
pub mod token;
pub mod user;
pub mod workload;
