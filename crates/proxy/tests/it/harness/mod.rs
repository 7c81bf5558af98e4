//! A running front door with a gate, a hub and workloads, all within the test.

mod app;
mod client;
mod gate;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use jiff::{SignedDuration, Timestamp};
use portico_core::{
    ids::{LoginId, UserId, WorkloadId},
    names::{DisplayName, Label},
    pass::{Pass, PassKey},
    route::{Doors, Published, Revocations, Route, Upstream},
};
use portico_proxy::{Config, FrontDoor, HubService, Peer, RequestId};
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use app::{App, raw_app};
pub(crate) use client::{Answer, Raw};
pub(crate) use gate::FakeGate;

/// Longest wait for anything that must happen.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// Long enough for something wrong to have happened.
pub(crate) const A_MOMENT: Duration = Duration::from_millis(200);

/// A running front door. Dropping it cuts everything.
pub(crate) struct Harness {
    pub(crate) front: FrontDoor,
    pub(crate) address: SocketAddr,
    pub(crate) gate: Arc<FakeGate>,
    pub(crate) publish: watch::Sender<Published>,
    pub(crate) soft: CancellationToken,
    pub(crate) hard: CancellationToken,
    pub(crate) registry: Registry,
    pub(crate) tasks: TaskTracker,
    key: PassKey,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts with options changed; `listen` and `public_url` stand already.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { listen: vec![([127, 0, 0, 1], 0).into()], ..Config::default() };
        let listeners = portico_proxy::bind(&config.listen).expect("loopback");
        let address = listeners[0].local_addr().expect("bound");
        config.public_url = format!("http://localhost:{}", address.port()).parse().expect("a url");
        change(&mut config);
        let (publish, published) = watch::channel(Published::default());
        let (key, gate) = (PassKey::new([7; 32]), Arc::new(FakeGate::default()));
        let mut registry = Registry::default();
        let front =
            FrontDoor::new(&config, published, key.clone(), Arc::clone(&gate) as _, hub(), &mut registry)
                .expect("options go together");
        let (soft, hard) = (CancellationToken::new(), CancellationToken::new());
        let tasks = TaskTracker::new();
        let (serving, on_soft, on_hard) = (front.clone(), soft.clone(), hard.clone());
        tasks.spawn(async move { serving.serve(listeners, on_soft, on_hard).await });
        Self { front, address, gate, publish, soft, hard, registry, tasks, key }
    }

    /// Publishes a workload of that label whose main entry point is `upstream`.
    pub(crate) fn open(&self, label: &str, upstream: Upstream) -> WorkloadId {
        let workload = workload_of(label);
        let entries = [("main".parse().expect("a name"), upstream)];
        self.route(label, Doors::Open(entries.into()));
        workload
    }

    /// Publishes a workload of that label.
    pub(crate) fn route(&self, label: &str, doors: Doors) {
        let route = Route {
            workload: workload_of(label),
            label: label.parse().expect("a label"),
            owner: UserId::new(Timestamp::UNIX_EPOCH, [1; 10]),
            owner_slug: "alice".parse::<DisplayName>().expect("a name").slug(),
            doors,
        };
        self.publish.send_modify(|published| {
            let others = published.routes.iter().filter(|other| other.label.as_str() != label);
            let routes = others.map(|other| Route::clone(other)).chain([route.clone()]).collect();
            published.routes = Arc::new(routes);
        });
    }

    /// Takes a workload's route away.
    pub(crate) fn close(&self, label: &str) {
        self.publish.send_modify(|published| {
            let others = published.routes.iter().filter(|other| other.label.as_str() != label);
            published.routes = Arc::new(others.map(|other| Route::clone(other)).collect());
        });
    }

    pub(crate) fn revoke(&self, change: impl FnOnce(&mut Revocations)) {
        self.publish.send_modify(|published| {
            let mut revocations = Revocations::clone(&published.revocations);
            change(&mut revocations);
            published.revocations = Arc::new(revocations);
        });
    }

    pub(crate) fn pass(&self, label: &str) -> Pass {
        let now = Timestamp::now();
        Pass {
            workload: workload_of(label),
            user: UserId::new(Timestamp::UNIX_EPOCH, [1; 10]),
            login: LoginId::new(Timestamp::UNIX_EPOCH, [2; 10]),
            issued: now,
            expires: now + SignedDuration::from_hours(1),
        }
    }

    pub(crate) fn sign(&self, pass: &Pass) -> String {
        pass.sign(&self.key)
    }

    /// The `Cookie` header of someone who may enter that workload.
    pub(crate) fn cookie(&self, label: &str) -> String {
        format!("__Host-portico-pass={}", self.sign(&self.pass(label)))
    }

    pub(crate) fn host(&self, label: &str) -> String {
        format!("{label}.localhost:{}", self.address.port())
    }

    pub(crate) fn hub_host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// A request of someone who may enter that workload, to its end.
    pub(crate) async fn get(&self, label: &str, path: &str) -> Answer {
        self.get_with(label, path, &[]).await
    }

    pub(crate) async fn get_with(&self, label: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let cookie = self.cookie(label);
        let mut all = vec![("Cookie", cookie.as_str())];
        all.extend_from_slice(headers);
        self.ask("GET", &self.host(label), path, &all, b"").await
    }

    /// One request over a connection of its own, to its end.
    pub(crate) async fn ask(
        &self,
        method: &str,
        host: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        let mut raw = self.raw().await;
        raw.write(text.as_bytes()).await;
        raw.write(body).await;
        raw.answer_to(method).await
    }

    pub(crate) async fn raw(&self) -> Raw {
        Raw::connect(self.address).await
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        self.hard.cancel();
    }
}

pub(crate) fn workload_of(label: &str) -> WorkloadId {
    let mut entropy = [0; 10];
    for (place, byte) in entropy.iter_mut().zip(label.bytes()) {
        *place = byte;
    }
    WorkloadId::new(Timestamp::UNIX_EPOCH, entropy)
}

pub(crate) fn label(text: &str) -> Label {
    text.parse().expect("a label")
}

/// A hub that says what it was asked.
fn hub() -> HubService {
    Arc::new(|request| {
        Box::pin(async move {
            let peer = request.extensions().get::<Peer>().expect("a peer").0;
            assert!(request.extensions().get::<RequestId>().is_some(), "a request id");
            let (parts, body) = request.into_parts();
            let mut text = format!("hub {} {} from {peer}\n", parts.method, parts.uri);
            for (name, value) in &parts.headers {
                text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
            }
            let status = match body.collect().await {
                Ok(body) => {
                    text.push_str(&format!("{} bytes\n", body.to_bytes().len()));
                    200
                }
                Err(_) => 413,
            };
            let body = Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync();
            http::Response::builder().status(status).body(body).expect("a response")
        })
    })
}

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = std::time::Instant::now();
    while !holds() {
        assert!(started.elapsed() < SOON, "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
