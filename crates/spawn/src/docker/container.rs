//! What a container may do: from a plan to the engine's request. Pure.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType, PortBinding, RestartPolicy,
    RestartPolicyNameEnum,
};
use portico_core::{
    app::{self, Image, MountMode, RootFilesystem},
    launch::{LaunchPlan, expand},
    names::Realm,
};

use super::{WORKSPACE, config::Reach, labels, workspace};

/// Largest share of memory that temporary files may take, and its upper bound.
const TEMPORARY_MAX: u64 = 512 << 20;
/// Period of the CPU quota, in microseconds; the kernel's default.
const PERIOD: i64 = 100_000;

/// What the engine and the site add to a plan.
#[derive(Debug, Clone)]
pub(super) struct Site<'a> {
    pub(super) realm: &'a Realm,
    pub(super) reach: Reach,
    /// Id of the run's own network.
    pub(super) network: &'a str,
    /// Whether the engine has an init process to offer.
    pub(super) init: bool,
    /// The mounts, allowed and with their sources resolved.
    pub(super) mounts: &'a [app::Mount],
    /// Working directory that the image itself asks for.
    pub(super) directory: Option<&'a str>,
}

/// The request that makes the container of a plan.
pub(super) fn request(plan: &LaunchPlan, image: &Image, site: &Site<'_>) -> ContainerCreateBody {
    let values = placeholders(plan);
    let command: Vec<_> = image.command.iter().map(|word| expand(word, &values)).collect();
    let directory = site.directory.filter(|directory| !directory.is_empty() && *directory != "/");
    ContainerCreateBody {
        hostname: Some(plan.label.to_string()),
        user: Some(image.user.clone()),
        env: Some(environment(plan, &values)),
        cmd: (!command.is_empty()).then_some(command),
        image: Some(image.image.clone()),
        working_dir: Some(directory.unwrap_or(WORKSPACE).to_owned()),
        labels: Some(labels::of_instance(site.realm, plan)),
        stop_timeout: Some(plan.spec.grace_seconds.into()),
        exposed_ports: Some(labels::ports(plan).map(|(_, port)| inside(port)).collect()),
        host_config: Some(host_config(plan, image, site)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(plan: &LaunchPlan, image: &Image, site: &Site<'_>) -> HostConfig {
    let limits = &plan.spec.limits;
    let memory = signed(limits.memory_bytes());
    HostConfig {
        network_mode: Some(site.network.to_owned()),
        port_bindings: publish(plan, site.reach),
        mounts: Some(mounts(plan, site)),
        tmpfs: Some(temporary(plan, image)),
        shm_size: Some(signed(temporary_bytes(plan))),
        readonly_rootfs: Some(image.root == RootFilesystem::ReadOnly),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges:true".to_owned()]),
        privileged: Some(false),
        ipc_mode: Some("private".to_owned()),
        init: Some(site.init),
        memory: Some(memory),
        // Memory and swap together: no swap beyond the limit.
        memory_swap: Some(memory),
        // A quota, unlike `nano_cpus`, may exceed the engine's cores without being refused.
        cpu_period: Some(PERIOD),
        cpu_quota: Some((i64::from(limits.cpu_millis) * PERIOD / 1000).max(1000)),
        pids_limit: Some(limits.pids.into()),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(map([("max-size", "10m"), ("max-file", "3")])),
        }),
        ..HostConfig::default()
    }
}

/// The placeholders that an engine knows; `{portico}` and `{socket}` have no meaning in a container.
fn placeholders(plan: &LaunchPlan) -> BTreeMap<String, String> {
    let mut values = BTreeMap::from([("workspace".to_owned(), WORKSPACE.to_owned())]);
    if let Some(port) = main_port(plan) {
        values.insert("port".to_owned(), port.to_string());
    }
    values
}

fn main_port(plan: &LaunchPlan) -> Option<u16> {
    let named = labels::ports(plan).find(|(name, _)| name.as_str() == "main");
    named.or_else(|| labels::ports(plan).next()).map(|(_, port)| port)
}

/// The variables of the plan, over those that every app gets.
fn environment(plan: &LaunchPlan, values: &BTreeMap<String, String>) -> Vec<String> {
    let mut all = BTreeMap::from([
        ("HOME".to_owned(), WORKSPACE.to_owned()),
        ("PORTICO_WORKSPACE".to_owned(), WORKSPACE.to_owned()),
    ]);
    if let Some(port) = main_port(plan) {
        all.insert("PORTICO_PORT".to_owned(), port.to_string());
    }
    all.extend(plan.spec.env.iter().map(|(name, text)| (name.clone(), expand(text, values))));
    all.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn publish(plan: &LaunchPlan, reach: Reach) -> Option<HashMap<String, Option<Vec<PortBinding>>>> {
    let Reach::Publish(address) = reach else { return None };
    // An empty port lets the engine pick one.
    let binding = || PortBinding { host_ip: Some(address.to_string()), host_port: Some(String::new()) };
    Some(labels::ports(plan).map(|(_, port)| (inside(port), Some(vec![binding()]))).collect())
}

/// A port as the engine writes it.
pub(super) fn inside(port: u16) -> String {
    format!("{port}/tcp")
}

fn mounts(plan: &LaunchPlan, site: &Site<'_>) -> Vec<Mount> {
    let outside = site.mounts.iter().map(|mount| Mount {
        // A mount, unlike a bind, is refused when its source is missing, and not made by root.
        typ: Some(MountType::BIND),
        source: Some(mount.source.clone()),
        target: Some(mount.target.clone()),
        read_only: Some(mount.mode == MountMode::ReadOnly),
        ..Mount::default()
    });
    std::iter::once(workspace::mount(site.realm, &plan.label)).chain(outside).collect()
}

/// File systems in memory, which count against the memory limit. Programs may be run from `/tmp`,
/// since build tools and language runtimes unpack code there and the workspace allows it anyway.
/// An image that writes to its root keeps its own `/run`.
fn temporary(plan: &LaunchPlan, image: &Image) -> HashMap<String, String> {
    let bytes = temporary_bytes(plan);
    let (uid, gid) = image.user.split_once(':').unwrap_or((&image.user, &image.user));
    let tmp = format!("rw,exec,nosuid,nodev,size={bytes},mode=1777");
    let run = format!("rw,noexec,nosuid,nodev,size={},mode=755,uid={uid},gid={gid}", bytes.min(64 << 20));
    match image.root {
        RootFilesystem::ReadOnly => map([("/tmp", tmp.as_str()), ("/run", run.as_str())]),
        RootFilesystem::Writable => map([("/tmp", tmp.as_str())]),
    }
}

fn temporary_bytes(plan: &LaunchPlan) -> u64 {
    (plan.spec.limits.memory_bytes() / 4).min(TEMPORARY_MAX)
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn map<const N: usize>(pairs: [(&str, &str); N]) -> HashMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
