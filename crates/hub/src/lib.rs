//! The hub: what Portico decides, keeps and shows.
//!
//! A request comes in through [`Hub::router`], is identified by `auth`, and reaches a handler of `api`
//! or `ui`, which parses, asks for a permit, calls one function of `service` and renders. What goes on
//! without a request is a reconciler of `task`. Sockets belong to the front door, SQL to the store and
//! running things to the engines; this crate only holds their handles.

pub mod api;
pub mod auth;
pub mod bus;
pub mod catalogue;
pub mod clock;
pub mod config;
pub mod entropy;
pub mod error;
pub mod gate;
pub mod http;
pub mod live;
pub mod metrics;
pub mod realm;
pub mod router;
pub mod service;
pub mod state;
pub mod task;
pub mod ui;

pub use config::Config;
pub use error::Error;
pub use state::Hub;
