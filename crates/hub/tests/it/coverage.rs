//! Every route has a refusal, and every refusal is tried.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use http::{Method, Request, header};
use portico_core::{app::App, grant::Subject};
use portico_hub::{
    router,
    service::{self, launch::Order},
    ui,
};
use serde_json::json;

use crate::{
    harness::{
        Answer, House, ORIGIN, Person,
        person::{anonymous, form, request, with_body},
    },
    refusals::{Row, Who, rows},
};

/// Values of the header, and its absence.
const MODES: [Option<&str>; 6] =
    [None, Some("cors"), Some("no-cors"), Some("navigate"), Some("same-origin"), Some("websocket")];
const SITES: [Option<&str>; 5] =
    [None, Some("same-origin"), Some("same-site"), Some("cross-site"), Some("none")];

/// Things of the administrator, by the names that rows use.
type World = BTreeMap<&'static str, String>;

async fn world(house: &House, root: &Person) -> World {
    let actor = portico_hub::auth::Actor::console(house.hub.now());
    let permit = actor.may_administer().expect("the console may");
    let group = service::group::create(&house.hub, &actor, &permit, "staff").await.expect("a group");
    let app = app();
    service::app::put(&house.hub, &actor, app.clone()).await.expect("an app");
    let subject = Subject::User(root.user.id.clone());
    let grant =
        service::grant::create(&house.hub, &actor, &permit, &app.name, subject).await.expect("a grant");
    let order =
        Order { app: app.name, parameters: BTreeMap::new(), size: None, title: None, idempotency_key: None };
    let launched = service::launch::launch(&house.hub, &house.actor(root), order).await.expect("a workload");
    let workload = launched.into_workload();
    let token = house.send(root.post("/api/v1/tokens", &json!({"name": "t", "days": 1}))).await.json();
    BTreeMap::from([
        ("user", root.user.id.to_string()),
        ("login", root.login.to_string()),
        ("group", group.id.to_string()),
        ("app", "echo".to_owned()),
        ("asset", "portico.css".to_owned()),
        ("engine", "fake".to_owned()),
        ("grant", grant.id.to_string()),
        ("label", workload.label.to_string()),
        ("workload", workload.id.to_string()),
        ("token", token["token"]["id"].as_str().expect("an id").to_owned()),
    ])
}

/// An app that only the administrator may use.
fn app() -> App {
    let text = r#"
        name = "echo"
        title = "Echo"
        engine = "fake"
        [run]
        command = ["echo"]
        [entry.main]
        listen = "tcp"
        port = 8000
    "#;
    toml::from_str(text).expect("an app")
}

/// The row's path with things in place of placeholders.
fn path(row: &Row, world: &World) -> String {
    let mut path = row.path.to_owned();
    for thing in row.things {
        let (before, rest) = path.split_once('{').unwrap_or_else(|| panic!("{row:?} has too many things"));
        let (_, after) = rest.split_once('}').expect("a placeholder ends");
        let id = world.get(thing).unwrap_or_else(|| panic!("the world has no {thing}"));
        path = format!("{before}{id}{after}");
    }
    assert!(!path.contains('{'), "{row:?} has too few things");
    path
}

fn is_api(row: &Row) -> bool {
    row.path.starts_with("/api/")
}

fn method(row: &Row) -> Method {
    row.method.parse().expect("a method")
}

