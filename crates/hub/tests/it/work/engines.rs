//! Engines as administrators see them, and what is measured.

use portico_core::{ports::Condition, workload::Phase};
use portico_hub::{
    auth::Actor,
    service::engine::{self, Freshness},
};

use super::yard::{self, Yard};

#[tokio::test]
async fn an_engine_tells_how_it_is() {
    let yard = Yard::open().await;
    yard.run_until(&["app"], Phase::Ready).await;
    let console = Actor::console(yard.hub.now());
    let permit = console.may_administer().expect("may");
    let engines = engine::list(&yard.hub, &permit).await.expect("a list");
    assert_eq!((engines.len(), engines[0].kind, engines[0].workloads), (1, "fake", 1));
    let condition = Condition::Unreachable { problem: "off".to_owned(), advice: "Switch it on.".to_owned() };
    yard.engine.set_condition(condition.clone());
    let now = engine::get(&yard.hub, &permit, &yard::engine(), Freshness::Now).await.expect("an engine");
    assert_eq!(now.health.condition, condition);
    let cached =
        engine::get(&yard.hub, &permit, &yard::engine(), Freshness::Cached).await.expect("an engine");
    assert_eq!(cached.health.condition, condition);
}

#[tokio::test]
async fn metrics_count_workloads_and_launches() {
    let yard = Yard::open().await;
    yard.run_until(&["app"], Phase::Ready).await;
    let text = yard.hub.metrics.text().expect("text");
    for line in [
        "portico_workloads{phase=\"ready\"} 1",
        "portico_launches_total{result=\"ready\"} 1",
        "portico_launch_call_seconds_count 1",
        "portico_launch_ready_seconds_count 1",
        "portico_engine_up{engine=\"fake\"} 1",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}
