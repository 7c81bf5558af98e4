//! Large and endless bodies, in little memory.

use std::time::Duration;

use tokio::{io::AsyncReadExt, time::timeout};

use crate::harness::{A_MOMENT, App, Harness, SOON, eventually};

const GIB: u64 = 1 << 30;
/// Growth of this whole process, clients and apps of other tests included, that counts as constant.
const CONSTANT: u64 = 48 << 20;

fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("a Linux");
    let pages: u64 = statm.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("a number");
    pages * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gibibyte_comes_down_in_constant_memory() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    raw.write(format!("GET /bytes/{GIB} HTTP/1.0\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes())
        .await;
    raw.head().await;
    let (before, mut most, mut count) = (resident(), 0, 0_u64);
    let mut piece = vec![0; 256 * 1024];
    loop {
        match timeout(SOON, raw.stream.read(&mut piece)).await.expect("progress").expect("bytes") {
            0 => break,
            read => count += u64::try_from(read).expect("small"),
        }
        most = most.max(resident());
    }
    assert!(count > GIB - 256 * 1024, "{count} bytes");
    assert!(most.saturating_sub(before) < CONSTANT, "grew by {} KiB", most.saturating_sub(before) >> 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gibibyte_goes_up_in_constant_memory() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    raw.write(
        format!("PUT /count HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nContent-Length: {GIB}\r\n\r\n")
            .as_bytes(),
    )
    .await;
    let (before, mut most) = (resident(), 0);
    let piece = vec![0; 256 * 1024];
    for _ in 0..GIB / (256 * 1024) {
        raw.write(&piece).await;
        most = most.max(resident());
    }
    assert_eq!(raw.answer().await.text(), GIB.to_string());
    assert!(most.saturating_sub(before) < CONSTANT, "grew by {} KiB", most.saturating_sub(before) >> 10);
}

#[tokio::test]
async fn a_reader_that_stops_makes_the_app_wait() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    raw.write(format!("GET /bytes/{GIB} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes())
        .await;
    raw.head().await;
    let before = resident();
    tokio::time::sleep(A_MOMENT).await;
    assert!(resident().saturating_sub(before) < CONSTANT);
    drop(raw);
    eventually("the end of the app's connection", || app.open() == 0).await;
}

#[tokio::test]
async fn events_arrive_one_by_one() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    raw.write(format!("GET /events HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes()).await;
    let head = timeout(Duration::from_secs(2), raw.head()).await.expect("at once");
    assert!(head.contains("text/event-stream"));
    timeout(Duration::from_secs(2), async {
        raw.line().await;
        assert_eq!(raw.line().await, "data: 1\n");
    })
    .await
    .expect("at once");
    drop(raw);
    eventually("the end of the app's connection", || app.open() == 0).await;
}
