//! The embedded database: one file, one writing connection, a few reading ones.
//!
//! SQLite's calls block, so each connection belongs to a thread of its own and a transaction is a lease
//! of one thread. Writers wait their turn in line instead of meeting SQLite's file lock, which knows
//! no fairness. `synchronous = FULL` with the write-ahead log costs one flush per commit and keeps
//! every commit through a power failure too: a lost launch would be an instance on some engine that
//! nobody accounts for. A killed process loses nothing in any mode.

pub(crate) mod backup;
mod fault;
mod guard;
mod lease;
mod worker;

use std::{
    fs, io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, oneshot};

use self::{
    fault::Faults,
    worker::{Job, Worker},
};
pub(crate) use self::{guard::Guard, lease::Lease};
use crate::{config::Config, error::StoreError, migration};

/// An open database file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    path: PathBuf,
    wait: Duration,
    writer: Lane,
    readers: Lane,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// A way to threads of one kind: who holds a permit finds one of them free.
#[derive(Debug)]
struct Lane {
    free: Arc<Semaphore>,
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
}

impl Sqlite {
    /// Locks and opens the file, makes or migrates it, and starts the threads.
    pub(crate) async fn open(path: &Path, config: &Config) -> Result<Self, StoreError> {
        let (path, config) = (path.to_owned(), config.clone());
        let opened = tokio::task::spawn_blocking(move || Self::open_blocking(path, &config));
        opened.await.map_err(|_| StoreError::Closed)?
    }

    fn open_blocking(path: PathBuf, config: &Config) -> Result<Self, StoreError> {
        let guard = Arc::new(Guard::take(&path)?);
        let faults = Faults::new(&path);
        let mut writer = connect(&path, &faults)?;
        migrate(&path, &mut writer, &faults)?;
        let mut threads = Vec::new();
        let limit = Duration::from_secs(u64::from(config.transaction_seconds.max(1)));
        let mut start = |name: &str, connection, jobs: Arc<Mutex<mpsc::Receiver<Job>>>| {
            let worker = Worker { connection, faults: faults.clone(), limit, guard: Arc::clone(&guard) };
            let thread = std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || worker.run(&jobs))
                .map_err(|error| StoreError::io("starting a thread for", &path, error))?;
            threads.push(thread);
            Ok::<_, StoreError>(())
        };
        let (sender, jobs) = mpsc::channel();
        start("store-writer", writer, Arc::new(Mutex::new(jobs)))?;
        let writer = Lane::new(1, sender);
        let count = config.readers.clamp(1, 16);
        let (sender, jobs) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..count {
            let connection = connect(&path, &faults)?;
            connection.pragma_update(None, "query_only", true).map_err(|error| faults.tell(error))?;
            start("store-reader", connection, Arc::clone(&jobs))?;
        }
        let readers = Lane::new(usize::from(count), sender);
        let wait = Duration::from_secs(u64::from(config.wait_seconds.max(1)));
        Ok(Self { path, wait, writer, readers, threads: Mutex::new(threads) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) async fn begin_read(&self) -> Result<Lease, StoreError> {
        self.readers.lease(self.wait, worker::Begin::Read).await
    }

    pub(crate) async fn begin_write(&self) -> Result<Lease, StoreError> {
        self.writer.lease(self.wait, worker::Begin::Write).await
    }

    /// Prepares statements without running them.
    pub(crate) async fn prepare(&self, statements: Vec<&'static str>) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        let free = self.readers.wait_free(self.wait).await?;
        self.readers.send(Job::Prepare { statements, reply, free })?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Lets running transactions end, then closes the connections and gives up the lock.
    pub(crate) async fn close(&self) {
        for lane in [&self.writer, &self.readers] {
            drop(lane.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
        let threads: Vec<_> = self.threads.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a thread of the database ended by a panic");
                }
            }
        });
        if let Err(error) = joined.await {
            tracing::error!(error = %error, "the database was not closed in order");
        }
    }
}

impl Lane {
    fn new(threads: usize, jobs: mpsc::Sender<Job>) -> Self {
        Self { free: Arc::new(Semaphore::new(threads)), jobs: Mutex::new(Some(jobs)) }
    }

    async fn wait_free(&self, wait: Duration) -> Result<tokio::sync::OwnedSemaphorePermit, StoreError> {
        let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
        if let Ok(free) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(free);
        }
        match tokio::time::timeout(wait, Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(free)) => Ok(free),
            Ok(Err(_)) => Err(StoreError::Closed),
            Err(_) => Err(StoreError::Busy { seconds }),
        }
    }

    async fn lease(&self, wait: Duration, begin: worker::Begin) -> Result<Lease, StoreError> {
        let free = self.wait_free(wait).await?;
        let (calls, inbox) = mpsc::channel();
        self.send(Job::Transaction { begin, calls: inbox, free })?;
        Ok(Lease::new(calls))
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or(StoreError::Closed)
    }
}

/// Opens a connection to a file that the guard protects.
pub(crate) fn connect(path: &Path, faults: &Faults) -> Result<Connection, StoreError> {
    // SQLite gives its side files the mode of the main one.
    let made = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    made.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => StoreError::MissingDirectory { path: directory_of(path) },
        _ => StoreError::io("opening", path, error),
    })?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let tell = |error| faults.tell(error);
    let connection = Connection::open_with_flags(path, flags).map_err(tell)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(tell)?;
    connection.set_prepared_statement_cache_capacity(512);
    for (pragma, value) in [
        ("journal_mode", "WAL"),
        ("synchronous", "FULL"),
        ("foreign_keys", "ON"),
        ("temp_store", "MEMORY"),
        ("trusted_schema", "OFF"),
        ("cache_size", "-4096"),
        ("journal_size_limit", "67108864"),
    ] {
        connection.pragma_update(None, pragma, value).map_err(tell)?;
    }
    Ok(connection)
}

fn directory_of(path: &Path) -> PathBuf {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// Brings the schema up to date in one transaction, with a copy of what was there before.
fn migrate(path: &Path, connection: &mut Connection, faults: &Faults) -> Result<(), StoreError> {
    let place = path.display().to_string();
    let applied = backup::applied(connection).map_err(|error| faults.tell(error))?;
    let pending = migration::pending(&place, &applied)?;
    let (Some(first), before) = (pending.first(), applied.last().map(|step| step.version)) else {
        return Ok(());
    };
    if let Some(before) = before {
        let mut aside = path.as_os_str().to_owned();
        aside.push(format!(".before-{}", first.version));
        backup::copy(connection, Path::new(&aside), faults)?;
        tracing::info!(database.schema = before, copy = %aside.display(), "copied the database before a schema change");
    }
    let transaction = connection.transaction().map_err(|error| faults.tell(error))?;
    for step in pending {
        let run = || {
            transaction.execute_batch(step.sql)?;
            transaction.execute(
                migration::RECORD,
                rusqlite::params![step.version, step.name, migration::checksum(step.sql)],
            )
        };
        run().map_err(|error| StoreError::Migration {
            version: step.version,
            source: Box::new(faults.tell(error)),
        })?;
    }
    transaction.commit().map_err(|error| faults.tell(error))
}

/// Makes a file readable by its owner only.
pub(crate) fn hide(path: &Path) -> Result<(), StoreError> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .map_err(|error| StoreError::io("protecting", path, error))
}
