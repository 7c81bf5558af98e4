//! The Docker engine against a real dockerd: the one of `tests/setup/env.sh run`.
//!
//! Each test has a realm of its own, so that all can run at the same time on one engine, and leaves
//! nothing of that realm behind.

mod behind_our_back;
mod build;
mod crash;
mod registry;
mod remote;
mod restart;
mod walls;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use bollard::{
    API_DEFAULT_VERSION, Docker,
    query_parameters::{ListContainersOptions, ListNetworksOptions, ListVolumesOptions},
};
use portico_core::{
    app::{Image, Listen, Program, RootFilesystem},
    launch::LaunchPlan,
    names::Realm,
    ports::{Follow, Spawner},
};
use portico_spawn::docker::{Config, Engine, Pull};

use crate::conformance::{Deed, Fixture, conformance, end, launch, plan, text};

/// The image of the set-up: busybox and nothing else.
const BUSYBOX: &str = "portico/busybox:latest";
const PORT: u16 = 8080;

/// A realm of its own on the engine of the test run.
pub(crate) struct Site {
    pub(crate) realm: Realm,
    pub(crate) config: Config,
}

/// `None` where there is no engine to test with.
#[expect(clippy::print_stderr, reason = "who runs the tests must see what was left out")]
pub(crate) async fn site() -> Option<Site> {
    let Ok(host) = std::env::var("PORTICO_TEST_DOCKER") else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "PORTICO_TEST_DOCKER is not set");
        eprintln!("skipped: run it by tests/setup/env.sh run -- cargo test");
        return None;
    };
    Some(Site::at(host))
}

impl Site {
    pub(crate) fn at(host: String) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let realm = format!("t{}n{count}", std::process::id()).parse().expect("a realm");
        Self { realm, config: Config { host, pull: Pull::Never, ..Config::default() } }
    }

    pub(crate) fn docker(&self) -> Docker {
        Docker::connect_with_unix(&self.config.host, 60, API_DEFAULT_VERSION).expect("a socket")
    }

    pub(crate) fn docker_engine(&self) -> Engine {
        Engine::new(self.config.clone(), self.realm.clone()).expect("a valid configuration")
    }

    /// A plan that runs this shell script.
    pub(crate) fn script(&self, script: &str) -> LaunchPlan {
        let image = Image {
            image: BUSYBOX.to_owned(),
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            user: "1000:1000".to_owned(),
            root: RootFilesystem::ReadOnly,
        };
        plan(&self.realm, Program::Image(image), Listen::Tcp { port: Some(PORT) })
    }

    /// What of this realm is on the engine: names of containers, networks and volumes.
    pub(crate) async fn objects(&self) -> Vec<String> {
        let docker = self.docker();
        let filters = HashMap::from([("label".to_owned(), vec![format!("portico.realm={}", self.realm)])]);
        let options =
            ListContainersOptions { all: true, filters: Some(filters.clone()), ..Default::default() };
        let containers = docker.list_containers(Some(options)).await.expect("containers");
        let options = ListNetworksOptions { filters: Some(filters.clone()) };
        let networks = docker.list_networks(Some(options)).await.expect("networks");
        let options = ListVolumesOptions { filters: Some(filters) };
        let volumes = docker.list_volumes(Some(options)).await.expect("volumes").volumes.unwrap_or_default();
        let containers = containers.into_iter().map(|found| format!("container {:?}", found.names));
        let networks =
            networks.into_iter().map(|found| format!("network {}", found.name.unwrap_or_default()));
        let volumes = volumes.into_iter().map(|found| format!("volume {}", found.name));
        containers.chain(networks).chain(volumes).collect()
    }
}

#[async_trait]
impl Fixture for Site {
    async fn engine(&self) -> Arc<dyn Spawner> {
        Arc::new(self.docker_engine())
    }

    fn plan(&self, deed: Deed) -> LaunchPlan {
        let serve = format!("exec httpd -f -p {PORT} -h /www");
        let rest = match deed {
            Deed::Serve => serve,
            Deed::Print(lines) => {
                let said: Vec<_> = lines.iter().map(|line| format!("echo '{line}'")).collect();
                format!("{}; {serve}", said.join("; "))
            }
            Deed::Exit(code) => format!("exit {code}"),
            Deed::Allocate => "exec dd if=/dev/zero of=/dev/null bs=200M".to_owned(),
            Deed::Deaf => {
                format!("trap '' TERM; httpd -f -p {PORT} -h /www & while :; do wait; sleep 1; done")
            }
        };
        self.script(&format!("echo started; {rest}"))
    }

    fn missing(&self) -> LaunchPlan {
        let mut plan = self.plan(Deed::Serve);
        if let Program::Image(image) = &mut plan.spec.program {
            image.image = "portico/does-not-exist:never".to_owned();
        }
        plan
    }

    async fn clean(&self) {
        let engine = self.docker_engine();
        for instance in engine.list().await.expect("listed") {
            engine.stop(&instance.name, std::time::Duration::ZERO).await.expect("stopped");
            engine.remove(&instance.name).await.expect("removed");
        }
        for name in self.objects().await {
            if let Some(label) = name.strip_prefix("volume ").and_then(|volume| volume.rsplit('-').next()) {
                engine.discard_workspace(&label.parse().expect("a label")).await.expect("discarded");
            }
        }
        engine.sweep(std::time::Duration::ZERO).await.expect("swept");
        assert_eq!(self.objects().await, Vec::<String>::new(), "nothing is left");
    }
}

conformance!(site());

/// What a script prints until it ends.
pub(crate) async fn output(site: &Site, plan: &LaunchPlan) -> String {
    let engine = site.docker_engine();
    launch(&engine, plan).await;
    end(&engine, &plan.instance).await;
    text(engine.logs(&plan.instance, Follow::No).await.expect("a log")).await
}

/// A TCP port of loopback that nobody uses now.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("bound");
    listener.local_addr().expect("an address").port()
}
