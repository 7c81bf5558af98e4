//! Settings of the local engine.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How workloads are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// Bubblewrap where it works, else nothing; the engine's page says which.
    #[default]
    Auto,
    /// Bubblewrap; the engine refuses to launch where it does not work.
    Bubblewrap,
    /// No namespaces: a workload sees the host as its user id allows.
    None,
}

/// The `[engines.NAME]` table of an engine of kind `local`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub isolation: Isolation,
    /// Host paths that every workload sees, read-only, at the same place: environments under `/opt`,
    /// licence files. `/usr` and a few harmless files of `/etc` are always there.
    pub read_only: Vec<PathBuf>,
    /// Directories in which programs are looked up, separated by `:`. Default: `PATH` of the hub.
    pub path: Option<String>,
    /// A workload of the user with number N runs as uid and gid `uid_base + N` when the hub is root.
    pub uid_base: u32,
    /// First and last loopback port for apps that listen on TCP. Should lie outside of the range from
    /// which the kernel takes ports for outgoing connections.
    pub ports: (u16, u16),
    /// Most that is kept of one instance's log, in mebibytes.
    pub log_mib: u32,
    /// The `portico` binary, which watches over each instance. Default: the running one.
    pub executable: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            isolation: Isolation::Auto,
            read_only: Vec::new(),
            path: None,
            // systemd and the common tools leave this range alone.
            uid_base: 1_900_000_000,
            ports: (20_000, 29_999),
            log_mib: 16,
            executable: None,
        }
    }
}
