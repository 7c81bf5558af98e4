//! A house with its reconcilers at work, an administrator's apps in it, and words for what tests wait
//! for.

use std::{collections::BTreeMap, time::Duration};

use portico_core::{
    WorkloadId,
    app::App,
    names::{EngineName, InstanceName},
    workload::{Phase, Workload},
};
use portico_hub::{
    Config, Error, Hub,
    auth::Actor,
    config::WorkloadConfig,
    service::{self, launch::Order},
    task,
};
use tokio::time::timeout;

use crate::harness::{House, Person};

/// Longest time that anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Yard {
    pub(crate) house: House,
    pub(crate) person: Person,
}

impl std::ops::Deref for Yard {
    type Target = House;
    fn deref(&self) -> &House {
        &self.house
    }
}

/// Reconcilers end with the test.
impl Drop for Yard {
    fn drop(&mut self) {
        self.house.hub.tasks.soft.cancel();
    }
}

pub(crate) fn engine() -> EngineName {
    "fake".parse().expect("a name")
}

/// An app that everyone may launch; the words say how it behaves.
pub(crate) fn app(name: &str, words: &[&str]) -> App {
    let text = format!(
        "name = \"{name}\"\ntitle = \"The {name}\"\nengine = \"fake\"\ngrant = [\"everyone\"]\ngrace_seconds = 1\n\
         [run]\ncommand = {words:?}\n[entry.main]\nlisten = \"tcp\"\nport = 8000\npath = \"/lab\"\n\
         [ready]\ndeadline_seconds = 1\n"
    );
    toml::from_str(&text).expect("an app")
}

pub(crate) fn order(app: &str) -> Order {
    let app = app.parse().expect("a name");
    Order { app, parameters: BTreeMap::new(), size: None, title: None, idempotency_key: None }
}

/// A configuration with these rules for workloads.
pub(crate) fn rules(workload: WorkloadConfig) -> Config {
    Config { workload, ..Config::default() }
}

impl Yard {
    pub(crate) async fn open() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let house = House::with(config).await;
        let person = house.member("alice").await;
        task::start(&house.hub).await;
        Self { house, person }
    }

    pub(crate) fn alice(&self) -> Actor {
        self.house.actor(&self.person)
    }

    pub(crate) async fn add(&self, app: App) {
        let console = Actor::console(self.hub.now());
        service::app::put(&self.hub, &console, app).await.expect("an app");
    }

    pub(crate) async fn launch(&self, app: &str) -> Result<Workload, Error> {
        // Each at a moment of its own, so that the queue has an order.
        self.wait(1);
        let launched = service::launch::launch(&self.hub, &self.alice(), order(app)).await;
        launched.map(service::launch::Launched::into_workload)
    }

    /// Adds an app of this behaviour and launches it.
    pub(crate) async fn run(&self, words: &[&str]) -> Workload {
        self.add(app("app", words)).await;
        self.launch("app").await.expect("accepted")
    }

    /// Adds, launches, and waits for it.
    pub(crate) async fn run_until(&self, words: &[&str], phase: Phase) -> Workload {
        let workload = self.run(words).await;
        self.until(&workload.id, phase).await
    }

    pub(crate) async fn until(&self, id: &WorkloadId, phase: Phase) -> Workload {
        let what = format!("{id} to be {phase}");
        self.eventually(&what, async || self.get(id).await.filter(|row| row.phase() == phase)).await
    }

    pub(crate) async fn get(&self, id: &WorkloadId) -> Option<Workload> {
        let mut tx = self.hub.store.begin_read("test").await.expect("the store");
        portico_store::workload::by_id(&mut tx, id).await.expect("the store")
    }

    /// The phases of the history, in order.
    pub(crate) async fn history(&self, id: &WorkloadId) -> Vec<Phase> {
        let mut tx = self.hub.store.begin_read("test").await.expect("the store");
        let events = portico_store::event::list(&mut tx, id, 0, 100).await.expect("the store");
        events.items.into_iter().map(|event| event.phase).collect()
    }

    /// Looks again at each change of anything, and at the engine's, until there is an answer.
    pub(crate) async fn eventually<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        eventually(&self.hub, what, look).await
    }

    pub(crate) fn instance(&self, workload: &Workload) -> InstanceName {
        workload.instance(&self.hub.config.realm)
    }

    pub(crate) async fn instances(&self) -> Vec<InstanceName> {
        use portico_core::ports::Spawner;
        self.engine.list().await.expect("a list").into_iter().map(|instance| instance.name).collect()
    }
}

pub(crate) async fn eventually<T>(hub: &Hub, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let mut changes = hub.bus.listen();
    let wait = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            // What changes at the engine alone is told by nobody; the pause covers it.
            let _heard = timeout(Duration::from_millis(50), changes.recv()).await;
        }
    };
    timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}
