//! REST: workloads.

use utoipa_axum::router::OpenApiRouter;

use crate::state::Hub;

pub(crate) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
}
