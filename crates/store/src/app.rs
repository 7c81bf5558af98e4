//! Catalogue entries that were made on pages or through the API. Those from files are never here.

use jiff::Timestamp;
use portico_core::{app::App, names::AppName};

use crate::{
    error::{RowError, StoreError},
    row::Row,
    tx::Tx,
    value::params,
};

const INSERT: &str = "INSERT INTO app (name, version, changed, body) VALUES ($1, 1, $2, $3)";
const UPDATE: &str = "UPDATE app SET version = version + 1, changed = $2, body = $3
    WHERE name = $1 AND version = $4";
const BY_NAME: &str = "SELECT name, version, changed, body FROM app WHERE name = $1";
const LIST: &str = "SELECT name, version, changed, body FROM app ORDER BY name";
const DELETE: &str = "DELETE FROM app WHERE name = $1";

pub(crate) const STATEMENTS: &[&str] = &[INSERT, UPDATE, BY_NAME, LIST, DELETE];

/// An app as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredApp {
    pub app: App,
    /// Counts from 1; an update names the version that it replaces.
    pub version: i64,
    pub changed: Timestamp,
}

/// Stores a new app (`replaces` is `None`), or the next version of one. Returns its version.
///
/// # Errors
/// [`StoreError::Duplicate`] for a new app of a name that is there, [`StoreError::Conflict`] when the
/// stored version is not `replaces`.
pub async fn put(tx: &mut Tx, app: &App, replaces: Option<i64>, now: Timestamp) -> Result<i64, StoreError> {
    let body = serde_json::to_string(app).expect("an app has only text keys");
    let Some(version) = replaces else {
        tx.execute(INSERT, params![app.name, now, body]).await?;
        return Ok(1);
    };
    match tx.execute(UPDATE, params![app.name, now, body, version]).await? {
        0 => Err(StoreError::Conflict { what: "app" }),
        _ => Ok(version + 1),
    }
}

/// # Errors
/// When the database fails.
pub async fn by_name(tx: &mut Tx, name: &AppName) -> Result<Option<StoredApp>, StoreError> {
    tx.first(BY_NAME, params![name]).await
}

/// All stored apps by name.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &mut Tx) -> Result<Vec<StoredApp>, StoreError> {
    tx.all(LIST, params![]).await
}

/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, name: &AppName) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![name]).await? > 0)
}

impl TryFrom<Row> for StoredApp {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let row = row.of("app");
        Ok(Self { app: row.json("body")?, version: row.get("version")?, changed: row.get("changed")? })
    }
}
