//! How engines are and which apps could run on them, as last seen.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use portico_core::{
    names::{AppName, EngineName},
    ports::Health,
};

use super::lock;

/// See the module.
#[derive(Debug, Default)]
pub struct EngineFacts(Mutex<Facts>);

#[derive(Debug, Default)]
struct Facts {
    health: BTreeMap<EngineName, Health>,
    apps: BTreeMap<AppName, Availability>,
    surveyed: BTreeSet<EngineName>,
}

/// Whether an app could be launched now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Availability {
    /// Nobody looked yet; a launch finds out.
    #[default]
    Unknown,
    Available,
    Unavailable {
        /// What is missing, a sentence fragment.
        problem: String,
        /// What to do about it, a sentence.
        hint: String,
    },
}

impl EngineFacts {
    #[must_use]
    pub fn health(&self, engine: &EngineName) -> Option<Health> {
        lock(&self.0).health.get(engine).cloned()
    }

    /// Tells whether anything but the moment is new.
    pub(crate) fn set_health(&self, engine: &EngineName, health: Health) -> bool {
        let before = lock(&self.0).health.insert(engine.clone(), health.clone());
        before.is_none_or(|before| {
            before.condition != health.condition
                || before.version != health.version
                || before.isolation != health.isolation
        })
    }

    #[must_use]
    pub fn availability(&self, app: &AppName) -> Availability {
        lock(&self.0).apps.get(app).cloned().unwrap_or_default()
    }

    /// Tells whether it is news.
    pub(crate) fn set_availability(&self, app: &AppName, availability: Availability) -> bool {
        let before = lock(&self.0).apps.insert(app.clone(), availability.clone());
        before.unwrap_or_default() != availability
    }

    /// Forgets apps that are no more.
    pub(crate) fn keep_apps(&self, is_there: impl Fn(&AppName) -> bool) {
        lock(&self.0).apps.retain(|name, _| is_there(name));
    }

    /// Whether the engine told its instances since the hub started.
    #[must_use]
    pub fn is_surveyed(&self, engine: &EngineName) -> bool {
        lock(&self.0).surveyed.contains(engine)
    }

    /// Tells whether it is the first time.
    pub(crate) fn note_survey(&self, engine: &EngineName) -> bool {
        lock(&self.0).surveyed.insert(engine.clone())
    }
}
