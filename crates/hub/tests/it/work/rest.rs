//! The API of workloads, apps, grants and engines.

use axum::body::Body;
use futures_util::StreamExt;
use http::{Method, Request};
use portico_core::{
    peer::{Peer, Transport},
    workload::Phase,
};
use portico_hub::service;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::yard::{Yard, app};

#[tokio::test]
async fn a_launch_is_accepted_shown_listed_stopped_and_deleted() {
    let yard = Yard::open().await;
    yard.add(app("app", &["app", "print=hello"])).await;
    let alice = &yard.person;
    let launched = yard.send(alice.post("/api/v1/workloads", &json!({"app": "app", "title": "Mine"}))).await;
    assert_eq!(launched.status, 201, "{}", launched.text);
    let workload = launched.json();
    let path = format!("/api/v1/workloads/{}", workload["id"].as_str().expect("an id"));
    assert_eq!(launched.header(http::header::LOCATION), path);
    assert_eq!((&workload["title"], &workload["phase"]), (&json!("Mine"), &json!("requested")));
    assert_eq!(workload["owner"]["name"], "alice");
    assert_eq!(workload["mounts"], json!(["its own workspace, read-write"]));
    let label = workload["label"].as_str().expect("a label");
    assert_eq!(workload["open_url"], format!("http://localhost:8080/open/{label}"));

    let id = workload["id"].as_str().expect("an id").parse().expect("an id");
    yard.until(&id, Phase::Ready).await;
    let listed = yard.send(alice.get("/api/v1/workloads?phase=ready&q=mine")).await.json();
    assert_eq!(listed["items"][0]["id"], workload["id"]);
    assert_eq!(yard.send(alice.get("/api/v1/workloads?phase=failed")).await.json()["items"], json!([]));
    assert_eq!(yard.send(alice.get(&format!("{path}/logs"))).await.text, "hello\n");
    let renamed = yard.send(alice.request(Method::PATCH, &path, Some(&json!({"title": "Other"})))).await;
    assert_eq!(renamed.json()["title"], "Other");
    let events = yard.send(alice.get(&format!("{path}/events?limit=2"))).await.json();
    assert_eq!(events["next_cursor"], "2");

    assert_eq!(yard.send(alice.post(&format!("{path}/stop"), &json!({}))).await.json()["phase"], "stopping");
    yard.until(&id, Phase::Stopped).await;
    assert_eq!(yard.send(alice.delete(&path)).await.status, 204);
    yard.send(alice.get(&path)).await.expect_problem(404, "not-found");
}

#[tokio::test]
async fn a_key_in_the_header_launches_once() {
    let yard = Yard::open().await;
    yard.add(app("app", &["app"])).await;
    let keyed = || {
        let mut request = yard.person.post("/api/v1/workloads", &json!({"app": "app"}));
        request.headers_mut().insert("idempotency-key", "k".parse().expect("a value"));
        request
    };
    let (first, second) = (yard.send(keyed()).await, yard.send(keyed()).await);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 200));
    assert_eq!(first.json()["id"], second.json()["id"]);
}

#[tokio::test]
async fn wrong_fields_are_told_beside_their_names() {
    let yard = Yard::open().await;
    yard.add(app("app", &["app"])).await;
    let wish = json!({"app": "app", "size": "huge", "parameters": {"x": "1"}});
    let answer = yard.send(yard.person.post("/api/v1/workloads", &wish)).await;
    answer.expect_problem(422, "invalid");
    assert_eq!(answer.json()["errors"]["size"], "this app has only one size");
    let unknown = yard.send(yard.person.post("/api/v1/workloads", &json!({"app": "../x"}))).await;
    unknown.expect_problem(404, "not-found");
    yard.send(yard.person.get("/api/v1/workloads?phase=x")).await.expect_problem(400, "bad-request");
}

#[tokio::test]
async fn administrators_define_apps_and_grant_them() {
    let yard = Yard::open().await;
    let root = yard.administrator().await;
    let definition = json!({
        "title": "Web", "engine": "fake", "run": {"command": ["app"]},
        "entry": {"main": {"listen": "tcp", "port": 80}}
    });
    let put = yard.send(root.request(Method::PUT, "/api/v1/apps/web", Some(&definition))).await;
    assert_eq!((put.status.as_u16(), &put.json()["source"]["kind"]), (200, &json!("stored")), "{}", put.text);
    yard.send(yard.person.get("/api/v1/apps/web")).await.expect_problem(404, "not-found");
    let wish = json!({"subject": {"kind": "user", "id": yard.person.user.id}});
    let grant = yard.send(root.post("/api/v1/apps/web/grants", &wish)).await;
    assert_eq!(grant.status, 201, "{}", grant.text);
    let seen = yard.send(yard.person.get("/api/v1/apps")).await.json();
    assert_eq!(
        (&seen["items"][0]["name"], &seen["items"][0]["availability"]["state"]),
        (&json!("web"), &json!("available"))
    );
    yard.send(root.post("/api/v1/apps/web/grants", &wish)).await.expect_problem(409, "conflict");
    let broken = json!({"title": "Web", "engine": "fake", "run": {"comand": []}, "entry": {}});
    yard.send(root.request(Method::PUT, "/api/v1/apps/web", Some(&broken)))
        .await
        .expect_problem(422, "invalid");
    let all = yard.send(root.get("/api/v1/app-definitions")).await.json();
    assert_eq!(all["items"][0]["definition"]["name"], "web");
    let engines = yard.send(root.get("/api/v1/engines")).await.json();
    assert_eq!(engines["items"][0]["condition"]["state"], "working");
    assert_eq!(yard.send(root.delete("/api/v1/apps/web")).await.status, 204);
}

