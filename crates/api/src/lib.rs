//! Wire types of the REST API, shared by the hub and the command line.
//!
//! They carry what clients see and no rule: parsing into the nouns of `portico-core` happens at the
//! hub's border. One file per noun.

pub mod page;
pub mod problem;
