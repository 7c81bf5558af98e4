//! What is taken away ends at once, also where it is in use.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use portico_core::route::{Doors, Revocations};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::WebSocketStream;

use crate::{
    harness::{App, Harness, Raw, SOON, eventually, workload_of},
    tunnels::{connect, echoing},
};

/// What the design promises is a tenth of it; machines that run tests are busy.
const AT_ONCE: Duration = Duration::from_secs(1);

async fn ends(socket: &mut WebSocketStream<TcpStream>) -> Duration {
    let started = Instant::now();
    let ended = async { while let Some(Ok(_)) = socket.next().await {} };
    timeout(SOON, ended).await.expect("the tunnel ends");
    started.elapsed()
}

async fn listen(house: &Harness, cookie: &str) -> Raw {
    let mut raw = house.raw().await;
    let host = house.host("wa");
    raw.write(format!("GET /events HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes()).await;
    raw.head().await;
    raw.line().await;
    raw.line().await;
    raw
}

async fn revoked_by(change: impl FnOnce(&Harness, Timestamp)) {
    let house = Harness::start().await;
    let (sockets, events) = (echoing().await, App::tcp().await);
    house.open("wa", sockets.upstream.clone());
    let cookie = house.cookie("wa");
    let mut socket = connect(&house, "wa", &cookie).await.expect("let in");
    change(&house, Timestamp::now());
    let took = ends(&mut socket).await;
    assert!(took < AT_ONCE, "{took:?}");
    eventually("the end of the app's connection", || sockets.open() == 0).await;
    let after = house.ask("GET", &house.host("wa"), "/", &[("Cookie", &cookie)], b"").await;
    assert!(matches!(after.status, 401 | 502 | 503), "{}", after.status);
    drop(events);
}

#[tokio::test]
async fn signing_out_cuts_tunnels() {
    revoked_by(|house, now| {
        let login = house.pass("wa").login;
        house.revoke(|revocations| {
            revocations.logins.insert(login, now);
        });
    })
    .await;
}

#[tokio::test]
async fn disabling_a_user_cuts_tunnels() {
    revoked_by(|house, now| {
        let user = house.pass("wa").user;
        house.revoke(|revocations| {
            revocations.users.insert(user, now);
        });
    })
    .await;
}

#[tokio::test]
async fn ending_a_share_cuts_tunnels() {
    revoked_by(|house, now| {
        house.revoke(|revocations| {
            revocations.workloads.insert(workload_of("wa"), now);
        })
    })
    .await;
}

#[tokio::test]
async fn a_route_that_goes_cuts_tunnels() {
    revoked_by(|house, _| house.close("wa")).await;
}

#[tokio::test]
async fn a_workload_that_stops_cuts_tunnels() {
    revoked_by(|house, _| house.route("wa", Doors::Closed)).await;
}

#[tokio::test]
async fn streams_are_cut_too_and_others_are_not() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let mut other = house.pass("wa");
    other.login = portico_core::LoginId::new(Timestamp::UNIX_EPOCH, [9; 10]);
    let mut one = listen(&house, &house.cookie("wa")).await;
    let mut stays = listen(&house, &format!("__Host-portico-pass={}", house.sign(&other))).await;
    let login = house.pass("wa").login;
    let started = Instant::now();
    house.revoke(|Revocations { logins, .. }| {
        logins.insert(login, Timestamp::now());
    });
    assert!(one.ends_within(SOON).await);
    assert!(started.elapsed() < AT_ONCE);
    eventually("the end of one of the app's connections", || app.open() == 1).await;
    assert!(!stays.ends_within(crate::harness::A_MOMENT).await);
}

#[tokio::test]
async fn a_download_that_nobody_reads_is_cut() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    raw.write(
        format!("GET /bytes/1000000000 HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes(),
    )
    .await;
    raw.head().await;
    tokio::time::sleep(crate::harness::A_MOMENT).await;
    house.close("wa");
    eventually("the end of the app's connection", || app.open() == 0).await;
}

#[tokio::test]
async fn a_request_that_waits_is_cut() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    raw.write(format!("GET /slow HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes()).await;
    eventually("the request's arrival", || app.open() == 1).await;
    house.close("wa");
    assert!(raw.ends_within(AT_ONCE).await);
}

#[tokio::test]
async fn a_pass_that_runs_out_ends_what_it_opened() {
    let house = Harness::start().await;
    let app = echoing().await;
    house.open("wa", app.upstream.clone());
    let mut pass = house.pass("wa");
    pass.expires = Timestamp::now() + SignedDuration::from_secs(1);
    let cookie = format!("__Host-portico-pass={}", house.sign(&pass));
    let mut socket = connect(&house, "wa", &cookie).await.expect("let in");
    let took = ends(&mut socket).await;
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[tokio::test]
async fn other_changes_cut_nothing() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let mut stays = listen(&house, &house.cookie("wa")).await;
    house.open("wb", app.upstream.clone());
    house.close("wb");
    house.open("wa", app.upstream.clone());
    assert!(!stays.ends_within(crate::harness::A_MOMENT).await);
}
