//! The caller's end of a leased connection.

use std::error::Error;

use bytes::BytesMut;
use deadpool_postgres::Object;
use futures_util::FutureExt as _;
use tokio_postgres::types::{IsNull, Kind, ToSql, Type, to_sql_checked};

use super::fault::tell;
use crate::{
    error::StoreError,
    row::{Columns, Row},
    value::Value,
};

/// A transaction on a pooled connection; dropping it rolls back.
pub(crate) struct Lease {
    client: Object,
    open: bool,
}

impl Lease {
    pub(super) fn new(client: Object) -> Self {
        Self { client, open: true }
    }

    pub(crate) async fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64, StoreError> {
        let run = async {
            let statement = self.client.prepare_cached(sql).await?;
            self.client.execute(&statement, &borrowed(params)).await
        };
        run.await.map_err(|error| tell(&error))
    }

    pub(crate) async fn rows(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let run = async {
            let statement = self.client.prepare_cached(sql).await?;
            let rows = self.client.query(&statement, &borrowed(params)).await?;
            let columns: Columns =
                statement.columns().iter().map(|column| column.name().to_owned()).collect();
            rows.iter()
                .map(|row| Ok(Row::new(Columns::clone(&columns), values(row)?)))
                .collect::<Result<Vec<_>, tokio_postgres::Error>>()
        };
        run.await.map_err(|error| tell(&error))
    }

    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        self.client.batch_execute("COMMIT").await.map_err(|error| tell(&error))?;
        self.open = false;
        Ok(())
    }
}

impl Drop for Lease {
    /// The first poll hands the request to the connection; whoever gets that next comes after it. The
    /// answer is of no interest, since a broken connection has rolled back by itself.
    fn drop(&mut self) {
        if self.open {
            drop(self.client.batch_execute("ROLLBACK").now_or_never());
        }
    }
}

fn borrowed(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn values(row: &tokio_postgres::Row) -> Result<Vec<Value>, tokio_postgres::Error> {
    let read = |(index, column): (usize, &tokio_postgres::Column)| {
        Ok(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index)?.map_or(Value::Null, Value::Int),
            Type::INT4 => row
                .try_get::<_, Option<i32>>(index)?
                .map_or(Value::Null, |number| Value::Int(i64::from(number))),
            _ => row.try_get::<_, Option<String>>(index)?.map_or(Value::Null, Value::Text),
        })
    };
    row.columns().iter().enumerate().map(read).collect()
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self, base(ty)) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(number), &Type::INT8) => number.to_sql(ty, out),
            (Self::Int(number), &Type::INT4) => i32::try_from(*number)?.to_sql(ty, out),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR) => text.to_sql(ty, out),
            (_, ty) => Err(format!("a value does not fit the type {ty}").into()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*base(ty), Type::INT8 | Type::INT4 | Type::TEXT | Type::VARCHAR)
    }

    to_sql_checked!();
}

fn base(ty: &Type) -> &Type {
    if let Kind::Domain(base) = ty.kind() { base } else { ty }
}
