//! The hub may die at any moment: what runs is found again, and nothing runs that no row wants.

use portico_core::{
    Timestamp, WorkloadId,
    launch::Owner,
    names::Label,
    ports::{Progress, SpawnError, Spawner, Step},
    route::Doors,
    workload::{Afterwards, Phase, State, StopCause, Workload},
};
use portico_hub::{config::WorkloadConfig, service, task};
use portico_spawn::fake::Method;

use super::yard::{Yard, app, eventually, rules};

struct Quiet;

impl Progress for Quiet {
    fn step(&self, _: Step) {}
}

#[tokio::test]
async fn a_hub_that_starts_again_finds_everything() {
    let yard = Yard::open().await;
    let ready = yard.run_until(&["app"], Phase::Ready).await;
    let dies = yard.launch("app").await.expect("accepted");
    let dies = yard.until(&dies.id, Phase::Ready).await;
    yard.hub.tasks.soft.cancel();
    yard.hub.tasks.tracker.close();
    yard.hub.tasks.tracker.wait().await;
    yard.engine.end(&yard.instance(&dies), portico_core::workload::Exit::Code(7));

    let again = yard.start_again().await;
    assert!(again.published.borrow().routes.is_empty());
    task::start(&again).await;
    let open = again.published.borrow().routes.get(&ready.label).map(|route| route.doors.clone());
    assert!(matches!(open, Some(Doors::Open(_))));
    eventually(&again, "the dead one to be told", async || {
        yard.get(&dies.id).await.filter(|row| row.state.reason().contains("exit code 7"))
    })
    .await;
    assert_eq!(yard.get(&ready.id).await.expect("a row"), ready);
    let launches = yard.engine.calls().into_iter().filter(|call| *call == Method::Launch).count();
    assert_eq!(launches, 2);
    again.tasks.soft.cancel();
}

/// A row as a hub left it that died in that state.
async fn leave(yard: &Yard, state: State) -> Workload {
    let mut row = yard.launch("app").await.expect("accepted");
    row.state = state;
    let mut tx = yard.hub.store.begin_write("test").await.expect("the store");
    row.version = portico_store::workload::update(&mut tx, &row).await.expect("written");
    tx.commit().await.expect("written");
    row
}

#[tokio::test]
async fn every_state_that_a_hub_died_in_goes_on() {
    let yard = Yard::open().await;
    yard.add(app("app", &["app"])).await;
    yard.hub.tasks.soft.cancel();
    yard.hub.tasks.tracker.close();
    yard.hub.tasks.tracker.wait().await;
    let (since, deadline) = (yard.hub.now(), yard.hub.now());
    let launched = async |row: &Workload| {
        yard.engine.launch(&row.plan(&yard.hub.config.realm), &Quiet).await.expect("launched");
    };
    let requested = leave(&yard, State::Requested).await;
    let given = leave(&yard, State::Starting { since, deadline }).await;
    let made = leave(&yard, State::Starting { since, deadline }).await;
    launched(&made).await;
    let stopping = State::Stopping { since, cause: StopCause::Asked, then: Afterwards::Rest };
    let running = leave(&yard, stopping.clone()).await;
    launched(&running).await;
    let forgotten = leave(&yard, stopping).await;
    let deleting = State::Stopping { since, cause: StopCause::Asked, then: Afterwards::Delete };
    let deleted = leave(&yard, deleting).await;
    launched(&deleted).await;

    let again = yard.start_again().await;
    task::start(&again).await;
    let reaches = async |row: &Workload, phase| {
        let what = format!("{:?} to become {phase}", row.state);
        eventually(&again, &what, async || yard.get(&row.id).await.filter(|row| row.phase() == phase)).await
    };
    for row in [&requested, &given, &made] {
        reaches(row, Phase::Ready).await;
    }
    for row in [&running, &forgotten] {
        reaches(row, Phase::Stopped).await;
    }
    eventually(&again, "the deletion", async || yard.get(&deleted.id).await.is_none().then_some(())).await;
    let mut left = yard.instances().await;
    left.sort();
    let mut wanted: Vec<_> = [&requested, &given, &made].map(|row| yard.instance(row)).into();
    wanted.sort();
    assert_eq!(left, wanted);
    again.tasks.soft.cancel();
}

