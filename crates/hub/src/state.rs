//! [`Hub`]: the handles that services share.
//!
//! It holds no behaviour: what can be done stands in `service`, as functions that take the hub, the
//! actor and, for effects, a permit.

use std::{collections::BTreeMap, ops::Deref, path::PathBuf, sync::Arc};

use data_encoding::HEXLOWER;
use portico_core::{
    Secret, Timestamp,
    names::EngineName,
    pass::PassKey,
    ports::{Origins, Probe, Spawner},
    route::Published,
    workload::Workload,
};
use portico_store::Store;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    auth::{csrf::CsrfKey, password::Passwords},
    bus::{Bus, Change},
    catalogue::Catalogue,
    clock::Clock,
    config::Config,
    entropy,
    error::Error,
    live::Live,
    metrics::Metrics,
    service::revocation,
};

/// The shared state; cloning is cheap.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

/// What [`Hub`] dereferences to.
pub struct Inner {
    pub config: Config,
    pub store: Store,
    pub clock: Clock,
    pub engines: Engines,
    /// Sees when an app answers.
    pub probe: Arc<dyn Probe>,
    /// How browsers reach workloads.
    pub origins: Arc<dyn Origins>,
    /// Where logs of workloads are kept.
    pub data_dir: PathBuf,
    pub catalogue: Catalogue,
    pub live: Live,
    pub metrics: Metrics,
    /// What the front door knows: routes and revocations.
    pub published: watch::Sender<Published>,
    pub bus: Bus,
    pub keys: Keys,
    pub passwords: Passwords,
    pub tasks: Tasks,
}

/// The engines by name.
pub type Engines = BTreeMap<EngineName, Arc<dyn Spawner>>;

/// Keys made at the first start and kept in the store.
#[derive(Debug)]
pub struct Keys {
    /// Signs tickets and passes.
    pub pass: PassKey,
    /// Signs what forms carry.
    pub csrf: CsrfKey,
}

/// Where background work is registered, and the word on which it ends.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    pub tracker: TaskTracker,
    /// Cancelled when Portico shuts down: finish what is at hand and return.
    pub soft: CancellationToken,
}

/// What a hub is made of.
pub struct Parts {
    pub config: Config,
    pub store: Store,
    pub clock: Clock,
    pub engines: Engines,
    pub probe: Arc<dyn Probe>,
    pub origins: Arc<dyn Origins>,
    pub data_dir: PathBuf,
    pub tasks: Tasks,
}

impl Hub {
    /// Reads what the store remembers and makes the keys at the first start. Starts no task.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start(parts: Parts) -> Result<Self, Error> {
        let Parts { config, store, clock, engines, probe, origins, data_dir, tasks } = parts;
        let keys = Keys::load(&store).await?;
        let passwords = Passwords::new(config.password.clone());
        let published = watch::Sender::new(Published::default());
        let bus = Bus::default();
        let (catalogue, live, metrics) = (Catalogue::default(), Live::default(), Metrics::default());
        let hub = Self(Arc::new(Inner {
            config,
            store,
            clock,
            engines,
            probe,
            origins,
            data_dir,
            catalogue,
            live,
            metrics,
            published,
            bus,
            keys,
            passwords,
            tasks,
        }));
        revocation::reload(&hub).await?;
        crate::catalogue::reload(&hub).await?;
        Ok(hub)
    }

    /// Tells that something of a workload changed.
    pub(crate) fn tell_workload(&self, workload: &Workload) {
        let (id, owner) = (workload.id.clone(), workload.owner.user.clone());
        self.bus.tell(Change::Workload { id, owner });
    }

    /// Tells that a workload was deleted.
    pub(crate) fn tell_workload_gone(&self, workload: &Workload) {
        let (id, owner) = (workload.id.clone(), workload.owner.user.clone());
        self.bus.tell(Change::WorkloadGone { id, owner });
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Deref for Hub {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Keys {
    async fn load(store: &Store) -> Result<Self, Error> {
        let mut tx = store.begin_write("key.load").await?;
        let mut key = async |name: &str| {
            let fresh = Secret::new(HEXLOWER.encode(&entropy::bytes::<32>()));
            let kept = portico_store::setting::get_or_insert(&mut tx, name, &fresh).await?;
            let bytes = HEXLOWER.decode(kept.expose().as_bytes()).map_err(Error::internal)?;
            <[u8; 32]>::try_from(bytes)
                .map_err(|_| Error::internal(format!("the stored key {name} is damaged")))
        };
        let pass = PassKey::new(key("key.pass").await?);
        let csrf = CsrfKey::new(key("key.csrf").await?);
        tx.commit().await?;
        Ok(Self { pass, csrf })
    }
}
