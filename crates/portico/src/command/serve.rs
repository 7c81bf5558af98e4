//! `portico demo` and `portico serve`.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::Common;
use crate::{
    config::Config,
    serve::{self, announce::Greeting},
};

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Address to listen on instead of 127.0.0.1:8080.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {}

impl Demo {
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        if common.target.config.is_some() {
            bail!("the demo needs no configuration; to use one, say `portico serve --config FILE`");
        }
        let mut config = common.target.configuration()?;
        config.add_docker_if_found();
        if let Some(listen) = self.listen {
            config.move_to(listen)?;
        }
        start(config, Greeting::Demo)
    }
}

impl Serve {
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        if common.target.config.is_none() {
            bail!("name a configuration with --config FILE; `portico config example` prints one");
        }
        start(common.target.configuration()?, Greeting::Service)
    }
}

fn start(config: Config, greeting: Greeting) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("cannot start the runtime")?.block_on(serve::run(config, greeting))
}
