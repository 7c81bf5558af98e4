//! The behaviours, one function each.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use portico_core::{
    launch::LaunchPlan,
    names::{InstanceName, Label, Realm},
    ports::{Follow, Instance, InstanceStatus, SpawnError, Spawner, Step},
    workload::Exit,
};
use portico_spawn::probe;
use tokio::time::timeout;

use super::{Deed, Fixture, Steps, app, grace};

/// Longest wait for anything in a test.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn a_launched_app_answers_at_its_door(fixture: &impl Fixture) {
    let (engine, plan) = (fixture.engine().await, fixture.plan(Deed::Serve));
    let instance = launch(&*engine, &plan).await;
    assert_eq!(instance.status, InstanceStatus::Running);
    assert_eq!(instance.workload, plan.workload);
    assert_eq!(instance.label, plan.label);
    assert!(!instance.mounts.is_empty(), "the mount plan is told");
    answers(&*engine, &plan, &instance).await;
}

pub(crate) async fn a_second_launch_finds_the_first(fixture: &impl Fixture) {
    let (engine, plan) = (fixture.engine().await, fixture.plan(Deed::Serve));
    let (one, other) = tokio::join!(launch(&*engine, &plan), launch(&*engine, &plan));
    assert_eq!(one.native, other.native);
    assert_eq!(launch(&*engine, &plan).await.native, one.native);
    let named = engine.list().await.expect("listed");
    assert_eq!(named.iter().filter(|found| found.name == plan.instance).count(), 1);
}

pub(crate) async fn a_new_engine_object_finds_what_runs(fixture: &impl Fixture) {
    let plan = fixture.plan(Deed::Serve);
    let before = launch(&*fixture.engine().await, &plan).await;
    let engine = fixture.engine().await;
    let found = engine.list().await.expect("listed");
    assert!(found.contains(&before), "{before:?} in {found:?}");
    answers(&*engine, &plan, &before).await;
    engine.stop(&plan.instance, grace()).await.expect("stopped");
    assert!(matches!(status(&*engine, &plan.instance).await, InstanceStatus::Ended(_)));
}

pub(crate) async fn a_launch_tells_its_steps(fixture: &impl Fixture) {
    let (engine, plan, steps) = (fixture.engine().await, fixture.plan(Deed::Serve), Steps::default());
    engine.launch(&plan, &steps).await.expect("launched");
    let told = steps.0.lock().expect("not poisoned").clone();
    assert_eq!(told.first(), Some(&Step::Preparing), "{told:?}");
    assert_eq!(told.last(), Some(&Step::Starting), "{told:?}");
}

pub(crate) async fn an_exit_code_is_told(fixture: &impl Fixture) {
    let (engine, plan) = (fixture.engine().await, fixture.plan(Deed::Exit(3)));
    launch(&*engine, &plan).await;
    assert_eq!(end(&*engine, &plan.instance).await, Exit::Code(3));
}

pub(crate) async fn an_app_over_its_memory_is_told_so(fixture: &impl Fixture) {
    let (engine, plan) = (fixture.engine().await, fixture.plan(Deed::Allocate));
    launch(&*engine, &plan).await;
    assert_eq!(end(&*engine, &plan.instance).await, Exit::OutOfMemory);
}

pub(crate) async fn a_polite_app_stops_within_its_grace(fixture: &impl Fixture) {
    let (engine, plan) = (fixture.engine().await, fixture.plan(Deed::Serve));
    let instance = launch(&*engine, &plan).await;
    answers(&*engine, &plan, &instance).await;
    let begun = Instant::now();
    engine.stop(&plan.instance, grace()).await.expect("stopped");
    assert!(begun.elapsed() < grace(), "it took {:?}", begun.elapsed());
    assert!(matches!(status(&*engine, &plan.instance).await, InstanceStatus::Ended(_)));
    let main = instance.doors.values().next().expect("a door");
    assert!(!probe::answers_http(main, "/").await, "nothing answers any more");
}

pub(crate) async fn a_deaf_app_is_ended_by_force(fixture: &impl Fixture) {
    let (engine, plan) = (fixture.engine().await, fixture.plan(Deed::Deaf));
    let instance = launch(&*engine, &plan).await;
    answers(&*engine, &plan, &instance).await;
    engine.stop(&plan.instance, Duration::from_millis(500)).await.expect("stopped");
    assert_eq!(end(&*engine, &plan.instance).await, Exit::Signal(9));
}

pub(crate) async fn stop_and_remove_may_be_repeated(fixture: &impl Fixture) {
    let (engine, plan) = (fixture.engine().await, fixture.plan(Deed::Serve));
    launch(&*engine, &plan).await;
    for _ in 0..2 {
        engine.stop(&plan.instance, grace()).await.expect("stopped");
    }
    for _ in 0..2 {
        engine.remove(&plan.instance).await.expect("removed");
    }
    engine.stop(&plan.instance, grace()).await.expect("nothing to stop is a success");
    for _ in 0..2 {
        engine.discard_workspace(&plan.label).await.expect("discarded");
    }
}

pub(crate) async fn a_removed_instance_is_gone(fixture: &impl Fixture) {
    let (engine, plan) = (fixture.engine().await, fixture.plan(Deed::Exit(0)));
    launch(&*engine, &plan).await;
    end(&*engine, &plan.instance).await;
    engine.remove(&plan.instance).await.expect("removed");
    assert_eq!(engine.inspect(&plan.instance).await, Ok(None));
    assert!(engine.list().await.expect("listed").iter().all(|found| found.name != plan.instance));
}

