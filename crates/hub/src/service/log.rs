//! Logs of workloads: live from the engine while it has them, from a file after the end.
//!
//! A file holds the end of the last run's log, at most as much as the configuration allows.

use std::{collections::VecDeque, io, path::PathBuf};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use portico_core::{
    WorkloadId,
    access::Permit,
    ports::{Follow, LogStream, SpawnError},
    workload::Workload,
};
use tokio::{fs, io::AsyncWriteExt};

use crate::{error::Error, state::Hub};

/// Longest log that is read from an engine without following it, in bytes.
const MOST_LIVE: usize = 16 << 20;

fn path(hub: &Hub, id: &WorkloadId) -> PathBuf {
    hub.data_dir.join("logs").join(format!("{id}.log"))
}

/// Keeps the end of a log. The file appears whole or not at all.
pub(crate) async fn keep(hub: &Hub, id: &WorkloadId, mut lines: LogStream) -> io::Result<()> {
    let most = usize::try_from(hub.config.workload.log_kib).unwrap_or(usize::MAX).saturating_mul(1024);
    let mut tail = Tail::new(most);
    while let Some(Ok(chunk)) = lines.next().await {
        tail.push(chunk);
    }
    let path = path(hub, id);
    let fresh = path.with_extension("new");
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).await?;
    }
    let mut file = fs::File::create(&fresh).await?;
    for chunk in &tail.chunks {
        file.write_all(chunk).await?;
    }
    file.sync_data().await?;
    fs::rename(&fresh, &path).await
}

/// Deletes what was kept. Something that is not there is fine.
pub(crate) async fn forget(hub: &Hub, id: &WorkloadId) {
    if let Err(error) = fs::remove_file(path(hub, id)).await
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(workload.id = %id, error = &error as &dyn std::error::Error, "a kept log could not be deleted");
    }
}

/// The log of a workload: of the present run, or what was kept of the last one.
///
/// # Errors
/// When the engine does not answer.
pub async fn read(hub: &Hub, _permit: &Permit, row: &Workload, follow: Follow) -> Result<LogStream, Error> {
    if !row.phase().is_ended()
        && let Some(engine) = hub.engines.get(&row.engine)
    {
        match engine.logs(&row.instance(&hub.config.realm), follow).await {
            Ok(lines) => return Ok(lines),
            Err(SpawnError::NoInstance) => {}
            Err(error) => return Err(Error::Unavailable { what: "the engine", source: error.into() }),
        }
    }
    match fs::read(path(hub, &row.id)).await {
        Ok(kept) => Ok(stream::iter([Ok(Bytes::from(kept))]).boxed()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(stream::empty().boxed()),
        Err(error) => Err(Error::internal(error)),
    }
}

/// Like [`read`] for somebody who waits: fails while there is no instance yet, so that the caller asks again.
///
/// # Errors
/// [`Error::NotFound`] while there is none; otherwise as [`read`].
pub(crate) async fn follow_present(
    hub: &Hub,
    permit: &Permit,
    row: &Workload,
    follow: Follow,
) -> Result<LogStream, Error> {
    if row.phase().is_ended() {
        return read(hub, permit, row, follow).await;
    }
    let engine = hub.engines.get(&row.engine).ok_or(Error::NotFound)?;
    engine.logs(&row.instance(&hub.config.realm), follow).await.map_err(|_| Error::NotFound)
}

/// The last lines, for a page.
///
/// # Errors
/// When the engine does not answer.
pub async fn tail(hub: &Hub, permit: &Permit, row: &Workload, lines: usize) -> Result<String, Error> {
    let mut log = read(hub, permit, row, Follow::No).await?;
    let mut tail = Tail::new(MOST_LIVE.min(lines.saturating_mul(4096).max(4096)));
    while let Some(Ok(chunk)) = log.next().await {
        tail.push(chunk);
    }
    Ok(last_lines(&tail.text(), lines).to_owned())
}

/// The end of a stream of chunks.
struct Tail {
    most: usize,
    held: usize,
    chunks: VecDeque<Bytes>,
}

impl Tail {
    const fn new(most: usize) -> Self {
        Self { most, held: 0, chunks: VecDeque::new() }
    }

    fn push(&mut self, chunk: Bytes) {
        self.held += chunk.len();
        self.chunks.push_back(chunk);
        while self.held > self.most
            && let Some(mut first) = self.chunks.pop_front()
        {
            let over = self.held - self.most;
            self.held -= first.len();
            if over < first.len() {
                let rest = first.split_off(over);
                self.held += rest.len();
                self.chunks.push_front(rest);
            }
        }
    }

    fn text(&self) -> String {
        let mut bytes = Vec::with_capacity(self.held);
        for chunk in &self.chunks {
            bytes.extend_from_slice(chunk);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn last_lines(text: &str, lines: usize) -> &str {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let start = body.rmatch_indices('\n').nth(lines.saturating_sub(1)).map_or(0, |(index, _)| index + 1);
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept() {
        let mut tail = Tail::new(5);
        for chunk in ["abc", "d", "efgh", ""] {
            tail.push(Bytes::from(chunk));
        }
        assert_eq!(tail.text(), "defgh");
        tail.push(Bytes::from("0123456789"));
        assert_eq!((tail.text().as_str(), tail.held), ("56789", 5));
    }

    #[test]
    fn last_lines_are_whole() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc\n");
        assert_eq!(last_lines("a\nb", 5), "a\nb");
        assert_eq!(last_lines("", 5), "");
    }
}
