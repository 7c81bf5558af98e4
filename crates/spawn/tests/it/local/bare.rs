//! The engine where bubblewrap is not used: no view of its own, but the same life and the same end.

use portico_core::{
    app::Network,
    ports::{Condition, InstanceStatus, SpawnError, Spawner},
    workload::Exit,
};
use portico_spawn::local::{Config, Isolation};

use super::{isolation::running, place::Place};
use crate::conformance::{Deed, Fixture, answers, app, end, grace, launch, status};

fn bare() -> Place {
    Place::with(Config { isolation: Isolation::None, ..Config::default() })
}

#[tokio::test]
async fn a_bare_app_is_reached_and_ended() {
    let place = bare();
    for (deed, exit) in [(Deed::Serve, Exit::Signal(15)), (Deed::Deaf, Exit::Signal(9))] {
        let (engine, plan) = (place.local(), place.plan(deed.clone()));
        let instance = launch(&engine, &plan).await;
        answers(&engine, &plan, &instance).await;
        let grace = if deed == Deed::Deaf { std::time::Duration::from_millis(300) } else { grace() };
        engine.stop(&plan.instance, grace).await.expect("stopped");
        assert_eq!(status(&engine, &plan.instance).await, InstanceStatus::Ended(exit));
    }
    place.clean().await;
}

#[tokio::test]
async fn a_bare_exit_code_is_told_exactly() {
    let place = bare();
    let plan = place.plan(Deed::Exit(139));
    launch(&place.local(), &plan).await;
    assert_eq!(end(&place.local(), &plan.instance).await, Exit::Code(139));
    place.clean().await;
}

#[tokio::test]
async fn a_bare_daemon_does_not_outlive_a_stop() {
    let place = bare();
    let plan = place.shell("setsid -f sleep 98764; (sleep 98764 &); echo ready; exec sleep 98764");
    let engine = place.local();
    let instance = launch(&engine, &plan).await;
    place.says(&engine, &instance, "ready").await;
    engine.stop(&plan.instance, grace()).await.expect("stopped");
    assert_eq!(running("98764"), 0);
    place.clean().await;
}

#[tokio::test]
async fn what_is_missing_is_said_and_refused() {
    let place = bare();
    let health = place.local().health().await;
    assert!(matches!(health.condition, Condition::Limited { .. }), "{health:?}");
    assert!(health.isolation.iter().any(|fact| fact.what == "own process view" && !fact.holds));
    let mut plan = place.plan(Deed::Serve);
    plan.spec.network = Network::None;
    let refused = place.local().check(&app(&plan)).await.expect_err("refused");
    assert!(matches!(refused, SpawnError::Refused(_)), "{refused}");
}
