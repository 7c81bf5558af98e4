//! The open database, and how to begin a transaction.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use crate::{
    app, audit,
    config::Config,
    error::StoreError,
    event, gone, grant, group, idempotency, login,
    meter::{Meters, TxMeter},
    migration, one_time_link,
    postgres::Postgres,
    revocation, setting,
    sqlite::{self, Sqlite},
    throttle, ticket, token,
    tx::{Lease, Tx},
    user, workload,
};

/// Every statement of Portico, by module.
const STATEMENTS: &[&[&str]] = &[
    app::STATEMENTS,
    audit::STATEMENTS,
    event::STATEMENTS,
    gone::STATEMENTS,
    grant::STATEMENTS,
    group::STATEMENTS,
    idempotency::STATEMENTS,
    login::STATEMENTS,
    migration::STATEMENTS,
    one_time_link::STATEMENTS,
    revocation::STATEMENTS,
    setting::STATEMENTS,
    throttle::STATEMENTS,
    ticket::STATEMENTS,
    token::STATEMENTS,
    user::STATEMENTS,
    workload::STATEMENTS,
];

/// An open database. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Store {
    database: Arc<Database>,
    meters: Arc<Meters>,
}

#[derive(Debug)]
enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Store {
    /// Opens the configured database, makes it when it is new, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another process has the same file; otherwise what is wrong with the
    /// configuration, the disk, the file or the server.
    pub async fn open(config: &Config) -> Result<Self, StoreError> {
        let database = match (&config.path, &config.postgres) {
            (Some(path), None) => Database::Sqlite(Sqlite::open(path, config).await?),
            (None, Some(settings)) => Database::Postgres(Postgres::open(settings, config).await?),
            _ => return Err(StoreError::Config("give either `path` or `postgres`".to_owned())),
        };
        Ok(Self { database: Arc::new(database), meters: Arc::default() })
    }

    /// Begins a transaction that only reads, and sees one moment throughout.
    ///
    /// # Errors
    /// When no connection came free in time, or the database is gone.
    pub async fn begin_read(&self, name: &'static str) -> Result<Tx, StoreError> {
        let began = Instant::now();
        let lease = match &*self.database {
            Database::Sqlite(sqlite) => Lease::Sqlite(sqlite.begin_read().await?),
            Database::Postgres(postgres) => Lease::Postgres(Box::new(postgres.begin_read().await?)),
        };
        Ok(Tx::new(name, lease, Arc::clone(&self.meters), began))
    }

    /// Begins a transaction that may write. With SQLite it is the only one meanwhile: who holds one and
    /// begins another waits for itself, until it is told [`StoreError::Busy`].
    ///
    /// # Errors
    /// When its turn did not come in time, or the database is gone.
    pub async fn begin_write(&self, name: &'static str) -> Result<Tx, StoreError> {
        let began = Instant::now();
        let lease = match &*self.database {
            Database::Sqlite(sqlite) => Lease::Sqlite(sqlite.begin_write().await?),
            Database::Postgres(postgres) => Lease::Postgres(Box::new(postgres.begin_write().await?)),
        };
        Ok(Tx::new(name, lease, Arc::clone(&self.meters), began))
    }

    /// Checks that the database answers and that every statement fits its schema. Returns how many.
    ///
    /// # Errors
    /// The first statement that the database does not take, or that it cannot be asked.
    pub async fn check(&self) -> Result<usize, StoreError> {
        let statements: Vec<_> = STATEMENTS.iter().flat_map(|of| of.iter().copied()).collect();
        let count = statements.len();
        match &*self.database {
            Database::Sqlite(sqlite) => sqlite.prepare(statements).await?,
            Database::Postgres(postgres) => postgres.prepare(statements).await?,
        }
        Ok(count)
    }

    /// Product and place, for people: `SQLite /var/lib/portico/portico.db`. Holds no secret.
    #[must_use]
    pub fn describe(&self) -> String {
        match &*self.database {
            Database::Sqlite(sqlite) => format!("SQLite {}", sqlite.path().display()),
            Database::Postgres(postgres) => format!("PostgreSQL {}", postgres.place()),
        }
    }

    /// What transactions took so far, by their names.
    #[must_use]
    pub fn meters(&self) -> BTreeMap<&'static str, TxMeter> {
        self.meters.snapshot()
    }

    /// Copies the database to a new file while it is in use; the copy was checked when it appears.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] with PostgreSQL; otherwise what is wrong with disk or database.
    pub async fn backup(&self, target: &Path) -> Result<(), StoreError> {
        let Database::Sqlite(sqlite) = &*self.database else {
            return Err(StoreError::Unsupported("a backup"));
        };
        Self::copy(sqlite.path(), target).await
    }

    /// Like [`Store::backup`], for a database file that another process may have open.
    ///
    /// # Errors
    /// What is wrong with disk or database.
    pub async fn copy(path: &Path, target: &Path) -> Result<(), StoreError> {
        let (path, target) = (path.to_owned(), target.to_owned());
        let done = tokio::task::spawn_blocking(move || sqlite::backup::back_up(&path, &target));
        done.await.map_err(|_| StoreError::Closed)?
    }

    /// Replaces the configured database by a copy that `backup` made, after checking the copy. Keeps
    /// the present file and returns where.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while a process has the database open, [`StoreError::Corrupt`] or
    /// [`StoreError::Newer`] for a copy that cannot be used; then nothing was changed.
    pub async fn restore(config: &Config, source: &Path) -> Result<Option<PathBuf>, StoreError> {
        let Some(path) = config.path.clone() else { return Err(StoreError::Unsupported("a restore")) };
        let source = source.to_owned();
        let done = tokio::task::spawn_blocking(move || sqlite::backup::restore(&path, &source));
        done.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits for running transactions and closes all connections; later calls get
    /// [`StoreError::Closed`].
    pub async fn close(&self) {
        match &*self.database {
            Database::Sqlite(sqlite) => sqlite.close().await,
            Database::Postgres(postgres) => postgres.close(),
        }
    }
}
