//! From what SQLite says to what a caller can act upon.

use std::path::{Path, PathBuf};

use rusqlite::{Error, ErrorCode};

use super::directory_of;
use crate::error::StoreError;

/// Translates errors of one database file.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    path: PathBuf,
}

impl Faults {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(crate) fn tell(&self, error: Error) -> StoreError {
        let place = self.path.display().to_string();
        let (code, detail) = match &error {
            Error::SqliteFailure(failure, text) => {
                (failure.code, text.clone().unwrap_or_else(|| failure.to_string()))
            }
            Error::SqlInputError { error: failure, msg, .. } => (failure.code, msg.clone()),
            other => return StoreError::Sql { detail: other.to_string() },
        };
        match code {
            ErrorCode::DiskFull => StoreError::Full { place },
            // The shared memory file of the log reports a full disk as a failed write.
            ErrorCode::SystemIoFailure if self.disk_is_full() => StoreError::Full { place },
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly { place },
            ErrorCode::CannotOpen => StoreError::ReadOnly { place },
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt { place, detail },
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy { seconds: 5 },
            ErrorCode::ConstraintViolation => constraint(&detail),
            ErrorCode::TooBig => StoreError::Unstorable { reason: "it is too long" },
            _ => StoreError::Sql { detail },
        }
    }

    pub(crate) fn damaged(&self, detail: String) -> StoreError {
        StoreError::Corrupt { place: self.path.display().to_string(), detail }
    }

    fn disk_is_full(&self) -> bool {
        rustix::fs::statvfs(directory_of(&self.path))
            .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < 1 << 20)
    }
}

/// `UNIQUE constraint failed: user.name_key` names the columns; a broken reference names nothing.
fn constraint(detail: &str) -> StoreError {
    let Some(columns) = detail.strip_prefix("UNIQUE constraint failed: ") else {
        return if detail.starts_with("FOREIGN KEY") {
            StoreError::Reference { detail: detail.to_owned() }
        } else {
            StoreError::Sql { detail: detail.to_owned() }
        };
    };
    let (mut table, mut names) = ("", Vec::new());
    for column in columns.split(", ") {
        let (of, name) = column.split_once('.').unwrap_or(("", column));
        table = of;
        names.push(name);
    }
    StoreError::Duplicate { table: table.to_owned(), column: names.join(", ") }
}
