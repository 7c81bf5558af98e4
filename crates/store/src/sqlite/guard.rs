//! The claim of one process on a database file.
//!
//! SQLite itself would let several processes in; Portico's reconcilers must be alone. The claim is a
//! kernel lock on a file beside the database, so that it ends with the process, however that ends.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use super::directory_of;
use crate::error::StoreError;

/// Held as long as this value lives. The file stays: removing it would race with the next process.
#[derive(Debug)]
pub(crate) struct Guard {
    _file: File,
}

impl Guard {
    pub(crate) fn take(database: &Path) -> Result<Self, StoreError> {
        let path = beside(database);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => StoreError::MissingDirectory { path: directory_of(database) },
                _ => StoreError::io("opening", &path, error),
            })?;
        if let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if error == rustix::io::Errno::WOULDBLOCK {
                return Err(StoreError::InUse { path: database.to_owned(), pid: holder(&mut file) });
            }
            return Err(StoreError::io("locking", &path, error.into()));
        }
        // The number only serves the message to a second process; a full disk may keep it out.
        let noted = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        if let Err(error) = noted {
            tracing::warn!(error = %error, path = %path.display(), "the process id could not be noted");
        }
        Ok(Self { _file: file })
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    PathBuf::from(path)
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
