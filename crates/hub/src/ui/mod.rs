//! Pages for people.
//!
//! A page is a handler that parses, asks for a permit, calls one function of `service`, and fills a
//! template with view types. Forms post to their own address and redirect, so that reloading repeats
//! nothing; a refused form is shown again with what was typed.

mod account;
mod admin;
mod assets;
pub(crate) mod door;
pub mod error;
mod frame;
mod home;
mod launch;
mod open;
mod shown_once;
mod sign_in;
mod view;
mod welcome;
mod workload;
mod workloads;

use crate::router::Pages;

/// All pages. One module per place in the menu, each with its own `routes`.
#[must_use]
pub fn routes() -> Pages {
    Pages::new()
        .merge(account::routes())
        .merge(admin::routes())
        .merge(assets::routes())
        .merge(home::routes())
        .merge(launch::routes())
        .merge(open::routes())
        .merge(sign_in::routes())
        .merge(welcome::routes())
        .merge(workload::routes())
        .merge(workloads::routes())
}