/// The request as the person's own browser sends it from our own pages.
fn meant(row: &Row, world: &World, person: &Person) -> Request<Body> {
    let path = path(row, world);
    if is_api(row) || row.method == "GET" {
        return person.request(method(row), &path, row.body.as_ref());
    }
    let field = row.body.as_ref().and_then(|body| body.as_object()?.iter().next());
    let mut fields = vec![("csrf", person.csrf.as_str())];
    fields.extend(field.and_then(|(name, value)| Some((name.as_str(), value.as_str()?))));
    form(Some(&person.cookie), &path, &fields)
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let mut routes = BTreeSet::new();
    let document = serde_json::to_value(router::document()).expect("a document");
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            routes.insert((method.to_uppercase(), path.clone()));
        }
    }
    let pages = ui::routes();
    routes.extend(pages.list().iter().map(|page| (page.method.to_string(), page.path.to_owned())));
    let rows = rows();
    let known: BTreeSet<_> = rows.iter().map(|row| (row.method.to_owned(), row.path.to_owned())).collect();
    let without_row: Vec<_> = routes.difference(&known).collect();
    let without_route: Vec<_> = known.difference(&routes).collect();
    assert!(without_row.is_empty(), "add to tests/it/refusals.rs: {without_row:#?}");
    assert!(without_route.is_empty(), "remove from tests/it/refusals.rs: {without_route:#?}");
    for page in pages.list() {
        let row = rows.iter().find(|row| row.method == page.method.as_str() && row.path == page.path);
        assert_eq!(row.map(Row::audience), Some(page.audience), "{page:?}");
    }
}

#[tokio::test]
async fn who_is_not_known_is_refused() {
    let house = House::open().await;
    let root = house.administrator().await;
    let world = world(&house, &root).await;
    for row in rows().iter().filter(|row| row.who != Who::Anyone) {
        let path = path(row, &world);
        let answer = if is_api(row) {
            house.send(anonymous(method(row), &path, row.body.as_ref())).await
        } else if row.method == "GET" {
            house.send(anonymous(Method::GET, &path, None)).await
        } else {
            house.send(form(None, &path, &[])).await
        };
        expect_sign_in(row, &answer);
    }
}

fn expect_sign_in(row: &Row, answer: &Answer) {
    if is_api(row) {
        assert_eq!(answer.status, 401, "{row:?}: {}", answer.text);
    } else {
        assert_eq!(answer.status, 303, "{row:?}: {}", answer.text);
        assert!(answer.header(header::LOCATION).starts_with("/sign-in"), "{row:?}");
    }
}

#[tokio::test]
async fn other_people_find_nothing() {
    let house = House::open().await;
    let root = house.administrator().await;
    let world = world(&house, &root).await;
    let other = house.member("mallory").await;
    for row in rows().iter().filter(|row| matches!(row.who, Who::Owner | Who::Administrator)) {
        let answer = house.send(meant(row, &world, &other)).await;
        assert_eq!(answer.status, 404, "{row:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn nothing_changes_without_a_token_against_forgery() {
    let house = House::open().await;
    let root = house.administrator().await;
    let world = world(&house, &root).await;
    for row in rows().iter().filter(|row| row.method != "GET" && row.who != Who::Anyone) {
        let all = MODES.iter().flat_map(|mode| SITES.map(|site| (*mode, site, Some(ORIGIN))));
        let others =
            [None, Some("null"), Some("http://w1.localhost:8080")].map(|origin| (None, None, origin));
        for (mode, site, origin) in all.chain(others) {
            let mut request = request(method(row), &path(row, &world)).header(header::COOKIE, &root.cookie);
            for (name, value) in [("sec-fetch-mode", mode), ("sec-fetch-site", site), ("origin", origin)] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            let answer = house.send(with_body(request, row.body.as_ref())).await;
            assert_eq!(answer.status, 403, "{row:?} {mode:?} {site:?} {origin:?}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn reading_changes_nothing() {
    let house = House::open().await;
    let root = house.administrator().await;
    let world = world(&house, &root).await;
    for row in rows().iter().filter(|row| row.method != "GET") {
        let has_get = rows().iter().any(|other| other.method == "GET" && other.path == row.path);
        if !has_get {
            let answer = house.send(root.get(&path(row, &world))).await;
            assert!(matches!(answer.status.as_u16(), 404 | 405), "{row:?}: {}", answer.status);
        }
    }
}
