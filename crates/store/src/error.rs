//! What can go wrong, told so that the caller knows whether trying again makes sense.
//!
//! Doctrine: a variant is a cause that somebody treats differently. Texts are for administrators, name
//! the file, server or column, and hold no values of rows, since those may be secret. Every error but
//! [`StoreError::Row`] and [`StoreError::Conflict`] ends its transaction: later calls get
//! [`StoreError::Aborted`], on both databases alike.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why the store did not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    #[error("the database configuration is wrong: {0}")]
    Config(String),
    /// Another process works on the same file.
    #[error(
        "the database {} is in use by another Portico{}; stop that one first, or give this one its own data directory",
        path.display(),
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse { path: PathBuf, pid: Option<u32> },
    #[error("the directory {} for the database does not exist; create it first", path.display())]
    MissingDirectory { path: PathBuf },
    #[error(
        "the database {place} cannot be written: it, its directory or its disk is read-only to this user"
    )]
    ReadOnly { place: String },
    /// Nothing was changed. Goes on by itself as soon as there is room.
    #[error("the disk of the database {place} is full; free some space")]
    Full { place: String },
    #[error("the database {place} is damaged ({detail}); restore a backup with `portico restore`")]
    Corrupt { place: String, detail: String },
    #[error(
        "the database {place} has schema {found}, but this Portico knows only up to {known}; run the newer version"
    )]
    Newer { place: String, found: i64, known: i64 },
    #[error("the schema change {version} failed; the database is unchanged")]
    Migration { version: i64, source: Box<StoreError> },
    #[error("the schema change {version} in the database is not the one this Portico knows by that number")]
    ForeignMigration { version: i64 },
    /// The server does not answer, or broke off. A commit under way may have succeeded or not.
    #[error("the database server cannot be reached: {detail}")]
    Unreachable { detail: String },
    /// All connections or the needed lock were taken for too long.
    #[error("the database is busy; waited {seconds} seconds")]
    Busy { seconds: u32 },
    /// The transaction took longer than allowed, or the store was closed, and it was rolled back.
    #[error("the transaction {name} was ended by the store, because it took too long or Portico is stopping")]
    Expired { name: &'static str },
    /// An earlier call of the same transaction failed.
    #[error("the transaction {name} cannot go on after a failure")]
    Aborted { name: &'static str },
    /// The store was closed.
    #[error("the database was closed")]
    Closed,
    /// The row changed since it was read: read it again and decide anew.
    #[error("the {what} was changed by somebody else meanwhile")]
    Conflict { what: &'static str },
    /// There is already one like it.
    #[error("there is already a {table} with this {column}")]
    Duplicate { table: String, column: String },
    /// It refers to something that is not there, or something still refers to it.
    #[error("it refers to something that does not exist, or is still referred to ({detail})")]
    Reference { detail: String },
    #[error("there is no such {what}")]
    Missing { what: &'static str },
    #[error("a text cannot be stored: {reason}")]
    Unstorable { reason: &'static str },
    #[error("a stored row cannot be read")]
    Row(#[from] RowError),
    #[error("{doing} {} failed", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "{0} is not possible with PostgreSQL through Portico; use the server's own tools, such as pg_dump"
    )]
    Unsupported(&'static str),
    /// Anything else the database said; a defect of Portico or a misconfigured server.
    #[error("the database refused: {detail}")]
    Sql { detail: String },
}

impl StoreError {
    /// Whether the same transaction may succeed when it is tried again later, without anybody
    /// changing the request.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Full { .. }
                | Self::Unreachable { .. }
                | Self::Busy { .. }
                | Self::Expired { .. }
                | Self::Conflict { .. }
        )
    }

    /// Whether this says that a `table` with the same `column` exists.
    #[must_use]
    pub fn is_duplicate(&self, of_table: &str, of_column: &str) -> bool {
        matches!(self, Self::Duplicate { table, column } if table == of_table && column == of_column)
    }

    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { place: path.display().to_string() }
            }
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Self::ReadOnly { place: path.display().to_string() }
            }
            _ => Self::Io { doing, path, source },
        }
    }
}

/// A stored value that does not mean what its column promises.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("table {table}, column {column}, row {row}: {problem}")]
pub struct RowError {
    pub table: &'static str,
    pub column: &'static str,
    /// First column of the row, which identifies it, unless it is a secret.
    pub row: String,
    pub problem: String,
}
