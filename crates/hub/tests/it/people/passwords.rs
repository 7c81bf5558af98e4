use std::time::{Duration, Instant};

use http::{Method, header};
use portico_core::peer::{Peer, Transport};
use serde_json::{Value, json};

use crate::harness::{Answer, House, PASSWORD, person::anonymous};

fn asked(user: &str, password: &str) -> Value {
    json!({"user": user, "password": password, "name": "x", "days": 1})
}

async fn attempt(house: &House, user: &str, password: &str) -> Answer {
    house.send(anonymous(Method::POST, "/api/v1/token-requests", Some(&asked(user, password)))).await
}

#[tokio::test]
async fn guessing_gets_slower_and_says_when_to_try_again() {
    let house = House::open().await;
    house.member("alice").await;
    for user in ["alice", "nobody"] {
        for _ in 0..3 {
            attempt(&house, user, "wrong password").await.expect_problem(401, "wrong-credentials");
        }
        let answer = attempt(&house, user, PASSWORD).await;
        answer.expect_problem(429, "throttled");
        assert_eq!(answer.header(header::RETRY_AFTER), "1", "{user}");
        assert!(answer.json()["detail"].as_str().is_some_and(|text| text.contains("1 second")));
    }
    house.wait(1);
    assert_eq!(attempt(&house, "alice", PASSWORD).await.status, 201);
    attempt(&house, "alice", "wrong password").await.expect_problem(401, "wrong-credentials");
}

#[tokio::test]
async fn attempts_at_the_same_moment_do_not_slip_through() {
    let house = House::open().await;
    house.member("alice").await;
    let attempts = (0..20).map(|_| attempt(&house, "alice", "wrong password"));
    let answers = futures_util::future::join_all(attempts).await;
    let checked = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(checked, 3);
}

#[tokio::test]
async fn one_address_that_tries_many_accounts_is_slowed_and_others_are_not() {
    let house = House::open().await;
    house.member("alice").await;
    for n in 0..30 {
        attempt(&house, &format!("user{n}"), "wrong password").await.expect_problem(401, "wrong-credentials");
    }
    attempt(&house, "alice", PASSWORD).await.expect_problem(429, "throttled");
    let mut elsewhere = anonymous(Method::POST, "/api/v1/token-requests", Some(&asked("alice", PASSWORD)));
    let address = "2001:db8::1".parse().expect("an address");
    elsewhere.extensions_mut().insert(Peer { address, transport: Transport::Tls });
    assert_eq!(house.send(elsewhere).await.status, 201);
}

#[tokio::test]
async fn an_unknown_name_costs_as_much_as_a_wrong_password() {
    let house = House::open().await;
    house.member("alice").await;
    let mut spent = [Duration::ZERO; 2];
    for round in 0..6 {
        for (place, user) in ["alice", "nobody"].into_iter().enumerate() {
            let began = Instant::now();
            attempt(&house, user, &format!("wrong {round}")).await.expect_problem(401, "wrong-credentials");
            spent[place] += began.elapsed();
            house.wait(300);
        }
    }
    let [known, unknown] = spent.map(|spent| spent.as_secs_f64());
    assert!(unknown > known * 0.5 && known > unknown * 0.5, "{known} and {unknown} seconds");
}

#[tokio::test]
async fn other_requests_go_on_while_many_sign_in() {
    let house = House::open().await;
    let alice = house.member("alice").await;
    let attempts = (0..100).map(|n| {
        let user = format!("user{n}");
        let mut request = anonymous(Method::POST, "/api/v1/token-requests", Some(&asked(&user, "wrong one")));
        let address = format!("192.0.2.{n}").parse().expect("an address");
        request.extensions_mut().insert(Peer { address, transport: Transport::Plain });
        house.send(request)
    });
    let mut attempts = std::pin::pin!(futures_util::future::join_all(attempts));
    let other = async {
        let began = Instant::now();
        assert_eq!(house.send(alice.get("/api/v1/me")).await.status, 200);
        began.elapsed()
    };
    let waited = tokio::select! {
        biased;
        _ = &mut attempts => panic!("a hundred checks cannot be that quick"),
        waited = other => waited,
    };
    assert!(waited < Duration::from_secs(2), "{waited:?}");
    assert!(attempts.await.iter().all(|answer| answer.status == 401));
}

#[tokio::test]
async fn huge_names_and_passwords_are_refused_at_once() {
    let house = House::open().await;
    let huge = "x".repeat(900_000);
    attempt(&house, &huge, "short").await.expect_problem(401, "wrong-credentials");
    attempt(&house, "alice", &huge).await.expect_problem(401, "wrong-credentials");
    attempt(&house, &"x".repeat(2_000_000), "short").await.expect_problem(413, "too-large");
}

#[tokio::test]
async fn changing_the_password_ends_every_login_but_gives_a_new_one() {
    let house = House::open().await;
    let alice = house.member("alice").await;
    let change = |current: &str, password: &str| {
        let body = json!({"current": current, "password": password});
        alice.request(Method::PUT, "/api/v1/me/password", Some(&body))
    };
    let wrong = house.send(change("wrong password", "eleven blue bicycles")).await;
    wrong.expect_problem(422, "invalid");
    assert!(wrong.json()["errors"]["current"].is_string());
    for weak in ["short", "password123", "alice", "aaaaaaaaaaaa"] {
        let answer = house.send(change(PASSWORD, weak)).await;
        answer.expect_problem(422, "invalid");
        assert!(answer.json()["errors"]["password"].is_string(), "{weak}");
    }
    let done = house.send(change(PASSWORD, "eleven blue bicycles")).await;
    assert_eq!((done.status.as_u16(), done.cookies().len()), (204, 1));
    assert_eq!(house.send(alice.get("/api/v1/me")).await.status, 401);
    assert_eq!(attempt(&house, "alice", PASSWORD).await.status, 401);
    assert_eq!(attempt(&house, "alice", "eleven blue bicycles").await.status, 201);
}
