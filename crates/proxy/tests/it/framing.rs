//! Requests that two readers could understand differently, and other hostile bytes.

use crate::harness::{App, Harness};

#[tokio::test]
async fn smuggled_requests_are_refused_before_anything_is_dialled() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    for (what, rest) in [
        ("CL.TE", format!("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}")),
        ("TE.CL", format!("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{smuggled}")),
        ("TE.TE", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n".to_owned()),
        ("TE list", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("TE unknown", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("TE space", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("TE tab", "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("TE folded", "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("CL twice", format!("Content-Length: 0\r\nContent-Length: 0\r\n\r\n{smuggled}")),
        ("CL twice differing", format!("Content-Length: 0\r\nContent-Length: 40\r\n\r\n{smuggled}")),
        ("CL list", format!("Content-Length: 0, 0\r\n\r\n{smuggled}")),
        ("CL sign", "Content-Length: +2\r\n\r\nhi".to_owned()),
        ("CL negative", "Content-Length: -1\r\n\r\n".to_owned()),
        ("CL hex", "Content-Length: 0x2\r\n\r\nhi".to_owned()),
        ("CL huge", "Content-Length: 99999999999999999999\r\n\r\n".to_owned()),
        ("folded", "X-A: b\r\n c\r\n\r\n".to_owned()),
        ("bare LF", format!("X-A: b\n\r\n{smuggled}")),
        ("bare LF end", format!("X-A: b\r\n\n{smuggled}")),
        ("bare CR", "X-A: b\rX-B: c\r\n\r\n".to_owned()),
        ("NUL", "X-A: b\0c\r\n\r\n".to_owned()),
        ("no colon", "X-A\r\n\r\n".to_owned()),
        ("no name", ": x\r\n\r\n".to_owned()),
        ("bad name", "X(A): x\r\n\r\n".to_owned()),
    ] {
        let mut raw = house.raw().await;
        raw.write(format!("POST / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{rest}").as_bytes()).await;
        let text = String::from_utf8_lossy(&raw.rest().await).into_owned();
        assert!(text.starts_with("HTTP/1.1 400 "), "{what}: {text}");
        assert_eq!(text.matches("HTTP/1.1").count(), 1, "{what}: one answer and the end: {text}");
    }
    assert_eq!(app.connections(), 0);
}

#[tokio::test]
async fn malformed_chunks_end_the_connection() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    for chunks in [
        "2\nhi\r\n0\r\n\r\n",
        "2\r\nhix\r\n0\r\n\r\n",
        "0x2\r\nhi\r\n0\r\n\r\n",
        "-1\r\n\r\n",
        "fffffffffffffffff\r\n",
        "2 2\r\nhi\r\n",
    ] {
        let mut raw = house.raw().await;
        let head = format!(
            "POST /count HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        raw.write(format!("{head}{chunks}GET /smuggled HTTP/1.1\r\n\r\n").as_bytes()).await;
        let text = String::from_utf8_lossy(&raw.rest().await).into_owned();
        assert!(!text.contains("HTTP/1.1 200"), "{chunks:?}: {text}");
        assert!(text.matches("HTTP/1.1").count() <= 1, "{chunks:?}: {text}");
    }
}

#[tokio::test]
async fn well_formed_chunks_arrive_whole_without_their_extensions_and_trailers() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    let chunks = "2;ext=\"x\"\r\nhi\r\n5\r\n\r\n\n\0x\r\n0\r\nX-Trailer: 1\r\n\r\n";
    for _ in 0..2 {
        raw.write(format!("POST / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}").as_bytes()).await;
        let text = raw.answer().await.text();
        assert!(text.ends_with("\nhi\r\n\n\0x") && !text.contains("x-trailer"), "{text:?}");
        assert!(text.contains("transfer-encoding: chunked\n"), "{text}");
    }
}

#[tokio::test]
async fn hostile_first_lines_are_each_answered() {
    let house = Harness::start().await;
    let hub = house.hub_host();
    for line in [
        "GET  / HTTP/1.1",
        "GET / /x HTTP/1.1",
        "GET /\tx HTTP/1.1",
        "GET / HTTP/1.2",
        "GET / HTTP/2.0",
        "GET / http/1.1",
        "GET /",
        "G ET / HTTP/1.1",
        " GET / HTTP/1.1",
        "\r\nGET / HTTP/1.1",
        "GET / HTTP/1.1 x",
        "GET /\0 HTTP/1.1",
        "\x16\x03\x01",
        "PRI * HTTP/2.0",
        "GET /\u{7f} HTTP/1.1",
    ] {
        let mut raw = house.raw().await;
        raw.write(format!("{line}\r\nHost: {hub}\r\nConnection: close\r\n\r\n").as_bytes()).await;
        let text = String::from_utf8_lossy(&raw.rest().await).into_owned();
        assert!(text.starts_with("HTTP/1.1 400 ") || text.is_empty(), "{line:?}: {text}");
    }
    let mut raw = house.raw().await;
    raw.write(b"GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n").await;
    assert_eq!(raw.answer().await.status, 400, "an upgrade without host");
    assert_eq!(house.ask("GET", &hub, "/", &[], b"").await.status, 200, "alive");
}

#[tokio::test]
async fn requests_of_one_connection_follow_each_other() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let request = |path: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nContent-Length: 3\r\n\r\n\r\n\n")
    };
    let mut raw = house.raw().await;
    raw.write([request("/1"), request("/2"), request("/3")].concat().as_bytes()).await;
    for number in 1..=3 {
        let text = raw.answer().await.text();
        assert!(text.starts_with(&format!("POST /{number}\n")) && text.ends_with("\n\r\n\n"), "{text:?}");
    }
    assert_eq!(app.connections(), 1, "over one connection to the app");
}
