//! Hears of starts and ends of runs.
//!
//! Every run has a lock file in one directory: it is made when the run starts, and closed when its
//! shim ends, however that happens. The kernel announces both.

use std::{io, path::Path, time::Duration};

use futures_util::{StreamExt, stream, stream::BoxStream};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::{io::AsyncReadExt, net::unix::pipe, time::sleep};

/// Pause between hints where the kernel announces nothing.
const BLIND_PAUSE: Duration = Duration::from_secs(1);

/// Yields after each change of the locks.
pub(super) fn watch(locks: &Path) -> BoxStream<'static, ()> {
    let watcher = open(locks)
        .inspect_err(|error| tracing::warn!(%error, "changes of runs are looked for every second only"))
        .ok();
    stream::unfold(watcher, |mut watcher| async move {
        match &mut watcher {
            Some(watcher) => next(watcher).await,
            None => sleep(BLIND_PAUSE).await,
        }
        Some(((), watcher))
    })
    .boxed()
}

/// The kernel's announcements, which are read like a pipe.
fn open(locks: &Path) -> io::Result<pipe::Receiver> {
    let watcher = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    inotify::add_watch(&watcher, locks, WatchFlags::CREATE | WatchFlags::CLOSE_WRITE | WatchFlags::DELETE)?;
    pipe::Receiver::from_owned_fd_unchecked(watcher)
}

/// Waits for announcements and takes all that there are: what they say is of no interest.
async fn next(watcher: &mut pipe::Receiver) {
    let mut announcements = [0; 4096];
    if watcher.read(&mut announcements).await.is_err() {
        sleep(BLIND_PAUSE).await;
    }
}
