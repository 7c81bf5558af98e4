//! When passes were last used, gathered so that a busy workload does not write to the store all the time.

use std::{collections::HashMap, sync::Mutex};

use portico_core::{LoginId, Timestamp};

use super::lock;

/// Logins that are gathered at most.
const MOST: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub struct Seen(Mutex<HashMap<LoginId, Timestamp>>);

impl Seen {
    pub fn note(&self, login: &LoginId, at: Timestamp) {
        let mut seen = lock(&self.0);
        if seen.len() < MOST || seen.contains_key(login) {
            seen.insert(login.clone(), at);
        }
    }

    /// All that was gathered, once.
    pub(crate) fn take(&self) -> HashMap<LoginId, Timestamp> {
        std::mem::take(&mut *lock(&self.0))
    }
}
