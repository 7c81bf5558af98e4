//! Which Portico a command speaks to.
//!
//! 1. `--server` names one on the network; the token comes from `PORTICO_TOKEN` or from `portico login`.
//! 2. `--config` or `--data` names one on this machine, reached through the administration socket in its
//!    data directory. The file's permissions are the authentication. When it is not running, the command
//!    starts its hub inside itself for the moment, without a front door.
//! 3. Else the last `portico login` counts, and else a demo of this user on this machine.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use portico_core::Secret;

use super::client::Client;
use crate::config::{Config, demo_directory};

#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// Address of a Portico, for example https://portico.example.org.
    #[arg(long, global = true, env = "PORTICO_SERVER", value_name = "URL", conflicts_with_all = ["config", "data"])]
    pub(crate) server: Option<String>,
    /// Configuration file of a Portico on this machine.
    #[arg(long, global = true, env = "PORTICO_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Data directory of a Portico on this machine; overrides the one in the configuration.
    #[arg(long, global = true, env = "PORTICO_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

impl Target {
    /// The configuration that the options name: a file, or the demo's.
    pub(crate) fn configuration(&self) -> Result<Config> {
        let mut config = match &self.config {
            Some(file) => Config::read(file)?,
            None => Config::demo(demo_directory()?),
        };
        if let Some(data) = &self.data {
            config.data_dir = std::path::absolute(data).context("cannot resolve the data directory")?;
        }
        Ok(config)
    }

    /// A client for the Portico that the options mean.
    pub(crate) async fn client(&self) -> Result<Client> {
        if let Some(server) = &self.server {
            let token = match std::env::var("PORTICO_TOKEN") {
                Ok(token) => Secret::new(token),
                Err(_) => super::account::Credentials::load()?.token_of(server)?,
            };
            return Client::remote(server, token);
        }
        if self.config.is_some() || self.data.is_some() {
            return Client::console(self.configuration()?).await;
        }
        let credentials = super::account::Credentials::load()?;
        if let Some((server, token)) = credentials.latest() {
            return Client::remote(server, token.clone());
        }
        let config = self.configuration()?;
        if config.data_dir.exists() {
            return Client::console(config).await;
        }
        bail!(
            "which Portico? sign in with `portico login URL`, or name one on this machine with --config FILE or --data DIR"
        )
    }
}
