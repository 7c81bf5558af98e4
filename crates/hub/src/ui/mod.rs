//! Pages for people.

pub mod error;

use crate::router::Pages;

/// All pages. One module per place in the menu, each with its own `routes`.
#[must_use]
pub fn routes() -> Pages {
    Pages::new()
}
