//! From requested to the end, over every way there is.

use portico_core::{
    app::Program,
    ports::{SpawnError, Spawner},
    route::Doors,
    workload::{Exit, Failure, Phase, State, StopCause},
};
use portico_hub::service;
use portico_spawn::fake::Method;

use super::yard::{Yard, app};

#[tokio::test]
async fn a_launch_becomes_ready_and_its_history_tells_it() {
    let yard = Yard::open().await;
    let workload = yard.run_until(&["app"], Phase::Ready).await;
    assert_eq!(yard.history(&workload.id).await, [Phase::Requested, Phase::Starting, Phase::Ready]);
    let door = async || {
        let published = yard.hub.published.borrow().clone();
        match &published.routes.get(&workload.label)?.doors {
            Doors::Open(doors) => Some(doors.len()),
            Doors::Closed => None,
        }
    };
    assert_eq!(yard.eventually("a door", door).await, 1);
    assert_eq!(yard.instances().await, [yard.instance(&workload)]);
}

#[tokio::test]
async fn a_stop_ends_it_and_forgets_the_instance_but_not_its_log() {
    let yard = Yard::open().await;
    let workload = yard.run_until(&["app", "print=hello there"], Phase::Ready).await;
    service::workload::stop(&yard.hub, &yard.alice(), &workload.id).await.expect("stopping");
    let stopped = yard.until(&workload.id, Phase::Stopped).await;
    assert_eq!(stopped.state.reason(), "stopped on request");
    assert!(yard.instances().await.is_empty());
    assert!(yard.hub.published.borrow().routes.get(&workload.label).is_none());
    let found =
        service::workload::find(&yard.hub, &yard.alice(), &workload.id, portico_core::access::Action::View)
            .await
            .expect("found");
    let log = service::log::tail(&yard.hub, &found.permit, &found.workload, 10).await.expect("a log");
    assert_eq!(log, "hello there\n");
    let history = yard.history(&workload.id).await;
    assert_eq!(history[3..], [Phase::Stopping, Phase::Stopped]);
}

#[tokio::test]
async fn an_app_that_ends_by_itself_is_stopped_with_its_code() {
    let yard = Yard::open().await;
    let workload = yard.run_until(&["app", "exit=0"], Phase::Stopped).await;
    assert!(matches!(workload.state, State::Stopped { cause: StopCause::Finished, exit_code: Some(0), .. }));
    yard.eventually("the instance to be forgotten", async || yard.instances().await.is_empty().then_some(()))
        .await;
}

