//! The rows of pages.

use serde_json::json;

use super::{Row, Who, row};

pub(super) fn rows() -> Vec<Row> {
    [people(), workloads(), administration(), users(), apps()].concat()
}

fn people() -> Vec<Row> {
    use Who::{Anyone, Owner, SignedIn};
    vec![
        row("GET", "/assets/{*path}", &["asset"], Anyone),
        row("GET", "/sign-in", &[], Anyone),
        row("POST", "/sign-in", &[], Anyone),
        row("POST", "/sign-out", &[], SignedIn),
        row("GET", "/welcome", &[], Anyone),
        row("POST", "/welcome", &[], Anyone),
        row("GET", "/account", &[], SignedIn),
        row("POST", "/account/password", &[], SignedIn),
        row("POST", "/account/logins/delete-all", &[], SignedIn),
        row("POST", "/account/logins/{login}/delete", &["login"], Owner),
        row("POST", "/account/tokens", &[], SignedIn),
        row("POST", "/account/tokens/{token}/delete", &["token"], Owner),
    ]
}

fn workloads() -> Vec<Row> {
    use Who::{Owner, SignedIn};
    vec![
        row("GET", "/", &[], SignedIn),
        row("GET", "/apps/{app}", &["app"], Owner),
        row("POST", "/apps/{app}/launch", &["app"], Owner),
        row("GET", "/workloads", &[], SignedIn),
        row("GET", "/workloads/{id}", &["workload"], Owner),
        row("POST", "/workloads/{id}/stop", &["workload"], Owner),
        row("POST", "/workloads/{id}/restart", &["workload"], Owner),
        row("POST", "/workloads/{id}/rename", &["workload"], Owner).with(json!({"title": "mine"})),
        row("GET", "/workloads/{id}/delete", &["workload"], Owner),
        row("POST", "/workloads/{id}/delete", &["workload"], Owner),
        row("GET", "/open/{label}", &["label"], Owner),
    ]
}

fn administration() -> Vec<Row> {
    use Who::Administrator;
    vec![
        row("GET", "/admin", &[], Administrator),
        row("GET", "/admin/workloads", &[], Administrator),
        row("GET", "/admin/engines", &[], Administrator),
        row("GET", "/admin/audit", &[], Administrator),
        row("GET", "/admin/groups", &[], Administrator),
        row("POST", "/admin/groups", &[], Administrator),
        row("GET", "/admin/groups/{group}/delete", &["group"], Administrator),
        row("POST", "/admin/groups/{group}/delete", &["group"], Administrator),
        row("POST", "/admin/groups/{group}/members", &["group"], Administrator),
        row("POST", "/admin/groups/{group}/members/{user}/delete", &["group", "user"], Administrator),
    ]
}

fn users() -> Vec<Row> {
    use Who::Administrator;
    vec![
        row("GET", "/admin/users", &[], Administrator),
        row("POST", "/admin/users", &[], Administrator),
        row("GET", "/admin/users/{user}", &["user"], Administrator),
        row("POST", "/admin/users/{user}/change", &["user"], Administrator),
        row("POST", "/admin/users/{user}/disable", &["user"], Administrator),
        row("POST", "/admin/users/{user}/enable", &["user"], Administrator),
        row("POST", "/admin/users/{user}/reset", &["user"], Administrator),
        row("GET", "/admin/users/{user}/delete", &["user"], Administrator),
        row("POST", "/admin/users/{user}/delete", &["user"], Administrator),
    ]
}

fn apps() -> Vec<Row> {
    use Who::Administrator;
    vec![
        row("GET", "/admin/apps", &[], Administrator),
        row("GET", "/admin/apps/new", &[], Administrator),
        row("POST", "/admin/apps/new", &[], Administrator),
        row("GET", "/admin/apps/{app}", &["app"], Administrator),
        row("POST", "/admin/apps/{app}", &["app"], Administrator),
        row("POST", "/admin/apps/{app}/grants", &["app"], Administrator),
        row("POST", "/admin/apps/{app}/grants/{grant}/delete", &["app", "grant"], Administrator),
        row("GET", "/admin/apps/{app}/delete", &["app"], Administrator),
        row("POST", "/admin/apps/{app}/delete", &["app"], Administrator),
    ]
}
