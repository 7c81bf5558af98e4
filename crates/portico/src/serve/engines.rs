//! The engines of the configuration.

use std::sync::Arc;

use anyhow::{Context, Result};
use portico_core::{names::Realm, ports::Spawner};
use portico_hub::state::Engines;

use crate::config::{Config, Engine};

/// Opens each engine. None is contacted yet: one that does not answer says so on its page.
pub(crate) fn open(config: &Config, realm: &Realm) -> Result<Engines> {
    let mut engines = Engines::new();
    for (name, engine) in &config.engine {
        let opened: Arc<dyn Spawner> = match engine {
            Engine::Local(local) => Arc::new(
                portico_spawn::local::Local::open(local.clone(), &config.data_dir)
                    .with_context(|| format!("engine {name}"))?,
            ),
            Engine::Docker(docker) => Arc::new(
                portico_spawn::docker::Engine::new(docker.clone(), realm.clone())
                    .with_context(|| format!("engine {name}"))?,
            ),
        };
        engines.insert(name.clone(), opened);
    }
    Ok(engines)
}
