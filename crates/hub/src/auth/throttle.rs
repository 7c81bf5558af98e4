//! How fast passwords may be tried: a growing delay per account and per address.
//!
//! Pure arithmetic; the counts live in the store, so that a restart forgives nothing. An attempt is
//! counted before it is checked and taken back when it was right, so that attempts at the same moment
//! cannot all slip through. Names that no account has are counted alike, so that the delay tells nothing.

use jiff::{SignedDuration, Timestamp};

/// Failures of one account or address within [`MEMORY_SECONDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    pub failures: u64,
    /// The latest one.
    pub last: Timestamp,
}

/// How strict to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Failures without delay.
    pub free: u64,
    /// Longest delay in seconds.
    pub longest: u32,
}

/// For one account: the delay doubles from the fourth failure, up to five minutes, so that a stranger
/// can annoy but not lock out its owner for long.
pub const ACCOUNT: Policy = Policy { free: 3, longest: 300 };

/// For one address, which may be a whole institute's: much later.
pub const ADDRESS: Policy = Policy { free: 30, longest: 300 };

/// Seconds after which a failure is forgotten.
pub const MEMORY_SECONDS: i64 = 3600;

impl Policy {
    /// Seconds to wait before the next attempt, if any.
    #[must_use]
    pub fn delay(self, attempts: Option<Attempts>, now: Timestamp) -> Option<u32> {
        let attempts = attempts?;
        let over = u32::try_from(attempts.failures.checked_sub(self.free)?.min(31)).ok()?;
        let seconds = 1_u32.checked_shl(over).unwrap_or(u32::MAX).min(self.longest);
        let until = attempts.last.checked_add(SignedDuration::from_secs(i64::from(seconds))).ok()?;
        let left = until.duration_since(now).as_millis();
        let left = u32::try_from(left.div_euclid(1000) + i128::from(left.rem_euclid(1000) > 0)).ok()?;
        // A clock that was set back must not lengthen the wait.
        (left > 0).then_some(left.min(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("valid")
    }

    fn failed(failures: u64) -> Option<Attempts> {
        Some(Attempts { failures, last: at(1000) })
    }

    #[test]
    fn the_delay_grows_up_to_its_limit() {
        let delays: Vec<_> = [0, 2, 3, 4, 5, 10, 1000].map(|n| ACCOUNT.delay(failed(n), at(1000))).into();
        assert_eq!(delays, [None, None, Some(1), Some(2), Some(4), Some(128), Some(300)]);
    }

    #[test]
    fn waiting_helps() {
        assert_eq!(ACCOUNT.delay(failed(5), at(1003)), Some(1));
        assert_eq!(ACCOUNT.delay(failed(5), at(1004)), None);
    }

    #[test]
    fn a_clock_set_back_does_not_lengthen_the_wait() {
        assert_eq!(ACCOUNT.delay(failed(5), at(0)), Some(4));
    }
}
