//! The local engine, with real processes under real isolation.

mod bare;
mod crash;
mod death;
mod isolation;
mod place;

use crate::conformance::conformance;
use place::Place;

conformance!(Place::for_conformance());
