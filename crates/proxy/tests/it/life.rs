//! Beginning and end.

use std::time::Duration;

use portico_proxy::{Config, bind};
use tokio::{net::TcpStream, time::timeout};

use crate::harness::{A_MOMENT, App, Harness, SOON};

#[tokio::test]
async fn a_taken_address_is_named() {
    let house = Harness::start().await;
    let error = bind(&[house.address]).expect_err("taken");
    assert_eq!(error.to_string(), format!("cannot listen on {}", house.address));
}

#[tokio::test]
async fn a_soft_stop_finishes_what_is_in_flight() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut busy = house.raw().await;
    busy.write(
        format!("PUT /count HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nContent-Length: 2\r\n\r\nh")
            .as_bytes(),
    )
    .await;
    crate::harness::eventually("the request's arrival", || app.open() == 1).await;
    let mut idle = house.raw().await;
    idle.write(format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", house.hub_host()).as_bytes()).await;
    idle.answer().await;
    house.soft.cancel();
    assert!(idle.ends_within(SOON).await, "idle connections end");
    assert!(TcpStream::connect(house.address).await.is_err(), "no more are accepted");
    busy.write(b"i").await;
    assert_eq!(busy.answer().await.text(), "2");
    assert!(busy.ends_within(SOON).await);
    house.tasks.close();
    timeout(SOON, house.tasks.wait()).await.expect("serving ends");
    crate::harness::eventually("the end of the app's connections", || app.open() == 0).await;
}

#[tokio::test]
async fn a_hard_stop_cuts_what_is_left() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut events = house.raw().await;
    events
        .write(format!("GET /events HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes())
        .await;
    events.head().await;
    house.soft.cancel();
    house.tasks.close();
    assert!(timeout(A_MOMENT, house.tasks.wait()).await.is_err(), "streams are waited for");
    house.hard.cancel();
    timeout(Duration::from_secs(3), house.tasks.wait()).await.expect("serving ends");
    events.rest().await;
}

#[test]
fn mistakes_in_the_configuration_are_shown_where_they_stand() {
    for (text, expected) in [
        ("public_url = \"localhost:8080\"", "expected http://host:port"),
        ("public_url = \"http://localhost:8080/hub\"", "without a path"),
        ("apps_domain = \"http://x\"", "without a scheme"),
        ("apps_domain = \"10.0.0.1\"", "expected a domain"),
        ("trusted_proxies = [\"10.0.0.0/33\"]", "is not a network"),
        ("mode = \"paths\"", "unknown variant"),
        ("listne = []", "unknown field"),
        ("[limits]\nheader_byte = 1", "unknown field"),
    ] {
        let error = toml::from_str::<Config>(text).expect_err("a mistake").to_string();
        assert!(error.contains(expected) && error.contains("line"), "{error}");
    }
    let config: Config = toml::from_str("").expect("everything has a default");
    assert_eq!(config, Config::default());
}
