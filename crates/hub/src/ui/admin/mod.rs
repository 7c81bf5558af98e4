//! Pages of administrators.

mod apps;
mod audit;
mod confirm;
mod engines;
mod groups;
mod users;

use crate::router::Pages;

pub(super) fn routes() -> Pages {
    Pages::new()
        .merge(apps::routes())
        .merge(audit::routes())
        .merge(engines::routes())
        .merge(groups::routes())
        .merge(users::routes())
}
