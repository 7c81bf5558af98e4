//! The one error of the hub's services, and the one place where a cause becomes an HTTP status.
//!
//! A service returns [`Error`]; a handler passes it on with `?`. The response it becomes carries no
//! body yet: the layers of `http::present` write problem+json for the API and a page for people,
//! because only they know which was asked for, and log the chain once. Unknown and forbidden are the
//! same variant on purpose. Texts are for people: what happened, and what to do.

use std::{collections::BTreeMap, sync::Arc};

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use portico_core::access;
use portico_store::StoreError;
use thiserror::Error;

/// Why something was not done.
#[derive(Debug, Error)]
pub enum Error {
    /// It does not exist, or may not be known.
    #[error("not found, or not yours to use")]
    NotFound,
    /// Nobody is signed in, or the token is not valid (any more).
    #[error("sign in first")]
    NotSignedIn,
    /// Name or password is wrong; never says which.
    #[error("the name or the password is wrong")]
    WrongCredentials,
    /// An unsafe request without proof that it comes from our own pages.
    #[error("the request does not come from a page of this Portico; reload the page and try again")]
    ForeignOrigin,
    /// A rule forbids it, and the person may know the rule.
    #[error("{0}")]
    Forbidden(String),
    /// The request cannot be understood.
    #[error("{0}")]
    BadRequest(String),
    /// Fields do not fit their rules.
    #[error("some of the values cannot be used")]
    Invalid(Fields),
    /// The present state of things does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// A link or ticket that was used or is too old.
    #[error("{0}")]
    Gone(String),
    #[error("too many attempts; try again in {0} seconds")]
    Throttled(u32),
    #[error("the method is not allowed here")]
    MethodNotAllowed,
    #[error("the request is too large")]
    TooLarge,
    #[error("expected another content type: {0}")]
    MediaType(&'static str),
    #[error("the request took too long")]
    Timeout,
    /// Something below does not answer now.
    #[error("{what} cannot be reached; try again in a moment")]
    Unavailable { what: &'static str, source: Cause },
    /// A defect, or damage.
    #[error("something went wrong inside Portico; the request id helps to find it in the log")]
    Internal(#[source] Cause),
}

/// What lies below an error.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What is wrong with which field, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(pub BTreeMap<String, String>);

impl Error {
    /// One field that does not fit.
    pub fn field(name: &str, message: impl ToString) -> Self {
        Self::Invalid(Fields(BTreeMap::from([(name.to_owned(), message.to_string())])))
    }

    /// A defect; the person is told nothing but the request id.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    /// What stands against it, in one text for the head of a form: the fields' problems, or the cause.
    #[must_use]
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Invalid(fields) => {
                let texts: Vec<_> =
                    fields.0.iter().map(|(name, problem)| format!("{name}: {problem}")).collect();
                texts.join("; ")
            }
            other => other.to_string(),
        }
    }

    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::NotSignedIn | Self::WrongCredentials => StatusCode::UNAUTHORIZED,
            Self::ForeignOrigin | Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Gone(_) => StatusCode::GONE,
            Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Short name, last part of the problem type.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::NotSignedIn => "not-signed-in",
            Self::WrongCredentials => "wrong-credentials",
            Self::ForeignOrigin => "foreign-origin",
            Self::Forbidden(_) => "forbidden",
            Self::BadRequest(_) => "bad-request",
            Self::Invalid(_) => "invalid",
            Self::Conflict(_) => "conflict",
            Self::Gone(_) => "gone",
            Self::Throttled(_) => "throttled",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::TooLarge => "too-large",
            Self::MediaType(_) => "media-type",
            Self::Timeout => "timeout",
            Self::Unavailable { .. } => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// Seconds after which another try makes sense.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Throttled(seconds) => Some(*seconds),
            Self::Unavailable { .. } => Some(2),
            _ => None,
        }
    }
}

impl From<access::Refused> for Error {
    fn from(_: access::Refused) -> Self {
        Self::NotFound
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full { .. }
            | StoreError::ReadOnly { .. }
            | StoreError::Unreachable { .. }
            | StoreError::Busy { .. }
            | StoreError::Expired { .. }
            | StoreError::Closed => Self::Unavailable { what: "the database", source: Box::new(error) },
            StoreError::Conflict { .. } => Self::Conflict(format!("{error}; try again")),
            StoreError::Duplicate { .. } | StoreError::Reference { .. } => Self::Conflict(error.to_string()),
            StoreError::Missing { .. } => Self::NotFound,
            StoreError::Unstorable { .. } => Self::BadRequest(error.to_string()),
            other => Self::internal(other),
        }
    }
}

/// An error on its way out, found by `http::present` among the extensions of the response.
#[derive(Debug, Clone)]
pub(crate) struct Carried(pub(crate) Arc<Error>);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Carried(Arc::new(self)));
        response
    }
}
