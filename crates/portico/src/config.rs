//! The configuration file: each crate's own small section, composed here.
//!
//! A mistake is shown with its line and column. Nothing is read from the file but what a section
//! declares: an unknown key is a mistake too, since a misspelt option that is silently ignored is worse.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use portico_core::names::{EngineName, Realm};
use serde::Deserialize;

use crate::logging;

/// Every option, with its default and what it is for.
pub(crate) const DOCUMENTED: &str = include_str!("../../../deploy/portico.toml");

/// A whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Everything Portico keeps: database, logs of ended workloads, workspaces, sockets.
    pub(crate) data_dir: PathBuf,
    #[serde(default)]
    pub(crate) front: portico_proxy::Config,
    #[serde(default)]
    pub(crate) store: portico_store::Config,
    #[serde(default)]
    pub(crate) hub: portico_hub::Config,
    #[serde(default)]
    pub(crate) engine: BTreeMap<EngineName, Engine>,
    #[serde(default)]
    pub(crate) metrics: Metrics,
    #[serde(default)]
    pub(crate) log: logging::Config,
}

/// `[engine.NAME]`: where workloads run.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Engine {
    Local(portico_spawn::local::Config),
    Docker(portico_spawn::docker::Config),
}

/// `[metrics]`: figures for Prometheus, on an address of their own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Metrics {
    /// For example `127.0.0.1:9464`; without it there are no metrics.
    pub(crate) listen: Option<SocketAddr>,
}

/// A mistake in a file, and where it stands.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
struct Mistake {
    file: String,
    line: usize,
    column: usize,
    message: String,
}

impl Config {
    /// Reads and checks a file.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the configuration file {}", file.display()))?;
        let config = Self::parse(&text, &file.display().to_string())?;
        config.check().with_context(|| format!("{} is not usable", file.display()))?;
        Ok(config)
    }

    fn parse(text: &str, file: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| {
            let (line, column) = place(text, error.span().map_or(0, |span| span.start));
            Mistake { file: file.to_owned(), line, column, message: error.message().to_owned() }.into()
        })
    }

    /// What the demo runs with.
    pub(crate) fn demo(data_dir: PathBuf) -> Self {
        let local = Engine::Local(portico_spawn::local::Config::default());
        let name = "local".parse().expect("a safe name");
        Self {
            data_dir,
            front: portico_proxy::Config::default(),
            store: portico_store::Config::default(),
            hub: portico_hub::Config::default(),
            engine: BTreeMap::from([(name, local)]),
            metrics: Metrics::default(),
            log: logging::Config { filter: "warn,portico=info".to_owned(), ..logging::Config::default() },
        }
    }

    /// The store's section, with the place of the embedded database filled in.
    pub(crate) fn store(&self) -> portico_store::Config {
        let mut store = self.store.clone();
        if store.postgres.is_none() {
            let path = store.path.take().unwrap_or_else(|| PathBuf::from("portico.db"));
            store.path = Some(self.data_dir.join(path));
        }
        store
    }

    /// The hub's section, with the address that the front door has.
    pub(crate) fn hub(&self) -> Result<portico_hub::Config> {
        let mut hub = self.hub.clone();
        hub.public_url = self.front.public_url.to_string().parse().context("[front] public_url")?;
        Ok(hub)
    }

    /// Tells apart several Porticos that share one engine.
    pub(crate) fn realm(&self) -> Realm {
        self.hub.realm.clone()
    }

    /// Adds the Docker engine of this machine, where there is one that this user may use.
    pub(crate) fn add_docker_if_found(&mut self) {
        // The example images are built here, and are in no registry.
        let pull = portico_spawn::docker::Pull::Never;
        let docker = portico_spawn::docker::Config { pull, ..Default::default() };
        let reachable = docker.socket().is_some_and(|socket| UnixStream::connect(socket).is_ok());
        if reachable {
            self.engine.insert("docker".parse().expect("a safe name"), Engine::Docker(docker));
        }
    }

    /// Lets the demo listen elsewhere, and be found there.
    pub(crate) fn move_to(&mut self, listen: SocketAddr) -> Result<()> {
        self.front.listen = vec![listen];
        let url = format!("http://localhost:{}", listen.port());
        self.front.public_url =
            url.parse().map_err(|problem| anyhow!("{url} cannot be the address: {problem}"))?;
        Ok(())
    }

    /// Checks what the types do not say.
    fn check(&self) -> Result<()> {
        if !self.data_dir.is_absolute() {
            bail!("data_dir must be an absolute path, not {}", self.data_dir.display());
        }
        if self.engine.is_empty() {
            bail!("there is no engine: add a section such as [engine.local] with kind = \"local\"");
        }
        Ok(())
    }
}

/// Line and column, from 1, of a byte offset.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

/// Where the demo of this user keeps its data.
pub(crate) fn demo_directory() -> Result<PathBuf> {
    let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share"));
    let base =
        base.or_else(home).context("neither XDG_DATA_HOME nor HOME is set: name a directory with --data")?;
    Ok(base.join("portico"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> String {
        Config::parse(text, "portico.toml").expect_err("a mistake").to_string()
    }

    #[test]
    fn the_documented_file_is_valid() {
        let config = Config::parse(DOCUMENTED, "deploy/portico.toml").expect("valid");
        config.check().expect("usable");
    }

    #[test]
    fn a_mistake_is_located() {
        assert!(mistake("data_dir = \"/var\"\n[front]\n  colour = 1\n").starts_with("portico.toml:3:3: "));
        assert!(mistake("data_dir = \"/var\"\nx = [\n").starts_with("portico.toml:"));
        assert!(mistake("data_dir = 5\n").starts_with("portico.toml:1:12: "));
    }
}
