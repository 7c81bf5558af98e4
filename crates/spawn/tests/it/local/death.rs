//! The hub dies at a named point, and the next one finds its way.
//!
//! The dying process is this test program once more, running only [`child`].

use std::{os::unix::process::ExitStatusExt, path::PathBuf, process::Stdio, time::Duration};

use portico_core::{
    failpoint,
    launch::LaunchPlan,
    ports::{InstanceStatus, Spawner},
};
use portico_spawn::local::{Config, Local};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::place::Place;
use crate::conformance::{Deed, Fixture, Steps, answers, grace, launch, status};

/// Holds the [`Order`] for [`child`].
const ORDER: &str = "PORTICO_TEST_LOCAL_ORDER";

#[derive(Serialize, Deserialize)]
struct Order {
    config: Config,
    data: PathBuf,
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
    let engine = Local::open(order.config, &order.data).expect("opened");
    match order.act {
        Act::Launch => drop(engine.launch(&order.plan, &Steps::default()).await.expect("launched")),
        Act::Stop => engine.stop(&order.plan.instance, Duration::from_secs(5)).await.expect("stopped"),
        Act::Remove => engine.remove(&order.plan.instance).await.expect("removed"),
    }
}

/// Does it in another process, which dies at this point.
async fn die(place: &Place, plan: &LaunchPlan, act: Act, point: &str) {
    let (config, data) = (place.config().clone(), place.data().to_owned());
    let order = Order { config, data, plan: plan.clone(), act };
    let ended = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "local::death::child", "--ignored"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .env(ORDER, serde_json::to_string(&order).expect("text"))
        .env(failpoint::VARIABLE, point)
        .status()
        .await
        .expect("run");
    assert_eq!(ended.signal(), Some(6), "it dies at {point}");
}

#[tokio::test]
async fn a_launch_that_died_anywhere_is_taken_up_again() {
    let place = Place::new();
    for point in ["local.before-mkdir", "local.after-mkdir", "local.after-plan", "local.after-shim"] {
        let plan = place.plan(Deed::Serve);
        die(&place, &plan, Act::Launch, point).await;
        let engine = place.local();
        let listed = engine.list().await.expect("listed");
        assert!(listed.iter().filter(|found| found.name == plan.instance).count() <= 1, "{listed:?}");
        let instance = launch(&engine, &plan).await;
        answers(&engine, &plan, &instance).await;
        assert_eq!(instance.status, InstanceStatus::Running, "after {point}");
        let drafts = std::fs::read_dir(place.data().join("local/run")).expect("readable").flatten();
        let drafts = drafts.filter(|entry| entry.file_name().to_string_lossy().starts_with('.'));
        assert_eq!(drafts.count(), 0, "nothing half-made is left after {point}");
        engine.stop(&plan.instance, grace()).await.expect("stopped");
        engine.remove(&plan.instance).await.expect("removed");
    }
    place.clean().await;
}

#[tokio::test]
async fn a_stop_and_a_removal_that_died_anywhere_are_done_in_the_end() {
    let place = Place::new();
    for (point, act) in [
        ("local.before-stop", Act::Stop),
        ("local.after-term", Act::Stop),
        ("local.before-remove", Act::Remove),
    ] {
        let (engine, plan) = (place.local(), place.plan(Deed::Serve));
        let instance = launch(&engine, &plan).await;
        answers(&engine, &plan, &instance).await;
        if matches!(act, Act::Remove) {
            engine.stop(&plan.instance, grace()).await.expect("stopped");
        }
        die(&place, &plan, act, point).await;
        let engine = place.local();
        engine.stop(&plan.instance, grace()).await.expect("stopped");
        assert!(matches!(status(&engine, &plan.instance).await, InstanceStatus::Ended(_)), "after {point}");
        engine.remove(&plan.instance).await.expect("removed");
        assert_eq!(engine.inspect(&plan.instance).await, Ok(None), "after {point}");
    }
    place.clean().await;
}
