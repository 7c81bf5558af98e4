//! What can be launched: definitions from files, from pages and the API, and the examples.
//!
//! All readers share one immutable [`Snapshot`]; whoever changes a source has it built anew. A
//! definition that is not right never takes a working one away: its mistake is shown instead.

pub mod files;
pub mod parse;
mod snapshot;

pub use parse::{Mistake, Position};
pub use snapshot::{Entry, FileMistake, Origin, Snapshot};

use std::sync::Arc;

use portico_store::StoreError;
use tokio::sync::watch;

use crate::{bus::Change, state::Hub};

/// The catalogue as it is now.
#[derive(Debug)]
pub struct Catalogue(watch::Sender<Arc<Snapshot>>);

impl Default for Catalogue {
    fn default() -> Self {
        Self(watch::Sender::new(Arc::default()))
    }
}

impl Catalogue {
    #[must_use]
    pub fn now(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.borrow())
    }
}

/// Looks at all sources anew, and tells when the catalogue became another.
///
/// # Errors
/// When the store does not answer; the catalogue stays as it is.
pub async fn reload(hub: &Hub) -> Result<(), StoreError> {
    let mut files = hub.live.files.lock().await;
    let directory = hub.config.catalogue.directory.clone();
    if let Some(directory) = directory {
        // A disk may be slow; nobody else may wait for it.
        let mut read = std::mem::take(&mut *files);
        let scanned = tokio::task::spawn_blocking(move || {
            read.scan(&directory);
            read
        });
        *files = scanned.await.unwrap_or_default();
    }
    let mut tx = hub.store.begin_read("catalogue.reload").await?;
    let stored = portico_store::app::list(&mut tx).await?;
    drop(tx);
    let engines = &hub.engines;
    let examples = if hub.config.catalogue.examples { files::examples() } else { Vec::new() };
    let examples = examples.into_iter().filter(|app| engines.contains_key(&app.engine));
    let snapshot = Snapshot::build(&files, stored, examples);
    let changed = hub.catalogue.0.send_if_modified(|present| {
        let changed = **present != snapshot;
        if changed {
            *present = Arc::new(snapshot);
        }
        changed
    });
    if changed {
        hub.bus.tell(Change::Catalogue);
    }
    Ok(())
}
