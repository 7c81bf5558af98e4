use http::{Method, header};
use serde_json::{Value, json};

use crate::harness::{House, Person, person::anonymous};

async fn lines(house: &House, root: &Person, query: &str) -> Vec<Value> {
    let answer = house.send(root.get(&format!("/api/v1/audit?limit=200{query}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn each_change_and_each_refusal_leaves_a_line() {
    let house = House::open().await;
    let root = house.administrator().await;
    let mallory = house.member("mallory").await;
    let path = format!("/api/v1/users/{}", root.user.id);
    house.send(mallory.delete(&path)).await.expect_problem(404, "not-found");
    house.wait(1);
    house.send(root.post("/api/v1/users", &json!({"name": "alice"}))).await;

    let refused = lines(&house, &root, "&outcome=refused").await;
    assert_eq!(refused[0]["user_name"], "mallory");
    assert_eq!(refused[0]["thing"], path);
    assert!(refused[0]["detail"].as_str().is_some_and(|text| text.starts_with("DELETE /api/v1/users/{id}")));

    let created = &lines(&house, &root, "&action=user.create").await[0];
    assert_eq!((created["user_name"].as_str(), created["detail"].as_str()), (Some("root"), Some("alice")));
    assert_eq!((created["via"].as_str(), created["address"].as_str()), (Some("login"), Some("192.0.2.7")));
    assert_eq!(created["via_id"], root.login.as_str());
}

#[tokio::test]
async fn what_a_stranger_types_stays_one_line() {
    let house = House::open().await;
    let root = house.administrator().await;
    let name = format!("=cmd {}", "x".repeat(110));
    let asked = json!({"user": name, "password": "wrong password", "name": "x", "days": 1});
    let mut request = anonymous(Method::POST, "/api/v1/token-requests", Some(&asked));
    let agent = http::HeaderValue::from_bytes(b"a\xff\x80b").expect("bytes");
    request.headers_mut().insert(header::USER_AGENT, agent);
    house.send(request).await.expect_problem(401, "wrong-credentials");
    let line = &lines(&house, &root, "&action=login.create&outcome=refused").await[0];
    assert_eq!(line["user_name"], name.as_str());

    let csv = house.send(root.get("/api/v1/audit/export?format=csv")).await;
    assert_eq!(csv.header(header::CONTENT_TYPE), "text/csv; charset=utf-8");
    assert!(csv.text.starts_with("at,user,") && csv.text.contains("\"'=cmd xxx"));
    let jsonl = house.send(root.get("/api/v1/audit/export?format=jsonl&outcome=refused")).await;
    let parsed: Vec<Value> =
        jsonl.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(parsed.len(), 1);
}

#[tokio::test]
async fn an_export_is_complete_however_long() {
    let house = House::open().await;
    let root = house.administrator().await;
    let mut tx = house.hub.store.begin_write("test").await.expect("a transaction");
    for n in 0..1234 {
        let act = portico_hub::service::audit::Act::done("test.act", n);
        let by = portico_hub::service::audit::By::portico();
        portico_hub::service::audit::record(&mut tx, house.hub.now(), by, act).await.expect("records");
    }
    tx.commit().await.expect("commits");
    let export = house.send(root.get("/api/v1/audit/export?format=jsonl&action=test.")).await;
    assert_eq!(export.text.lines().count(), 1234);
    let mut seen = 0;
    let mut query = String::from("/api/v1/audit?action=test.&limit=200");
    loop {
        let page = house.send(root.get(&query)).await.json();
        seen += page["items"].as_array().expect("a list").len();
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("/api/v1/audit?action=test.&limit=200&cursor={cursor}");
    }
    assert_eq!(seen, 1234);
}

#[tokio::test]
async fn no_secret_is_in_the_log() {
    let house = House::open().await;
    let root = house.administrator().await;
    let token = house.send(root.post("/api/v1/tokens", &json!({"name": "t", "days": 1}))).await.json();
    let made = house.send(root.post("/api/v1/users", &json!({"name": "alice"}))).await.json();
    let export = house.send(root.get("/api/v1/audit/export?format=jsonl")).await.text;
    let (_, cookie) = root.cookie.split_once('=').expect("a pair");
    let (_, link) = made["link"]["url"].as_str().expect("a link").split_once('=').expect("a token");
    for secret in [cookie, link, token["text"].as_str().expect("a text"), &root.csrf] {
        assert!(!export.contains(secret));
    }
}
