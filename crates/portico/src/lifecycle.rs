//! Start and end of a process that serves.
//!
//! The first SIGTERM or SIGINT asks softly: stop accepting, finish what runs. When the drain time is
//! over, or at a second signal, the hard token ends the rest. Workloads are not touched by either.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The two words by which tasks end, and the list of those who must hear them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lifecycle {
    pub(crate) soft: CancellationToken,
    pub(crate) hard: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

impl Lifecycle {
    /// Waits for a signal or a soft cancellation, then drains for at most `drain` and returns.
    pub(crate) async fn run(&self, drain: Duration) -> Result<()> {
        let mut signals = Signals::listen()?;
        tokio::select! {
            () = signals.next() => tracing::info!("asked to stop, finishing what runs"),
            () = self.soft.cancelled() => tracing::info!("stopping"),
        }
        self.soft.cancel();
        self.tasks.close();
        tokio::select! {
            () = self.tasks.wait() => return Ok(()),
            () = tokio::time::sleep(drain) => tracing::warn!("drain time is over, ending the rest"),
            () = signals.next() => tracing::warn!("asked again, ending at once"),
        }
        self.hard.cancel();
        let last = tokio::time::timeout(Duration::from_secs(2), self.tasks.wait()).await;
        if last.is_err() {
            tracing::warn!("some tasks did not end in time");
        }
        Ok(())
    }
}
