//! No request takes for ever, and a defect in one ends only that one.

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;

use crate::error::Error;

/// Largest body of a request, in bytes.
pub(crate) const MAX_BODY: usize = 1024 * 1024;

/// Time until an answer begins; what streams afterwards may last.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Layer: an answer that does not begin in time, or a panic, becomes an error.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(TIMEOUT, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            Error::internal(format!("a handler panicked: {}", text_of(&*panic))).into_response()
        }
        Err(_) => Error::Timeout.into_response(),
    }
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("for an unknown reason")
}
