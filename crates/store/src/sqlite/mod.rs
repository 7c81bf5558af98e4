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
use crate::{
    config::Config,
    error::StoreError,
    migration::{self, Step},
};

/// An open database file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    path: PathBuf,
    wait: Duration,
    writer: Lane,
    readers: Lane,
}

/// A way to threads of one kind: who holds a permit finds one of them free.
#[derive(Debug)]
struct Lane {
    free: Arc<Semaphore>,
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
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
        migrate(migration::STEPS, &path, &mut writer, &faults)?;
        let limit = Duration::from_secs(u64::from(config.transaction_seconds.max(1)));
        let worker =
            |connection| Worker { connection, faults: faults.clone(), limit, guard: Arc::clone(&guard) };
        let read = || {
            let connection = connect(&path, &faults)?;
            connection.pragma_update(None, "query_only", true).map_err(|error| faults.tell(error))?;
            Ok::<_, StoreError>(worker(connection))
        };
        let readers = (0..config.readers.clamp(1, 16)).map(|_| read()).collect::<Result<Vec<_>, _>>()?;
        let failed = |error| StoreError::io("starting a thread for", &path, error);
        let readers = Lane::start("store-reader", readers).map_err(failed)?;
        let writer = Lane::start("store-writer", vec![worker(writer)]).map_err(failed)?;
        let wait = Duration::from_secs(u64::from(config.wait_seconds.max(1)));
        Ok(Self { path, wait, writer, readers })
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

    /// Lets running transactions end, then closes the connections and gives up the lock. The writer is
    /// the last: whoever closes last moves the log into the file.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl Lane {
    fn start(name: &str, workers: Vec<Worker>) -> io::Result<Self> {
        let (sender, jobs) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        let free = Arc::new(Semaphore::new(workers.len()));
        let start = |worker: Worker| {
            let jobs = Arc::clone(&jobs);
            std::thread::Builder::new().name(name.to_owned()).spawn(move || worker.run(&jobs))
        };
        let threads = workers.into_iter().map(start).collect::<io::Result<_>>()?;
        Ok(Self { free, jobs: Mutex::new(Some(sender)), threads: Mutex::new(threads) })
    }

    async fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
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
fn migrate(
    steps: &[Step],
    path: &Path,
    connection: &mut Connection,
    faults: &Faults,
) -> Result<(), StoreError> {
    let place = path.display().to_string();
    let applied = backup::applied(connection).map_err(|error| faults.tell(error))?;
    let pending = migration::pending(steps, &place, &applied)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Step = Step { version: 1, name: "first", sql: "CREATE TABLE one (id BIGINT)" };
    const SECOND: Step = Step { version: 2, name: "second", sql: "ALTER TABLE one ADD COLUMN more TEXT" };
    const BROKEN: Step = Step { version: 3, name: "broken", sql: "CREATE TABLE two (id BIGINT); nonsense" };

    fn tables(connection: &Connection) -> Vec<String> {
        let sql = "SELECT sql FROM sqlite_schema WHERE name IN ('one', 'two') ORDER BY name";
        let mut statement = connection.prepare(sql).expect("a statement");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("texts")
    }

    #[test]
    fn a_database_is_copied_before_its_schema_changes() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("portico.db");
        let faults = Faults::new(&path);
        let mut connection = connect(&path, &faults).expect("opens");
        migrate(&[FIRST], &path, &mut connection, &faults).expect("migrates");
        assert_eq!(fs::read_dir(&directory).expect("a directory").count(), 3, "the file and its log");
        let before = tables(&connection);
        migrate(&[FIRST, SECOND], &path, &mut connection, &faults).expect("migrates");
        assert_ne!(tables(&connection), before);
        let copy = Connection::open(directory.path().join("portico.db.before-2")).expect("the copy");
        assert_eq!(tables(&copy), before);
    }

    #[test]
    fn a_failed_schema_change_leaves_all_as_it_was() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("portico.db");
        let faults = Faults::new(&path);
        let mut connection = connect(&path, &faults).expect("opens");
        migrate(&[FIRST], &path, &mut connection, &faults).expect("migrates");
        let before = tables(&connection);
        let failed = migrate(&[FIRST, SECOND, BROKEN], &path, &mut connection, &faults);
        assert!(matches!(failed, Err(StoreError::Migration { version: 3, .. })), "{failed:?}");
        assert_eq!(tables(&connection), before);
        migrate(&[FIRST, SECOND], &path, &mut connection, &faults).expect("goes on");
    }
}
