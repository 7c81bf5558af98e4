use http::{Method, header};
use portico_core::user::Role;
use serde_json::json;

use crate::harness::{House, PASSWORD, person::anonymous};

#[tokio::test]
async fn the_last_administrator_stays() {
    let house = House::open().await;
    let root = house.administrator().await;
    let own = format!("/api/v1/users/{}", root.user.id);
    house.send(root.delete(&own)).await.expect_problem(409, "conflict");
    house.send(root.post(&format!("{own}/disable"), &json!({}))).await.expect_problem(409, "conflict");
    let demote = root.request(Method::PATCH, &own, Some(&json!({"role": "member"})));
    house.send(demote).await.expect_problem(409, "conflict");
    assert_eq!(house.send(root.get(&own)).await.json()["role"], "administrator");

    house.person("second", Role::Administrator).await;
    let demote = root.request(Method::PATCH, &own, Some(&json!({"role": "member"})));
    assert_eq!(house.send(demote).await.status, 200);
    assert_eq!(house.send(root.get("/api/v1/users")).await.status, 404, "at once, without a new sign-in");
}

#[tokio::test]
async fn two_administrators_cannot_remove_each_other() {
    let house = House::open().await;
    let one = house.administrator().await;
    let two = house.person("second", Role::Administrator).await;
    let (first, second) = tokio::join!(
        house.send(one.post(&format!("/api/v1/users/{}/disable", two.user.id), &json!({}))),
        house.send(two.post(&format!("/api/v1/users/{}/disable", one.user.id), &json!({}))),
    );
    let done = [first.status, second.status].iter().filter(|status| **status == 200).count();
    assert_eq!(done, 1, "{first:?} {second:?}");
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once_and_comes_back_by_password() {
    let house = House::open().await;
    let root = house.administrator().await;
    let alice = house.member("alice").await;
    let wish = json!({"name": "t", "days": 1});
    let token = house.send(alice.post("/api/v1/tokens", &wish)).await.json();
    let token = token["text"].as_str().expect("a text").to_owned();
    let path = format!("/api/v1/users/{}", alice.user.id);
    let before = house.hub.published.subscribe().borrow().clone();
    assert!(before.revocations.users.is_empty());

    assert_eq!(house.send(root.post(&format!("{path}/disable"), &json!({}))).await.status, 200);
    assert_eq!(house.send(alice.get("/api/v1/me")).await.status, 401);
    let by_token = crate::harness::person::bearer(&token, Method::GET, "/api/v1/me", None);
    assert_eq!(house.send(by_token).await.status, 401);
    let published = house.hub.published.subscribe().borrow().clone();
    assert!(published.revocations.users.contains_key(&alice.user.id));
    assert!(published.revocations.logins.contains_key(&alice.login));

    let asked = json!({"user": "alice", "password": PASSWORD, "name": "x", "days": 1});
    let again = || anonymous(Method::POST, "/api/v1/token-requests", Some(&asked));
    house.send(again()).await.expect_problem(401, "wrong-credentials");
    assert_eq!(house.send(root.post(&format!("{path}/enable"), &json!({}))).await.status, 200);
    assert_eq!(house.send(again()).await.status, 201);
    assert_eq!(house.send(alice.get("/api/v1/me")).await.status, 401, "the old login stays dead");
}

#[tokio::test]
async fn a_deleted_user_leaves_nothing_and_the_name_is_not_given_again() {
    let house = House::open().await;
    let root = house.administrator().await;
    let alice = house.member("alice").await;
    let path = format!("/api/v1/users/{}", alice.user.id);
    assert_eq!(house.send(root.delete(&path)).await.status, 204);
    house.send(root.get(&path)).await.expect_problem(404, "not-found");
    house.send(alice.get("/api/v1/me")).await.expect_problem(401, "not-signed-in");
    for name in ["alice", "ALICE", " alice "] {
        house.send(root.post("/api/v1/users", &json!({"name": name}))).await.expect_problem(409, "conflict");
    }
}

#[tokio::test]
async fn groups_have_members_and_lists_have_pages() {
    let house = House::open().await;
    let root = house.administrator().await;
    let alice = house.member("alice").await;
    let group = house.send(root.post("/api/v1/groups", &json!({"name": "Röntgen group"}))).await.json();
    let path = format!("/api/v1/groups/{}", group["id"].as_str().expect("an id"));
    let member = format!("{path}/members/{}", alice.user.id);
    for _ in 0..2 {
        assert_eq!(house.send(root.request(Method::PUT, &member, None)).await.status, 204);
    }
    let shown = house.send(root.get(&path)).await.json();
    assert_eq!(shown["members"][0]["name"], "alice");
    assert_eq!(house.send(alice.get("/api/v1/me")).await.json()["groups"][0]["name"], "Röntgen group");
    assert_eq!(house.send(root.delete(&member)).await.status, 204);
    house.send(root.delete(&member)).await.expect_problem(404, "not-found");

    let first = house.send(root.get("/api/v1/users?limit=1")).await.json();
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let second = house.send(root.get(&format!("/api/v1/users?limit=1&cursor={cursor}"))).await.json();
    assert_eq!(first["items"][0]["name"], "root");
    assert_eq!(second["items"][0]["name"], "alice");
    assert!(second.get("next_cursor").is_none());
}

#[tokio::test]
async fn a_user_is_not_told_apart_from_none() {
    let house = House::open().await;
    let root = house.administrator().await;
    let alice = house.member("alice").await;
    let there = house.send(alice.get(&format!("/api/v1/users/{}", root.user.id))).await;
    let missing = house.send(alice.get("/api/v1/users/01arz3ndektsv4rrffq69g5fav")).await;
    let malformed = house.send(alice.get("/api/v1/users/..%2f..%2fetc%2fpasswd")).await;
    for answer in [&there, &missing, &malformed] {
        answer.expect_problem(404, "not-found");
        assert_eq!(answer.json()["detail"], there.json()["detail"]);
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    }
}
