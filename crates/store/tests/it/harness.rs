//! A fresh database per test, and the nouns to fill it with.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use portico_core::{
    Timestamp, UserId, WorkloadId,
    app::{App, Program},
    launch::{LaunchSpec, Owner},
    names::{DisplayName, Label},
    quota::Limits,
    user::{Group, Role, Standing, User},
    workload::{State, Workload},
};
use portico_store::{Config, Store, user};

use crate::postgres::{self, Database};

/// An empty database.
pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) config: Config,
    directory: Option<tempfile::TempDir>,
    database: Option<Database>,
}

impl Site {
    pub(crate) async fn sqlite() -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let config = Config::sqlite(directory.path().join("portico.db"));
        let store = Store::open(&config).await?;
        Ok(Self { store, config, directory: Some(directory), database: None })
    }

    /// `None` where there is no server; then the test is skipped.
    pub(crate) async fn postgres() -> anyhow::Result<Option<Self>> {
        let Some(database) = postgres::database().await? else { return Ok(None) };
        let config = database.config();
        let store = Store::open(&config).await?;
        Ok(Some(Self { store, config, directory: None, database: Some(database) }))
    }

    /// Where the SQLite file is.
    pub(crate) fn path(&self) -> PathBuf {
        self.config.path.clone().expect("an SQLite site")
    }

    pub(crate) fn database(&self) -> &Database {
        self.database.as_ref().expect("a PostgreSQL site")
    }

    pub(crate) async fn end(self) -> anyhow::Result<()> {
        self.store.close().await;
        if let Some(database) = self.database {
            database.drop().await?;
        }
        drop(self.directory);
        Ok(())
    }

    /// Stores an account of this name.
    pub(crate) async fn user(&self, name: &str) -> anyhow::Result<User> {
        let mut tx = self.store.begin_write("test.user").await?;
        let number = user::next_number(&mut tx).await?;
        let user = account(name, number);
        user::insert(&mut tx, &user).await?;
        tx.commit().await?;
        Ok(user)
    }
}

/// Writes tests that run over SQLite and over PostgreSQL.
macro_rules! on_both {
    ($(async fn $name:ident($site:ident) $body:block)*) => {$(
        async fn $name($site: &crate::harness::Site) -> anyhow::Result<()> $body

        mod $name {
            use crate::harness::Site;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() -> anyhow::Result<()> {
                let site = Site::sqlite().await?;
                let done = super::$name(&site).await;
                site.end().await?;
                done
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() -> anyhow::Result<()> {
                let Some(site) = Site::postgres().await? else { return Ok(()) };
                let done = super::$name(&site).await;
                site.end().await?;
                done
            }
        }
    )*};
}

pub(crate) use on_both;

/// Says why a test could not do its work here.
#[expect(clippy::print_stdout, reason = "the harness shows it with the test's name")]
pub(crate) fn skip(reason: &str) {
    println!("skipped: {reason}");
}

/// A moment in milliseconds since 2026-01-01.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_767_225_600_000 + millis).expect("in range")
}

/// Bytes that no other call gets.
pub(crate) fn entropy() -> [u8; 10] {
    static CALLS: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [7; 10];
    bytes[2..].copy_from_slice(&CALLS.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

pub(crate) fn account(name: &str, number: u32) -> User {
    let name: DisplayName = name.parse().expect("a name");
    User {
        id: UserId::new(at(i64::from(number)), entropy()),
        slug: name.slug(),
        name,
        number,
        role: Role::Member,
        standing: Standing::Active,
        created: at(0),
        last_seen: None,
    }
}

pub(crate) fn group(name: &str) -> Group {
    let name: DisplayName = name.parse().expect("a name");
    Group { id: portico_core::GroupId::new(at(0), entropy()), slug: name.slug(), name, created: at(0) }
}

pub(crate) fn app(name: &str) -> App {
    let text = serde_json::json!({
        "name": name, "title": "Terminal", "engine": "local",
        "run": { "command": ["sh", "-c", "exec {portico} terminal"] },
        "entry": { "main": { "listen": "unix" } },
    });
    serde_json::from_value(text).expect("an app")
}

/// A requested workload of `owner`, launched `millis` after the beginning.
pub(crate) fn workload(owner: &User, millis: i64) -> Workload {
    let app = app("terminal");
    let Program::Command(_) = &app.program else { unreachable!("it runs a command") };
    let mut label = [0; 13];
    label[..10].copy_from_slice(&entropy());
    Workload {
        id: WorkloadId::new(at(millis), entropy()),
        label: Label::random(label),
        owner: Owner { user: owner.id.clone(), slug: owner.slug.clone(), number: owner.number },
        title: app.title.clone(),
        icon: app.icon.clone(),
        engine: app.engine.clone(),
        spec: LaunchSpec {
            program: app.program,
            env: BTreeMap::from([("LANG".to_owned(), "C.UTF-8".to_owned())]),
            parameters: BTreeMap::new(),
            entry_points: app.entry_points,
            ready: app.ready,
            mounts: app.mounts,
            network: app.network,
            limits: Limits { cpu_millis: 500, memory_mib: 256, pids: 64 },
            grace_seconds: 5,
        },
        app: app.name,
        state: State::Requested,
        generation: 0,
        created: at(millis),
        changed: at(millis),
        version: 1,
    }
}
