//! The front door: it owns every socket of Portico.
//!
//! A request is led by its `Host` to the hub, which is a service handed in, or to a workload, over
//! pools of its own. Nothing reaches a workload but through an admission check on that very request or
//! upgrade: the pass in the cookie is verified here, by signature, expiry and revocation, without
//! asking anybody. What only the hub knows (redeeming a ticket, the words of a page) is asked through
//! [`portico_core::ports::Gate`]; who answers where is read from a watched
//! [`portico_core::route::Published`].
//!
//! Left out on purpose: databases, web frameworks, users and rights. The front door knows passes.
#![forbid(unsafe_code)]

mod activity;
mod address;
mod admit;
mod body;
mod config;
mod cookie;
mod dispatch;
mod forward;
mod front;
mod guard;
mod host;
mod listen;
mod live;
mod metrics;
mod peer;
mod refuse;
mod ticket;
mod visit;

pub use activity::Activity;
pub use address::{Addresses, InvalidConfig};
pub use body::{BoxError, HubBody, RequestBody, TooLarge};
pub use config::{AppsDomain, Config, Limits, Mode, Network, PublicUrl};
pub use front::{FrontDoor, HubService};
pub use listen::{BindError, bind};
pub use peer::{Peer, RequestId};
