use axum::body::Body;
use http::{HeaderName, Method, Request, header};
use serde_json::json;

use crate::harness::{
    House,
    person::{anonymous, request},
};

#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_what_is_wrong() {
    let house = House::open().await;
    let root = house.administrator().await;
    let send = |kind: &'static str, body: Vec<u8>| {
        let mut request = root.request(Method::POST, "/api/v1/users", None);
        if !kind.is_empty() {
            request.headers_mut().insert(header::CONTENT_TYPE, kind.parse().expect("a value"));
        }
        *request.body_mut() = Body::from(body);
        house.send(request)
    };
    let json = "application/json";
    send(json, b"{".to_vec()).await.expect_problem(400, "bad-request");
    send(json, b"\xff\xfe".to_vec()).await.expect_problem(400, "bad-request");
    send(json, b"{}".to_vec()).await.expect_problem(422, "invalid");
    send(json, b"{\"name\":\"x\",\"id\":\"y\"}".to_vec()).await.expect_problem(422, "invalid");
    send(json, "[".repeat(100_000).into_bytes()).await.expect_problem(422, "invalid");
    send(json, vec![b' '; 2_000_000]).await.expect_problem(413, "too-large");
    send("text/plain", b"{}".to_vec()).await.expect_problem(415, "media-type");
    send("", b"{}".to_vec()).await.expect_problem(415, "media-type");
}

#[tokio::test]
async fn unknown_paths_methods_and_queries_are_problems_too() {
    let house = House::open().await;
    let root = house.administrator().await;
    house.send(root.get("/api/v1/nothing")).await.expect_problem(404, "not-found");
    house.send(root.get("/api/v1/users/%00")).await.expect_problem(404, "not-found");
    let put = house.send(root.request(Method::PUT, "/api/v1/users", None)).await;
    put.expect_problem(405, "method-not-allowed");
    assert_eq!(put.header(header::ALLOW), "GET,HEAD,POST");
    for query in ["limit=0", "limit=-1", "limit=201", "limit=x", "cursor=x", "cursor=%00"] {
        house.send(root.get(&format!("/api/v1/users?{query}"))).await.expect_problem(400, "bad-request");
    }
}

#[tokio::test]
async fn a_page_error_is_a_page_with_the_request_id() {
    let house = House::open().await;
    let answer = house.send(anonymous(Method::GET, "/nothing%3Cscript%3E", None)).await;
    assert_eq!(answer.status, 404);
    assert!(answer.header(header::CONTENT_TYPE).starts_with("text/html"));
    let id = answer.header(HeaderName::from_static("x-request-id"));
    assert!(id.len() == 16 && answer.text.contains(id) && !answer.text.contains("<script>"));
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let house = House::open().await;
    for path in ["/nothing", "/api/v1/version", "/api/v1/me"] {
        let answer = house.send(anonymous(Method::GET, path, None)).await;
        let policy = answer.header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
        assert!(policy.ends_with("form-action 'self'"), "{policy}");
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(answer.header(header::REFERRER_POLICY), "same-origin");
        let opener = HeaderName::from_static("cross-origin-opener-policy");
        assert_eq!(answer.header(opener), "same-origin");
        assert!(answer.headers.get("access-control-allow-origin").is_none());
    }
}

#[tokio::test]
async fn a_stranger_cannot_choose_request_ids_or_addresses() {
    let house = House::open().await;
    let root = house.administrator().await;
    house.wait(1);
    let mut request: Request<Body> = root.post("/api/v1/users", &json!({"name": "alice"}));
    for name in ["x-request-id", "x-forwarded-for", "forwarded", "x-real-ip"] {
        request.headers_mut().insert(name, "203.0.113.9".parse().expect("a value"));
    }
    let answer = house.send(request).await;
    assert_ne!(answer.header(HeaderName::from_static("x-request-id")), "203.0.113.9");
    let log = house.send(root.get("/api/v1/audit?action=user.create")).await.json();
    assert_eq!(log["items"][0]["address"], "192.0.2.7");
}

#[tokio::test]
async fn the_document_describes_every_answer() {
    let house = House::open().await;
    let answer = house.send(anonymous(Method::GET, "/api/openapi.json", None)).await;
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let responses = operation["responses"].as_object().expect("responses");
            for status in ["400", "401", "403", "500", "503"] {
                assert!(responses.contains_key(status), "{method} {path} lacks {status}");
            }
            assert!(operation["operationId"].is_string(), "{method} {path}");
            if operation.get("requestBody").is_some() {
                assert!(responses.contains_key("415") && responses.contains_key("422"), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn two_authorizations_or_another_scheme_are_refused() {
    let house = House::open().await;
    for value in ["Basic cm9vdDpyb290", "Bearer", "Bearer  ", "bearer x", "ptk_x"] {
        let asked = request(Method::GET, "/api/v1/me").header(header::AUTHORIZATION, value);
        let answer = house.send(asked.body(Body::empty()).expect("a request")).await;
        answer.expect_problem(401, "not-signed-in");
        assert_eq!(answer.header(header::WWW_AUTHENTICATE), "Bearer realm=\"portico\"");
    }
}
