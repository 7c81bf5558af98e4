use http::{Method, header};
use portico_hub::service::link;

use crate::harness::{
    Answer, House, PASSWORD,
    person::{anonymous, form},
    token_of,
};

async fn sign_in(house: &House, cookie: Option<&str>, next: &str) -> Answer {
    let fields = [("name", "alice"), ("password", PASSWORD), ("next", next)];
    house.send(form(cookie, "/sign-in", &fields)).await
}

/// Every cookie that any answer sets is of this form.
fn cookie_of(answer: &Answer) -> String {
    let cookies = answer.cookies();
    let [cookie] = cookies.as_slice() else { panic!("expected one cookie: {cookies:?}") };
    for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Max-Age="] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(cookie.starts_with("__Host-portico=") && !cookie.contains("Domain"), "{cookie}");
    cookie.split(';').next().expect("a pair").to_owned()
}

#[tokio::test]
async fn a_form_signs_in_and_another_one_out() {
    let house = House::open().await;
    let alice = house.member("alice").await;
    let answer = sign_in(&house, None, "/account").await;
    assert_eq!((answer.status.as_u16(), answer.header(header::LOCATION)), (303, "/account"));
    let cookie = cookie_of(&answer);
    let with = |path: &str| {
        let request = crate::harness::person::request(Method::GET, path).header(header::COOKIE, &cookie);
        request.body(axum::body::Body::empty()).expect("a request")
    };
    let page = house.send(with("/account")).await;
    assert_eq!(page.status, 200);
    let (_, rest) = page.text.split_once("name=\"csrf\" value=\"").expect("a token in the page");
    let csrf = rest.split('"').next().expect("a value");
    let out = house.send(form(Some(&cookie), "/sign-out", &[("csrf", csrf)])).await;
    assert_eq!(out.status, 303, "{}", out.text);
    assert!(cookie_of(&out).ends_with('='));
    let again = house.send(form(Some(&cookie), "/sign-out", &[("csrf", csrf)])).await;
    assert_eq!(again.header(header::LOCATION), "/sign-in", "the back button does no harm");
    assert_eq!(house.send(with("/account")).await.status, 303);
    assert_eq!(house.send(alice.get("/account")).await.status, 200, "another browser stays signed in");
}

#[tokio::test]
async fn sending_the_form_twice_is_no_error() {
    let house = House::open().await;
    house.member("alice").await;
    let (one, two) = tokio::join!(sign_in(&house, None, "/"), sign_in(&house, None, "/"));
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (303, 303));
    let stale = sign_in(&house, Some("__Host-portico=aaaa"), "/").await;
    assert_eq!(stale.status, 303, "a stale cookie is in nobody's way");
}

#[tokio::test]
async fn no_next_leads_away() {
    let house = House::open().await;
    let alice = house.member("alice").await;
    let escape = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    for next in [
        "//e",
        "///e",
        "\\\\e",
        "/\\e",
        "%2f%2fe",
        "/%2f%2fe",
        "javascript:alert(1)",
        "/\t/e",
        "/\n/e",
        "https://e",
        "http://localhost:8080//e",
        "http://localhost:8080@e",
        "http://localhost:9/",
        "/%5ce",
        "//e?x#y",
        "e",
    ] {
        let answer = sign_in(&house, None, next).await;
        assert_eq!((answer.status.as_u16(), answer.header(header::LOCATION)), (303, "/"), "{next:?}");
        let shown = house.send(alice.get(&format!("/sign-in?next={}", escape(next)))).await;
        assert_eq!((shown.status.as_u16(), shown.header(header::LOCATION)), (303, "/"), "{next:?}");
    }
    let wanted = house.send(anonymous(Method::GET, "/workloads?q=%2f%2fe&x=1", None)).await;
    let location = wanted.header(header::LOCATION);
    assert_eq!(location, format!("/sign-in?next={}", escape("/workloads?q=%2f%2fe&x=1")));
}

#[tokio::test]
async fn a_form_from_elsewhere_is_refused_before_the_password_is_looked_at() {
    let house = House::open().await;
    house.member("alice").await;
    for (origin, site) in
        [("http://evil.org", "cross-site"), ("http://w1.localhost:8080", "same-site"), ("null", "")]
    {
        let mut request = form(None, "/sign-in", &[("name", "alice"), ("password", PASSWORD)]);
        request.headers_mut().insert(header::ORIGIN, origin.parse().expect("a value"));
        request.headers_mut().insert("sec-fetch-site", site.parse().expect("a value"));
        let answer = house.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.cookies().len()), (403, 0), "{origin}");
    }
}

#[tokio::test]
async fn a_refused_sign_in_keeps_the_name_and_tells_nothing() {
    let house = House::open().await;
    house.member("alice").await;
    let attempt = async |name: &str| {
        let answer = house.send(form(None, "/sign-in", &[("name", name), ("password", "wrong one")])).await;
        assert_eq!((answer.status.as_u16(), answer.cookies().len()), (401, 0));
        answer.text
    };
    let hostile = "\"><script>alert(1)</script>";
    let (known, unknown) = (attempt("alice").await, attempt("nobody").await);
    assert_eq!(known.replace("alice", "NAME"), unknown.replace("nobody", "NAME"));
    assert!(!attempt(hostile).await.contains("<script>alert"));
}

#[tokio::test]
async fn the_first_link_is_a_form_that_looking_does_not_use_up() {
    let house = House::open().await;
    let link = link::bootstrap(&house.hub).await.expect("a store").expect("nobody is there");
    let path = link.url.expose().strip_prefix("http://localhost:8080").expect("our address").to_owned();
    for _ in 0..3 {
        let page = house.send(anonymous(Method::GET, &path, None)).await;
        assert_eq!((page.status.as_u16(), page.cookies().len()), (200, 0));
    }
    let secret = token_of(&link.url);
    let fields = [("token", secret.expose()), ("name", "Ada"), ("password", PASSWORD)];
    let answer = house.send(form(None, "/welcome", &fields)).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    cookie_of(&answer);
    let used = house.send(anonymous(Method::GET, &path, None)).await;
    assert_eq!(used.status, 410);
    assert!(used.text.contains("used already"), "{}", used.text);
    assert_eq!(house.send(form(None, "/welcome", &fields)).await.status, 410);
}
