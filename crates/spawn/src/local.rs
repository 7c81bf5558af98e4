//! The local engine: programs of this host, each run watched over by a [`shim`] of its own.
//!
//! The engine writes a plan into a run directory and starts the shim, which is this same binary; from
//! then on the two share files only, see [`record`] and [`layout`]. A run therefore goes on when the
//! hub is killed, and the next hub knows all about it by reading. What a workload sees of the host is
//! decided in [`sandbox`], what it may use in [`limits`].
//!
//! File system calls here are short and local, so they are made in place and not on other threads;
//! only deleting trees is handed over.

mod changes;
mod config;
mod doors;
mod enter;
mod follow;
mod health;
mod journal;
mod launch;
mod layout;
mod limits;
mod processes;
mod program;
mod record;
mod sandbox;
mod setup;
mod shim;
mod stop;

use std::{
    ffi::OsString,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use portico_core::{
    app::App,
    launch::LaunchPlan,
    names::{InstanceName, Label},
    ports::{Follow, Health, Instance, InstanceStatus, LogStream, Progress, SpawnError, Spawner, Usage},
};
use thiserror::Error;

pub use config::{Config, Isolation};
use health::Host;
use layout::Layout;

/// The engine.
pub struct Local {
    config: Config,
    layout: Layout,
    executable: PathBuf,
    host: Host,
}

/// Why the engine cannot be used at all.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error("the directories of the local engine cannot be made in {0}")]
    Directories(PathBuf, #[source] io::Error),
    #[error("the path of the running program cannot be found")]
    Executable(#[source] io::Error),
    #[error("{0}: not an absolute path without . and ..")]
    ReadOnly(PathBuf),
    #[error("the ports {0} to {1} are no range")]
    Ports(u16, u16),
}

impl Local {
    /// Opens the engine over a data directory, which it shares with no other hub.
    ///
    /// # Errors
    /// When the configuration makes no sense or the directories cannot be made.
    pub fn open(config: Config, data: &Path) -> Result<Self, OpenError> {
        let (first, last) = config.ports;
        if first == 0 || first > last {
            return Err(OpenError::Ports(first, last));
        }
        let clean = |path: &PathBuf| {
            path.is_absolute() && path.components().all(|part| part != std::path::Component::ParentDir)
        };
        if let Some(path) = config.read_only.iter().find(|path| !clean(path)) {
            return Err(OpenError::ReadOnly(path.clone()));
        }
        let executable = match &config.executable {
            Some(executable) => executable.clone(),
            None => std::env::current_exe().map_err(OpenError::Executable)?,
        };
        let layout = Layout::create(data).map_err(|error| OpenError::Directories(data.to_owned(), error))?;
        Ok(Self { host: Host::new(config.isolation), config, layout, executable })
    }

    fn find(&self, name: &InstanceName) -> Result<Option<Instance>, SpawnError> {
        self.layout.home(name).instance(&self.layout.lock(name)).map_err(|error| unreadable(&error))
    }
}

#[async_trait]
impl Spawner for Local {
    fn kind(&self) -> &'static str {
        "local"
    }

    async fn health(&self) -> Health {
        self.host.health(&self.config).await
    }

    async fn check(&self, app: &App) -> Result<(), SpawnError> {
        self.check_program(&app.program)?;
        self.check_access(&app.entry_points, &app.mounts, app.network).await.map(|_| ())
    }

    async fn launch(&self, plan: &LaunchPlan, progress: &dyn Progress) -> Result<Instance, SpawnError> {
        self.launch_run(plan, progress).await
    }

    async fn list(&self) -> Result<Vec<Instance>, SpawnError> {
        let entries = self.layout.run.read_dir().map_err(|error| unreadable(&error))?;
        let names = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()));
        names.filter_map(|name: InstanceName| self.find(&name).transpose()).collect()
    }

    async fn inspect(&self, name: &InstanceName) -> Result<Option<Instance>, SpawnError> {
        self.find(name)
    }

    async fn stop(&self, name: &InstanceName, grace: Duration) -> Result<(), SpawnError> {
        self.stop_run(name, grace).await
    }

    async fn remove(&self, name: &InstanceName) -> Result<(), SpawnError> {
        self.remove_run(name).await
    }

    async fn discard_workspace(&self, label: &Label) -> Result<(), SpawnError> {
        self.discard(label).await
    }

    async fn logs(&self, name: &InstanceName, follow: Follow) -> Result<LogStream, SpawnError> {
        if self.find(name)?.is_none() {
            return Err(SpawnError::NoInstance);
        }
        Ok(follow::follow(self.layout.home(name), self.layout.lock(name), follow))
    }

    async fn usage(&self, name: &InstanceName) -> Result<Usage, SpawnError> {
        match self.find(name)? {
            Some(Instance { status: InstanceStatus::Running, .. }) => {}
            _ => return Err(SpawnError::NoInstance),
        }
        let started = self.layout.home(name).started().map_err(|error| unreadable(&error))?;
        let started = started.ok_or(SpawnError::NoInstance)?;
        Ok(started.group.usage().unwrap_or_else(|| processes::usage(&processes::descendants(started.shim))))
    }

    fn changes(&self) -> BoxStream<'static, ()> {
        changes::watch(&self.layout.locks)
    }
}

/// Runs one of the engine's own stages: `shim --dir DIR`, `join COUNT GROUP... COMMAND...` and `enter`.
/// `None` when the verb is not one of them. The binary calls this for `portico internal VERB ...`.
#[must_use]
pub fn internal(verb: &str, arguments: &[OsString]) -> Option<ExitCode> {
    let error = match (verb, arguments) {
        ("shim", [option, directory]) if option == "--dir" => return Some(shim::main(Path::new(directory))),
        ("join", arguments) => enter::join(arguments),
        ("enter", []) => enter::enter(),
        _ => return None,
    };
    // Standard error is the log of the run.
    let _ = writeln!(io::stderr(), "portico: the app could not be started: {error}");
    Some(ExitCode::from(127))
}

/// A run whose files cannot be read: a full or broken disk, which may get better.
fn unreadable(error: &io::Error) -> SpawnError {
    SpawnError::Unreachable(format!("the files of the local engine cannot be used: {error}"))
}
