//! Requests and answers of every kind pass unharmed, and connections to apps are used well.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use portico_core::route::Upstream;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{App, Harness, Raw, raw_app};

const NAVIGATE: (&str, &str) = ("Sec-Fetch-Mode", "navigate");

#[tokio::test]
async fn apps_are_reached_over_unix_sockets_too() {
    let house = Harness::start().await;
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("app.sock");
    let app = App::unix(&path);
    house.open("wa", app.upstream.clone());
    for _ in 0..3 {
        assert_eq!(house.get("wa", "/x").await.status, 200);
    }
    assert_eq!(app.connections(), 1, "kept alive");
}

#[tokio::test]
async fn the_path_is_forwarded_as_it_came() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    for path in ["/a%2Fb/../c//d?x=%20&y", "/%2e%2e/", "/?", "/;a=b", "/x:y@z", "/\"{}|"] {
        let text = house.get("wa", path).await.text();
        assert!(text.starts_with(&format!("GET {path}\n")), "{text}");
    }
}

#[tokio::test]
async fn methods_and_bodies_pass() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "OPTIONS"] {
        let answer = house.ask(method, &host, "/", &[("Cookie", &cookie)], b"body").await;
        assert!(answer.text().starts_with(&format!("{method} /\n")) && answer.text().ends_with("\nbody"));
    }
    let head = house.ask("HEAD", &host, "/x", &[("Cookie", &cookie)], b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert!(head.header("content-length").is_some_and(|length| length != "0"), "{}", head.head);
}

#[tokio::test]
async fn answers_without_bodies_leave_the_connection_usable() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    for (method, path) in [
        ("GET", "/status/204"),
        ("GET", "/status/304"),
        ("HEAD", "/x"),
        ("GET", "/status/500"),
        ("GET", "/x"),
    ] {
        raw.write(format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes())
            .await;
        let answer = raw.answer_to(method).await;
        let expected = path.rsplit('/').next().and_then(|code| code.parse().ok()).unwrap_or(200);
        assert_eq!(answer.status, expected, "{path}");
    }
    assert_eq!(app.connections(), 1);
}

#[tokio::test]
async fn the_app_hears_of_an_expected_continue_only_by_the_body() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    raw.write(format!("POST / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").as_bytes()).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 100 "));
    raw.write(b"hi").await;
    assert!(raw.answer().await.text().ends_with("\nhi"));
    let mut raw = house.raw().await;
    raw.write(
        format!("POST / HTTP/1.1\r\nHost: {host}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            .as_bytes(),
    )
    .await;
    assert_eq!(raw.answer().await.status, 401, "a refusal needs no body");
}

#[tokio::test]
async fn trailers_are_dropped_cleanly() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let answer = house.get("wa", "/trailers").await;
    assert_eq!((answer.text().as_str(), answer.header("trailer")), ("whole", None));
}

#[tokio::test]
async fn informational_answers_do_not_disturb() {
    let house = Harness::start().await;
    let app = raw_app(|mut stream: TcpStream| async move {
        read_head(&mut stream).await;
        let answer = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        stream.write_all(answer.as_bytes()).await.expect("a client");
    })
    .await;
    house.open("wa", app.upstream.clone());
    assert_eq!(house.get("wa", "/").await.text(), "ok");
}

