//! The database server, for sites that run several nodes or keep all their data in one place.
//!
//! A transaction is a lease of one pooled connection. It runs at `read committed`: what must be
//! decided one after the other takes a row lock first, see [`crate::user::lock`]. Reading transactions
//! are `repeatable read`, so that they see one moment as with SQLite.

mod address;
mod fault;
mod lease;

use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

pub(crate) use self::lease::Lease;
use self::{address::Address, fault::tell};
use crate::{
    config::{self, Config},
    error::StoreError,
    migration::{self, Applied},
};

/// Any number will do, as long as every Portico takes the same.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(7023619530427843)";
const HAS_KEYTEXT: &str =
    "SELECT 1 FROM pg_type WHERE typname = 'keytext' AND typnamespace = current_schema()::regnamespace";
/// Sorts by bytes whatever the database's locale says, since cursors rely on the order of ids.
const MAKE_KEYTEXT: &str = r#"CREATE DOMAIN keytext AS TEXT COLLATE "C""#;

/// An open connection pool.
#[derive(Debug)]
pub(crate) struct Postgres {
    pool: Pool,
    place: String,
    wait: Duration,
    most: u16,
}

impl Postgres {
    /// Connects, makes or migrates the schema.
    pub(crate) async fn open(settings: &config::Postgres, config: &Config) -> Result<Self, StoreError> {
        let wait = Duration::from_secs(u64::from(config.wait_seconds.max(1)));
        let address = Address::read(settings, wait)?;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match address.tls {
            Some(tls) => Manager::from_config(address.config, MakeRustlsConnect::new(tls), recycling),
            None => Manager::from_config(address.config, NoTls, recycling),
        };
        let prepare = session(config);
        let pool = Pool::builder(manager)
            .max_size(usize::from(settings.connections.max(1)))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(wait))
            .create_timeout(Some(wait))
            .post_create(Hook::async_fn(move |client, _| {
                let prepare = prepare.clone();
                Box::pin(async move { client.batch_execute(&prepare).await.map_err(HookError::Backend) })
            }))
            .build()
            .map_err(|error| StoreError::Config(error.to_string()))?;
        let opened = Self { pool, place: address.place, wait, most: settings.connections.max(1) };
        opened.migrate().await?;
        Ok(opened)
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    pub(crate) async fn begin_read(&self) -> Result<Lease, StoreError> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    pub(crate) async fn begin_write(&self) -> Result<Lease, StoreError> {
        self.begin("BEGIN").await
    }

    /// A pooled connection may have died unnoticed, for example with the server; then the next one is
    /// tried, and at last a new one.
    async fn begin(&self, sql: &str) -> Result<Lease, StoreError> {
        for _ in 0..self.most {
            let client = self.connection().await?;
            match client.batch_execute(sql).await {
                Ok(()) => return Ok(Lease::new(client)),
                Err(error) if client.is_closed() || error.is_closed() => {
                    tracing::info!(error = %error, "a connection to the database was lost; taking another");
                    drop(Object::take(client));
                }
                Err(error) => return Err(tell(&error)),
            }
        }
        Err(StoreError::Unreachable { detail: "every connection was lost".to_owned() })
    }

    async fn connection(&self) -> Result<Object, StoreError> {
        let seconds = u32::try_from(self.wait.as_secs()).unwrap_or(u32::MAX);
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => tell(&error),
            PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => StoreError::Busy { seconds },
            PoolError::Closed => StoreError::Closed,
            other => StoreError::Unreachable { detail: other.to_string() },
        })
    }

    /// Prepares statements without running them.
    pub(crate) async fn prepare(&self, statements: Vec<&'static str>) -> Result<(), StoreError> {
        let client = self.connection().await?;
        for sql in statements {
            client.prepare(sql).await.map_err(|error| match tell(&error) {
                StoreError::Sql { detail } => StoreError::Sql { detail: format!("{detail}: {sql}") },
                other => other,
            })?;
        }
        Ok(())
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }

    /// Several nodes may start at once: one migrates, the others wait and find nothing to do.
    async fn migrate(&self) -> Result<(), StoreError> {
        let mut client = self.connection().await?;
        let transaction = client.transaction().await.map_err(|error| tell(&error))?;
        let run = async |sql: &str| transaction.batch_execute(sql).await.map_err(|error| tell(&error));
        run("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0").await?;
        run(MIGRATION_LOCK).await?;
        let found = transaction.query_opt(HAS_KEYTEXT, &[]).await.map_err(|error| tell(&error))?;
        if found.is_none() {
            run(MAKE_KEYTEXT).await?;
        }
        run(migration::TABLE).await?;
        let rows = transaction.query(migration::APPLIED, &[]).await.map_err(|error| tell(&error))?;
        let read =
            |row: &tokio_postgres::Row| Ok(Applied { version: row.try_get(0)?, checksum: row.try_get(1)? });
        let applied: Vec<_> =
            rows.iter().map(read).collect::<Result<_, _>>().map_err(|error| tell(&error))?;
        for step in migration::pending(migration::STEPS, &self.place, &applied)? {
            let failed = |source| StoreError::Migration { version: step.version, source: Box::new(source) };
            run(step.sql).await.map_err(failed)?;
            let checksum = migration::checksum(step.sql);
            transaction
                .execute(migration::RECORD, &[&step.version, &step.name, &checksum])
                .await
                .map_err(|error| failed(tell(&error)))?;
        }
        transaction.commit().await.map_err(|error| tell(&error))
    }
}

/// What each new connection is told: the server ends what takes too long.
fn session(config: &Config) -> String {
    let wait = u64::from(config.wait_seconds.max(1)) * 1000;
    let limit = u64::from(config.transaction_seconds.max(1)) * 1000;
    format!(
        "SET lock_timeout = {wait}; SET statement_timeout = {limit};
         SET idle_in_transaction_session_timeout = {limit}"
    )
}
