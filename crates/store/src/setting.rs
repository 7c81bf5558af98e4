//! Site settings and the secrets that Portico makes for itself, by key.

use portico_core::Secret;

use crate::{
    error::StoreError,
    tx::Tx,
    value::{self, params},
};

const GET: &str = "SELECT key, value FROM setting WHERE key = $1";
const SET: &str = "INSERT INTO setting (key, value) VALUES ($1, $2)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value";
const OFFER: &str = "INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
const DELETE: &str = "DELETE FROM setting WHERE key = $1";

pub(crate) const STATEMENTS: &[&str] = &[GET, SET, OFFER, DELETE];

/// # Errors
/// When the database fails.
pub async fn get(tx: &mut Tx, key: &str) -> Result<Option<Secret>, StoreError> {
    let Some(row) = tx.rows(GET, params![key]).await?.into_iter().next() else { return Ok(None) };
    let value: String = row.of("setting").get("value")?;
    Ok(Some(Secret::new(value)))
}

/// # Errors
/// When the database fails.
pub async fn set(tx: &mut Tx, key: &str, value: &Secret) -> Result<(), StoreError> {
    tx.execute(SET, params![value::key(key)?, value.expose()]).await.map(drop)
}

/// The stored value; when there is none, `value` becomes it. All who ask at once get the same.
///
/// # Errors
/// When the database fails.
pub async fn get_or_insert(tx: &mut Tx, key: &str, value: &Secret) -> Result<Secret, StoreError> {
    tx.execute(OFFER, params![value::key(key)?, value.expose()]).await?;
    get(tx, key).await?.ok_or(StoreError::Missing { what: "setting" })
}

/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, key: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![key]).await? > 0)
}
