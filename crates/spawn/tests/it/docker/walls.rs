//! What a container is kept from: seen from within, and by what the engine reports.

use std::time::Duration;

use bollard::query_parameters::{
    CreateContainerOptions, InspectContainerOptions, InspectNetworkOptions, RemoveContainerOptions,
};
use portico_core::{
    app::{Mount, MountMode, Network, Program, RootFilesystem},
    launch::LaunchPlan,
    ports::{SpawnError, Spawner},
    route::Upstream,
};
use portico_spawn::docker::Reach;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{PORT, output, site};
use crate::conformance::{Deed, Fixture, Steps, answers, launch, status};

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_nobody_and_cannot_become_somebody() {
    let Some(site) = site().await else { return };
    let plan = site.script("id -u; id -g; grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status");
    let said = output(&site, &plan).await;
    let fact = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)).expect("told").trim();
    assert!(said.starts_with("1000\n1000\n"), "{said}");
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(fact(set), "0000000000000000", "{set}");
    }
    assert_eq!(fact("NoNewPrivs:"), "1");
    assert_eq!(fact("Seccomp:"), "2", "a filter");
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_workspace_and_temporary_files_can_be_written() {
    let Some(site) = site().await else { return };
    let places = "/ /etc /www /bin /home/user /tmp /run /workspace";
    let plan =
        site.script(&format!("for d in {places}; do touch $d/x 2>/dev/null && echo $d; done; echo $HOME"));
    assert_eq!(output(&site, &plan).await, "/tmp\n/run\n/workspace\n/workspace\n");
    let mut plan = site.script(
        "cp /bin/busybox /tmp && /tmp/busybox echo tmp; cp /bin/busybox /run && /run/busybox echo run",
    );
    plan.spec.limits.memory_mib = 128;
    let said = output(&site, &plan).await;
    assert!(said.contains("tmp\n") && said.contains("Permission denied"), "{said}");
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writable_root_is_the_exception() {
    let Some(site) = site().await else { return };
    let mut plan = site.script("touch /home/user/x && echo written");
    if let Program::Image(image) = &mut plan.spec.program {
        image.root = RootFilesystem::Writable;
    }
    assert_eq!(output(&site, &plan).await, "written\n");
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_outlives_its_runs_and_belongs_to_its_user() {
    let Some(site) = site().await else { return };
    let plan = |generation: u32, uid: u32| {
        let mut plan = site.script(
            "cat /workspace/kept 2>/dev/null; echo once >>/workspace/kept; stat -c '%u %a' /workspace",
        );
        if let Program::Image(image) = &mut plan.spec.program {
            image.user = format!("{uid}:{uid}");
        }
        plan.instance = portico_core::names::InstanceName::new(&site.realm, &plan.label, generation);
        plan
    };
    let first = plan(0, 4711);
    assert!(output(&site, &first).await.ends_with("4711 700\n"));
    let mut second = plan(1, 4711);
    second.label = first.label.clone();
    second.instance = portico_core::names::InstanceName::new(&site.realm, &first.label, 1);
    assert_eq!(output(&site, &second).await, "once\n4711 700\n");
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn root_and_foreign_mounts_are_refused() {
    let Some(site) = site().await else { return };
    let engine = site.docker_engine();
    let refused = async |plan: &LaunchPlan| match engine.launch(plan, &Steps::default()).await {
        Err(SpawnError::Refused(text)) => text,
        other => panic!("{other:?}"),
    };
    let mut plan = site.plan(Deed::Serve);
    if let Program::Image(image) = &mut plan.spec.program {
        image.user = "0:0".to_owned();
    }
    assert!(refused(&plan).await.contains("root"));
    let mut plan = site.plan(Deed::Serve);
    plan.spec.mounts = vec![mount("/etc", "/mnt/etc")];
    assert!(refused(&plan).await.contains("not below"));
    assert_eq!(site.objects().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_stays_in_its_directory_even_over_links() {
    let Some(mut site) = site().await else { return };
    let data = tempfile::tempdir().expect("a directory");
    std::fs::write(data.path().join("file"), "data\n").expect("written");
    std::os::unix::fs::symlink("/etc", data.path().join("leak")).expect("linked");
    site.config.mount_roots = [data.path().to_owned()].into();
    let source = data.path().to_str().expect("plain").to_owned();

    let mut plan = site.script("cat /mnt/in/file; touch /mnt/in/new || echo no");
    plan.spec.mounts = vec![mount(&source, "/mnt/in")];
    let instance = launch(&site.docker_engine(), &plan).await;
    assert!(instance.mounts.contains(&format!("{source} at /mnt/in, read-only")), "{:?}", instance.mounts);
    assert!(
        instance.mounts.contains(&"workspace at /workspace, read-write".to_owned()),
        "{:?}",
        instance.mounts
    );
    let said = output(&site, &plan).await;
    assert!(said.contains("data\n") && said.contains("no\n"), "{said}");

    let mut plan = site.script("ls /mnt/in");
    plan.spec.mounts = vec![mount(&format!("{source}/leak"), "/mnt/in")];
    let refused = site.docker_engine().launch(&plan, &Steps::default()).await;
    assert!(matches!(&refused, Err(SpawnError::Refused(text)) if text.contains("leads out")), "{refused:?}");
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_workload_cannot_reach_another() {
    let Some(site) = site().await else { return };
    let engine = site.docker_engine();
    let served = site.plan(Deed::Serve);
    let instance = launch(&engine, &served).await;
    answers(&engine, &served, &instance).await;
    let Some(Upstream::Tcp(door)) = instance.doors.values().next() else { panic!("no door") };
    let script = format!("nc -w 2 {} {} </dev/null && echo reached; echo done", door.ip(), door.port());
    for network in [Network::Outbound, Network::None] {
        let mut plan = site.script(&script);
        plan.spec.network = network;
        let said = output(&site, &plan).await;
        assert!(said.contains("done") && !said.contains("reached"), "{network:?}: {said}");
    }
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_without_a_network_is_still_reached_by_the_front_door() {
    let Some(site) = site().await else { return };
    let mut plan = site.plan(Deed::Serve);
    plan.spec.network = Network::None;
    let engine = site.docker_engine();
    let instance = launch(&engine, &plan).await;
    answers(&engine, &plan, &instance).await;
    let name =
        site.objects().await.into_iter().find_map(|name| Some(name.strip_prefix("network ")?.to_owned()));
    let network = site.docker().inspect_network(&name.expect("one"), None::<InspectNetworkOptions>).await;
    assert_eq!(network.expect("there").internal, Some(true));
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_port_is_open_to_the_world() {
    let Some(mut site) = site().await else { return };
    for reach in [Reach::Bridge, Reach::Publish([127, 0, 0, 1].into())] {
        site.config.reach = Some(reach);
        let (engine, plan) = (site.docker_engine(), site.plan(Deed::Serve));
        let instance = launch(&engine, &plan).await;
        answers(&engine, &plan, &instance).await;
        let Some(Upstream::Tcp(door)) = instance.doors.values().next() else { panic!("no door") };
        assert_eq!(door.ip().is_loopback(), reach != Reach::Bridge);
        let found = site.docker().inspect_container(&instance.native, None::<InspectContainerOptions>).await;
        let ports =
            found.expect("there").network_settings.and_then(|settings| settings.ports).unwrap_or_default();
        let bindings: Vec<_> =
            ports.into_values().flatten().flatten().filter_map(|binding| binding.host_ip).collect();
        let expected: &[&str] = if reach == Reach::Bridge { &[] } else { &["127.0.0.1"] };
        assert_eq!(bindings, expected);
        assert_eq!(answer(*door).await, "it works\n");
    }
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_in_the_environment_and_nowhere_else() {
    let Some(site) = site().await else { return };
    let mut plan = site.script("echo $TOKEN $PORTICO_PORT $FROM; cat /proc/1/cmdline");
    plan.spec.env.insert("TOKEN".to_owned(), "hunter2".to_owned());
    plan.spec.env.insert("FROM".to_owned(), "{workspace}:{port}".to_owned());
    let said = output(&site, &plan).await;
    assert!(said.starts_with(&format!("hunter2 {PORT} /workspace:{PORT}\n")), "{said}");
    assert_eq!(said.matches("hunter2").count(), 1, "{said}");
    let found =
        site.docker().inspect_container(plan.instance.as_str(), None::<InspectContainerOptions>).await;
    let labels = found.expect("there").config.and_then(|config| config.labels).expect("labels");
    assert!(!format!("{labels:?}").contains("hunter2"));
    assert_eq!(labels["portico.owner"], "alice");
    assert_eq!(labels["portico.generation"], "0");
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_reach_the_engine() {
    let Some(site) = site().await else { return };
    let plan = site.plan(Deed::Serve);
    launch(&site.docker_engine(), &plan).await;
    let found =
        site.docker().inspect_container(plan.instance.as_str(), None::<InspectContainerOptions>).await;
    let host = found.expect("there").host_config.expect("a configuration");
    assert_eq!(host.memory, Some(64 << 20));
    assert_eq!(host.memory_swap, Some(64 << 20));
    assert_eq!((host.cpu_quota, host.cpu_period), (Some(100_000), Some(100_000)));
    assert_eq!(host.pids_limit, Some(64));
    assert_eq!(host.init, Some(true));
    assert_eq!(host.privileged, Some(false));
    assert_eq!(host.cap_drop, Some(vec!["ALL".to_owned()]));
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_of_others_are_left_alone() {
    let (Some(site), Some(other)) = (site().await, site().await) else { return };
    let plan = site.plan(Deed::Serve);
    let theirs = other.docker_engine();
    launch(&site.docker_engine(), &plan).await;
    assert_eq!(theirs.list().await, Ok(Vec::new()));
    assert_eq!(theirs.inspect(&plan.instance).await, Ok(None));
    assert_eq!(theirs.usage(&plan.instance).await, Err(SpawnError::NoInstance));
    theirs.stop(&plan.instance, Duration::ZERO).await.expect("nothing to stop");
    theirs.remove(&plan.instance).await.expect("nothing to remove");
    theirs.sweep(Duration::ZERO).await.expect("swept");
    assert_eq!(
        status(&site.docker_engine(), &plan.instance).await,
        portico_core::ports::InstanceStatus::Running
    );
    let refused = theirs.launch(&plan, &Steps::default()).await;
    assert!(
        matches!(&refused, Err(SpawnError::Refused(text)) if text.contains("did not make")),
        "{refused:?}"
    );
    site.clean().await;
    other.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_labels_do_no_harm() {
    let Some(site) = site().await else { return };
    let docker = site.docker();
    let name = format!("portico-{}-hostile-0", site.realm);
    for hostile in ["", "../../etc/passwd", "\u{202e}\u{0}\n", "main:99999999999", &"x".repeat(10_000)] {
        let labels = ["instance", "workload", "label", "generation", "owner", "doors"]
            .map(|key| (format!("portico.{key}"), hostile.to_owned()));
        let mut labels: std::collections::HashMap<_, _> = labels.into();
        labels.insert("portico.realm".to_owned(), site.realm.to_string());
        let body = bollard::models::ContainerCreateBody {
            image: Some(super::BUSYBOX.to_owned()),
            labels: Some(labels),
            ..Default::default()
        };
        let options = CreateContainerOptions { name: Some(name.clone()), ..Default::default() };
        docker.create_container(Some(options), body).await.expect("made");
        assert_eq!(site.docker_engine().list().await, Ok(Vec::new()), "{hostile:.20}");
        let name = name.parse().expect("a name");
        assert_eq!(site.docker_engine().inspect(&name).await, Ok(None));
        site.docker_engine().remove(&name).await.expect("not ours, not touched");
        docker.remove_container(name.as_str(), None::<RemoveContainerOptions>).await.expect("still there");
    }
    site.clean().await;
}

fn mount(source: &str, target: &str) -> Mount {
    Mount { source: source.to_owned(), target: target.to_owned(), mode: MountMode::ReadOnly }
}

/// The body of what the app at this address answers.
async fn answer(address: std::net::SocketAddr) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("connected");
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.expect("asked");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("answered");
    text.split_once("\r\n\r\n").expect("a body").1.to_owned()
}
