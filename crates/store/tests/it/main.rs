//! The behaviour of the store, the same over SQLite and PostgreSQL.

mod accounts;
mod catalogue;
mod files;
mod harness;
mod postgres;
mod records;
mod schema;
mod servers;
mod transactions;
mod workloads;
