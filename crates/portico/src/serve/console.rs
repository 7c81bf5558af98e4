//! The administration socket: the REST API for who may read the data directory.
//!
//! The directory is closed to other users, and so is the socket; who can connect holds the database
//! already, and counts as an administrator named `console`.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use axum::{Extension, Router};
use portico_hub::{Hub, auth::Console as Mark};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use super::http;
use crate::{config::Config, lifecycle::Lifecycle};

/// Name of the socket in the data directory.
pub(crate) const SOCKET: &str = "admin.sock";

/// How long a hub that was started for one command may take to end.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves the socket of a running Portico.
pub(super) fn serve(config: &Config, hub: &Hub, lifecycle: &Lifecycle) -> Result<()> {
    let listener = bind(&config.data_dir)?;
    http::serve(listener, router(hub), lifecycle);
    Ok(())
}

fn router(hub: &Hub) -> Router {
    hub.router().layer(Extension(Mark))
}

fn bind(directory: &Path) -> Result<UnixListener> {
    let path = directory.join(SOCKET);
    // The store is locked by us by now, so whoever left this socket is gone.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot replace {}", path.display()));
        }
        _ => {}
    }
    let listener = UnixListener::bind(&path).with_context(|| format!("cannot make {}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
        .with_context(|| format!("cannot close {} to others", path.display()))?;
    Ok(listener)
}

/// A hub inside this process, for one command, while no Portico runs.
#[derive(Debug)]
pub(crate) struct Console {
    lifecycle: Lifecycle,
    socket: PathBuf,
}

impl Console {
    pub(crate) async fn start(config: Config) -> Result<Self> {
        super::prepare(&config)?;
        let lifecycle = Lifecycle::default();
        let hub = super::start_hub(&config, &lifecycle).await?;
        serve(&config, &hub, &lifecycle)?;
        lifecycle.tasks.spawn(close_at_end(hub, lifecycle.soft.clone()));
        Ok(Self { lifecycle, socket: config.data_dir.join(SOCKET) })
    }

    pub(crate) async fn end(self) -> Result<()> {
        self.lifecycle.soft.cancel();
        self.lifecycle.tasks.close();
        let ended = tokio::time::timeout(FAREWELL, self.lifecycle.tasks.wait()).await;
        self.lifecycle.hard.cancel();
        std::fs::remove_file(&self.socket).context("cannot remove the administration socket")?;
        ended.map_err(|_| anyhow::anyhow!("the hub did not end in time"))
    }
}

/// Gives the database free for whoever comes next.
async fn close_at_end(hub: Hub, soft: CancellationToken) {
    soft.cancelled().await;
    hub.store.close().await;
}
