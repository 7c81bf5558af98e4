//! Named moments at which a test may kill the process.
//!
//! A crash test starts the real binary, built with the feature `failpoints`, with the environment
//! variable `PORTICO_FAILPOINT` set to a name. The process then dies the first time it passes
//! [`hit`] with that name: at once, without destructors, flushes or messages, like by SIGKILL.
//! Without the feature the call compiles to nothing. It is the one impure thing in this crate, kept
//! here because everyone who may die (hub, store, engines) knows this crate.

/// The environment variable that arms a point.
pub const VARIABLE: &str = "PORTICO_FAILPOINT";

/// Dies here when this point is armed.
#[cfg(feature = "failpoints")]
pub fn hit(name: &str) {
    if std::env::var_os(VARIABLE).is_some_and(|armed| armed == name) {
        std::process::abort();
    }
}

/// Does nothing: the feature `failpoints` is off.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub const fn hit(_name: &str) {}
