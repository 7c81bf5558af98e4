//! From what PostgreSQL says to what a caller can act upon.

use tokio_postgres::{
    Error,
    error::{DbError, SqlState},
};

use crate::error::StoreError;

pub(super) fn tell(error: &Error) -> StoreError {
    match error.as_db_error() {
        Some(said) => told(said),
        None if error.is_closed() || has_io_source(error) => {
            StoreError::Unreachable { detail: with_source(error) }
        }
        None => StoreError::Sql { detail: with_source(error) },
    }
}

fn told(said: &DbError) -> StoreError {
    let detail = format!("{} ({})", said.message(), said.code().code());
    let place = "on the server".to_owned();
    match said.code() {
        &SqlState::UNIQUE_VIOLATION => StoreError::Duplicate {
            table: said.table().unwrap_or_default().to_owned(),
            column: columns(said.detail().unwrap_or_default()).to_owned(),
        },
        &SqlState::FOREIGN_KEY_VIOLATION => {
            StoreError::Reference { detail: said.constraint().unwrap_or_default().to_owned() }
        }
        &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED => {
            StoreError::Conflict { what: "data" }
        }
        &SqlState::LOCK_NOT_AVAILABLE
        | &SqlState::QUERY_CANCELED
        | &SqlState::TOO_MANY_CONNECTIONS
        | &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => StoreError::Busy { seconds: 0 },
        &SqlState::DISK_FULL => StoreError::Full { place },
        &SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::ReadOnly { place },
        &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => StoreError::Corrupt { place, detail },
        &SqlState::CHARACTER_NOT_IN_REPERTOIRE | &SqlState::UNTRANSLATABLE_CHARACTER => {
            StoreError::Unstorable { reason: "the server's encoding does not know a character of it" }
        }
        &SqlState::PROGRAM_LIMIT_EXCEEDED => StoreError::Unstorable { reason: "it is too long" },
        code => match &code.code()[..2] {
            // Wrong password, unknown database.
            "28" | "3D" => StoreError::Config(detail),
            "08" | "57" => StoreError::Unreachable { detail },
            _ => StoreError::Sql { detail },
        },
    }
}

/// `Key (name_key)=(alice) already exists.` in whatever language.
fn columns(detail: &str) -> &str {
    let named = detail.split_once('(').and_then(|(_, rest)| rest.split_once(")="));
    named.map_or("", |(columns, _)| columns)
}

fn has_io_source(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}

fn with_source(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_is_read_from_the_detail() {
        assert_eq!(columns("Key (name_key)=(a)=(b) already exists."), "name_key");
        assert_eq!(columns("Schlüssel »(app, subject)=(x, y)« existiert bereits."), "app, subject");
        assert_eq!(columns(""), "");
    }
}