impl Yard {
    /// The events of a stream, as they come, until it ends or `until` says so.
    async fn watch(
        &self,
        mut request: Request<Body>,
        until: impl Fn(&str, &Value) -> bool,
    ) -> Vec<(String, Value)> {
        let address = std::net::IpAddr::from([192, 0, 2, 7]);
        request.extensions_mut().insert(Peer { address, transport: Transport::Plain });
        let response = self.hub.router().oneshot(request).await.expect("an answer");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut body = response.into_body().into_data_stream();
        let (mut text, mut events) = (String::new(), Vec::new());
        while let Some(Ok(chunk)) = body.next().await {
            text.push_str(&String::from_utf8_lossy(&chunk));
            while let Some((event, rest)) = text.split_once("\n\n").map(|(a, b)| (a.to_owned(), b.to_owned()))
            {
                text = rest;
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let Some(name) = field("event:") else { continue };
                let data = serde_json::from_str(field("data:").unwrap_or("null")).expect("JSON");
                let over = until(name, &data);
                events.push((name.to_owned(), data));
                if over {
                    return events;
                }
            }
        }
        events
    }
}

#[tokio::test]
async fn a_stream_tells_a_whole_life() {
    let yard = Yard::open().await;
    let workload = yard.run(&["app", "print=first line", "after=100"]).await;
    let path = format!("/api/v1/workloads/{}/events/stream", workload.id);
    let ready = |name: &str, data: &Value| name == "state" && data["phase"] == "ready";
    let events = yard.watch(yard.person.get(&path), ready).await;
    let phases: Vec<_> =
        events.iter().filter(|(name, _)| name == "state").map(|(_, data)| data["phase"].clone()).collect();
    assert_eq!(phases, ["requested", "starting", "ready"]);
    assert!(events.iter().any(|(name, data)| name == "step" && data["step"] == "preparing"), "{events:?}");
    service::workload::stop(&yard.hub, &yard.alice(), &workload.id).await.expect("stopping");
    let mut again = yard.person.get(&path);
    again.headers_mut().insert("last-event-id", "3".parse().expect("a value"));
    let events = yard.watch(again, |_, _| false).await;
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert!(!events.iter().any(|(_, data)| data["phase"] == "starting"), "{events:?}");
    assert!(names.contains(&"log") && names.last() == Some(&"end"), "{events:?}");
}

#[tokio::test]
async fn a_stream_ends_when_its_reader_is_shut_out() {
    let yard = Yard::open().await;
    yard.administrator().await;
    let workload = yard.run_until(&["app"], Phase::Ready).await;
    let path = format!("/api/v1/workloads/{}/events/stream", workload.id);
    let console = portico_hub::auth::Actor::console(yard.hub.now());
    let permit = console.may_administer().expect("may");
    let shut_out = async {
        yard.eventually("somebody to watch", async || Some(())).await;
        service::user::disable(&yard.hub, &console, &permit, &yard.person.user.id).await.expect("disabled");
    };
    let (events, ()) = tokio::join!(yard.watch(yard.person.get(&path), |_, _| false), shut_out);
    assert!(!events.iter().any(|(name, _)| name == "end"), "{events:?}");
}

#[tokio::test]
async fn a_list_stream_tells_changes_and_departures() {
    let yard = Yard::open().await;
    yard.add(app("app", &["app", "exit=0"])).await;
    let work = async {
        let workload = yard.launch("app").await.expect("accepted");
        yard.until(&workload.id, Phase::Stopped).await;
        service::workload::delete(&yard.hub, &yard.alice(), &workload.id).await.expect("deleted");
    };
    let gone = |name: &str, _: &Value| name == "gone";
    let (events, ()) = tokio::join!(yard.watch(yard.person.get("/api/v1/workloads/stream"), gone), work);
    assert!(
        events.iter().any(|(name, data)| name == "workload" && data["phase"] == "requested"),
        "{events:?}"
    );
}
