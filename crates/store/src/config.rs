//! The database section of the configuration.
//!
//! Either `path` names an SQLite file or `postgres` says how to reach a server. Relative paths are the
//! business of the binary, which knows the data directory.

use std::path::PathBuf;

use portico_core::Secret;
use serde::Deserialize;

/// Where and how to store. Every field but one of `path` and `postgres` has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// File of the embedded database.
    pub path: Option<PathBuf>,
    /// A PostgreSQL server instead of a file.
    pub postgres: Option<Postgres>,
    /// Connections that read at the same time (SQLite), 1 to 16.
    pub readers: u8,
    /// Seconds to wait for a free connection or a lock before the caller is told that it is busy.
    pub wait_seconds: u32,
    /// Seconds after which an unfinished transaction is rolled back.
    pub transaction_seconds: u32,
}

/// How to reach PostgreSQL: by `url`, or by the single fields.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Postgres {
    /// `postgresql://user@host/database` or `host=... user=...`; the other fields override its parts.
    pub url: Option<Secret>,
    /// Name, address or directory of the server's unix socket.
    pub host: Option<String>,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub database: Option<String>,
    pub password: Option<Secret>,
    /// File whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// Absent: required, but for a unix socket or a loopback address.
    pub tls: Option<Tls>,
    /// Certificates (PEM) to trust instead of the public authorities.
    pub ca_file: Option<PathBuf>,
    /// Most connections at the same time.
    pub connections: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    Off,
    Required,
}

impl Default for Config {
    fn default() -> Self {
        Self { path: None, postgres: None, readers: 2, wait_seconds: 10, transaction_seconds: 60 }
    }
}

impl Default for Postgres {
    fn default() -> Self {
        Self {
            url: None,
            host: None,
            port: None,
            user: None,
            database: None,
            password: None,
            password_file: None,
            tls: None,
            ca_file: None,
            connections: 16,
        }
    }
}

impl Config {
    /// The defaults over an SQLite file.
    #[must_use]
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), ..Self::default() }
    }

    /// The defaults over a PostgreSQL server.
    #[must_use]
    pub fn postgres(url: impl Into<String>) -> Self {
        let postgres = Postgres { url: Some(Secret::new(url)), ..Postgres::default() };
        Self { postgres: Some(postgres), ..Self::default() }
    }
}
