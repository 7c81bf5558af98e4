//! What every request passes: the layers, and how an error is shown.

pub(crate) mod headers;
pub(crate) mod present;
pub(crate) mod request_id;
