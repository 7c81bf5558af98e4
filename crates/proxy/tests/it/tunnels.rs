//! WebSockets and other upgrades.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_async, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use crate::{
    forwarding::read_head,
    harness::{App, Harness, Raw, SOON, eventually, raw_app},
};

/// An app that sends every message back.
pub(crate) async fn echoing() -> App {
    raw_app(|stream: TcpStream| async move {
        let Ok(mut socket) = accept_async(stream).await else { return };
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() || socket.send(message).await.is_err() {
                break;
            }
        }
    })
    .await
}

/// Opens a WebSocket as a browser does.
pub(crate) async fn connect(
    house: &Harness,
    label: &str,
    cookie: &str,
) -> Result<WebSocketStream<TcpStream>, Error> {
    let host = house.host(label);
    let mut request = format!("ws://{host}/ws").into_client_request().expect("a request");
    request.headers_mut().insert("cookie", cookie.parse().expect("a cookie"));
    request.headers_mut().insert("origin", format!("http://{host}").parse().expect("an origin"));
    let stream = TcpStream::connect(house.address).await.expect("a connection");
    client_async(request, stream).await.map(|(socket, _)| socket)
}

/// An app that consents to any upgrade and then is `script`.
async fn switching<F>(script: impl Fn(TcpStream) -> F + Clone + Send + Sync + 'static) -> App
where
    F: Future<Output = ()> + Send + 'static,
{
    raw_app(move |mut stream: TcpStream| {
        let script = script.clone();
        async move {
            read_head(&mut stream).await;
            let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.expect("a client");
            script(stream).await;
        }
    })
    .await
}

async fn switch(house: &Harness, early: &str) -> Raw {
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    let head = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: raw\r\n\r\n{early}"
    );
    raw.write(head.as_bytes()).await;
    let head = raw.head().await;
    assert!(
        head.starts_with("HTTP/1.1 101 ") && head.to_ascii_lowercase().contains("upgrade: raw"),
        "{head}"
    );
    raw
}

#[tokio::test]
async fn messages_go_both_ways() {
    let house = Harness::start().await;
    let app = echoing().await;
    house.open("wa", app.upstream.clone());
    let mut socket = connect(&house, "wa", &house.cookie("wa")).await.expect("let in");
    for size in [0, 1, 125, 126, 65_536, 3_000_000] {
        let message = Message::binary(vec![7; size]);
        socket.send(message.clone()).await.expect("open");
        assert_eq!(socket.next().await.expect("open").expect("a message"), message);
    }
    socket.close(None).await.expect("open");
    while let Some(Ok(_)) = socket.next().await {}
    eventually("the end of the app's connection", || app.open() == 0).await;
}

#[tokio::test]
async fn nobody_gets_a_websocket_without_a_pass() {
    let house = Harness::start().await;
    let app = echoing().await;
    house.open("wa", app.upstream.clone());
    for cookie in ["a=b".to_owned(), house.cookie("wb"), "__Host-portico-pass=forged".to_owned()] {
        match connect(&house, "wa", &cookie).await {
            Err(Error::Http(response)) => {
                assert_eq!(response.status(), 401);
                assert!(response.headers().contains_key("content-type"), "a well-formed answer");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(app.connections(), 0);
}

#[tokio::test]
async fn bytes_that_come_too_early_are_kept() {
    let house = Harness::start().await;
    let app = switching(|mut stream| async move {
        let mut bytes = [0; 6];
        stream.read_exact(&mut bytes).await.expect("early bytes");
        stream.write_all(&bytes).await.expect("a client");
    })
    .await;
    house.open("wa", app.upstream.clone());
    let mut raw = switch(&house, "\n\0\rearl").await;
    assert_eq!(raw.read(6).await, b"\n\0\rear");
}

#[tokio::test]
async fn a_half_closed_tunnel_goes_on_the_other_way() {
    let house = Harness::start().await;
    let app = switching(|mut stream| async move {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.expect("bytes");
        stream.write_all(&vec![1; 1_000_000]).await.expect("a client that still reads");
        stream.write_all(&all).await.expect("a client that still reads");
    })
    .await;
    house.open("wa", app.upstream.clone());
    let mut raw = switch(&house, "").await;
    raw.write(b"done").await;
    raw.stream.shutdown().await.expect("open");
    let all = raw.rest().await;
    assert_eq!((all.len(), &all[1_000_000..]), (1_000_004, &b"done"[..]));
}

#[tokio::test]
async fn a_tunnel_whose_client_is_gone_ends() {
    let house = Harness::with(|config| config.limits.half_open_seconds = 1).await;
    let app = switching(|mut stream| async move {
        let mut byte = [0];
        while stream.read(&mut byte).await.is_ok_and(|count| count > 0) {}
        // The app keeps its end open for as long as it is let.
        std::future::pending::<()>().await;
    })
    .await;
    house.open("wa", app.upstream.clone());
    drop(switch(&house, "").await);
    eventually("the end of the tunnel", || crate::limits::metric(&house, "portico_door_tunnels") == 0).await;
}

#[tokio::test]
async fn a_refused_upgrade_is_passed_on_and_ends_the_connection() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    let request = format!(
        "GET /x HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    );
    raw.write(format!("{request}POST /smuggled HTTP/1.1\nHost: {host}\n\n").as_bytes()).await;
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert!(answer.text().contains("upgrade: websocket\n"));
    assert!(raw.ends_within(SOON).await);
}

#[tokio::test]
async fn other_versions_of_http_are_no_upgrade() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    for protocol in ["h2c", "HTTP/2.0", "TLS/1.0", "websocket, h2c"] {
        let headers = [
            ("Connection", "Upgrade, HTTP2-Settings"),
            ("Upgrade", protocol),
            ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
        ];
        let text = house.get_with("wa", "/x", &headers).await.text();
        assert!(
            text.starts_with("GET /x\n") && !text.contains("\nupgrade:") && !text.contains("http2-settings"),
            "{text}"
        );
    }
    let cookie = house.cookie("wa");
    let headers = [("Cookie", cookie.as_str()), ("Connection", "Upgrade"), ("Upgrade", "websocket")];
    assert_eq!(house.ask("POST", &house.host("wa"), "/", &headers, b"body").await.status, 400);
}

#[tokio::test]
async fn a_handshake_without_answer_ends() {
    let house = Harness::with(|config| config.limits.upgrade_seconds = 1).await;
    let app = raw_app(|mut stream: TcpStream| async move {
        read_head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    house.open("wa", app.upstream.clone());
    let answer = house.get_with("wa", "/", &[("Connection", "Upgrade"), ("Upgrade", "websocket")]).await;
    assert_eq!(answer.status, 504);
}

#[tokio::test]
async fn an_idle_tunnel_carries_on() {
    let house = Harness::with(|config| {
        config.limits.header_seconds = 1;
        config.limits.idle_seconds = 1;
    })
    .await;
    let app = echoing().await;
    house.open("wa", app.upstream.clone());
    let mut socket = connect(&house, "wa", &house.cookie("wa")).await.expect("let in");
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    socket.send(Message::text("still here")).await.expect("open");
    let back = timeout(SOON, socket.next()).await.expect("in time").expect("open").expect("a message");
    assert_eq!(back, Message::text("still here"));
}
