//! A house: a hub over a fresh SQLite file with a clock of its own, and people in it.

pub(crate) mod answer;
mod origins;
pub(crate) mod person;

use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{Router, body::Body};
use http::Request;
use portico_core::{
    Secret, Timestamp,
    access::Principal,
    audit::Via,
    peer::{Peer, Transport},
    ports::Spawner,
    user::Role,
};
use portico_hub::{
    Config, Hub,
    auth::{Actor, Client},
    clock::Clock,
    config::PasswordConfig,
    service,
    state::{Engines, Inner, Parts, Tasks},
};
use portico_spawn::{fake::Fake, probe::Direct};
use portico_store::Store;
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) use answer::Answer;
use origins::Labels;
pub(crate) use person::Person;

/// What everybody's password is.
pub(crate) const PASSWORD: &str = "seven green bicycles";

/// The origin that browsers know it by.
pub(crate) const ORIGIN: &str = "http://localhost:8080";

pub(crate) struct House {
    pub(crate) hub: Hub,
    /// The one engine; hubs over the same house share it.
    pub(crate) engine: Fake,
    router: Router,
    seconds: Arc<AtomicI64>,
    directory: TempDir,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let directory = TempDir::new().expect("a directory");
        let store = portico_store::Config::sqlite(directory.path().join("portico.db"));
        let store = Store::open(&store).await.expect("the store opens");
        let seconds = Arc::new(AtomicI64::new(1_800_000_000));
        let clock = {
            let seconds = Arc::clone(&seconds);
            Clock::from_fn(move || Timestamp::from_second(seconds.load(Ordering::Relaxed)).expect("a moment"))
        };
        let password = PasswordConfig { memory_mib: 19, milliseconds: 1, parallel: 2 };
        let config = Config { password, ..config };
        let engine = Fake::default();
        let parts = parts(config, store, clock, directory.path(), &engine);
        let hub = Hub::start(parts).await.expect("the hub starts");
        Self { router: hub.router(), hub, engine, seconds, directory }
    }

    /// Another hub over the same store, as after a restart.
    pub(crate) async fn start_again(&self) -> Hub {
        let Inner { config, store, clock, .. } = &*self.hub;
        let (config, store, clock) = (config.clone(), store.clone(), clock.clone());
        let parts = parts(config, store, clock, self.directory.path(), &self.engine);
        Hub::start(parts).await.expect("the hub starts")
    }

    /// The person as services see one who came by the login.
    pub(crate) fn actor(&self, person: &Person) -> Actor {
        let principal = Principal {
            user: person.user.clone(),
            groups: Vec::new(),
            via: Via::Login(person.login.clone()),
        };
        Actor { principal, address: None }
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Sends a request from 192.0.2.7, unless it says otherwise.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(Peer { address, transport: Transport::Plain });
        }
        let response = self.router.clone().oneshot(request).await.expect("a router always answers");
        Answer::read(response).await
    }

    /// A user of the role, signed in.
    pub(crate) async fn person(&self, name: &str, role: Role) -> Person {
        // Each at a moment of its own, so that lists have an order.
        self.wait(1);
        let console = Actor::console(self.hub.now());
        let permit = console.may_administer().expect("the console may");
        let (user, link) =
            service::user::create(&self.hub, &console, &permit, name, role).await.expect("a new user");
        let secret = token_of(&link.url);
        let answer = service::link::Answer { name: None, password: Secret::new(PASSWORD) };
        let login = service::link::follow(&self.hub, &Client::default(), &secret, &answer).await;
        Person::of(&self.hub, user, &login.expect("the link works"))
    }

    pub(crate) async fn administrator(&self) -> Person {
        self.person("root", Role::Administrator).await
    }

    pub(crate) async fn member(&self, name: &str) -> Person {
        self.person(name, Role::Member).await
    }
}

/// With one engine, the fake one.
fn parts(config: Config, store: Store, clock: Clock, data_dir: &Path, engine: &Fake) -> Parts {
    let fake: Arc<dyn Spawner> = Arc::new(engine.clone());
    let engines = Engines::from([("fake".parse().expect("a name"), fake)]);
    let (probe, origins) = (Arc::new(Direct), Arc::new(Labels));
    let (data_dir, tasks) = (data_dir.to_owned(), Tasks::default());
    Parts { config, store, clock, engines, probe, origins, data_dir, tasks }
}

/// The secret in a one-time link.
pub(crate) fn token_of(url: &Secret) -> Secret {
    let (_, token) = url.expose().split_once("/welcome?token=").expect("a link");
    Secret::new(token)
}
