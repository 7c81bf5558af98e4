//! The caller's end of a leased connection.

use std::sync::mpsc;

use tokio::sync::oneshot;

use super::worker::Call;
use crate::{error::StoreError, row::Row, value::Value};

/// A transaction on one of the threads; dropping it rolls back.
#[derive(Debug)]
pub(crate) struct Lease {
    calls: mpsc::Sender<Call>,
}

impl Lease {
    pub(super) fn new(calls: mpsc::Sender<Call>) -> Self {
        Self { calls }
    }

    pub(crate) async fn execute(
        &mut self,
        name: &'static str,
        sql: &'static str,
        params: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.call(name, Call::Execute { sql, params, reply }, answer).await
    }

    pub(crate) async fn rows(
        &mut self,
        name: &'static str,
        sql: &'static str,
        params: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.call(name, Call::Rows { sql, params, reply }, answer).await
    }

    pub(crate) async fn commit(&mut self, name: &'static str) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.call(name, Call::Commit { reply }, answer).await
    }

    async fn call<T>(
        &mut self,
        name: &'static str,
        call: Call,
        answer: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.calls.send(call).map_err(|_| StoreError::Expired { name })?;
        answer.await.map_err(|_| StoreError::Expired { name })?
    }
}
