//! The hand-over from ticket to pass.

use std::{
    future::pending,
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::harness::{App, Harness};

const NAVIGATE: (&str, &str) = ("Sec-Fetch-Mode", "navigate");

fn issue(house: &Harness, ticket: &str) {
    let pass = house.pass("wa");
    let text = house.sign(&pass);
    house.gate.issue(ticket, pass, text);
}

#[tokio::test]
async fn a_ticket_becomes_a_cookie_once() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    issue(&house, "t1");
    let host = house.host("wa");
    let answer = house.ask("GET", &host, "/.portico/ticket?t=t1&next=/lab%3Fx%3D1", &[NAVIGATE], b"").await;
    assert_eq!(answer.header("location"), Some(format!("http://{host}/lab?x=1").as_str()));
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    assert!(cookie.starts_with("__Host-portico-pass="), "{cookie}");
    for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Max-Age=3"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    let pair = cookie.split(';').next().expect("a pair");
    let inside = house.ask("GET", &host, "/lab", &[("Cookie", pair), NAVIGATE], b"").await;
    assert_eq!(inside.status, 200);
    let again = house.ask("GET", &host, "/.portico/ticket?t=t1&next=/lab", &[NAVIGATE], b"").await;
    assert_eq!((again.status, again.text().as_str()), (410, "refused VoidTicket"));
    let back =
        house.ask("GET", &host, "/.portico/ticket?t=t1&next=/lab", &[("Cookie", pair), NAVIGATE], b"").await;
    assert_eq!((back.status, back.headers("set-cookie").len()), (303, 0), "the back button just goes on");
}

#[tokio::test]
async fn the_next_address_is_always_of_this_origin() {
    let house = Harness::start().await;
    house.open("wa", App::tcp().await.upstream.clone());
    let host = house.host("wa");
    for next in [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "%2f%2fevil.example",
        "/%2f%2fevil.example",
        "/%5cevil.example",
        "javascript:alert(1)",
        "http://evil.example/",
        "https:evil.example",
        "localhost//evil.example",
        "%09//evil.example",
        "/%09/evil.example",
        "/%0d%0aLocation:%20http://evil.example",
        "user@evil.example",
        "http://localhost:1/",
        "?//evil.example",
        "%23//evil.example",
        "%252f%252fevil.example",
        "/%252f/evil.example",
        "",
        "data:text/html,x",
        "/.portico/ticket%3Ft=1",
        "%E2%80%AE//evil.example",
    ] {
        issue(&house, "t");
        let answer =
            house.ask("GET", &host, &format!("/.portico/ticket?t=t&next={next}"), &[NAVIGATE], b"").await;
        let location = answer.header("location").expect("a location").to_owned();
        let rest = location.strip_prefix(&format!("http://{host}")).expect("our origin");
        assert!(
            rest.starts_with('/') && !rest.starts_with("//") && !rest.starts_with("/\\"),
            "{next}: {location}"
        );
        assert!(!rest.starts_with("/.portico"), "{next}: {location}");
    }
}

#[tokio::test]
async fn a_browser_without_cookies_is_told_so_after_three_redirects() {
    let house = Harness::start().await;
    house.open("wa", App::tcp().await.upstream.clone());
    let (host, mut path, mut redirects) = (house.host("wa"), "/lab".to_owned(), 0);
    let page = loop {
        let answer = house.ask("GET", &host, &path, &[NAVIGATE, ("User-Agent", "b")], b"").await;
        if answer.status != 303 {
            break answer;
        }
        redirects += 1;
        assert!(redirects <= 3, "a loop");
        let location = answer.header("location").expect("a location").to_owned();
        path = if location.contains("/open/wa") {
            redirects += 1;
            issue(&house, "t");
            "/.portico/ticket?t=t&next=/lab".to_owned()
        } else {
            location.strip_prefix(&format!("http://{host}")).expect("our origin").to_owned()
        };
    };
    assert_eq!((page.status, page.text().as_str(), redirects), (400, "refused NoCookie", 3));
    let later = house.ask("GET", &host, "/lab", &[NAVIGATE, ("User-Agent", "b")], b"").await;
    assert_eq!(later.status, 303, "who tries again is helped again");
}

#[tokio::test]
async fn only_get_redeems_and_nothing_else_is_reserved() {
    let house = Harness::start().await;
    let dialled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dialled);
    let app = crate::harness::raw_app(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        pending()
    })
    .await;
    house.open("wa", app.upstream.clone());
    issue(&house, "t");
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    for method in ["HEAD", "POST", "PUT", "OPTIONS"] {
        let answer = house.ask(method, &host, "/.portico/ticket?t=t", &[("Cookie", &cookie)], b"").await;
        assert_eq!(answer.status, 405, "{method}");
    }
    for path in ["/.portico/", "/.portico/x", "/.portico/ticket/"] {
        assert_eq!(house.ask("GET", &host, path, &[("Cookie", &cookie)], b"").await.status, 404, "{path}");
    }
    assert_eq!(dialled.load(Ordering::SeqCst), 0);
    let first = house.ask("GET", &host, "/.portico/ticket?t=t", &[], b"").await;
    assert_eq!(first.status, 303, "the ticket was not used up");
}
