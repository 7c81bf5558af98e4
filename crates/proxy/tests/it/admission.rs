//! Who may pass, for requests and upgrades alike.

use jiff::{SignedDuration, Timestamp};
use portico_core::{pass::PassKey, route::Doors};

use crate::harness::{App, Harness, label};

const NAVIGATE: (&str, &str) = ("Sec-Fetch-Mode", "navigate");
const UPGRADE: [(&str, &str); 2] = [("Connection", "Upgrade"), ("Upgrade", "websocket")];

#[tokio::test]
async fn a_pass_opens_its_own_workload() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let answer = house.get("wa", "/x").await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with("GET /x\n"));
}

#[tokio::test]
async fn without_a_valid_pass_nothing_is_dialled() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    house.open("wb", app.upstream.clone());
    let mut expired = house.pass("wa");
    expired.expires = Timestamp::now() - SignedDuration::from_secs(1);
    let pass = house.sign(&house.pass("wa"));
    for (what, cookie) in [
        ("none", "a=b".to_owned()),
        ("another workload's", house.cookie("wb")),
        ("an expired one", format!("__Host-portico-pass={}", house.sign(&expired))),
        ("a foreign key's", format!("__Host-portico-pass={}", house.pass("wa").sign(&PassKey::new([8; 32])))),
        ("an empty one", "__Host-portico-pass=".to_owned()),
        ("another name", format!("portico-pass={pass}")),
        ("another case", format!("__host-portico-pass={pass}")),
        ("a cut one", format!("__Host-portico-pass={}", &pass[..pass.len() - 1])),
        ("a quoted one", format!("__Host-portico-pass=\"{pass}\"")),
    ] {
        let host = house.host("wa");
        let with = |extra: &[(&'static str, &'static str)]| {
            let mut headers: Vec<(&str, String)> = vec![("Cookie", cookie.clone())];
            headers.extend(extra.iter().map(|(name, value)| (*name, (*value).to_owned())));
            headers
        };
        for (headers, expected) in [(with(&[]), 401), (with(&[NAVIGATE]), 303), (with(&UPGRADE), 401)] {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = house.ask("GET", &host, "/x", &headers, b"").await;
            assert_eq!(answer.status, expected, "{what}: {headers:?}");
            assert!(answer.headers("set-cookie").is_empty());
        }
        assert_eq!(
            house.ask("POST", &host, "/x", &[("Cookie", &cookie), NAVIGATE], b"x").await.status,
            401,
            "{what}"
        );
    }
    assert_eq!(app.connections(), 0);
}

#[tokio::test]
async fn two_passes_are_none() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (host, cookie) = (house.host("wa"), house.cookie("wa"));
    let twice = format!("{cookie}; {cookie}");
    let tossed = format!("__Host-portico-pass=tossed; {cookie}");
    for headers in [
        vec![("Cookie", twice.as_str())],
        vec![("Cookie", tossed.as_str())],
        vec![("Cookie", cookie.as_str()); 2],
    ] {
        assert_eq!(house.ask("GET", &host, "/", &headers, b"").await.status, 400);
        let page = [headers, vec![NAVIGATE]].concat();
        let answer = house.ask("GET", &host, "/", &page, b"").await;
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (400, "refused NoCookie"),
            "no redirect, hence no loop"
        );
    }
    assert_eq!(app.connections(), 0);
}

#[tokio::test]
async fn a_browser_is_sent_for_a_pass_alike_for_known_and_unknown_labels() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    for name in ["wa", "wunknown", "wa--api"] {
        for headers in [[NAVIGATE], [("Accept", "text/html,*/*;q=0.8")]] {
            let answer = house.ask("GET", &house.host(name), "/lab?a=1&b=//x", &headers, b"").await;
            let (base, entry) = name
                .split_once("--")
                .map_or((name, String::new()), |(base, entry)| (base, format!("entry={entry}&")));
            let expected =
                format!("http://{}/open/{base}?{entry}next=/lab%3Fa%3D1%26b%3D//x", house.hub_host());
            assert_eq!((answer.status, answer.header("location")), (303, Some(expected.as_str())));
        }
    }
    let known = house.ask("GET", &house.host("wa"), "/", &[], b"").await;
    let unknown = house.ask("GET", &house.host("wunknown"), "/", &[], b"").await;
    let without_id = |answer: &crate::harness::Answer| {
        let text = answer.text();
        text.split("request_id").next().expect("a part").to_owned()
    };
    assert_eq!((known.status, without_id(&known)), (unknown.status, without_id(&unknown)));
}

