//! Copies of the database file: made while it is in use, checked, and put back.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, backup::Backup};

use super::{Guard, directory_of, fault::Faults, hide};
use crate::{
    error::StoreError,
    migration::{self, Applied},
};

/// Pages per step; between steps writers get their turn.
const PAGES: i32 = 1024;

/// Which schema changes the database had; none when it is new.
pub(super) fn applied(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    connection.execute_batch(migration::TABLE)?;
    read_applied(connection)
}

fn read_applied(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    let mut statement = connection.prepare(migration::APPLIED)?;
    let rows = statement.query_map([], |row| Ok(Applied { version: row.get(0)?, checksum: row.get(1)? }))?;
    rows.collect()
}

/// Copies an open database to `target`, which appears only when the copy was found whole.
pub(super) fn copy(source: &Connection, target: &Path, faults: &Faults) -> Result<(), StoreError> {
    let part = beside(target, ".part");
    remove(&part)?;
    let made = write_copy(source, &part, faults).and_then(|()| put(&part, target));
    if made.is_err() {
        remove(&part)?;
    }
    made
}

/// Copies the database file at `path` to `target` over a connection of its own.
pub(crate) fn back_up(path: &Path, target: &Path) -> Result<(), StoreError> {
    let faults = Faults::new(path);
    if target.is_dir() {
        return Err(StoreError::Config(format!("{} is a directory, not a file", target.display())));
    }
    let tell = |error| faults.tell(error);
    let source = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(tell)?;
    source.busy_timeout(Duration::from_secs(5)).map_err(tell)?;
    copy(&source, target, &faults)
}

/// Replaces the database at `path` by the copy at `source`, and keeps the present file aside.
///
/// Returns where the present file went, if there was one.
pub(crate) fn restore(path: &Path, source: &Path) -> Result<Option<PathBuf>, StoreError> {
    let _guard = Guard::take(path)?;
    let faults = Faults::new(source);
    let from = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|error| faults.tell(error))?;
    check(&from, &faults)?;
    let applied = read_applied(&from).map_err(|error| StoreError::Corrupt {
        place: source.display().to_string(),
        detail: format!("it is no backup of Portico: {error}"),
    })?;
    migration::pending(migration::STEPS, &source.display().to_string(), &applied)?;
    let part = beside(path, ".part");
    remove(&part)?;
    if let Err(error) = write_copy(&from, &part, &Faults::new(path)) {
        remove(&part)?;
        return Err(error);
    }
    let aside = keep_aside(path)?;
    put(&part, path)?;
    Ok(aside)
}

fn write_copy(source: &Connection, part: &Path, faults: &Faults) -> Result<(), StoreError> {
    let target_faults = Faults::new(part);
    let tell = |error| target_faults.tell(error);
    File::create_new(part).map_err(|error| StoreError::io("creating", part, error))?;
    hide(part)?;
    let mut target = Connection::open(part).map_err(tell)?;
    Backup::new(source, &mut target)
        .and_then(|backup| backup.run_to_completion(PAGES, Duration::ZERO, None))
        .map_err(tell)?;
    // One file is the whole copy: no log beside it.
    target.pragma_update(None, "journal_mode", "DELETE").map_err(tell)?;
    check(&target, faults)?;
    drop(target);
    File::open(part).and_then(|file| file.sync_all()).map_err(|error| StoreError::io("writing", part, error))
}

fn check(connection: &Connection, faults: &Faults) -> Result<(), StoreError> {
    let verdict: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| faults.tell(error))?;
    if verdict == "ok" { Ok(()) } else { Err(faults.damaged(verdict)) }
}

/// Moves the present database aside under a name that is free; its log goes with it.
fn keep_aside(path: &Path) -> Result<Option<PathBuf>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    let aside = (1_u32..)
        .map(|number| beside(path, &format!(".before-restore-{number}")))
        .find(|candidate| !candidate.exists())
        .unwrap_or_else(|| beside(path, ".before-restore"));
    for suffix in ["-wal", "-shm", ""] {
        let from = beside(path, suffix);
        match fs::rename(&from, beside(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io("moving aside", from, error));
            }
            _ => {}
        }
    }
    Ok(Some(aside))
}

/// Renames a finished file into place, so that after a crash there is the old one or the new one.
fn put(part: &Path, target: &Path) -> Result<(), StoreError> {
    fs::rename(part, target)
        .and_then(|()| File::open(directory_of(target))?.sync_all())
        .map_err(|error| StoreError::io("writing", target, error))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("removing", path, error)),
        _ => Ok(()),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
