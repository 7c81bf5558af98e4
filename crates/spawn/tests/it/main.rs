//! The engines, each put through one suite of behaviours.

mod conformance;
mod docker;
mod fake;
mod local;
