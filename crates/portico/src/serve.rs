//! A running Portico, put together. Each step stands in a module of its own; this file is the order.

pub(crate) mod announce;
pub(crate) mod console;
pub(crate) mod engines;
pub(crate) mod front;
mod http;
mod metrics;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use portico_hub::{
    Hub,
    clock::Clock,
    realm,
    state::{Parts, Tasks},
    task,
};
use portico_spawn::probe;
use portico_store::Store;
use prometheus_client::registry::Registry;

use crate::{config::Config, lifecycle::Lifecycle, logging};

/// How long running requests may take to finish after the first signal.
const DRAIN: Duration = Duration::from_secs(20);

/// Runs until a signal asks to stop.
pub(crate) async fn run(config: Config, greeting: announce::Greeting) -> Result<()> {
    logging::start(&config.log)?;
    let lifecycle = Lifecycle::default();
    let mut registry = Registry::with_prefix("portico");

    let listeners = front::listen(&config)?;
    prepare(&config)?;
    let hub = start_hub(&config, &lifecycle).await?;
    task::start(&hub).await;
    let front = front::build(&config, &hub, &mut registry)?;
    console::serve(&config, &hub, &lifecycle)?;
    metrics::serve(&config, &hub, registry, &lifecycle).await?;
    front::serve(front, listeners, &lifecycle);

    announce::greet(&config, &hub, greeting).await?;
    lifecycle.run(DRAIN).await?;
    hub.store.close().await;
    Ok(())
}

/// Opens the store and the engines and puts the hub together. Starts no task yet.
pub(crate) async fn start_hub(config: &Config, lifecycle: &Lifecycle) -> Result<Hub> {
    let store = Store::open(&config.store()).await.context("the database cannot be opened")?;
    let mut settings = config.hub()?;
    settings.realm = realm::of(&settings, &store).await.context("the realm cannot be read")?;
    let parts = Parts {
        engines: engines::open(config, &settings.realm)?,
        config: settings,
        store,
        clock: Clock::system(),
        probe: Arc::new(probe::Direct),
        origins: Arc::new(front::addresses(config)?),
        data_dir: config.data_dir.clone(),
        tasks: Tasks { tracker: lifecycle.tasks.clone(), soft: lifecycle.soft.clone() },
    };
    Hub::start(parts).await.context("the hub cannot start")
}

/// Makes the data directory, for this user alone.
pub(crate) fn prepare(config: &Config) -> Result<()> {
    let mut directory = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(directory.recursive(true), 0o700);
    directory.create(&config.data_dir).with_context(|| {
        format!(
            "cannot make the data directory {}: name a directory that this user may write with --data or data_dir",
            config.data_dir.display()
        )
    })
}
