use http::Method;
use serde_json::json;

use crate::harness::{House, PASSWORD, person::anonymous};

#[tokio::test]
async fn names_from_outside_are_kept_and_sign_in() {
    let house = House::open().await;
    for name in ["José O'Neill", "o@example.org", "李 小龍", "<script>alert(1)</script>", "=1+1", "../../etc"]
    {
        house.member(name).await;
        let asked = json!({"user": name, "password": PASSWORD, "name": "x", "days": 1});
        let answer = house.send(anonymous(Method::POST, "/api/v1/token-requests", Some(&asked))).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_look_alike_is_the_same_account_or_none() {
    let house = House::open().await;
    let root = house.administrator().await;
    house.member("josé alvarez").await;
    for name in ["JOSÉ ALVAREZ", "jose\u{301} alvarez", "josé  alvarez", "ｊｏｓé alvarez", " josé alvarez "]
    {
        house.send(root.post("/api/v1/users", &json!({"name": name}))).await.expect_problem(409, "conflict");
        let asked = json!({"user": name, "password": PASSWORD, "name": "x", "days": 1});
        let answer = house.send(anonymous(Method::POST, "/api/v1/token-requests", Some(&asked))).await;
        assert_eq!(answer.status, 201, "{name}");
    }
}

#[tokio::test]
async fn names_that_deceive_are_refused_also_at_a_rename() {
    let house = House::open().await;
    let root = house.administrator().await;
    let alice = house.member("alice").await;
    let path = format!("/api/v1/users/{}", alice.user.id);
    for name in ["", " ", "a\u{202e}b", "a\nb", "a\u{0}b", "a\u{200b}b", &"x".repeat(129)] {
        let wish = json!({"name": name});
        let answer = house.send(root.post("/api/v1/users", &wish)).await;
        answer.expect_problem(422, "invalid");
        assert!(answer.json()["errors"]["name"].is_string());
        let rename = root.request(Method::PATCH, &path, Some(&wish));
        house.send(rename).await.expect_problem(422, "invalid");
    }
    let taken = root.request(Method::PATCH, &path, Some(&json!({"name": "ROOT"})));
    house.send(taken).await.expect_problem(409, "conflict");
    let renamed = root.request(Method::PATCH, &path, Some(&json!({"name": "Alice Liddell"})));
    let renamed = house.send(renamed).await.json();
    assert_eq!((renamed["name"].as_str(), renamed["slug"].as_str()), (Some("Alice Liddell"), Some("alice")));
}
