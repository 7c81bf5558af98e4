//! After an upgrade: bytes both ways, unread.
//!
//! An idle tunnel holds two sockets and no buffer: the bytes of a readable socket go through a buffer
//! of the thread, and only what the other side does not take at once is kept until it does.

use std::{cell::RefCell, io, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::{Either, select};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use prometheus_client::metrics::gauge::Gauge;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::link::Link;
use crate::{guard::Guarded, listen::Slot, live::Stay, metrics::Counted, visit::Visit};

/// Bytes moved at a time, and the most that one tunnel may hold back per direction.
const PIECE: usize = 32 * 1024;
/// Pieces after which a busy tunnel lets others have the thread.
const PIECES: usize = 16;
/// How long both sides have to hand over their sockets once the upgrade was answered.
const HAND_OVER: Duration = Duration::from_secs(10);

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; PIECE].into_boxed_slice());
}

/// Moves bytes until both directions are closed, one fails, or `cut` says so.
pub(super) async fn run(
    on_client: OnUpgrade,
    on_upstream: OnUpgrade,
    stay: Stay,
    cut: CancellationToken,
    half_open: Duration,
    tunnels: Gauge,
) {
    let _counted = Counted::new(&tunnels);
    let work = async {
        let hand_over = async { tokio::try_join!(on_client, on_upstream) };
        let Ok(Ok((client, upstream))) = timeout(HAND_OVER, hand_over).await else { return };
        if let Some((tunnel, early)) = Tunnel::new(client, upstream, Arc::clone(stay.visit())) {
            tunnel.run(early, half_open).await;
        }
    };
    tokio::select! {
        () = cut.cancelled() => {}
        () = work => {}
    }
}

struct Tunnel {
    client: Link,
    upstream: Link,
    visit: Arc<Visit>,
    _slot: Slot,
}

/// What either side had sent before the sockets were handed over.
struct Early {
    up: Bytes,
    down: Bytes,
}

#[derive(Clone, Copy)]
enum Way {
    Up,
    Down,
}

impl Tunnel {
    fn new(client: Upgraded, upstream: Upgraded, visit: Arc<Visit>) -> Option<(Self, Early)> {
        let client = client.downcast::<TokioIo<Guarded>>().ok()?;
        let upstream = upstream.downcast::<TokioIo<Link>>().ok()?;
        let (stream, slot) = client.io.into_inner().into_parts();
        let early = Early { up: client.read_buf, down: upstream.read_buf };
        let upstream = upstream.io.into_inner();
        Some((Self { client: Link::Tcp(stream), upstream, visit, _slot: slot }, early))
    }

    async fn run(self, early: Early, half_open: Duration) {
        let up = pin!(self.pump(Way::Up, early.up));
        let down = pin!(self.pump(Way::Down, early.down));
        let (first, rest) = match select(up, down).await {
            Either::Left((ended, rest)) => (ended, Either::Left(rest)),
            Either::Right((ended, rest)) => (ended, Either::Right(rest)),
        };
        let ended = match first {
            Ok(()) => self.outlive(rest, half_open).await,
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            debug!(%error, "a tunnel broke off");
        }
    }

    /// Goes on one way after the other one was closed, until that is silent for too long.
    async fn outlive(
        &self,
        rest: impl Future<Output = io::Result<()>> + Unpin,
        half_open: Duration,
    ) -> io::Result<()> {
        let mut rest = rest;
        loop {
            let before = self.visit.moved();
            tokio::select! {
                ended = &mut rest => return ended,
                () = sleep(half_open) => {
                    if self.visit.moved() == before {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn pump(&self, way: Way, early: Bytes) -> io::Result<()> {
        let (from, to) = match way {
            Way::Up => (&self.client, &self.upstream),
            Way::Down => (&self.upstream, &self.client),
        };
        if !early.is_empty() {
            self.moved(way, early.len());
            write_all(to, &early).await?;
        }
        // Even an empty rest keeps the whole buffer of the HTTP connection.
        drop(early);
        let mut pieces = 0;
        loop {
            from.readable().await?;
            match pass_piece(from, to) {
                Ok(Passed::End) => return to.finish_writing(),
                Ok(Passed::All(count)) => self.moved(way, count),
                Ok(Passed::Part { count, rest }) => {
                    self.moved(way, count);
                    write_all(to, &rest).await?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            pieces += 1;
            if pieces % PIECES == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    fn moved(&self, way: Way, count: usize) {
        match way {
            Way::Up => self.visit.received(count),
            Way::Down => self.visit.sent(count),
        }
    }
}

enum Passed {
    /// There is nothing more to come.
    End,
    All(usize),
    /// So many bytes were read, and these of them not yet written.
    Part {
        count: usize,
        rest: Box<[u8]>,
    },
}

/// Reads once and writes once, without waiting.
fn pass_piece(from: &Link, to: &Link) -> io::Result<Passed> {
    BUFFER.with_borrow_mut(|buffer| {
        let count = from.try_read(buffer)?;
        if count == 0 {
            return Ok(Passed::End);
        }
        let written = match to.try_write(&buffer[..count]) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        if written == count {
            return Ok(Passed::All(count));
        }
        Ok(Passed::Part { count, rest: buffer[written..count].into() })
    })
}

async fn write_all(to: &Link, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
