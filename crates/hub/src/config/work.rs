//! Settings of the catalogue and of workloads.

use std::{collections::BTreeMap, path::PathBuf};

use portico_core::{names::EngineName, quota::Quota};
use serde::{Deserialize, Serialize};

/// Where apps come from, besides pages and the API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CatalogueConfig {
    /// Directory of `<name>.toml` files, one app each; watched while running.
    pub directory: Option<PathBuf>,
    /// Whether the examples that come with Portico are offered; a file of the same name replaces one.
    pub examples: bool,
}

impl Default for CatalogueConfig {
    fn default() -> Self {
        Self { directory: None, examples: true }
    }
}

/// Rules for workloads.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkloadConfig {
    /// What each user may hold at once, unless an account says otherwise.
    pub quota: Quota,
    /// Most workloads on an engine at once, by engine; more wait in a queue. Without an entry there is no
    /// bound.
    pub max_per_engine: BTreeMap<EngineName, u32>,
    /// Days after which an ended workload is deleted with its log and workspace.
    pub retention_days: u32,
    /// Most of a log that is kept after the end, in KiB; the end of it is kept.
    pub log_kib: u32,
    /// Hours that an opened workload can be used before it is opened anew.
    pub pass_hours: u32,
}

impl Default for WorkloadConfig {
    fn default() -> Self {
        Self {
            quota: Quota { workloads: Some(20), cpu_millis: None, memory_mib: None },
            max_per_engine: BTreeMap::new(),
            retention_days: 14,
            log_kib: 1024,
            pass_hours: 12,
        }
    }
}
