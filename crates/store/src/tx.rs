//! A named transaction: a lease of one connection between begin and commit.

use std::{sync::Arc, time::Instant};

use crate::{
    error::{RowError, StoreError},
    meter::{Ending, Meters},
    postgres,
    row::Row,
    sqlite,
    value::Value,
};

/// An open transaction. Dropping it rolls back.
///
/// The future of a call may be dropped midway; the transaction must then be dropped too. A commit
/// whose future is dropped may or may not have happened.
pub struct Tx {
    name: &'static str,
    lease: Lease,
    failed: bool,
    meters: Arc<Meters>,
    began: Instant,
    ending: Ending,
}

pub(crate) enum Lease {
    Sqlite(sqlite::Lease),
    Postgres(Box<postgres::Lease>),
}

impl Tx {
    pub(crate) fn new(name: &'static str, lease: Lease, meters: Arc<Meters>, began: Instant) -> Self {
        Self { name, lease, failed: false, meters, began, ending: Ending::Dropped }
    }

    /// The name it was begun under.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Makes its changes last.
    ///
    /// # Errors
    /// When it could not; then nothing was changed, but for [`StoreError::Unreachable`], which leaves
    /// it open.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Aborted { name: self.name });
        }
        match &mut self.lease {
            Lease::Sqlite(lease) => lease.commit(self.name).await?,
            Lease::Postgres(lease) => lease.commit().await?,
        }
        self.ending = Ending::Committed;
        Ok(())
    }

    /// Runs a statement and tells how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: &'static str, params: Vec<Value>) -> Result<u64, StoreError> {
        self.admit(&params)?;
        let result = match &mut self.lease {
            Lease::Sqlite(lease) => lease.execute(self.name, sql, params).await,
            Lease::Postgres(lease) => lease.execute(sql, &params).await,
        };
        self.failed = result.is_err();
        result
    }

    /// Runs a statement and returns its rows.
    pub(crate) async fn rows(
        &mut self,
        sql: &'static str,
        params: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        self.admit(&params)?;
        let result = match &mut self.lease {
            Lease::Sqlite(lease) => lease.rows(self.name, sql, params).await,
            Lease::Postgres(lease) => lease.rows(sql, &params).await,
        };
        self.failed = result.is_err();
        result
    }

    /// Runs a statement and reads all its rows.
    pub(crate) async fn all<T>(&mut self, sql: &'static str, params: Vec<Value>) -> Result<Vec<T>, StoreError>
    where
        T: TryFrom<Row, Error = RowError>,
    {
        let rows = self.rows(sql, params).await?;
        Ok(rows.into_iter().map(T::try_from).collect::<Result<_, _>>()?)
    }

    /// Runs a statement and reads its first row, if any.
    pub(crate) async fn first<T>(
        &mut self,
        sql: &'static str,
        params: Vec<Value>,
    ) -> Result<Option<T>, StoreError>
    where
        T: TryFrom<Row, Error = RowError>,
    {
        let row = self.rows(sql, params).await?.into_iter().next();
        Ok(row.map(T::try_from).transpose()?)
    }

    /// Checks the parameters, and that no earlier call failed: what follows such a failure would see a
    /// half-done transaction on one database and a refusal on the other.
    fn admit(&mut self, params: &[Value]) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Aborted { name: self.name });
        }
        let checked = params.iter().try_for_each(Value::check);
        self.failed = checked.is_err();
        checked
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        self.meters.record(self.name, self.ending, self.began.elapsed());
    }
}