async fn failure(yard: &Yard, words: &[&str]) -> Failure {
    let workload = yard.run_until(words, Phase::Failed).await;
    yard.eventually("the instance to be forgotten", async || yard.instances().await.is_empty().then_some(()))
        .await;
    match workload.state {
        State::Failed { failure, .. } => {
            assert!(failure.advice().ends_with('.'), "{failure}");
            failure
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_failure_says_what_happened() {
    let yard = Yard::open().await;
    assert_eq!(failure(&yard, &["app", "print=no luck", "exit=3"]).await, Failure::Crashed { code: 3 });
    assert_eq!(failure(&yard, &["app", "signal=11"]).await, Failure::Killed { signal: 11 });
    assert_eq!(failure(&yard, &["app", "oom"]).await, Failure::OutOfMemory { memory_mib: 1024 });
    assert_eq!(failure(&yard, &["app", "never"]).await, Failure::NeverReady { seconds: 1 });
}

#[tokio::test]
async fn what_is_missing_is_told_before_and_after_the_launch() {
    let yard = Yard::open().await;
    yard.add(app("app", &["missing"])).await;
    let refused = yard.launch("app").await.expect_err("not available").to_string();
    assert!(refused.contains("program missing was not found"), "{refused}");

    // Found when it was looked for, and gone when it was needed.
    yard.add(app("other", &["app"])).await;
    for error in [SpawnError::ProgramMissing("x".to_owned()), SpawnError::ImageMissing("y".to_owned())] {
        yard.engine.fail_next(Method::Launch, error);
        let workload = yard.launch("other").await.expect("accepted");
        yard.until(&workload.id, Phase::Failed).await;
    }
    yard.engine.fail_next(Method::Launch, SpawnError::Refused("no such option".to_owned()));
    let workload = yard.launch("other").await.expect("accepted");
    let failed = yard.until(&workload.id, Phase::Failed).await;
    assert_eq!(failed.state.reason(), "the engine refused: no such option");
}

#[tokio::test]
async fn a_failure_keeps_the_last_lines() {
    let yard = Yard::open().await;
    let workload = yard.run_until(&["app", "print=the reason", "exit=1"], Phase::Failed).await;
    let found =
        service::workload::find(&yard.hub, &yard.alice(), &workload.id, portico_core::access::Action::View)
            .await
            .expect("found");
    let log = service::log::tail(&yard.hub, &found.permit, &found.workload, 5).await.expect("a log");
    assert_eq!(log, "the reason\n");
}

#[tokio::test]
async fn a_ready_app_that_dies_or_vanishes_fails() {
    let yard = Yard::open().await;
    let dies = yard.run_until(&["app"], Phase::Ready).await;
    yard.engine.end(&yard.instance(&dies), Exit::Signal(9));
    let failed = yard.until(&dies.id, Phase::Failed).await;
    assert_eq!(failed.state.reason(), "the app was killed by signal 9");

    let vanishes = yard.launch("app").await.expect("accepted");
    let vanishes = yard.until(&vanishes.id, Phase::Ready).await;
    yard.engine.vanish(&yard.instance(&vanishes));
    let failed = yard.until(&vanishes.id, Phase::Failed).await;
    assert!(matches!(failed.state, State::Failed { failure: Failure::Vanished, .. }));
}

#[tokio::test]
async fn a_stop_may_come_at_any_moment() {
    let yard = Yard::open().await;
    for words in [&["app", "slow=60000"][..], &["app", "never"], &["app", "after=60000"]] {
        let workload = yard.run_until(words, Phase::Starting).await;
        service::workload::stop(&yard.hub, &yard.alice(), &workload.id).await.expect("stopping");
        yard.until(&workload.id, Phase::Stopped).await;
        assert!(yard.instances().await.is_empty(), "{words:?}");
    }
    // At once, before anybody looked at it.
    yard.add(app("app", &["app"])).await;
    let workload = yard.launch("app").await.expect("accepted");
    service::workload::stop(&yard.hub, &yard.alice(), &workload.id).await.expect("stopping");
    yard.until(&workload.id, Phase::Stopped).await;
    yard.eventually("nothing to be left", async || yard.instances().await.is_empty().then_some(())).await;
}

#[tokio::test]
async fn an_app_that_does_not_listen_is_ended_by_force() {
    let yard = Yard::open().await;
    let workload = yard.run_until(&["app", "deaf"], Phase::Ready).await;
    service::workload::stop(&yard.hub, &yard.alice(), &workload.id).await.expect("stopping");
    yard.until(&workload.id, Phase::Stopped).await;
    assert!(yard.instances().await.is_empty());
}

#[tokio::test]
async fn a_restart_is_the_next_run_at_the_same_address() {
    let yard = Yard::open().await;
    let first = yard.run_until(&["app"], Phase::Ready).await;
    service::workload::restart(&yard.hub, &yard.alice(), &first.id).await.expect("stopping");
    let second = yard
        .eventually("the second run", async || {
            yard.get(&first.id).await.filter(|row| row.generation == 1 && row.phase() == Phase::Ready)
        })
        .await;
    assert_eq!((second.label.clone(), second.generation), (first.label.clone(), 1));
    assert_eq!(yard.instances().await, [yard.instance(&second)]);

    service::workload::stop(&yard.hub, &yard.alice(), &first.id).await.expect("stopping");
    yard.until(&first.id, Phase::Stopped).await;
    service::workload::restart(&yard.hub, &yard.alice(), &first.id).await.expect("requested");
    assert_eq!(yard.until(&first.id, Phase::Ready).await.generation, 2);
}

#[tokio::test]
async fn a_deletion_leaves_only_a_tombstone() {
    let yard = Yard::open().await;
    let workload = yard.run_until(&["app", "print=x"], Phase::Ready).await;
    assert_eq!(yard.engine.workspaces().len(), 1);
    service::workload::delete(&yard.hub, &yard.alice(), &workload.id).await.expect("deleting");
    yard.eventually("it to be gone", async || yard.get(&workload.id).await.is_none().then_some(())).await;
    assert!(yard.instances().await.is_empty() && yard.engine.workspaces().is_empty());
    assert!(!yard.directory().join(format!("logs/{}.log", workload.id)).exists());
    let told = service::open::find(&yard.hub, &yard.alice(), &workload.label).await.expect_err("gone");
    assert_eq!(told.status(), 410);

    let ended = yard.run_until(&["app", "exit=0"], Phase::Stopped).await;
    let left = service::workload::delete(&yard.hub, &yard.alice(), &ended.id).await.expect("deleted");
    assert!(left.is_none() && yard.get(&ended.id).await.is_none());
    assert!(yard.engine.workspaces().is_empty());
}

#[tokio::test]
async fn the_engine_is_told_what_was_launched() {
    let yard = Yard::open().await;
    let workload = yard.run_until(&["app", "{label}"], Phase::Ready).await;
    let Program::Command(run) = &workload.spec.program else { panic!("a command") };
    assert_eq!(run.command[1], workload.label.as_str());
    assert_eq!(yard.engine.kind(), "fake");
}
