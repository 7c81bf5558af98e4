//! `portico backup` and `portico restore`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use portico_store::Store;
use serde_json::json;

use super::Common;
use crate::{
    config::Config,
    output::{self, Style},
    serve::console::SOCKET,
};

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// File to write; must not exist.
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// Backup to take.
    file: PathBuf,
}

impl Backup {
    pub(crate) async fn run(self, common: &Common) -> Result<()> {
        let config = common.target.configuration()?;
        let database = embedded(&config)?;
        let target = std::path::absolute(&self.file).context("cannot resolve the path")?;
        Store::copy(&database, &target).await.context("no backup was made")?;
        report(common, "written", &target)
    }
}

impl Restore {
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        let config = common.target.configuration()?;
        embedded(&config)?;
        if std::os::unix::net::UnixStream::connect(config.data_dir.join(SOCKET)).is_ok() {
            bail!("Portico is running: stop it first, restore, and start it again");
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let aside =
            runtime.block_on(Store::restore(&config.store(), &self.file)).context("nothing was restored")?;
        if let Some(aside) = aside {
            output::note(format!("The former database is kept as {}.", aside.display()));
        }
        report(common, "restored", &self.file)
    }
}

fn embedded(config: &Config) -> Result<PathBuf> {
    match config.store().path {
        Some(path) => Ok(path),
        None => bail!("the database is PostgreSQL: use pg_dump and pg_restore"),
    }
}

fn report(common: &Common, verb: &str, file: &Path) -> Result<()> {
    match common.style() {
        Style::Human => output::line(format!("{}: {verb}", file.display())),
        Style::Json => output::json(&json!({ "file": file, verb: true }))?,
    }
    Ok(())
}