#[tokio::test]
async fn an_old_client_is_served() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    raw.write(format!("GET /bytes/100000 HTTP/1.0\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes())
        .await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.0 200") && !head.contains("chunked"), "{head}");
    assert_eq!(raw.rest().await.len(), 100_000);
}

#[tokio::test]
async fn an_app_that_cannot_be_reached_is_said_so() {
    let house = Harness::start().await;
    let gone = App::tcp().await.upstream.clone();
    house.open("wa", gone);
    house.open("wb", Upstream::Unix("/nonexistent/app.sock".into()));
    for name in ["wa", "wb"] {
        let page = house.get_with(name, "/", &[NAVIGATE]).await;
        assert_eq!((page.status, page.text().as_str()), (502, "refused BadUpstream"));
        let data = house.get(name, "/").await;
        assert_eq!((data.status, data.header("content-type")), (502, Some("application/problem+json")));
        let upgrade = house.get_with(name, "/", &[("Connection", "Upgrade"), ("Upgrade", "websocket")]).await;
        assert_eq!(upgrade.status, 502);
    }
}

#[tokio::test]
async fn an_app_that_answers_nonsense_or_breaks_off_is_said_so() {
    let house = Harness::start().await;
    for (name, answer) in [
        ("wa", ""),
        ("wb", "nonsense\r\n\r\n"),
        ("wc", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        ("wd", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
        ("we", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
    ] {
        let app = raw_app(move |mut stream: TcpStream| async move {
            read_head(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.expect("a client");
        })
        .await;
        house.open(name, app.upstream.clone());
        assert_eq!(house.get(name, "/").await.status, 502, "{answer:?}");
    }
}

#[tokio::test]
async fn an_app_cannot_lie_about_the_length_of_its_answer() {
    let house = Harness::start().await;
    for (name, head) in [
        ("wa", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        ("wb", "Transfer-Encoding: chunked\r\nContent-Length: 90\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        ("wc", "Content-Length: 2\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n"),
        ("wd", "Connection: close\r\n\r\nok"),
    ] {
        let app = raw_app(move |mut stream: TcpStream| async move {
            read_head(&mut stream).await;
            let answer = format!("HTTP/1.1 200 OK\r\n{head}");
            stream.write_all(answer.as_bytes()).await.expect("a client");
        })
        .await;
        house.open(name, app.upstream.clone());
        let (host, cookie) = (house.host(name), house.cookie(name));
        let mut raw = house.raw().await;
        for _ in 0..2 {
            raw.write(format!("GET / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes()).await;
            let answer = raw.answer().await;
            assert_eq!(answer.text(), "ok", "{head:?}: {}", answer.head);
            assert!(answer.headers("content-length").len() <= 1, "{}", answer.head);
        }
    }
}

#[tokio::test]
async fn an_app_that_does_not_answer_is_not_waited_for_for_ever() {
    let house = Harness::with(|config| config.limits.answer_seconds = 1).await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let page = house.get_with("wa", "/slow", &[NAVIGATE]).await;
    assert_eq!((page.status, page.text().as_str()), (504, "refused SlowUpstream"));
    crate::harness::eventually("the connection's end", || app.open() == 0).await;
}

#[tokio::test]
async fn a_slow_upload_is_no_slow_answer() {
    let house = Harness::with(|config| config.limits.answer_seconds = 1).await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    raw.write(
        format!("POST /count HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nContent-Length: 6\r\n\r\n")
            .as_bytes(),
    )
    .await;
    for _ in 0..6 {
        raw.write(b"x").await;
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    assert_eq!(raw.answer().await.text(), "6");
}

#[tokio::test]
async fn a_stale_connection_is_replaced_without_the_client_noticing() {
    let house = Harness::start().await;
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    // Each connection answers once and breaks off within the second request.
    let app = raw_app(move |mut stream: TcpStream| {
        let count = Arc::clone(&count);
        async move {
            read_head(&mut stream).await;
            count.fetch_add(1, Ordering::SeqCst);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.expect("a client");
            read_head(&mut stream).await;
        }
    })
    .await;
    house.open("wa", app.upstream.clone());
    for _ in 0..4 {
        assert_eq!(house.get("wa", "/").await.text(), "ok");
    }
    assert_eq!(served.load(Ordering::SeqCst), 4);
    assert_eq!(house.get("wa", "/").await.status, 200);
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let post = house.ask("POST", &host, "/", &[("Cookie", &cookie)], b"once").await;
    assert_eq!(post.status, 502, "what was sent and may have been done is not repeated");
}

#[tokio::test]
async fn an_early_answer_arrives_while_uploading() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    raw.write(format!("POST /early HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nContent-Length: 100000000\r\n\r\nstart").as_bytes()).await;
    assert_eq!(raw.answer().await.status, 413);
}

#[tokio::test]
async fn parallel_requests_share_few_connections_later() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    for _ in 0..5 {
        let answers = futures_util::future::join_all((0..8).map(|_| house.get("wa", "/bytes/100000"))).await;
        assert!(answers.iter().all(|answer| answer.body.len() == 100_000));
    }
    assert!(app.connections() <= 10, "{} connections for 40 requests", app.connections());
}

/// Reads to the empty line or the end.
pub(crate) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.is_ok_and(|count| count > 0) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

#[tokio::test]
async fn a_route_that_moves_is_followed_at_once() {
    let house = Harness::start().await;
    let (one, other) = (App::tcp().await, App::tcp().await);
    house.open("wa", one.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw: Raw = house.raw().await;
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n");
    raw.write(request.as_bytes()).await;
    assert_eq!(raw.answer().await.status, 200);
    house.open("wa", other.upstream.clone());
    raw.write(request.as_bytes()).await;
    assert_eq!(raw.answer().await.status, 200);
    assert_eq!((one.connections(), other.connections()), (1, 1));
}
