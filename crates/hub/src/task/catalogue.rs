//! Keeps the catalogue as its sources are: a look at the files every second, whatever happens.

use std::time::Duration;

use tokio::time::sleep;

use crate::{catalogue, state::Hub};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs until the hub ends.
pub(super) async fn run(hub: Hub) {
    loop {
        if let Err(error) = catalogue::reload(&hub).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the catalogue could not be reloaded; keeping the last one"
            );
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = hub.tasks.soft.cancelled() => return,
        }
    }
}
