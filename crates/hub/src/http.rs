//! What every request passes: the layers, how its parts are read, and how an error is shown.

pub mod extract;
pub(crate) mod guard;
pub(crate) mod headers;
pub(crate) mod limits;
pub(crate) mod present;
pub(crate) mod refusals;
pub(crate) mod request_id;
