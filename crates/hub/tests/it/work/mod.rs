//! Apps and workloads over the fake engine.

mod catalogue;
mod engines;
mod gate;
mod launch;
mod lifecycle;
mod rest;
mod restart;
mod yard;