#[tokio::test]
async fn an_instance_that_no_row_wants_is_removed_and_foreign_ones_are_not() {
    let yard = Yard::open().await;
    let ready = yard.run_until(&["app"], Phase::Ready).await;
    let orphan = Workload {
        id: WorkloadId::new(Timestamp::UNIX_EPOCH, [9; 10]),
        label: Label::random([9; 13]),
        owner: Owner { ..ready.owner.clone() },
        ..ready.clone()
    };
    let earlier = Workload { generation: 7, ..ready.clone() };
    let realm = &yard.hub.config.realm;
    let foreign = orphan.plan(&"other".parse().expect("a realm"));
    yard.engine.launch(&foreign, &Quiet).await.expect("launched");
    yard.engine.launch(&orphan.plan(realm), &Quiet).await.expect("launched");
    yard.engine.launch(&earlier.plan(realm), &Quiet).await.expect("launched");
    yard.eventually("the orphans to go", async || (yard.instances().await.len() == 2).then_some(())).await;
    let left = yard.instances().await;
    assert!(left.contains(&foreign.instance) && left.contains(&yard.instance(&ready)));
}

#[tokio::test]
async fn an_engine_that_is_away_fails_nothing() {
    let yard = Yard::open().await;
    let away = || SpawnError::Unreachable("switched off".to_owned());
    for method in [Method::Launch, Method::List, Method::Launch, Method::Inspect] {
        yard.engine.fail_next(method, away());
    }
    let workload = yard.run_until(&["app"], Phase::Ready).await;
    for method in [Method::Stop, Method::List, Method::Remove, Method::Logs] {
        yard.engine.fail_next(method, away());
    }
    service::workload::stop(&yard.hub, &yard.alice(), &workload.id).await.expect("stopping");
    yard.until(&workload.id, Phase::Stopped).await;
    assert!(!yard.history(&workload.id).await.contains(&Phase::Failed));
}

#[tokio::test]
async fn what_ended_long_ago_is_swept_with_log_and_workspace() {
    let yard = Yard::with(rules(WorkloadConfig { retention_days: 3, ..WorkloadConfig::default() })).await;
    let old = yard.run_until(&["app", "print=x", "exit=0"], Phase::Stopped).await;
    yard.wait(4 * 24 * 3600);
    let young = yard.launch("app").await.expect("accepted");
    yard.until(&young.id, Phase::Stopped).await;
    let again = yard.start_again().await;
    task::start(&again).await;
    eventually(&again, "the old one to go", async || yard.get(&old.id).await.is_none().then_some(())).await;
    assert!(yard.get(&young.id).await.is_some());
    assert_eq!(yard.engine.workspaces(), std::slice::from_ref(&young.label));
    assert!(!yard.directory().join(format!("logs/{}.log", old.id)).exists());
    again.tasks.soft.cancel();
}

#[tokio::test]
async fn who_is_shut_out_runs_nothing_any_more() {
    let yard = Yard::open().await;
    yard.administrator().await;
    let workload = yard.run_until(&["app"], Phase::Ready).await;
    let console = portico_hub::auth::Actor::console(yard.hub.now());
    let permit = console.may_administer().expect("may");
    service::user::disable(&yard.hub, &console, &permit, &yard.person.user.id).await.expect("disabled");
    let stopped = yard.until(&workload.id, Phase::Stopped).await;
    assert_eq!(stopped.state.reason(), "stopped because its owner lost access");
}

#[tokio::test]
async fn every_installation_has_a_realm_of_its_own_and_keeps_it() {
    let (one, other) = (Yard::open().await, Yard::open().await);
    let of = async |yard: &Yard| {
        portico_hub::realm::of(&portico_hub::Config::default(), &yard.hub.store).await.expect("a realm")
    };
    assert_eq!(of(&one).await, of(&one).await);
    assert_ne!(of(&one).await, of(&other).await);
    let realm: portico_core::names::Realm = "mysite".parse().expect("a realm");
    let named = portico_hub::Config { realm: realm.clone(), ..portico_hub::Config::default() };
    assert_eq!(portico_hub::realm::of(&named, &one.hub.store).await.expect("a realm"), realm);
}
