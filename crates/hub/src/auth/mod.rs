//! Who is asking: passwords, logins, tokens, one-time links, and the proof that a request was meant.

pub mod actor;

pub use actor::Actor;
