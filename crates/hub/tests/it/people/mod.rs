//! Users, sign-ins, tokens, links, groups and the audit log.

mod audit;
mod cookies;
mod errors;
mod links;
mod names;
mod passwords;
mod revocation;
mod sign_in;
mod tokens;
mod users;
