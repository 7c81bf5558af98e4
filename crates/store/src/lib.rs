//! The only SQL of Portico: every noun that outlives a restart, in SQLite or PostgreSQL.
//!
//! A caller opens a [`Store`], begins a named [`Tx`], calls the functions of the noun modules with it
//! and commits; a transaction that is dropped is rolled back. Both databases get the same statement
//! texts, each a constant listed in its module's `STATEMENTS`, so that every one can be prepared
//! against both in a test. Moments are kept to the millisecond, ids and JSON as text.
//!
//! Left out on purpose: decisions (who may, what fits a quota, which transition is allowed) live in
//! `portico_core`, and so does every type that means something outside a database.

pub mod app;
pub mod audit;
pub mod config;
pub mod digest;
pub mod error;
pub mod event;
pub mod gone;
pub mod grant;
pub mod group;
pub mod idempotency;
pub mod login;
pub mod meter;
mod migration;
pub mod one_time_link;
pub mod page;
mod postgres;
pub mod revocation;
mod row;
pub mod setting;
mod sqlite;
mod store;
pub mod throttle;
pub mod ticket;
pub mod token;
mod tx;
pub mod user;
mod value;
pub mod workload;

pub use config::Config;
pub use digest::SecretDigest;
pub use error::{RowError, StoreError};
pub use meter::TxMeter;
pub use page::Page;
pub use store::Store;
pub use tx::Tx;
