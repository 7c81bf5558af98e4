//! Pages of administrators.

mod audit;
mod confirm;
mod groups;
mod users;

use crate::router::Pages;

pub(super) fn routes() -> Pages {
    Pages::new().merge(audit::routes()).merge(groups::routes()).merge(users::routes())
}
