//! A log as a stream.
//!
//! Growth is seen by looking, at a pace that follows the app's: an idle follower looks ten times a
//! second at one file.

use std::{io, path::PathBuf, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use portico_core::ports::{Follow, InstanceStatus, LogStream, SpawnError};
use tokio::time::sleep;

use super::{journal::Reader, record::Home, unreadable};

const CHUNK: usize = 16 * 1024;
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(100);

struct Position {
    reader: Reader,
    home: Home,
    lock: PathBuf,
    follow: Follow,
    failed: bool,
}

/// The log from the beginning.
pub(super) fn follow(home: Home, lock: PathBuf, follow: Follow) -> LogStream {
    let reader = Reader::new(home.directory.clone());
    let start = Position { reader, home, lock, follow, failed: false };
    stream::unfold(start, |mut position| async move {
        if position.failed {
            return None;
        }
        match position.next().await {
            Ok(chunk) => chunk.map(|chunk| (Ok(chunk), position)),
            Err(error) => {
                position.failed = true;
                Some((Err::<Bytes, SpawnError>(unreadable(&error)), position))
            }
        }
    })
    .boxed()
}

impl Position {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let mut chunk = vec![0; CHUNK];
        let mut pause = SHORTEST;
        loop {
            // Whether it has ended is asked first: what is then read is all there is.
            let last = self.follow == Follow::No || self.has_ended()?;
            let count = self.reader.read(&mut chunk)?;
            if count > 0 {
                chunk.truncate(count);
                return Ok(Some(chunk.into()));
            }
            if last {
                return Ok(None);
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST);
        }
    }

    fn has_ended(&self) -> io::Result<bool> {
        let instance = self.home.instance(&self.lock)?;
        Ok(instance.is_none_or(|instance| matches!(instance.status, InstanceStatus::Ended(_))))
    }
}