pub(crate) async fn a_log_is_read_from_the_beginning(fixture: &impl Fixture) {
    let (engine, plan) = (fixture.engine().await, fixture.plan(Deed::Print(vec!["one", "two"])));
    let instance = launch(&*engine, &plan).await;
    answers(&*engine, &plan, &instance).await;
    let log = text(engine.logs(&plan.instance, Follow::No).await.expect("a log")).await;
    let lines: Vec<_> = log.lines().filter(|line| ["one", "two"].contains(line)).collect();
    assert_eq!(lines, ["one", "two"], "{log}");
}

pub(crate) async fn a_followed_log_ends_with_its_instance(fixture: &impl Fixture) {
    let (engine, plan) = (fixture.engine().await, fixture.plan(Deed::Print(vec!["hello"])));
    launch(&*engine, &plan).await;
    let log = engine.logs(&plan.instance, Follow::Yes).await.expect("a log");
    let (log, stopped) = tokio::join!(text(log), engine.stop(&plan.instance, grace()));
    stopped.expect("stopped");
    let after = text(engine.logs(&plan.instance, Follow::No).await.expect("kept")).await;
    assert_eq!(log, after, "the log stays until the instance is removed, and the follower saw all");
}

pub(crate) async fn an_unknown_instance_is_no_instance(fixture: &impl Fixture) {
    let engine = fixture.engine().await;
    let realm: Realm = "nowhere".parse().expect("a realm");
    let label: Label = Label::random([1; 13]);
    let name = InstanceName::new(&realm, &label, 0);
    assert_eq!(engine.inspect(&name).await, Ok(None));
    assert_eq!(engine.usage(&name).await, Err(SpawnError::NoInstance));
    assert_eq!(engine.logs(&name, Follow::No).await.err(), Some(SpawnError::NoInstance));
    assert_eq!(engine.remove(&name).await, Ok(()));
}

pub(crate) async fn a_missing_program_is_named(fixture: &impl Fixture) {
    let (engine, plan, steps) = (fixture.engine().await, fixture.missing(), Steps::default());
    let checked = engine.check(&app(&plan)).await.expect_err("cannot run here");
    let refused = engine.launch(&plan, &steps).await.expect_err("cannot be launched");
    for error in [checked, refused] {
        assert!(matches!(error, SpawnError::ProgramMissing(_) | SpawnError::ImageMissing(_)), "{error:?}");
    }
    assert_eq!(engine.inspect(&plan.instance).await, Ok(None), "nothing is left of it");
}

pub(crate) async fn usage_is_told_while_it_runs(fixture: &impl Fixture) {
    let (engine, plan) = (fixture.engine().await, fixture.plan(Deed::Serve));
    let instance = launch(&*engine, &plan).await;
    answers(&*engine, &plan, &instance).await;
    let usage = engine.usage(&plan.instance).await.expect("told");
    assert!(usage.memory_bytes > 0 && usage.pids > 0 && usage.cpu_micros > 0, "{usage:?}");
}

pub(crate) async fn an_end_is_announced(fixture: &impl Fixture) {
    let (engine, plan) = (fixture.engine().await, fixture.plan(Deed::Serve));
    let instance = launch(&*engine, &plan).await;
    answers(&*engine, &plan, &instance).await;
    let other = fixture.engine().await;
    let mut changes = other.changes();
    let stopping = engine.stop(&plan.instance, grace());
    let hint = async {
        while !matches!(status(&*other, &plan.instance).await, InstanceStatus::Ended(_)) {
            changes.next().await.expect("never ends");
        }
    };
    let (stopped, seen) = tokio::join!(stopping, timeout(PATIENCE, hint));
    stopped.expect("stopped");
    seen.expect("the end is announced");
}

pub(crate) async fn health_says_what_isolates(fixture: &impl Fixture) {
    let health = fixture.engine().await.health().await;
    assert!(!health.version.is_empty());
    assert!(!health.isolation.is_empty());
    assert!(health.isolation.iter().all(|fact| !fact.what.is_empty() && !fact.how.is_empty()));
}

pub(crate) async fn launch(engine: &dyn Spawner, plan: &LaunchPlan) -> Instance {
    engine.launch(plan, &Steps::default()).await.expect("launched")
}

/// Waits until the app answers; tells its log when it does not.
pub(crate) async fn answers(engine: &dyn Spawner, plan: &LaunchPlan, instance: &Instance) {
    let main = instance.doors.values().next().expect("a door");
    let target = probe::Target { check: &plan.spec.ready.check, main, instance: &plan.instance };
    if timeout(PATIENCE, probe::wait(engine, target)).await.is_err() {
        let log = text(engine.logs(&plan.instance, Follow::No).await.expect("a log")).await;
        panic!("{main:?} never answered; {:?}; its log:\n{log}", status(engine, &plan.instance).await);
    }
}

pub(crate) async fn status(engine: &dyn Spawner, name: &InstanceName) -> InstanceStatus {
    engine.inspect(name).await.expect("inspected").expect("there").status
}

/// Waits for the end by way of the log, which ends with the instance.
pub(crate) async fn end(engine: &dyn Spawner, name: &InstanceName) -> Exit {
    let log = engine.logs(name, Follow::Yes).await.expect("a log");
    let log = timeout(PATIENCE, text(log)).await.expect("it ends");
    match status(engine, name).await {
        InstanceStatus::Ended(exit) => exit,
        other => panic!("{other:?} after the end of the log:\n{log}"),
    }
}

/// A whole log as text.
pub(crate) async fn text(mut log: portico_core::ports::LogStream) -> String {
    let mut bytes = Vec::new();
    while let Some(chunk) = log.next().await {
        bytes.extend_from_slice(&chunk.expect("a chunk"));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
