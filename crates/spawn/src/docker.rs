//! The Docker engine.
//!
//! An instance is a container of the same name on a network of its own; a workspace is a named volume.
//! All carry labels, by which a new process finds them again. The engine itself is not managed: neither
//! its configuration nor its packet filter is touched, and objects without our realm's label are never
//! changed. What separates containers is listed in [`Spawner::health`]; what a container is given and
//! denied stands in one place, `container`.

mod changes;
mod config;
mod container;
mod error;
mod health;
pub mod image;
mod instance;
mod labels;
mod launch;
mod link;
mod logs;
mod network;
mod pull;
mod subnet;
mod sweep;
mod usage;
mod workspace;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bollard::query_parameters::{RemoveContainerOptions, StopContainerOptions};
use futures_util::stream::BoxStream;
use portico_core::{
    app::App,
    failpoint,
    launch::LaunchPlan,
    names::{InstanceName, Label, Realm},
    ports::{Follow, Health, Instance, InstanceStatus, LogStream, Progress, SpawnError, Spawner, Usage},
};

pub use config::{Config, InvalidConfig, Pull, Reach, Tls};
pub use subnet::{InvalidSubnet, Pool};

use error::{Trouble, is_conflict, is_missing, translate};
use link::{Dialler, Link};
use network::Networks;

/// Where the workspace is in a container.
const WORKSPACE: &str = "/workspace";

/// One Docker engine, as one realm sees it. Clones share the conversation.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    realm: Realm,
    dialler: Dialler,
    networks: Networks,
    swept: sweep::Clock,
}

impl Engine {
    /// An engine that is dialled at the first need; whether it can be reached is not asked here.
    ///
    /// # Errors
    /// When the configuration breaks a rule.
    pub fn new(config: Config, realm: Realm) -> Result<Self, InvalidConfig> {
        config.check()?;
        let dialler = Dialler::new(config.clone());
        let (networks, swept) = (Networks::new(), sweep::Clock::default());
        Ok(Self { inner: Arc::new(Inner { config, realm, dialler, networks, swept }) })
    }

    fn config(&self) -> &Config {
        &self.inner.config
    }

    fn realm(&self) -> &Realm {
        &self.inner.realm
    }

    fn networks(&self) -> &Networks {
        &self.inner.networks
    }

    async fn link(&self) -> Result<Link, SpawnError> {
        self.inner.dialler.link().await
    }

    async fn dial(&self) -> Result<Link, Trouble> {
        self.inner.dialler.dial().await
    }

    async fn find(&self, link: &Link, name: &InstanceName) -> Result<Option<Instance>, SpawnError> {
        instance::find(link, self.realm(), self.config().reach(), name).await
    }

    async fn status(&self, name: &InstanceName) -> Result<Option<InstanceStatus>, SpawnError> {
        Ok(self.inspect(name).await?.map(|found| found.status))
    }

    /// Removes a container that does not run, and its network.
    async fn forget(&self, link: &Link, name: &InstanceName) -> Result<(), SpawnError> {
        if self.find(link, name).await?.is_some() {
            let options = RemoveContainerOptions { v: true, force: false, link: false };
            match link.docker.remove_container(name.as_str(), Some(options)).await {
                Ok(()) => {}
                Err(error) if is_missing(&error) => {}
                Err(error)
                    if is_conflict(&error) && error::message(&error).contains("already in progress") => {}
                Err(error) if is_conflict(&error) => {
                    return Err(SpawnError::Refused("it still runs; stop it first".to_owned()));
                }
                Err(error) => return Err(translate(&error)),
            }
        }
        network::remove(link, self.realm(), name).await
    }
}

#[async_trait]
impl Spawner for Engine {
    fn kind(&self) -> &'static str {
        "docker"
    }

    async fn health(&self) -> Health {
        health::ask(self).await
    }

    async fn check(&self, program: &App) -> Result<(), SpawnError> {
        let image = self.admit(&program.program, &program.mounts)?;
        let present = pull::inspect(&self.link().await?, &image.image).await?;
        if present.is_none() && self.config().pull == Pull::Never {
            return Err(SpawnError::ImageMissing(image.image.clone()));
        }
        Ok(())
    }

    async fn launch(&self, plan: &LaunchPlan, progress: &dyn Progress) -> Result<Instance, SpawnError> {
        self.start_plan(plan, progress).await
    }

    /// Also removes, now and then, networks that broken-off launches left behind.
    async fn list(&self) -> Result<Vec<Instance>, SpawnError> {
        let link = self.link().await?;
        sweep::now_and_then(self, &link).await;
        instance::list(&link, self.realm(), self.config().reach()).await
    }

    async fn inspect(&self, name: &InstanceName) -> Result<Option<Instance>, SpawnError> {
        self.find(&self.link().await?, name).await
    }

    async fn stop(&self, name: &InstanceName, grace: Duration) -> Result<(), SpawnError> {
        let link = self.link().await?;
        match self.find(&link, name).await?.map(|found| found.status) {
            None | Some(InstanceStatus::Ended(_)) => return Ok(()),
            // It has done nothing and has nothing to say.
            Some(InstanceStatus::Created) => return self.forget(&link, name).await,
            Some(InstanceStatus::Running) => {}
        }
        failpoint::hit("docker.before-stop");
        let seconds = i32::try_from(grace.as_millis().div_ceil(1000)).unwrap_or(i32::MAX);
        let options = StopContainerOptions { t: Some(seconds), ..StopContainerOptions::default() };
        let stopped = link.patient(grace).stop_container(name.as_str(), Some(options)).await;
        failpoint::hit("docker.after-stop");
        match stopped {
            Err(error) if !is_missing(&error) => Err(translate(&error)),
            _ => Ok(()),
        }
    }

    async fn remove(&self, name: &InstanceName) -> Result<(), SpawnError> {
        failpoint::hit("docker.before-remove");
        self.forget(&self.link().await?, name).await
    }

    async fn discard_workspace(&self, label: &Label) -> Result<(), SpawnError> {
        workspace::discard(&self.link().await?, self.realm(), label).await
    }

    async fn logs(&self, name: &InstanceName, follow: Follow) -> Result<LogStream, SpawnError> {
        match self.inspect(name).await? {
            Some(_) => Ok(logs::read(self.clone(), name.clone(), follow)),
            None => Err(SpawnError::NoInstance),
        }
    }

    async fn usage(&self, name: &InstanceName) -> Result<Usage, SpawnError> {
        match self.status(name).await? {
            Some(InstanceStatus::Running) => usage::sample(&self.link().await?, name).await,
            _ => Err(SpawnError::NoInstance),
        }
    }

    fn changes(&self) -> BoxStream<'static, ()> {
        changes::listen(self.clone())
    }
}
