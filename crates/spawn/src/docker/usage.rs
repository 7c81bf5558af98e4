//! What a container uses now, from one sample of the engine's statistics.

use bollard::{
    models::{ContainerMemoryStats, ContainerStatsResponse},
    query_parameters::StatsOptions,
};
use futures_util::TryStreamExt;
use jiff::Timestamp;
use portico_core::{
    names::InstanceName,
    ports::{SpawnError, Usage},
};

use super::{
    error::{is_conflict, is_missing, translate},
    link::Link,
};

pub(super) async fn sample(link: &Link, name: &InstanceName) -> Result<Usage, SpawnError> {
    let options = StatsOptions { stream: false, one_shot: true };
    let mut samples = std::pin::pin!(link.docker.stats(name.as_str(), Some(options)));
    match samples.try_next().await {
        Ok(Some(stats)) => Ok(read(&stats)),
        Ok(None) => Err(SpawnError::NoInstance),
        Err(error) if is_missing(&error) || is_conflict(&error) => Err(SpawnError::NoInstance),
        Err(error) => Err(translate(&error)),
    }
}

fn read(stats: &ContainerStatsResponse) -> Usage {
    let cpu = stats.cpu_stats.as_ref().and_then(|cpu| cpu.cpu_usage.as_ref()?.total_usage);
    let pids = stats.pids_stats.as_ref().and_then(|pids| pids.current);
    Usage {
        at: Timestamp::now(),
        cpu_micros: cpu.unwrap_or_default() / 1000,
        memory_bytes: stats.memory_stats.as_ref().map(memory).unwrap_or_default(),
        pids: pids.and_then(|count| u32::try_from(count).ok()).unwrap_or_default(),
    }
}

/// Without the page cache that can be given up at any time. Control groups version 1 and 2 have other
/// names for it.
fn memory(stats: &ContainerMemoryStats) -> u64 {
    let cache = |name| stats.stats.as_ref().and_then(|stats| stats.get(name)).copied();
    let idle = cache("total_inactive_file").or_else(|| cache("inactive_file")).unwrap_or_default();
    stats.usage.unwrap_or_default().saturating_sub(idle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn stats(name: &str) -> ContainerMemoryStats {
        ContainerMemoryStats {
            usage: Some(1000),
            stats: Some(HashMap::from([(name.to_owned(), 400)])),
            ..ContainerMemoryStats::default()
        }
    }

    #[test]
    fn idle_cache_is_not_counted_under_either_version_of_control_groups() {
        assert_eq!(memory(&stats("total_inactive_file")), 600);
        assert_eq!(memory(&stats("inactive_file")), 600);
        assert_eq!(memory(&ContainerMemoryStats::default()), 0);
    }
}
