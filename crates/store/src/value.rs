//! What can be given to a statement: nothing, an integer or a text.
//!
//! There is no floating point, no blob and no boolean, because the two databases differ in them.

use jiff::Timestamp;
use portico_core::{
    AuditId, GrantId, GroupId, LoginId, TokenId, UserId, WorkloadId,
    names::{AppName, DisplayName, EngineName, Label, Slug},
};

use crate::error::StoreError;

/// Longest text that is stored, in bytes.
pub(crate) const MAX_TEXT: usize = 8 << 20;

/// Longest text that is a key, in bytes: the server's indexes take 2700.
const MAX_KEY: usize = 1000;

/// Refuses a text from outside that is too long to be a key.
pub(crate) fn key(text: &str) -> Result<&str, StoreError> {
    if text.len() > MAX_KEY {
        return Err(StoreError::Unstorable { reason: "a key is longer than 1000 bytes" });
    }
    Ok(text)
}

/// A parameter of a statement or a column of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
}

impl Value {
    /// Refuses what one of the two databases could not give back unchanged.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::Text(text) if text.len() > MAX_TEXT => {
                Err(StoreError::Unstorable { reason: "it is longer than 8 MiB" })
            }
            Self::Text(text) if text.contains('\0') => {
                Err(StoreError::Unstorable { reason: "it contains a NUL character" })
            }
            _ => Ok(()),
        }
    }
}

/// A type that can be a parameter.
pub(crate) trait ToValue {
    fn to_value(&self) -> Value;
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value {
        (*self).to_value()
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl ToValue for i64 {
    fn to_value(&self) -> Value {
        Value::Int(*self)
    }
}

impl ToValue for u32 {
    fn to_value(&self) -> Value {
        Value::Int(i64::from(*self))
    }
}

impl ToValue for u16 {
    fn to_value(&self) -> Value {
        Value::Int(i64::from(*self))
    }
}

/// Milliseconds since the Unix epoch.
impl ToValue for Timestamp {
    fn to_value(&self) -> Value {
        Value::Int(self.as_millisecond())
    }
}

macro_rules! texts {
    ($($name:ident)*) => {$(
        impl ToValue for $name {
            fn to_value(&self) -> Value {
                Value::Text(self.as_str().to_owned())
            }
        }
    )*};
}

texts! { AuditId GrantId GroupId LoginId TokenId UserId WorkloadId AppName DisplayName EngineName Label Slug }

/// Builds the parameters `$1`, `$2`, ... of a statement.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::value::ToValue::to_value(&$value)),*]
    };
}

pub(crate) use params;
