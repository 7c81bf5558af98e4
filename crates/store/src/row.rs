//! Typed access to the columns of a row; a failure names table, column and row.

use std::{fmt::Display, sync::Arc};

use jiff::Timestamp;
use portico_core::{
    AuditId, GrantId, GroupId, LoginId, TokenId, UserId, WorkloadId,
    names::{AppName, DisplayName, EngineName, Label, Slug},
    workload::Phase,
};
use serde::de::DeserializeOwned;

use crate::{error::RowError, value::Value};

/// Names of the columns of a result, shared by its rows.
pub(crate) type Columns = Arc<[String]>;

/// One row of a result.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    table: &'static str,
    columns: Columns,
    values: Vec<Value>,
}

/// A type that a column can be read as.
pub(crate) trait FromValue: Sized {
    fn from_value(value: &Value) -> Result<Self, String>;
}

impl Row {
    pub(crate) fn new(columns: Columns, values: Vec<Value>) -> Self {
        Self { table: "", columns, values }
    }

    /// Says which table the row came from, for the texts of failures.
    pub(crate) fn of(mut self, table: &'static str) -> Self {
        self.table = table;
        self
    }

    pub(crate) fn get<T: FromValue>(&self, column: &'static str) -> Result<T, RowError> {
        let value = self
            .columns
            .iter()
            .position(|name| name == column)
            .and_then(|position| self.values.get(position))
            .ok_or_else(|| self.failure(column, "the statement does not select it"))?;
        T::from_value(value).map_err(|problem| self.failure(column, problem))
    }

    /// A column that holds JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, RowError> {
        let text: String = self.get(column)?;
        serde_json::from_str(&text).map_err(|problem| self.failure(column, problem))
    }

    pub(crate) fn failure(&self, column: &'static str, problem: impl Display) -> RowError {
        let row = match self.values.first() {
            Some(Value::Text(text)) => text.chars().take(40).collect(),
            Some(Value::Int(number)) => number.to_string(),
            Some(Value::Null) | None => String::new(),
        };
        RowError { table: self.table, column, row, problem: problem.to_string() }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Result<Self, String> {
        if *value == Value::Null { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Int(number) => Ok(*number),
            Value::Null => Err("is empty".to_owned()),
            Value::Text(_) => Err("is a text, not a number".to_owned()),
        }
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            Value::Null => Err("is empty".to_owned()),
            Value::Int(_) => Err("is a number, not a text".to_owned()),
        }
    }
}

macro_rules! numbers {
    ($($name:ident)*) => {$(
        impl FromValue for $name {
            fn from_value(value: &Value) -> Result<Self, String> {
                let number = i64::from_value(value)?;
                Self::try_from(number).map_err(|_| format!("{number} is out of range"))
            }
        }
    )*};
}

numbers! { u16 u32 u64 }

impl FromValue for Timestamp {
    fn from_value(value: &Value) -> Result<Self, String> {
        Self::from_millisecond(i64::from_value(value)?).map_err(|problem| problem.to_string())
    }
}

impl FromValue for Phase {
    fn from_value(value: &Value) -> Result<Self, String> {
        let text = String::from_value(value)?;
        Self::ALL
            .into_iter()
            .find(|phase| phase.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no phase"))
    }
}

macro_rules! texts {
    ($($name:ident)*) => {$(
        impl FromValue for $name {
            fn from_value(value: &Value) -> Result<Self, String> {
                Self::try_from(String::from_value(value)?).map_err(|problem| problem.to_string())
            }
        }
    )*};
}

texts! { AuditId GrantId GroupId LoginId TokenId UserId WorkloadId AppName DisplayName EngineName Label Slug }
