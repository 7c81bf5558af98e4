//! What is taken out and put in.

use crate::harness::{App, Harness};

#[tokio::test]
async fn nobody_can_pretend_to_be_a_proxy_or_a_person() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let spoofed = [
        ("X-Forwarded-For", "6.6.6.6"),
        ("x-forwarded-for", "7.7.7.7"),
        ("X-FORWARDED-HOST", "evil.example"),
        ("X-Forwarded-Proto", "gopher"),
        ("X-Forwarded-Port", "1"),
        ("X-Forwarded-Prefix", "/evil"),
        ("Forwarded", "for=6.6.6.6"),
        ("X-Real-IP", "6.6.6.6"),
        ("X-Client-IP", "6.6.6.6"),
        ("True-Client-IP", "6.6.6.6"),
        ("X-Script-Name", "/evil"),
        ("X-Interactive-Tool-Host", "evil"),
        ("X-Interactive-Tool-Port", "1"),
        ("Remote-User", "root"),
        ("X-Remote-User", "root"),
        ("X-Portico-User", "root"),
        ("X-Portico-Anything", "root"),
        ("X-Request-Id", "evil"),
        ("X_Forwarded_For", "6.6.6.6"),
        ("X_Portico_User", "root"),
        ("Remote_User", "root"),
        ("X-Original-URL", "/evil"),
        ("X-Rewrite-URL", "/evil"),
        ("EAAHash", "evil"),
        ("uid", "evil"),
        ("X-Auth-Request-User", "root"),
        ("Via", "1.1 evil"),
    ];
    let answer = house.get_with("wa", "/x", &spoofed).await;
    let text = answer.text();
    for evil in ["6.6.6.6", "7.7.7.7", "evil", "root", "gopher"] {
        assert!(!text.contains(evil), "{evil} in {text}");
    }
    let (host, port) = (house.host("wa"), house.address.port());
    for line in [
        "x-forwarded-for: 127.0.0.1\n".to_owned(),
        "x-forwarded-proto: http\n".to_owned(),
        format!("x-forwarded-host: {host}\n"),
        format!("x-forwarded-port: {port}\n"),
        format!("forwarded: for=127.0.0.1;host=\"{host}\";proto=http\n"),
        format!("x-portico-user: {}\n", house.pass("wa").user),
        format!("host: {host}\n"),
    ] {
        assert_eq!(text.matches(&format!("\n{line}")).count(), 1, "{line} in {text}");
    }
}

#[tokio::test]
async fn the_hub_sees_no_such_claims_either() {
    let house = Harness::start().await;
    let claims = [
        ("X-Forwarded-For", "6.6.6.6"),
        ("Remote-User", "6.6.6.6"),
        ("Forwarded", "for=6.6.6.6"),
        ("X_Real_IP", "6.6.6.6"),
    ];
    let answer = house.ask("GET", &house.hub_host(), "/", &claims, b"").await;
    assert!(!answer.text().contains("6.6.6.6"), "{}", answer.text());
}

#[tokio::test]
async fn a_trusted_proxy_tells_the_client() {
    let house = Harness::with(|config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let claims = [("X-Forwarded-For", "6.6.6.6, 203.0.113.9"), ("X-Forwarded-Host", "evil.example")];
    let answer = house.get_with("wa", "/", &claims).await;
    assert!(answer.text().contains("x-forwarded-for: 203.0.113.9\n"), "{}", answer.text());
    assert!(!answer.text().contains("evil.example"));
    let answer = house.ask("GET", &house.hub_host(), "/", &claims, b"").await;
    assert!(answer.text().contains("from 203.0.113.9\n"), "{}", answer.text());
}

#[tokio::test]
async fn porticos_cookies_stay_with_portico() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let cookie = format!("_xsrf=1; {}; portico-login=2; __Host-portico-login=3; mine=4", house.cookie("wa"));
    let answer = house
        .ask("GET", &house.host("wa"), "/", &[("Cookie", cookie.as_str()), ("Authorization", "token x")], b"")
        .await;
    assert!(answer.text().contains("cookie: _xsrf=1; mine=4\n"), "{}", answer.text());
    assert!(answer.text().contains("authorization: token x\n"), "the app's own");
    assert!(!answer.text().contains("portico-pass"));
}

#[tokio::test]
async fn headers_between_neighbours_stay_there() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let mut raw = house.raw().await;
    raw.write(
        format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close, x-hop, X-Portico-User, host, content-length\r\n\
             X-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nTrailer: x\r\nProxy-Authorization: x\r\nProxy-Connection: x\r\n\
             Accept: a\r\nContent-Length: 2\r\n\r\nhi"
        )
        .as_bytes(),
    )
    .await;
    let text = raw.answer().await.text();
    for name in ["x-hop", "keep-alive", "te:", "trailer", "proxy-", "connection:"] {
        assert!(!text.contains(&format!("\n{name}")), "{name} in {text}");
    }
    assert!(
        text.contains("x-portico-user: ") && text.contains("accept: a\n") && text.ends_with("\nhi"),
        "{text}"
    );
}

#[tokio::test]
async fn an_app_speaks_for_itself_only() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let answer = house.get("wa", "/headers").await;
    assert_eq!(answer.headers("set-cookie"), ["a=b; Path=/"]);
    for name in ["strict-transport-security", "alt-svc", "clear-site-data", "keep-alive", "x-internal"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    assert_eq!(
        answer.headers("access-control-allow-origin"),
        ["https://example.org"],
        "the app's own, not ours"
    );
    assert_eq!(answer.header("service-worker-allowed"), Some("/"), "within its own origin");
}
