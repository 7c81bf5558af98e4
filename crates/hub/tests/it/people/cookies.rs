use http::{Method, header};
use portico_core::Secret;
use portico_hub::{Config, auth::Client, service};

use crate::harness::{
    House, PASSWORD, Person,
    person::{anonymous, request},
};

async fn signed_in(house: &House, name: &str, before: Option<&Person>) -> (String, Person) {
    let before = before.map(|person| house.actor(person));
    let password = Secret::new(PASSWORD);
    let new =
        service::sign_in::sign_in(&house.hub, &Client::default(), before.as_ref(), name, &password).await;
    let new = new.expect("signs in");
    let cookie = new.cookie(&house.hub).to_str().expect("text").to_owned();
    let permit = portico_hub::auth::Actor::console(house.hub.now()).may_administer().expect("may");
    let user = service::user::by_name(&house.hub, &permit, name).await.expect("a user");
    (cookie, Person::of(&house.hub, user, &new))
}

#[tokio::test]
async fn the_cookie_stays_in_this_browser_at_this_origin() {
    let house = House::open().await;
    house.member("alice").await;
    let (cookie, _) = signed_in(&house, "alice", None).await;
    let (pair, attributes) = cookie.split_once("; ").expect("attributes");
    assert!(pair.starts_with("__Host-portico="));
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=604800");
}

#[tokio::test]
async fn a_site_without_tls_gets_the_plain_form() {
    let public_url = "http://portico.example.org".parse().expect("an address");
    let house = House::with(Config { public_url, ..Config::default() }).await;
    house.member("alice").await;
    let (cookie, _) = signed_in(&house, "alice", None).await;
    assert!(cookie.starts_with("portico=") && !cookie.contains("Secure"), "{cookie}");
    assert!(cookie.contains("; HttpOnly; SameSite=Lax"));
}

#[tokio::test]
async fn every_sign_in_has_a_new_secret_and_ends_the_one_before() {
    let house = House::open().await;
    let first = house.member("alice").await;
    let (_, second) = signed_in(&house, "alice", Some(&first)).await;
    assert_ne!(first.cookie, second.cookie);
    assert_eq!(house.send(first.get("/api/v1/me")).await.status, 401);
    assert_eq!(house.send(second.get("/api/v1/me")).await.status, 200);
}

#[tokio::test]
async fn a_cookie_from_elsewhere_signs_nobody_in() {
    let house = House::open().await;
    let alice = house.member("alice").await;
    let (_, secret) = alice.cookie.split_once('=').expect("a pair");
    for cookie in [
        format!("portico={secret}"),
        format!("__host-portico={secret}"),
        format!("__Host-portico={}", "a".repeat(52)),
        format!("__Host-portico={}", "a".repeat(8000)),
        "__Host-portico=".to_owned(),
    ] {
        let asked = request(Method::GET, "/api/v1/me").header(header::COOKIE, &cookie);
        let answer = house.send(asked.body(axum::body::Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, 401, "{cookie}");
    }
    let tossed = format!("{}; __Host-portico={}", alice.cookie, "b".repeat(52));
    let asked = request(Method::GET, "/api/v1/me").header(header::COOKIE, tossed);
    let answer = house.send(asked.body(axum::body::Body::empty()).expect("a request")).await;
    answer.expect_problem(400, "bad-request");
}

#[tokio::test]
async fn a_login_dies_of_age_and_of_idleness() {
    let house = House::open().await;
    let alice = house.member("alice").await;
    let idle = house.hub.config.login.lifetime().idle_seconds;
    for _ in 0..3 {
        house.wait(idle - 1);
        assert_eq!(house.send(alice.get("/api/v1/me")).await.status, 200);
    }
    house.wait(idle);
    assert_eq!(house.send(alice.get("/api/v1/me")).await.status, 401);
    let bob = house.member("bob").await;
    for _ in 0..14 {
        assert_eq!(house.send(bob.get("/api/v1/me")).await.status, 200);
        house.wait(idle - 1);
    }
    house.wait(idle);
    assert_eq!(house.send(bob.get("/api/v1/me")).await.status, 401);
}

#[tokio::test]
async fn no_answer_to_a_stranger_sets_a_cookie() {
    let house = House::open().await;
    for path in ["/", "/api/v1/me", "/nothing", "/api/v1/version"] {
        let answer = house.send(anonymous(Method::GET, path, None)).await;
        assert_eq!(answer.cookies(), Vec::<String>::new(), "{path}");
    }
}
