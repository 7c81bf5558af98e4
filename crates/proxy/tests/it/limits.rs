//! Too much of anything gets an answer, and nothing is left open.

use std::{sync::Arc, time::Duration};

use prometheus_client::encoding::text::encode;

use crate::harness::{A_MOMENT, App, Harness, SOON, eventually, raw_app};

/// The value of a metric without labels.
pub(crate) fn metric(house: &Harness, name: &str) -> i64 {
    let mut text = String::new();
    encode(&mut text, &house.registry).expect("text");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} in {text}"))
}

#[tokio::test]
async fn oversized_heads_get_431() {
    let house = Harness::start().await;
    let hub = house.hub_host();
    let start = format!("GET / HTTP/1.1\r\nHost: {hub}\r\n");
    let many: String = (0..200).map(|number| format!("X-{number}: x\r\n")).collect();
    let long = format!("X: {}\r\n", "x".repeat(100_000));
    for headers in [many, long] {
        let mut raw = house.raw().await;
        raw.write(format!("{start}{headers}\r\n").as_bytes()).await;
        assert_eq!(raw.answer().await.status, 431);
    }
    let mut raw = house.raw().await;
    raw.write(format!("GET /{} HTTP/1.1\r\nHost: {hub}\r\n\r\n", "x".repeat(66_000)).as_bytes()).await;
    assert!(matches!(raw.answer().await.status, 414 | 431));
    let cookie = "c".repeat(20_000);
    assert_eq!(house.ask("GET", &hub, "/", &[("Cookie", &cookie)], b"").await.status, 200);
}

#[tokio::test]
async fn a_head_that_comes_too_slowly_ends_the_connection() {
    let house = Harness::with(|config| config.limits.header_seconds = 1).await;
    let mut slow = house.raw().await;
    slow.write(b"GET / HTTP/1.1\r\nHost: x\r\n").await;
    let mut silent = house.raw().await;
    let mut idle = house.raw().await;
    idle.write(format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", house.hub_host()).as_bytes()).await;
    idle.answer().await;
    for raw in [&mut slow, &mut silent, &mut idle] {
        assert!(raw.ends_within(Duration::from_secs(4)).await);
    }
    eventually("the end of all connections", || metric(&house, "portico_door_connections") == 0).await;
}

#[tokio::test]
async fn too_many_connections_get_503() {
    let house = Harness::with(|config| config.limits.connections = 2).await;
    let held = [house.raw().await, house.raw().await];
    eventually("both connections", || metric(&house, "portico_door_connections") == 2).await;
    let mut raw = house.raw().await;
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    drop(held);
    eventually("the end of both", || metric(&house, "portico_door_connections") == 0).await;
    assert_eq!(house.ask("GET", &house.hub_host(), "/", &[], b"").await.status, 200);
}

#[tokio::test]
async fn one_client_cannot_take_all_connections() {
    let house = Harness::with(|config| config.limits.connections_per_client = 1).await;
    let held = house.raw().await;
    eventually("the connection", || metric(&house, "portico_door_connections") == 1).await;
    assert_eq!(house.raw().await.answer().await.status, 503);
    drop(held);
    eventually("its end", || metric(&house, "portico_door_connections") == 0).await;
    let house = Harness::with(|config| {
        config.limits.connections_per_client = 1;
        config.trusted_proxies = vec!["127.0.0.1".parse().expect("a network")];
    })
    .await;
    let _held = house.raw().await;
    assert_eq!(
        house.ask("GET", &house.hub_host(), "/", &[], b"").await.status,
        200,
        "a proxy is many clients"
    );
}

#[tokio::test]
async fn one_workload_has_so_many_connections() {
    let house = Harness::with(|config| config.limits.connections_per_workload = 1).await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    house.open("wb", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    raw.write(format!("GET /events HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes()).await;
    raw.head().await;
    let page = house.get_with("wa", "/", &[("Sec-Fetch-Mode", "navigate")]).await;
    assert_eq!((page.status, page.text().as_str()), (503, "refused TooMuch"));
    assert_eq!(house.get("wb", "/").await.status, 200);
    drop(raw);
    eventually("room", || app.open() <= 1).await;
    let mut status = 0;
    for _ in 0..100 {
        status = house.get("wa", "/").await.status;
        if status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(status, 200);
}

#[tokio::test]
async fn the_hub_takes_bodies_up_to_a_limit() {
    let house = Harness::with(|config| config.limits.hub_body_bytes = 100).await;
    let hub = house.hub_host();
    assert_eq!(house.ask("POST", &hub, "/", &[], &[0; 100]).await.status, 200);
    assert_eq!(house.ask("POST", &hub, "/", &[], &[0; 101]).await.status, 413);
    let mut raw = house.raw().await;
    let chunk = format!("65\r\n{}\r\n", "x".repeat(0x65));
    raw.write(
        format!("POST / HTTP/1.1\r\nHost: {hub}\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n")
            .as_bytes(),
    )
    .await;
    assert_eq!(raw.answer().await.status, 413);
}

#[tokio::test]
async fn abandoned_connections_leave_nothing_open() {
    let house = Harness::start().await;
    let app = Arc::new(
        raw_app(|mut stream| async move {
            crate::forwarding::read_head(&mut stream).await;
            // Waits for the other side's end, as a busy app would.
            crate::forwarding::read_head(&mut stream).await;
        })
        .await,
    );
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    for round in 0..3 {
        let mut held = Vec::new();
        for number in 0..50 {
            let mut raw = house.raw().await;
            let upgrade = if number % 2 == 0 { "Connection: Upgrade\r\nUpgrade: websocket\r\n" } else { "" };
            raw.write(
                format!("GET / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{upgrade}\r\n").as_bytes(),
            )
            .await;
            held.push(raw);
        }
        eventually("all requests", || app.connections() == 50 * (round + 1)).await;
        drop(held);
        eventually("no connection to the app", || app.open() == 0).await;
        eventually("no connection from outside", || metric(&house, "portico_door_connections") == 0).await;
    }
}

#[tokio::test]
async fn what_happens_is_counted() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    house.get("wa", "/bytes/1000").await;
    house.ask("GET", &house.hub_host(), "/", &[], b"").await;
    house.ask("GET", &house.host("wa"), "/", &[], b"").await;
    let mut text = String::new();
    encode(&mut text, &house.registry).expect("text");
    for line in [
        "portico_door_requests_total{kind=\"App\",status=\"2xx\"} 1",
        "portico_door_requests_total{kind=\"App\",status=\"4xx\"} 1",
        "portico_door_requests_total{kind=\"Hub\",status=\"2xx\"} 1",
        "portico_door_refused_total{reason=\"NoPass\"} 1",
        "portico_door_bytes_total{direction=\"Out\"} 1000",
        "portico_door_request_seconds_count{kind=\"Hub\"} 1",
        "portico_door_upstream_dials_total 1",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[tokio::test]
async fn connections_nobody_uses_are_closed() {
    let house = Harness::with(|config| config.limits.idle_seconds = 1).await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    house.get("wa", "/").await;
    assert_eq!(app.open(), 1);
    eventually("the end of the unused connection", || app.open() == 0).await;
    house.get("wa", "/").await;
    house.close("wa");
    eventually("the end with the route", || app.open() == 0).await;
    let _ = (A_MOMENT, SOON);
}
