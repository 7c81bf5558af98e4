//! What others, or the machine, do to a container.

use std::time::{Duration, Instant};

use bollard::query_parameters::{
    CreateContainerOptions, KillContainerOptions, ListContainersOptions, RemoveContainerOptions,
};
use futures_util::StreamExt;
use portico_core::{
    app::{Mount, MountMode, Program},
    ports::{Condition, Follow, InstanceStatus, SpawnError, Spawner},
    workload::Exit,
};
use portico_spawn::docker::{Config, Engine};
use tokio::time::timeout;

use super::{BUSYBOX, Site, site};
use crate::conformance::{Deed, Fixture, Steps, answers, end, launch, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_container_is_seen_at_once() {
    let Some(site) = site().await else { return };
    let (engine, plan) = (site.docker_engine(), site.plan(Deed::Serve));
    let instance = launch(&engine, &plan).await;
    answers(&engine, &plan, &instance).await;
    let mut changes = engine.changes();
    changes.next().await;
    site.docker().kill_container(&instance.native, None::<KillContainerOptions>).await.expect("killed");
    timeout(Duration::from_secs(20), changes.next()).await.expect("announced");
    assert_eq!(end(&engine, &plan.instance).await, Exit::Signal(9));
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_container_is_nobody() {
    let Some(site) = site().await else { return };
    let (engine, plan) = (site.docker_engine(), site.plan(Deed::Serve));
    let instance = launch(&engine, &plan).await;
    let log = engine.logs(&plan.instance, Follow::Yes).await.expect("a log");
    let options = RemoveContainerOptions { force: true, ..Default::default() };
    site.docker().remove_container(&instance.native, Some(options)).await.expect("removed");
    assert!(timeout(Duration::from_secs(20), text(log)).await.is_ok(), "the log ends");
    assert_eq!(engine.inspect(&plan.instance).await, Ok(None));
    assert_eq!(engine.usage(&plan.instance).await, Err(SpawnError::NoInstance));
    engine.stop(&plan.instance, Duration::ZERO).await.expect("nothing to stop");
    // Its network is still there, and goes with the record.
    engine.remove(&plan.instance).await.expect("removed");
    assert!(!site.objects().await.iter().any(|name| name.starts_with("network")));
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_somebody_took_is_not_overwritten() {
    let Some(site) = site().await else { return };
    let plan = site.plan(Deed::Serve);
    let docker = site.docker();
    let options = CreateContainerOptions { name: Some(plan.instance.to_string()), ..Default::default() };
    let body = bollard::models::ContainerCreateBody { image: Some(BUSYBOX.to_owned()), ..Default::default() };
    docker.create_container(Some(options), body).await.expect("made");
    let refused = site.docker_engine().launch(&plan, &Steps::default()).await;
    assert!(matches!(refused, Err(SpawnError::Refused(_))), "{refused:?}");
    docker.remove_container(plan.instance.as_str(), None::<RemoveContainerOptions>).await.expect("untouched");
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_in_its_image_is_named_in_the_log() {
    let Some(site) = site().await else { return };
    let mut plan = site.plan(Deed::Serve);
    if let Program::Image(image) = &mut plan.spec.program {
        image.command = vec!["no-such-program".to_owned()];
    }
    let engine = site.docker_engine();
    launch(&engine, &plan).await;
    assert_eq!(end(&engine, &plan.instance).await, Exit::Code(127));
    let log = text(engine.logs(&plan.instance, Follow::No).await.expect("a log")).await;
    assert!(log.contains("no-such-program"), "{log}");
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_cannot_be_started_leaves_nothing() {
    let Some(mut site) = site().await else { return };
    let data = tempfile::tempdir().expect("a directory");
    site.config.mount_roots = [data.path().to_owned()].into();
    let mut plan = site.plan(Deed::Serve);
    plan.spec.mounts = vec![Mount {
        source: data.path().to_str().expect("plain").to_owned(),
        target: "/bin/busybox/below-a-file".to_owned(),
        mode: MountMode::ReadOnly,
    }];
    let refused = site.docker_engine().launch(&plan, &Steps::default()).await;
    assert!(
        matches!(&refused, Err(SpawnError::Refused(text)) if text.contains("not a directory")),
        "{refused:?}"
    );
    assert!(site.objects().await.iter().all(|name| name.starts_with("volume")), "{:?}", site.objects().await);
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launch_that_was_dropped_anywhere_is_healed_by_the_next() {
    let Some(site) = site().await else { return };
    let engine = site.docker_engine();
    for millis in [1, 5, 10, 20, 40, 80, 160, 320, 640] {
        let plan = site.plan(Deed::Serve);
        let steps = Steps::default();
        let dropped = timeout(Duration::from_millis(millis), engine.launch(&plan, &steps)).await;
        drop(dropped);
        let instance = launch(&site.docker_engine(), &plan).await;
        assert_eq!(instance.status, InstanceStatus::Running, "after {millis} ms");
        answers(&engine, &plan, &instance).await;
        let named = engine.list().await.expect("listed");
        assert_eq!(named.iter().filter(|found| found.name == plan.instance).count(), 1);
        engine.stop(&plan.instance, Duration::ZERO).await.expect("stopped");
        engine.remove(&plan.instance).await.expect("removed");
    }
    assert!(
        !site.objects().await.iter().any(|name| name.starts_with("network")),
        "{:?}",
        site.objects().await
    );
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_launches_at_once_get_a_network_each() {
    let Some(site) = site().await else { return };
    let engine = site.docker_engine();
    let plans: Vec<_> = (0..6).map(|_| site.plan(Deed::Serve)).collect();
    let launched = futures_util::future::join_all(plans.iter().map(|plan| launch(&engine, plan))).await;
    let doors: std::collections::BTreeSet<_> =
        launched.iter().map(|instance| format!("{:?}", instance.doors)).collect();
    assert_eq!(doors.len(), plans.len());
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_talkative_app_blocks_nobody() {
    let Some(site) = site().await else { return };
    let engine = site.docker_engine();
    // Two megabytes in ten seconds.
    let line = "x".repeat(1023);
    let plan = site.script(&format!(
        "n=0; while [ $n -lt 100 ]; do i=0; while [ $i -lt 20 ]; do echo {line}; i=$((i+1)); done; n=$((n+1)); usleep 100000; done"
    ));
    launch(&engine, &plan).await;
    let mut unread = engine.logs(&plan.instance, Follow::Yes).await.expect("a log");
    unread.next().await.expect("a line").expect("a chunk");
    let read = engine.logs(&plan.instance, Follow::Yes).await.expect("a log");
    let asked = Instant::now();
    engine.usage(&plan.instance).await.expect("told meanwhile");
    assert!(asked.elapsed() < Duration::from_secs(5));
    let log = timeout(Duration::from_secs(60), text(read)).await.expect("it ends");
    assert_eq!(log.lines().filter(|found| *found == line).count(), 2000);
    drop(unread);
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_output_streams_are_logged_and_bytes_are_kept() {
    let Some(site) = site().await else { return };
    let plan = site.script("printf 'out\\n\\n \\377 no end' ; sleep 0.2; printf 'err\\n' >&2");
    let engine = site.docker_engine();
    launch(&engine, &plan).await;
    end(&engine, &plan.instance).await;
    let mut log = engine.logs(&plan.instance, Follow::No).await.expect("a log");
    let mut all = Vec::new();
    while let Some(chunk) = log.next().await {
        all.extend_from_slice(&chunk.expect("a chunk"));
    }
    let all = String::from_utf8_lossy(&all).into_owned();
    assert!(all.starts_with("out\n\n") && all.contains("no end") && all.contains("err\n"), "{all:?}");
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_of_broken_launches_is_swept() {
    let Some(site) = site().await else { return };
    let engine = site.docker_engine();
    let plan = site.plan(Deed::Serve);
    let instance = launch(&engine, &plan).await;
    let options = RemoveContainerOptions { force: true, ..Default::default() };
    site.docker().remove_container(&instance.native, Some(options)).await.expect("removed");
    let kept = site.plan(Deed::Serve);
    launch(&engine, &kept).await;
    assert_eq!(engine.sweep(Duration::from_secs(600)).await, Ok(0), "too young");
    assert_eq!(engine.sweep(Duration::ZERO).await, Ok(1), "the network without a container");
    let all = site.docker().list_containers(None::<ListContainersOptions>).await.expect("listed");
    assert!(
        all.iter().any(|found| found
            .names
            .iter()
            .flatten()
            .any(|name| name.contains(kept.instance.as_str())))
    );
    site.clean().await;
}

#[tokio::test]
async fn an_engine_that_is_not_there_says_what_to_do() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("docker.sock");
    let host = format!("unix://{}", path.display());
    let site = Site::at(host.clone());
    let engine = Engine::new(Config { host, ..Config::default() }, site.realm.clone()).expect("valid");
    let told = async || match engine.health().await.condition {
        Condition::Unreachable { problem, advice } => format!("{problem} | {advice}"),
        other => panic!("{other:?}"),
    };
    assert!(told().await.contains("there is no socket at"), "{}", told().await);
    drop(std::os::unix::net::UnixListener::bind(&path).expect("bound"));
    assert!(told().await.contains("nothing listens there | Start the engine"), "{}", told().await);
    let launched = engine.launch(&site.plan(Deed::Serve), &Steps::default()).await.expect_err("down");
    assert!(launched.is_temporary(), "{launched:?}");
    assert!(engine.list().await.expect_err("down").is_temporary());
}
