//! Who is asking: passwords, logins, tokens, and the proof that a request was meant.

pub mod actor;
pub mod client;
pub mod cookie;
pub mod csrf;
pub mod known;
pub mod next;
pub mod password;
pub mod password_rule;
pub mod throttle;

pub use actor::Actor;
pub use client::Client;
pub use known::{Console, SignedIn, Visitor};
pub use next::Next;
