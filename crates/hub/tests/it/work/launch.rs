//! What a launch is checked for.

use std::collections::BTreeMap;

use portico_core::{app::App, names::AppName, quota::Quota, workload::Phase};
use portico_hub::{
    Error,
    config::WorkloadConfig,
    service::{
        self,
        launch::{Launched, Order, launch},
    },
};

use super::yard::{Yard, app, engine, order, rules};

fn asking() -> App {
    let mut app = app("asking", &["app"]);
    let text = r#"
        [[parameter]]
        name = "cores"
        title = "Cores"
        type = "number"
        default = 1
        min = 1
        max = 4
        [[parameter]]
        name = "colour"
        title = "Colour"
        type = "choice"
        default = "red"
        options = [{ value = "red" }, { value = "blue" }]
    "#;
    let table: toml::Table = toml::from_str(text).expect("parameters");
    app.parameters = table["parameter"].clone().try_into().expect("parameters");
    app
}

#[tokio::test]
async fn all_fields_that_do_not_fit_are_told_at_once() {
    let yard = Yard::open().await;
    yard.add(asking()).await;
    let answers = [("cores", "9"), ("colour", "green"), ("__proto__", "x")];
    let parameters = answers.map(|(name, answer)| (name.to_owned(), answer.to_owned())).into();
    let bad =
        Order { parameters, size: Some("huge".to_owned()), title: Some("x".repeat(81)), ..order("asking") };
    let Err(Error::Invalid(fields)) = launch(&yard.hub, &yard.alice(), bad).await else { panic!("invalid") };
    let names: Vec<_> = fields.0.keys().map(String::as_str).collect();
    assert_eq!(names, ["parameters.__proto__", "parameters.colour", "parameters.cores", "size", "title"]);
    assert_eq!(fields.0["parameters.cores"], "a whole number from 1 to 4");
}

#[tokio::test]
async fn a_quota_holds_however_many_try_at_once() {
    let quota = Quota { workloads: Some(3), cpu_millis: None, memory_mib: None };
    let yard = Yard::with(rules(WorkloadConfig { quota, ..WorkloadConfig::default() })).await;
    yard.add(app("app", &["app"])).await;
    let alice = yard.alice();
    let tries = (0..50).map(|_| launch(&yard.hub, &alice, order("app")));
    let results = futures_util::future::join_all(tries).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
    let told = results.into_iter().find_map(Result::err).expect("refused");
    assert_eq!(told.status(), 409);
    assert!(told.to_string().starts_with("you have 3 of 3 sessions running"), "{told}");
}

#[tokio::test]
async fn an_ended_workload_counts_against_no_quota_until_it_is_restarted() {
    let quota = Quota { workloads: Some(1), cpu_millis: None, memory_mib: None };
    let yard = Yard::with(rules(WorkloadConfig { quota, ..WorkloadConfig::default() })).await;
    let first = yard.run_until(&["app"], Phase::Ready).await;
    service::workload::stop(&yard.hub, &yard.alice(), &first.id).await.expect("stopping");
    yard.until(&first.id, Phase::Stopped).await;
    yard.launch("app").await.expect("accepted");
    let refused = service::workload::restart(&yard.hub, &yard.alice(), &first.id).await.expect_err("full");
    assert_eq!(refused.status(), 409);
}

#[tokio::test]
async fn a_key_launches_once() {
    let yard = Yard::open().await;
    yard.add(app("app", &["app"])).await;
    let keyed = || Order { idempotency_key: Some("k1".to_owned()), ..order("app") };
    let alice = yard.alice();
    let tries = (0..10).map(|_| launch(&yard.hub, &alice, keyed()));
    let mut ids = BTreeMap::new();
    let mut new = 0;
    for launched in futures_util::future::join_all(tries).await {
        let launched = launched.expect("launched");
        new += usize::from(matches!(launched, Launched::New(_)));
        ids.insert(launched.into_workload().id, ());
    }
    assert_eq!((new, ids.len()), (1, 1));
    let other = Order { title: Some("other".to_owned()), ..keyed() };
    assert_eq!(launch(&yard.hub, &alice, other).await.expect_err("mismatch").status(), 422);
    let bob = yard.member("bob").await;
    let his = launch(&yard.hub, &yard.actor(&bob), keyed()).await.expect("his own key");
    assert!(matches!(his, Launched::New(_)));
}

#[tokio::test]
async fn a_full_engine_lets_wait_and_tells_the_place() {
    let max_per_engine = BTreeMap::from([(engine(), 1)]);
    let yard = Yard::with(rules(WorkloadConfig { max_per_engine, ..WorkloadConfig::default() })).await;
    let first = yard.run_until(&["app"], Phase::Ready).await;
    let second = yard.launch("app").await.expect("accepted");
    let third = yard.launch("app").await.expect("accepted");
    let place = async |id, reason: &'static str| {
        yard.eventually(reason, async || yard.get(id).await.filter(|row| row.state.reason() == reason)).await
    };
    place(&second.id, "waiting for room, place 1 in the queue").await;
    place(&third.id, "waiting for room, place 2 in the queue").await;
    service::workload::stop(&yard.hub, &yard.alice(), &first.id).await.expect("stopping");
    yard.until(&second.id, Phase::Ready).await;
    place(&third.id, "waiting for room, place 1 in the queue").await;
    service::workload::stop(&yard.hub, &yard.alice(), &third.id).await.expect("stopping");
    yard.until(&third.id, Phase::Stopped).await;
    assert!(yard.history(&third.id).await.contains(&Phase::Queued));
}

#[tokio::test]
async fn an_app_is_there_for_whom_it_was_granted_and_at_once() {
    let yard = Yard::open().await;
    let name: AppName = "secret".parse().expect("a name");
    yard.add(App { grants: Vec::new(), ..app("secret", &["app"]) }).await;
    let alice = yard.alice();
    let sees = async || {
        let offers = service::app::list(&yard.hub, &alice).await.expect("a list");
        offers.iter().any(|offer| offer.entry.app.name == name)
    };
    assert!(!sees().await);
    assert_eq!(yard.launch("secret").await.expect_err("not hers").status(), 404);

    let console = portico_hub::auth::Actor::console(yard.hub.now());
    let permit = console.may_administer().expect("may");
    let group = service::group::create(&yard.hub, &console, &permit, "staff").await.expect("a group");
    let subject = portico_core::grant::Subject::Group(group.id.clone());
    let grant = service::grant::create(&yard.hub, &console, &permit, &name, subject).await.expect("granted");
    assert!(!sees().await);
    let id = &yard.person.user.id;
    service::group::add_member(&yard.hub, &console, &permit, &group.id, id).await.expect("a member");
    assert!(sees().await);
    let runs = yard.launch("secret").await.expect("hers");
    service::grant::delete(&yard.hub, &console, &permit, &name, &grant.id).await.expect("taken back");
    assert!(!sees().await);
    assert_eq!(yard.launch("secret").await.expect_err("not hers").status(), 404);
    yard.until(&runs.id, Phase::Ready).await;
}
