//! The hub through its router, over a real store; folders mirror the nouns.

mod coverage;
mod harness;
mod people;
mod refusals;
mod work;
