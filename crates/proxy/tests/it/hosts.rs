//! Which request is meant for whom, and tricks around it.

use crate::harness::{App, Harness};

#[tokio::test]
async fn the_hub_answers_at_its_own_host() {
    let house = Harness::start().await;
    let answer = house.ask("GET", &house.hub_host(), "/x?y=1", &[], b"").await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with("hub GET /x?y=1 from 127.0.0.1\n"), "{}", answer.text());
}

#[tokio::test]
async fn spellings_of_a_host_lead_to_one_place() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (port, cookie) = (house.address.port(), house.cookie("wa"));
    for host in [format!("WA.LocalHost:{port}"), format!("wa.localhost.:{port}")] {
        let answer = house.ask("GET", &host, "/", &[("Cookie", &cookie)], b"").await;
        assert_eq!(answer.status, 200, "{host}");
        assert!(answer.text().contains(&format!("host: wa.localhost:{port}\n")), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_foreign_host_never_reaches_the_hub_or_an_app() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (port, cookie) = (house.address.port(), house.cookie("wa"));
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "localhost".to_owned(),
        "wa.localhost".to_owned(),
        format!("x.wa.localhost:{port}"),
        format!("wa.localhost.evil.example:{port}"),
        format!("wa--main.localhost:{port}"),
        format!("-wa.localhost:{port}"),
        format!("[::1]:{port}"),
        format!("127.0.0.2:{port}"),
    ] {
        let answer = house.ask("GET", &host, "/", &[("Cookie", &cookie)], b"").await;
        assert_eq!((answer.status, answer.text().as_str()), (421, "refused UnknownHost"), "{host}");
    }
    assert_eq!(app.connections(), 0, "nothing was dialled");
}

#[tokio::test]
async fn an_unclear_host_is_a_bad_request() {
    let house = Harness::start().await;
    let port = house.address.port();
    let hub = house.hub_host();
    for head in [
        "GET / HTTP/1.1\r\n".to_owned(),
        "GET / HTTP/1.0\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost:\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\nHost: {hub}\r\nHost: {hub}\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {hub}\r\nHost: evil.example\r\n"),
        format!("GET / HTTP/1.1\r\nHost: u@{hub}\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {hub}, evil.example\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {hub}/x\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost:0{port}0\r\n"),
        format!("GET / HTTP/1.1\r\nHost: %6cocalhost:{port}\r\n"),
        format!("GET http://evil.example/ HTTP/1.1\r\nHost: {hub}\r\n"),
        format!("GET http://u:p@{hub}/ HTTP/1.1\r\nHost: {hub}\r\n"),
        format!("GET ftp://{hub}/ HTTP/1.1\r\nHost: {hub}\r\n"),
        format!("OPTIONS * HTTP/1.1\r\nHost: {hub}\r\n"),
        format!("GET x HTTP/1.1\r\nHost: {hub}\r\n"),
    ] {
        let mut raw = house.raw().await;
        raw.write(format!("{head}Connection: close\r\n\r\n").as_bytes()).await;
        assert_eq!(raw.answer().await.status, 400, "{head:?}");
    }
}

#[tokio::test]
async fn an_absolute_target_that_agrees_with_the_host_is_served() {
    let house = Harness::start().await;
    let hub = house.hub_host();
    let mut raw = house.raw().await;
    raw.write(format!("GET http://{hub}/x HTTP/1.1\r\nHost: {hub}\r\n\r\n").as_bytes()).await;
    assert_eq!(raw.answer().await.status, 200);
}

#[tokio::test]
async fn who_types_the_number_is_shown_the_name() {
    let house = Harness::start().await;
    let (number, hub) = (house.address.to_string(), house.hub_host());
    for (path, location) in
        [("/x?y", format!("http://{hub}/x?y")), ("//evil.example", format!("http://{hub}//evil.example"))]
    {
        let answer = house.ask("GET", &number, path, &[], b"").await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(location.as_str())), "{path}");
    }
    let answer = house.ask("POST", &number, "/x", &[], b"x").await;
    assert_eq!(answer.status, 421, "what would change something is not led on");
}

#[tokio::test]
async fn connect_and_trace_are_not_for_us() {
    let house = Harness::start().await;
    let hub = house.hub_host();
    for head in [
        format!("CONNECT {hub} HTTP/1.1\r\nHost: {hub}\r\n\r\n"),
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n".to_owned(),
        format!("TRACE / HTTP/1.1\r\nHost: {hub}\r\n\r\n"),
    ] {
        let mut raw = house.raw().await;
        raw.write(head.as_bytes()).await;
        assert_eq!(raw.answer().await.status, 405, "{head:?}");
    }
}
