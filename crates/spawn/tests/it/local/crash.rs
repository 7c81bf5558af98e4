//! Deaths of those around a run: the hub, the shim, and calls that were cut short.

use std::{process::Command, time::Duration};

use portico_core::{
    ports::{InstanceStatus, Spawner},
    workload::Exit,
};
use portico_spawn::local::{Config, Local};

use super::place::Place;
use crate::conformance::{Deed, Fixture, Steps, answers, end, grace, launch, status};

#[tokio::test]
async fn a_run_outlives_the_hub_that_started_it() {
    let place = Place::new();
    let plan = place.plan(Deed::Serve);
    let engine = place.local();
    // The shim that a dead hub leaves: of no session, process group or parent of ours.
    let instance = launch(&engine, &plan).await;
    let shim = shim_of(&instance.native);
    let stat = std::fs::read_to_string(format!("/proc/{shim}/stat")).expect("it lives");
    let fields: Vec<_> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    assert_eq!((fields[2], fields[3]), (shim.as_str(), shim.as_str()), "leads its own group and session");
    drop(engine);
    let adopted = place.local();
    answers(&adopted, &plan, &instance).await;
    assert_eq!(adopted.list().await.expect("listed"), [instance]);
    place.clean().await;
}

#[tokio::test]
async fn a_launch_that_was_cut_short_is_taken_up_again() {
    let place = Place::new();
    let plan = place.plan(Deed::Serve);
    let engine = place.local();
    let cut = tokio::time::timeout(Duration::from_millis(1), engine.launch(&plan, &Steps::default())).await;
    drop(cut);
    let instance = launch(&engine, &plan).await;
    answers(&engine, &plan, &instance).await;
    assert_eq!(engine.list().await.expect("listed").len(), 1);
    place.clean().await;
}

#[tokio::test]
async fn an_app_does_not_outlive_its_shim() {
    let place = Place::new();
    let plan = place.plan(Deed::Serve);
    let engine = place.local();
    let instance = launch(&engine, &plan).await;
    answers(&engine, &plan, &instance).await;
    let killed = Command::new("kill").args(["-9", &shim_of(&instance.native)]).status().expect("run");
    assert!(killed.success());
    assert_eq!(end(&engine, &plan.instance).await, Exit::Unknown);
    engine.stop(&plan.instance, grace()).await.expect("its leftovers are cleared");
    let main = instance.doors.values().next().expect("a door");
    assert!(!portico_spawn::probe::accepts(main).await);
    let again = engine.launch(&plan, &Steps::default()).await.expect("answered");
    assert_eq!(again.status, InstanceStatus::Ended(Exit::Unknown), "it is not started twice");
    place.clean().await;
}

#[tokio::test]
async fn a_wish_to_stop_outlives_the_call() {
    let place = Place::new();
    let plan = place.plan(Deed::Deaf);
    let engine = place.local();
    let instance = launch(&engine, &plan).await;
    answers(&engine, &plan, &instance).await;
    let cut = tokio::time::timeout(
        Duration::from_millis(100),
        engine.stop(&plan.instance, Duration::from_millis(400)),
    );
    assert!(cut.await.is_err(), "the call is given up before the app ends");
    assert_eq!(end(&engine, &plan.instance).await, Exit::Signal(9));
    place.clean().await;
}

#[tokio::test]
async fn a_plan_whose_shim_never_came_can_be_stopped_and_removed() {
    let place = Place::new();
    let plan = place.plan(Deed::Serve);
    // A program that ends at once takes the place of the shim.
    let config = Config { executable: Some("/bin/true".into()), ..Config::default() };
    let broken = Local::open(config, place.data()).expect("opened");
    let cut = tokio::time::timeout(Duration::from_millis(200), broken.launch(&plan, &Steps::default())).await;
    assert!(cut.is_err(), "it waits for the shim");
    let engine = place.local();
    assert_eq!(status(&engine, &plan.instance).await, InstanceStatus::Created);
    engine.stop(&plan.instance, grace()).await.expect("stopped");
    assert!(matches!(status(&engine, &plan.instance).await, InstanceStatus::Ended(_)));
    engine.remove(&plan.instance).await.expect("removed");
    assert_eq!(engine.inspect(&plan.instance).await, Ok(None));
}

/// The process id in `process 123`.
fn shim_of(native: &str) -> String {
    native.trim_start_matches("process ").to_owned()
}
