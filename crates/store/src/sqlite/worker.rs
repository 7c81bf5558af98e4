//! A thread that owns one connection and serves one transaction after the other.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use rusqlite::{Connection, Statement, types::ValueRef};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{fault::Faults, guard::Guard};
use crate::{
    error::StoreError,
    row::{Columns, Row},
    value::Value,
};

/// What a thread is asked for. The permit is given back when it is done.
pub(super) enum Job {
    Transaction { begin: Begin, calls: mpsc::Receiver<Call>, free: OwnedSemaphorePermit },
    Prepare { statements: Vec<&'static str>, reply: Reply<()>, free: OwnedSemaphorePermit },
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

#[derive(Debug, Clone, Copy)]
pub(super) enum Begin {
    Read,
    Write,
}

/// A step of a transaction.
pub(super) enum Call {
    Execute { sql: &'static str, params: Vec<Value>, reply: Reply<u64> },
    Rows { sql: &'static str, params: Vec<Value>, reply: Reply<Vec<Row>> },
    Commit { reply: Reply<()> },
}

pub(super) struct Worker {
    pub(super) connection: Connection,
    pub(super) faults: Faults,
    /// After this long a transaction is rolled back.
    pub(super) limit: Duration,
    /// Kept until the connection is closed.
    pub(super) guard: Arc<Guard>,
}

impl Worker {
    /// Serves until nobody can send any more.
    pub(super) fn run(self, jobs: &Mutex<mpsc::Receiver<Job>>) {
        let Self { connection, faults, limit, guard } = self;
        let mut desk = Desk { connection, faults, names: HashMap::new() };
        loop {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
            match job {
                Ok(Job::Transaction { begin, calls, free }) => {
                    desk.serve(begin, &calls, limit);
                    drop((calls, free));
                }
                Ok(Job::Prepare { statements, reply, free }) => {
                    let done = statements.into_iter().try_for_each(|sql| desk.prepare(sql));
                    drop(free);
                    drop(reply.send(done));
                }
                Err(mpsc::RecvError) => break,
            }
        }
        drop(desk);
        drop(guard);
    }
}

/// A connection with what is remembered about its statements.
struct Desk {
    connection: Connection,
    faults: Faults,
    /// Column names by statement; the texts are constants.
    names: HashMap<&'static str, Columns>,
}

impl Desk {
    fn serve(&mut self, begin: Begin, calls: &mpsc::Receiver<Call>, limit: Duration) {
        let deadline = Instant::now() + limit;
        let sql = match begin {
            Begin::Read => "BEGIN",
            Begin::Write => "BEGIN IMMEDIATE",
        };
        let mut begun = Some(self.connection.execute_batch(sql).map_err(|error| self.faults.tell(error)));
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(call) = calls.recv_timeout(left) else { break };
            // A failed begin is told to the first call; the caller makes no second one.
            let ready = begun.take().unwrap_or(Ok(()));
            match call {
                Call::Execute { sql, params, reply } => {
                    drop(reply.send(ready.and_then(|()| self.execute(sql, &params))));
                }
                Call::Rows { sql, params, reply } => {
                    drop(reply.send(ready.and_then(|()| self.rows(sql, &params))));
                }
                Call::Commit { reply } => {
                    let done = ready.and_then(|()| self.batch("COMMIT"));
                    self.roll_back();
                    drop(reply.send(done));
                    return;
                }
            }
        }
        self.roll_back();
    }

    /// Leaves whatever transaction is still open; some failures have ended it already.
    fn roll_back(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.batch("ROLLBACK")
        {
            tracing::error!(error = %error, "a transaction could not be rolled back");
        }
    }

    fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(|error| self.faults.tell(error))
    }

    fn prepare(&self, sql: &'static str) -> Result<(), StoreError> {
        self.connection.prepare(sql).map(drop).map_err(|error| match self.faults.tell(error) {
            StoreError::Sql { detail } => StoreError::Sql { detail: format!("{detail}: {sql}") },
            other => other,
        })
    }

    fn execute(&self, sql: &'static str, params: &[Value]) -> Result<u64, StoreError> {
        let run = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            bind(&mut statement, params)?;
            statement.raw_execute()
        };
        let changed = run().map_err(|error| self.faults.tell(error))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn rows(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let names = &mut self.names;
        let mut run = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            bind(&mut statement, params)?;
            let columns =
                names.entry(sql).or_insert_with(|| statement.column_names().map(str::to_owned).collect());
            let columns = Columns::clone(columns);
            let mut found = Vec::new();
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                let values = (0..columns.len()).map(|index| row.get_ref(index).and_then(value));
                found.push(Row::new(Columns::clone(&columns), values.collect::<Result<_, _>>()?));
            }
            Ok(found)
        };
        run().map_err(|error| self.faults.tell(error))
    }
}

/// SQLite takes `$2` for a name and counts names by their first use, so each goes where it is named.
fn bind(statement: &mut Statement<'_>, params: &[Value]) -> rusqlite::Result<()> {
    for index in 1..=statement.parameter_count() {
        let number = statement.parameter_name(index).and_then(|name| name.strip_prefix('$')?.parse().ok());
        let param = number.and_then(|number: usize| params.get(number.checked_sub(1)?));
        match param.ok_or(rusqlite::Error::InvalidParameterCount(params.len(), index))? {
            Value::Null => statement.raw_bind_parameter(index, rusqlite::types::Null)?,
            Value::Int(number) => statement.raw_bind_parameter(index, number)?,
            Value::Text(text) => statement.raw_bind_parameter(index, text)?,
        }
    }
    Ok(())
}

fn value(stored: ValueRef<'_>) -> rusqlite::Result<Value> {
    match stored {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Int(number)),
        ValueRef::Text(text) => Ok(Value::Text(
            String::from_utf8(text.to_vec())
                .map_err(|error| rusqlite::Error::Utf8Error(0, error.utf8_error()))?,
        )),
        other => Err(rusqlite::Error::InvalidColumnType(0, String::new(), other.data_type())),
    }
}
