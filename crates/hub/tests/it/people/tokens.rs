use http::Method;
use serde_json::json;

use crate::harness::{
    House, PASSWORD,
    person::{anonymous, bearer},
};

async fn made(house: &House, name: &str) -> (String, String) {
    let asked = json!({"user": name, "password": PASSWORD, "name": "laptop", "days": 30});
    let answer = house.send(anonymous(Method::POST, "/api/v1/token-requests", Some(&asked))).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let json = answer.json();
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    (text(&json["token"]["id"]), text(&json["text"]))
}

#[tokio::test]
async fn a_token_is_made_by_password_and_works_without_a_cookie() {
    let house = House::open().await;
    house.member("alice").await;
    let (_, token) = made(&house, "alice").await;
    assert!(token.starts_with("ptk_") && token.len() == 56);
    let me = house.send(bearer(&token, Method::GET, "/api/v1/me", None)).await;
    assert_eq!(me.json()["user"]["name"], "alice");
    let wish = json!({"name": "second", "days": 1});
    let second = house.send(bearer(&token, Method::POST, "/api/v1/tokens", Some(&wish))).await;
    assert_eq!(second.status, 201, "a program needs no token against forgery: {}", second.text);
}

#[tokio::test]
async fn a_deleted_or_expired_token_is_dead_at_once() {
    let house = House::open().await;
    let alice = house.member("alice").await;
    let (id, token) = made(&house, "alice").await;
    let (_, lasting) = made(&house, "alice").await;
    assert_eq!(house.send(alice.delete(&format!("/api/v1/tokens/{id}"))).await.status, 204);
    let answer = house.send(bearer(&token, Method::GET, "/api/v1/me", None)).await;
    answer.expect_problem(401, "not-signed-in");
    assert_eq!(house.send(bearer(&lasting, Method::GET, "/api/v1/me", None)).await.status, 200);
    house.wait(30 * 24 * 3600);
    assert_eq!(house.send(bearer(&lasting, Method::GET, "/api/v1/me", None)).await.status, 401);
}

#[tokio::test]
async fn a_token_always_ends() {
    let house = House::open().await;
    let alice = house.member("alice").await;
    for days in ["0", "-1", "367", "9223372036854775807", "9223372036854775808", "1.5", "\"1\"", "null"] {
        let body = format!("{{\"name\": \"x\", \"days\": {days}}}");
        let mut request = alice.request(Method::POST, "/api/v1/tokens", Some(&json!({})));
        *request.body_mut() = body.into();
        assert_eq!(house.send(request).await.status, 422, "{days}");
    }
    let missing = house.send(alice.post("/api/v1/tokens", &json!({"name": "x"}))).await;
    missing.expect_problem(422, "invalid");
}

#[tokio::test]
async fn what_is_no_token_is_refused_before_any_work() {
    let house = House::open().await;
    for text in ["", "ptk_", "ptk_short", &format!("ptk_{}", "a".repeat(60_000)), &"A".repeat(56)] {
        let answer = house.send(bearer(text, Method::GET, "/api/v1/me", None)).await;
        answer.expect_problem(401, "not-signed-in");
    }
}

#[tokio::test]
async fn the_text_of_a_token_is_shown_once() {
    let house = House::open().await;
    let alice = house.member("alice").await;
    let (_, token) = made(&house, "alice").await;
    let list = house.send(alice.get("/api/v1/tokens")).await;
    assert_eq!(list.json()["items"][0]["name"], "laptop");
    assert!(!list.text.contains(&token) && !list.text.contains("ptk_"));
}
