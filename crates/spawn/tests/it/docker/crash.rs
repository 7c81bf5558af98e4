//! The process dies at a named point, and the next one finds its way.
//!
//! The dying process is this test program once more, running only [`child`].

use std::{os::unix::process::ExitStatusExt, process::Stdio, time::Duration};

use portico_core::{
    failpoint,
    launch::LaunchPlan,
    ports::{InstanceStatus, Spawner},
};
use portico_spawn::docker::{Config, Engine};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::{Site, site};
use crate::conformance::{Deed, Fixture, Steps, answers, launch, status};

/// Holds the [`Order`] for [`child`].
const ORDER: &str = "PORTICO_TEST_ORDER";

#[derive(Serialize, Deserialize)]
struct Order {
    config: Config,
    realm: portico_core::names::Realm,
    plan: LaunchPlan,
    act: Act,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
enum Act {
    Launch,
    Stop,
    Remove,
}

#[tokio::test]
#[ignore = "the other tests of this file start it"]
async fn child() {
    let Ok(order) = std::env::var(ORDER) else { return };
    let order: Order = serde_json::from_str(&order).expect("an order");
    let engine = Engine::new(order.config, order.realm).expect("valid");
    match order.act {
        Act::Launch => drop(engine.launch(&order.plan, &Steps::default()).await.expect("launched")),
        Act::Stop => engine.stop(&order.plan.instance, Duration::ZERO).await.expect("stopped"),
        Act::Remove => engine.remove(&order.plan.instance).await.expect("removed"),
    }
}

/// Does it in another process, which dies at this point.
async fn die(site: &Site, plan: &LaunchPlan, act: Act, point: &str) {
    let (config, realm, plan) = (site.config.clone(), site.realm.clone(), plan.clone());
    let order = serde_json::to_string(&Order { config, realm, plan, act }).expect("text");
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command
        .args(["--exact", "docker::crash::child", "--ignored"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let ended = command.env(ORDER, order).env(failpoint::VARIABLE, point).status().await.expect("run");
    assert!(ended.signal().is_some(), "{point}: {ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launch_that_died_anywhere_is_finished_by_the_next() {
    let Some(site) = site().await else { return };
    let engine = site.docker_engine();
    for point in
        ["docker.before-network", "docker.after-network", "docker.after-create", "docker.after-start"]
    {
        let plan = site.plan(Deed::Serve);
        die(&site, &plan, Act::Launch, point).await;
        let instance = launch(&engine, &plan).await;
        answers(&engine, &plan, &instance).await;
        let objects = site.objects().await;
        let of_it = objects.iter().filter(|name| name.contains(plan.label.as_str()));
        assert_eq!(of_it.count(), 3, "{point}: a container, a network and a volume: {objects:?}");
    }
    site.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_or_removal_that_died_anywhere_is_finished_by_the_next() {
    let Some(site) = site().await else { return };
    let engine = site.docker_engine();
    for (act, point) in [
        (Act::Stop, "docker.before-stop"),
        (Act::Stop, "docker.after-stop"),
        (Act::Remove, "docker.before-remove"),
    ] {
        let plan = site.plan(Deed::Serve);
        launch(&engine, &plan).await;
        if matches!(act, Act::Remove) {
            engine.stop(&plan.instance, Duration::ZERO).await.expect("stopped");
        }
        die(&site, &plan, act, point).await;
        engine.stop(&plan.instance, Duration::ZERO).await.expect("stopped");
        assert!(matches!(status(&engine, &plan.instance).await, InstanceStatus::Ended(_)), "{point}");
        engine.remove(&plan.instance).await.expect("removed");
        engine.discard_workspace(&plan.label).await.expect("discarded");
        assert_eq!(site.objects().await, Vec::<String>::new(), "{point}");
    }
}
