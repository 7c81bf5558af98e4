use http::Method;
use portico_hub::bus::Change;
use serde_json::json;

use crate::harness::{House, PASSWORD, person::anonymous};

#[tokio::test]
async fn a_login_that_ends_is_told_to_the_front_door() {
    let house = House::open().await;
    let alice = house.member("alice").await;
    let mut published = house.hub.published.subscribe();
    let mut changes = house.hub.bus.listen();
    published.mark_unchanged();
    let ended = house.send(alice.delete(&format!("/api/v1/logins/{}", alice.login))).await;
    assert_eq!(ended.status, 204);
    assert!(published.has_changed().expect("the hub lives"));
    assert!(published.borrow().revocations.logins.contains_key(&alice.login));
    assert_eq!(changes.recv().await, Ok(Change::LoginEnded(alice.login.clone())));
    assert_eq!(house.send(alice.get("/api/v1/me")).await.status, 401);
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_and_only_the_own() {
    let house = House::open().await;
    let alice = house.member("alice").await;
    let bob = house.member("bob").await;
    assert_eq!(house.send(alice.delete("/api/v1/logins")).await.status, 204);
    assert_eq!(house.send(alice.get("/api/v1/me")).await.status, 401);
    assert_eq!(house.send(bob.get("/api/v1/me")).await.status, 200);
    let foreign = format!("/api/v1/logins/{}", bob.login);
    let carol = house.member("carol").await;
    house.send(carol.delete(&foreign)).await.expect_problem(404, "not-found");
    assert_eq!(house.send(bob.get("/api/v1/me")).await.status, 200);
}

#[tokio::test]
async fn requests_in_flight_do_not_revive_a_login() {
    let house = House::open().await;
    let alice = house.member("alice").await;
    house.wait(120);
    let reads = (0..20).map(|_| house.send(alice.get("/api/v1/me")));
    let (answers, ended) =
        tokio::join!(futures_util::future::join_all(reads), house.send(alice.delete("/api/v1/logins")));
    assert_eq!(ended.status, 204);
    assert!(answers.iter().all(|answer| answer.cookies().is_empty()));
    for _ in 0..5 {
        assert_eq!(house.send(alice.get("/api/v1/me")).await.status, 401);
    }
}

#[tokio::test]
async fn a_new_start_remembers_who_was_shut_out() {
    let house = House::open().await;
    let alice = house.member("alice").await;
    house.send(alice.delete("/api/v1/logins")).await;
    let again = house.start_again().await;
    assert!(again.published.borrow().revocations.logins.contains_key(&alice.login));
}

#[tokio::test]
async fn the_list_of_logins_is_the_own_one() {
    let house = House::open().await;
    let alice = house.member("alice").await;
    house.member("bob").await;
    let asked = json!({"user": "bob", "password": PASSWORD, "name": "x", "days": 1});
    house.send(anonymous(Method::POST, "/api/v1/token-requests", Some(&asked))).await;
    let list = house.send(alice.get("/api/v1/logins")).await.json();
    let items = list["items"].as_array().expect("a list");
    assert_eq!(items.len(), 1);
    assert_eq!((items[0]["id"].as_str(), &items[0]["current"]), (Some(alice.login.as_str()), &json!(true)));
}
