//! The behaviour of the store, the same over SQLite and PostgreSQL.

mod accounts;
mod catalogue;
mod files;
mod harness;
mod postgres;
mod records;
mod schema;
mod servers;
mod speed;
mod transactions;
mod workloads;
