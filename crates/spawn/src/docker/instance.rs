//! From what the engine says of a container to an [`Instance`].

use std::{collections::BTreeMap, net::SocketAddr};

use bollard::{
    models::{ContainerInspectResponse, ContainerState, ContainerStateStatusEnum, MountPoint},
    query_parameters::{InspectContainerOptions, ListContainersOptions},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use portico_core::{
    names::{EntryPointName, InstanceName, Realm},
    ports::{Instance, InstanceStatus, SpawnError},
    route::Upstream,
    workload::Exit,
};

use super::{
    config::{Reach, words},
    container, labels,
    labels::Identity,
    link::{Link, optional},
};

/// How many containers are asked for at the same time.
const AT_ONCE: usize = 8;
/// Highest signal number; the engine tells an end by a signal as 128 + its number.
const SIGNALS: i64 = 64;

/// The instance of this name, if there is one and it is of this realm.
pub(super) async fn find(
    link: &Link,
    realm: &Realm,
    reach: Reach,
    name: &InstanceName,
) -> Result<Option<Instance>, SpawnError> {
    let found = link.docker.inspect_container(name.as_str(), None::<InspectContainerOptions>).await;
    Ok(optional(found)?.and_then(|found| read(&found, realm, reach)).filter(|found| found.name == *name))
}

/// All instances of this realm.
pub(super) async fn list(link: &Link, realm: &Realm, reach: Reach) -> Result<Vec<Instance>, SpawnError> {
    let filters = labels::filter([(labels::REALM, realm.as_str())]);
    let options =
        ListContainersOptions { all: true, filters: Some(filters), ..ListContainersOptions::default() };
    let all = link.docker.list_containers(Some(options)).await;
    let all = all.map_err(|error| super::error::translate(&error))?;
    let names = all
        .into_iter()
        .filter_map(|summary| labels::read(&summary.labels.unwrap_or_default(), realm))
        .map(|identity| identity.name);
    stream::iter(names)
        .map(|name| async move { find(link, realm, reach, &name).await })
        .buffered(AT_ONCE)
        .try_filter_map(async |found| Ok(found))
        .try_collect()
        .await
}

/// Reads one container; `None` when it is not of this realm, or its name and labels do not agree.
fn read(found: &ContainerInspectResponse, realm: &Realm, reach: Reach) -> Option<Instance> {
    let identity = labels::read(found.config.as_ref()?.labels.as_ref()?, realm)?;
    if found.name.as_deref()?.trim_start_matches('/') != identity.name.as_str() {
        return None;
    }
    let status = status(found.state.as_ref()?);
    let doors = match status {
        InstanceStatus::Running => doors(found, &identity, reach),
        InstanceStatus::Created | InstanceStatus::Ended(_) => BTreeMap::new(),
    };
    Some(Instance {
        native: found.id.clone()?,
        status,
        doors,
        mounts: mounts(found, realm, &identity),
        name: identity.name,
        workload: identity.workload,
        label: identity.label,
    })
}

fn status(state: &ContainerState) -> InstanceStatus {
    match state.status {
        Some(ContainerStateStatusEnum::CREATED) => InstanceStatus::Created,
        Some(ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::DEAD) => {
            InstanceStatus::Ended(exit(state))
        }
        _ => InstanceStatus::Running,
    }
}

/// The engine also remembers a memory kill of some other process of the app; only an end by SIGKILL
/// makes it the cause.
fn exit(state: &ContainerState) -> Exit {
    match state.exit_code {
        Some(137) if state.oom_killed == Some(true) => Exit::OutOfMemory,
        Some(code) if (129..=128 + SIGNALS).contains(&code) => {
            i32::try_from(code - 128).map_or(Exit::Unknown, Exit::Signal)
        }
        Some(code) => i32::try_from(code).map_or(Exit::Unknown, Exit::Code),
        None => Exit::Unknown,
    }
}

fn doors(
    found: &ContainerInspectResponse,
    identity: &Identity,
    reach: Reach,
) -> BTreeMap<EntryPointName, Upstream> {
    let door = |port| match reach {
        Reach::Bridge => bridged(found, port),
        Reach::Publish(_) => published(found, port),
    };
    let open = identity.doors.iter().filter_map(|(name, port)| Some((name.clone(), door(*port)?)));
    open.map(|(name, address)| (name, Upstream::Tcp(address))).collect()
}

fn bridged(found: &ContainerInspectResponse, port: u16) -> Option<SocketAddr> {
    let networks = found.network_settings.as_ref()?.networks.as_ref()?;
    let address = networks.values().find_map(|network| network.ip_address.as_ref()?.parse().ok())?;
    Some(SocketAddr::new(address, port))
}

fn published(found: &ContainerInspectResponse, port: u16) -> Option<SocketAddr> {
    let ports = found.network_settings.as_ref()?.ports.as_ref()?;
    let bindings = ports.get(&container::inside(port))?.as_ref()?;
    bindings.iter().find_map(|binding| {
        let address = binding.host_ip.as_ref()?.parse().ok()?;
        Some(SocketAddr::new(address, binding.host_port.as_ref()?.parse().ok()?))
    })
}

/// The mounts in words, as the engine reports them.
fn mounts(found: &ContainerInspectResponse, realm: &Realm, identity: &Identity) -> Vec<String> {
    let volume = labels::volume(realm, &identity.label);
    let mut told: Vec<_> =
        found.mounts.iter().flatten().filter_map(|mount| describe(mount, &volume)).collect();
    let temporary = found.host_config.as_ref().and_then(|config| config.tmpfs.as_ref());
    told.extend(temporary.into_iter().flatten().map(|(path, options)| {
        let size = options.split(',').find_map(|option| option.strip_prefix("size=")?.parse::<u64>().ok());
        let size = size.map(|bytes| format!(", at most {} MiB", bytes >> 20)).unwrap_or_default();
        format!("temporary files at {path}, in memory{size}")
    }));
    told.sort();
    told
}

fn describe(mount: &MountPoint, workspace: &str) -> Option<String> {
    let target = mount.destination.as_deref()?;
    let mode = if mount.rw == Some(true) {
        words(portico_core::app::MountMode::ReadWrite)
    } else {
        words(portico_core::app::MountMode::ReadOnly)
    };
    match mount.typ.as_deref() {
        Some("bind") => Some(format!("{} at {target}, {mode}", mount.source.as_deref()?)),
        Some("tmpfs") => Some(format!("temporary files at {target}, in memory")),
        _ if mount.name.as_deref() == Some(workspace) => Some(format!("workspace at {target}, {mode}")),
        _ => Some(format!("scratch volume at {target}, {mode}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(exit_code: i64, oom_killed: bool) -> Exit {
        exit(&ContainerState {
            exit_code: Some(exit_code),
            oom_killed: Some(oom_killed),
            ..ContainerState::default()
        })
    }

    #[test]
    fn an_end_is_told_by_its_cause() {
        assert_eq!(ended(0, false), Exit::Code(0));
        assert_eq!(ended(3, true), Exit::Code(3));
        assert_eq!(ended(137, true), Exit::OutOfMemory);
        assert_eq!(ended(137, false), Exit::Signal(9));
        assert_eq!(ended(143, true), Exit::Signal(15));
        assert_eq!(ended(255, false), Exit::Code(255));
        assert_eq!(ended(i64::MAX, false), Exit::Unknown);
    }
}
