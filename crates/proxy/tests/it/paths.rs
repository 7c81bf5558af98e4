//! Path mode: all workloads at the hub's origin.

use portico_proxy::Mode;

use crate::harness::{App, Harness, label};

async fn house() -> Harness {
    Harness::with(|config| config.mode = Mode::Path).await
}

fn cookie(house: &Harness, name: &str) -> String {
    format!("__Secure-portico-pass-{name}={}", house.sign(&house.pass(name)))
}

#[tokio::test]
async fn a_workload_lives_below_its_path() {
    let house = house().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let (hub, cookie) = (house.hub_host(), cookie(&house, "wa"));
    let text = house.ask("GET", &hub, "/w/wa/x?y", &[("Cookie", &cookie)], b"").await.text();
    assert!(text.starts_with("GET /w/wa/x?y\n") && text.contains("x-forwarded-prefix: /w/wa\n"), "{text}");
    assert!(!text.contains("portico-pass"), "{text}");
    let unslashed = house.ask("GET", &hub, "/w/wa", &[], b"").await;
    assert_eq!(unslashed.header("location"), Some(format!("http://{hub}/w/wa/").as_str()));
    assert_eq!(house.front.addresses().base_path(&label("wa"), &"main".parse().expect("a name")), "/w/wa/");
}

#[tokio::test]
async fn no_path_reaches_another_workload_or_the_hub() {
    let house = house().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    house.open("wb", app.upstream.clone());
    let (hub, cookie) = (house.hub_host(), cookie(&house, "wa"));
    for path in [
        "/w/wb/",
        "/w/wa/../wb/",
        "/w/wa/%2e%2E/wb/",
        "/w/wa%2f../wb/",
        "/w/%77a/",
        "/w/WA/",
        "/w//wa/",
        "/w/wa/..",
        "/w/",
        "/w/wab/",
    ] {
        let answer = house.ask("GET", &hub, path, &[("Cookie", &cookie)], b"").await;
        assert!(matches!(answer.status, 401 | 421), "{path}: {}", answer.status);
    }
    assert_eq!(app.connections(), 0);
    assert!(house.ask("GET", &hub, "/wa/", &[], b"").await.text().starts_with("hub GET /wa/"));
}

#[tokio::test]
async fn the_hand_over_and_cookies_stay_below_the_path() {
    let house = house().await;
    let app = App::tcp().await;
    house.open("wa", app.upstream.clone());
    let pass = house.pass("wa");
    house.gate.issue("t", pass.clone(), house.sign(&pass));
    let hub = house.hub_host();
    let sent = house.ask("GET", &hub, "/w/wa/x", &[("Sec-Fetch-Mode", "navigate")], b"").await;
    assert_eq!(sent.header("location"), Some(format!("http://{hub}/open/wa?next=/w/wa/x").as_str()));
    let answer = house.ask("GET", &hub, "/w/wa/.portico/ticket?t=t&next=/admin", &[], b"").await;
    assert_eq!(answer.header("location"), Some(format!("http://{hub}/w/wa/").as_str()));
    let set = answer.header("set-cookie").expect("a cookie");
    assert!(set.starts_with("__Secure-portico-pass-wa=") && set.contains("; Path=/w/wa/;"), "{set}");
    let answer = house.ask("GET", &hub, "/w/wa/headers", &[("Cookie", &cookie(&house, "wa"))], b"").await;
    assert_eq!(answer.status, 200);
}