#[tokio::test]
async fn another_sites_page_gets_nothing_but_links() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let own = format!("http://{}", house.host("wa"));
    let sibling = format!("http://{}", house.host("wb"));
    for origin in ["http://evil.example", "null", sibling.as_str(), &own[..own.len() - 1]] {
        let (host, cookie) = (house.host("wa"), house.cookie("wa"));
        let headers = [("Cookie", cookie.as_str()), ("Origin", origin)];
        assert_eq!(house.ask("POST", &host, "/", &headers, b"x").await.status, 403, "{origin}");
        assert_eq!(house.ask("DELETE", &host, "/", &headers, b"").await.status, 403, "{origin}");
        let headers = [&headers[..], &UPGRADE].concat();
        assert_eq!(house.ask("GET", &host, "/", &headers, b"").await.status, 403, "{origin}");
    }
    for site in ["cross-site", "same-site"] {
        let answer =
            house.get_with("wa", "/", &[("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "no-cors")]).await;
        assert_eq!(answer.status, 403);
    }
    assert_eq!(app.connections(), 0, "nothing was dialled");
    for site in ["cross-site", "same-site"] {
        let answer = house.get_with("wa", "/", &[("Sec-Fetch-Site", site), NAVIGATE]).await;
        assert_eq!(answer.status, 200, "a link");
    }
    let cookie = house.cookie("wa");
    let headers = [("Cookie", cookie.as_str()), ("Origin", own.as_str()), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(house.ask("POST", &house.host("wa"), "/", &headers, b"x").await.status, 200);
}

#[tokio::test]
async fn a_closed_or_ended_workload_is_explained_to_its_visitor() {
    let house = Harness::start().await;
    house.route("wa", Doors::Closed);
    for name in ["wa", "wended"] {
        let page = house.get_with(name, "/", &[NAVIGATE]).await;
        assert_eq!(
            (page.status, page.header("retry-after"), page.header("refresh")),
            (503, Some("2"), Some("2"))
        );
        assert!(page.text().starts_with("explained "));
        let data = house.get(name, "/").await;
        assert_eq!((data.status, data.header("content-type")), (503, Some("application/problem+json")));
    }
}

#[tokio::test]
async fn entry_points_have_doors_of_their_own() {
    let house = Harness::start().await;
    let (main, api) = (App::tcp().await, App::tcp().await);
    let doors = [("main", &main), ("api", &api)]
        .map(|(name, app)| (name.parse().expect("a name"), app.upstream.clone()));
    house.route("wa", Doors::Open(doors.into()));
    let cookie = house.cookie("wa");
    let answer = house.ask("GET", &house.host("wa--api"), "/", &[("Cookie", &cookie)], b"").await;
    assert_eq!((answer.status, main.connections(), api.connections()), (200, 0, 1));
    let answer = house.ask("GET", &house.host("wa--none"), "/", &[("Cookie", &cookie)], b"").await;
    assert_eq!(answer.status, 421);
    assert_eq!(house.front.addresses().base_path(&label("wa"), &"api".parse().expect("a name")), "/");
}

#[tokio::test]
async fn use_is_reported_once_in_a_while() {
    let house = Harness::start().await;
    let app = App::tcp().await;
    let workload = house.open("wa", app.upstream.clone());
    for _ in 0..3 {
        house.get("wa", "/").await;
    }
    assert_eq!(house.gate.reports.load(std::sync::atomic::Ordering::Relaxed), 1);
    let activity = house.front.activity();
    assert_eq!(activity.len(), 1);
    assert_eq!(activity[0].workload, workload);
    assert!(activity[0].input.is_some() && activity[0].output.is_some());
}
