//! The rows of workloads, apps, grants and engines in the API.

use serde_json::json;

use super::{Row, Who, row};

pub(super) fn rows() -> Vec<Row> {
    [workloads(), catalogue()].concat()
}

fn workloads() -> Vec<Row> {
    use Who::{Owner, SignedIn};
    vec![
        row("GET", "/api/v1/workloads", &[], SignedIn),
        row("POST", "/api/v1/workloads", &[], Owner).with(json!({"app": "echo"})),
        row("GET", "/api/v1/workloads/stream", &[], SignedIn),
        row("GET", "/api/v1/workloads/{id}", &["workload"], Owner),
        row("PATCH", "/api/v1/workloads/{id}", &["workload"], Owner).with(json!({"title": "mine"})),
        row("DELETE", "/api/v1/workloads/{id}", &["workload"], Owner),
        row("POST", "/api/v1/workloads/{id}/stop", &["workload"], Owner),
        row("POST", "/api/v1/workloads/{id}/restart", &["workload"], Owner),
        row("GET", "/api/v1/workloads/{id}/events", &["workload"], Owner),
        row("GET", "/api/v1/workloads/{id}/events/stream", &["workload"], Owner),
        row("GET", "/api/v1/workloads/{id}/logs", &["workload"], Owner),
        row("GET", "/api/v1/workloads/{id}/usage", &["workload"], Owner),
        row("GET", "/api/v1/workloads/{id}/usage/stream", &["workload"], Owner),
    ]
}

fn catalogue() -> Vec<Row> {
    use Who::{Administrator, Owner, SignedIn};
    let definition = json!({
        "title": "Echo", "engine": "fake", "run": {"command": ["echo"]},
        "entry": {"main": {"listen": "tcp", "port": 8000}},
    });
    vec![
        row("GET", "/api/v1/apps", &[], SignedIn),
        row("GET", "/api/v1/apps/{name}", &["app"], Owner),
        row("PUT", "/api/v1/apps/{name}", &["app"], Administrator).with(definition),
        row("DELETE", "/api/v1/apps/{name}", &["app"], Administrator),
        row("GET", "/api/v1/app-definitions", &[], Administrator),
        row("GET", "/api/v1/apps/{name}/grants", &["app"], Administrator),
        row("POST", "/api/v1/apps/{name}/grants", &["app"], Administrator)
            .with(json!({"subject": {"kind": "everyone"}})),
        row("DELETE", "/api/v1/apps/{name}/grants/{id}", &["app", "grant"], Administrator),
        row("GET", "/api/v1/engines", &[], Administrator),
        row("GET", "/api/v1/engines/{name}", &["engine"], Administrator),
    ]
}
